//! Parquet files: only the wanted columns of the row groups that can hold wanted periods are read.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::datatypes::{DataType, Schema, SchemaRef};
use parallax_base::{Name, shown};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    basic::Compression,
    file::{metadata::RowGroupMetaData, statistics::Statistics},
    schema::types::SchemaDescriptor,
};
use rayon::prelude::*;

use crate::{
    Format, IngestError, PeriodRange,
    decode::{append, supported},
    guard::guarded,
    origin::Numbering,
    raw::Raw,
    source::{Extent, Field, Reading, Remarks, Source, Wanted},
};

/// The key of the file's metadata that says its numbers are simulated.
pub(crate) const SIMULATED: &str = "parallax.simulated";

/// Values below which threads cost more than they bring.
const SMALL: usize = 2_000_000;

/// Values that one reader decodes at least, if there are as many: opening a reader looks at every column of the file.
const TOGETHER: usize = 1 << 16;

/// Columns that one reader decodes at most, each with buffers of its own.
const SIDE_BY_SIDE: usize = 2048;

/// Rows decoded at a time: the batch stays in the cache while it is copied to its column.
const BATCH: usize = 8192;

/// An opened Parquet file.
pub(crate) struct ParquetSource {
    path: PathBuf,
    file: Name,
    metadata: ArrowReaderMetadata,
    fields: Vec<Field>,
    rows: u64,
    /// For each field, its leaf column where it is not nested.
    leaves: Vec<Option<usize>>,
}

/// A decoding failure on its way to becoming an [`IngestError`].
enum Failure {
    Damaged(String),
    Other(IngestError),
}

impl ParquetSource {
    pub(crate) fn open(path: &Path, file: Name, _: &Reading) -> Result<ParquetSource, IngestError> {
        let handle = File::open(path).map_err(IngestError::io(&file, "open it"))?;
        let (schema, metadata) = guarded(|| load(&handle)).map_err(|reason| damaged(&file, reason))?;
        let rows = total_rows(metadata.metadata().row_groups()).map_err(|reason| damaged(&file, reason))?;
        let field = |it: &Arc<arrow::datatypes::Field>| Field {
            name: it.name().into(),
            type_text: type_text(it.data_type()),
            supported: supported(it.data_type()),
        };
        let fields = schema.fields().iter().map(field).collect();
        let leaves = leaves(metadata.parquet_schema(), schema.fields().len());
        Ok(ParquetSource { path: path.to_owned(), file, metadata, fields, rows, leaves })
    }

    fn groups(&self) -> &[RowGroupMetaData] {
        self.metadata.metadata().row_groups()
    }

    /// Row groups that may hold wanted periods, by the statistics of the time column.
    fn wanted_groups(&self, range: Option<(usize, PeriodRange)>) -> Vec<usize> {
        let all = 0..self.groups().len();
        let Some((index, range)) = range else { return all.collect() };
        // Dates are counted in years, months or days only once all of them are known.
        // Statistics of decimals and unsigned numbers are stored in another form than their values.
        let plain = self.metadata.schema().fields().get(index).map(|it| it.data_type());
        let plain = plain.is_some_and(|it| it.is_signed_integer() || it.is_floating());
        let leaf = self.leaf(index).filter(|_| plain);
        let may_hold = |group: &usize| {
            let bounds = leaf
                .and_then(|leaf| self.groups().get(*group)?.columns().get(leaf)?.statistics())
                .and_then(bounds);
            bounds.is_none_or(|(low, high)| low <= f64::from(range.to) && f64::from(range.from) <= high)
        };
        all.filter(may_hold).collect()
    }

    /// The leaf column of a top-level field that is not nested.
    fn leaf(&self, index: usize) -> Option<usize> {
        self.leaves.get(index).copied().flatten()
    }

    /// Reads some columns with one reader; a failure names its column.
    fn read_columns(
        &self,
        groups: &[usize],
        rows: usize,
        wanted: &mut [Wanted<'_>],
    ) -> Result<(), IngestError> {
        let before: Vec<usize> = wanted.iter().map(|it| it.raw.len()).collect();
        let failed = |failure, name: Option<&Name>| match (failure, name) {
            (Failure::Damaged(reason), Some(name)) => {
                damaged(&self.file, format!("column `{}`: {reason}", shown(name)))
            }
            (Failure::Damaged(reason), None) => damaged(&self.file, reason),
            (Failure::Other(error), _) => error,
        };
        if let Err(failure) = guarded(|| self.decode_columns(groups, wanted)) {
            if let [only] = wanted {
                return Err(failed(failure, Some(only.name)));
            }
            for it in wanted {
                let mut raw = Raw::new(0);
                let alone = Wanted { index: it.index, name: it.name, raw: &mut raw, codes: false };
                guarded(|| self.decode_columns(groups, &mut [alone]))
                    .map_err(|alone| failed(alone, Some(it.name)))?;
            }
            return Err(failed(failure, None));
        }
        for (it, before) in wanted.iter().zip(before) {
            let read = it.raw.len() - before;
            if read != rows {
                let name = shown(it.name);
                let reason = format!("column `{name}` has {read} values where the footer says {rows}");
                return Err(damaged(&self.file, reason));
            }
        }
        Ok(())
    }

    /// Every reader has its own file handle: handles share their position and readers run at once.
    fn decode_columns(&self, groups: &[usize], wanted: &mut [Wanted<'_>]) -> Result<(), Failure> {
        let handle = File::open(&self.path)
            .map_err(|it| Failure::Other(IngestError::io(&self.file, "open it")(it)))?;
        let mut projection: Vec<usize> = wanted.iter().map(|it| it.index).collect();
        projection.sort_unstable();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), projection.iter().copied());
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(handle, self.metadata.clone())
            .with_projection(mask)
            .with_row_groups(groups.to_vec())
            .with_batch_size(BATCH)
            .build()
            .map_err(|it| Failure::Damaged(it.to_string()))?;
        for batch in reader {
            let batch = batch.map_err(|it| Failure::Damaged(it.to_string()))?;
            for it in wanted.iter_mut() {
                let at = projection.binary_search(&it.index).ok();
                let Some(array) = at.and_then(|at| batch.columns().get(at)) else { continue };
                append(array, it.raw).map_err(|conflict| {
                    Failure::Other(IngestError::TypeConflict {
                        file: self.file.clone(),
                        column: it.name.clone(),
                        held: conflict.held,
                        met: conflict.met,
                    })
                })?;
            }
        }
        Ok(())
    }

    /// A codec that this program does not decode is named as what it is; the file is not damaged.
    fn refuse_codecs(&self, groups: &[usize], wanted: &[Wanted<'_>]) -> Result<(), IngestError> {
        for group in groups.iter().filter_map(|it| self.groups().get(*it)) {
            for it in wanted {
                let chunk = self.leaf(it.index).and_then(|leaf| group.columns().get(leaf));
                if chunk.is_some_and(|it| it.compression() == Compression::LZO) {
                    let problem = format!(
                        "column `{}` is compressed with LZO, which is not read here; write the file again with zstd, snappy, \
                         gzip, brotli or lz4, for example in pandas: d.to_parquet(path, compression=\"zstd\")",
                        shown(it.name)
                    );
                    return Err(IngestError::Format { file: self.file.clone(), problem });
                }
            }
        }
        Ok(())
    }
}

impl Source for ParquetSource {
    fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self) -> &Name {
        &self.file
    }

    fn format(&self) -> Format {
        Format::Parquet
    }

    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn simulated(&self) -> bool {
        let pairs = self.metadata.metadata().file_metadata().key_value_metadata();
        pairs.is_some_and(|it| it.iter().any(|it| it.key == SIMULATED && it.value.as_deref() == Some("true")))
    }

    fn rows_expected(&self) -> u64 {
        self.rows
    }

    fn read(
        &mut self,
        wanted: &mut [Wanted<'_>],
        range: Option<(usize, PeriodRange)>,
    ) -> Result<Extent, IngestError> {
        let groups = self.wanted_groups(range);
        self.refuse_codecs(&groups, wanted)?;
        let (mut rows, mut in_file, mut numbering) = (0, 0, Numbering::rows());
        for (at, group) in self.groups().iter().enumerate() {
            if groups.binary_search(&at).is_ok() {
                numbering.mark(rows, in_file as u64 + 1);
                rows += rows_of(group);
            }
            in_file += rows_of(group);
        }
        let source = &*self;
        let together = (TOGETHER / rows.max(1)).clamp(1, SIDE_BY_SIDE);
        if rows.saturating_mul(wanted.len()) < SMALL {
            wanted.chunks_mut(together).try_for_each(|it| source.read_columns(&groups, rows, it))?;
        } else {
            wanted.par_chunks_mut(together).try_for_each(|it| source.read_columns(&groups, rows, it))?;
        }
        let groups = (groups.len(), self.groups().len());
        Ok(Extent { rows, numbering, groups, remarks: Remarks::default() })
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Failure {
        Failure::Damaged(reason)
    }
}

/// A type as a user may know it.
pub(crate) fn type_text(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Dictionary(_, value) => format!("{} (dictionary)", type_text(value)),
        DataType::Boolean => "true/false".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(_, _) => "timestamp".to_owned(),
        DataType::Struct(_) => "a struct".to_owned(),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _) => "a list".to_owned(),
        DataType::Map(_, _) => "a map".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "binary".to_owned()
        }
        other => other.to_string().to_lowercase(),
    }
}

fn damaged(file: &Name, reason: String) -> IngestError {
    IngestError::Damaged { file: file.clone(), format: "Parquet", reason }
}

/// Rows of all row groups, as far as a file can say so and be true.
fn total_rows(groups: &[RowGroupMetaData]) -> Result<u64, String> {
    let mut total = 0_u64;
    for (at, group) in groups.iter().enumerate() {
        let rows = u64::try_from(group.num_rows()).ok();
        let (Some(rows), Some(sum)) = (rows, rows.and_then(|it| total.checked_add(it))) else {
            return Err(format!("row group {} announces {} rows", at + 1, group.num_rows()));
        };
        // A chunk of a column that is not nested has a value for each row.
        let other = group.columns().iter().find(|it| {
            it.column_descr().max_rep_level() == 0 && u64::try_from(it.num_values()).ok() != Some(rows)
        });
        if let Some(it) = other {
            let (name, values) = (shown(it.column_descr().name()), it.num_values());
            return Err(format!(
                "row group {} announces {rows} rows, and {values} of column `{name}`",
                at + 1
            ));
        }
        total = sum;
    }
    if u32::try_from(total).is_err() {
        return Err(format!("its footer announces {total} rows, and at most {} can be read", u32::MAX));
    }
    Ok(total)
}

/// For each top-level field the leaf column it is made of.
fn leaves(schema: &SchemaDescriptor, fields: usize) -> Vec<Option<usize>> {
    let mut leaves = vec![None; fields];
    for leaf in 0..schema.num_columns() {
        if let Some(it) = leaves.get_mut(schema.get_column_root_idx(leaf)) {
            it.get_or_insert(leaf);
        }
    }
    leaves
}

fn rows_of(group: &RowGroupMetaData) -> usize {
    usize::try_from(group.num_rows()).unwrap_or(0)
}

/// Reads the footer. Text columns that are dictionary-encoded in the file are asked for as dictionaries,
/// so that a text is looked up once a batch instead of once a row. Also returns the schema as it is stored.
fn load(handle: &File) -> Result<(SchemaRef, ArrowReaderMetadata), String> {
    let plain = ArrowReaderMetadata::load(handle, ArrowReaderOptions::new()).map_err(|it| it.to_string())?;
    let groups = plain.metadata().row_groups();
    let schema = plain.parquet_schema();
    let leaves = leaves(schema, plain.schema().fields().len());
    let encoded = |index: usize| {
        leaves.get(index).copied().flatten().is_some_and(|leaf| {
            groups
                .iter()
                .all(|it| it.columns().get(leaf).is_some_and(|it| it.dictionary_page_offset().is_some()))
        })
    };
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let hinted = plain.schema().fields().iter().enumerate().map(|(index, field)| {
        let text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        if text && encoded(index) {
            Arc::new(field.as_ref().clone().with_data_type(dictionary.clone()))
        } else {
            Arc::clone(field)
        }
    });
    let hinted = Schema::new_with_metadata(hinted.collect::<Vec<_>>(), plain.schema().metadata().clone());
    let stored = Arc::clone(plain.schema());
    if hinted == *stored {
        return Ok((stored, plain));
    }
    let options = ArrowReaderOptions::new().with_schema(Arc::new(hinted));
    Ok((stored, ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), options).unwrap_or(plain)))
}

/// Smallest and largest value of a row group, where the file says so.
fn bounds(statistics: &Statistics) -> Option<(f64, f64)> {
    let bounds = match statistics {
        Statistics::Int32(it) => Some((f64::from(*it.min_opt()?), f64::from(*it.max_opt()?))),
        Statistics::Int64(it) => Some((*it.min_opt()? as f64, *it.max_opt()? as f64)),
        Statistics::Float(it) => Some((f64::from(*it.min_opt()?), f64::from(*it.max_opt()?))),
        Statistics::Double(it) => Some((*it.min_opt()?, *it.max_opt()?)),
        Statistics::Boolean(_)
        | Statistics::Int96(_)
        | Statistics::ByteArray(_)
        | Statistics::FixedLenByteArray(_) => None,
    };
    bounds.filter(|(low, high)| low <= high)
}

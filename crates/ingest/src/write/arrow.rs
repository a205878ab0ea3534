//! Columns as Arrow arrays, for Parquet and Arrow IPC.

use std::{collections::HashMap, io::Write, sync::Arc};

use arrow::{
    array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, StringArray},
    buffer::NullBuffer,
    datatypes::{Field, Schema},
    ipc::{
        CompressionType,
        writer::{FileWriter, IpcWriteOptions},
    },
    record_batch::RecordBatch,
};
use parallax_panel::{Codes, Column, Labels, MISSING};
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::{Compression as Codec, ZstdLevel},
    file::{metadata::KeyValue, properties::WriterProperties},
};

use super::{Columns, Compression, WriteOptions};
use crate::parquet::SIMULATED;

/// Rows handed to a writer at a time.
const CHUNK: usize = 1 << 16;

/// Columns above which numbers have no dictionaries: a writer keeps 50 kilobytes for each.
const WIDE: usize = 1000;

/// Writes Parquet. Text is stored as plain strings with a dictionary, which every reader knows.
pub(super) fn parquet(
    columns: &Columns<'_>,
    to: &mut (impl Write + Send),
    options: &WriteOptions,
) -> Result<(), String> {
    let batch = batch(columns, HashMap::new())?;
    let codec = match options.compression {
        Some(Compression::Uncompressed) => Codec::UNCOMPRESSED,
        Some(Compression::Snappy) => Codec::SNAPPY,
        Some(Compression::Lz4) => Codec::LZ4_RAW,
        Some(Compression::Zstd) | None => Codec::ZSTD(ZstdLevel::default()),
    };
    let pairs: Vec<KeyValue> =
        pairs(options).into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
    let mut properties = WriterProperties::builder()
        .set_created_by("parallax".to_owned())
        .set_compression(codec)
        .set_key_value_metadata((!pairs.is_empty()).then_some(pairs));
    if WIDE < columns.len() {
        for (name, _) in columns.iter().filter(|(_, it)| matches!(it, Column::Real(_))) {
            properties = properties.set_column_dictionary_enabled(name.as_str().into(), false);
        }
    }
    let properties = properties.build();
    let settings = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let failed = |it: parquet::errors::ParquetError| it.to_string();
    let mut writer = ArrowWriter::try_new_with_options(to, batch.schema(), settings).map_err(failed)?;
    for chunk in chunks(&batch) {
        writer.write(&chunk).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(())
}

/// Writes an Arrow IPC file.
pub(super) fn ipc(
    columns: &Columns<'_>,
    to: &mut (impl Write + Send),
    options: &WriteOptions,
) -> Result<(), String> {
    let batch = batch(columns, pairs(options).into_iter().collect())?;
    let codec = match options.compression {
        Some(Compression::Lz4) => Some(CompressionType::LZ4_FRAME),
        Some(Compression::Zstd) => Some(CompressionType::ZSTD),
        Some(Compression::Uncompressed | Compression::Snappy) | None => None,
    };
    let failed = |it: arrow::error::ArrowError| it.to_string();
    let settings = IpcWriteOptions::default().try_with_compression(codec).map_err(failed)?;
    let mut writer = FileWriter::try_new_with_options(to, &batch.schema(), settings).map_err(failed)?;
    for chunk in chunks(&batch) {
        writer.write(&chunk).map_err(failed)?;
    }
    writer.finish().map_err(failed)
}

fn pairs(options: &WriteOptions) -> Vec<(String, String)> {
    let mark = options.simulated.then(|| (SIMULATED.to_owned(), "true".to_owned()));
    mark.into_iter().chain(options.metadata.iter().cloned()).collect()
}

fn chunks(batch: &RecordBatch) -> impl Iterator<Item = RecordBatch> + '_ {
    let rows = batch.num_rows();
    (0..rows.div_ceil(CHUNK)).map(move |it| batch.slice(it * CHUNK, CHUNK.min(rows - it * CHUNK)))
}

fn batch(columns: &Columns<'_>, metadata: HashMap<String, String>) -> Result<RecordBatch, String> {
    let arrays = columns.iter().map(|(_, it)| array(it)).collect::<Result<Vec<_>, _>>()?;
    let field = |((name, _), array): (&(parallax_base::Name, &Column), &ArrayRef)| {
        Field::new(name.as_str(), array.data_type().clone(), true)
    };
    let fields: Vec<Field> = columns.iter().zip(&arrays).map(field).collect();
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, metadata)), arrays)
        .map_err(|it| it.to_string())
}

fn array(column: &Column) -> Result<ArrayRef, String> {
    Ok(match column {
        Column::Real(values) if is_whole(values) => {
            let whole = |it: &f64| (!it.is_nan()).then_some(*it as i64);
            Arc::new(values.iter().map(whole).collect::<Int64Array>())
        }
        Column::Real(values) => {
            let nulls = values.iter().any(|it| it.is_nan());
            let nulls = nulls.then(|| NullBuffer::from_iter(values.iter().map(|it| !it.is_nan())));
            Arc::new(Float64Array::new(values.to_vec().into(), nulls))
        }
        Column::Codes(codes) => coded(codes)?,
    })
}

fn coded(codes: &Codes) -> Result<ArrayRef, String> {
    let present = |it: &u32| (*it != MISSING).then_some(*it as usize);
    Ok(match &*codes.labels {
        Labels::Integers(labels) => {
            let label = |it: &u32| present(it).and_then(|it| labels.get(it).copied());
            Arc::new(codes.code.iter().map(label).collect::<Int64Array>())
        }
        Labels::Reals(labels) => {
            let label = |it: &u32| present(it).and_then(|it| labels.get(it).copied());
            Arc::new(codes.code.iter().map(label).collect::<Float64Array>())
        }
        Labels::Rows(_) => {
            let label = |it: &u32| present(it).map(|it| it as i64 + 1);
            Arc::new(codes.code.iter().map(label).collect::<Int64Array>())
        }
        Labels::Text(labels) | Labels::Combined(labels) => {
            let keys: Int32Array = codes.code.iter().map(|it| i32::try_from(*it).ok()).collect();
            let values = StringArray::from_iter_values(labels.iter().map(parallax_base::Name::as_str));
            Arc::new(DictionaryArray::try_new(keys, Arc::new(values)).map_err(|it| it.to_string())?)
        }
    })
}

/// Whole numbers that an `i64` gives back exactly; negative zero is none of them.
pub(super) fn is_whole(values: &[f64]) -> bool {
    let whole = |it: &f64| {
        it.fract() == 0.0 && it.abs() <= 9_007_199_254_740_992.0 && !(*it == 0.0 && it.is_sign_negative())
    };
    values.iter().any(|it| !it.is_nan()) && values.iter().all(|it| it.is_nan() || whole(it))
}

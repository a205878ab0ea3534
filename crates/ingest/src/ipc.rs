//! Arrow IPC: the file format (Feather version 2) and the stream format.

use std::{
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use arrow::{
    datatypes::Schema,
    error::ArrowError,
    ipc::{
        Block, CompressionType,
        reader::{FileReader, StreamReader},
        root_as_footer, root_as_message,
    },
    record_batch::RecordBatch,
};
use parallax_base::Name;

use crate::{
    Format, IngestError, PeriodRange,
    budget::Budget,
    decode::{append, supported},
    guard::guarded,
    origin::Numbering,
    parquet::{SIMULATED, type_text},
    source::{Extent, Field, Reading, Remarks, Source, Wanted},
};

/// What a byte of an LZ4 block can become at most.
const LZ4_RATIO: u64 = 255;

/// What a byte of a Zstandard frame can become at most: a block of 128 KiB that repeats one byte takes four.
const ZSTD_RATIO: u64 = 1 << 15;

/// Bytes that a frame of either kind may become beyond its ratio: the first block has headers of its own.
const FRAME: u64 = 1 << 17;

/// An opened Arrow file or stream.
pub(crate) struct IpcSource {
    path: PathBuf,
    file: Name,
    format: Format,
    fields: Vec<Field>,
    simulated: bool,
    rows: u64,
    batches: usize,
}

/// Rows and batches of a file whose lengths were found to lie inside it.
struct Survey<'f> {
    handle: File,
    /// Bytes of the file.
    size: u64,
    file: &'f Name,
    budget: Budget,
    rows: u64,
    batches: usize,
}

enum Failure {
    Damaged(String),
    Other(IngestError),
}

impl IpcSource {
    pub(crate) fn open(
        path: &Path,
        file: Name,
        format: Format,
        reading: &Reading,
    ) -> Result<IpcSource, IngestError> {
        let mut handle = File::open(path).map_err(IngestError::io(&file, "open it"))?;
        let size = handle.seek(SeekFrom::End(0)).map_err(IngestError::io(&file, "read it"))?;
        let mut survey = Survey { handle, size, file: &file, budget: reading.budget, rows: 0, batches: 0 };
        let opened = guarded(|| {
            match format {
                Format::ArrowFile => survey.file()?,
                _ => survey.stream()?,
            }
            let (schema, _) = batches(path, format, None)?;
            Ok((survey.rows, survey.batches, schema))
        });
        let (rows, n_batches, schema) = opened.map_err(|it: Failure| it.into_error(&file))?;
        let field = |it: &std::sync::Arc<arrow::datatypes::Field>| Field {
            name: it.name().into(),
            type_text: type_text(it.data_type()),
            supported: supported(it.data_type()),
        };
        Ok(IpcSource {
            path: path.to_owned(),
            format,
            fields: schema.fields().iter().map(field).collect(),
            simulated: schema.metadata().get(SIMULATED).is_some_and(|it| it == "true"),
            rows,
            batches: n_batches,
            file,
        })
    }

    fn decode(&self, wanted: &mut [Wanted<'_>]) -> Result<u64, Failure> {
        // The projection keeps the order of the file whatever the order asked for.
        let mut projection: Vec<usize> = wanted.iter().map(|it| it.index).collect();
        projection.sort_unstable();
        // The reader looks every column up in the projection; all of them need none.
        let whole = projection.iter().copied().eq(0..self.fields.len());
        let (_, stream) = batches(&self.path, self.format, (!whole).then(|| projection.clone()))?;
        let mut rows = 0;
        for batch in stream {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            for it in wanted.iter_mut() {
                let array = projection.binary_search(&it.index).ok().and_then(|at| batch.columns().get(at));
                let array =
                    array.ok_or_else(|| Failure::Damaged(format!("column `{}` is absent", it.name)))?;
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
        Ok(rows)
    }
}

impl Source for IpcSource {
    fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self) -> &Name {
        &self.file
    }

    fn format(&self) -> Format {
        self.format
    }

    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn simulated(&self) -> bool {
        self.simulated
    }

    fn rows_expected(&self) -> u64 {
        self.rows
    }

    fn read(
        &mut self,
        wanted: &mut [Wanted<'_>],
        _: Option<(usize, PeriodRange)>,
    ) -> Result<Extent, IngestError> {
        let rows = guarded(|| self.decode(wanted)).map_err(|it| it.into_error(&self.file))?;
        if rows != self.rows {
            let reason = format!("{rows} rows where the file announces {}", self.rows);
            return Err(Failure::Damaged(reason).into_error(&self.file));
        }
        let rows = usize::try_from(rows).map_err(|_| Budget::refused(&self.file, rows))?;
        let groups = (self.batches, self.batches);
        Ok(Extent { rows, numbering: Numbering::rows(), groups, remarks: Remarks::default() })
    }
}

impl Failure {
    fn into_error(self, file: &Name) -> IngestError {
        match self {
            Failure::Damaged(reason) => IngestError::Damaged { file: file.clone(), format: "Arrow", reason },
            Failure::Other(error) => error,
        }
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Failure {
        Failure::Damaged(reason)
    }
}

impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Failure {
        Failure::Damaged(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::Damaged(error.to_string())
    }
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

/// The schema and the batches, projected.
fn batches(
    path: &Path,
    format: Format,
    projection: Option<Vec<usize>>,
) -> Result<(Schema, Batches), Failure> {
    let handle = BufReader::new(File::open(path)?);
    Ok(match format {
        Format::ArrowFile => {
            let reader = FileReader::try_new(handle, projection)?;
            (reader.schema().as_ref().clone(), Box::new(reader))
        }
        _ => {
            let reader = StreamReader::try_new(handle, projection)?;
            (reader.schema().as_ref().clone(), Box::new(reader))
        }
    })
}

impl Survey<'_> {
    /// Checks the blocks that the footer names.
    fn file(&mut self) -> Result<(), Failure> {
        const TAIL: u64 = 10;
        let at = self.size.saturating_sub(TAIL);
        let tail = self.read_at(at, TAIL.min(self.size))?;
        let length = tail.first_chunk::<4>().map_or(-1, |it| i32::from_le_bytes(*it));
        let start = u64::try_from(length).ok().and_then(|it| at.checked_sub(it));
        let (Some(start), true) = (start, tail.ends_with(b"ARROW1")) else {
            return Err(Failure::Damaged("the end of the file is missing".to_owned()));
        };
        let footer = self.read_at(start, u64::from(length.unsigned_abs()))?;
        let footer = root_as_footer(&footer).map_err(|it| Failure::Damaged(format!("footer: {it}")))?;
        for block in footer.dictionaries().iter().flatten() {
            self.block(block)?;
        }
        for block in footer.recordBatches().iter().flatten() {
            self.block(block)?;
        }
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<(), Failure> {
        let outside = || Failure::Damaged("a block lies outside the file".to_owned());
        let offset = u64::try_from(block.offset()).map_err(|_| outside())?;
        let meta = u64::try_from(block.metaDataLength()).map_err(|_| outside())?;
        let body = u64::try_from(block.bodyLength()).map_err(|_| outside())?;
        let body_start = offset.checked_add(meta).ok_or_else(outside)?;
        if body_start.checked_add(body).is_none_or(|it| self.size < it) {
            return Err(outside());
        }
        let bytes = self.read_at(offset, meta)?;
        // The message is preceded by its length, and since 0.15 by a continuation marker before that.
        let skip = if bytes.starts_with(&[0xff; 4]) { 8 } else { 4 };
        self.message(bytes.get(skip..).unwrap_or_default(), body_start)?;
        Ok(())
    }

    /// Walks over the messages of a stream.
    fn stream(&mut self) -> Result<(), Failure> {
        let mut at = 0;
        while at + 4 <= self.size {
            let mut word = self.read_at(at, 4)?;
            at += 4;
            if word == [0xff; 4] {
                word = self.read_at(at, 4)?;
                at += 4;
            }
            let length = word.first_chunk::<4>().map_or(-1, |it| i32::from_le_bytes(*it));
            if length == 0 {
                break;
            }
            let length = u64::try_from(length)
                .map_err(|_| Failure::Damaged("a message of negative length".to_owned()))?;
            let message = self.read_at(at, length)?;
            at += length;
            at += self.message(&message, at)?;
        }
        Ok(())
    }

    /// Checks one message and its buffers; returns the length of its body.
    fn message(&mut self, bytes: &[u8], body: u64) -> Result<u64, Failure> {
        let message = root_as_message(bytes).map_err(|it| Failure::Damaged(format!("message: {it}")))?;
        let outside = || Failure::Damaged("a message lies outside the file".to_owned());
        let length = u64::try_from(message.bodyLength()).map_err(|_| outside())?;
        if body.checked_add(length).is_none_or(|it| self.size < it) {
            return Err(outside());
        }
        let dictionary = message.header_as_dictionary_batch().and_then(|it| it.data());
        if let Some(batch) = message.header_as_record_batch().or(dictionary) {
            let rows = u64::try_from(batch.length())
                .map_err(|_| Failure::Damaged("a batch of negative length".to_owned()))?;
            let held = self.buffers(&batch, body, length)?;
            // A row takes a bit at least; columns of nothing but missing values have no bytes, and are believed as far
            // as the file itself would reach.
            let most = held.max(self.size).saturating_mul(8);
            if most < rows {
                let size = self.size;
                let reason =
                    format!("a batch announces {rows} rows, more than a file of {size} bytes can hold");
                return Err(Failure::Damaged(reason));
            }
            if message.header_as_record_batch().is_some() {
                self.rows = self.rows.saturating_add(rows);
                self.batches += 1;
            }
        }
        Ok(length)
    }

    /// Bytes of all buffers, decompressed. Compressed buffers begin with their decompressed length, which decoders
    /// believe; here it is believed as far as the method of compression can reach.
    fn buffers(
        &mut self,
        batch: &arrow::ipc::RecordBatch<'_>,
        body: u64,
        length: u64,
    ) -> Result<u64, Failure> {
        let Some(compression) = batch.compression() else { return Ok(length) };
        let ratio = if compression.codec() == CompressionType::ZSTD { ZSTD_RATIO } else { LZ4_RATIO };
        let mut total = 0_u64;
        for buffer in batch.buffers().iter().flatten() {
            let stored = u64::try_from(buffer.length()).unwrap_or(0);
            let offset = u64::try_from(buffer.offset()).ok().and_then(|it| body.checked_add(it));
            let (Some(offset), Some(packed)) = (offset, stored.checked_sub(8)) else { continue };
            let bytes = self.read_at(offset, 8)?;
            let announced = bytes.first_chunk::<8>().map_or(0, |it| i64::from_le_bytes(*it));
            // A negative length says that the buffer is stored as it is.
            let announced = u64::try_from(announced).unwrap_or(packed);
            if packed.saturating_mul(ratio).saturating_add(FRAME) < announced {
                let reason =
                    format!("a buffer of {packed} bytes announces {announced} bytes, more than it can hold");
                return Err(Failure::Damaged(reason));
            }
            self.budget.require(announced, self.file, "one buffer").map_err(Failure::Other)?;
            total = total.saturating_add(announced);
        }
        Ok(total)
    }

    fn read_at(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, Failure> {
        if offset.checked_add(length).is_none_or(|it| self.size < it) {
            return Err(Failure::Damaged("it ends in the middle of a message".to_owned()));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.handle.seek(SeekFrom::Start(offset))?;
        self.handle.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

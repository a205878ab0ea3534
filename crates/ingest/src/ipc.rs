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
        Block,
        reader::{FileReader, StreamReader},
        root_as_footer, root_as_message,
    },
    record_batch::RecordBatch,
};
use parallax_base::Name;

use crate::{
    Format, IngestError, PeriodRange,
    decode::{append, supported},
    guard::guarded,
    origin::Numbering,
    parquet::{SIMULATED, type_text},
    source::{Extent, Field, Source, Wanted},
};

/// The largest buffer a compressed batch may announce. Damaged lengths above it would abort the process.
const LARGEST_BUFFER: i64 = 1 << 33;

/// An opened Arrow file or stream.
pub(crate) struct IpcSource {
    path: PathBuf,
    file: Name,
    format: Format,
    fields: Vec<Field>,
    simulated: bool,
    rows: usize,
    batches: usize,
}

/// Rows and batches of a file whose lengths were found to lie inside it.
#[derive(Default)]
struct Survey {
    rows: usize,
    batches: usize,
}

enum Failure {
    Damaged(String),
    Other(IngestError),
}

impl IpcSource {
    pub(crate) fn open(path: &Path, file: Name, format: Format) -> Result<IpcSource, IngestError> {
        let mut handle = File::open(path).map_err(IngestError::io(&file, "open it"))?;
        let opened = guarded(|| {
            let survey = match format {
                Format::ArrowFile => survey_file(&mut handle)?,
                _ => survey_stream(&mut handle)?,
            };
            let (schema, _) = batches(path, format, None)?;
            Ok((survey, schema))
        });
        let (survey, schema) = opened.map_err(|it: Failure| it.into_error(&file))?;
        let field = |it: &std::sync::Arc<arrow::datatypes::Field>| Field {
            name: it.name().into(),
            type_text: type_text(it.data_type()),
            supported: supported(it.data_type()),
        };
        Ok(IpcSource {
            path: path.to_owned(),
            file,
            format,
            fields: schema.fields().iter().map(field).collect(),
            simulated: schema.metadata().get(SIMULATED).is_some_and(|it| it == "true"),
            rows: survey.rows,
            batches: survey.batches,
        })
    }

    fn decode(&self, wanted: &mut [Wanted<'_>]) -> Result<usize, Failure> {
        // The projection keeps the order of the file whatever the order asked for.
        let mut projection: Vec<usize> = wanted.iter().map(|it| it.index).collect();
        projection.sort_unstable();
        let (_, stream) = batches(&self.path, self.format, Some(projection.clone()))?;
        let mut rows = 0;
        for batch in stream {
            let batch = batch?;
            rows += batch.num_rows();
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

    fn rows_expected(&self) -> usize {
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
        let groups = (self.batches, self.batches);
        Ok(Extent { rows, numbering: Numbering::rows(), groups, mixed: Vec::new() })
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

/// Checks the blocks that the footer names.
fn survey_file(handle: &mut File) -> Result<Survey, Failure> {
    const TAIL: u64 = 10;
    let size = handle.seek(SeekFrom::End(0))?;
    let mut tail = [0; TAIL as usize];
    handle.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
    handle.read_exact(&mut tail)?;
    let length = tail.first_chunk::<4>().map_or(-1, |it| i32::from_le_bytes(*it));
    let start = u64::try_from(length).ok().and_then(|it| size.checked_sub(TAIL)?.checked_sub(it));
    let (Some(start), true) = (start, tail.ends_with(b"ARROW1")) else {
        return Err(Failure::Damaged("the end of the file is missing".to_owned()));
    };
    let footer = read_at(handle, start, u64::from(length.unsigned_abs()), size)?;
    let footer = root_as_footer(&footer).map_err(|it| Failure::Damaged(format!("footer: {it}")))?;
    let mut survey = Survey::default();
    for block in footer.dictionaries().iter().flatten() {
        survey_block(handle, block, size, &mut Survey::default())?;
    }
    for block in footer.recordBatches().iter().flatten() {
        survey_block(handle, block, size, &mut survey)?;
    }
    Ok(survey)
}

fn survey_block(handle: &mut File, block: &Block, size: u64, survey: &mut Survey) -> Result<(), Failure> {
    let outside = || Failure::Damaged("a block lies outside the file".to_owned());
    let offset = u64::try_from(block.offset()).map_err(|_| outside())?;
    let meta = u64::try_from(block.metaDataLength()).map_err(|_| outside())?;
    let body = u64::try_from(block.bodyLength()).map_err(|_| outside())?;
    let body_start = offset.checked_add(meta).ok_or_else(outside)?;
    if body_start.checked_add(body).is_none_or(|it| size < it) {
        return Err(outside());
    }
    let bytes = read_at(handle, offset, meta, size)?;
    // The message is preceded by its length, and since 0.15 by a continuation marker before that.
    let skip = if bytes.starts_with(&[0xff; 4]) { 8 } else { 4 };
    survey_message(handle, bytes.get(skip..).unwrap_or_default(), body_start, size, survey)?;
    Ok(())
}

/// Walks over the messages of a stream.
fn survey_stream(handle: &mut File) -> Result<Survey, Failure> {
    let size = handle.seek(SeekFrom::End(0))?;
    let mut survey = Survey::default();
    let mut at = 0;
    while at + 4 <= size {
        let mut word = read_at(handle, at, 4, size)?;
        at += 4;
        if word == [0xff; 4] {
            word = read_at(handle, at, 4, size)?;
            at += 4;
        }
        let length = word.first_chunk::<4>().map_or(-1, |it| i32::from_le_bytes(*it));
        if length == 0 {
            break;
        }
        let length =
            u64::try_from(length).map_err(|_| Failure::Damaged("a message of negative length".to_owned()))?;
        let message = read_at(handle, at, length, size)?;
        at += length;
        at += survey_message(handle, &message, at, size, &mut survey)?;
    }
    Ok(survey)
}

/// Checks one message and its buffers; returns the length of its body.
fn survey_message(
    handle: &mut File,
    bytes: &[u8],
    body: u64,
    size: u64,
    survey: &mut Survey,
) -> Result<u64, Failure> {
    let message = root_as_message(bytes).map_err(|it| Failure::Damaged(format!("message: {it}")))?;
    let outside = || Failure::Damaged("a message lies outside the file".to_owned());
    let length = u64::try_from(message.bodyLength()).map_err(|_| outside())?;
    if body.checked_add(length).is_none_or(|it| size < it) {
        return Err(outside());
    }
    if let Some(batch) = message.header_as_record_batch() {
        survey.batches += 1;
        survey.rows = survey.rows.saturating_add(usize::try_from(batch.length()).unwrap_or(usize::MAX));
        survey_buffers(handle, &batch, body, size)?;
    } else if let Some(batch) = message.header_as_dictionary_batch().and_then(|it| it.data()) {
        survey_buffers(handle, &batch, body, size)?;
    }
    Ok(length)
}

/// Compressed buffers begin with their decompressed length, which decoders trust.
fn survey_buffers(
    handle: &mut File,
    batch: &arrow::ipc::RecordBatch<'_>,
    body: u64,
    size: u64,
) -> Result<(), Failure> {
    if batch.compression().is_none() {
        return Ok(());
    }
    for buffer in batch.buffers().iter().flatten() {
        let offset = u64::try_from(buffer.offset()).ok().and_then(|it| body.checked_add(it));
        let (Some(offset), true) = (offset, 8 <= buffer.length()) else { continue };
        let bytes = read_at(handle, offset, 8, size)?;
        let announced = bytes.first_chunk::<8>().map_or(0, |it| i64::from_le_bytes(*it));
        if LARGEST_BUFFER < announced {
            return Err(Failure::Damaged(format!("a buffer announces {announced} bytes")));
        }
    }
    Ok(())
}

fn read_at(handle: &mut File, offset: u64, length: u64, size: u64) -> Result<Vec<u8>, Failure> {
    if offset.checked_add(length).is_none_or(|it| size < it) {
        return Err(Failure::Damaged("it ends in the middle of a message".to_owned()));
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    handle.seek(SeekFrom::Start(offset))?;
    handle.read_exact(&mut bytes)?;
    Ok(bytes)
}

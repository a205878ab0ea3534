//! One opened file, whatever its format; and finding out which format it is.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use parallax_base::{Name, nearest, shown};

use crate::{
    Format, IngestError, PeriodRange, RowNumber,
    budget::Budget,
    csv::CsvSource,
    ipc::IpcSource,
    missing::{Absent, Missing},
    origin::Numbering,
    parquet::ParquetSource,
    raw::Raw,
};

/// Extensions of supported files, in lower case.
const EXTENSIONS: [&str; 9] = ["parquet", "pq", "arrow", "feather", "ipc", "csv", "tsv", "txt", "gz"];

/// A file whose schema is known and whose data is not read yet.
pub(crate) trait Source {
    fn path(&self) -> &Path;
    fn file(&self) -> &Name;
    fn format(&self) -> Format;
    fn fields(&self) -> &[Field];
    fn simulated(&self) -> bool;

    /// Rows in the file, as far as they are known without reading it.
    fn rows_expected(&self) -> u64;

    /// Bytes of memory that the opened file holds.
    fn held(&self) -> u64 {
        0
    }

    /// For each of these columns a whole number with leading zeros, if it has one; files with types say by themselves
    /// what is text.
    fn codes(&self, indexes: &[usize]) -> Result<Vec<Option<String>>, IngestError> {
        Ok(vec![None; indexes.len()])
    }

    /// Appends the wanted columns. `range` is the time column and the periods wanted: a source may leave
    /// out parts of the file that have none of them, and the caller filters the rest.
    fn read(
        &mut self,
        wanted: &mut [Wanted<'_>],
        range: Option<(usize, PeriodRange)>,
    ) -> Result<Extent, IngestError>;
}

/// A column of a file.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub name: Name,
    pub type_text: String,
    pub supported: bool,
}

/// A column to read: its position in the file, its name in the panel, and where it goes.
pub(crate) struct Wanted<'a> {
    pub index: usize,
    pub name: &'a Name,
    pub raw: &'a mut Raw,
    /// Whole numbers are codes here and stay text, since another file of the table has leading zeros.
    pub codes: bool,
}

/// How files are read, whatever their format.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub budget: Budget,
    pub missing: Missing,
}

/// What [`Source::read`] read.
#[derive(Debug)]
pub(crate) struct Extent {
    pub rows: usize,
    pub numbering: Numbering,
    pub groups: (usize, usize),
    pub remarks: Remarks,
}

/// What reading text made of it, by position of the column.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    pub mixed: Vec<Mixed>,
    /// What was read as missing.
    pub absent: Vec<(usize, Absent)>,
    /// A number with leading zeros that made the column text.
    pub zeros: Vec<(usize, String)>,
}

/// Few values that are not numbers in an otherwise numeric text column.
#[derive(Debug)]
pub(crate) struct Mixed {
    pub index: usize,
    pub row: RowNumber,
    pub value: String,
    pub count: usize,
    pub numbers: usize,
}

/// Opens a file by its content, and by its extension where content does not tell.
pub(crate) fn open(path: &Path, reading: &Reading) -> Result<Box<dyn Source>, IngestError> {
    let file = Name::from(path.display().to_string());
    Ok(match format(path)? {
        Format::Parquet => Box::new(ParquetSource::open(path, file, reading)?),
        it @ (Format::ArrowFile | Format::ArrowStream) => Box::new(IpcSource::open(path, file, it, reading)?),
        it @ (Format::Csv | Format::CsvGz) => Box::new(CsvSource::open(path, file, it, reading)?),
    })
}

/// The format of a file by its first bytes, and by its extension where they do not tell.
pub(crate) fn format(path: &Path) -> Result<Format, IngestError> {
    let file = Name::from(path.display().to_string());
    refuse_endless(path, &file)?;
    let mut head = [0; 16];
    let mut handle = File::open(path).map_err(IngestError::io(&file, "open it"))?;
    let n = fill(&mut handle, &mut head).map_err(IngestError::io(&file, "read it"))?;
    let head = head.get(..n).unwrap_or_default();
    if head.is_empty() {
        return Err(IngestError::Empty { file, what: "the file is empty (0 bytes)".to_owned() });
    }
    sniff(head, &extension(path)).map_err(|problem| IngestError::Format { file, problem })
}

/// Pipes and devices have no end or no second reading; opening one can wait for ever.
fn refuse_endless(path: &Path, file: &Name) -> Result<(), IngestError> {
    let kind = path.metadata().map_err(IngestError::io(file, "open it"))?.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let problem = "it is a pipe or a device, not a file; write its content to a file first, since data are read more than \
                   once"
        .to_owned();
    Err(IngestError::Format { file: file.clone(), problem })
}

/// True for names of files that reading their folder takes for data.
pub fn is_data_file(path: &Path) -> bool {
    let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    !name.starts_with(['.', '_']) && EXTENSIONS.contains(&extension(path).as_str())
}

/// The files of a request: the path itself, or the supported files of a folder and the names passed over.
pub(crate) fn files_of(path: &Path) -> Result<(Vec<PathBuf>, Vec<String>), IngestError> {
    let file = Name::from(path.display().to_string());
    if let Err(error) = path.metadata() {
        return Err(match error.kind() {
            std::io::ErrorKind::NotFound => IngestError::NotFound { file, hint: near_file(path) },
            _ => IngestError::io(&file, "open it")(error),
        });
    }
    if !path.is_dir() {
        return Ok((vec![path.to_owned()], Vec::new()));
    }
    let (mut found, mut passed) = (Vec::new(), Vec::new());
    for entry in path.read_dir().map_err(IngestError::io(&file, "list it"))? {
        let entry = entry.map_err(IngestError::io(&file, "list it"))?.path();
        let name = entry.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with(['.', '_']) {
            continue;
        }
        if entry.is_file() && is_data_file(&entry) {
            found.push(entry);
        } else {
            passed.push(shown(&name));
        }
    }
    if found.is_empty() {
        let what = "the folder has no data file (.parquet, .arrow, .feather, .csv, .tsv, .txt)".to_owned();
        return Err(IngestError::Empty { file, what });
    }
    found.sort();
    passed.sort();
    Ok((found, passed))
}

/// The extension in lower case, without the point.
pub(crate) fn extension(path: &Path) -> String {
    path.extension().map(|it| it.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn fill(file: &mut File, head: &mut [u8]) -> std::io::Result<usize> {
    let mut n = 0;
    while let Some(rest) = head.get_mut(n..).filter(|it| !it.is_empty()) {
        match file.read(rest)? {
            0 => break,
            read => n += read,
        }
    }
    Ok(n)
}

fn sniff(head: &[u8], extension: &str) -> Result<Format, String> {
    let is = |magic: &[u8]| head.starts_with(magic);
    if is(b"PAR1") {
        return Ok(Format::Parquet);
    } else if is(b"ARROW1") {
        return Ok(Format::ArrowFile);
    } else if is(&[0xff, 0xff, 0xff, 0xff]) {
        return Ok(Format::ArrowStream);
    } else if is(&[0x1f, 0x8b]) {
        return Ok(Format::CsvGz);
    }
    if let Some(problem) = foreign(head) {
        return Err(problem.to_owned());
    }
    match extension {
        "parquet" | "pq" => {
            Err("named as Parquet, but its first bytes are not `PAR1`; it is damaged or another \
                                 format: export it again, or correct the extension"
                .to_owned())
        }
        "arrow" | "feather" | "ipc" => {
            Err("named as Arrow, but it has neither the start of an Arrow file nor of an \
                                            Arrow stream; export it again, or correct the extension"
                .to_owned())
        }
        "csv" | "tsv" | "txt" => Ok(Format::Csv),
        "gz" => Err("named as gzip, but it is not compressed with gzip; correct the extension".to_owned()),
        other => Err(format!(
            "cannot tell the format (extension `{other}`); supported are .parquet, .arrow, .feather, .csv, .tsv, .txt \
             and .csv.gz"
        )),
    }
}

/// Formats that are recognised only to say what to do about them.
fn foreign(head: &[u8]) -> Option<&'static str> {
    let is = |magic: &[u8]| head.starts_with(magic);
    if is(b"PARE") {
        Some("a Parquet file with an encrypted footer; decrypt it first")
    } else if is(b"FEA1") {
        Some("Feather version 1; write it again as Feather version 2 or Parquet")
    } else if is(b"PK\x03\x04") || is(&[0xd0, 0xcf, 0x11, 0xe0]) {
        Some("looks like an Excel workbook; save the sheet as CSV (UTF-8) or Parquet")
    } else if is(b"<stata_dta>") {
        Some("a Stata file; write it as CSV (`export delimited`) or Parquet")
    } else {
        None
    }
}

fn near_file(path: &Path) -> String {
    if let Ok(target) = path.read_link() {
        return format!("; it is a link to {}, which is not there", target.display());
    }
    let folder = match path.parent() {
        Some(it) if !it.as_os_str().is_empty() => it,
        _ => Path::new("."),
    };
    let wanted = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let Ok(entries) = folder.read_dir() else {
        return format!("; there is no folder {}", folder.display());
    };
    let names: Vec<String> =
        entries.flatten().map(|it| it.file_name().to_string_lossy().into_owned()).collect();
    match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(it) => format!(", did you mean `{}`?", shown(it)),
        None => String::new(),
    }
}

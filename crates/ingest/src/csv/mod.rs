//! Text files with a delimiter.

mod dialect;
mod guess;
mod scan;
mod value;

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use parallax_base::Name;

use crate::{
    Format, IngestError, PeriodRange,
    source::{Extent, Field, Source, Wanted},
};

pub(crate) use value::parse_date;

/// An opened text file: its bytes, delimiter and header.
pub(crate) struct CsvSource {
    path: PathBuf,
    file: Name,
    format: Format,
    bytes: Vec<u8>,
    delimiter: u8,
    fields: Vec<Field>,
}

impl CsvSource {
    pub(crate) fn open(path: &Path, file: Name, format: Format) -> Result<CsvSource, IngestError> {
        let mut bytes = fs::read(path).map_err(IngestError::io(&file, "read it"))?;
        if format == Format::CsvGz {
            bytes = inflate(&bytes, &file)?;
        }
        CsvSource::of_bytes(path, file, format, bytes)
    }

    /// The start of the file up to the end of a line, for a look at the columns.
    pub(crate) fn open_head(path: &Path, file: Name, limit: usize) -> Result<CsvSource, IngestError> {
        let mut bytes = Vec::new();
        let handle = fs::File::open(path).map_err(IngestError::io(&file, "open it"))?;
        handle.take(limit as u64).read_to_end(&mut bytes).map_err(IngestError::io(&file, "read it"))?;
        if bytes.len() == limit {
            let end = bytes.iter().rposition(|it| *it == b'\n').map_or(limit, |it| it + 1);
            bytes.truncate(end);
        }
        CsvSource::of_bytes(path, file, Format::Csv, bytes)
    }

    fn of_bytes(
        path: &Path,
        file: Name,
        format: Format,
        mut bytes: Vec<u8>,
    ) -> Result<CsvSource, IngestError> {
        dialect::check_utf8(&bytes, &file)?;
        if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
            bytes.drain(..3);
        }
        let delimiter = dialect::delimiter(&bytes);
        let header = dialect::header(&bytes, delimiter, &file)?;
        let field = |name: String| Field {
            name: name.into(),
            type_text: "text or number".to_owned(),
            supported: true,
        };
        let fields = header.into_iter().map(field).collect();
        Ok(CsvSource { path: path.to_owned(), file, format, bytes, delimiter, fields })
    }

    /// The type of every column, by its values.
    pub(crate) fn types(&self) -> Result<Vec<String>, IngestError> {
        let all: Vec<usize> = (0..self.fields.len()).collect();
        let inferred = scan::infer(self.input(), &all)?;
        Ok(inferred.guesses.iter().map(|it| it.type_text().to_owned()).collect())
    }

    fn input(&self) -> scan::Input<'_> {
        scan::Input {
            bytes: &self.bytes,
            delimiter: self.delimiter,
            file: &self.file,
            n_fields: self.fields.len(),
        }
    }
}

impl Source for CsvSource {
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
        false
    }

    fn rows_expected(&self) -> usize {
        // An upper bound unless fields have line breaks; a few blank lines too many cost nothing.
        self.bytes.iter().filter(|it| **it == b'\n').count()
    }

    fn read(
        &mut self,
        wanted: &mut [Wanted<'_>],
        _: Option<(usize, PeriodRange)>,
    ) -> Result<Extent, IngestError> {
        scan::read(self.input(), wanted)
    }
}

fn inflate(bytes: &[u8], file: &Name) -> Result<Vec<u8>, IngestError> {
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain).map_err(|it| IngestError::Damaged {
        file: file.clone(),
        format: "gzip",
        reason: it.to_string(),
    })?;
    if plain.is_empty() {
        return Err(IngestError::Empty { file: file.clone(), what: "the file is empty".to_owned() });
    }
    Ok(plain)
}

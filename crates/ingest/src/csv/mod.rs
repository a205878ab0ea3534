//! Text files with a delimiter.

mod dialect;
mod guess;
mod inflate;
mod records;
mod scan;
mod value;

use std::{
    fs,
    path::{Path, PathBuf},
};

use parallax_base::Name;

use crate::{
    Format, IngestError, PeriodRange,
    budget::Budget,
    missing::Missing,
    source::{Extent, Field, Reading, Source, Wanted},
};

pub(crate) use value::{parse_date, parse_number};

/// An opened text file: its text, delimiter and header.
pub(crate) struct CsvSource {
    path: PathBuf,
    file: Name,
    format: Format,
    text: String,
    delimiter: u8,
    fields: Vec<Field>,
    missing: Missing,
}

impl CsvSource {
    pub(crate) fn open(
        path: &Path,
        file: Name,
        format: Format,
        reading: &Reading,
    ) -> Result<CsvSource, IngestError> {
        let handle = fs::File::open(path).map_err(IngestError::io(&file, "open it"))?;
        let bytes = if format == Format::CsvGz {
            inflate::gzip(handle, &file, reading.budget)?
        } else {
            inflate::plain(handle, &file, reading.budget)?
        };
        CsvSource::of_bytes(path, file, format, bytes, reading)
    }

    /// The start of the file up to the end of a line, for a look at the columns.
    pub(crate) fn open_head(path: &Path, file: Name, limit: usize) -> Result<CsvSource, IngestError> {
        use std::io::Read;
        let mut bytes = Vec::new();
        let handle = fs::File::open(path).map_err(IngestError::io(&file, "open it"))?;
        handle.take(limit as u64).read_to_end(&mut bytes).map_err(IngestError::io(&file, "read it"))?;
        if bytes.len() == limit {
            let end = bytes.iter().rposition(|it| *it == b'\n').map_or(limit, |it| it + 1);
            bytes.truncate(end);
        }
        let reading = Reading { budget: Budget::new(None), missing: Missing::default() };
        CsvSource::of_bytes(path, file, Format::Csv, bytes, &reading)
    }

    fn of_bytes(
        path: &Path,
        file: Name,
        format: Format,
        bytes: Vec<u8>,
        reading: &Reading,
    ) -> Result<CsvSource, IngestError> {
        let mut text = dialect::utf8(bytes, &file)?;
        if text.starts_with('\u{feff}') {
            text.remove(0);
        }
        let delimiter = dialect::delimiter(text.as_bytes());
        let header = dialect::header(&text, delimiter, &file)?;
        let field = |name: String| Field {
            name: name.into(),
            type_text: "text or number".to_owned(),
            supported: true,
        };
        let fields = header.into_iter().map(field).collect();
        let missing = reading.missing.clone();
        Ok(CsvSource { path: path.to_owned(), file, format, text, delimiter, fields, missing })
    }

    /// The type of every column, by its values.
    pub(crate) fn types(&self) -> Result<Vec<String>, IngestError> {
        let all: Vec<usize> = (0..self.fields.len()).collect();
        let inferred = scan::infer(self.input(), &all)?;
        Ok(inferred.guesses.iter().map(|it| it.type_text().to_owned()).collect())
    }

    fn input(&self) -> scan::Input<'_> {
        scan::Input {
            text: &self.text,
            delimiter: self.delimiter,
            file: &self.file,
            n_fields: self.fields.len(),
            missing: &self.missing,
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

    fn rows_expected(&self) -> u64 {
        // An upper bound unless fields have line breaks; a few blank lines too many cost nothing.
        self.text.bytes().filter(|it| *it == b'\n').count() as u64
    }

    fn held(&self) -> u64 {
        self.text.len() as u64
    }

    fn codes(&self, indexes: &[usize]) -> Result<Vec<Option<String>>, IngestError> {
        Ok(scan::infer(self.input(), indexes)?.guesses.into_iter().map(|it| it.zeros).collect())
    }

    fn read(
        &mut self,
        wanted: &mut [Wanted<'_>],
        _: Option<(usize, PeriodRange)>,
    ) -> Result<Extent, IngestError> {
        scan::read(self.input(), wanted)
    }
}

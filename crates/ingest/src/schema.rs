//! Column names and types of a file, without reading its data.

use std::path::Path;

use parallax_base::Name;

use crate::{
    Format, IngestError,
    budget::Budget,
    csv::CsvSource,
    missing::Missing,
    source::{self, Reading, extension},
};

/// How much of a text file is looked at to tell types.
const HEAD: usize = 1 << 18;

/// The columns of a file (of a folder: of its first file), with their types in words.
///
/// A text file has no schema: types are those of its first 256 KiB.
///
/// # Errors
/// [`IngestError`] when the file is absent, damaged or of an unknown format.
pub fn describe_schema(path: &Path) -> Result<Vec<(Name, String)>, IngestError> {
    let (files, _) = source::files_of(path)?;
    let file = Name::from(path.display().to_string());
    let Some(first) = files.first() else {
        return Err(IngestError::Empty { file, what: "the folder has no data file".to_owned() });
    };
    if ["csv", "tsv", "txt"].contains(&extension(first).as_str()) && source::format(first)? == Format::Csv {
        let file = Name::from(first.display().to_string());
        return described(&CsvSource::open_head(first, file, HEAD)?);
    }
    let reading = Reading { budget: Budget::new(None), missing: Missing::default() };
    let source = source::open(first, &reading)?;
    Ok(source.fields().iter().map(|it| (it.name.clone(), it.type_text.clone())).collect())
}

fn described(source: &CsvSource) -> Result<Vec<(Name, String)>, IngestError> {
    use crate::source::Source;
    let names = source.fields().iter().map(|it| it.name.clone());
    Ok(names.zip(source.types()?).collect())
}

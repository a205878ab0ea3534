//! Writes panels and tables as Parquet, Arrow IPC or CSV; the same data give the same bytes.

mod arrow;
mod csv;

use std::{fs::File, io::BufWriter, path::Path};

use parallax_base::Name;
use parallax_panel::{Column, Panel};

use crate::{IngestError, source::extension};

/// How a file is written. What its format cannot hold is refused, not dropped.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// Marks the numbers as simulated in the file's metadata (Parquet and Arrow).
    pub simulated: bool,
    /// Further pairs for the file's metadata (Parquet and Arrow).
    pub metadata: Vec<(String, String)>,
    /// Compression; `None` is the format's own choice: zstd for Parquet, none for Arrow and CSV.
    pub compression: Option<Compression>,
}

/// Compression of Parquet pages and Arrow buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// None.
    Uncompressed,
    /// Snappy (Parquet only).
    Snappy,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// A table as it is written.
type Columns<'a> = [(Name, &'a Column)];

/// Writes every column of a panel, rows in the order of the panel. The extension decides the format:
/// `.parquet`, `.pq`, `.arrow`, `.feather`, `.ipc`, `.csv`, `.tsv`, `.txt`, `.csv.gz`.
///
/// # Errors
/// [`IngestError::Write`] for what the format cannot hold, [`IngestError::Io`] from the system.
pub fn write(panel: &Panel, path: &Path, options: &WriteOptions) -> Result<(), IngestError> {
    let mut columns = Vec::with_capacity(panel.names().len());
    for name in panel.names() {
        columns.push((name.clone(), panel.column(name)?));
    }
    write_columns(&columns, path, options)
}

/// Writes columns of equal length that need not be a panel.
///
/// # Errors
/// As [`write`]; also when columns differ in length or share a name.
pub fn write_table(
    columns: &[(Name, Column)],
    path: &Path,
    options: &WriteOptions,
) -> Result<(), IngestError> {
    let columns: Vec<(Name, &Column)> = columns.iter().map(|(name, column)| (name.clone(), column)).collect();
    write_columns(&columns, path, options)
}

fn write_columns(columns: &Columns<'_>, path: &Path, options: &WriteOptions) -> Result<(), IngestError> {
    let file = Name::from(path.display().to_string());
    let refuse = |problem: String| Err(IngestError::Write { file: file.clone(), problem });
    if let Some(problem) = problem(columns) {
        return refuse(problem);
    }
    let gzip = extension(path) == "gz";
    let inner = if gzip { extension(&path.with_extension("")) } else { extension(path) };
    match inner.as_str() {
        "parquet" | "pq" if !gzip => replace(path, &file, |to| arrow::parquet(columns, to, options)),
        "arrow" | "feather" | "ipc" if !gzip => match options.compression {
            Some(Compression::Snappy) => {
                refuse("Arrow files have no Snappy; choose lz4, zstd or none".to_owned())
            }
            _ => replace(path, &file, |to| arrow::ipc(columns, to, options)),
        },
        "csv" | "tsv" | "txt" => {
            if options.simulated || !options.metadata.is_empty() {
                return refuse(
                    "a CSV file has no place for metadata or the mark `simulated`; write .parquet or .arrow"
                        .to_owned(),
                );
            }
            if options.compression.is_some_and(|it| it != Compression::Uncompressed) {
                return refuse("a CSV file is compressed only by the name .csv.gz".to_owned());
            }
            let delimiter = if inner == "csv" { b',' } else { b'\t' };
            replace(path, &file, |to| csv::csv(columns, to, delimiter, gzip))
        }
        other => {
            refuse(format!("extension `{other}` is not known; write .parquet, .arrow, .csv, .tsv or .csv.gz"))
        }
    }
}

fn problem(columns: &Columns<'_>) -> Option<String> {
    let Some(((first, column), _)) = columns.split_first() else {
        return Some("there is no column to write".to_owned());
    };
    let mut seen = std::collections::HashSet::new();
    for (name, it) in columns {
        if it.len() != column.len() {
            return Some(format!("column `{name}` has {} rows, `{first}` has {}", it.len(), column.len()));
        }
        if !seen.insert(name) {
            return Some(format!("column `{name}` is there twice"));
        }
        if let Column::Real(values) = it
            && let Some(row) = values.iter().position(|it| it.is_infinite())
        {
            return Some(format!(
                "column `{name}` is infinite in row {}; only finite numbers can be read back",
                row + 1
            ));
        }
    }
    None
}

/// Writes a temporary file beside the target and renames it, so that no half-written file is ever seen.
fn replace(
    path: &Path,
    file: &Name,
    work: impl FnOnce(&mut BufWriter<&File>) -> Result<(), String>,
) -> Result<(), IngestError> {
    let folder = match path.parent() {
        Some(it) if !it.as_os_str().is_empty() => it,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".parallax-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private by default; the result is as public as the user's other files.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let temporary = builder.tempfile_in(folder).map_err(IngestError::io(file, "create a file beside it"))?;
    let mut to = BufWriter::new(temporary.as_file());
    work(&mut to).map_err(|problem| IngestError::Write { file: file.clone(), problem })?;
    to.into_inner().map_err(|it| IngestError::io(file, "write it")(it.into_error()))?;
    temporary
        .persist(path)
        .map_err(|it| IngestError::io(file, "rename the finished file to it")(it.error))?;
    Ok(())
}

//! `parallax convert`: read one format, write another.

use std::{io::Write, path::Path};

use parallax_base::Name;
use parallax_ingest::{ReadRequest, Select, WriteOptions, is_data_file, read, write};

use crate::{DriverError, Outcome, args::Convert, columns::ColumnList};

/// Reads, checks and writes; a file that says it is simulated stays so.
pub fn run(arguments: &Convert, out: &mut dyn Write) -> Result<Outcome, DriverError> {
    refuse_own_input(&arguments.from, &arguments.to)?;
    let mut request = ReadRequest::file(&arguments.from);
    request.reading = arguments.reading.options();
    request.unit = arguments.unit.as_ref().map(Name::from);
    request.time = arguments.time.as_ref().map(Name::from);
    request.time_format = arguments.time_format;
    if !arguments.columns.is_empty() {
        request.select = Select::Only(ColumnList::names(&arguments.columns));
    }
    let loaded = read(&request)?;
    let options = WriteOptions { simulated: loaded.simulated(), ..WriteOptions::default() };
    write(&loaded.panel, &arguments.to, &options)?;
    for note in &loaded.notes {
        writeln!(out, "{note}")?;
    }
    let columns = loaded.panel.names().len();
    writeln!(out, "{}: {} rows, {columns} columns", arguments.to.display(), loaded.panel.n_rows())?;
    Ok(Outcome::Done)
}

/// A file is not written over what is read, nor into a folder whose next reading would take it for data.
fn refuse_own_input(from: &Path, to: &Path) -> Result<(), DriverError> {
    let shown = to.display();
    if let (Ok(a), Ok(b)) = (from.canonicalize(), to.canonicalize())
        && a == b
    {
        let problem = format!("{shown} is the file that is read; name another one to write");
        return Err(DriverError::Request(problem));
    }
    let folder = match to.parent() {
        Some(it) if !it.as_os_str().is_empty() => it,
        _ => Path::new("."),
    };
    let inside = match (from.canonicalize(), folder.canonicalize()) {
        (Ok(from), Ok(folder)) => from.is_dir() && from == folder,
        _ => false,
    };
    if inside && is_data_file(to) {
        return Err(DriverError::Request(format!(
            "{shown} lies in the folder that is read, and whoever reads the folder next would read it as one more of its \
             files; write it to another folder, or begin its name with `_`"
        )));
    }
    Ok(())
}

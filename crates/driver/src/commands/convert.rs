//! `parallax convert`: read one format, write another.

use std::io::Write;

use parallax_base::Name;
use parallax_ingest::{ReadRequest, Select, WriteOptions, read, write};

use crate::{DriverError, Outcome, args::Convert};

/// Reads, checks and writes; a file that says it is simulated stays so.
pub fn run(arguments: &Convert, out: &mut dyn Write) -> Result<Outcome, DriverError> {
    if let (Ok(from), Ok(to)) = (arguments.from.canonicalize(), arguments.to.canonicalize())
        && from == to
    {
        let path = arguments.to.display();
        return Err(DriverError::Request(format!(
            "{path} is the file that is read; name another one to write"
        )));
    }
    let mut request = ReadRequest::file(&arguments.from);
    request.unit = arguments.unit.as_ref().map(Name::from);
    request.time = arguments.time.as_ref().map(Name::from);
    request.time_format = arguments.time_format;
    if !arguments.columns.is_empty() {
        request.select = Select::Only(arguments.columns.iter().map(Name::from).collect());
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

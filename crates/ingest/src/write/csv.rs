//! Columns as text: the shortest decimals that give the same numbers back.

use std::io::Write;

use flate2::{Compression, GzBuilder};
use parallax_panel::Column;

use super::Columns;

/// Writes a header and one line for each row.
pub(super) fn csv(
    columns: &Columns<'_>,
    to: &mut impl Write,
    delimiter: u8,
    gzip: bool,
) -> Result<(), String> {
    if gzip {
        // No file name and no time stamp in the header: the same data give the same bytes.
        let mut encoder = GzBuilder::new().write(to, Compression::default());
        lines(columns, &mut encoder, delimiter)?;
        return encoder.finish().map(|_| ()).map_err(|it| it.to_string());
    }
    lines(columns, to, delimiter)
}

fn lines(columns: &Columns<'_>, to: &mut impl Write, delimiter: u8) -> Result<(), String> {
    let failed = |it: csv::Error| it.to_string();
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(to);
    writer.write_record(columns.iter().map(|(name, _)| name.as_str())).map_err(failed)?;
    let labels: Vec<Vec<String>> = columns.iter().map(|(_, it)| labels(it)).collect();
    let rows = columns.first().map_or(0, |(_, it)| it.len());
    let mut text = String::new();
    for row in 0..rows {
        for ((_, column), labels) in columns.iter().zip(&labels) {
            text.clear();
            let field = match column {
                Column::Real(values) => {
                    number(values.get(row).copied().unwrap_or(f64::NAN), &mut text);
                    text.as_str()
                }
                Column::Codes(codes) => {
                    let code = codes.code.get(row).map(|it| *it as usize);
                    code.and_then(|it| labels.get(it)).map_or("", String::as_str)
                }
            };
            writer.write_field(field).map_err(failed)?;
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
    }
    writer.flush().map_err(|it| it.to_string())
}

fn labels(column: &Column) -> Vec<String> {
    match column {
        Column::Real(_) => Vec::new(),
        Column::Codes(codes) => (0..codes.n_groups()).map(|it| codes.labels.text(it)).collect(),
    }
}

/// `{}` writes long numbers without exponent, `{:?}` writes whole ones with a point; both read back exactly.
fn number(value: f64, text: &mut String) {
    use std::fmt::Write;
    let outcome = if value.is_nan() {
        Ok(())
    } else if value.fract() == 0.0 && value.abs() < 1e15 {
        write!(text, "{value}")
    } else {
        write!(text, "{value:?}")
    };
    // Writing to a string cannot fail.
    debug_assert!(outcome.is_ok());
}

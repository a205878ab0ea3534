//! Columns as text: the shortest decimals that give the same numbers back.

use std::io::Write;

use flate2::{Compression, GzBuilder};
use parallax_panel::{Column, Labels};

use super::Columns;
use crate::missing::is_missing_word;

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
    let failed = |it: std::io::Error| it.to_string();
    let rows = columns.first().map_or(0, |(_, it)| it.len());
    let labels: Vec<Vec<String>> = columns.iter().map(|(_, it)| labels(it, delimiter)).collect();
    let mut line = String::new();
    for (at, (name, _)) in columns.iter().enumerate() {
        if 0 < at {
            line.push(char::from(delimiter));
        }
        line.push_str(&quoted(name, delimiter));
    }
    end_of_line(&mut line);
    to.write_all(line.as_bytes()).map_err(failed)?;
    for row in 0..rows {
        line.clear();
        for (at, ((_, column), labels)) in columns.iter().zip(&labels).enumerate() {
            if 0 < at {
                line.push(char::from(delimiter));
            }
            match column {
                Column::Real(values) => number(values.get(row).copied().unwrap_or(f64::NAN), &mut line),
                Column::Codes(codes) => {
                    let code = codes.code.get(row).map(|it| *it as usize);
                    line.push_str(code.and_then(|it| labels.get(it)).map_or("", String::as_str));
                }
            }
        }
        end_of_line(&mut line);
        to.write_all(line.as_bytes()).map_err(failed)?;
    }
    to.flush().map_err(failed)
}

/// A record of one empty field would be a blank line, which readers pass over.
fn end_of_line(line: &mut String) {
    if line.is_empty() {
        line.push_str("\"\"");
    }
    line.push('\n');
}

/// The labels of a column as fields.
fn labels(column: &Column, delimiter: u8) -> Vec<String> {
    let Column::Codes(codes) = column else { return Vec::new() };
    let text = matches!(&*codes.labels, Labels::Text(_) | Labels::Combined(_));
    let field = |label: String| {
        // Quotes tell a value from a word for missing.
        let word = is_missing_word(label.trim()) || label.trim().is_empty();
        if text && word { in_quotes(&label) } else { quoted(&label, delimiter) }
    };
    (0..codes.n_groups()).map(|it| field(codes.labels.text(it))).collect()
}

/// The text as a field, in quotes where it would be taken for several fields.
fn quoted(text: &str, delimiter: u8) -> String {
    let special = |it: u8| it == delimiter || matches!(it, b'"' | b'\n' | b'\r');
    if text.bytes().any(special) { in_quotes(text) } else { text.to_owned() }
}

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
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

//! CSV by RFC 4180, as printed: what a reader opens in a spreadsheet.
//!
//! All records have the same number of fields. Title and notes are records whose first field is
//! `#`, so that they are skipped by every reader told that `#` begins a comment, and are ordinary
//! rows to all others. A header text over several columns is repeated in each of them. Counts have
//! no commas and standard errors keep their parentheses. Lines end with a single line feed, which
//! all readers take and version control leaves alone.

use crate::layout::{Kind, Layout, Line, Printed};

pub(super) fn render(layout: &Layout) -> String {
    // A comment needs two fields even where the table has but one.
    let columns = layout.align.len().max(2);
    let mut out = String::new();
    comment(&mut out, columns, &layout.title);
    for row in &layout.header {
        let texts = row.iter().flat_map(|it| std::iter::repeat_n(it.text.clone(), it.len));
        record(&mut out, columns, texts);
    }
    for line in &layout.lines {
        match line {
            Line::Cells(cells) => record(&mut out, columns, cells.iter().map(printed)),
            Line::Heading(text) => record(&mut out, columns, std::iter::once(text.clone())),
            Line::Rule => {}
        }
    }
    for note in &layout.notes {
        comment(&mut out, columns, note);
    }
    out
}

fn comment(out: &mut String, columns: usize, text: &str) {
    out.push_str("#,");
    record(out, columns - 1, std::iter::once(text.to_owned()));
}

fn record(out: &mut String, columns: usize, fields: impl Iterator<Item = String>) {
    let fields = fields.chain(std::iter::repeat(String::new())).take(columns);
    let fields: Vec<String> = fields.map(|it| quoted(&it)).collect();
    out.push_str(&fields.join(","));
    out.push('\n');
}

fn printed(cell: &Printed) -> String {
    // A comma in a number would be read as a text by everything but an English spreadsheet.
    let text = if cell.kind == Kind::Count { cell.text.replace(',', "") } else { cell.text.clone() };
    text + &"*".repeat(cell.stars)
}

fn quoted(field: &str) -> String {
    // A label that begins with `#` is not a comment, and quotes are what says so.
    if field.contains(['"', ',', '\n', '\r']) || field.starts_with('#') || field.trim() != field {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

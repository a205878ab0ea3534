//! CSV by RFC 4180, as printed: what a reader opens in a spreadsheet.
//!
//! All records have the same number of fields. Title and notes are records whose first field is
//! `#`, so that they are skipped by every reader told that `#` begins a comment, and are ordinary
//! rows to all others. A header text over several columns is repeated in each of them. Counts have
//! no commas and standard errors keep their parentheses. Words that a spreadsheet would run as a formula have an
//! apostrophe in front, which makes them text. Lines end with a single line feed, which
//! all readers take and version control leaves alone.

use crate::layout::{Kind, Layout, Line, Printed};

pub(super) fn render(layout: &Layout) -> String {
    // A comment needs two fields even where the table has but one.
    let columns = layout.align.len().max(2);
    let mut out = String::new();
    comment(&mut out, columns, &layout.title);
    for row in &layout.header {
        let texts = row.iter().flat_map(|it| std::iter::repeat_n(words(&it.text), it.len));
        record(&mut out, columns, texts);
    }
    for line in &layout.lines {
        match line {
            Line::Cells(cells) => record(&mut out, columns, cells.iter().map(printed)),
            Line::Heading(text) => record(&mut out, columns, std::iter::once(words(text))),
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
    record(out, columns - 1, std::iter::once(words(text)));
}

fn record(out: &mut String, columns: usize, fields: impl Iterator<Item = String>) {
    let fields = fields.chain(std::iter::repeat(String::new())).take(columns);
    let fields: Vec<String> = fields.map(|it| quoted(&it)).collect();
    out.push_str(&fields.join(","));
    out.push('\n');
}

fn printed(cell: &Printed) -> String {
    // A comma in a number would be read as a text by everything but an English spreadsheet.
    let text = match cell.kind {
        Kind::Count => cell.text.replace(',', ""),
        Kind::Number => cell.text.clone(),
        Kind::Text | Kind::Failed => words(&cell.text),
    };
    text + &"*".repeat(cell.stars)
}

/// Words as words: what begins like a formula is not one. A number stays a number.
fn words(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    if formula && !is_number_with_words(text) { format!("'{text}") } else { text.to_owned() }
}

/// A number alone, or with words behind it as in `-1 (reference)`, which no spreadsheet takes for a formula.
fn is_number_with_words(text: &str) -> bool {
    let (number, words) = text.split_once(' ').unwrap_or((text, ""));
    number.replace(',', "").parse::<f64>().is_ok()
        && words.chars().all(|it| it.is_alphabetic() || matches!(it, ' ' | '(' | ')' | '（' | '）'))
}

fn quoted(field: &str) -> String {
    // A label that begins with `#` is not a comment, and quotes are what says so.
    if field.contains(['"', ',', '\n', '\r']) || field.starts_with('#') || field.trim() != field {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cell, HeaderRow, Row, Table};

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        let mut table = Table::new("t", "=1+2");
        table.header.push(HeaderRow::new(["", "@now", "-1", "+x"]));
        let label = "=HYPERLINK(\"http://example.invalid\",\"x\")";
        table.body.push(Row::cells(
            label,
            [Cell::decimals(-0.5, 2), Cell::text("-cmd|' /C calc'!A0"), Cell::Count(3)],
        ));
        table.body.push(Row::cells(
            "-1 (reference)",
            [Cell::text("-1 |x"), Cell::text("-1-1"), Cell::text("-2.5")],
        ));
        table.body.push(Row::cells(
            "-1 （基准期）",
            [Cell::text("-8,498"), Cell::text("-8,A1"), Cell::text("-（1）")],
        ));
        table.body.push(Row::Heading("+A1".to_owned()));
        table.notes.push("-2+3".to_owned());
        let text = render(&Layout::new(&table));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "#,'=1+2,,");
        assert_eq!(lines[1], ",'@now,-1,'+x");
        assert_eq!(
            lines[2],
            "\"'=HYPERLINK(\"\"http://example.invalid\"\",\"\"x\"\")\",-0.50,'-cmd|' /C calc'!A0,3"
        );
        assert_eq!(lines[3], "-1 (reference),'-1 |x,'-1-1,-2.5");
        assert_eq!(lines[4], "-1 （基准期）,\"-8,498\",\"'-8,A1\",'-（1）");
        assert_eq!(lines[5..], ["'+A1,,,", "#,'-2+3,,"]);
    }
}

//! A table for GitHub. It knows one header row and no spans: further header rows open the body,
//! and a text over several columns stands in each of them.

use crate::{
    layout::{Align, Layout, Line, Printed},
    width::display_width,
};

pub(super) fn render(layout: &Layout) -> String {
    let columns = layout.align.len();
    let mut rows: Vec<Vec<String>> = layout
        .header
        .iter()
        .map(|row| {
            let texts = row.iter().flat_map(|it| std::iter::repeat_n(escaped(&it.text), it.len));
            filled(texts, columns)
        })
        .collect();
    if rows.is_empty() {
        rows.push(vec![String::new(); columns]);
    }
    for line in &layout.lines {
        match line {
            Line::Cells(cells) => rows.push(cells.iter().map(printed).collect()),
            Line::Heading(text) => {
                rows.push(filled(std::iter::once(format!("**{}**", escaped(text))), columns));
            }
            Line::Rule => {}
        }
    }
    let mut out = format!("**{}**\n\n", escaped(&layout.title));
    write_rows(&mut out, &rows, &layout.align);
    for note in &layout.notes {
        out.push_str(&format!("\n{}\n", escaped(note)));
    }
    out
}

/// Cells are padded: many read the source.
fn write_rows(out: &mut String, rows: &[Vec<String>], align: &[Align]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|it| it.get(column));
        cells.map(|it| display_width(it)).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..align.len()).map(width).collect();
    for (i, row) in rows.iter().enumerate() {
        for ((cell, width), align) in row.iter().zip(&widths).zip(align) {
            let pad = " ".repeat(width - display_width(cell));
            match align {
                Align::Left => out.push_str(&format!("| {cell}{pad} ")),
                Align::Point | Align::Count => out.push_str(&format!("| {pad}{cell} ")),
            }
        }
        out.push_str("|\n");
        if i == 0 {
            for (width, align) in widths.iter().zip(align) {
                let line = "-".repeat(width - 1);
                match align {
                    Align::Left => out.push_str(&format!("| :{line} ")),
                    Align::Point | Align::Count => out.push_str(&format!("| {line}: ")),
                }
            }
            out.push_str("|\n");
        }
    }
}

fn filled(texts: impl Iterator<Item = String>, columns: usize) -> Vec<String> {
    texts.chain(std::iter::repeat(String::new())).take(columns).collect()
}

fn printed(cell: &Printed) -> String {
    escaped(&cell.text) + &r"\*".repeat(cell.stars)
}

/// Everything that would be markup on GitHub: emphasis, code, links, HTML, formulas and cells.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '\\' | '|' | '*' | '_' | '`' | '<' | '[' | ']' | '~' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

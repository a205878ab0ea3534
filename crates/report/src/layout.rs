//! From typed cells to a grid of printed pieces, which text, Markdown, LaTeX and CSV share.

use std::borrow::Cow;

use crate::{
    number::{format_count, format_number},
    table::{Cell, HeaderRow, Row, Table},
    width::shortened,
};

/// What is printed where, before any markup or alignment.
pub(crate) struct Layout {
    pub title: String,
    /// One for each grid column, that of the labels first.
    pub align: Vec<Align>,
    pub header: Vec<Vec<Span>>,
    pub lines: Vec<Line>,
    pub notes: Vec<String>,
}

/// A header text over the columns `start .. start + len`.
pub(crate) struct Span {
    pub text: String,
    pub start: usize,
    pub len: usize,
}

pub(crate) enum Line {
    /// One for each grid column.
    Cells(Vec<Printed>),
    Heading(String),
    Rule,
}

/// The text of one cell; stars apart, because each format writes them in its own way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Printed {
    pub text: String,
    pub stars: usize,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Text,
    Count,
    Number,
    /// Words where numbers would have been.
    Failed,
}

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words only.
    Left,
    /// Decimal points below one another, everything else in the middle.
    Point,
    /// Counts flush right, as they have no point; everything else in the middle.
    Count,
}

/// The table with the marks that simulated data must carry. Marking twice changes nothing.
pub(crate) fn marked(table: &Table) -> Cow<'_, Table> {
    if !table.simulated {
        return Cow::Borrowed(table);
    }
    let mut table = table.clone();
    if !table.title.ends_with(SIMULATED_TITLE) {
        table.title.push_str(SIMULATED_TITLE);
    }
    if table.notes.first().is_none_or(|it| it != SIMULATED_NOTE) {
        table.notes.insert(0, SIMULATED_NOTE.to_owned());
    }
    Cow::Owned(table)
}

impl Layout {
    pub(crate) fn new(table: &Table) -> Layout {
        let table = marked(table);
        let columns = table.columns();
        let mut failures = Vec::new();
        let mut lines = Vec::new();
        for row in &table.body {
            match row {
                Row::Cells { label, cells } => {
                    lines.extend(cell_lines(label, cells, columns, &mut failures).map(Line::Cells));
                }
                Row::Heading(text) => lines.push(Line::Heading(one_line(text))),
                // A rule that separates nothing, or the same blocks twice, is not drawn.
                Row::Rule if matches!(lines.last(), None | Some(Line::Rule)) => {}
                Row::Rule => lines.push(Line::Rule),
            }
        }
        lines.pop_if(|it| matches!(it, Line::Rule));
        let failed = failures.iter().map(|(column, reason)| failure_note(&table, *column, reason));
        Layout {
            title: one_line(if table.title.is_empty() { &table.id } else { &table.title }),
            align: (0..columns).map(|it| column_align(&lines, it)).collect(),
            header: table.header.iter().map(|it| header_spans(it, columns)).collect(),
            notes: table.notes.iter().map(|it| one_line(it)).chain(failed).collect(),
            lines,
        }
    }

    /// Whether a row of the header is to be underlined below its spans; the last one is not,
    /// because the rule of the header follows it.
    pub(crate) fn underlined(&self, row: usize) -> impl Iterator<Item = &Span> {
        let spans = if row + 1 < self.header.len() { self.header.get(row) } else { None };
        spans.into_iter().flatten().filter(|it| 1 < it.len && !it.text.is_empty())
    }
}

impl Printed {
    fn text(it: &str) -> Printed {
        Printed { text: one_line(it), ..Printed::default() }
    }

    fn number(text: String, stars: u8) -> Printed {
        Printed { text, stars: usize::from(stars), kind: Kind::Number }
    }
}

const SIMULATED_TITLE: &str = " (simulated data)";
const SIMULATED_NOTE: &str = "All data here are simulated; no number is a finding.";
/// A long reason would widen its column beyond all others; the note has the whole of it.
const REASON_WIDTH: usize = 28;

/// One or two lines of print: the second holds the standard errors.
fn cell_lines(
    label: &str,
    cells: &[Cell],
    columns: usize,
    failures: &mut Vec<(usize, String)>,
) -> impl Iterator<Item = Vec<Printed>> {
    let mut first = vec![Printed::text(label)];
    let mut second = vec![Printed::default()];
    let mut two = false;
    for (i, cell) in cells.iter().enumerate() {
        let mut below = Printed::default();
        first.push(match cell {
            Cell::Empty => Printed::default(),
            Cell::Text(it) => Printed::text(it),
            Cell::Count(it) => Printed { text: format_count(*it), stars: 0, kind: Kind::Count },
            Cell::Number { value, .. } if value.is_nan() => Printed::default(),
            Cell::Number { value, digits } => Printed::number(format_number(*value, *digits), 0),
            Cell::Coefficient { estimate, .. } if estimate.is_nan() => Printed::default(),
            Cell::Coefficient { estimate, std_error, stars, digits, .. } => {
                // An estimate without an error has no stars either.
                let known = !std_error.is_nan();
                if known {
                    two = true;
                    below = Printed::number(format!("({})", format_number(*std_error, *digits)), 0);
                }
                Printed::number(format_number(*estimate, *digits), if known { *stars } else { 0 })
            }
            Cell::Failed(reason) => failed(reason, i + 1, failures),
        });
        second.push(below);
    }
    first.resize(columns, Printed::default());
    second.resize(columns, Printed::default());
    std::iter::once(first).chain(two.then_some(second))
}

/// A column that failed for one reason says so once, however many of its cells hold the reason.
fn failed(reason: &str, column: usize, failures: &mut Vec<(usize, String)>) -> Printed {
    let reason = one_line(reason);
    if failures.iter().any(|it| it.0 == column && it.1 == reason) {
        return Printed::default();
    }
    let text = format!("failed: {}", shortened(&reason, REASON_WIDTH));
    failures.push((column, reason));
    Printed { text, stars: 0, kind: Kind::Failed }
}

fn failure_note(table: &Table, column: usize, reason: &str) -> String {
    let end = if reason.ends_with(['.', '!', '?', '。']) { "" } else { "." };
    format!("Column {} failed: {reason}{end}", column_name(table, column))
}

/// The first header text over this column alone, or else its position.
fn column_name(table: &Table, column: usize) -> String {
    let columns = table.columns();
    let alone = table
        .header
        .iter()
        .flat_map(|it| header_spans(it, columns))
        .find(|it| it.start == column && it.len == 1 && !it.text.is_empty());
    alone.map_or_else(|| column.to_string(), |it| it.text)
}

fn header_spans(row: &HeaderRow, columns: usize) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = 0;
    for cell in row.cells.iter().filter(|it| 0 < it.span) {
        spans.push(Span { text: one_line(&cell.text), start, len: cell.span });
        start += cell.span;
    }
    spans.extend((start..columns).map(|start| Span { text: String::new(), start, len: 1 }));
    spans
}

fn column_align(lines: &[Line], column: usize) -> Align {
    let kinds = || {
        lines.iter().filter_map(move |it| match it {
            Line::Cells(cells) => cells.get(column).map(|it| it.kind),
            Line::Heading(_) | Line::Rule => None,
        })
    };
    if kinds().any(|it| matches!(it, Kind::Number | Kind::Failed)) {
        Align::Point
    } else if kinds().any(|it| it == Kind::Count) {
        Align::Count
    } else {
        Align::Left
    }
}

/// A line break inside a label would break every format but JSON.
fn one_line(text: &str) -> String {
    text.split(|it: char| it.is_whitespace() || it.is_control())
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

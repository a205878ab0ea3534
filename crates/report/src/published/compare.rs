//! The verdict on each printed cell.

use std::{fmt, iter::Sum, ops::AddAssign};

use serde::Serialize;

use super::{
    file::{CellKey, Explained, PrintedCell, PrintedTable, Published, What},
    printed::parse_printed,
};
use crate::{
    number::{Digits, format_number},
    table::{Cell, HeaderRow, Row, Table},
};

/// What we have at the place of a printed cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number; NaN is none.
    Number(f64),
    /// So many stars.
    Stars(u8),
    /// Words, compared without regard to case.
    Text(String),
}

/// How our value stands to the printed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Ours, rounded as the paper rounds, is what it prints.
    Match,
    /// It is something else.
    Differs,
    /// It does not match, and the file says why.
    Explained,
    /// The file says why it does not match, but it does.
    StaleExplanation,
    /// We have nothing there.
    Absent,
    /// We have a number, and what is printed is none.
    Unparsable,
}

/// A printed table against ours.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The id of the table.
    pub table: String,
    /// The printed title.
    pub title: String,
    /// In the order of the file.
    pub cells: Vec<ComparedCell>,
}

/// A printed cell against ours.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedCell {
    /// The column.
    pub column: String,
    /// The row.
    pub row: String,
    /// Which of the things printed there.
    pub what: What,
    /// As printed.
    pub printed: String,
    /// In full precision.
    pub ours: Option<Value>,
    /// Ours less the printed number, where both are numbers.
    pub difference: Option<f64>,
    /// How they compare.
    pub verdict: Verdict,
    /// Why they may differ, as the file says.
    pub because: Option<String>,
}

/// How many cells have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// [`Verdict::Match`]
    pub matches: usize,
    /// [`Verdict::Differs`]
    pub differs: usize,
    /// [`Verdict::Explained`]
    pub explained: usize,
    /// [`Verdict::StaleExplanation`]
    pub stale: usize,
    /// [`Verdict::Absent`]
    pub absent: usize,
    /// [`Verdict::Unparsable`]
    pub unparsable: usize,
}

impl Published {
    /// Compares one table with ours; nothing if no such table is printed.
    pub fn compare(&self, table: &str, ours: impl Fn(&CellKey) -> Option<Value>) -> Option<Comparison> {
        self.table(table).map(|it| self.compare_table(it, &ours))
    }

    /// Compares all tables with ours, in the order of the file.
    pub fn compare_all(&self, ours: impl Fn(&CellKey) -> Option<Value>) -> Vec<Comparison> {
        self.tables.iter().map(|it| self.compare_table(it, &ours)).collect()
    }

    fn compare_table(&self, table: &PrintedTable, ours: &impl Fn(&CellKey) -> Option<Value>) -> Comparison {
        let mut cells: Vec<_> = table.cells.iter().map(|it| compare_cell(it, ours(&it.key))).collect();
        for explained in &self.explained {
            explain(explained, &table.cells, &mut cells);
        }
        Comparison { table: table.id.clone(), title: table.title.clone(), cells }
    }
}

impl Comparison {
    /// The verdicts, counted.
    pub fn summary(&self) -> Summary {
        self.cells.iter().map(|it| Summary::of(it.verdict)).sum()
    }

    /// The comparison as a table, one row a cell, the counts and the reasons below.
    pub fn to_table(&self, simulated: bool) -> Table {
        let mut table = Table::new(&self.table, format!("{}: printed against ours", self.title));
        if self.title.is_empty() {
            table.title = format!("{}: printed against ours", self.table);
        }
        table.simulated = simulated;
        let names = ["Column", "Row", "What", "Printed", "Ours", "Difference", "Verdict"];
        table.header.push(HeaderRow::new(names));
        table.body = self.cells.iter().map(ComparedCell::to_row).collect();
        table.notes.push(format!("{}.", self.summary()));
        for cell in &self.cells {
            let Some(because) = &cell.because else { continue };
            let note = match cell.verdict {
                Verdict::StaleExplanation => format!("Stale explanation: {because}"),
                _ => format!("Explained: {because}"),
            };
            if !table.notes.contains(&note) {
                table.notes.push(note);
            }
        }
        table
    }
}

impl Verdict {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Match => "match",
            Verdict::Differs => "differs",
            Verdict::Explained => "explained",
            Verdict::StaleExplanation => "stale explanation",
            Verdict::Absent => "absent",
            Verdict::Unparsable => "unparsable",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Summary {
    /// All printed cells.
    pub fn total(&self) -> usize {
        self.matches + self.differs + self.explained + self.stale + self.absent + self.unparsable
    }

    /// Whether every cell matches or has a reason that holds.
    pub fn is_clean(&self) -> bool {
        self.matches + self.explained == self.total()
    }

    fn of(verdict: Verdict) -> Summary {
        let mut summary = Summary::default();
        let count = match verdict {
            Verdict::Match => &mut summary.matches,
            Verdict::Differs => &mut summary.differs,
            Verdict::Explained => &mut summary.explained,
            Verdict::StaleExplanation => &mut summary.stale,
            Verdict::Absent => &mut summary.absent,
            Verdict::Unparsable => &mut summary.unparsable,
        };
        *count = 1;
        summary
    }
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Summary) {
        self.matches += other.matches;
        self.differs += other.differs;
        self.explained += other.explained;
        self.stale += other.stale;
        self.absent += other.absent;
        self.unparsable += other.unparsable;
    }
}

impl Sum for Summary {
    fn sum<I: Iterator<Item = Summary>>(all: I) -> Summary {
        all.fold(Summary::default(), |mut sum, it| {
            sum += it;
            sum
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} printed cells match", self.matches, self.total())?;
        let others = [
            (self.differs, "differ"),
            (self.explained, "explained"),
            (self.stale, "with a stale explanation"),
            (self.absent, "absent"),
            (self.unparsable, "unparsable"),
        ];
        others.iter().filter(|it| 0 < it.0).try_for_each(|(count, name)| write!(f, ", {count} {name}"))
    }
}

impl ComparedCell {
    /// Our value as the comparison shows it.
    pub fn ours_text(&self) -> String {
        let [.., ours, _] = self.texts();
        ours
    }

    /// Column, row, what, printed, ours and the difference as a reader sees them.
    pub(crate) fn texts(&self) -> [String; 6] {
        let text = |it: &Cell| match it {
            Cell::Text(it) => it.clone(),
            Cell::Number { value, digits } => format_number(*value, *digits),
            Cell::Empty | Cell::Count(_) | Cell::Coefficient { .. } | Cell::Failed(_) => String::new(),
        };
        let Row::Cells { label, cells } = self.to_row() else { return Default::default() };
        let mut texts: [String; 6] = Default::default();
        let all = std::iter::once(label).chain(cells.iter().map(text));
        texts.iter_mut().zip(all).for_each(|(to, from)| *to = from);
        texts
    }

    fn to_row(&self) -> Row {
        let as_printed = |it: f64| {
            parse_printed(&self.printed).map_or(Digits::Significant(6), |printed| printed.digits_for(it))
        };
        let ours = match &self.ours {
            None => Cell::Empty,
            Some(Value::Number(it)) => Cell::Number { value: *it, digits: as_printed(*it) },
            Some(Value::Stars(it)) => Cell::text(stars_text(*it)),
            Some(Value::Text(it)) => Cell::text(it),
        };
        let printed = match self.what {
            What::Stars => stars(&self.printed).map_or_else(|| self.printed.clone(), stars_text),
            _ => self.printed.clone(),
        };
        let difference = self
            .difference
            .map_or(Cell::Empty, |value| Cell::Number { value, digits: Digits::Significant(3) });
        let words = [&self.row, self.what.name(), &printed].map(Cell::text);
        Row::cells(&self.column, words.into_iter().chain([ours, difference, Cell::text(self.verdict.name())]))
    }
}

fn compare_cell(cell: &PrintedCell, ours: Option<Value>) -> ComparedCell {
    let ours = ours.filter(|it| !matches!(it, Value::Number(it) if it.is_nan()));
    let (verdict, difference) = match &ours {
        None => (Verdict::Absent, None),
        Some(Value::Number(it)) => compare_number(&cell.text, *it),
        Some(Value::Stars(it)) => match stars(&cell.text) {
            Some(printed) => (either(printed == *it), None),
            None => (Verdict::Unparsable, None),
        },
        Some(Value::Text(it)) => (either(it.trim().to_lowercase() == cell.text.trim().to_lowercase()), None),
    };
    let CellKey { column, row, what, .. } = cell.key.clone();
    ComparedCell { column, row, what, printed: cell.text.clone(), ours, difference, verdict, because: None }
}

fn compare_number(text: &str, ours: f64) -> (Verdict, Option<f64>) {
    match parse_printed(text) {
        Ok(it) => (either(it.is_rounding_of(ours)), Some(ours - it.value)),
        Err(_) => (Verdict::Unparsable, None),
    }
}

/// An explanation is stale when none of the cells it covers needs one. A wide one is not, when some
/// of its cells match by chance.
fn explain(explained: &Explained, printed: &[PrintedCell], cells: &mut [ComparedCell]) {
    let covered = |key| explained.covers(key);
    let mut all: Vec<&mut ComparedCell> =
        printed.iter().zip(cells).filter(|it| covered(&it.0.key)).map(|it| it.1).collect();
    let stale = all.iter().all(|it| matches!(it.verdict, Verdict::Match | Verdict::StaleExplanation));
    for cell in &mut all {
        match cell.verdict {
            Verdict::Match if stale => cell.verdict = Verdict::StaleExplanation,
            Verdict::Differs | Verdict::Absent | Verdict::Unparsable => cell.verdict = Verdict::Explained,
            Verdict::Match | Verdict::StaleExplanation | Verdict::Explained => continue,
        }
        cell.because = Some(explained.because.clone());
    }
}

fn either(matches: bool) -> Verdict {
    if matches { Verdict::Match } else { Verdict::Differs }
}

/// How many stars a text is, if it is nothing else.
fn stars(text: &str) -> Option<u8> {
    let text = text.trim();
    if text.bytes().all(|it| it == b'*') { u8::try_from(text.len()).ok() } else { None }
}

fn stars_text(stars: u8) -> String {
    // An empty cell could be taken for a missing one.
    if stars == 0 { "none".to_owned() } else { "*".repeat(usize::from(stars)) }
}

//! Where a row of a table came from: the file and the line or row in it.

use parallax_base::Name;

use crate::{Place, RowNumber};

/// How one file counts the rows read from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbering {
    pub lines: bool,
    /// Pairs of (row read, number in the file) from which counting goes on by one.
    runs: Vec<(usize, u64)>,
}

impl Numbering {
    pub(crate) fn rows() -> Numbering {
        Numbering { lines: false, runs: Vec::new() }
    }

    pub(crate) fn lines() -> Numbering {
        Numbering { lines: true, runs: Vec::new() }
    }

    /// Says the number of a row; needed only where it does not follow from the row before.
    pub(crate) fn mark(&mut self, row: usize, number: u64) {
        if self.runs.last().is_none_or(|(start, first)| first + (row - start) as u64 != number) {
            self.runs.push((row, number));
        }
    }

    pub(crate) fn number(&self, row: usize) -> RowNumber {
        let run = self.runs.partition_point(|(start, _)| *start <= row).checked_sub(1);
        let number = match run.and_then(|it| self.runs.get(it)) {
            Some((start, first)) => first + (row - start) as u64,
            None => row as u64 + 1,
        };
        if self.lines { RowNumber::Line(number) } else { RowNumber::Row(number) }
    }
}

/// The origin of every row of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// First row, file and numbering of each file, in order.
    parts: Vec<(usize, Name, Numbering)>,
    /// The rows kept, when some were left out.
    kept: Option<Vec<u32>>,
}

impl Origin {
    pub(crate) fn push(&mut self, start: usize, file: Name, numbering: Numbering) {
        self.parts.push((start, file, numbering));
    }

    pub(crate) fn keep(&mut self, rows: Vec<u32>) {
        self.kept = Some(rows);
    }

    pub(crate) fn place(&self, row: usize) -> Place {
        let row = self.kept.as_ref().and_then(|it| it.get(row)).map_or(row, |it| *it as usize);
        let part = self.parts.partition_point(|(start, _, _)| *start <= row).saturating_sub(1);
        match self.parts.get(part) {
            Some((start, file, numbering)) => {
                Place { file: file.clone(), row: numbering.number(row.saturating_sub(*start)) }
            }
            None => Place { file: Name::from("the data"), row: RowNumber::Row(row as u64 + 1) },
        }
    }

    /// The first file, for messages about the table as a whole.
    pub(crate) fn file(&self) -> Name {
        self.parts.first().map_or_else(|| Name::from("the data"), |(_, file, _)| file.clone())
    }
}

//! Left joins: every row of the spine gets the values of at most one row of another table.

use std::sync::Arc;

use parallax_base::{Name, Note};
use parallax_panel::{Codes, Column, MISSING};

use crate::{
    IngestError, JoinOn,
    dataset::Table,
    keys::{Keys, match_units},
    raw::Raw,
    time::Scale,
};

/// The row of a joined table that has no counterpart.
const NONE: u32 = u32::MAX;

/// The rows that joined tables are matched with.
pub(crate) struct Spine {
    pub file: Name,
    pub unit: Name,
    pub time: Name,
    pub units: Codes,
    pub periods: Vec<i32>,
    pub scale: Scale,
}

impl Spine {
    /// For each row of the spine, the row of `table` with its key.
    pub(crate) fn matched(
        &self,
        on: JoinOn,
        table: &Table,
        keys: &Keys,
        periods: &[i32],
        notes: &mut Vec<Note>,
    ) -> Result<Vec<u32>, IngestError> {
        let units = match &keys.units {
            Some(units) => {
                let files = (&self.file, &table.origin.file());
                Some((units, match_units(&self.units, units, &self.unit, files, notes)?))
            }
            None => None,
        };
        let index = Index::new(units.as_ref().map(|it| it.0), periods, table.rows);
        if let Some(rows) = index.duplicate() {
            return Err(self.duplicate(on, table, units.as_ref().map(|it| it.0), periods, rows));
        }
        let of_spine = |(unit, period): (&u32, &i32)| {
            let unit = match &units {
                Some((_, map)) => map.get(*unit as usize).copied().flatten()?,
                None => 0,
            };
            index.find(unit, if on == JoinOn::Unit { 0 } else { *period })
        };
        let rows: Vec<u32> =
            self.units.code.iter().zip(&self.periods).map(|it| of_spine(it).unwrap_or(NONE)).collect();
        self.note_unmatched(on, table, &rows, notes);
        Ok(rows)
    }

    fn duplicate(
        &self,
        on: JoinOn,
        table: &Table,
        units: Option<&Codes>,
        periods: &[i32],
        (first, second): (usize, usize),
    ) -> IngestError {
        let unit =
            units.and_then(|it| Some(it.labels.text(*it.code.get(second)? as usize))).unwrap_or_default();
        let period = periods.get(second).copied().unwrap_or(0);
        let (key, advice) = match on {
            JoinOn::UnitTime => (
                format!("{} `{unit}`, {} {period}", self.unit, self.time),
                "remove one, or name the columns that identify a row",
            ),
            JoinOn::Unit => (
                format!("{} `{unit}`", self.unit),
                "a file joined on unit has one row for each unit; join it on unit and time, or remove one",
            ),
            JoinOn::Time => (
                format!("{} {period}", self.time),
                "a file joined on time has one row for each period; join it on unit and time, or remove one",
            ),
        };
        let (first, second) = (Box::new(table.origin.place(first)), Box::new(table.origin.place(second)));
        IngestError::DuplicateKey { key, first, second, advice }
    }

    fn note_unmatched(&self, on: JoinOn, table: &Table, rows: &[u32], notes: &mut Vec<Note>) {
        let file = table.origin.file().to_string();
        let (absent, what) = self.absent(on, rows);
        if 0 < absent {
            let verb = if absent == 1 { "has" } else { "have" };
            let text = format!("{absent} {what} {verb} no row in it; its columns are missing for them");
            notes.push(Note::Ingest { file: file.clone(), text });
        }
        let mut used = vec![false; table.rows];
        for row in rows {
            if let Some(used) = used.get_mut(*row as usize) {
                *used = true;
            }
        }
        let unused = used.iter().filter(|it| !**it).count();
        if 0 < unused {
            let text = format!(
                "{unused} of its {} rows match nothing in {} and are not used",
                table.rows, self.file
            );
            notes.push(Note::Ingest { file, text });
        }
    }

    /// How many units, periods or rows of the spine found no row, with examples.
    fn absent(&self, on: JoinOn, rows: &[u32]) -> (usize, String) {
        const SHOWN: usize = 3;
        let lost = rows.iter().enumerate().filter(|(_, it)| **it == NONE).map(|(row, _)| row);
        let mut names: Vec<String> = match on {
            JoinOn::UnitTime => return (lost.count(), format!("of {} rows", rows.len())),
            JoinOn::Unit => {
                let mut codes: Vec<u32> = lost.filter_map(|row| self.units.code.get(row).copied()).collect();
                codes.sort_unstable();
                codes.dedup();
                codes.iter().map(|it| format!("`{}`", self.units.labels.text(*it as usize))).collect()
            }
            JoinOn::Time => {
                let mut periods: Vec<i32> = lost.filter_map(|row| self.periods.get(row).copied()).collect();
                periods.sort_unstable();
                periods.dedup();
                periods.iter().map(i32::to_string).collect()
            }
        };
        let noun = if on == JoinOn::Unit { "unit" } else { "period" };
        let count = names.len();
        let more = if SHOWN < count { ", ..." } else { "" };
        names.truncate(SHOWN);
        (count, format!("{noun}{} ({}{more})", if count == 1 { "" } else { "s" }, names.join(", ")))
    }
}

/// Rows by unit, and by period within a unit: no hashing, and memory goes with rows and units.
struct Index<'a> {
    /// For each unit, where its rows begin in `rows`; one more than there are units.
    starts: Vec<usize>,
    rows: Vec<u32>,
    periods: &'a [i32],
}

impl<'a> Index<'a> {
    /// Without units all rows are of unit 0, without periods of period 0.
    fn new(units: Option<&Codes>, periods: &'a [i32], n_rows: usize) -> Index<'a> {
        let unit_of = |row: usize| units.and_then(|it| it.code.get(row)).map_or(0, |it| *it as usize);
        let n_units = units.map_or(1, Codes::n_groups);
        let mut starts = vec![0; n_units + 1];
        for row in 0..n_rows {
            if let Some(count) = starts.get_mut(unit_of(row) + 1) {
                *count += 1;
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        let mut next = starts.clone();
        let mut rows = vec![0; n_rows];
        for row in 0..n_rows {
            let Some(at) = next.get_mut(unit_of(row)) else { continue };
            if let Some(slot) = rows.get_mut(*at) {
                *slot = row as u32;
            }
            *at += 1;
        }
        let mut index = Index { starts, rows, periods };
        for unit in 0..n_units {
            let range = index.range(unit);
            if let Some(rows) = index.rows.get_mut(range) {
                // The sort is stable, so that of two rows with one key the first in the file comes first.
                rows.sort_by_key(|row| period_at(periods, *row));
            }
        }
        index
    }

    fn range(&self, unit: usize) -> std::ops::Range<usize> {
        let at = |unit: usize| self.starts.get(unit).copied().unwrap_or(0);
        at(unit)..at(unit + 1).max(at(unit))
    }

    fn of_unit(&self, unit: usize) -> &[u32] {
        self.rows.get(self.range(unit)).unwrap_or_default()
    }

    /// The first two rows with one key.
    fn duplicate(&self) -> Option<(usize, usize)> {
        (0..self.starts.len().saturating_sub(1)).find_map(|unit| {
            let same = |it: &&[u32]| match it {
                [first, second] => period_at(self.periods, *first) == period_at(self.periods, *second),
                _ => false,
            };
            match self.of_unit(unit).windows(2).find(same) {
                Some([first, second]) => Some((*first as usize, *second as usize)),
                _ => None,
            }
        })
    }

    fn find(&self, unit: u32, period: i32) -> Option<u32> {
        let rows = self.of_unit(unit as usize);
        let at = rows.binary_search_by_key(&period, |row| period_at(self.periods, *row)).ok()?;
        rows.get(at).copied()
    }
}

fn period_at(periods: &[i32], row: u32) -> i32 {
    periods.get(row as usize).copied().unwrap_or(0)
}

/// The values of a joined column on the rows of the spine.
pub(crate) fn spread(raw: Raw, rows: &[u32]) -> Column {
    match raw.into_column() {
        Column::Real(values) => Column::real(
            rows.iter().map(|row| values.get(*row as usize).copied().unwrap_or(f64::NAN)).collect(),
        ),
        Column::Codes(codes) => {
            let code =
                rows.iter().map(|row| codes.code.get(*row as usize).copied().unwrap_or(MISSING)).collect();
            let all = Codes { code: Arc::new(code), labels: codes.labels };
            Column::Codes(all.compact(0..rows.len()))
        }
    }
}

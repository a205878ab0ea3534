//! Left joins: every row of the spine gets the values of at most one row of another table.

use std::{collections::HashMap, sync::Arc};

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
        let key = |unit: u32, period: i32| (u64::from(unit) << 32) | u64::from(period as u32);
        let unit_of = |row: usize| units.as_ref().and_then(|(it, _)| it.code.get(row).copied()).unwrap_or(0);
        let period_of = |row: usize| periods.get(row).copied().unwrap_or(0);
        let mut row_of: HashMap<u64, u32> = HashMap::with_capacity(table.rows);
        for row in 0..table.rows {
            if let Some(first) = row_of.insert(key(unit_of(row), period_of(row)), row as u32) {
                return Err(self.duplicate(
                    on,
                    table,
                    units.as_ref().map(|it| it.0),
                    periods,
                    (first as usize, row),
                ));
            }
        }
        let of_spine = |(unit, period): (&u32, &i32)| {
            let unit = match &units {
                Some((_, map)) => map.get(*unit as usize).copied().flatten()?,
                None => 0,
            };
            let period = if on == JoinOn::Unit { 0 } else { *period };
            row_of.get(&key(unit, period)).copied()
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

//! Units and periods of one table, checked and ready to be matched.

use parallax_base::{Name, Note};
use parallax_panel::{Codes, Labels, MISSING};

use crate::{
    IngestError, JoinOn, PeriodRange,
    dataset::Table,
    time::{Scale, Times},
};

/// What identifies the rows of a table; `None` for a key it is not joined on.
pub(crate) struct Keys {
    pub units: Option<Codes>,
    pub times: Option<Times>,
}

impl Keys {
    /// Takes the key columns out of a table, refusing missing and bad values.
    pub(crate) fn take(table: &mut Table, on: JoinOn, unit: &Name, time: &Name) -> Result<Keys, IngestError> {
        let hint = table
            .absent_in(unit)
            .map(|it| format!("; read as missing here: {}, and a word in quotes is a value", it.list()));
        let hint = hint.unwrap_or_default();
        let times = match on {
            JoinOn::Unit => None,
            JoinOn::UnitTime | JoinOn::Time => {
                table.take(time).map(|raw| Times::of(&raw, time, &table.origin)).transpose()?
            }
        };
        let units = match on {
            JoinOn::Time => None,
            JoinOn::UnitTime | JoinOn::Unit => table.take(unit).map(crate::raw::Raw::into_codes),
        };
        if let Some(row) = units.as_ref().and_then(|it| it.code.iter().position(|it| *it == MISSING)) {
            let (place, column) = (table.origin.place(row), unit.clone());
            return Err(IngestError::MissingKey { place, what: "unit", column, hint });
        }
        Ok(Keys { units, times })
    }

    /// Periods on a scale; the caller made sure that there are times.
    pub(crate) fn periods(&self, scale: Scale) -> Option<Vec<i32>> {
        self.times.as_ref().and_then(|it| it.on(scale))
    }
}

/// Leaves out the rows of other periods; refuses to leave none.
pub(crate) fn restrict(
    table: &mut Table,
    keys: &mut Keys,
    periods: &mut Vec<i32>,
    range: PeriodRange,
    time: &Name,
) -> Result<(), IngestError> {
    let rows: Vec<u32> = periods
        .iter()
        .enumerate()
        .filter(|(_, it)| range.contains(**it))
        .map(|(row, _)| row as u32)
        .collect();
    if rows.is_empty() {
        let spans = match (periods.iter().min(), periods.iter().max()) {
            (Some(low), Some(high)) => format!("; the rows read span {low} to {high}"),
            _ => String::new(),
        };
        let what = format!("no row has `{time}` in {}..={}{spans}", range.from, range.to);
        return Err(IngestError::Empty { file: table.origin.file(), what });
    }
    if rows.len() < periods.len() {
        *periods = rows.iter().filter_map(|row| periods.get(*row as usize).copied()).collect();
        keys.units = keys.units.take().map(|it| it.compact(rows.iter().map(|row| *row as usize)));
        let mut start = 0;
        for report in &mut table.reports {
            let end = start + report.rows;
            report.rows = rows.iter().filter(|row| (start..end).contains(&(**row as usize))).count();
            start = end;
        }
        table.keep(rows);
    }
    Ok(())
}

/// For each unit of the spine, the code of the same unit in another file, or `None`.
pub(crate) fn match_units(
    spine: &Codes,
    other: &Codes,
    unit: &Name,
    files: (&Name, &Name),
    notes: &mut Vec<Note>,
) -> Result<Vec<Option<u32>>, IngestError> {
    let (left, right) = (kind(&spine.labels), kind(&other.labels));
    let mixed = left != right;
    if mixed {
        let text = if left == "text" { spine } else { other };
        let bad = (0..text.n_groups()).map(|it| text.labels.text(it)).find(|it| whole(it).is_none());
        if let Some(example) = bad {
            let right = if right == "text" { format!("text (`{example}`)") } else { right.to_owned() };
            let (first, second) = (files.0.clone(), files.1.clone());
            return Err(IngestError::UnitTypes { unit: unit.clone(), first, left, second, right });
        }
        notes.push(Note::Ingest {
            file: files.1.to_string(),
            text: format!(
                "unit `{unit}` is {left} in {} and {right} here; matched as whole numbers",
                files.0
            ),
        });
    }
    let label = |codes: &Codes, code: usize| {
        let text = codes.labels.text(code);
        if mixed { whole(&text).map_or(text, |it| it.to_string()) } else { text }
    };
    let mut of_label = std::collections::HashMap::with_capacity(other.n_groups());
    for code in 0..other.n_groups() {
        if of_label.insert(label(other, code), code as u32).is_some() {
            return Err(IngestError::Request(format!(
                "{}: two texts of unit `{unit}` mean {}; write each unit one way",
                files.1,
                label(other, code)
            )));
        }
    }
    Ok((0..spine.n_groups()).map(|it| of_label.get(&label(spine, it)).copied()).collect())
}

fn kind(labels: &Labels) -> &'static str {
    match labels {
        Labels::Text(_) | Labels::Combined(_) => "text",
        Labels::Integers(_) | Labels::Reals(_) | Labels::Rows(_) => "a number",
    }
}

fn whole(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

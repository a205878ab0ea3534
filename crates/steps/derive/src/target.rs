//! Where a made column goes, and what the reader is told about it.

use parallax_model::{Name, Note, Panel, StepError};

/// Refuses to write over what identifies a row: the panel is sorted by it.
pub(crate) fn refuse_index(panel: &Panel, step: &'static str, name: &Name) -> Result<(), StepError> {
    match panel.index() {
        Some((unit, time)) if name == unit || name == time => Err(StepError::Options {
            plugin: step,
            reason: format!("`{name}` identifies rows and cannot be written to; choose another name"),
        }),
        _ => Ok(()),
    }
}

/// A note when something of the new column needs saying: it replaces one, or misses values.
pub(crate) fn account(
    panel: &Panel,
    step: &'static str,
    name: &Name,
    values: &[f64],
    why: &str,
) -> Option<Note> {
    let mut missing = values.iter().enumerate().filter(|(_, it)| it.is_nan()).map(|(row, _)| row);
    let first = missing.next();
    let replaces = panel.has(name);
    if first.is_none() && !replaces {
        return None;
    }
    let mut text = format!("`{name}`");
    if replaces {
        text.push_str(" replaces the column of that name");
    }
    if let Some(row) = first {
        let and = if replaces { " and" } else { "" };
        let n = 1 + missing.count();
        let place = panel.place(row);
        text.push_str(&format!(
            "{and} is missing in {n} of {} rows{why}, the first one {place}",
            values.len()
        ));
    }
    Some(Note::Step { step: step.into(), text })
}

//! What a reader has to know of time in an estimate: how long a period is, and periods that nobody is observed in.

use parallax_base::{Note, counted};
use parallax_panel::{Panel, distinct};

/// Periods that a note names.
const NAMED: usize = 5;

/// Notes on an estimate that depends on distances in time.
pub fn time_remarks(panel: &Panel) -> Vec<Note> {
    let Some((_, time)) = panel.index() else { return Vec::new() };
    let step = panel.calendar().remark(time).map(Note::remark);
    let absent = absent(panel).map(|(count, names)| {
        Note::remark(format!(
            "nobody is observed in {} of `{time}` ({names}): periods are counted as time goes, and lags, leads, changes and \
             event times that need such a period are missing",
            counted(count, "period")
        ))
    });
    step.into_iter().chain(absent).collect()
}

/// Periods between the first and the last that no row has: how many, and the first few as people write them.
fn absent(panel: &Panel) -> Option<(usize, String)> {
    let seen = distinct(panel.periods());
    let holes = || seen.windows(2).map(|it| (it[0], it[1])).filter(|it| it.0 + 1 < it.1);
    let count: usize = holes().map(|(low, high)| high.abs_diff(low + 1) as usize).sum();
    if count == 0 {
        return None;
    }
    let names: Vec<String> = holes()
        .flat_map(|(low, high)| low + 1..high)
        .take(NAMED)
        .map(|it| panel.calendar().code(it).to_string())
        .collect();
    let more = if NAMED < count { ", ..." } else { "" };
    Some((count, format!("{}{more}", names.join(", "))))
}

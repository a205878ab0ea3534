#![doc = include_str!("../docs/complete.md")]

use std::{collections::BTreeSet, ops::Range};

use parallax_model::{
    Name, Note, Panel, PluginMeta, Status, Step, StepError, Stepped,
    panel::{Column, MISSING},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

parallax_model::step!(Complete);

const NAME: &str = "complete";

/// Units named in the note; the rest is counted.
const UNITS_NAMED: usize = 5;

/// Keeps units that have everything in every period.
pub struct Complete;

/// What a unit must have, and when.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Columns that must not be missing; empty asks only for a row in every period.
    #[serde(default)]
    pub columns: Vec<Name>,
    /// First period that counts; the panel's first one when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i32>,
    /// Last period that counts; the panel's last one when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i32>,
}

impl Step for Complete {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Keep units with complete data in every period",
        docs: include_str!("../docs/complete.md"),
        status: Status::Stable { since: "0.1.0" },
        reference: "Baltagi (2021), Econometric Analysis of Panel Data, ch. 9 (balanced subpanels)",
    };
    type Options = Options;

    fn apply(panel: &Panel, options: &Options) -> Result<Stepped, StepError> {
        panel.require_index("`complete`")?;
        let window = Window::new(panel, options)?;
        let columns = options.columns.iter().map(|it| panel.column(it)).collect::<Result<Vec<_>, _>>()?;
        let mut keep = vec![false; panel.n_rows()];
        let mut gone: Vec<String> = Vec::new();
        let mut units = 0;
        for rows in unit_ranges(panel) {
            units += 1;
            match lack(panel, rows.clone(), &window, options, &columns) {
                Some(why) => gone.push(format!("{} ({why})", label(panel, rows.start))),
                None => keep.get_mut(rows).unwrap_or_default().fill(true),
            }
        }
        let kept = panel.keep(&keep)?;
        let text = account(units, &gone, &window, options);
        if kept.n_rows() == 0 {
            let advice = "interpolate first, ask for fewer `columns`, or narrow `from` and `to`";
            return Err(StepError::Step(format!("`{NAME}`: no unit is left: {text}; {advice}")));
        }
        Ok(Stepped { panel: kept, details: Vec::new(), notes: vec![Note::Step { step: NAME.into(), text }] })
    }

    fn reads(options: &Options) -> Vec<Name> {
        options.columns.clone()
    }
}

/// The periods of the panel in which a unit must be complete, as people write them.
struct Window {
    first: i32,
    last: i32,
    periods: usize,
}

impl Window {
    fn new(panel: &Panel, options: &Options) -> Result<Window, StepError> {
        let all: BTreeSet<i32> = panel.dates().into_iter().collect();
        let refuse = |reason: String| Err(StepError::Options { plugin: NAME, reason });
        let (Some(&start), Some(&end)) = (all.first(), all.last()) else {
            return Err(StepError::Step(format!("`{NAME}`: the panel has no rows")));
        };
        let (from, to) = (options.from.unwrap_or(start), options.to.unwrap_or(end));
        if to < from {
            return refuse(format!("`from` = {from} is after `to` = {to}; exchange them"));
        }
        // A window beyond the data would otherwise pass for complete, or for shorter than it was meant.
        if from < start || end < to {
            return refuse(format!("the panel has periods {start} to {end}, not all of {from} to {to}"));
        }
        let inside: Vec<i32> = all.range(from..=to).copied().collect();
        match (inside.first(), inside.last()) {
            (Some(&first), Some(&last)) => Ok(Window { first, last, periods: inside.len() }),
            _ => refuse(format!("the panel has no period from {from} to {to}")),
        }
    }

    fn contains(&self, period: i32) -> bool {
        (self.first..=self.last).contains(&period)
    }
}

/// What a unit lacks most, or `None` when it has everything. Columns are asked in the order given.
fn lack(
    panel: &Panel,
    rows: Range<usize>,
    window: &Window,
    options: &Options,
    columns: &[&Column],
) -> Option<String> {
    let inside: Vec<usize> = rows
        .filter(|&row| panel.periods().get(row).is_some_and(|&it| window.contains(panel.calendar().code(it))))
        .collect();
    let absent = window.periods - inside.len();
    let count = |column: &Column| inside.iter().filter(|&&row| is_missing(column, row)).count();
    let mut worst: Option<(&Name, usize)> = None;
    for (name, column) in options.columns.iter().zip(columns) {
        let n = count(column);
        if worst.map_or(0, |(_, most)| most) < n {
            worst = Some((name, n));
        }
    }
    let periods = window.periods;
    match (absent, worst) {
        (0, None) => None,
        (0, Some((name, n))) => Some(format!("`{name}` missing in {n} of {periods} periods")),
        (n, None) => Some(format!("no row in {n} of {periods} periods")),
        (n, Some((name, m))) => {
            Some(format!("no row in {n} of {periods} periods and `{name}` missing in {m} more"))
        }
    }
}

fn is_missing(column: &Column, row: usize) -> bool {
    match column {
        Column::Real(it) => it.get(row).is_none_or(|it| it.is_nan()),
        Column::Codes(it) => it.code.get(row).is_none_or(|&it| it == MISSING),
    }
}

/// How many units go, and the first few of them by name.
fn account(units: usize, gone: &[String], window: &Window, options: &Options) -> String {
    let Window { first, last, periods } = window;
    let names: Vec<String> = options.columns.iter().map(|it| format!("`{it}`")).collect();
    let of = if names.is_empty() { "a row".to_owned() } else { names.join(", ") };
    let asked = format!("{of} in all {periods} periods {first} to {last}");
    if gone.is_empty() {
        return format!("all {units} units have {asked}");
    }
    let mut text = format!("{} of {units} units dropped for not having {asked}: ", gone.len());
    text.push_str(&gone.iter().take(UNITS_NAMED).map(String::as_str).collect::<Vec<_>>().join(", "));
    if UNITS_NAMED < gone.len() {
        text.push_str(&format!(" and {} more", gone.len() - UNITS_NAMED));
    }
    text
}

fn label(panel: &Panel, row: usize) -> String {
    let units = panel.units();
    units.code.get(row).map(|&it| units.labels.text(it as usize)).unwrap_or_default()
}

/// The rows of each unit; the panel keeps them together and in time order.
fn unit_ranges(panel: &Panel) -> Vec<Range<usize>> {
    let mut start = 0;
    let range = |run: &[u32]| {
        let rows = start..start + run.len();
        start = rows.end;
        rows
    };
    panel.units().code.chunk_by(|a, b| a == b).map(range).collect()
}

#![doc = include_str!("../docs/treat.md")]

use std::{collections::BTreeMap, sync::Arc};

use parallax_model::{
    Name, Note, Panel, PluginMeta, Status, Step, StepError, Stepped,
    panel::{Column, PanelError},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::target;

parallax_model::step!(Treat);

const NAME: &str = "treat";

/// Further ahead than this, a number is a date or a code and not the period of an adoption.
const FARTHEST_PERIOD_AHEAD: f64 = 1000.0;

/// The treatment dummy from the first treated period.
pub struct Treat;

/// Where the first treated period stands and where the dummy goes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column with the first treated period of the unit; missing for units never treated.
    pub from: Name,
    /// Column to make: 1 from that period on, 0 before and for units never treated.
    pub into: Name,
}

impl Step for Treat {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Treatment dummy from the first treated period of each unit",
        docs: include_str!("../docs/treat.md"),
        status: Status::Stable { since: "0.1.0" },
        reference: "Callaway and Sant'Anna (2021), Journal of Econometrics 225(2), assumption 1 (irreversible treatment)",
    };
    type Options = Options;

    fn apply(panel: &Panel, options: &Options) -> Result<Stepped, StepError> {
        panel.require_index("`treat`")?;
        target::refuse_index(panel, NAME, &options.into)?;
        let from = first_treated(panel, &options.from)?;
        let periods = panel.dates();
        let dummy = |(&from, &period): (&f64, &i32)| f64::from(u8::from(from <= f64::from(period)));
        let values: Vec<f64> = from.iter().zip(&periods).map(dummy).collect();
        let mut notes = vec![account(panel, &from, &options.into)];
        notes.extend(target::account(panel, NAME, &options.into, &values, ""));
        let panel = panel.clone().with(options.into.clone(), Column::real(values))?;
        Ok(Stepped { panel, details: Vec::new(), notes })
    }

    fn reads(options: &Options) -> Vec<Name> {
        vec![options.from.clone()]
    }

    fn writes(options: &Options) -> Vec<Name> {
        vec![options.into.clone()]
    }
}

/// The column, checked: whole periods, one a unit.
fn first_treated(panel: &Panel, name: &Name) -> Result<Arc<Vec<f64>>, StepError> {
    let refuse = |reason: String| StepError::Column { column: name.clone(), reason };
    let from = panel.real(name).map_err(|it| match it {
        PanelError::NotNumeric { .. } => refuse(
            "holds text; `treat` needs the first treated year as a number, so make a column with the year of the date"
                .to_owned(),
        ),
        it => it.into(),
    })?;
    let (first, last) = span(panel);
    for (row, &value) in from.iter().enumerate() {
        let advice = if value.is_nan() {
            continue;
        } else if value == 0.0 && 0.0 < first {
            "if 0 marks units never treated, make it missing, for example with derive: ifelse(x == 0, NA, x)"
        } else if value.is_infinite() || last + FARTHEST_PERIOD_AHEAD < value {
            "give the first treated period, not a date; for units never treated make it missing"
        } else if value.fract() != 0.0 {
            "the first treated period must be a whole number"
        } else {
            continue;
        };
        let place = panel.place(row);
        return Err(refuse(format!("is {value} for {place}, and periods are {first} to {last}; {advice}")));
    }
    match differing_rows(panel, &from) {
        None => Ok(from),
        Some((a, b)) => Err(refuse(format!(
            "is {} for {} and {} for {}; the first treated period must be the same in all rows of a unit",
            shown(&from, a),
            panel.place(a),
            shown(&from, b),
            panel.place(b),
        ))),
    }
}

/// Two neighbouring rows of one unit that disagree, missing against known included.
fn differing_rows(panel: &Panel, from: &[f64]) -> Option<(usize, usize)> {
    let rows: Vec<(u32, f64)> = panel.units().code.iter().copied().zip(from.iter().copied()).collect();
    let differ = |a: f64, b: f64| a != b && !(a.is_nan() && b.is_nan());
    let pair = |it: &[(u32, f64)]| matches!(it, [(u, a), (v, b)] if u == v && differ(*a, *b));
    rows.windows(2).position(pair).map(|it| (it, it + 1))
}

fn shown(values: &[f64], row: usize) -> String {
    match values.get(row) {
        Some(it) if !it.is_nan() => it.to_string(),
        _ => "missing".to_owned(),
    }
}

fn span(panel: &Panel) -> (f64, f64) {
    let periods = panel.dates();
    let end = |it: Option<&i32>| it.copied().map_or(f64::NAN, f64::from);
    (end(periods.iter().min()), end(periods.iter().max()))
}

/// Units by what the panel sees of their treatment.
fn account(panel: &Panel, from: &[f64], into: &Name) -> Note {
    // Adoption is the same in all rows of a unit; with it go the unit's first and last period.
    let mut units: BTreeMap<u32, (f64, i32, i32)> = BTreeMap::new();
    for ((&unit, &from), period) in panel.units().code.iter().zip(from).zip(panel.dates()) {
        units.entry(unit).or_insert((from, period, period)).2 = period;
    }
    let count = |of: fn(f64, f64, f64) -> bool| {
        units.values().filter(|(from, first, last)| of(*from, f64::from(*first), f64::from(*last))).count()
    };
    let never = count(|from, _, _| from.is_nan());
    let later = count(|from, _, last| last < from);
    let always = count(|from, first, _| from <= first);
    let seen = units.len() - never - later;
    let mut text = format!("`{into}`: {seen} of {} units treated, {never} never", units.len());
    if 0 < later {
        text.push_str(&format!(", {later} only after their last row"));
    }
    if 0 < always {
        text.push_str(&format!(
            "; {always} of the treated already in their first row, so that nothing before is seen"
        ));
    }
    Note::Step { step: NAME.into(), text }
}

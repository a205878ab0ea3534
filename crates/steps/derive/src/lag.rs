#![doc = include_str!("../docs/lag.md")]

use std::{collections::HashSet, sync::Arc};

use parallax_model::{
    Name, Panel, PluginMeta, Status, Step, StepError, Stepped,
    panel::{Column, PanelError, shift},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::target;

parallax_model::step!(Lag);

const NAME: &str = "lag";

/// Values of earlier or later periods as columns.
pub struct Lag;

/// What to look back or ahead at, and how far.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Columns to take earlier or later values of.
    pub columns: Vec<Name>,
    /// Periods back; negative numbers are leads.
    #[serde(default = "one_back")]
    pub by: Vec<i32>,
}

fn one_back() -> Vec<i32> {
    vec![1]
}

impl Step for Lag {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Lags and leads in time as columns",
        docs: include_str!("../docs/lag.md"),
        status: Status::Stable { since: "0.1.0" },
        reference: "Stata 18 User's Guide, [U] 11.4.4 Time-series varlists",
    };
    type Options = Options;

    fn apply(panel: &Panel, options: &Options) -> Result<Stepped, StepError> {
        panel.require_index("`lag`")?;
        check(options)?;
        let mut lagged = panel.clone();
        let mut notes = Vec::new();
        for source in &options.columns {
            let values = numbers(panel, source)?;
            for &by in &options.by {
                let name = name_of(source, by);
                target::refuse_index(panel, NAME, &name)?;
                let values = shift(panel, &values, by)?;
                let why = format!(" where `{source}` has no value {} earlier", periods(by));
                let why = if by < 0 { why.replace("earlier", "later") } else { why };
                notes.extend(target::account(&lagged, NAME, &name, &values, &why));
                lagged = lagged.with(name, Column::real(values))?;
            }
        }
        Ok(Stepped { panel: lagged, details: Vec::new(), notes })
    }

    fn reads(options: &Options) -> Vec<Name> {
        options.columns.clone()
    }

    fn writes(options: &Options) -> Vec<Name> {
        let names = |source| options.by.iter().map(move |&by| name_of(source, by));
        options.columns.iter().flat_map(names).collect()
    }
}

fn check(options: &Options) -> Result<(), StepError> {
    let refuse = |reason: String| Err(StepError::Options { plugin: NAME, reason });
    if options.columns.is_empty() || options.by.is_empty() {
        return refuse("`columns` and `by` must each name at least one".to_owned());
    }
    if options.by.contains(&0) {
        return refuse("`by` contains 0, which is the column itself; remove it".to_owned());
    }
    let mut seen = HashSet::new();
    match Lag::writes(options).into_iter().find(|it| !seen.insert(it.clone())) {
        Some(twice) => refuse(format!("`{twice}` would be made twice; name columns and periods once each")),
        None => Ok(()),
    }
}

fn numbers(panel: &Panel, name: &Name) -> Result<Arc<Vec<f64>>, StepError> {
    panel.real(name).map_err(|it| match it {
        PanelError::NotNumeric { .. } => StepError::Column {
            column: name.clone(),
            reason:
                "holds text, which cannot be lagged; give it numbers in the data, or remove it from `columns`"
                    .to_owned(),
        },
        it => it.into(),
    })
}

/// `x_lag1` or `x_lead1`: names that need no quotes in a formula.
fn name_of(source: &Name, by: i32) -> Name {
    let direction = if by < 0 { "lead" } else { "lag" };
    Name::from(format!("{source}_{direction}{}", by.unsigned_abs()))
}

fn periods(by: i32) -> String {
    match by.unsigned_abs() {
        1 => "1 period".to_owned(),
        n => format!("{n} periods"),
    }
}

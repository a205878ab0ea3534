#![doc = include_str!("../docs/resilience.md")]

mod national;
mod notes;
mod output;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use parallax_model::{
    IndexMethod, IndexResult, Name, Panel, PluginMeta, Status, StepError, panel::PanelError,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{national::GrowthByPeriod, output::Output};

parallax_model::index_method!(Resilience);

const NAME: &str = "resilience";

/// Growth of a unit since a shock, against the growth of the nation.
pub struct Resilience;

/// What is compared with what.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column with the unit's output, nominal if `deflator` is given, else real.
    pub output: Name,
    /// What that column is.
    #[serde(default)]
    pub output_kind: OutputKind,
    /// Column with the national series; one value a period.
    pub national: Name,
    /// What the national series is.
    pub national_kind: NationalKind,
    /// Growth since the base year, as the formula is printed, or of the year, as printed numbers imply.
    pub benchmark: Benchmark,
    /// Column to deflate the output with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deflator: Option<Name>,
    /// What the deflator is.
    #[serde(default)]
    pub deflator_kind: DeflatorKind,
    /// What the difference in growth is divided by.
    #[serde(default)]
    pub denominator: Denominator,
    /// Period of the shock, which growth is counted from.
    #[serde(default = "crisis")]
    pub base: i32,
    /// 1 for a ratio, 100 for per cent.
    #[serde(default = "one")]
    pub scale: f64,
}

/// What the unit's column is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    /// Output in any unit.
    #[default]
    Level,
    /// Annual growth in per cent, chained from the base year within the unit.
    GrowthPercent,
    /// Output with the year before as 100, chained in the same way: a yearbook's growth index.
    #[serde(rename = "previous-year-100")]
    PreviousYear100,
}

/// What the difference in growth is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Denominator {
    /// National growth as it is.
    #[default]
    Signed,
    /// Its absolute value, so that more growth of the unit is always a higher score (Martin et al. 2016).
    Absolute,
}

/// What the national series is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NationalKind {
    /// Annual real growth in per cent, 7.9 and not 0.079.
    GrowthPercent,
    /// Real output or an index of it, in any unit.
    Level,
}

/// Which national growth stands against the unit's growth since the base year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Benchmark {
    /// Since the base year.
    SinceBase,
    /// Of the year itself.
    Annual,
}

/// What the deflator is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeflatorKind {
    /// A price level in any unit; may differ between units.
    #[default]
    Level,
    /// National annual rates of price increase in per cent, chained from the base year.
    InflationPercent,
}

/// The year of the financial crisis.
fn crisis() -> i32 {
    2008
}

fn one() -> f64 {
    1.0
}

impl IndexMethod for Resilience {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Growth of a unit since a shock, against the growth of the nation",
        docs: include_str!("../docs/resilience.md"),
        status: Status::Stable { since: "0.1.0" },
        reference: "Martin et al. (2016), How regions react to recessions, Regional Studies 50(4)",
    };
    type Options = Options;

    fn build(panel: &Panel, options: &Options) -> Result<IndexResult, StepError> {
        panel.require_index("`resilience`")?;
        if !options.scale.is_finite() || options.scale <= 0.0 {
            let reason = format!("`scale` is {}; it is 1 for a ratio or 100 for per cent", options.scale);
            return Err(StepError::Options { plugin: NAME, reason });
        }
        refuse_rates(panel, options)?;
        let nation = GrowthByPeriod::new(panel, options)?;
        let output = Output::new(panel, options)?;
        let score = |(growth, &period): (&f64, &i32)| {
            let nation = nation.at(period).unwrap_or(f64::NAN);
            let divisor = match options.denominator {
                Denominator::Signed => nation,
                Denominator::Absolute => nation.abs(),
            };
            options.scale * (growth - nation) / divisor
        };
        let score: Vec<f64> = output.growth.iter().zip(&panel.dates()).map(score).collect();
        let notes = notes::of(panel, options, &nation, &output);
        Ok(IndexResult { score, details: Vec::new(), notes })
    }

    fn reads(options: &Options) -> Vec<Name> {
        let mut reads = vec![options.output.clone(), options.national.clone()];
        reads.extend(options.deflator.clone());
        reads
    }
}

/// Annual rates and what they are chained to go by years that follow each other.
fn refuse_rates(panel: &Panel, options: &Options) -> Result<(), StepError> {
    let since_base = options.output_kind == OutputKind::Level
        && options.benchmark == Benchmark::SinceBase
        && options.national_kind == NationalKind::Level
        && (options.deflator.is_none() || options.deflator_kind == DeflatorKind::Level);
    if panel.calendar().plain() || since_base {
        return Ok(());
    }
    let (_, time) = panel.require_index("`resilience`")?;
    Err(StepError::Step(format!(
        "`{NAME}`: periods of `{time}` are no consecutive years, and annual growth or rates cannot be chained over them; \
         give output, deflator and nation as levels with benchmark = \"since-base\""
    )))
}

/// The numbers of a column; what to do about text is said in the method's own words.
fn numbers(panel: &Panel, name: &Name) -> Result<Arc<Vec<f64>>, StepError> {
    panel.real(name).map_err(|it| match it {
        PanelError::NotNumeric { .. } => StepError::Column {
            column: name.clone(),
            reason: "holds text; `resilience` needs numbers".to_owned(),
        },
        it => it.into(),
    })
}

//! Settings, and what they rule out.

use parallax_model::{AggregationRange, FitError, Name, vcov::Multiplier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PLUGIN;

/// Settings of `callaway-santanna`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column with each unit's first treated period; missing or 0 for never. Or give `treatment`.
    pub cohort: Option<Name>,
    /// Column of 0 and 1 that stays 1 once it is. Or give `cohort`.
    pub treatment: Option<Name>,
    /// How covariates enter a comparison.
    pub method: Method,
    /// Who is compared with a cohort.
    pub control: Control,
    /// Periods before adoption in which there may be effects already.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub anticipation: u32,
    /// What periods before adoption are compared with.
    pub base_period: BasePeriod,
    /// Whether a comparison takes units seen in both periods, or each period's rows.
    pub data: Data,
    /// Event times, periods and cohorts that enter aggregates.
    pub range: AggregationRange,
    /// Level of intervals and bands.
    pub level: f64,
    /// Draws of the multiplier bootstrap; none with 0.
    #[schemars(range(max = parallax_model::limits::DRAWS))]
    pub draws: usize,
    /// Distribution of multipliers.
    pub multiplier: Multiplier,
    /// Seed of the draws.
    pub seed: u64,
}

/// How covariates enter a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Doubly robust: logit by maximum likelihood, least squares among controls.
    #[default]
    Dr,
    /// Doubly robust for inference too: inverse probability tilting, least squares with its weights.
    DrImproved,
    /// Inverse probability weights that add up to one.
    Ipw,
    /// Outcome regression among controls.
    Reg,
}

/// Who is compared with a cohort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// Units that are never treated.
    #[default]
    NeverTreated,
    /// Units without a treatment up to the later of the two periods, and `anticipation` periods on.
    NotYetTreated,
}

/// What periods before adoption are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BasePeriod {
    /// The period before.
    #[default]
    Varying,
    /// The last period before the cohort is affected, as periods from adoption on.
    Universal,
}

/// What a comparison is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Data {
    /// Changes of units seen in both periods.
    #[default]
    Panel,
    /// Levels of every row of both periods.
    RepeatedCrossSections,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cohort: None,
            treatment: None,
            method: Method::default(),
            control: Control::default(),
            anticipation: 0,
            base_period: BasePeriod::default(),
            data: Data::default(),
            range: AggregationRange::default(),
            level: 0.95,
            draws: 0,
            multiplier: Multiplier::default(),
            seed: 1,
        }
    }
}

impl Method {
    /// What it comes to with `k` covariates, the constant among them: without others every method is a difference
    /// of means, and needs no score.
    pub(super) fn with(self, k: usize) -> Method {
        if k == 1 { Method::Reg } else { self }
    }

    /// Its name in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Method::Dr => "doubly robust (logit by maximum likelihood, least squares among controls)",
            Method::DrImproved => {
                "improved doubly robust (inverse probability tilting, weighted least squares)"
            }
            Method::Ipw => "inverse probability weights that add up to one (logit)",
            Method::Reg => "outcome regression among controls",
        }
    }
}

impl Options {
    /// Refuses what no data could make sense of.
    pub(super) fn check(&self) -> Result<(), FitError> {
        let refuse = |reason: &str| Err(FitError::Options { plugin: PLUGIN, reason: reason.to_owned() });
        if !(0.0 < self.level && self.level < 1.0) {
            return refuse("`level` lies between 0 and 1, as 0.95");
        }
        if 0 < self.draws && self.draws < 20 {
            return refuse("`draws` is 0 for none, or 20 or more; 999 is usual");
        }
        let unused = Options::default();
        if self.draws == 0 && (self.multiplier, self.seed) != (unused.multiplier, unused.seed) {
            return refuse(
                "`multiplier` and `seed` are for a bootstrap; ask for it with `draws`, 999 is usual",
            );
        }
        let ranges = [self.range.event, self.range.period, self.range.cohort];
        if ranges.iter().flatten().any(|[low, high]| high < low) {
            return refuse("a `range` goes from its smaller to its larger end");
        }
        Ok(())
    }

    /// `anticipation` among dates.
    pub(super) fn anticipation_periods(&self) -> i32 {
        i32::try_from(self.anticipation).unwrap_or(i32::MAX)
    }
}

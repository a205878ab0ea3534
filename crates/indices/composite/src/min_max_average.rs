#![doc = include_str!("../docs/min-max-average.md")]

use parallax_model::{IndexMethod, IndexResult, Name, Panel, PluginMeta, Status, StepError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Standardise,
    indicators::{Choice, Indicators, weighted_sums},
};

parallax_model::index_method!(MinMaxAverage);

const NAME: &str = "min-max-average";

/// Every indicator weighs the same.
pub struct MinMaxAverage;

/// Which columns, measured against what.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Columns of which more is better.
    #[serde(default)]
    pub positive: Vec<Name>,
    /// Columns of which less is better.
    #[serde(default)]
    pub negative: Vec<Name>,
    /// Rows that smallest and largest value are taken from.
    #[serde(default)]
    pub standardise: Standardise,
    /// Period whose rows alone give norms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<i32>,
    /// How standardised values are averaged.
    #[serde(default)]
    pub mean: Mean,
}

/// How standardised values are averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mean {
    /// Their sum over their number: a lack in one indicator is made up by another.
    #[default]
    Arithmetic,
    /// Root of their product: zero in one indicator is zero.
    Geometric,
}

impl IndexMethod for MinMaxAverage {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Plain average of indicators between 0 and 1",
        docs: include_str!("../docs/min-max-average.md"),
        status: Status::Preview { since: "0.1.0" },
        reference: "UNDP (2010), Human Development Report, technical note 1; OECD and JRC (2008), Handbook",
    };
    type Options = Options;

    fn build(panel: &Panel, options: &Options) -> Result<IndexResult, StepError> {
        let choice = choice(options);
        let indicators = Indicators::new(panel, &choice)?;
        let mut standardised = indicators.min_max();
        let k = standardised.len() as f64;
        let weights = vec![1.0 / k; standardised.len()];
        let scores = match options.mean {
            Mean::Arithmetic => weighted_sums(&standardised, &weights),
            Mean::Geometric => {
                refuse_negative(&choice, &standardised)?;
                standardised.iter_mut().flatten().for_each(|it| *it = it.ln());
                weighted_sums(&standardised, &weights).into_iter().map(f64::exp).collect()
            }
        };
        Ok(indicators.finish(&scores, weights, Vec::new()))
    }

    fn reads(options: &Options) -> Vec<Name> {
        choice(options).names()
    }
}

fn choice(options: &Options) -> Choice<'_> {
    let Options { positive, negative, standardise, base, .. } = options;
    Choice { plugin: NAME, positive, negative, standardise: *standardise, base: *base }
}

/// Values below the smallest of the base period are negative, and have no geometric mean.
fn refuse_negative(choice: &Choice<'_>, columns: &[Vec<f64>]) -> Result<(), StepError> {
    let below = columns.iter().flatten().filter(|it| **it < 0.0).count();
    if below == 0 {
        return Ok(());
    }
    Err(choice.refuse(format!(
        "{below} values lie below the worst of the base period and have no geometric mean; use \
         `mean = \"arithmetic\"`, or no `base`"
    )))
}

#![doc = include_str!("../docs/coefficient-of-variation.md")]

use parallax_model::{IndexMethod, IndexResult, Name, Panel, PluginMeta, Status, StepError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Standardise,
    indicators::{Choice, Indicators, mean_and_sd, picked, shares, weighted_sums},
};

parallax_model::index_method!(CoefficientOfVariation);

const NAME: &str = "coefficient-of-variation";

/// Indicators that vary more, relative to their mean, weigh more.
pub struct CoefficientOfVariation;

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
    /// Period whose rows alone give norms and weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<i32>,
    /// Which values the variation is taken of.
    #[serde(default)]
    pub variation_of: VariationOf,
}

/// Which values the variation is taken of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VariationOf {
    /// Values as they are: standard deviation over mean of the data.
    #[default]
    Raw,
    /// Values between 0 and 1, turned where less is better.
    Standardised,
}

impl IndexMethod for CoefficientOfVariation {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Sum of standardised indicators, weighted by standard deviation over mean",
        docs: include_str!("../docs/coefficient-of-variation.md"),
        status: Status::Preview { since: "0.1.0" },
        reference: "OECD and JRC (2008), Handbook on Constructing Composite Indicators, ch. 6; Pearson (1896)",
    };
    type Options = Options;

    fn build(panel: &Panel, options: &Options) -> Result<IndexResult, StepError> {
        let indicators = Indicators::new(panel, &choice(options))?;
        let standardised = indicators.min_max();
        let varied = match options.variation_of {
            VariationOf::Raw => &indicators.columns,
            VariationOf::Standardised => &standardised,
        };
        let variations = variations(&indicators.names, varied, &indicators.reference())?;
        let weights = shares(&variations);
        let scores = weighted_sums(&standardised, &weights);
        Ok(indicators.finish(&scores, weights, vec![("variation", "Coefficient of variation", variations)]))
    }

    fn reads(options: &Options) -> Vec<Name> {
        choice(options).names()
    }
}

fn choice(options: &Options) -> Choice<'_> {
    let Options { positive, negative, standardise, base, .. } = options;
    Choice { plugin: NAME, positive, negative, standardise: *standardise, base: *base }
}

/// Standard deviation over the mean, which only has a meaning about a mean away from zero.
fn variations(names: &[Name], columns: &[Vec<f64>], rows: &[usize]) -> Result<Vec<f64>, StepError> {
    let one = |(name, column): (&Name, &Vec<f64>)| {
        let (mean, sd) = mean_and_sd(&picked(column, rows));
        if 0.0 < mean {
            return Ok(sd / mean);
        }
        let reason = format!(
            "has a mean of {mean}, by which its standard deviation would be divided; use \
             `variation-of = \"standardised\"`, or another index"
        );
        Err(StepError::Column { column: name.clone(), reason })
    };
    names.iter().zip(columns).map(one).collect()
}

#![doc = include_str!("../docs/entropy-weights.md")]

use parallax_model::{IndexMethod, IndexResult, Name, Panel, PluginMeta, Status, StepError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Standardise,
    indicators::{Choice, Indicators, picked, shares, weighted_sums},
};

parallax_model::index_method!(EntropyWeights);

const NAME: &str = "entropy-weights";

/// Indicators that tell units apart weigh more.
pub struct EntropyWeights;

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
    /// Added to standardised values before their shares are taken; 0 takes 0 ln 0 as its limit, 0.
    #[serde(default)]
    pub shift: f64,
}

impl IndexMethod for EntropyWeights {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Sum of standardised indicators, weighted by their information entropy",
        docs: include_str!("../docs/entropy-weights.md"),
        status: Status::Preview { since: "0.1.0" },
        reference: "Hwang and Yoon (1981), Multiple Attribute Decision Making, 3.2.2; Zeleny (1982)",
    };
    type Options = Options;

    fn build(panel: &Panel, options: &Options) -> Result<IndexResult, StepError> {
        let choice = choice(options);
        if !(0.0..1.0).contains(&options.shift) {
            let reason =
                format!("`shift` is {}; it is 0 or a small positive number as 0.0001", options.shift);
            return Err(choice.refuse(reason));
        }
        let indicators = Indicators::new(panel, &choice)?;
        let standardised = indicators.min_max();
        let entropy = entropies(&standardised, &indicators.reference(), options.shift);
        let weights = divergence_weights(&entropy);
        let scores = weighted_sums(&standardised, &weights);
        Ok(indicators.finish(&scores, weights, vec![("entropy", "Entropy", entropy)]))
    }

    fn reads(options: &Options) -> Vec<Name> {
        choice(options).names()
    }
}

fn choice(options: &Options) -> Choice<'_> {
    let Options { positive, negative, standardise, base, .. } = options;
    Choice { plugin: NAME, positive, negative, standardise: *standardise, base: *base }
}

/// Entropy of each column over some rows, between 0 (one row has all) and 1 (all rows have the same):
/// e = - sum p ln p / ln n with p the share of a row in the column's sum, after adding `shift`.
pub(crate) fn entropies(columns: &[Vec<f64>], rows: &[usize], shift: f64) -> Vec<f64> {
    let most = (rows.len() as f64).ln();
    let entropy = |column: &Vec<f64>| {
        let shifted: Vec<f64> = picked(column, rows).into_iter().map(|it| it + shift).collect();
        let information = |p: f64| if p == 0.0 { 0.0 } else { p * p.ln() };
        -shares(&shifted).into_iter().map(information).sum::<f64>() / most
    };
    columns.iter().map(entropy).collect()
}

/// Weights in proportion to 1 - e.
pub(crate) fn divergence_weights(entropy: &[f64]) -> Vec<f64> {
    shares(&entropy.iter().map(|e| 1.0 - e).collect::<Vec<f64>>())
}

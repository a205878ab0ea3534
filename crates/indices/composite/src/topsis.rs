#![doc = include_str!("../docs/topsis.md")]

use std::collections::BTreeMap;

use parallax_model::{IndexMethod, IndexResult, Name, Panel, PluginMeta, Status, StepError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Standardise,
    entropy_weights::{divergence_weights, entropies},
    indicators::{Choice, Indicators, picked, range, shares},
};

parallax_model::index_method!(Topsis);

const NAME: &str = "topsis";

/// Near the best values and far from the worst.
pub struct Topsis;

/// Which columns, measured against what, with which weights.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Columns of which more is better.
    #[serde(default)]
    pub positive: Vec<Name>,
    /// Columns of which less is better.
    #[serde(default)]
    pub negative: Vec<Name>,
    /// Rows that norms, best and worst values are taken from.
    #[serde(default)]
    pub standardise: Standardise,
    /// Period whose rows alone give norms, weights, best and worst values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<i32>,
    /// Where weights come from.
    #[serde(default)]
    pub weights: Weights,
    /// The weights, one an indicator, for `weights = "given"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given: BTreeMap<String, f64>,
    /// How indicators are made comparable.
    #[serde(default)]
    pub normalise: Normalise,
}

/// Where weights come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// As `entropy-weights` makes them, without a shift.
    #[default]
    Entropy,
    /// The same for all.
    Equal,
    /// As in `given`, divided by their sum.
    Given,
}

/// How indicators are made comparable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Normalise {
    /// Divided by the root of their sum of squares.
    #[default]
    Vector,
    /// Between 0 and 1.
    MinMax,
}

impl IndexMethod for Topsis {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Closeness to the best values of all indicators, between 0 and 1",
        docs: include_str!("../docs/topsis.md"),
        status: Status::Preview { since: "0.1.0" },
        reference: "Hwang and Yoon (1981), Multiple Attribute Decision Making, 3.4.4",
    };
    type Options = Options;

    fn build(panel: &Panel, options: &Options) -> Result<IndexResult, StepError> {
        let choice = choice(options);
        let indicators = Indicators::new(panel, &choice)?;
        let weights = weights(options, &choice, &indicators)?;
        // After min-max, more is better in every column.
        let (columns, less_is_better) = match options.normalise {
            Normalise::Vector => (indicators.unit_vectors(), indicators.negative.clone()),
            Normalise::MinMax => (indicators.min_max(), vec![false; weights.len()]),
        };
        let scores = closeness(&indicators, &columns, &less_is_better, &weights);
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

fn weights(options: &Options, choice: &Choice<'_>, indicators: &Indicators) -> Result<Vec<f64>, StepError> {
    if options.weights != Weights::Given && !options.given.is_empty() {
        return Err(
            choice.refuse("`given` holds weights, so `weights = \"given\"` is needed; or leave `given` out")
        );
    }
    match options.weights {
        Weights::Entropy => {
            Ok(divergence_weights(&entropies(&indicators.min_max(), &indicators.reference(), 0.0)))
        }
        Weights::Equal => Ok(shares(&vec![1.0; indicators.names.len()])),
        Weights::Given => {
            if let Some(it) = options
                .given
                .keys()
                .find(|it| !indicators.names.iter().any(|name| name.as_str() == it.as_str()))
            {
                return Err(choice.refuse(format!("`given` has a weight for `{it}`, which is no indicator")));
            }
            let one =
                |name: &Name| match options.given.get(name.as_str()) {
                    Some(&it) if it.is_finite() && 0.0 < it => Ok(it),
                    Some(it) => {
                        Err(choice.refuse(format!("the weight of `{name}` is {it}; weights are positive")))
                    }
                    None => Err(choice
                        .refuse(format!("`given` has no weight for `{name}`; give one for each indicator"))),
                };
            Ok(shares(&indicators.names.iter().map(one).collect::<Result<Vec<f64>, _>>()?))
        }
    }
}

/// D- / (D+ + D-), with the distances from the best and the worst of the group's reference rows.
fn closeness(
    indicators: &Indicators,
    columns: &[Vec<f64>],
    less_is_better: &[bool],
    weights: &[f64],
) -> Vec<f64> {
    let mut scores = vec![f64::NAN; columns.first().map_or(0, Vec::len)];
    for (members, reference) in indicators.groups() {
        let mut squares = vec![(0.0, 0.0); members.len()];
        for ((column, &less), weight) in columns.iter().zip(less_is_better).zip(weights) {
            let (low, high) = range(&picked(column, reference));
            let (best, worst) = if less { (low, high) } else { (high, low) };
            for ((to_best, to_worst), value) in squares.iter_mut().zip(picked(column, members)) {
                // With `base` a row can be better than the best: it is at the best, and not as far from it.
                let value = value.clamp(low, high);
                *to_best += (weight * (value - best)).powi(2);
                *to_worst += (weight * (value - worst)).powi(2);
            }
        }
        for (&row, (to_best, to_worst)) in members.iter().zip(squares) {
            let (to_best, to_worst): (f64, f64) = (to_best.sqrt(), to_worst.sqrt());
            if let Some(score) = scores.get_mut(row) {
                *score = to_worst / (to_best + to_worst);
            }
        }
    }
    scores
}

#![doc = include_str!("../docs/principal-components.md")]

use parallax_model::{
    Detail, IndexMethod, IndexResult, Mat, Name, Panel, PluginMeta, Status, StepError, chi2_upper,
    linalg::{LinalgError, gram, symmetric_eigen, symmetric_inverse},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Standardise,
    indicators::{Choice, Indicators, picked, shares, weighted_sums},
};

parallax_model::index_method!(PrincipalComponents);

const NAME: &str = "principal-components";

/// Directions in which standardised indicators vary most.
pub struct PrincipalComponents;

/// Which columns, measured against what, and how many components.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Columns of which more is better.
    #[serde(default)]
    pub positive: Vec<Name>,
    /// Columns of which less is better; their sign is turned.
    #[serde(default)]
    pub negative: Vec<Name>,
    /// Rows that means and standard deviations are taken from.
    #[serde(default)]
    pub standardise: Standardise,
    /// Period whose rows alone give norms and components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<i32>,
    /// How the number of components is chosen.
    #[serde(default)]
    pub choose: Number,
    /// Components, for `choose = "count"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = parallax_model::limits::COMPONENTS))]
    pub count: Option<usize>,
    /// Share of variance to reach, between 0 and 1, for `choose = "share"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

/// How the number of components is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Number {
    /// Those with an eigenvalue above one (Kaiser 1960).
    #[default]
    EigenvalueAboveOne,
    /// As many as `count` says.
    Count,
    /// The fewest that hold the variance `share`.
    Share,
}

impl IndexMethod for PrincipalComponents {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Component scores of standardised indicators, weighted by their share of variance",
        docs: include_str!("../docs/principal-components.md"),
        status: Status::Preview { since: "0.1.0" },
        reference: "Jolliffe (2002), Principal Component Analysis, 2nd ed., ch. 2.3 and 6.1",
    };
    type Options = Options;

    fn build(panel: &Panel, options: &Options) -> Result<IndexResult, StepError> {
        let choice = choice(options);
        let mut indicators = Indicators::new(panel, &choice)?;
        let z = indicators.z_scores();
        let components = Components::of(&z, &indicators.reference()).map_err(|it| failed(&it))?;
        let kept = number(options, &choice, &components.eigenvalues)?;
        let weights = components.weights(kept);
        let scores = weighted_sums(&z, &weights);
        indicators.note(components.text(kept));
        indicators.note(components.adequacy(indicators.reference().len())?);
        let against: Vec<String> = (indicators.names.iter().zip(&weights))
            .filter(|it| *it.1 < 0.0)
            .map(|it| format!("`{}`", it.0))
            .collect();
        if !against.is_empty() {
            let names = against.join(", ");
            indicators
                .note(format!("the score runs against the direction of {names}, whose weight is negative"));
        }
        let labels: Vec<String> = (1..=components.loadings.len()).map(|it| format!("loading_{it}")).collect();
        let loadings = labels.iter().map(String::as_str).zip(components.loadings.clone());
        let more = loadings.map(|(name, values)| (name, name, values)).collect();
        let mut result = indicators.finish(&scores, weights, more);
        result.details.push(components.table(kept));
        Ok(result)
    }

    fn reads(options: &Options) -> Vec<Name> {
        choice(options).names()
    }
}

fn choice(options: &Options) -> Choice<'_> {
    let Options { positive, negative, standardise, base, .. } = options;
    Choice { plugin: NAME, positive, negative, standardise: *standardise, base: *base }
}

fn failed(error: &LinalgError) -> StepError {
    StepError::Step(format!("`{NAME}`: {error}"))
}

fn number(options: &Options, choice: &Choice<'_>, eigenvalues: &[f64]) -> Result<usize, StepError> {
    let k = eigenvalues.len();
    match (options.choose, options.count, options.share) {
        (Number::EigenvalueAboveOne, None, None) => {
            match eigenvalues.iter().filter(|it| 1.0 < **it).count() {
                0 => Err(choice.refuse(
                    "no eigenvalue is above one, since the indicators are not correlated; set `count`",
                )),
                kept => Ok(kept),
            }
        }
        (Number::Count, Some(count), None) if (1..=k).contains(&count) => Ok(count),
        (Number::Count, Some(count), None) => {
            Err(choice
                .refuse(format!("`count` is {count}; it lies between 1 and {k}, the number of indicators")))
        }
        (Number::Share, None, Some(share)) if 0.0 < share && share <= 1.0 => {
            let mut reached = 0.0;
            let enough = |it: &f64| {
                reached += it / k as f64;
                share <= reached
            };
            Ok(eigenvalues.iter().position(enough).map_or(k, |it| it + 1))
        }
        (Number::Share, None, Some(share)) => {
            Err(choice.refuse(format!("`share` is {share}; it lies between 0 and 1, as 0.85")))
        }
        _ => Err(choice.refuse(
            "`choose = \"count\"` needs `count` alone, `choose = \"share\"` needs `share` alone, and \
             `choose = \"eigenvalue-above-one\"` neither",
        )),
    }
}

/// Share of the mean eigenvalue, which is one, below which the correlation matrix counts as singular.
const SINGULAR: f64 = 1e-10;
/// A sum of loadings nearer to zero than this has no sign.
const NO_SIGN: f64 = 1e-8;

/// Eigenvalues and eigenvectors of a correlation matrix.
struct Components {
    correlations: Mat<f64>,
    /// Descending.
    eigenvalues: Vec<f64>,
    /// One a component, of unit length.
    loadings: Vec<Vec<f64>>,
}

impl Components {
    /// Components of standardised columns on some rows.
    fn of(z: &[Vec<f64>], rows: &[usize]) -> Result<Components, LinalgError> {
        let on_rows: Vec<Vec<f64>> = z.iter().map(|it| picked(it, rows)).collect();
        let columns: Vec<&[f64]> = on_rows.iter().map(Vec::as_slice).collect();
        let products = gram(&columns, None)?;
        let k = columns.len();
        let correlations =
            Mat::from_fn(k, k, |i, j| products[(i, j)] / (products[(i, i)] * products[(j, j)]).sqrt());
        let (ascending, vectors) = symmetric_eigen(correlations.as_ref())?;
        let loadings =
            (0..k).rev().map(|at| signed((0..k).map(|row| vectors[(row, at)]).collect())).collect();
        Ok(Components { correlations, eigenvalues: ascending.into_iter().rev().collect(), loadings })
    }

    /// Weight of each indicator in the sum of the first components by their shares of the variance kept.
    fn weights(&self, kept: usize) -> Vec<f64> {
        let share = shares(&self.eigenvalues.iter().take(kept).copied().collect::<Vec<f64>>());
        let weight = |at: usize| {
            let part =
                |(share, loadings): (&f64, &Vec<f64>)| share * loadings.get(at).copied().unwrap_or(f64::NAN);
            share.iter().zip(&self.loadings).map(part).sum()
        };
        (0..self.eigenvalues.len()).map(weight).collect()
    }

    /// One row a component.
    fn table(&self, kept: usize) -> Detail {
        let k = self.eigenvalues.len();
        let total = |count: usize| self.eigenvalues.iter().take(count).sum::<f64>() / k as f64;
        Detail::new("components", format!("Components of `{NAME}`"))
            .text("component", "Component", (1..=k).map(|it| it.to_string()).collect())
            .number("eigenvalue", "Eigenvalue", self.eigenvalues.clone())
            .number("share", "Share of variance", self.eigenvalues.iter().map(|it| it / k as f64).collect())
            .number("cumulative", "Cumulative", (1..=k).map(total).collect())
            .count("kept", "Kept", (0..k).map(|it| f64::from(u8::from(it < kept))).collect())
    }

    fn text(&self, kept: usize) -> String {
        let values: Vec<String> = self.eigenvalues.iter().map(|it| format!("{it:.4}")).collect();
        let held: f64 = self.eigenvalues.iter().take(kept).sum::<f64>() / self.eigenvalues.len() as f64;
        format!(
            "{kept} components hold {:.1} % of the variance; eigenvalues {}",
            100.0 * held,
            values.join(", ")
        )
    }

    /// Kaiser (1974) and Bartlett (1950): whether the correlations are worth a component.
    fn adequacy(&self, n: usize) -> Result<String, StepError> {
        let k = self.eigenvalues.len();
        let singular = self.eigenvalues.last().is_none_or(|it| *it < SINGULAR);
        if k < 2 || singular {
            return Ok("KMO and Bartlett's test are not defined: indicators are collinear, or there is one"
                .to_owned());
        }
        let inverse = symmetric_inverse(self.correlations.as_ref()).map_err(|it| failed(&it))?;
        let (mut correlations, mut partial) = (0.0, 0.0);
        for (i, j) in (0..k).flat_map(|i| (0..k).map(move |j| (i, j))).filter(|(i, j)| i != j) {
            correlations += self.correlations[(i, j)].powi(2);
            partial += inverse[(i, j)].powi(2) / (inverse[(i, i)] * inverse[(j, j)]);
        }
        let kmo = correlations / (correlations + partial);
        let log_determinant: f64 = self.eigenvalues.iter().map(|it| it.ln()).sum();
        let chi2 = -(n as f64 - 1.0 - (2.0 * k as f64 + 5.0) / 6.0) * log_determinant;
        let df = (k * (k - 1) / 2) as f64;
        Ok(format!(
            "KMO {kmo:.4}; Bartlett's chi-squared {chi2:.4} with {df} df, p {:.4}",
            chi2_upper(chi2, df)
        ))
    }
}

/// The direction in which the sum of loadings is positive: more of good indicators is a higher score. Where the
/// sum is zero the largest loading is positive.
fn signed(vector: Vec<f64>) -> Vec<f64> {
    let sum: f64 = vector.iter().sum();
    if sum < -NO_SIGN { vector.into_iter().map(|it| -it).collect() } else { vector }
}

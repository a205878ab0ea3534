//! The propensity score: a fitted logit or probit, or numbers given.

use parallax_model::linalg::{BinaryResponse, Information, LinalgError, Link, binary_response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The model of treatment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreModel {
    /// Normal (psmatch2's default).
    #[default]
    Probit,
    /// Logistic.
    Logit,
}

/// On which scale distances between scores are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// P(treated | x).
    #[default]
    Probability,
    /// ln(p/(1-p)).
    Odds,
    /// The linear index x'b of the fitted model.
    Index,
}

impl ScoreModel {
    /// The link of the model.
    pub fn link(self) -> Link {
        match self {
            ScoreModel::Probit => Link::Probit,
            ScoreModel::Logit => Link::Logit,
        }
    }

    /// As tables name it.
    pub fn title(self) -> &'static str {
        match self {
            ScoreModel::Probit => "Probit",
            ScoreModel::Logit => "Logit",
        }
    }

    /// Fits treatment on a constant and the covariates; column 0 of the result is the constant.
    ///
    /// # Errors
    /// Those of [`binary_response`].
    pub fn fit(
        self,
        treated: &[f64],
        covariates: &[&[f64]],
        weights: Option<&[f64]>,
    ) -> Result<BinaryResponse, LinalgError> {
        let ones = vec![1.0; treated.len()];
        let columns: Vec<&[f64]> =
            std::iter::once(ones.as_slice()).chain(covariates.iter().copied()).collect();
        binary_response(&columns, treated, weights, self.link(), Information::Observed)
    }
}

/// ln(p/(1-p)).
pub fn log_odds(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}

//! The request: one column of one table, as a study file or the command line states it.

use std::{fmt, str::FromStr};

use parallax_base::Name;
use parallax_vcov::{Repair, SmallSample, VcovSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Formula;

/// Which estimator, which formula, which errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelSpec {
    /// A name of `parallax estimators`.
    pub estimator: String,
    /// `outcome ~ regressors | effects`, as fixest reads it.
    pub formula: Formula,
    /// Column of weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Name>,
    /// What the weights mean.
    #[serde(default)]
    pub weight_kind: WeightKind,
    /// `iid`, `hc0` to `hc3`, `cluster:A`, `cluster:A+B`.
    pub vcov: VcovSpec,
    /// `fixest`, `reghdfe`, `xtreg`, `plm`, `none`, or every rule written out.
    #[serde(default)]
    pub small_sample: SmallSample,
    /// Which program's repair a multi-way covariance gets that is not positive; none when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<Repair>,
    /// What happens to rows alone in a group of an absorbed effect.
    #[serde(default)]
    pub singletons: SingletonPolicy,
    /// The estimator's own settings.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub options: serde_json::Map<String, serde_json::Value>,
}

/// What weights mean. Coefficients are the same; degrees of freedom are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WeightKind {
    /// A row stands for a mean over that many: n is the number of rows (Stata's aweight).
    #[default]
    Analytic,
    /// A row is there that many times: n is the sum of weights (Stata's fweight), which are whole.
    Frequency,
}

impl fmt::Display for WeightKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WeightKind::Analytic => "analytic",
            WeightKind::Frequency => "frequency",
        })
    }
}

impl FromStr for WeightKind {
    type Err = String;

    fn from_str(text: &str) -> Result<WeightKind, String> {
        match text {
            "analytic" => Ok(WeightKind::Analytic),
            "frequency" => Ok(WeightKind::Frequency),
            _ => Err(format!("`{text}` is neither analytic nor frequency")),
        }
    }
}

/// What happens to rows alone in a group of an absorbed effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SingletonPolicy {
    /// They are dropped, repeatedly, as reghdfe and fixest 0.14 do.
    #[default]
    Drop,
    /// They are kept: they fit themselves, and shrink clustered errors.
    Keep,
}

impl fmt::Display for SingletonPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SingletonPolicy::Drop => "drop",
            SingletonPolicy::Keep => "keep",
        })
    }
}

impl FromStr for SingletonPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<SingletonPolicy, String> {
        match text {
            "drop" => Ok(SingletonPolicy::Drop),
            "keep" => Ok(SingletonPolicy::Keep),
            _ => Err(format!("`{text}` is neither drop nor keep")),
        }
    }
}

//! The options of matching that step and estimator share, and the refusal of those that a method does not read.

use parallax_model::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::Kernel,
    matching::{Plan, Support},
    nearest::{Nearest, Order},
    score::{Scale, ScoreModel},
    side::Rule,
};

/// Bandwidth where none is given, psmatch2's.
const BANDWIDTH: f64 = 0.06;

/// Strata where no number is given, MatchIt's.
const STRATA: usize = 6;

/// How controls are found for the treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The nearest controls.
    #[default]
    Nearest,
    /// All controls within the caliper, equally.
    Radius,
    /// Controls within the bandwidth, by a kernel.
    Kernel,
    /// The intercept of a kernel-weighted line.
    LocalLinear,
    /// All controls of a stratum of scores, equally.
    Subclass,
    /// All controls, by their odds of treatment.
    Ipw,
}

/// What to do with controls at the same distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// Take the lower score, then the earlier row.
    One,
    /// Take all of them, with equal shares.
    All,
}

/// Everything that decides a match, given treatment and covariates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatchOptions {
    /// See the pages of the plugins.
    pub method: Method,
    pub(crate) score: Option<ScoreModel>,
    pub(crate) score_column: Option<Name>,
    pub(crate) distance: Scale,
    pub(crate) k: Option<usize>,
    pub(crate) caliper: Option<f64>,
    pub(crate) bandwidth: Option<f64>,
    pub(crate) kernel: Option<Kernel>,
    pub(crate) replacement: Option<bool>,
    pub(crate) ties: Option<Ties>,
    pub(crate) tie_tolerance: Option<f64>,
    pub(crate) order: Option<Order>,
    pub(crate) strata: Option<usize>,
    pub(crate) common: bool,
    pub(crate) trim: Option<f64>,
}

/// A struct of options with those of matching in it: serde cannot both flatten and refuse unknown keys.
macro_rules! with_match_options {
    ($(#[$outer:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$outer])*
        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            $($own)*
            /// `nearest`, `radius`, `kernel`, `local-linear`, `subclass` or `ipw`.
            #[serde(default)]
            pub method: Method,
            /// Model of the score: `probit` or `logit`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub score: Option<ScoreModel>,
            /// Column with scores, instead of a model.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub score_column: Option<Name>,
            /// Scale of distances: `probability`, `odds` or `index`.
            #[serde(default)]
            pub distance: Scale,
            /// Neighbours a treated row.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(range(min = 1, max = parallax_model::limits::NEIGHBOURS))]
            pub k: Option<usize>,
            /// Distances must be below it (`nearest`), or at most it (`radius`).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub caliper: Option<f64>,
            /// Bandwidth of `kernel` and `local-linear`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub bandwidth: Option<f64>,
            /// `epanechnikov`, `gaussian`, `uniform`, `biweight` or `tricube`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub kernel: Option<Kernel>,
            /// A control may serve more than once.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub replacement: Option<bool>,
            /// `one` or `all`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub ties: Option<Ties>,
            /// With `ties = "all"`: squared distances in variances of the score that are this near count as tied.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub tie_tolerance: Option<f64>,
            /// Without replacement: `largest`, `smallest`, `data`, `sweep-ascending` or `sweep-descending`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub order: Option<Order>,
            /// Strata of `subclass`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(range(min = 1, max = parallax_model::limits::STRATA))]
            pub strata: Option<usize>,
            /// Treated rows outside the range of the controls' scores are off support.
            #[serde(default)]
            pub common: bool,
            /// Treated rows where controls are rarest are off support, this per cent of them.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub trim: Option<f64>,
        }

        impl $name {
            /// The options of matching.
            pub fn matching(&self) -> MatchOptions {
                MatchOptions {
                    method: self.method,
                    score: self.score,
                    score_column: self.score_column.clone(),
                    distance: self.distance,
                    k: self.k,
                    caliper: self.caliper,
                    bandwidth: self.bandwidth,
                    kernel: self.kernel,
                    replacement: self.replacement,
                    ties: self.ties,
                    tie_tolerance: self.tie_tolerance,
                    order: self.order,
                    strata: self.strata,
                    common: self.common,
                    trim: self.trim,
                }
            }
        }
    };
}
pub(crate) use with_match_options;

impl MatchOptions {
    /// The model of the score.
    pub fn model(&self) -> ScoreModel {
        self.score.unwrap_or_default()
    }

    /// Which rows may be matched at all.
    pub fn support(&self) -> Support {
        Support { common: self.common, trim: self.trim }
    }

    /// How to match; `variance` is that of the distances, for `tie-tolerance`.
    ///
    /// # Errors
    /// A sentence on an option that is out of range, or that the method does not read.
    pub fn plan(&self, variance: f64) -> Result<Plan, String> {
        self.refuse_idle()?;
        self.refuse_out_of_range()?;
        let kernel = self.kernel.unwrap_or_default();
        let bandwidth = self.bandwidth.unwrap_or(BANDWIDTH);
        Ok(match self.method {
            Method::Nearest => Plan::Pairs(Rule::Nearest(self.nearest(variance))),
            Method::Radius => {
                let bandwidth = self.caliper.ok_or("`method = \"radius\"` needs `caliper`, the radius")?;
                Plan::Pairs(Rule::Kernel { kernel: Kernel::Uniform, bandwidth })
            }
            Method::Kernel => Plan::Pairs(Rule::Kernel { kernel, bandwidth }),
            Method::LocalLinear => Plan::Pairs(Rule::LocalLinear { kernel, bandwidth }),
            Method::Subclass => Plan::Pairs(Rule::Strata(self.strata.unwrap_or(STRATA))),
            Method::Ipw => Plan::InverseProbability,
        })
    }

    fn nearest(&self, variance: f64) -> Nearest {
        let ties = match self.ties {
            Some(Ties::All) => Some(self.tie_tolerance.unwrap_or(0.0) * variance),
            Some(Ties::One) | None => None,
        };
        Nearest {
            k: self.k.unwrap_or(1),
            caliper: self.caliper.unwrap_or(f64::INFINITY),
            replacement: self.replacement.unwrap_or(true),
            ties,
            order: self.order.unwrap_or_default(),
        }
    }

    /// No option is ignored: one that the method does not read is an error.
    fn refuse_idle(&self) -> Result<(), String> {
        let nearest = self.method == Method::Nearest;
        let window = matches!(self.method, Method::Kernel | Method::LocalLinear);
        let alone = self.replacement == Some(false);
        let all = self.ties == Some(Ties::All);
        let sweep = matches!(self.order, Some(Order::SweepAscending | Order::SweepDescending));
        let rules = [
            ("k", self.k.is_some(), nearest, "`method = \"nearest\"`"),
            (
                "caliper",
                self.caliper.is_some(),
                nearest || self.method == Method::Radius,
                "`nearest` and `radius`",
            ),
            ("bandwidth", self.bandwidth.is_some(), window, "`kernel` and `local-linear`"),
            ("kernel", self.kernel.is_some(), window, "`kernel` and `local-linear`"),
            ("replacement", self.replacement.is_some(), nearest, "`method = \"nearest\"`"),
            ("ties", self.ties.is_some(), nearest, "`method = \"nearest\"`"),
            ("ties", all, !alone, "matching with replacement: without it a tie is broken once"),
            ("tie-tolerance", self.tie_tolerance.is_some(), all, "`ties = \"all\"`"),
            ("order", self.order.is_some(), nearest && alone, "`replacement = false`"),
            (
                "k",
                sweep && 1 < self.k.unwrap_or(1),
                false,
                "`order` largest, smallest or data; a sweep is 1:1",
            ),
            ("strata", self.strata.is_some(), self.method == Method::Subclass, "`method = \"subclass\"`"),
            (
                "score",
                self.score.is_some(),
                self.score_column.is_none(),
                "a fitted score; `score-column` gives one",
            ),
            (
                "distance",
                self.distance == Scale::Index,
                self.score_column.is_none(),
                "a fitted score; the column is taken as it is with `probability`",
            ),
            (
                "distance",
                self.distance != Scale::Probability,
                self.method != Method::Ipw,
                "methods that measure distances",
            ),
        ];
        match rules.iter().find(|it| it.1 && !it.2) {
            Some((name, _, _, reader)) => Err(format!("`{name}` is read by {reader} only; leave it out")),
            None => Ok(()),
        }
    }

    fn refuse_out_of_range(&self) -> Result<(), String> {
        let positive = |name: &str, value: Option<f64>| match value {
            Some(it) if !(0.0 < it && it.is_finite()) => Err(format!("`{name}` = {it} must be positive")),
            _ => Ok(()),
        };
        positive("caliper", self.caliper)?;
        positive("bandwidth", self.bandwidth)?;
        if let Some(it) = self.tie_tolerance.filter(|it| !(0.0 <= *it && it.is_finite())) {
            return Err(format!("`tie-tolerance` = {it} must not be negative"));
        }
        if let Some(it) = self.trim.filter(|it| !(0.0..100.0).contains(it)) {
            return Err(format!("`trim` = {it} is a per cent from 0 to below 100"));
        }
        if self.k == Some(0) || self.strata == Some(0) {
            return Err("`k` and `strata` are at least 1".to_owned());
        }
        Ok(())
    }
}

//! Patterns: what has to hold of a source's estimates, such as the known effect of simulated data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::StudyResult;

/// Bounds on one estimate. Printed numbers cannot be met by simulated data; what the simulation put in can.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PatternEntry {
    /// Model.
    pub model: String,
    /// Term as estimates print it.
    pub term: String,
    /// The estimate lies above it.
    #[serde(default)]
    pub above: Option<f64>,
    /// The estimate lies below it.
    #[serde(default)]
    pub below: Option<f64>,
    /// The p-value lies below it.
    #[serde(default)]
    pub p_below: Option<f64>,
}

impl PatternEntry {
    /// What makes the pattern say nothing, or contradict itself.
    pub(crate) fn check(&self) -> Result<(), String> {
        let bounds = [self.above, self.below, self.p_below];
        if bounds.iter().flatten().any(|it| !it.is_finite()) {
            return Err("a bound of a pattern is a finite number".to_owned());
        }
        if bounds.iter().all(Option::is_none) {
            return Err(
                "a pattern needs `above`, `below` or `p-below`; without one it always holds".to_owned()
            );
        }
        if let (Some(above), Some(below)) = (self.above, self.below)
            && below <= above
        {
            return Err(format!("no estimate lies above {above} and below {below}"));
        }
        if self.p_below.is_some_and(|it| !(0.0 < it && it <= 1.0)) {
            return Err("`p-below` lies between 0 and 1, as 0.05".to_owned());
        }
        Ok(())
    }

    /// Why the pattern does not hold; `None` when it does.
    pub fn fault(&self, result: &StudyResult) -> Option<String> {
        let (model, term) = (&self.model, &self.term);
        let Some(Ok(estimate)) = result.model(model).map(|it| &it.estimate) else {
            return Some(format!("model `{model}` has no estimate"));
        };
        let Some(row) = estimate.row(term, crate::file::usual_level()) else {
            return Some(format!("model `{model}` has no term `{term}`"));
        };
        let fault = |value: f64, bound: &str| Some(format!("`{term}` of `{model}` is {value}, not {bound}"));
        // A missing number lies nowhere: no comparison with it holds.
        let above = |bound: f64| {
            let holds = bound < row.estimate;
            if holds { None } else { fault(row.estimate, &format!("above {bound}")) }
        };
        let below = |bound: f64| {
            let holds = row.estimate < bound;
            if holds { None } else { fault(row.estimate, &format!("below {bound}")) }
        };
        let p_below = |bound: f64| {
            let holds = row.p_value < bound;
            let said = format!("below {bound} in its p-value ({})", row.p_value);
            if holds { None } else { fault(row.estimate, &said) }
        };
        let first = self.above.and_then(above).or_else(|| self.below.and_then(below));
        first.or_else(|| self.p_below.and_then(p_below))
    }
}

//! [`WeightsUsed`]: what weights did to an estimate, for those who read it.

use std::fmt;

use parallax_base::Name;
use serde::Serialize;

use crate::WeightKind;

/// Weights of an estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightsUsed {
    /// The column.
    pub column: Name,
    /// What a weight means.
    pub kind: WeightKind,
    /// What its size means.
    pub scale: WeightScale,
}

/// What the size of weights means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightScale {
    /// Nothing: all weights times a constant give the same estimates and errors.
    #[default]
    Relative,
    /// They are taken as they are given: all of them times a constant give other errors.
    AsGiven,
    /// They count rows.
    Counts,
}

impl fmt::Display for WeightsUsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.scale {
            WeightScale::Relative => "only their ratios matter",
            WeightScale::AsGiven => "taken as given, not rescaled",
            WeightScale::Counts => "a row counts that many times",
        };
        write!(f, "{} weights {} ({meaning})", self.kind, self.column)
    }
}

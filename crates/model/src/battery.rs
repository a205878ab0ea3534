//! What a battery of estimators and diagnostics asks of each for one treatment.

use parallax_base::Name;

use crate::{Formula, Term};

/// One treatment of a panel, in the columns every member of a battery is given.
#[derive(Clone, Debug, PartialEq)]
pub struct BatteryRequest {
    /// The outcome.
    pub outcome: Name,
    /// Units.
    pub unit: Name,
    /// Periods.
    pub time: Name,
    /// First treated period of each unit, 0 for never; `None` where the treatment switches off or is not binary.
    pub cohort: Option<Name>,
    /// The treatment by row.
    pub treatment: Name,
    /// Covariates, by row.
    pub covariates: Vec<Name>,
}

/// A model that a plugin contributes to the battery.
#[derive(Clone, Debug, PartialEq)]
pub struct BatteryModel<O> {
    /// What it is there for.
    pub part: BatteryPart,
    /// Its formula.
    pub formula: Formula,
    /// Its options.
    pub options: O,
}

/// What a member of a battery is there for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatteryPart {
    /// Estimates the effect of the treatment; its overall effect is this term, if it has one.
    Effect(Option<Term>),
    /// Says something of the data or of another estimate: its details and notes are printed.
    Diagnostic,
}

impl BatteryRequest {
    /// `outcome ~ first + covariates`, and `| unit + time` with `effects`.
    pub fn formula(&self, first: Option<&Name>, effects: bool) -> Formula {
        let regressors: Vec<Name> = first.into_iter().chain(&self.covariates).cloned().collect();
        let absorbed = [self.unit.clone(), self.time.clone()];
        Formula::of_columns(&self.outcome, &regressors, if effects { &absorbed } else { &[] })
    }
}

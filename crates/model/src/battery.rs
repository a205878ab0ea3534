//! What a battery of estimators and diagnostics asks of each for one treatment.

use parallax_base::Name;

use crate::{Term, formula::Quoted};

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
    /// Its formula, as a study file would have it.
    pub formula: String,
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
    /// `outcome ~ first + covariates`, and `| unit + time` with `effects`; odd names in back-ticks.
    pub fn formula(&self, first: Option<&Name>, effects: bool) -> String {
        let quoted = |it: &Name| Quoted(it).to_string();
        let right: Vec<String> = first.into_iter().chain(&self.covariates).map(quoted).collect();
        let right = if right.is_empty() { "1".to_owned() } else { right.join(" + ") };
        let absorbed = format!(" | {} + {}", quoted(&self.unit), quoted(&self.time));
        format!("{} ~ {right}{}", quoted(&self.outcome), if effects { &absorbed } else { "" })
    }
}

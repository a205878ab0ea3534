//! What a stacked regression takes out of the outcome beside the effects.
//!
//! Wing, Freedman and Hollingsworth (2024) regress on dummies of the treated and of event time. Where every unit has every
//! event time with one weight, effects of units and periods of a sub-experiment would change no coefficient: levels of units
//! are the same at every event time, and corrected weights give the treated one share of every sub-experiment. Where a row
//! is missing or a weight changes, levels of units and periods move the means that are compared, and only their effects
//! take them out.

use parallax_model::{Design, FitError, Name, Note, counted, panel::Codes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    stack::{Balance, Stack},
    weights::Weighting,
};

/// What the regression takes out of the outcome beside the effects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effects {
    /// `treated-event` where effects of units and periods would change no coefficient, otherwise `unit-period`.
    #[default]
    Auto,
    /// Dummies of the treated and of event times, as the authors of the corrected weights do.
    TreatedEvent,
    /// Effects of sub-experiment x unit and sub-experiment x period.
    UnitPeriod,
}

/// What was taken out, and why.
#[derive(Clone, Copy, Debug)]
pub struct Absorbed {
    asked: Effects,
    balance: Balance,
    covariates: bool,
    /// Effects of units and periods of a sub-experiment; otherwise of the treated and of event time.
    units: bool,
}

impl Absorbed {
    /// Chooses where nothing was asked for.
    ///
    /// # Errors
    /// Dummies of the treated without corrected weights.
    pub fn choose(
        design: &Design<'_>,
        weighting: Weighting,
        asked: Effects,
        stack: &Stack,
    ) -> Result<Absorbed, FitError> {
        let balance = stack.balance(design);
        // A constant has no slope that could take anything for its own.
        let varies = |it: &[f64]| it.windows(2).any(|it| it[0] != it[1]);
        let covariates = design.regressors.iter().any(|it| varies(&it.values));
        let units = match (weighting, asked) {
            (Weighting::None, Effects::TreatedEvent) => {
                let reason =
                    "`effects` = treated-event needs corrected weights: give a `weighting` other than none";
                return Err(FitError::Options { plugin: crate::stacked::NAME, reason: reason.to_owned() });
            }
            (Weighting::None, _) | (_, Effects::UnitPeriod) => true,
            (_, Effects::TreatedEvent) => false,
            (_, Effects::Auto) => balance.changes() || covariates,
        };
        // The plain regression has them whatever the panel is like.
        let asked = if weighting == Weighting::None { Effects::UnitPeriod } else { asked };
        Ok(Absorbed { asked, balance, covariates, units })
    }

    /// The groups of each row of the stack.
    pub fn codes(self, design: &Design<'_>, stack: &Stack) -> Vec<(Name, Codes)> {
        let named = |name: &str, codes: Codes| (Name::from(name), codes);
        if self.units {
            let periods = Codes::from_integers(design.periods.iter().map(|it| Some(i64::from(*it))));
            let unit = stack.crossed(|it| design.units.code[stack.rows[it]], design.units.n_groups());
            let period = stack.crossed(|it| periods.code[stack.rows[it]], periods.n_groups());
            return vec![named("stack^unit", unit), named("stack^period", period)];
        }
        let treated = stack.treated.iter().map(|it| Some(i64::from(*it)));
        let event = stack.event.iter().map(|it| Some(i64::from(*it)));
        vec![
            named("treated", Codes::from_integers(treated)),
            named("event time", Codes::from_integers(event)),
        ]
    }

    /// What was taken out and why, where it is not what the weighting says.
    pub fn note(self) -> Option<Note> {
        let changes = self.balance.words();
        let text = match (self.units, self.asked, changes) {
            (false, _, Some(changes)) => format!(
                "dummies of the treated and of event time, as asked: {changes}, so that levels of units and periods enter \
                 the effects; `effects` = unit-period takes them out"
            ),
            (true, Effects::Auto, Some(changes)) => format!(
                "with effects of stack x unit and stack x period, which keep levels of units and periods out of the \
                 effects: {changes}"
            ),
            (true, Effects::Auto, None) if self.covariates => {
                "with effects of stack x unit and stack x period, so that slopes of covariates do not take levels of units \
                 for theirs"
                    .to_owned()
            }
            _ => return None,
        };
        Some(Note::remark(text))
    }
}

impl Balance {
    /// What a unit brings to the stack changes over event time for some unit.
    pub fn changes(self) -> bool {
        0 < self.with_holes + self.with_varying_weights
    }

    fn words(self) -> Option<String> {
        let of = |n: usize, what: &str| {
            (0 < n).then(|| format!("{n} of {} of sub-experiments {what}", counted(self.units, "unit")))
        };
        let parts = [
            of(self.with_holes, "lack a row of the window"),
            of(self.with_varying_weights, "have weights that change over time"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", and "))
    }
}

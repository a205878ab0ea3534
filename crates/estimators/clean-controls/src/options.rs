//! Options and checks that both estimators share.

use parallax_model::{Adoption, Design, FitError, Name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which units a cohort is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// Units that adopt only after the window of the comparison, the never treated among them.
    #[default]
    NotYetTreated,
    /// Units that never adopt.
    NeverTreated,
}

impl Control {
    /// Whether a unit that adopts at `first` is clean up to the period `last`.
    pub fn clean(self, first: Option<i32>, last: i32) -> bool {
        match (self, first) {
            (_, None) => true,
            (Control::NotYetTreated, Some(first)) => last < first,
            (Control::NeverTreated, Some(_)) => false,
        }
    }

    /// In words, for notes.
    pub fn words(self) -> &'static str {
        match self {
            Control::NotYetTreated => "not-yet-treated units, the never treated among them",
            Control::NeverTreated => "never treated units",
        }
    }
}

/// Dates of adoption, with advice where a treatment does not stay.
///
/// # Errors
/// What [`Adoption::read`] says.
pub fn adoption(
    design: &Design<'_>,
    plugin: &'static str,
    cohort: Option<&Name>,
    treatment: Option<&Name>,
) -> Result<Adoption, FitError> {
    Adoption::read(design, plugin, cohort, treatment)
}

/// Options are no use outside their range.
///
/// # Errors
/// When the level is not between 0 and 1 or the formula has no constant.
pub fn check(design: &Design<'_>, plugin: &'static str, level: f64) -> Result<(), FitError> {
    if !(0.0 < level && level < 1.0) {
        let reason = "`level` lies between 0 and 1, as 0.95".to_owned();
        return Err(FitError::Options { plugin, reason });
    }
    if !design.intercept {
        return Err(FitError::Unsupported {
            estimator: plugin,
            what: "a formula without constant".to_owned(),
            advice: "leave out the `0 +`: time effects hold the constant".to_owned(),
        });
    }
    Ok(())
}

/// A window as a whole number of periods.
///
/// # Errors
/// Beyond the range of periods.
pub fn periods(plugin: &'static str, option: &str, value: Option<u32>) -> Result<Option<i32>, FitError> {
    let convert = |it: u32| {
        i32::try_from(it).ok().filter(|it| *it <= MOST_PERIODS).ok_or_else(|| FitError::Options {
            plugin,
            reason: format!("`{option}` is {it}, more periods than any panel has"),
        })
    };
    value.map(convert).transpose()
}

/// Sums of a few of them stay within `i32`.
const MOST_PERIODS: i32 = 1_000_000;

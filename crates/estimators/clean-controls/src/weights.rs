//! Corrected sample weights of a stack.
//!
//! Wing, Freedman and Hollingsworth (2024, NBER 32054), table 1: controls are weighted so that their share of a
//! sub-experiment at each event time is the share the target gives to its treated, and the treated likewise.

use std::collections::BTreeMap;

use parallax_model::{Design, FitError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stack::Stack;

/// How sub-experiments count in the stacked regression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// The plain stacked regression: effects of stack x unit and stack x period, no corrected weights.
    None,
    /// Every treated unit counts the same: the trimmed aggregate ATT.
    #[default]
    Aggregate,
    /// Cohorts count by the population of their treated units.
    Population,
    /// Cohorts count by the rows of their sub-experiment, controls among them.
    SampleShare,
}

/// Sums over one sub-experiment or the whole stack at one event time.
#[derive(Clone, Copy, Default)]
struct Sums {
    treated: f64,
    controls: f64,
    population: f64,
}

impl Sums {
    fn target(&self, weighting: Weighting) -> f64 {
        match weighting {
            Weighting::Population => self.population,
            Weighting::SampleShare => self.treated + self.controls,
            Weighting::None | Weighting::Aggregate => self.treated,
        }
    }
}

/// The weight of each row: the design's times the target's share over the sample's share of its sub-experiment.
pub fn corrected(
    design: &Design<'_>,
    stack: &Stack,
    weighting: Weighting,
    population: Option<&[f64]>,
) -> Vec<f64> {
    let given = design.weight_values();
    let weight = |at: usize| given.map_or(1.0, |it| it[stack.rows[at]]);
    let mut of_cohort: BTreeMap<(u32, i32), Sums> = BTreeMap::new();
    let mut of_stack: BTreeMap<i32, Sums> = BTreeMap::new();
    for (at, &row) in stack.rows.iter().enumerate() {
        let keys = (stack.cohort[at], stack.event[at]);
        for sums in [of_cohort.entry(keys).or_default(), of_stack.entry(keys.1).or_default()] {
            if stack.treated[at] {
                sums.treated += weight(at);
                sums.population += population.map_or(0.0, |it| it[row]);
            } else {
                sums.controls += weight(at);
            }
        }
    }
    let ratio = |(&(cohort, event), own): (&(u32, i32), &Sums)| {
        let all = of_stack.get(&event).copied().unwrap_or_default();
        let share = own.target(weighting) / all.target(weighting);
        ((cohort, event), [share / (own.controls / all.controls), share / (own.treated / all.treated)])
    };
    let ratios: BTreeMap<(u32, i32), [f64; 2]> = of_cohort.iter().map(ratio).collect();
    (0..stack.rows.len())
        .map(|at| {
            let of = ratios.get(&(stack.cohort[at], stack.event[at])).copied().unwrap_or([1.0; 2]);
            weight(at) * of[usize::from(stack.treated[at])]
        })
        .collect()
}

/// The population of each row's unit.
///
/// # Errors
/// A column that is not positive or changes within a unit, with the place.
pub fn population(design: &Design<'_>, column: &str) -> Result<Vec<f64>, FitError> {
    let values = design.column(column)?;
    let mut of_unit: Vec<Option<f64>> = vec![None; design.units.n_groups()];
    for (row, (&unit, &value)) in design.units.code.iter().zip(values.iter()).enumerate() {
        let known = *of_unit[unit as usize].get_or_insert(value);
        let why = match value {
            it if it.is_nan() || it <= 0.0 => "a population is positive",
            it if it != known => {
                "it changes within the unit, and shares of cohorts with it: give the population of one year"
            }
            _ => continue,
        };
        return Err(FitError::Model(format!("`{column}` is {value} at {}; {why}", design.place(row))));
    }
    Ok(values.to_vec())
}

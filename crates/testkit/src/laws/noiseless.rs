//! A staggered panel without noise: outcomes are effects of units and of periods, and five from adoption on. Whoever
//! estimates effects of adoption finds five and nothing before, whatever rows are missing and however they are weighted, or
//! says why not.

use parallax_model::{BatteryPart, BatteryRequest, Entry, Estimate, ModelSpec, Term, VcovKind};

use super::{contract::first_kind, fit};
use crate::{Random, Shape, Table};

const EFFECT: f64 = 5.0;

/// Share of the largest outcome that rounding and iteration may leave.
const NEAR: f64 = 1e-10;

/// What a panel has of rows and weights.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    /// Share of rows that are missing.
    pub holes: f64,
    /// Share of rows with weight zero.
    pub zeros: f64,
    /// Weights differ from row to row.
    pub varying: bool,
}

/// Balanced; few and many holes; varying weights; weights of zero; all of it.
pub const PATTERNS: [Pattern; 6] = [
    Pattern { holes: 0.0, zeros: 0.0, varying: false },
    Pattern { holes: 0.03, zeros: 0.0, varying: false },
    Pattern { holes: 0.3, zeros: 0.0, varying: false },
    Pattern { holes: 0.0, zeros: 0.0, varying: true },
    Pattern { holes: 0.0, zeros: 0.2, varying: false },
    Pattern { holes: 0.15, zeros: 0.1, varying: true },
];

pub fn constant_effect(entry: &Entry) -> Result<(), String> {
    for (seed, pattern) in (70..).zip(PATTERNS) {
        let table = noiseless(pattern, seed);
        let Some(spec) = request(entry, pattern)? else { return Ok(()) };
        let weighted = spec.weights.is_some();
        if weighted && !entry.meta.capabilities.weights {
            continue;
        }
        let found = fit(entry, &table, &spec).map_err(|it| format!("{pattern:?}: {it}"))?;
        five_from_adoption_on(&found, &table).map_err(|it| format!("{pattern:?}: {it}"))?;
    }
    Ok(())
}

/// The battery's request of an estimator of effects; nothing of others.
fn request(entry: &Entry, pattern: Pattern) -> Result<Option<ModelSpec>, String> {
    let asked = BatteryRequest {
        outcome: "y".into(),
        unit: "unit".into(),
        time: "year".into(),
        cohort: Some("cohort".into()),
        treatment: "d".into(),
        covariates: Vec::new(),
    };
    let Some(model) = entry.battery(&asked) else { return Ok(None) };
    if model.part == BatteryPart::Diagnostic {
        return Ok(None);
    }
    let able = entry.meta.capabilities.vcov.contains(&VcovKind::Cluster);
    let kind = if able { VcovKind::Cluster } else { first_kind(entry)? };
    let mut spec = super::request(entry, kind, parallax_model::SmallSample::FIXEST)?;
    spec.formula = model.formula;
    spec.options = model.options;
    spec.weights = (pattern.varying || 0.0 < pattern.zeros).then(|| "w".into());
    Ok(Some(spec))
}

/// The panel of this module. Levels of units are far from each other beside the effect, so that a mean over other units is not near it.
pub fn noiseless(pattern: Pattern, seed: u64) -> Table {
    let mut table = Table::seeded(Shape { units: 60, periods: 10, holes: pattern.holes, seed });
    let mut random = Random::new(seed);
    let levels: Vec<f64> = (0..60).map(|_| 40.0 * random.normal()).collect();
    let periods: Vec<f64> = (0..10).map(|_| 10.0 * random.normal()).collect();
    let outcome = |row: usize| {
        let unit: usize = table.unit[row][1..].parse().unwrap_or_default();
        let period = (table.year[row] - 2001) as usize;
        levels[unit] + periods[period] + EFFECT * table.column("d")[row]
    };
    let outcomes: Vec<f64> = (0..table.len()).map(outcome).collect();
    let mut weight = || match (random.uniform() < pattern.zeros, pattern.varying) {
        (true, _) => 0.0,
        (false, true) => 0.1 + 10.0 * random.uniform(),
        (false, false) => 1.0,
    };
    let weights: Vec<f64> = (0..table.len()).map(|_| weight()).collect();
    for (name, values) in &mut table.numbers {
        match *name {
            "y" => values.clone_from(&outcomes),
            "w" => values.clone_from(&weights),
            _ => {}
        }
    }
    table
}

/// Every effect from adoption on is five, and nothing is before.
///
/// # Errors
/// The first that is not.
pub fn five_from_adoption_on(found: &Estimate, table: &Table) -> Result<(), String> {
    let scale = table.column("y").iter().fold(1.0_f64, |largest, it| largest.max(it.abs()));
    let expected = |term: &Term| match term {
        Term::EventTime(it) => {
            if *it < 0 {
                0.0
            } else {
                EFFECT
            }
        }
        Term::GroupTime { cohort, period } => {
            if period < cohort {
                0.0
            } else {
                EFFECT
            }
        }
        Term::Aggregate(Some(it)) if it.as_str() == "pre" => 0.0,
        _ => EFFECT,
    };
    for (term, &estimate) in found.terms.iter().zip(&found.coef) {
        let right = expected(term);
        if NEAR * scale < (estimate - right).abs() || estimate.is_nan() {
            return Err(format!("{}: {term} is {estimate}, not {right}", found.estimator));
        }
    }
    Ok(())
}

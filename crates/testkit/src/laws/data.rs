//! Laws about changes of the data.

use parallax_model::{Entry, Estimate, ModelSpec, SmallSample, Term, VcovKind, WeightKind};

use super::{contract::first_kind, everywhere, fit, request, tables};
use crate::{Random, close};

/// No power of two, so that rounding shows.
const SCALE: f64 = 3.7;

pub fn order_of_rows(entry: &Entry) -> Result<(), String> {
    everywhere(entry, SmallSample::FIXEST, |table, spec, before| {
        let order = Random::new(11).order(table.len());
        close::matrices(before, &fit(entry, &table.rows(&order), spec)?, &close::SAME)
    })
}

/// New names that sort the other way round.
fn reversed(name: &str) -> String {
    name.chars().map(|it| it.to_digit(10).map_or(it, |digit| char::from(b'9' - digit as u8))).collect()
}

pub fn names_of_units(entry: &Entry) -> Result<(), String> {
    everywhere(entry, SmallSample::FIXEST, |table, spec, before| {
        let after = fit(entry, &table.clone().rename_units(reversed), spec)?;
        close::matrices(before, &after, &close::REORDERED)
    })
}

pub fn names_of_clusters(entry: &Entry) -> Result<(), String> {
    everywhere(entry, SmallSample::FIXEST, |table, spec, before| {
        let after = fit(entry, &table.clone().rename_groups(reversed), spec)?;
        close::matrices(before, &after, &close::REORDERED)
    })
}

pub fn scale_of_outcome(entry: &Entry) -> Result<(), String> {
    everywhere(entry, SmallSample::FIXEST, |table, spec, before| {
        let after = fit(entry, &table.clone().with("y", |it| SCALE * it), spec)?;
        let scaled = |it: Vec<f64>| -> Vec<f64> { it.into_iter().map(|it| SCALE * it).collect() };
        close::vectors("coefficient", &after.coef, &scaled(before.coef.clone()), &close::RESCALED)?;
        let (before, after) = (before.vcov.std_errors(), after.vcov.std_errors());
        close::vectors("standard error", &after, &scaled(before), &close::RESCALED)
    })
}

/// Where the regressor has no term, as a covariate of a propensity score, nothing changes.
/// Where a two-way matrix was repaired its errors depend on the units of measurement: eigenvalues do, and
/// setting the negative ones to zero is what fixest does. A test sees to it that others are met too.
pub fn scale_of_regressor(entry: &Entry) -> Result<(), String> {
    everywhere(entry, SmallSample::FIXEST, |table, spec, before| {
        if 0 < before.vcov.clamped {
            return Ok(());
        }
        let mut after = fit(entry, &table.clone().with("x1", |it| SCALE * it), spec)?;
        let at = after.terms.iter().position(|it| *it == Term::Slope("x1".into()));
        if let Some(at) = at {
            after.coef[at] *= SCALE;
        }
        close::vectors("coefficient", &after.coef, &before.coef, &close::RESCALED)?;
        let (before, mut after) = (before.vcov.std_errors(), after.vcov.std_errors());
        if let Some(at) = at {
            after[at] *= SCALE;
        }
        close::vectors("standard error", &after, &before, &close::RESCALED)
    })
}

pub fn shifted_outcome(entry: &Entry) -> Result<(), String> {
    const SHIFT: f64 = 5.3;
    everywhere(entry, SmallSample::FIXEST, |table, spec, before| {
        let mut after = fit(entry, &table.clone().with("y", |it| it + SHIFT), spec)?;
        // First differences have a constant change, which a shift leaves alone.
        let moved = after.terms.iter().position(|it| *it == Term::Intercept);
        if let Some(at) = moved
            && 0.5 * SHIFT < after.coef[at] - before.coef[at]
        {
            after.coef[at] -= SHIFT;
        }
        close::matrices(before, &after, &close::RESCALED)
    })
}

/// Under rules without factors, so that nothing else changes.
pub fn data_twice(entry: &Entry) -> Result<(), String> {
    let able = entry.meta.capabilities.vcov;
    let kind = if able.contains(&VcovKind::Cluster) { VcovKind::Cluster } else { VcovKind::Iid };
    let spec = request(entry, kind, SmallSample::NONE)?;
    for table in tables(entry) {
        let (once, twice) = (fit(entry, &table, &spec)?, fit(entry, &table.twice(), &spec)?);
        close::vectors("coefficient", &twice.coef, &once.coef, &close::REORDERED)?;
        let smaller: Vec<f64> = once.vcov.std_errors().iter().map(|it| it * 0.5_f64.sqrt()).collect();
        close::vectors("standard error", &twice.vcov.std_errors(), &smaller, &close::REORDERED)?;
    }
    Ok(())
}

/// Estimators without weights must refuse them.
/// A row with a frequency of two is two observations, whatever the estimator; the ledger still counts rows.
pub fn frequency_counts(entry: &Entry) -> Result<(), String> {
    if !entry.meta.capabilities.frequency_weights {
        return Ok(());
    }
    everywhere(entry, SmallSample::FIXEST, |table, spec, plain| {
        let weighted =
            ModelSpec { weights: Some("kind".into()), weight_kind: WeightKind::Frequency, ..spec.clone() };
        let found = fit(entry, table, &weighted)?;
        let weights = table.panel().and_then(|it| it.real("kind")).map_err(|it| it.to_string())?;
        let sum = |it: &Estimate| it.sample.rows.iter().map(|row| weights[row]).sum::<f64>() as u64;
        // Models of groups by themselves count the rows of their own models.
        let wanted =
            if plain.observations() == plain.sample.rows_used as u64 { sum(&found) } else { return Ok(()) };
        let rows = found.sample.rows_used;
        if found.observations() != wanted || found.sample.rows.len() != rows {
            return Err(format!("{} observations of {rows} rows, not {wanted}", found.observations()));
        }
        match &found.sample.weights {
            Some(it) if it.kind == WeightKind::Frequency && it.column.as_str() == "kind" => Ok(()),
            it => Err(format!("its weights are said to be {it:?}")),
        }
    })
}

pub fn equal_weights(entry: &Entry) -> Result<(), String> {
    if !entry.meta.capabilities.weights {
        let mut spec = request(entry, first_kind(entry)?, SmallSample::FIXEST)?;
        spec.weights = Some("w".into());
        return match entry.check(&spec) {
            Err(it) if it.to_string().contains("weights") => Ok(()),
            it => Err(format!("weights are not supported, yet the check says {it:?}")),
        };
    }
    everywhere(entry, SmallSample::FIXEST, |table, spec, before| {
        let mut spec = spec.clone();
        spec.weights = Some("w".into());
        let uneven = fit(entry, table, &spec)?;
        if close::matrices(before, &uneven, &close::REORDERED).is_ok() {
            return Err("unequal weights change nothing".to_owned());
        }
        let after = fit(entry, &table.clone().with("w", |_| SCALE), &spec)?;
        close::matrices(before, &after, &close::RESCALED)?;
        for name in ["r2", "r2_within", "rmse", "root_mse"] {
            if let (Some(a), Some(b)) = (before.stats.get(name), after.stats.get(name)) {
                close::compare(name, a, b, &close::RESCALED)?;
            }
        }
        Ok(())
    })
}

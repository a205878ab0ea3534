//! Laws about the machine: threads, and what ran before.

use parallax_model::{AbsorptionCache, Entry, Estimate, Formula, ModelSpec, SmallSample};
use rayon::ThreadPoolBuilder;

use super::{request, tables};
use crate::{Shape, Table, close};

/// More rows than one block of a parallel sum, and effects that are not solved in closed form.
fn large(entry: &Entry) -> Table {
    let holes = if entry.meta.capabilities.unbalanced { 0.15 } else { 0.0 };
    Table::seeded(Shape { units: 2_600, periods: 10, holes, seed: 21 })
}

pub fn threads(entry: &Entry) -> Result<(), String> {
    let panel = large(entry).panel().map_err(|it| it.to_string())?;
    let fit = |threads: usize, spec: &ModelSpec| -> Result<Estimate, String> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().map_err(|it| it.to_string())?;
        let fresh = AbsorptionCache::default();
        pool.install(|| entry.fit(&panel, spec, &fresh)).map_err(|it| it.to_string())
    };
    for &kind in entry.meta.capabilities.vcov {
        let spec = request(entry, kind, SmallSample::FIXEST)?;
        let alone = fit(1, &spec)?;
        for threads in [2, 4] {
            let other = fit(threads, &spec)?;
            close::matrices(&alone, &other, &close::SAME)
                .and_then(|()| close::details(&alone, &other))
                .map_err(|it| format!("1 and {threads} threads, {}: {it}", spec.vcov))?;
        }
    }
    Ok(())
}

/// Formulas of models that run before: shared columns in another order, without a constant, on other rows.
const BEFORE: [&str; 6] =
    ["y ~ d + x1", "y ~ 0 + x1 + x2 + d", "x2 ~ d + l(x1, 1)", "y ~ 0 + x2 + d", "y ~ x2", "x2 ~ 1"];

/// Other models share columns and effects, ask for them in another order, without a constant, under weights, under
/// other settings of the covariance, and use other samples; or the same models ran in the other order.
pub fn shared_cache(entry: &Entry) -> Result<(), String> {
    for table in tables(entry) {
        let panel = table.panel().map_err(|it| it.to_string())?;
        // What is shared does not know of covariances: one kind is enough.
        for &kind in entry.meta.capabilities.vcov.iter().take(1) {
            let spec = request(entry, kind, SmallSample::FIXEST)?;
            let fit = |spec: &ModelSpec, cache: &AbsorptionCache| {
                entry.fit(&panel, spec, cache).map_err(|it| it.to_string())
            };
            // An entry may refuse a formula without what its options name.
            let alone = |spec: ModelSpec| Some((fit(&spec, &AbsorptionCache::default()).ok()?, spec));
            let mut models: Vec<(Estimate, ModelSpec)> =
                others(entry, &spec)?.into_iter().filter_map(alone).collect();
            if models.is_empty() {
                return Err(
                    "the estimator refuses every other formula of this law: add one that it takes, or list an exception \
                     with the reason"
                        .to_owned(),
                );
            }
            models.push((fit(&spec, &AbsorptionCache::default())?, spec));
            for _ in 0..2 {
                let shared = AbsorptionCache::default();
                for (alone, spec) in &models {
                    close::matrices(alone, &fit(spec, &shared)?, &close::SAME)
                        .map_err(|it| format!("{}, {}: {it}", spec.formula, spec.vcov))?;
                }
                models.reverse();
            }
        }
    }
    Ok(())
}

/// The models of [`BEFORE`], each also under weights where the entry takes them; and the model itself under weights.
fn others(entry: &Entry, spec: &ModelSpec) -> Result<Vec<ModelSpec>, String> {
    let effects =
        spec.formula.to_string().split_once(" | ").map_or(String::new(), |it| format!(" | {}", it.1));
    let mut formulas = vec![spec.formula.clone()];
    for other in BEFORE {
        formulas.push(Formula::parse(&format!("{other}{effects}")).map_err(|it| it.to_string())?);
    }
    let plain = formulas[1..].iter().map(|it| ModelSpec { formula: it.clone(), ..spec.clone() });
    let weighted =
        |it: &Formula| ModelSpec { formula: it.clone(), weights: Some("w".into()), ..spec.clone() };
    let weighted = entry.meta.capabilities.weights.then(|| formulas.iter().map(weighted));
    Ok(plain.chain(weighted.into_iter().flatten()).collect())
}

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

/// Other models share columns and effects, ask for them in another order, and use other samples.
pub fn shared_cache(entry: &Entry) -> Result<(), String> {
    for table in tables(entry) {
        let panel = table.panel().map_err(|it| it.to_string())?;
        for &kind in entry.meta.capabilities.vcov {
            let spec = request(entry, kind, SmallSample::FIXEST)?;
            let fit = |spec: &ModelSpec, cache: &AbsorptionCache| {
                entry.fit(&panel, spec, cache).map_err(|it| it.to_string())
            };
            let alone = fit(&spec, &AbsorptionCache::default())?;
            let shared = AbsorptionCache::default();
            let effects =
                spec.formula.to_string().split_once(" | ").map_or(String::new(), |it| format!(" | {}", it.1));
            let mut ran = 0;
            for other in ["y ~ d + x1", "x2 ~ d + l(x1, 1)", "y ~ x2", "x2 ~ 1"] {
                let formula = Formula::parse(&format!("{other}{effects}")).map_err(|it| it.to_string())?;
                // An entry may refuse a formula without what its options name.
                ran += usize::from(fit(&ModelSpec { formula, ..spec.clone() }, &shared).is_ok());
            }
            if ran == 0 {
                return Err(
                    "the estimator refuses every other formula of this law: add one that it takes, or list an exception \
                     with the reason"
                        .to_owned(),
                );
            }
            close::matrices(&alone, &fit(&spec, &shared)?, &close::SAME)
                .map_err(|it| format!("{}: {it}", spec.vcov))?;
        }
    }
    Ok(())
}

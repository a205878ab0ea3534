//! Laws about outcomes that leave nothing but rounding: set prices, exact fits, rare events on tiny panels.

use parallax_model::{Entry, Estimate, ModelSpec, SmallSample, Term, VcovKind};

use super::{EXCEPTIONS, fit, request};
use crate::{Random, Shape, Table};

/// How an outcome is made of a row's year, kind, treatment and a number of its own.
type Outcome = fn(f64, f64, f64, &mut Random) -> f64;

/// Outcomes on tiny panels whose comparisons are often exactly zero.
const OUTCOMES: [(&str, Outcome); 6] = [
    ("equal for all before adoption", |year, _, d, random| {
        0.1 * year + if 0.0 < d { 1.0 + random.normal() } else { 0.0 }
    }),
    ("a set price", |year, kind, d, random| {
        2.7 + 0.3 * kind + 0.7 * year + if 0.0 < d { 0.1 * (10.0 * random.uniform()).floor() } else { 0.0 }
    }),
    ("an effect without noise", |year, kind, d, _| 0.1 + 0.7 * kind + 1.3 * year + 5.0 * d),
    ("a binary outcome", |_, _, _, random| f64::from(u8::from(random.uniform() < 0.3))),
    ("a rare binary outcome", |_, _, _, random| f64::from(u8::from(random.uniform() < 0.06))),
    ("tenths", |year, kind, d, random| {
        0.1 * (10.0 * (kind + 0.3 * year + d * random.uniform() + 0.2 * random.normal())).round()
    }),
];

/// Seeds of panels: each is another number of units and periods.
const SEEDS: std::ops::Range<u64> = 1..5;

/// Errors and estimates below this share of the outcome are nobody's: true ones are shares of a percent at least here.
const NOBODY: f64 = 1e-9;

/// A small seeded panel with an outcome of that kind.
fn tiny(entry: &Entry, seed: u64, outcome: Outcome) -> Table {
    let holes = if entry.meta.capabilities.unbalanced && seed.is_multiple_of(2) { 0.08 } else { 0.0 };
    let (units, periods) = (5 + 3 * (seed as usize % 3), 4 + seed as usize % 4);
    let mut table = Table::seeded(Shape { units, periods, holes, seed });
    let mut random = Random::new(1000 + seed);
    let values: Vec<f64> = (0..table.len())
        .map(|row| {
            let year = f64::from(table.year[row] - 2001);
            outcome(year, table.column("kind")[row], table.column("d")[row], &mut random)
        })
        .collect();
    if let Some(column) = table.numbers.iter_mut().find(|it| it.0 == "y") {
        column.1 = values;
    }
    table
}

fn kinds(entry: &Entry) -> impl Iterator<Item = VcovKind> + '_ {
    entry.meta.capabilities.vcov.iter().copied()
}

/// Tries every tiny panel; what an estimator refuses is no evidence either.
fn on_tiny_panels(
    entry: &Entry,
    check: impl Fn(&Table, &ModelSpec, &Estimate) -> Result<(), String>,
) -> Result<(), String> {
    let mut fitted = 0;
    for seed in SEEDS {
        for (name, outcome) in OUTCOMES {
            let table = tiny(entry, seed, outcome);
            for kind in kinds(entry) {
                let spec = request(entry, kind, SmallSample::FIXEST)?;
                let Ok(estimate) = fit(entry, &table, &spec) else { continue };
                fitted += 1;
                check(&table, &spec, &estimate)
                    .map_err(|it| format!("{name}, seed {seed}, {}: {it}", spec.vcov))?;
            }
        }
    }
    if fitted == 0 { Err("no tiny panel was fitted".to_owned()) } else { Ok(()) }
}

/// No error, no statistic and no estimate is rounding: each is of the size of the data, or it is zero or missing.
pub fn noiseless(entry: &Entry) -> Result<(), String> {
    on_tiny_panels(entry, |table, _, estimate| {
        let size = table.column("y").iter().fold(0.0_f64, |size, it| size.max(it.abs()));
        for row in estimate.rows(0.95) {
            let rounding = |it: f64| it != 0.0 && it.abs() < NOBODY * size;
            let statistic = 1.0 / NOBODY < row.statistic.abs();
            if rounding(row.estimate) || rounding(row.std_error) || row.std_error == 0.0 || statistic {
                return Err(format!("beside outcomes of {size}: {row:?}"));
            }
            let tests = [row.statistic, row.p_value, row.conf_low, row.conf_high];
            if row.std_error.is_nan() && tests.iter().any(|it| !it.is_nan()) {
                return Err(format!("without an error: {row:?}"));
            }
        }
        Ok(())
    })
}

/// Terms without an error are the same ones whatever the unit of the outcome, its origin and the order of rows.
pub fn units_and_origin(entry: &Entry) -> Result<(), String> {
    let name = entry.meta.plugin.name;
    let moves =
        EXCEPTIONS.iter().any(|it| it.estimator == name && it.law.starts_with("a constant added to the"));
    on_tiny_panels(entry, |table, spec, before| {
        let order = Random::new(5).order(table.len());
        let scaled = |by: f64| table.clone().with("y", move |it| by * it);
        let mut changed = vec![
            ("times 3", scaled(3.0)),
            ("times 1e6", scaled(1e6)),
            ("over 1e6", scaled(1e-6)),
            ("other order", table.rows(&order)),
        ];
        if !moves {
            changed.push(("plus 7.3", table.clone().with("y", |it| it + 7.3)));
        }
        let without = |it: &Estimate| -> Vec<Term> {
            let errors = it.vcov.std_errors();
            let all = it.terms.iter().zip(&errors).filter(|it| it.1.is_nan() && *it.0 != Term::Intercept);
            all.map(|it| it.0.clone()).collect()
        };
        for (how, table) in changed {
            let after = fit(entry, &table, spec).map_err(|it| format!("{how}: {it}"))?;
            let (own, known) = (without(&after), without(before));
            if own != known {
                return Err(format!("{how}: without an error are {own:?}, and were {known:?}"));
            }
        }
        Ok(())
    })
}

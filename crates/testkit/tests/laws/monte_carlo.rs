//! Estimators of staggered adoption find effects that differ, and two-way fixed effects do not.

use parallax_model::{BatteryPart, BatteryRequest};
use parallax_testkit::{monte_carlo, scenarios};

const DRAWS: u64 = 20;
/// Monte Carlo errors that a mean of unbiased estimates stays within.
const ERRORS: f64 = 4.0;

#[test]
fn robust_estimators_are_unbiased_and_two_way_fixed_effects_are_not() {
    let registry = parallax_plugins::registry().unwrap();
    let scenario = &scenarios()[0];
    let found = monte_carlo(&registry, scenario, DRAWS, 2).unwrap();
    let names: std::collections::BTreeSet<&str> = found.iter().map(|it| it.estimator).collect();
    assert!(8 < names.len(), "{names:?}");
    for it in found.iter().filter(|it| it.estimator != "event-study") {
        let what = format!("{} {}: {it:?}", it.estimator, it.term);
        assert_eq!(it.failures, 0, "{what}");
        let biased = ERRORS * it.bias_error < it.bias.abs();
        assert_eq!(biased, it.estimator == "fixed-effects", "{what}");
    }
}

/// The committed table has a line for each estimator that joins a battery.
#[test]
fn the_table_names_every_estimator() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/MONTE_CARLO.md");
    let table = std::fs::read_to_string(path).unwrap();
    let registry = parallax_plugins::registry().unwrap();
    let request = BatteryRequest {
        outcome: "y".into(),
        unit: "unit".into(),
        time: "period".into(),
        cohort: Some("cohort".into()),
        treatment: "treated".into(),
        covariates: Vec::new(),
    };
    for entry in registry.estimators() {
        let joins = entry.battery(&request).is_some_and(|it| it.part != BatteryPart::Diagnostic);
        let line = format!("| {} |", entry.meta.plugin.name);
        assert_eq!(
            table.contains(&line),
            joins,
            "{}: write MONTE_CARLO.md again, by the command in its head",
            entry.meta.plugin.name
        );
    }
}

//! The laws over the whole registry, what estimators become in special cases, and coverage.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside the functions the lint exempts"
)]

#[path = "laws/adoption.rs"]
mod adoption;
#[path = "laws/clean_controls.rs"]
mod clean_controls;
#[path = "laws/collapse.rs"]
mod collapse;
#[path = "laws/coverage.rs"]
mod coverage;
#[path = "laws/diagnostics.rs"]
mod diagnostics;
#[path = "laws/group_effects.rs"]
mod group_effects;
#[path = "laws/group_time.rs"]
mod group_time;
#[path = "laws/imputation.rs"]
mod imputation;
#[path = "laws/mediation.rs"]
mod mediation;
#[path = "laws/monte_carlo.rs"]
mod monte_carlo;
#[path = "laws/noiseless.rs"]
mod noiseless;
#[path = "laws/saturated.rs"]
mod saturated;
#[path = "laws/switchers.rs"]
mod switchers;

use parallax_model::{SmallSample, VcovKind};
use parallax_testkit::{EXCEPTIONS, LAWS, fit, request, tables};

#[test]
fn every_estimator_keeps_every_law() {
    let registry = parallax_plugins::registry().unwrap();
    let mut broken = Vec::new();
    for entry in registry.estimators() {
        let name = entry.meta.plugin.name;
        for law in LAWS {
            let exception = EXCEPTIONS.iter().find(|it| it.estimator == name && it.law == law.name);
            match ((law.check)(entry), exception) {
                (Ok(()), None) | (Err(_), Some(_)) => {}
                (Err(it), None) => broken.push(format!("{name}: {}: {it}", law.name)),
                (Ok(()), Some(_)) => {
                    broken.push(format!("{name} keeps the law `{}`: remove the exception", law.name));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn exceptions_name_what_exists_and_say_why() {
    let registry = parallax_plugins::registry().unwrap();
    for it in EXCEPTIONS {
        assert!(registry.estimator(it.estimator).is_ok(), "{}", it.estimator);
        assert!(LAWS.iter().any(|law| law.name == it.law), "{}", it.law);
        assert!(30 < it.reason.len(), "{}", it.reason);
    }
}

/// Years of the smaller table of the laws.
const YEARS: usize = 9;

/// One law leaves out two-way matrices that were repaired, so every estimator must have one that was not.
#[test]
fn two_way_matrices_without_repair_are_met() {
    let registry = parallax_plugins::registry().unwrap();
    let able = |it: &&parallax_model::Entry| it.meta.capabilities.vcov.contains(&VcovKind::Multiway);
    for entry in registry.estimators().filter(able) {
        let spec = request(entry, VcovKind::Multiway, SmallSample::FIXEST).unwrap();
        let found: Vec<(usize, usize)> = tables(entry)
            .iter()
            .map(|it| fit(entry, it, &spec).unwrap())
            .map(|it| (it.terms.len(), it.vcov.clamped))
            .collect();
        // A matrix of more coefficients than there are years, one of the two ways, has no full rank, and is repaired.
        let repaired = |it: &(usize, usize)| 0 < it.1 && it.0 < YEARS;
        assert!(!found.iter().all(repaired), "{}: {found:?}", entry.meta.plugin.name);
    }
}

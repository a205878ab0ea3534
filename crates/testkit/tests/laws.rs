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
#[path = "laws/origin.rs"]
mod origin;
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

/// A coefficient of a two-way covariance may have no error; laws on errors would say little if none had one.
#[test]
fn two_way_errors_are_met() {
    let registry = parallax_plugins::registry().unwrap();
    let able = |it: &&parallax_model::Entry| it.meta.capabilities.vcov.contains(&VcovKind::Multiway);
    for entry in registry.estimators().filter(able) {
        let spec = request(entry, VcovKind::Multiway, SmallSample::FIXEST).unwrap();
        let errors = |it| fit(entry, it, &spec).unwrap().vcov.std_errors();
        let known = tables(entry).iter().flat_map(errors).filter(|it| !it.is_nan()).count();
        assert!(0 < known, "{}", entry.meta.plugin.name);
    }
}

//! Diagnostics of two-way fixed effects have the coefficient, and the error, of what they take apart.

use parallax_model::{
    AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, WeightKind,
};
use parallax_testkit::{Closeness, NEAR, Table, compare};
use serde_json::{Value, json};

fn fit(panel: &Panel, estimator: &str, formula: &str, vcov: &str, options: &Value) -> Estimate {
    let spec = ModelSpec {
        estimator: estimator.to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: None,
        weight_kind: WeightKind::Analytic,
        vcov: vcov.parse().unwrap(),
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Keep,
        options: options.as_object().unwrap().clone(),
    };
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator(estimator).unwrap();
    entry.fit(panel, &spec, &AbsorptionCache::default()).unwrap_or_else(|it| panic!("{estimator}: {it}"))
}

/// Coefficient and error of the treatment, which is the only term of `a`.
fn same(a: &Estimate, b: &Estimate, closeness: &Closeness) {
    assert_eq!(a.terms.len(), 1);
    let (a, b) = (a.row("d", 0.95).unwrap(), b.row("d", 0.95).unwrap());
    compare("coefficient", a.estimate, b.estimate, closeness).unwrap();
    compare("error", a.std_error, b.std_error, closeness).unwrap();
    compare("p-value", a.p_value, b.p_value, closeness).unwrap();
}

const KINDS: [&str; 4] = ["iid", "hc1", "hc3", "cluster:group"];

#[test]
fn comparisons_and_weights_are_of_fixed_effects() {
    let formula = "y ~ x1 + d + x2 | unit + year";
    let options = json!({ "treatment": "d" });
    for vcov in KINDS {
        let balanced = Table::balanced(41).panel().unwrap();
        let fixed = fit(&balanced, "fixed-effects", formula, vcov, &json!({}));
        same(&fit(&balanced, "bacon", formula, vcov, &options), &fixed, &NEAR);
        let unbalanced = Table::unbalanced(42).panel().unwrap();
        let fixed = fit(&unbalanced, "fixed-effects", formula, vcov, &json!({}));
        same(&fit(&unbalanced, "twfe-weights", formula, vcov, &options), &fixed, &NEAR);
    }
}

/// Changes of year dummies span effects of the years of changes.
#[test]
fn weights_of_changes_are_of_first_differences() {
    let panel = Table::unbalanced(43).panel().unwrap();
    let options = json!({ "treatment": "d", "type": "fdTR" });
    for vcov in KINDS {
        let changes = fit(&panel, "first-difference", "y ~ 0 + x1 + d + i(year)", vcov, &json!({}));
        let ours = fit(&panel, "twfe-weights", "y ~ x1 + d | unit + year", vcov, &options);
        assert_eq!(ours.sample.rows_used, changes.sample.rows_used);
        same(&ours, &changes, &NEAR);
    }
}

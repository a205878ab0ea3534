//! Effects by cohort and period in the one case that needs no estimator of its own.

use parallax_model::{
    AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, WeightKind,
};
use parallax_testkit::{REORDERED, Table, compare};
use serde_json::{Value, json};

fn fit(panel: &Panel, estimator: &str, formula: &str, weights: Option<&str>, options: &Value) -> Estimate {
    let spec = ModelSpec {
        estimator: estimator.to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: weights.map(Into::into),
        weight_kind: WeightKind::Analytic,
        vcov: "cluster:group".parse().unwrap(),
        small_sample: SmallSample::NONE,
        repair: None,
        singletons: SingletonPolicy::Keep,
        options: options.as_object().unwrap().clone(),
    };
    let registry = parallax_plugins::registry().unwrap();
    registry.estimator(estimator).unwrap().fit(panel, &spec, &AbsorptionCache::default()).unwrap()
}

/// One cohort and never treated units in two periods: effect and clustered error are those of two-way fixed effects,
/// whatever the method, and with weights that are fixed within units. On cross-sections too, where the panel is balanced.
#[test]
fn two_groups_in_two_periods_are_two_way_fixed_effects() {
    let table = Table::balanced(17);
    let (cohort, w) = (table.column("cohort").to_vec(), table.column("w").to_vec());
    let chosen: Vec<usize> = (0..table.len())
        .filter(|&it| [2004, 2005].contains(&table.year[it]) && [0.0, 2005.0].contains(&cohort[it]))
        .collect();
    assert!(w.windows(2).any(|it| it[0] != it[1]));
    let panel = table.rows(&chosen).panel().unwrap();
    for weights in [None, Some("w")] {
        let twfe = fit(&panel, "fixed-effects", "y ~ d | unit + year", weights, &json!({}));
        let twfe = twfe.row("d", 0.95).unwrap();
        for method in ["dr", "dr-improved", "ipw", "reg"] {
            for data in ["panel", "repeated-cross-sections"] {
                let options = json!({ "cohort": "cohort", "method": method, "data": data });
                let own =
                    fit(&panel, "callaway-santanna", "y ~ 1", weights, &options).row("att", 0.95).unwrap();
                compare(method, own.estimate, twfe.estimate, &REORDERED).unwrap();
                compare(&format!("error of {method}"), own.std_error, twfe.std_error, &REORDERED).unwrap();
            }
        }
    }
}

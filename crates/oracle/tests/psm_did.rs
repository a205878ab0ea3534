//! PSM-DID from end to end: the weights of `match` in `fixed-effects`, against rows repeated and closed forms.
#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside the functions the lint exempts")]

use parallax_model::{
    AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, WeightKind,
    panel::{Column, PanelBuilder},
};
use parallax_oracle::{DataSet, Store};
use serde_json::{Value, json};

fn panel() -> Panel {
    let shared = Store::default().panel(DataSet::Open("panel_bal", "unit", "year")).unwrap().unwrap();
    let panel = shared.0.clone();
    let ever = panel.real("first_treat").unwrap().iter().map(|it| f64::from(u8::from(0.0 < *it))).collect();
    panel.with("ever".into(), Column::real(ever)).unwrap()
}

fn matched(panel: &Panel, more: &Value) -> Panel {
    let mut options =
        json!({"treatment": "ever", "covariates": ["x1", "x2", "x3"], "into": "w", "score": "logit"});
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let registry = parallax_plugins::registry().unwrap();
    registry.step("match").unwrap().apply(panel, options.as_object().unwrap()).unwrap().panel
}

fn fit(panel: &Panel, weights: Option<WeightKind>, vcov: &str, rules: SmallSample) -> Estimate {
    let spec = ModelSpec {
        estimator: "fixed-effects".to_owned(),
        formula: Formula::parse("y ~ treat + x1 | unit + year").unwrap(),
        weights: weights.map(|_| "w".into()),
        weight_kind: weights.unwrap_or(WeightKind::Analytic),
        vcov: vcov.parse().unwrap(),
        small_sample: rules,
        repair: None,
        singletons: SingletonPolicy::Keep,
        options: serde_json::Map::new(),
    };
    let registry = parallax_plugins::registry().unwrap();
    registry.estimator("fixed-effects").unwrap().fit(panel, &spec, &AbsorptionCache::default()).unwrap()
}

/// Each row as often as its weight says, without an index: the keys of a panel are unique.
fn repeated(panel: &Panel) -> Panel {
    let weights = panel.real("w").unwrap();
    let rows: Vec<usize> = (0..panel.n_rows())
        .flat_map(|row| {
            std::iter::repeat_n(row, if weights[row].is_nan() { 0 } else { weights[row] as usize })
        })
        .collect();
    let mut builder = PanelBuilder::new(rows.len());
    for name in ["y", "treat", "x1", "unit", "year"] {
        let values = panel.real(name).unwrap();
        builder = builder.column(name.into(), Column::real(rows.iter().map(|&row| values[row]).collect()));
    }
    builder.build().unwrap()
}

fn near(ours: f64, theirs: f64, what: &str) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs(), "{what}: {ours} is not {theirs}");
}

#[test]
fn frequency_weights_are_matched_rows_repeated() {
    let panel = panel();
    for by in ["none", "period"] {
        let weighted = matched(&panel, &json!({"by": by}));
        let long = repeated(&weighted);
        assert!(long.n_rows() < panel.n_rows() * 2 && 1000 < long.n_rows());
        for (vcov, rules) in [
            ("iid", SmallSample::REGHDFE),
            ("cluster:unit", SmallSample::REGHDFE),
            ("hc1", SmallSample::FIXEST),
            ("cluster:unit+year", SmallSample::FIXEST),
        ] {
            let ours = fit(&weighted, Some(WeightKind::Frequency), vcov, rules);
            let theirs = fit(&long, None, vcov, rules);
            for at in 0..2 {
                near(ours.coef[at], theirs.coef[at], &format!("{by} {vcov} coefficient {at}"));
                near(
                    ours.vcov.std_errors()[at],
                    theirs.vcov.std_errors()[at],
                    &format!("{by} {vcov} error {at}"),
                );
            }
        }
    }
}

#[test]
fn analytic_weights_give_the_same_estimate_and_the_error_of_fewer_rows() {
    let weighted = matched(&panel(), &json!({"by": "period"}));
    let weights: Vec<f64> = weighted.real("w").unwrap().iter().copied().filter(|it| !it.is_nan()).collect();
    let (rows, sum) = (weights.len() as f64, weights.iter().sum::<f64>());
    assert!(100.0 < sum - rows, "{sum} and {rows}");
    for vcov in ["iid", "cluster:unit"] {
        let [frequency, analytic] = [WeightKind::Frequency, WeightKind::Analytic]
            .map(|kind| fit(&weighted, Some(kind), vcov, SmallSample::REGHDFE));
        let k = analytic.vcov.arithmetic.k as f64;
        let ratio = match vcov {
            "iid" => (sum - k) / (rows - k),
            _ => (rows - 1.0) / (rows - k) * (sum - k) / (sum - 1.0),
        };
        near(analytic.coef[0], frequency.coef[0], vcov);
        let variance = |it: &Estimate| it.vcov.std_errors()[0].powi(2);
        near(variance(&analytic) / variance(&frequency), ratio, vcov);
    }
}

/// Kernel weights are fractions: they are no frequencies, and say so.
#[test]
fn fractions_are_refused_as_frequencies() {
    let weighted = matched(&panel(), &json!({"method": "kernel"}));
    let ok = fit(&weighted, Some(WeightKind::Analytic), "cluster:unit", SmallSample::REGHDFE);
    assert!(ok.coef[0].is_finite());
    let spec = ModelSpec {
        estimator: "fixed-effects".to_owned(),
        formula: Formula::parse("y ~ treat | unit + year").unwrap(),
        weights: Some("w".into()),
        weight_kind: WeightKind::Frequency,
        vcov: "iid".parse().unwrap(),
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Keep,
        options: serde_json::Map::new(),
    };
    let registry = parallax_plugins::registry().unwrap();
    let refused =
        registry.estimator("fixed-effects").unwrap().fit(&weighted, &spec, &AbsorptionCache::default());
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("frequency weight `w`") && message.contains("analytic"), "{message}");
}

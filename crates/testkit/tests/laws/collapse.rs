//! What estimators become in special cases.

use parallax_model::{
    AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, WeightKind,
    vcov::{EffectCount, EffectDof},
};
use parallax_testkit::{Closeness, NEAR, REORDERED, Shape, Table, compare};

struct Ask<'a> {
    estimator: &'a str,
    formula: &'a str,
    vcov: &'a str,
    rules: SmallSample,
    weights: Option<&'a str>,
    weight_kind: WeightKind,
}

fn ask<'a>(estimator: &'a str, formula: &'a str, vcov: &'a str, rules: SmallSample) -> Ask<'a> {
    Ask { estimator, formula, vcov, rules, weights: None, weight_kind: WeightKind::Analytic }
}

impl Ask<'_> {
    fn on(&self, panel: &Panel) -> Estimate {
        let spec = ModelSpec {
            estimator: self.estimator.to_owned(),
            formula: Formula::parse(self.formula).unwrap(),
            weights: self.weights.map(Into::into),
            weight_kind: self.weight_kind,
            vcov: self.vcov.parse().unwrap(),
            small_sample: self.rules,
            repair: None,
            singletons: SingletonPolicy::Keep,
            options: serde_json::Map::new(),
        };
        let registry = parallax_plugins::registry().unwrap();
        let entry = registry.estimator(self.estimator).unwrap();
        entry
            .fit(panel, &spec, &AbsorptionCache::default())
            .unwrap_or_else(|it| panic!("{}: {it}", self.formula))
    }
}

/// Coefficients and standard errors of the terms named.
fn same(a: &Estimate, b: &Estimate, terms: &[&str], closeness: &Closeness) {
    for term in terms {
        let (a, b) = (a.row(term, 0.95).unwrap(), b.row(term, 0.95).unwrap());
        compare(term, a.estimate, b.estimate, closeness).unwrap();
        compare(&format!("error of {term}"), a.std_error, b.std_error, closeness).unwrap();
    }
}

const SLOPES: [&str; 3] = ["x1", "x2", "d"];
/// Dummies count among the regressors, so effects must count whole.
const FULL: SmallSample = SmallSample {
    effects: EffectDof::Full,
    count: EffectCount::Components,
    preset: parallax_model::vcov::Preset::Custom,
    ..SmallSample::FIXEST
};

fn unbalanced() -> Panel {
    Table::unbalanced(31).panel().unwrap()
}

#[test]
fn fixed_effects_are_pooled_with_dummies() {
    let panel = unbalanced();
    for vcov in ["iid", "hc0", "hc1", "hc2", "hc3", "cluster:group", "cluster:group+year"] {
        let pairs = [
            ("y ~ x1 + x2 + d | unit", "y ~ x1 + x2 + d + i(unit)"),
            ("y ~ x1 + x2 + d | unit + year", "y ~ x1 + x2 + d + i(unit) + i(year)"),
        ];
        for (absorbed, dummies) in pairs {
            let fixed = ask("fixed-effects", absorbed, vcov, FULL).on(&panel);
            let pooled = ask("pooled-ols", dummies, vcov, FULL).on(&panel);
            if fixed.vcov.clamped == 0 && pooled.vcov.clamped == 0 {
                same(&fixed, &pooled, &SLOPES, &NEAR);
            } else {
                assert_eq!(vcov, "cluster:group+year", "only two-way matrices can need repair");
            }
        }
    }
}

#[test]
fn year_dummies_may_be_absorbed() {
    let panel = unbalanced();
    for vcov in ["iid", "hc3", "cluster:group"] {
        let dummies = ask("fixed-effects", "y ~ x1 + x2 + d + i(year) | unit", vcov, FULL).on(&panel);
        let absorbed = ask("fixed-effects", "y ~ x1 + x2 + d | unit + year", vcov, FULL).on(&panel);
        same(&dummies, &absorbed, &SLOPES, &NEAR);
    }
}

/// Without any difference between units the variance of their effects is estimated as zero.
#[test]
fn random_effects_without_unit_variance_are_pooled() {
    let table = Table::balanced(32);
    let mut means = std::collections::HashMap::<&String, f64>::new();
    for (unit, y) in table.unit.iter().zip(table.column("y")) {
        *means.entry(unit).or_default() += y / 9.0;
    }
    let flat: Vec<f64> = table.unit.iter().zip(table.column("y")).map(|(unit, y)| y - means[unit]).collect();
    let panel =
        table.panel().unwrap().with("flat".into(), parallax_model::panel::Column::real(flat)).unwrap();
    for vcov in ["iid", "hc1", "cluster:unit"] {
        let random = ask("random-effects", "flat ~ x1 + x2 + d", vcov, SmallSample::FIXEST).on(&panel);
        assert_eq!(random.stats.get("sigma_u"), Some(0.0));
        let pooled = ask("pooled-ols", "flat ~ x1 + x2 + d", vcov, SmallSample::FIXEST).on(&panel);
        same(&random, &pooled, &["(Intercept)", "x1", "x2", "d"], &REORDERED);
    }
}

#[test]
fn two_periods_make_first_differences_fixed_effects() {
    let panel = Table::seeded(Shape { units: 40, periods: 2, holes: 0.0, seed: 33 }).panel().unwrap();
    let pairs = [
        ("y ~ x1 + x2 + d", "y ~ x1 + x2 + d | unit + year"),
        ("y ~ 0 + x1 + x2 + d", "y ~ x1 + x2 + d | unit"),
    ];
    for (change, within) in pairs {
        let change = ask("first-difference", change, "iid", FULL).on(&panel);
        let within = ask("fixed-effects", within, "iid", FULL).on(&panel);
        same(&change, &within, &SLOPES, &NEAR);
    }
}

#[test]
fn one_row_a_cluster_is_hc0() {
    let panel = unbalanced();
    for (estimator, formula) in
        [("pooled-ols", "y ~ x1 + x2 + d"), ("fixed-effects", "y ~ x1 + x2 + d | unit + year")]
    {
        let clusters = ask(estimator, formula, "cluster:row", SmallSample::NONE).on(&panel);
        let robust = ask(estimator, formula, "hc0", SmallSample::NONE).on(&panel);
        same(&clusters, &robust, &SLOPES, &REORDERED);
    }
}

#[test]
fn clusters_in_clusters_are_the_larger_ones() {
    let panel = unbalanced();
    for rules in [SmallSample::NONE, SmallSample::FIXEST] {
        let both = ask("pooled-ols", "y ~ x1 + x2 + d", "cluster:unit+group", rules).on(&panel);
        let coarse = ask("pooled-ols", "y ~ x1 + x2 + d", "cluster:group", rules).on(&panel);
        let fine = ask("pooled-ols", "y ~ x1 + x2 + d", "cluster:unit", rules).on(&panel);
        same(&both, &coarse, &SLOPES, &REORDERED);
        assert!(compare("", both.vcov.std_errors()[1], fine.vcov.std_errors()[1], &NEAR).is_err());
    }
}

#[test]
fn one_period_makes_between_pooled() {
    let panel = Table::seeded(Shape { units: 60, periods: 1, holes: 0.0, seed: 34 }).panel().unwrap();
    for vcov in ["iid", "hc1", "hc3"] {
        let between = ask("between", "y ~ x1 + x2", vcov, SmallSample::FIXEST).on(&panel);
        let pooled = ask("pooled-ols", "y ~ x1 + x2", vcov, SmallSample::FIXEST).on(&panel);
        same(&between, &pooled, &["(Intercept)", "x1", "x2"], &REORDERED);
    }
}

/// Whole weights are repeated rows: for coefficients when they are analytic, for errors and degrees of freedom
/// too when they are frequencies.
#[test]
fn whole_weights_are_repeated_rows() {
    let table = Table::unbalanced(35);
    let times = |row: usize| 1 + row % 3;
    let repeated: Vec<usize> = (0..table.len()).flat_map(|row| vec![row; times(row)]).collect();
    let repeated = table.rows(&repeated).unindexed().unwrap();
    let weights: Vec<f64> = (0..table.len()).map(|row| times(row) as f64).collect();
    let weighted = table.unindexed().unwrap();
    let weighted = weighted.with("times".into(), parallax_model::panel::Column::real(weights)).unwrap();
    for (estimator, formula) in
        [("pooled-ols", "y ~ x1 + x2 + d"), ("fixed-effects", "y ~ x1 + x2 + d | unit + year")]
    {
        for vcov in ["iid", "hc0", "hc1", "hc2", "hc3", "cluster:unit", "cluster:group+year"] {
            let plain = ask(estimator, formula, vcov, SmallSample::FIXEST).on(&repeated);
            let weights = Some("times");
            let by = |weight_kind| {
                Ask { weights, weight_kind, ..ask(estimator, formula, vcov, SmallSample::FIXEST) }
                    .on(&weighted)
            };
            let (analytic, frequency) = (by(WeightKind::Analytic), by(WeightKind::Frequency));
            for term in SLOPES {
                let (a, b) = (plain.row(term, 0.95).unwrap(), analytic.row(term, 0.95).unwrap());
                compare(term, a.estimate, b.estimate, &NEAR).unwrap();
            }
            same(&plain, &frequency, &SLOPES, &NEAR);
            assert_eq!(plain.distribution, frequency.distribution, "{vcov}");
            for name in ["r2", "r2_adjusted", "rmse", "root_mse", "df_residual"] {
                let stat = |it: &Estimate| it.stats.get(name).unwrap();
                compare(name, stat(&plain), stat(&frequency), &NEAR).unwrap();
            }
            assert_eq!(frequency.stats.get("observations"), Some(plain.sample.rows_used as f64));
        }
    }
}

#[test]
fn frequencies_that_are_not_whole_are_refused() {
    let table = Table::balanced(36);
    let panel = table.panel().unwrap();
    let spec = ModelSpec {
        estimator: "fixed-effects".to_owned(),
        formula: Formula::parse("y ~ x1 | unit").unwrap(),
        weights: Some("w".into()),
        weight_kind: WeightKind::Frequency,
        vcov: "iid".parse().unwrap(),
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: serde_json::Map::new(),
    };
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator("fixed-effects").unwrap();
    let error = entry.fit(&panel, &spec, &AbsorptionCache::default()).unwrap_err().to_string();
    assert!(error.contains("frequencies are whole numbers"), "{error}");
}

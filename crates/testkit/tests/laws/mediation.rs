//! Mediation: its parts are regressions, its covariance that of stacked equations, its draws those of resampled data.

use parallax_model::{
    AbsorptionCache, Detail, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, WeightKind,
    panel::{Codes, Column, PanelBuilder},
    vcov::Keyed,
};
use parallax_testkit::{Closeness, NEAR, REORDERED, SAME, Shape, Table, compare};
use serde_json::{Map, Value, json};

fn ask(estimator: &str, formula: &str, vcov: &str, rules: SmallSample, options: &Value) -> ModelSpec {
    ModelSpec {
        estimator: estimator.to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: None,
        weight_kind: WeightKind::Analytic,
        vcov: vcov.parse().unwrap(),
        small_sample: rules,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: options.as_object().cloned().unwrap_or_else(Map::new),
    }
}

fn fit(panel: &Panel, spec: &ModelSpec) -> Estimate {
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator(&spec.estimator).unwrap();
    entry.fit(panel, spec, &AbsorptionCache::default()).unwrap_or_else(|it| panic!("{}: {it}", spec.formula))
}

fn options(more: Value) -> Value {
    let mut all = json!({"treatment": "d", "mediator": "x2"});
    let Value::Object(more) = more else { panic!("options are a table") };
    all.as_object_mut().unwrap().extend(more);
    all
}

const FORMULA: &str = "y ~ x1 + d | unit + year";

fn same_row(ours: &Estimate, term: &str, theirs: &Estimate, of: &str, closeness: &Closeness) {
    let (a, b) = (ours.row(term, 0.95).unwrap(), theirs.row(of, 0.95).unwrap());
    compare(term, a.estimate, b.estimate, closeness).unwrap();
    compare(&format!("error of {term}"), a.std_error, b.std_error, closeness).unwrap();
}

#[test]
fn paths_and_their_errors_are_those_of_fixed_effects() {
    let panel = Table::unbalanced(41).panel().unwrap();
    let fixed = |formula: &str, vcov: &str, rules, weights: Option<&str>| {
        let spec = ask("fixed-effects", formula, vcov, rules, &json!({}));
        fit(&panel, &ModelSpec { weights: weights.map(Into::into), ..spec })
    };
    for rules in SmallSample::PRESETS {
        for (vcov, weights) in [
            ("iid", None),
            ("hc0", None),
            ("hc1", Some("w")),
            ("cluster:group", None),
            ("cluster:group", Some("w")),
            ("cluster:unit+year", None),
        ] {
            if rules == SmallSample::XTREG && (vcov.starts_with("hc") || vcov.contains('+')) {
                continue;
            }
            let first = fixed("x2 ~ x1 + d | unit + year", vcov, rules, weights);
            let outcome = fixed("y ~ x1 + d + x2 | unit + year", vcov, rules, weights);
            let total = fixed(FORMULA, vcov, rules, weights);
            if 0 < first.vcov.clamped + outcome.vcov.clamped + total.vcov.clamped {
                continue;
            }
            let ours = |variant: &str| {
                let spec =
                    ask("mediation", FORMULA, vcov, rules, &options(json!({"outcome-equation": variant})));
                fit(&panel, &ModelSpec { weights: weights.map(Into::into), ..spec })
            };
            let both = ours("direct-and-mediator");
            same_row(&both, "a", &first, "d", &NEAR);
            same_row(&both, "b", &outcome, "x2", &NEAR);
            same_row(&both, "direct", &outcome, "d", &NEAR);
            let (a, b) = (both.row("total", 0.95).unwrap(), total.row("d", 0.95).unwrap());
            compare("total", a.estimate, b.estimate, &NEAR).unwrap();
            let alone = ours("mediator-only");
            same_row(&alone, "a", &first, "d", &NEAR);
            same_row(&alone, "total", &total, "d", &NEAR);
            same_row(&alone, "b", &fixed("y ~ x1 + x2 | unit + year", vcov, rules, weights), "x2", &NEAR);
        }
    }
}

/// The constant counts among the parameters.
#[test]
fn without_effects_paths_are_those_of_pooled_ols() {
    let panel = Table::unbalanced(47).panel().unwrap();
    for rules in SmallSample::PRESETS {
        for vcov in ["iid", "hc1", "cluster:group"] {
            let pooled = |formula: &str| fit(&panel, &ask("pooled-ols", formula, vcov, rules, &json!({})));
            let ours = fit(&panel, &ask("mediation", "y ~ x1 + d", vcov, rules, &options(json!({}))));
            same_row(&ours, "a", &pooled("x2 ~ x1 + d"), "d", &NEAR);
            same_row(&ours, "b", &pooled("y ~ x1 + d + x2"), "x2", &NEAR);
            same_row(&ours, "direct", &pooled("y ~ x1 + d + x2"), "d", &NEAR);
        }
    }
}

/// A row of weight two is two rows, in coefficients, errors and counts; but it cannot be drawn as two.
#[test]
fn frequency_weights_are_repeated_rows() {
    let table = Table::balanced(48).with("w", |it| if it < 1.0 { 1.0 } else { 2.0 });
    let once = table.unindexed().unwrap();
    let rows: Vec<usize> =
        (0..table.len()).flat_map(|it| std::iter::repeat_n(it, table.column("w")[it] as usize)).collect();
    let repeated = table.rows(&rows).unindexed().unwrap();
    let frequency =
        |spec: ModelSpec| ModelSpec { weights: Some("w".into()), weight_kind: WeightKind::Frequency, ..spec };
    let groups = json!({"treatment": "d", "by": "kind"});
    let (interaction, split) = (
        json!({"treatment": "d", "by": "kind", "mode": "interaction"}),
        json!({"treatment": "d", "by": "kind", "mode": "split"}),
    );
    for vcov in ["iid", "hc1", "cluster:group"] {
        for (estimator, formula, more) in [
            ("mediation", "y ~ x1 + d | unit + year", &options(json!({}))),
            ("mediation", "y ~ x1 + d", &options(json!({}))),
            ("group-effects", FORMULA, &groups),
            ("group-effects", FORMULA, &interaction),
            ("group-effects", FORMULA, &split),
        ] {
            let spec = ask(estimator, formula, vcov, SmallSample::FIXEST, more);
            let (ours, theirs) = (fit(&once, &frequency(spec.clone())), fit(&repeated, &spec));
            for (at, (a, b)) in ours.rows(0.95).iter().zip(theirs.rows(0.95)).enumerate() {
                compare(&format!("{estimator} {at}"), a.estimate, b.estimate, &NEAR).unwrap();
                compare(&format!("{estimator} {vcov} error {at}"), a.std_error, b.std_error, &NEAR).unwrap();
            }
            assert_eq!(ours.stats.get("observations"), Some(rows.len() as f64), "{estimator} {formula}");
        }
    }
    let registry = parallax_plugins::registry().unwrap();
    let drawn =
        frequency(ask("mediation", FORMULA, "iid", SmallSample::FIXEST, &options(json!({"bootstrap": 99}))));
    let entry = registry.estimator("mediation").unwrap();
    let refused = entry.fit(&once, &drawn, &AbsorptionCache::default()).unwrap_err().to_string();
    assert!(refused.contains("frequency weights make one row of many"), "{refused}");
}

/// Each equation is a copy of the rows with its own regressors and effects; one regression has them all.
#[test]
fn the_joint_covariance_is_that_of_stacked_equations() {
    let table = Table::unbalanced(42);
    let n = table.len();
    let twice = |text: &[String]| Codes::from_text(text.iter().chain(text).map(|it| Some(it.as_str())));
    let copies = |text: &[String]| {
        let all: Vec<String> =
            text.iter().map(|it| format!("{it} m")).chain(text.iter().map(|it| format!("{it} y"))).collect();
        Codes::from_text(all.iter().map(|it| Some(it.as_str())))
    };
    let in_copy = |name: &str, copy: usize| {
        let values = table.column(name);
        let zero = vec![0.0; n];
        Column::real(if copy == 0 { [values, &zero].concat() } else { [&zero[..], values].concat() })
    };
    let years: Vec<String> = table.year.iter().map(ToString::to_string).collect();
    let stacked = PanelBuilder::new(2 * n)
        .column("unit".into(), Column::Codes(copies(&table.unit)))
        .column("year".into(), Column::Codes(copies(&years)))
        .column("group".into(), Column::Codes(twice(&table.group)))
        .column("outcome".into(), Column::real([table.column("x2"), table.column("y")].concat()))
        .column("d1".into(), in_copy("d", 0))
        .column("x1".into(), in_copy("x1", 0))
        .column("d2".into(), in_copy("d", 1))
        .column("m2".into(), in_copy("x2", 1))
        .column("x12".into(), in_copy("x1", 1))
        .build()
        .unwrap();
    let formula = "outcome ~ d1 + m2 + d2 + x1 + x12 | unit + year";
    let whole = fit(&stacked, &ask("fixed-effects", formula, "cluster:group", SmallSample::NONE, &json!({})));
    let panel = table.panel().unwrap();
    let ours =
        fit(&panel, &ask("mediation", FORMULA, "cluster:group", SmallSample::NONE, &options(json!({}))));
    for i in 0..3 {
        compare("path", ours.coef[i], whole.coef[i], &NEAR).unwrap();
        for j in 0..3 {
            compare("covariance", ours.vcov.matrix[(i, j)], whole.vcov.matrix[(i, j)], &NEAR).unwrap();
        }
    }
}

/// The stated numbers from a, b and their errors alone.
#[test]
fn tests_of_the_indirect_effect_follow_from_the_paths() {
    let panel = Table::balanced(43).panel().unwrap();
    let ours =
        fit(&panel, &ask("mediation", FORMULA, "cluster:group", SmallSample::FIXEST, &options(json!({}))));
    let row = |term: &str| ours.row(term, 0.95).unwrap();
    let (a, b) = (row("a"), row("b"));
    let (of_a, of_b) = ((b.estimate * a.std_error).powi(2), (a.estimate * b.std_error).powi(2));
    let both = (a.std_error * b.std_error).powi(2);
    let close = |what: &str, expected: f64| {
        compare(what, ours.stats.get(what).unwrap(), expected, &REORDERED).unwrap();
    };
    close("sobel_se", (of_a + of_b).sqrt());
    close("aroian_se", (of_a + of_b + both).sqrt());
    close("goodman_se", (of_a + of_b - both).sqrt());
    close("sobel_z", a.estimate * b.estimate / (of_a + of_b).sqrt());
    let covariance = ours.stats.get("path_covariance").unwrap();
    let delta = of_a + of_b + 2.0 * a.estimate * b.estimate * covariance;
    compare("delta", row("indirect").std_error, delta.sqrt(), &REORDERED).unwrap();
    assert_eq!(row("proportion").estimate, row("indirect").estimate / row("total").estimate);
}

/// Groups drawn by the same keyed numbers, put together as new data and fitted from nothing.
#[test]
fn draws_are_fits_of_resampled_clusters() {
    let table = Table::unbalanced(44);
    let mut names: Vec<&String> = table.group.iter().collect();
    names.sort();
    names.dedup();
    for (formula, variant) in
        [(FORMULA, "direct-and-mediator"), (FORMULA, "mediator-only"), ("y ~ d + x1", "mediator-only")]
    {
        let more = options(json!({"outcome-equation": variant, "bootstrap": 40, "seed": 5}));
        let panel = table.panel().unwrap();
        let ours = fit(&panel, &ask("mediation", formula, "cluster:group", SmallSample::NONE, &more));
        let plain = options(json!({"outcome-equation": variant}));
        let mut draws = Vec::new();
        for draw in 0..40 {
            let mut numbers = Keyed::new(5).sequence("mediation bootstrap", draw);
            let (mut rows, mut copy) = (Vec::new(), Vec::new());
            for place in 0..names.len() {
                let name = names[numbers.below(names.len())];
                for row in (0..table.len()).filter(|it| table.group[*it] == *name) {
                    rows.push(row);
                    copy.push(place);
                }
            }
            let mut drawn = table.rows(&rows);
            for (at, place) in copy.iter().enumerate() {
                drawn.unit[at] = format!("{} {place}", drawn.unit[at]);
                drawn.group[at] = format!("{place}");
            }
            let spec = ask("mediation", formula, "cluster:group", SmallSample::NONE, &plain);
            draws.push(fit(&drawn.panel().unwrap(), &spec).coef);
        }
        let table = ours.detail("bootstrap").unwrap();
        for (at, estimate) in ours.coef.iter().enumerate() {
            let values: Vec<f64> = draws.iter().map(|it| it[at]).collect();
            same_summary(table, at, *estimate, values);
        }
        assert_eq!(ours.stats.get("bootstrap_draws"), Some(40.0));
    }
}

/// Closeness of errors of draws: cross-products of the rows lose half the digits where columns nearly cancel.
const CROSS_PRODUCTS: Closeness = Closeness {
    name: "cross-products",
    relative: 1e-8,
    reason: "draws are solved from cross-products, which lose a few digits to the year dummies",
};

fn same_summary(table: &Detail, at: usize, estimate: f64, mut values: Vec<f64>) {
    let number = |name: &str| table.numbers(name).unwrap()[at];
    values.sort_by(f64::total_cmp);
    let mean = values.iter().sum::<f64>() / 40.0;
    let sd = (values.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / 39.0).sqrt();
    // 0.025 of 39 steps is 0.975 of the way from the first to the second.
    let low = 0.025 * values[0] + 0.975 * values[1];
    let high = 0.025 * values[39] + 0.975 * values[38];
    compare("sd", number("std_error"), sd, &CROSS_PRODUCTS).unwrap();
    compare("low", number("percentile_low"), low, &CROSS_PRODUCTS).unwrap();
    compare("high", number("percentile_high"), high, &CROSS_PRODUCTS).unwrap();
    compare("basic", number("basic_low"), 2.0 * estimate - high, &CROSS_PRODUCTS).unwrap();
    compare("basic", number("basic_high"), 2.0 * estimate - low, &CROSS_PRODUCTS).unwrap();
}

#[test]
fn draws_do_not_depend_on_threads_and_depend_on_the_seed() {
    let panel = Table::balanced(45).panel().unwrap();
    let drawn = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let more = options(json!({"bootstrap": 99, "monte-carlo": 500, "seed": seed}));
        let spec = ask("mediation", FORMULA, "cluster:group", SmallSample::FIXEST, &more);
        pool.install(|| fit(&panel, &spec))
    };
    let (one, three, other) = (drawn(1, 7), drawn(3, 7), drawn(1, 8));
    assert_eq!(one.detail("bootstrap"), three.detail("bootstrap"));
    assert_eq!(one.stats, three.stats);
    assert_ne!(one.detail("bootstrap"), other.detail("bootstrap"));
    assert_ne!(one.stats.get("monte_carlo_low"), other.stats.get("monte_carlo_low"));
}

#[test]
fn requests_that_make_no_mediation_are_refused() {
    let panel = Table::balanced(46).panel().unwrap();
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator("mediation").unwrap();
    let refusal = |formula: &str, vcov: &str, options: Value| {
        let spec = ask("mediation", formula, vcov, SmallSample::FIXEST, &options);
        entry.fit(&panel, &spec, &AbsorptionCache::default()).unwrap_err().to_string()
    };
    let cluster = "cluster:group";
    assert!(refusal(FORMULA, cluster, json!({"mediator": "x2"})).contains("`treatment` is missing"));
    assert!(refusal(FORMULA, cluster, json!({"treatment": "d"})).contains("`mediator` is missing"));
    assert!(refusal("y ~ x1 | unit", cluster, options(json!({}))).contains("`d` is no regressor"));
    assert!(refusal("y ~ d + x2 | unit", cluster, options(json!({}))).contains("take it out"));
    assert!(refusal(FORMULA, cluster, options(json!({"bootstrap": 9}))).contains("at least 40"));
    assert!(refusal(FORMULA, cluster, options(json!({"level": 1.0}))).contains("`level` is 1"));
    let two_way = refusal(FORMULA, "cluster:group+year", options(json!({"bootstrap": 99})));
    assert!(two_way.contains("clusters of one column"), "{two_way}");
    let spanned = refusal("y ~ d + x2 + x1 | unit", cluster, json!({"treatment": "d", "mediator": "cohort"}));
    assert!(spanned.contains("spanned by the absorbed effects"), "{spanned}");
}

/// 300 panels with a = 0.8, b = 0.6 and errors that persist within units: the indirect effect is 0.48.
#[test]
fn intervals_of_the_indirect_effect_cover_it() {
    let (mut delta, mut percentile, mut mean) = (0, 0, 0.0);
    const PANELS: usize = 300;
    for seed in 0..PANELS as u64 {
        let table = Table::seeded(Shape { units: 60, periods: 6, holes: 0.0, seed: 1000 + seed });
        let n = table.len();
        let keyed = Keyed::new(seed);
        let unit = |row: usize| table.unit[row][1..].parse::<i64>().unwrap();
        let noise = |what: &str, row: usize| {
            0.6 * keyed.normal(what, unit(row), -1)
                + 0.8 * keyed.normal(what, unit(row), i64::from(table.year[row]))
        };
        let d = table.column("d");
        let m: Vec<f64> = (0..n).map(|it| 0.8 * d[it] + noise("m", it) * (1.0 + 0.5 * d[it])).collect();
        let y: Vec<f64> = (0..n).map(|it| 0.3 * d[it] + 0.6 * m[it] + noise("y", it)).collect();
        let panel = table.panel().unwrap().with("m".into(), Column::real(m)).unwrap();
        let panel = panel.with("out".into(), Column::real(y)).unwrap();
        let more = json!({"treatment": "d", "mediator": "m", "bootstrap": 199, "seed": seed});
        let spec = ask("mediation", "out ~ d | unit + year", "cluster:unit", SmallSample::FIXEST, &more);
        let ours = fit(&panel, &spec);
        let row = ours.row("indirect", 0.95).unwrap();
        mean += row.estimate / PANELS as f64;
        let inside = |low: f64, high: f64| usize::from(low <= 0.48 && 0.48 <= high);
        delta += inside(row.conf_low, row.conf_high);
        let end = |name: &str| ours.stats.get(name).unwrap();
        percentile += inside(end("bootstrap_percentile_low"), end("bootstrap_percentile_high"));
    }
    // Three standard errors of a share of 0.95 over 300 panels are 0.038.
    let share = |it: usize| it as f64 / PANELS as f64;
    println!("coverage: delta {:.3}, percentile {:.3}; mean {mean:.4}", share(delta), share(percentile));
    assert!((0.912..=0.988).contains(&share(delta)), "delta {}", share(delta));
    assert!((0.912..=0.988).contains(&share(percentile)), "percentile {}", share(percentile));
    assert!((mean - 0.48).abs() < 0.02, "{mean}");
}

/// A panel of the paper's size: 259 units, 12 years, seven controls, 999 draws.
#[test]
fn a_bootstrap_of_the_papers_size_repeats_itself() {
    let table = Table::seeded(Shape { units: 259, periods: 12, holes: 0.0, seed: 3 });
    let mut panel = table.panel().unwrap();
    for control in 1..=6 {
        let keyed = Keyed::new(control);
        let values = (0..table.len()).map(|it| keyed.normal("control", it as i64, 0)).collect();
        panel = panel.with(format!("c{control}").into(), Column::real(values)).unwrap();
    }
    let formula = "y ~ d + x1 + c1 + c2 + c3 + c4 + c5 + c6 | unit + year";
    let spec =
        ask("mediation", formula, "cluster:unit", SmallSample::XTREG, &options(json!({"bootstrap": 999})));
    let start = std::time::Instant::now();
    let (first, second) = (fit(&panel, &spec), fit(&panel, &spec));
    println!("999 draws: {:?}", start.elapsed() / 2);
    compare(
        "draws",
        first.stats.get("bootstrap_se").unwrap(),
        second.stats.get("bootstrap_se").unwrap(),
        &SAME,
    )
    .unwrap();
    let row = first.row("indirect", 0.95).unwrap();
    let ratio = first.stats.get("bootstrap_se").unwrap() / row.std_error;
    assert!((0.85..1.15).contains(&ratio), "bootstrap error over delta error: {ratio}");
}

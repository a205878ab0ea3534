//! Effects by group: regressions with interactions, split samples, and groups given to other units.

use parallax_model::{
    AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, WeightKind,
    panel::{Codes, Column, PanelBuilder},
    vcov::Keyed,
};
use parallax_testkit::{NEAR, REORDERED, Shape, Table, compare};
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
    let mut all = json!({"treatment": "d", "by": "kind"});
    let Value::Object(more) = more else { panic!("options are a table") };
    all.as_object_mut().unwrap().extend(more);
    all
}

const FORMULA: &str = "y ~ x1 + d + x2 | unit + year";

fn same_row(ours: &Estimate, term: &str, theirs: &Estimate, of: &str) {
    let (a, b) = (ours.row(term, 0.95).unwrap(), theirs.row(of, 0.95).unwrap());
    compare(term, a.estimate, b.estimate, &NEAR).unwrap();
    compare(&format!("error of {term}"), a.std_error, b.std_error, &NEAR).unwrap();
}

const REQUESTS: [(&str, Option<&str>); 6] = [
    ("iid", None),
    ("hc1", Some("w")),
    ("cluster:unit", None),
    ("cluster:group", Some("w")),
    ("cluster:group", None),
    ("cluster:unit+year", None),
];

#[test]
fn joint_and_interacted_effects_are_fixed_effects_with_products() {
    let panel = Table::unbalanced(51).panel().unwrap();
    for (vcov, weights) in REQUESTS {
        let on = |spec: ModelSpec| fit(&panel, &ModelSpec { weights: weights.map(Into::into), ..spec });
        let fixed = |formula: &str| on(ask("fixed-effects", formula, vcov, SmallSample::FIXEST, &json!({})));
        let ours = |mode: &str| {
            on(ask("group-effects", FORMULA, vcov, SmallSample::FIXEST, &options(json!({"mode": mode}))))
        };
        let products = fixed("y ~ x1 + I(d * (kind == 1)) + I(d * (kind == 2)) + x2 | unit + year");
        let joint = ours("joint");
        for (term, of) in
            [("d:1", "I(d * (kind == 1))"), ("d:2", "I(d * (kind == 2))"), ("x1", "x1"), ("x2", "x2")]
        {
            same_row(&joint, term, &products, of);
        }
        assert_eq!(joint.stats.get("r2_within"), products.stats.get("r2_within"));
        let alone = ours("interaction");
        for group in [1, 2] {
            let product = format!("I(d * (kind == {group}))");
            let theirs = fixed(&format!("y ~ x1 + {product} + x2 | unit + year"));
            same_row(&alone, &format!("d:{group}"), &theirs, &product);
        }
    }
}

#[test]
fn split_effects_are_fixed_effects_on_the_rows_of_each_group() {
    let panel = Table::unbalanced(52).panel().unwrap();
    for (vcov, weights) in REQUESTS {
        let on = |panel: &Panel, spec: ModelSpec| {
            fit(panel, &ModelSpec { weights: weights.map(Into::into), ..spec })
        };
        let spec =
            ask("group-effects", FORMULA, vcov, SmallSample::REGHDFE, &options(json!({"mode": "split"})));
        let ours = on(&panel, spec);
        let kind = panel.real("kind").unwrap();
        for group in [1.0, 2.0] {
            let rows: Vec<bool> = kind.iter().map(|it| *it == group).collect();
            let spec = ask("fixed-effects", FORMULA, vcov, SmallSample::REGHDFE, &json!({}));
            let theirs = on(&panel.keep(&rows).unwrap(), spec);
            same_row(&ours, &format!("d:{group}"), &theirs, "d");
        }
    }
}

/// One regression with every regressor and effect times the group has all coefficients of the split samples. Groups
/// share clusters here, so that the covariance between their effects is not zero.
#[test]
fn the_covariance_of_split_effects_is_that_of_full_interactions() {
    let panel = Table::unbalanced(53).panel().unwrap();
    let split = options(json!({"mode": "split"}));
    let ours = fit(&panel, &ask("group-effects", FORMULA, "cluster:group", SmallSample::NONE, &split));
    let term = |name: &str, kind: u8| format!("I({name} * (kind == {kind}))");
    let all: Vec<String> = ["d", "x1", "x2"].iter().flat_map(|it| [term(it, 1), term(it, 2)]).collect();
    let formula = format!("y ~ {} | unit + year^kind", all.join(" + "));
    let whole = fit(&panel, &ask("fixed-effects", &formula, "cluster:group", SmallSample::NONE, &json!({})));
    for i in 0..2 {
        compare("effect", ours.coef[i], whole.coef[i], &NEAR).unwrap();
        for j in 0..2 {
            compare("covariance", ours.vcov.matrix[(i, j)], whole.vcov.matrix[(i, j)], &NEAR).unwrap();
        }
    }
    assert!(1e-6 < ours.vcov.matrix[(0, 1)].abs(), "the groups share no cluster");
}

/// The covariance between models of their own is that of stacked copies of the rows.
#[test]
fn the_covariance_of_interacted_effects_is_that_of_stacked_models() {
    let table = Table::unbalanced(54);
    let n = table.len();
    let text = |it: &[String]| {
        let all: Vec<String> =
            it.iter().map(|it| format!("{it} a")).chain(it.iter().map(|it| format!("{it} b"))).collect();
        Column::Codes(Codes::from_text(all.iter().map(|it| Some(it.as_str()))))
    };
    let groups = table.group.iter().chain(&table.group).map(|it| Some(it.as_str()));
    let years: Vec<String> = table.year.iter().map(ToString::to_string).collect();
    let (kind, zero) = (table.column("kind"), vec![0.0; n]);
    let mut builder = PanelBuilder::new(2 * n)
        .column("unit".into(), text(&table.unit))
        .column("year".into(), text(&years))
        .column("group".into(), Column::Codes(Codes::from_text(groups)))
        .column("y".into(), Column::real([table.column("y"), table.column("y")].concat()));
    for (copy, group) in [(0, 1.0), (1, 2.0)] {
        for name in ["d", "x1", "x2"] {
            let of = |(x, kind): (&f64, &f64)| if name == "d" && *kind != group { 0.0 } else { *x };
            let values: Vec<f64> = table.column(name).iter().zip(kind).map(of).collect();
            let both = if copy == 0 { [values, zero.clone()] } else { [zero.clone(), values] };
            builder = builder.column(format!("{name}{copy}").into(), Column::real(both.concat()));
        }
    }
    let formula = "y ~ d0 + d1 + x10 + x11 + x20 + x21 | unit + year";
    let whole = fit(
        &builder.build().unwrap(),
        &ask("fixed-effects", formula, "cluster:group", SmallSample::NONE, &json!({})),
    );
    let more = options(json!({"mode": "interaction"}));
    let ours = fit(
        &table.panel().unwrap(),
        &ask("group-effects", FORMULA, "cluster:group", SmallSample::NONE, &more),
    );
    for i in 0..2 {
        for j in 0..2 {
            compare("covariance", ours.vcov.matrix[(i, j)], whole.vcov.matrix[(i, j)], &NEAR).unwrap();
        }
    }
}

#[test]
fn two_groups_differ_as_their_difference_says() {
    let panel = Table::balanced(55).panel().unwrap();
    for mode in ["joint", "interaction", "split"] {
        let more = options(json!({"mode": mode}));
        let ours = fit(&panel, &ask("group-effects", FORMULA, "cluster:unit", SmallSample::FIXEST, &more));
        let table = ours.detail("differences").unwrap();
        let number = |name: &str| table.numbers(name).unwrap()[0];
        let stat = |name: &str| ours.stats.get(name).unwrap();
        compare("chi2", stat("equality_chi2"), number("statistic").powi(2), &REORDERED).unwrap();
        compare("p of F", stat("equality_f_p"), number("p_value"), &REORDERED).unwrap();
        assert_eq!(stat("equality_df"), 1.0);
        let effect = |term: &str| ours.row(term, 0.95).unwrap().estimate;
        compare("difference", number("difference"), effect("d:1") - effect("d:2"), &REORDERED).unwrap();
        let groups = ours.detail("groups").unwrap();
        assert_eq!(groups.numbers("units").unwrap(), [24.0, 24.0]);
        assert_eq!(groups.numbers("rows").unwrap(), [216.0, 216.0]);
        let treated: f64 = groups.numbers("treated_rows").unwrap().iter().sum();
        assert_eq!(treated, panel.real("d").unwrap().iter().sum::<f64>());
    }
}

/// Draws are fits of the estimator itself after units swapped groups by the same keyed numbers.
#[test]
fn draws_are_fits_with_groups_given_to_other_units() {
    let table = Table::unbalanced(56);
    let panel = table.panel().unwrap();
    let units = panel.units().clone();
    let kind = panel.real("kind").unwrap();
    let mut of_units = vec![0.0; units.n_groups()];
    units.code.iter().zip(kind.iter()).for_each(|(&unit, kind)| of_units[unit as usize] = *kind);
    let spread = |it: &Estimate| {
        let effect = |term: &str| it.row(term, 0.95).unwrap().estimate;
        (effect("d:1") - effect("d:2")).abs()
    };
    for (formula, mode) in
        [(FORMULA, "joint"), (FORMULA, "interaction"), (FORMULA, "split"), ("y ~ d + x1", "joint")]
    {
        let more = options(json!({"mode": mode, "permutations": 30, "seed": 4}));
        let ours = fit(&panel, &ask("group-effects", formula, "cluster:group", SmallSample::NONE, &more));
        let actual = spread(&ours);
        compare("spread", ours.stats.get("permutation_spread").unwrap(), actual, &NEAR).unwrap();
        let mut as_large = 0;
        for draw in 0..30 {
            let mut shuffled = of_units.clone();
            Keyed::new(4).sequence("group-effects permutation", draw).shuffle(&mut shuffled);
            let column = units.code.iter().map(|it| shuffled[*it as usize]).collect();
            let other = panel.clone().with("kind".into(), Column::real(column)).unwrap();
            let plain = options(json!({"mode": mode}));
            let drawn =
                fit(&other, &ask("group-effects", formula, "cluster:group", SmallSample::NONE, &plain));
            as_large += usize::from(actual <= spread(&drawn));
        }
        assert_eq!(ours.stats.get("permutation_p"), Some((1.0 + as_large as f64) / 31.0), "{formula} {mode}");
    }
}

#[test]
fn permutations_do_not_depend_on_threads() {
    let panel = Table::balanced(57).panel().unwrap();
    let drawn = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let more = options(json!({"permutations": 199, "seed": 9}));
        pool.install(|| {
            fit(&panel, &ask("group-effects", FORMULA, "cluster:unit", SmallSample::FIXEST, &more))
        })
    };
    assert_eq!(drawn(1).stats, drawn(3).stats);
}

/// Under equal effects a test at 10 per cent rejects in 10 per cent of 300 panels, within three standard errors (5.2);
/// under effects of 1 and 2 nearly always.
#[test]
fn tests_of_equality_have_their_level_and_power() {
    let rejected = |step: f64| {
        let (mut wald, mut permutation) = (0, 0);
        for seed in 0..300 {
            let table = Table::seeded(Shape { units: 60, periods: 6, holes: 0.0, seed: 3_000 + seed });
            let keyed = Keyed::new(seed);
            let noise = |row: usize| {
                let unit = table.unit[row][1..].parse::<i64>().unwrap();
                keyed.normal("shared", unit, -1) + keyed.normal("own", unit, i64::from(table.year[row]))
            };
            let effect = |row: usize| 1.0 + step * (table.column("kind")[row] - 1.0);
            let y = (0..table.len()).map(|it| effect(it) * table.column("d")[it] + noise(it)).collect();
            let panel = table.panel().unwrap().with("out".into(), Column::real(y)).unwrap();
            let more = options(json!({"permutations": 99, "seed": seed}));
            let ours = fit(
                &panel,
                &ask("group-effects", "out ~ d | unit + year", "cluster:unit", SmallSample::FIXEST, &more),
            );
            wald += usize::from(ours.stats.get("equality_f_p").unwrap() <= 0.1);
            permutation += usize::from(ours.stats.get("permutation_p").unwrap() <= 0.1);
        }
        (wald as f64 / 300.0, permutation as f64 / 300.0)
    };
    let (equal, apart) = (rejected(0.0), rejected(1.0));
    println!("rejected: equal {equal:?}, apart {apart:?}");
    for share in [equal.0, equal.1] {
        assert!((0.048..=0.152).contains(&share), "{equal:?}");
    }
    assert!(0.9 < apart.0.min(apart.1), "{apart:?}");
}

#[test]
fn requests_that_make_no_groups_are_refused() {
    let panel = Table::balanced(58).panel().unwrap();
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator("group-effects").unwrap();
    let refusal = |formula: &str, options: Value| {
        let spec = ask("group-effects", formula, "cluster:unit", SmallSample::FIXEST, &options);
        entry.fit(&panel, &spec, &AbsorptionCache::default()).unwrap_err().to_string()
    };
    assert!(refusal(FORMULA, json!({"by": "kind"})).contains("`treatment` is missing"));
    assert!(refusal(FORMULA, json!({"treatment": "d"})).contains("`by` is missing"));
    assert!(refusal("y ~ x1 | unit", options(json!({}))).contains("`d` is no regressor"));
    assert!(
        refusal(FORMULA, json!({"treatment": "d", "by": "year"}))
            .contains("`d` is zero in the whole group 2001")
    );
    let within = json!({"treatment": "x1", "by": "year", "permutations": 9});
    assert!(refusal("y ~ x1 + d | unit", within).contains("is in several groups of `year`"));
    assert!(refusal(FORMULA, options(json!({"mode": "each"}))).contains("\"each\" was found"));
}

//! Options beside the defaults on panels without noise, and what stacked regressions are by brute force.

use parallax_model::{
    AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, Term, WeightKind,
};
use parallax_testkit::{NEAR, PATTERNS, Pattern, Table, compare, five_from_adoption_on, noiseless};
use serde_json::{Value, json};

fn fit(
    panel: &Panel,
    estimator: &str,
    formula: &str,
    weights: bool,
    options: &Value,
) -> Result<Estimate, String> {
    let spec = ModelSpec {
        estimator: estimator.to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: weights.then(|| "w".into()),
        weight_kind: WeightKind::Analytic,
        vcov: "cluster:unit".parse().unwrap(),
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: options.as_object().unwrap().clone(),
    };
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator(estimator).unwrap();
    entry.fit(panel, &spec, &AbsorptionCache::default()).map_err(|it| it.to_string())
}

/// Every option that changes who is compared with whom.
fn requests() -> Vec<(&'static str, &'static str, Value)> {
    let dated = |estimator, formula, more: Value| {
        let mut all = more.as_object().unwrap().clone();
        all.insert("cohort".into(), json!("cohort"));
        (estimator, formula, Value::Object(all))
    };
    let stacked = |it| dated("stacked", "y ~ 1", it);
    let projected = |it| dated("lp-did", "y ~ 1", it);
    let compared = |it| dated("callaway-santanna", "y ~ 1", it);
    let two_way = "y ~ 1 | unit + year";
    vec![
        stacked(json!({ "weighting": "none" })),
        stacked(json!({ "weighting": "sample-share", "control": "never-treated" })),
        stacked(json!({ "weighting": "population", "population": "kind" })),
        stacked(json!({ "trim": false, "leads": 4, "lags": 4 })),
        stacked(json!({ "weighting": "none", "trim": false, "leads": 5, "lags": 5 })),
        stacked(json!({ "effects": "unit-period", "leads": 2, "lags": 1 })),
        stacked(json!({ "anticipation": 1, "leads": 3, "lags": 2 })),
        projected(json!({})),
        projected(json!({ "reweight": true, "control": "never-treated", "leads": 4, "lags": 4 })),
        projected(json!({ "base": "pre-mean" })),
        projected(json!({ "base": "pre-mean", "base-periods": 2, "reweight": true, "leads": 1, "lags": 2 })),
        projected(json!({ "no-composition": true, "lags": 2 })),
        projected(json!({ "outcome-lags": 1, "difference-lags": 1, "leads": 1, "lags": 1 })),
        compared(json!({ "control": "not-yet-treated", "base-period": "universal" })),
        compared(json!({ "anticipation": 1 })),
        dated("imputation", two_way, json!({ "group-time": true, "leads": 3, "autosample": true })),
        dated("imputation", two_way, json!({ "anticipation": 1, "autosample": true })),
        dated("two-stage", two_way, json!({ "group-time": true, "autosample": true })),
        dated("extended-twfe", two_way, json!({ "control": "never-treated" })),
        dated("extended-twfe", two_way, json!({ "anticipation": 1 })),
        dated("sun-abraham", two_way, json!({ "reference": [-1, -3] })),
        dated("event-study", two_way, json!({ "leads": 2, "lags": 3 })),
        ("dcdh", "y ~ 1", json!({ "treatment": "d", "lags": 3, "leads": 2 })),
        ("dcdh", "y ~ 1", json!({ "treatment": "d", "only-never-switchers": true })),
        ("dcdh", "y ~ 1", json!({ "treatment": "d", "lags": 2, "same-switchers": true })),
        ("dcdh", "y ~ 1", json!({ "treatment": "d", "form": "instantaneous" })),
    ]
}

/// Whatever is asked, five is found or the reason why not.
#[test]
fn every_option_finds_a_constant_effect_or_says_why_not() {
    let mut refused = Vec::new();
    for (estimator, formula, options) in requests() {
        let mut found = 0;
        for (seed, pattern) in (80..).zip(PATTERNS) {
            let panel_of = noiseless(pattern, seed);
            let weighted = pattern.varying || 0.0 < pattern.zeros;
            let what = format!("{estimator} {options} {pattern:?}");
            match fit(&panel_of.panel().unwrap(), estimator, formula, weighted, &options) {
                Ok(it) => {
                    found += 1;
                    five_from_adoption_on(&it, &panel_of).map_err(|it| format!("{what}: {it}")).unwrap();
                }
                Err(why) => refused.push(format!("{what}: {why}")),
            }
        }
        assert!(4 <= found, "{estimator} {options}: {refused:#?}");
    }
}

/// Covariates that are correlated with levels of units, and their slopes, are taken out too.
#[test]
fn covariates_keep_levels_of_units_out() {
    for (seed, pattern) in (90..).zip(PATTERNS) {
        let mut table = noiseless(pattern, seed);
        let x: Vec<f64> = table.column("x1").to_vec();
        let (_, y) = table.numbers.iter_mut().find(|it| it.0 == "y").unwrap();
        y.iter_mut().zip(&x).for_each(|(y, x)| *y += 2.0 * x);
        let panel = table.panel().unwrap();
        for (estimator, formula) in [
            ("stacked", "y ~ x1"),
            ("imputation", "y ~ x1 | unit + year"),
            ("two-stage", "y ~ x1 | unit + year"),
            ("sun-abraham", "y ~ x1 | unit + year"),
            ("event-study", "y ~ x1 | unit + year"),
        ] {
            let options = json!({ "cohort": "cohort" });
            let weighted = pattern.varying || 0.0 < pattern.zeros;
            let mut found = fit(&panel, estimator, formula, weighted, &options).unwrap();
            let slopes: Vec<usize> =
                (0..found.terms.len()).filter(|&it| matches!(found.terms[it], Term::Slope(_))).collect();
            for it in slopes.into_iter().rev() {
                assert!((found.coef[it] - 2.0).abs() < 1e-8, "{estimator}: {}", found.coef[it]);
                found.terms.remove(it);
                found.coef.remove(it);
            }
            five_from_adoption_on(&found, &table).map_err(|it| format!("{pattern:?}: {it}")).unwrap();
        }
    }
}

/// The authors' regression on the same panels is far off, which is why nobody gets it there without asking, and with a word.
#[test]
fn levels_of_units_enter_the_authors_regression_aloud() {
    let options = json!({ "cohort": "cohort", "effects": "treated-event" });
    let by = |pattern: Pattern| {
        let weighted = pattern.varying || 0.0 < pattern.zeros;
        let table = noiseless(pattern, 95);
        let found = fit(&table.panel().unwrap(), "stacked", "y ~ 1", weighted, &options).unwrap();
        let said = found.notes.iter().any(|it| it.to_string().contains("levels of units and periods enter"));
        (five_from_adoption_on(&found, &table).is_ok(), said)
    };
    assert_eq!(by(PATTERNS[0]), (true, false));
    for pattern in &PATTERNS[1..] {
        assert_eq!(by(*pattern), (false, true), "{pattern:?}");
    }
}

/// By brute force: the stack built row by row, weights of Wing, Freedman and Hollingsworth's table 1 by hand, and a
/// regression on it with effects of stack x unit and stack x period.
#[test]
fn stacks_with_holes_are_regressions_on_a_stack_by_hand() {
    for (table, weighted) in [(Table::unbalanced(96), false), (Table::unbalanced(97), true)] {
        let (leads, lags) = (2, 2);
        let options = json!({ "cohort": "cohort", "leads": leads, "lags": lags, "trim": false });
        let ours = fit(&table.panel().unwrap(), "stacked", "y ~ 1", weighted, &options).unwrap();
        let by_hand = stacked_by_hand(&table, weighted, (leads, lags)).panel().unwrap();
        let formula = "y ~ m2 + p0 + p1 + p2 | unit + period";
        let theirs = fit(&by_hand, "fixed-effects", formula, true, &json!({})).unwrap();
        for (event, name) in [(-2, "m2"), (0, "p0"), (1, "p1"), (2, "p2")] {
            let term = format!("event:{event}");
            let (a, b) = (ours.row(&term, 0.95).unwrap(), theirs.row(name, 0.95).unwrap());
            compare(&term, a.estimate, b.estimate, &NEAR).unwrap();
        }
    }
}

/// Row of the table, cohort, event time, whether the unit is of the cohort.
type StackedRow = (usize, i32, i32, bool);

/// Cohorts that have treated and controls at the reference and one other event time.
fn stacked_by_hand(table: &Table, weighted: bool, (leads, lags): (i32, i32)) -> Table {
    let cohort = table.column("cohort");
    let weight = |row: usize| if weighted { table.column("w")[row] } else { 1.0 };
    let mut stacked = Table { unit: vec![], group: vec![], year: vec![], numbers: vec![] };
    let mut columns: Vec<Vec<f64>> = vec![vec![]; 7];
    let mut rows: Vec<StackedRow> = Vec::new();
    for g in 2002..=2010 {
        let own = |row: usize| cohort[row] == f64::from(g);
        let clean = |row: usize| cohort[row] == 0.0 || f64::from(g + lags) < cohort[row];
        let at = |event: i32, of: &dyn Fn(usize) -> bool| {
            (0..table.len()).any(|row| table.year[row] == g + event && of(row))
        };
        let events: Vec<i32> = (-leads..=lags).filter(|it| at(*it, &own) && at(*it, &clean)).collect();
        if !events.contains(&-1) || events.len() < 2 {
            continue;
        }
        for row in 0..table.len() {
            let event = table.year[row] - g;
            if events.contains(&event) && (own(row) || clean(row)) {
                rows.push((row, g, event, own(row)));
            }
        }
    }
    let total = |of: &dyn Fn(&StackedRow) -> bool| -> f64 {
        rows.iter().filter(|it| of(it)).map(|it| weight(it.0)).sum()
    };
    for &(row, g, event, treated) in &rows {
        let share = |side: bool| {
            total(&|it| it.1 == g && it.2 == event && it.3 == side)
                / total(&|it| it.2 == event && it.3 == side)
        };
        stacked.unit.push(format!("{g} {}", table.unit[row]));
        stacked.group.push(table.unit[row].clone());
        stacked.year.push(table.year[row]);
        let is = |wanted: i32| f64::from(u8::from(treated && event == wanted));
        let period = f64::from(g * 100 + event);
        let values = [
            table.column("y")[row],
            weight(row) * share(true) / share(treated),
            period,
            is(-2),
            is(0),
            is(1),
            is(2),
        ];
        columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
    }
    stacked.numbers = ["y", "w", "period", "m2", "p0", "p1", "p2"].into_iter().zip(columns).collect();
    stacked
}

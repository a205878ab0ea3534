//! Stacked regressions and local projections: their definitions by brute force, what they collapse to, and refusals.

use parallax_model::{
    AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, WeightKind,
};
use parallax_testkit::{NEAR, REORDERED, Table, compare};
use serde_json::{Value, json};

struct Ask<'a> {
    estimator: &'a str,
    formula: &'a str,
    weights: Option<&'a str>,
    vcov: &'a str,
}

const STACKED: Ask<'_> = Ask { estimator: "stacked", formula: "y ~ 1", weights: None, vcov: "cluster:group" };
const LP_DID: Ask<'_> = Ask { estimator: "lp-did", ..STACKED };

impl Ask<'_> {
    fn on(&self, panel: &Panel, options: &Value) -> Result<Estimate, String> {
        let spec = ModelSpec {
            estimator: self.estimator.to_owned(),
            formula: Formula::parse(self.formula).unwrap(),
            weights: self.weights.map(Into::into),
            weight_kind: WeightKind::Analytic,
            vcov: self.vcov.parse().unwrap(),
            small_sample: SmallSample::NONE,
            repair: None,
            singletons: SingletonPolicy::Keep,
            options: options.as_object().unwrap().clone(),
        };
        let registry = parallax_plugins::registry().unwrap();
        let entry = registry.estimator(self.estimator).unwrap();
        entry.fit(panel, &spec, &AbsorptionCache::default()).map_err(|it| it.to_string())
    }
}

fn value(estimate: &Estimate, term: &str) -> f64 {
    estimate.row(term, 0.95).unwrap_or_else(|| panic!("no {term}")).estimate
}

/// Weighted mean of the outcome over rows at a period whose unit's date satisfies a condition.
fn mean(table: &Table, year: i32, of: impl Fn(f64) -> bool) -> f64 {
    let (y, w, cohort) = (table.column("y"), table.column("w"), table.column("cohort"));
    let rows = (0..table.len()).filter(|&it| table.year[it] == year && of(cohort[it]));
    let (sum, total) = rows.fold((0.0, 0.0), |(a, b), it| (a + w[it] * y[it], b + w[it]));
    sum / total
}

fn clean(last: i32) -> impl Fn(f64) -> bool {
    move |it| it == 0.0 || f64::from(last) < it
}

fn sum_of_weights(table: &Table, year: i32, cohort: i32) -> f64 {
    let own = |it: &usize| table.year[*it] == year && table.column("cohort")[*it] == f64::from(cohort);
    (0..table.len()).filter(own).map(|it| table.column("w")[it]).sum()
}

/// Wing, Freedman and Hollingsworth (2024), equation of the trimmed aggregate ATT: means over cohorts of
/// difference-in-differences against their own clean controls.
#[test]
fn corrected_stacks_are_means_of_cohorts() {
    let table = Table::balanced(61);
    let (leads, lags) = (2, 2);
    let cohorts: Vec<i32> =
        (2003..=2007).filter(|it| table.column("cohort").contains(&f64::from(*it))).collect();
    let options = json!({ "cohort": "cohort", "leads": leads, "lags": lags });
    let estimate = Ask { weights: Some("w"), ..STACKED }.on(&table.panel().unwrap(), &options).unwrap();
    for event in [-2, 0, 1, 2] {
        let (mut sum, mut total) = (0.0, 0.0);
        for &g in &cohorts {
            let change = |of: &dyn Fn(f64) -> bool| mean(&table, g + event, of) - mean(&table, g - 1, of);
            let effect = change(&|it| it == f64::from(g)) - change(&clean(g + lags));
            let size = sum_of_weights(&table, g, g);
            sum += size * effect;
            total += size;
        }
        let term = format!("event:{event}");
        compare(&term, value(&estimate, &term), sum / total, &NEAR).unwrap();
    }
    let post = [0, 1, 2].map(|it| value(&estimate, &format!("event:{it}"))).iter().sum::<f64>() / 3.0;
    compare("att", value(&estimate, "att"), post, &REORDERED).unwrap();
    assert_eq!(estimate.stats.get("sub_experiments"), Some(cohorts.len() as f64));
}

/// Dube, Girardi, Jorda and Taylor (2025): reweighted and without covariates an event time is the mean over cohorts, by
/// size, of Callaway and Sant'Anna's effects against controls that are not yet treated.
#[test]
fn reweighted_projections_are_means_of_cohorts() {
    let table = Table::balanced(62);
    let options = json!({ "cohort": "cohort", "leads": 3, "lags": 3, "reweight": true });
    let estimate = Ask { weights: Some("w"), ..LP_DID }.on(&table.panel().unwrap(), &options).unwrap();
    for event in [-3, -2, 0, 1, 2, 3] {
        let (mut sum, mut total) = (0.0, 0.0);
        for g in 2002..=2009 {
            let inside = |it: i32| (2001..=2009).contains(&it);
            let size = sum_of_weights(&table, g, g);
            if !inside(g + event) || !inside(g - 1) || size == 0.0 {
                continue;
            }
            let change = |of: &dyn Fn(f64) -> bool| mean(&table, g + event, of) - mean(&table, g - 1, of);
            sum += size * (change(&|it| it == f64::from(g)) - change(&clean(g + event.max(0))));
            total += size;
        }
        let term = format!("event:{event}");
        compare(&term, value(&estimate, &term), sum / total, &NEAR).unwrap();
    }
}

/// One cohort and the never treated: every way leads to the difference of mean long differences, with one error.
#[test]
fn one_cohort_makes_all_of_them_one() {
    let table = Table::balanced(63);
    let dates = table.column("cohort");
    let rows: Vec<usize> = (0..table.len()).filter(|&it| dates[it] == 0.0 || dates[it] == 2004.0).collect();
    let panel = table.rows(&rows).panel().unwrap();
    let options = json!({ "cohort": "cohort", "leads": 3, "lags": 2 });
    let with = |name: &str, value: Value| {
        let mut all = options.clone();
        all[name] = value;
        all
    };
    let corrected = STACKED.on(&panel, &options).unwrap();
    let others = [
        STACKED.on(&panel, &with("weighting", json!("none"))).unwrap(),
        STACKED.on(&panel, &with("weighting", json!("sample-share"))).unwrap(),
        LP_DID.on(&panel, &options).unwrap(),
        LP_DID.on(&panel, &with("reweight", json!(true))).unwrap(),
    ];
    for other in &others {
        for term in ["att", "event:-3", "event:-2", "event:0", "event:1", "event:2"] {
            let (a, b) = (corrected.row(term, 0.95).unwrap(), other.row(term, 0.95).unwrap());
            compare(term, a.estimate, b.estimate, &NEAR).unwrap();
            compare(&format!("error of {term}"), a.std_error, b.std_error, &NEAR).unwrap();
        }
    }
}

/// A unit with weight two is two units of one cluster.
#[test]
fn weights_are_copies_of_units() {
    let mut table = Table::unbalanced(64);
    let heavy: Vec<usize> =
        (0..table.len()).filter(|&it| table.unit[it].ends_with(['1', '4', '6'])).collect();
    let copies = table.rows(&heavy).rename_units(|it| format!("{it} again"));
    let all: Vec<usize> = (0..table.len()).collect();
    let mut twice = table.rows(&all);
    twice.unit.extend(copies.unit);
    twice.group.extend(copies.group);
    twice.year.extend(copies.year);
    for ((_, values), (_, more)) in twice.numbers.iter_mut().zip(copies.numbers) {
        values.extend(more);
    }
    let two: Vec<f64> = (0..table.len()).map(|it| if heavy.contains(&it) { 2.0 } else { 1.0 }).collect();
    table.numbers.push(("copies", two));
    let (weighted, copied) = (table.panel().unwrap(), twice.panel().unwrap());
    let window = json!({ "cohort": "cohort", "leads": 2, "lags": 1 });
    let with = |more: Value| {
        let mut all = window.as_object().unwrap().clone();
        all.extend(more.as_object().unwrap().clone());
        Value::Object(all)
    };
    let stacked = Ask { formula: "y ~ x1", ..STACKED };
    let projected = Ask { formula: "y ~ x1 + x2", ..LP_DID };
    let asks = [
        (&stacked, with(json!({}))),
        (&stacked, with(json!({ "weighting": "sample-share", "control": "never-treated" }))),
        (&stacked, with(json!({ "weighting": "none", "trim": false }))),
        (&projected, with(json!({}))),
        (&projected, with(json!({ "reweight": true }))),
        (&projected, with(json!({ "reweight": true, "base": "pre-mean", "outcome-lags": 1 }))),
        (&LP_DID, with(json!({ "reweight": true, "no-composition": true }))),
    ];
    for (ask, options) in asks {
        let once = Ask { weights: Some("copies"), ..*ask }.on(&weighted, &options).unwrap();
        let twice = ask.on(&copied, &options).unwrap();
        assert_eq!(once.terms, twice.terms);
        for (a, b) in once.rows(0.95).iter().zip(twice.rows(0.95)) {
            compare(&format!("{options}: {}", a.term), a.estimate, b.estimate, &NEAR).unwrap();
            compare(&format!("{options}: error of {}", a.term), a.std_error, b.std_error, &NEAR).unwrap();
        }
    }
}

#[test]
fn windows_are_chosen_where_none_is_given() {
    for table in [Table::balanced(65), Table::unbalanced(66)] {
        let panel = table.panel().unwrap();
        for ask in [STACKED, LP_DID] {
            let estimate = ask.on(&panel, &json!({ "cohort": "cohort" })).unwrap();
            assert!(estimate.row("event:0", 0.95).is_some() && estimate.row("att", 0.95).is_some());
            let notes: Vec<String> = estimate.notes.iter().map(ToString::to_string).collect();
            assert!(
                notes.iter().any(|it| it.contains("the longest") || it.contains("as far as")),
                "{notes:?}"
            );
        }
    }
}

#[test]
fn requests_that_cannot_be_answered_say_why() {
    let table = Table::balanced(67);
    let panel = table.panel().unwrap();
    let refused = |ask: &Ask<'_>, panel: &Panel, options: Value, part: &str| match ask.on(panel, &options) {
        Err(it) if it.contains(part) => {}
        other => panic!("{}, {options}: {:?}", ask.estimator, other.map(|it| it.terms)),
    };
    for ask in [STACKED, LP_DID] {
        let never = table.clone().with("cohort", |_| 0.0).panel().unwrap();
        refused(&ask, &never, json!({ "cohort": "cohort" }), "ever adopts");
        refused(&ask, &panel, json!({}), "give either `cohort`");
        refused(&ask, &panel, json!({ "cohort": "cohort", "level": 95 }), "`level`");
        refused(&Ask { formula: "y ~ 0 + x1", ..ask }, &panel, json!({ "cohort": "cohort" }), "constant");
        refused(&Ask { vcov: "cluster:row", ..ask }, &panel, json!({ "cohort": "cohort" }), "row");
        let mut ends = table.clone();
        let d = ends.numbers.iter_mut().find(|it| it.0 == "d").unwrap();
        d.1.iter_mut().zip(&table.year).filter(|it| *it.1 == 2009).for_each(|it| *it.0 = 0.0);
        refused(&ask, &ends.panel().unwrap(), json!({ "treatment": "d" }), "use `dcdh`");
        let mut odd = table.clone();
        odd.year.iter_mut().for_each(|it| *it *= 2);
        let odd = odd.with("cohort", |it| 2.0 * it).panel().unwrap();
        // Every second year is a period of two years.
        let (every, odd) =
            (ask.on(&panel, &json!({ "cohort": "cohort" })), ask.on(&odd, &json!({ "cohort": "cohort" })));
        assert_eq!(every.unwrap().coef, odd.unwrap().coef);
    }
    let dated = |more: Value| {
        let mut all = more.as_object().unwrap().clone();
        all.insert("cohort".into(), json!("cohort"));
        Value::Object(all)
    };
    refused(&STACKED, &panel, dated(json!({ "leads": 9, "lags": 9 })), "no cohort fits");
    refused(&STACKED, &panel, dated(json!({ "leads": 0 })), "reach the reference");
    refused(&STACKED, &panel, dated(json!({ "weighting": "population" })), "needs the column");
    refused(&STACKED, &panel, dated(json!({ "population": "w" })), "only");
    let changing = dated(json!({ "weighting": "population", "population": "row" }));
    let numbered = table.clone().with("row", |it| 1.0 + it).panel().unwrap();
    refused(&STACKED, &panel, changing.clone(), "a population is positive");
    refused(&STACKED, &numbered, changing, "within the unit");
    refused(&LP_DID, &panel, dated(json!({ "lags": 40 })), "spans 8 periods");
    refused(&LP_DID, &panel, dated(json!({ "base-periods": 2 })), "pre-mean");
    refused(&LP_DID, &panel, dated(json!({ "lags": 8 })), "shorten the window");
}

/// All adopt, and the last cohort is nobody's control once it has adopted.
#[test]
fn without_never_treated_the_later_are_controls() {
    let table = Table::balanced(68);
    let dates = table.column("cohort");
    let rows: Vec<usize> = (0..table.len()).filter(|&it| dates[it] != 0.0).collect();
    let panel = table.rows(&rows).panel().unwrap();
    for ask in [STACKED, LP_DID] {
        let options = json!({ "cohort": "cohort", "leads": 2, "lags": 1 });
        assert!(ask.on(&panel, &options).is_ok());
        let never = json!({ "cohort": "cohort", "leads": 2, "lags": 1, "control": "never-treated" });
        assert!(ask.on(&panel, &never).unwrap_err().contains("clean control"));
    }
}

/// A number of one event time, and of the overall effect, is the same whatever other event times are asked for.
#[test]
fn other_horizons_do_not_matter() {
    // Late event times of the unbalanced table have fewer clusters than early ones.
    let table = Table::unbalanced(69);
    let late: Vec<usize> = (0..table.len()).filter(|&it| !table.unit[it].ends_with('3')).collect();
    let panel = table.rows(&late).panel().unwrap();
    let dated = |more: Value| {
        let mut all = more.as_object().unwrap().clone();
        all.insert("cohort".into(), json!("cohort"));
        Value::Object(all)
    };
    let treated = |lags: u32, leads: u32| json!({ "treatment": "d", "lags": lags, "leads": leads });
    let two_way = "y ~ 1 | unit + year";
    let pairs = [
        (
            "lp-did",
            "y ~ 1",
            dated(json!({ "leads": 1, "lags": 1, "pool-lags": 1 })),
            dated(json!({ "leads": 4, "lags": 5, "pool-lags": 1 })),
        ),
        (
            "lp-did",
            "y ~ x1",
            dated(json!({ "leads": 1, "lags": 1, "pool-lags": 1, "reweight": true })),
            dated(json!({ "leads": 4, "lags": 5, "pool-lags": 1, "reweight": true })),
        ),
        (
            "imputation",
            two_way,
            dated(json!({ "lags": 1, "autosample": true })),
            dated(json!({ "lags": 5, "autosample": true })),
        ),
        (
            "two-stage",
            two_way,
            dated(json!({ "lags": 1, "leads": 2, "autosample": true })),
            dated(json!({ "lags": 5, "leads": 4, "autosample": true })),
        ),
        ("dcdh", "y ~ 1", treated(1, 2), treated(3, 3)),
    ];
    for (estimator, formula, few, many) in pairs {
        let ask = Ask { estimator, formula, weights: None, vcov: "cluster:group" };
        let (few, many) = (ask.on(&panel, &few).unwrap(), ask.on(&panel, &many).unwrap());
        assert!(few.terms.len() < many.terms.len(), "{estimator}");
        for row in few.rows(0.95) {
            // dcdh's overall effect is the mean over all event times asked for.
            if estimator == "dcdh" && row.term == "att" {
                continue;
            }
            assert_eq!(Some(&row), many.row(&row.term, 0.95).as_ref(), "{estimator}");
        }
    }
}

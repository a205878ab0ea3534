//! Regressions with a coefficient for each cohort and period: what they collapse to, by brute force and by other
//! estimators, and what they refuse.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::{
    AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, Term, WeightKind,
    linalg::{LeastSquaresOptions, least_squares},
    panel::{Column, Dropped},
};
use parallax_testkit::{NEAR, Table, compare};
use serde_json::{Value, json};

struct Ask<'a> {
    vcov: &'a str,
    weights: Option<&'a str>,
    kind: WeightKind,
}

const PLAIN: Ask<'static> = Ask { vcov: "cluster:unit", weights: None, kind: WeightKind::Analytic };

fn fit_as(
    ask: &Ask<'_>,
    panel: &Panel,
    estimator: &str,
    formula: &str,
    options: &Value,
) -> Result<Estimate, String> {
    let spec = ModelSpec {
        estimator: estimator.to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: ask.weights.map(Into::into),
        weight_kind: ask.kind,
        vcov: ask.vcov.parse().unwrap(),
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: options.as_object().unwrap().clone(),
    };
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator(estimator).unwrap();
    entry.fit(panel, &spec, &AbsorptionCache::default()).map_err(|it| it.to_string())
}

fn fit(panel: &Panel, estimator: &str, formula: &str, options: &Value) -> Result<Estimate, String> {
    fit_as(&PLAIN, panel, estimator, formula, options)
}

/// Rows of one cohort and the never treated.
fn one_cohort(table: &Table) -> Table {
    let dates = table.column("cohort");
    let rows: Vec<usize> = (0..table.len()).filter(|&it| dates[it] == 0.0 || dates[it] == 2005.0).collect();
    table.rows(&rows)
}

#[test]
fn one_cohort_is_an_event_study() {
    for table in [Table::balanced(61), Table::unbalanced(62)] {
        let mut table = one_cohort(&table);
        let whole: Vec<f64> = (0..table.len()).map(|it| 1.0 + (it % 3) as f64).collect();
        table.numbers.push(("times", whole));
        let panel = table.panel().unwrap();
        let options = json!({ "cohort": "cohort" });
        for (vcov, weights, kind) in [
            ("iid", None, WeightKind::Analytic),
            ("hc1", None, WeightKind::Analytic),
            ("cluster:group", Some("w"), WeightKind::Analytic),
            ("cluster:group", Some("times"), WeightKind::Frequency),
            ("cluster:unit+year", None, WeightKind::Analytic),
        ] {
            let ask = Ask { vcov, weights, kind };
            let by = |it| fit_as(&ask, &panel, it, "y ~ x1 | unit + year", &options).unwrap();
            let (saturated, study) = (by("sun-abraham"), by("event-study"));
            if 0 < study.vcov.clamped {
                continue;
            }
            for term in study.terms.iter().filter(|it| matches!(it, Term::EventTime(_) | Term::Slope(_))) {
                let row = |it: &Estimate| it.row(&term.to_string(), 0.95).unwrap();
                let (a, b) = (row(&saturated), row(&study));
                compare("effect", a.estimate, b.estimate, &NEAR).unwrap();
                compare("error", a.std_error, b.std_error, &NEAR).unwrap();
            }
        }
    }
}

/// With a coefficient for every cell but the last before adoption the two are one regression.
#[test]
fn never_treated_controls_make_extended_twfe_sun_abraham() {
    for table in [Table::balanced(63), Table::unbalanced(64)] {
        let panel = table.panel().unwrap();
        let sun = fit(&panel, "sun-abraham", "y ~ x1 | unit + year", &json!({ "cohort": "cohort" })).unwrap();
        let options = json!({ "cohort": "cohort", "control": "never-treated", "covariates": "additive" });
        let extended = fit(&panel, "extended-twfe", "y ~ x1 | unit + year", &options).unwrap();
        assert_eq!(sun.terms, extended.terms);
        for (a, b) in sun.rows(0.95).iter().zip(extended.rows(0.95)) {
            compare(&a.term, a.estimate, b.estimate, &NEAR).unwrap();
            compare(&a.term, a.std_error, b.std_error, &NEAR).unwrap();
        }
    }
}

/// Wooldridge (2021), section 5: on a balanced panel the cells' coefficients are means of outcomes less what effects of
/// units and years, fitted to untreated rows by brute force, say of them (Borusyak, Jaravel and Spiess 2024).
#[test]
fn extended_twfe_is_imputation() {
    let table = Table::balanced(65);
    let options = json!({ "cohort": "cohort" });
    let estimate = fit(&table.panel().unwrap(), "extended-twfe", "y ~ 1 | unit + year", &options).unwrap();
    let (dates, y) = (table.column("cohort"), table.column("y"));
    let treated = |row: usize| 0.0 < dates[row] && dates[row] <= f64::from(table.year[row]);
    let units: BTreeSet<&String> = table.unit.iter().collect();
    let years: BTreeSet<i32> = table.year.iter().copied().collect();
    let dummy = |is: &dyn Fn(usize) -> bool| -> Vec<f64> {
        (0..table.len()).map(|row| f64::from(u8::from(is(row)))).collect()
    };
    let mut columns: Vec<Vec<f64>> =
        units.iter().map(|unit| dummy(&|row| table.unit[row] == **unit)).collect();
    columns.extend(years.iter().skip(1).map(|year| dummy(&|row| table.year[row] == *year)));
    let untreated: Vec<usize> = (0..table.len()).filter(|it| !treated(*it)).collect();
    let on = |it: &Vec<f64>| untreated.iter().map(|&row| it[row]).collect::<Vec<f64>>();
    let first: Vec<Vec<f64>> = columns.iter().map(on).collect();
    let first: Vec<&[f64]> = first.iter().map(Vec::as_slice).collect();
    let outcome = untreated.iter().map(|&row| y[row]).collect::<Vec<f64>>();
    let imputed = least_squares(&first, &outcome, None, None, &LeastSquaresOptions::default()).unwrap();
    let mut cells = BTreeMap::<(i32, i32), Vec<f64>>::new();
    for row in (0..table.len()).filter(|it| treated(*it)) {
        let without: f64 = imputed.kept.iter().zip(&imputed.coef).map(|(&it, b)| b * columns[it][row]).sum();
        cells.entry((dates[row] as i32, table.year[row])).or_default().push(y[row] - without);
    }
    for ((g, t), effects) in cells {
        let mean = effects.iter().sum::<f64>() / effects.len() as f64;
        let ours = estimate.row(&format!("att({g},{t})"), 0.95).unwrap().estimate;
        compare("cell", ours, mean, &NEAR).unwrap();
    }
}

/// Two groups and two periods: the ratio of ratios, and what the treated would have had.
#[test]
fn two_by_two_poisson_has_a_closed_form() {
    let table = one_cohort(&Table::balanced(66));
    let rows: Vec<usize> =
        (0..table.len()).filter(|&it| table.year[it] == 2004 || table.year[it] == 2005).collect();
    let table = table.rows(&rows).with("y", |it| (it.abs() * 2.0).round() + 1.0);
    let panel = table.panel().unwrap();
    let mean = |treated: bool, year: i32| {
        let own =
            |row: &usize| table.year[*row] == year && (table.column("cohort")[*row] == 2005.0) == treated;
        let rows: Vec<usize> = (0..table.len()).filter(own).collect();
        rows.iter().map(|&it| table.column("y")[it]).sum::<f64>() / rows.len() as f64
    };
    let effect = mean(true, 2005) - mean(true, 2004) * mean(false, 2005) / mean(false, 2004);
    let options = json!({ "cohort": "cohort", "family": "poisson" });
    for effects in ["unit + year", "cohort + year"] {
        let formula = format!("y ~ 1 | {effects}");
        let estimate = fit(&panel, "extended-twfe", &formula, &options).unwrap();
        compare(effects, estimate.row("att", 0.95).unwrap().estimate, effect, &NEAR).unwrap();
    }
}

/// Shares add, over units, the square of the sum over a unit's treated rows of effect less mean, over their number.
#[test]
fn estimated_shares_add_their_variance() {
    let table = Table::balanced(67);
    let panel = table.panel().unwrap();
    let by = |shares: &str| {
        let options = json!({ "cohort": "cohort", "share-variance": shares });
        fit(&panel, "sun-abraham", "y ~ x1 | unit + year", &options).unwrap()
    };
    let (ignored, estimated) = (by("ignored"), by("estimated"));
    let dates = table.column("cohort");
    for lowest in [None, Some(2)] {
        let term = lowest.map_or("att".to_owned(), |it| format!("event:{it}"));
        let mean = ignored.row(&term, 0.95).unwrap().estimate;
        let mut psi = BTreeMap::<&String, f64>::new();
        let mut rows = 0.0;
        for (row, date) in dates.iter().enumerate() {
            let (g, t) = (*date as i32, table.year[row]);
            if g == 0 || t < g || lowest.is_some_and(|it| t - g != it) {
                continue;
            }
            let effect = ignored.row(&format!("att({g},{t})"), 0.95).unwrap().estimate;
            *psi.entry(&table.unit[row]).or_default() += effect - mean;
            rows += 1.0;
        }
        let added = psi.values().map(|it| (it / rows).powi(2)).sum::<f64>();
        let variance = |it: &Estimate| it.row(&term, 0.95).unwrap().std_error.powi(2);
        assert!(0.0 < added);
        compare(&term, variance(&estimated), variance(&ignored) + added, &NEAR).unwrap();
    }
}

/// Where everybody adopts, the last cohort is the control, as if the panel ended before its date and it had none.
#[test]
fn without_never_treated_the_last_cohort_is_the_control() {
    let table = Table::balanced(68);
    let dates = table.column("cohort");
    let adopters: Vec<usize> = (0..table.len()).filter(|&it| 0.0 < dates[it]).collect();
    let table = table.rows(&adopters);
    let last = table.column("cohort").iter().fold(0.0_f64, |last, it| last.max(*it));
    let before: Vec<usize> = (0..table.len()).filter(|&it| f64::from(table.year[it]) < last).collect();
    let by_hand = table.rows(&before).with("cohort", |it| if it == last { 0.0 } else { it });
    let sun = json!({ "cohort": "cohort" });
    let extended = json!({ "cohort": "cohort", "covariates": "additive" });
    for (estimator, options) in [("sun-abraham", sun), ("extended-twfe", extended)] {
        let whole = fit(&table.panel().unwrap(), estimator, "y ~ x1 | unit + year", &options).unwrap();
        let short = fit(&by_hand.panel().unwrap(), estimator, "y ~ x1 | unit + year", &options).unwrap();
        assert_eq!(whole.terms, short.terms);
        for (a, b) in whole.rows(0.95).iter().zip(short.rows(0.95)) {
            compare(&a.term, a.estimate, b.estimate, &NEAR).unwrap();
            compare(&a.term, a.std_error, b.std_error, &NEAR).unwrap();
        }
        assert_eq!(whole.sample.rows_used, before.len());
        assert!(whole.notes.iter().any(|it| it.to_string().contains("no unit is never treated")));
    }
}

#[test]
fn treated_rows_without_a_reference_leave_the_sample() {
    let table = Table::balanced(69);
    let dates = table.column("cohort").to_vec();
    let first = table.unit.iter().zip(&dates).find(|it| 0.0 < *it.1).map(|it| it.0.clone()).unwrap();
    let mut changed = table.clone();
    let always: Vec<f64> = table
        .unit
        .iter()
        .zip(&dates)
        .map(|(unit, date)| if *unit == first { 1990.0 } else { *date })
        .collect();
    changed.numbers.iter_mut().find(|it| it.0 == "cohort").unwrap().1 = always;
    let without: Vec<usize> = (0..table.len()).filter(|&it| table.unit[it] != first).collect();
    for estimator in ["sun-abraham", "extended-twfe"] {
        let options = json!({ "cohort": "cohort" });
        let estimate = fit(&changed.panel().unwrap(), estimator, "y ~ x1 | unit + year", &options).unwrap();
        let by_hand =
            fit(&table.rows(&without).panel().unwrap(), estimator, "y ~ x1 | unit + year", &options).unwrap();
        assert_eq!(estimate.terms, by_hand.terms);
        for (a, b) in estimate.coef.iter().zip(&by_hand.coef) {
            compare("coefficient", *a, *b, &NEAR).unwrap();
        }
        let reason = |it: &&(Dropped, usize)| it.0.to_string().contains("without a link to a reference");
        assert_eq!(estimate.sample.dropped.iter().find(reason).map(|it| it.1), Some(9));
    }
}

#[test]
fn what_cannot_be_estimated_is_refused() {
    let table = Table::balanced(70);
    let refused = |table: &Table, estimator: &str, options: Value| {
        fit(&table.panel().unwrap(), estimator, "y ~ x1 | unit + year", &options).unwrap_err()
    };
    let cohort = || json!({ "cohort": "cohort" });
    for estimator in ["sun-abraham", "extended-twfe"] {
        let never = table.clone().with("cohort", |_| 0.0);
        assert!(refused(&never, estimator, cohort()).contains("no unit of the sample ever adopts"));
        let at_once = table.clone().with("cohort", |_| 2005.0);
        assert!(refused(&at_once, estimator, cohort()).contains("every unit adopts"));
        let both = refused(&table, estimator, json!({ "cohort": "cohort", "treatment": "d" }));
        assert!(both.contains("give either"), "{both}");
        assert!(refused(&table, estimator, json!({ "cohort": "cohort", "level": 1.0 })).contains("`level`"));
    }
    let late = json!({ "cohort": "cohort", "reference": [0] });
    assert!(refused(&table, "sun-abraham", late).contains("`reference`"));
    let poisson = || json!({ "cohort": "cohort", "family": "poisson" });
    assert!(refused(&table, "extended-twfe", poisson()).contains("is negative"));
    let mut zero = table.clone().with("y", f64::abs);
    let cell: Vec<bool> =
        (0..table.len()).map(|it| table.column("cohort")[it] == 2005.0 && table.year[it] == 2006).collect();
    let y = zero.numbers.iter_mut().find(|it| it.0 == "y").unwrap();
    y.1.iter_mut().zip(&cell).for_each(|(y, own)| *y = if *own { 0.0 } else { *y });
    assert!(cell.contains(&true));
    assert!(refused(&zero, "extended-twfe", poisson()).contains("(2005,2006)"));
}

/// Groups whose outcomes are all zero say nothing under Poisson: with and without them is the same.
#[test]
fn zero_units_leave_a_poisson_regression() {
    let mut table = Table::balanced(71).with("y", |it| it.abs().round());
    let zeros: Vec<bool> = table.unit.iter().map(|it| it == "u0003").collect();
    let y = table.numbers.iter_mut().find(|it| it.0 == "y").unwrap();
    y.1.iter_mut().zip(&zeros).for_each(|(y, zero)| *y = if *zero { 0.0 } else { *y });
    let rest: Vec<usize> = (0..table.len()).filter(|&it| !zeros[it]).collect();
    let formula = "y ~ x1 + d | unit + year";
    let with = fit(&table.panel().unwrap(), "poisson", formula, &json!({})).unwrap();
    let without = fit(&table.rows(&rest).panel().unwrap(), "poisson", formula, &json!({})).unwrap();
    assert_eq!(with.coef, without.coef);
    assert_eq!(with.sample.rows_used, rest.len());
    let ones = Column::real(zeros.iter().map(|it| f64::from(u8::from(*it))).collect());
    let panel = table.panel().unwrap().with("mark".into(), ones).unwrap();
    let error = fit(&panel, "poisson", "y ~ x1 + mark", &json!({})).unwrap_err();
    assert!(error.contains("separation") && error.contains("9 outcomes"), "{error}");
}

/// A covariate that marks who ever adopts: once every cohort has adopted, the sum of its cells moves with its slope in the
/// period, so that no effect of those periods is estimable, whichever of the collinear columns is left out.
#[test]
fn effects_that_move_with_a_covariate_are_refused() {
    let table = Table::balanced(79);
    let ever: Vec<f64> = table.column("cohort").iter().map(|it| f64::from(u8::from(0.0 < *it))).collect();
    let mut marked = table.clone();
    marked.numbers.iter_mut().find(|it| it.0 == "x1").unwrap().1 = ever;
    let panel = marked.panel().unwrap();
    let options = json!({ "cohort": "cohort" });
    let formula = "y ~ x1 | unit + year";
    let refused = fit(&panel, "extended-twfe", formula, &options).unwrap_err();
    assert!(refused.contains("cannot be told from effects and covariates"), "{refused}");
    let counts = json!({ "cohort": "cohort", "family": "poisson" });
    let refused = fit(&panel, "extended-twfe", "I(y^2) ~ x1 | unit + year", &counts).unwrap_err();
    assert!(refused.contains("cannot be told from effects and covariates"), "{refused}");
    // With one slope the covariate is absorbed by the units, and nothing moves.
    let additive = json!({ "cohort": "cohort", "covariates": "additive" });
    let with = fit(&panel, "extended-twfe", formula, &additive).unwrap();
    let without = fit(&panel, "extended-twfe", "y ~ 1 | unit + year", &additive).unwrap();
    let att = |it: &Estimate| it.row("att", 0.95).unwrap().estimate;
    compare("att", att(&with), att(&without), &NEAR).unwrap();
}

/// A cohort without the period before adoption leaves whole, and is named.
#[test]
fn cohorts_without_a_reference_are_named() {
    let table = Table::balanced(80);
    let dates = table.column("cohort");
    let first = dates.iter().filter(|it| 2003.0 < **it).fold(f64::INFINITY, |first, it| first.min(*it));
    let gone = |row: usize| dates[row] == first && f64::from(table.year[row]) == first - 1.0;
    let rows: Vec<usize> = (0..table.len()).filter(|it| !gone(*it)).collect();
    let panel = table.rows(&rows).panel().unwrap();
    let estimate = fit(&panel, "sun-abraham", "y ~ 1 | unit + year", &json!({ "cohort": "cohort" })).unwrap();
    let named = |it: &String| it.contains("left out whole") && it.contains(&first.to_string());
    assert!(estimate.notes.iter().map(ToString::to_string).any(|it| named(&it)), "{:?}", estimate.notes);
    assert!(estimate.row(&format!("att:group:{first}"), 0.95).is_none());
}

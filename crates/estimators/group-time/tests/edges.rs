//! What is refused and what is left out, with its message; small cases by hand.
#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside the functions the lint exempts")]

use parallax_group_time::callaway_santanna::CallawaySantanna;
use parallax_model::{
    AbsorptionCache, Entry, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, Term,
    WeightKind,
    panel::{Codes, Column, PanelBuilder},
    vcov::Keyed,
};
use serde_json::{Value, json};

/// Units of each cohort (0 for never), in the years given.
fn panel(cohorts: &[i32], years: &[i32], skip: impl Fn(usize, i32) -> bool) -> Panel {
    let keyed = Keyed::new(8);
    let mut rows: Vec<(usize, i32)> = Vec::new();
    for unit in 0..cohorts.len() {
        rows.extend(years.iter().map(|&year| (unit, year)).filter(|it| !skip(it.0, it.1)));
    }
    let real = |of: &dyn Fn(usize, i32) -> f64| {
        Column::real(rows.iter().map(|&(unit, year)| of(unit, year)).collect())
    };
    let on = |unit: usize, year: i32| f64::from(u8::from(0 < cohorts[unit] && cohorts[unit] <= year));
    let x1 = |unit: usize| keyed.normal("x1", unit as i64, 0);
    let y = |unit: usize, year: i32| {
        keyed.normal("y", unit as i64, i64::from(year))
            + on(unit, year)
            + 0.2 * x1(unit) * f64::from(year - years[0])
    };
    let codes = Codes::from_integers(rows.iter().map(|it| Some(it.0 as i64)));
    PanelBuilder::new(rows.len())
        .index("unit".into(), codes, "year".into(), rows.iter().map(|it| it.1).collect())
        .column("y".into(), real(&y))
        .column("x1".into(), real(&|unit, _| x1(unit)))
        .column("x2".into(), real(&|unit, _| 3.0 - 2.0 * x1(unit)))
        .column("two".into(), real(&|_, _| 2.0))
        .column("apart".into(), real(&|unit, _| f64::from(cohorts[unit] == 2003) + 0.01 * x1(unit)))
        .column("cohort".into(), real(&|unit, _| f64::from(cohorts[unit])))
        .column("treat".into(), real(&on))
        .column(
            "half".into(),
            Column::Codes(Codes::from_integers(rows.iter().map(|it| Some(it.0 as i64 % 2)))),
        )
        .build()
        .unwrap()
}

fn request(formula: &str, vcov: &str, options: &Value) -> ModelSpec {
    ModelSpec {
        estimator: "callaway-santanna".to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: None,
        weight_kind: WeightKind::Analytic,
        vcov: vcov.parse().unwrap(),
        small_sample: SmallSample::NONE,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: options.as_object().unwrap().clone(),
    }
}

fn fit(panel: &Panel, formula: &str, options: &Value) -> Result<Estimate, String> {
    let entry = Entry::of::<CallawaySantanna>(file!(), line!());
    let spec = request(formula, "cluster:unit", options);
    entry.fit(panel, &spec, &AbsorptionCache::default()).map_err(|it| it.to_string())
}

fn refused(panel: &Panel, formula: &str, options: &Value, what: &str) {
    let found = fit(panel, formula, options).unwrap_err();
    assert!(found.contains(what), "{found}");
}

/// `times` units of each.
fn cohorts(dates: &[i32], times: usize) -> Vec<i32> {
    dates.iter().flat_map(|&it| std::iter::repeat_n(it, times)).collect()
}

const YEARS: [i32; 6] = [2001, 2002, 2003, 2004, 2005, 2006];

fn all(_: usize, _: i32) -> bool {
    false
}

fn noted(estimate: &Estimate, what: &str) -> bool {
    estimate.notes.iter().any(|it| it.to_string().contains(what))
}

#[test]
fn requests_that_no_data_answer() {
    let panel_of = |dates: &[i32]| panel(&cohorts(dates, 8), &YEARS, all);
    let cohort = json!({ "cohort": "cohort" });
    let later = json!({ "cohort": "cohort", "control": "not-yet-treated" });
    refused(&panel_of(&[2003, 2005]), "y ~ 1", &cohort, "control = \"not-yet-treated\"");
    refused(&panel_of(&[2003]), "y ~ 1", &later, "every unit adopts in 2003");
    refused(&panel_of(&[0, 0]), "y ~ 1", &cohort, "no unit of the sample ever adopts");
    refused(&panel_of(&[0, 2001]), "y ~ 1", &cohort, "treated from the first period on");
    let usual = panel_of(&[0, 2003, 2005]);
    refused(&usual, "y ~ 0 + x1", &cohort, "leave `0 +` out");
    refused(&usual, "y ~ x1", &json!({}), "give either `cohort`");
    refused(&usual, "y ~ x1", &json!({ "cohort": "cohort", "level": 95.0 }), "`level` lies between 0 and 1");
    refused(&usual, "y ~ x1", &json!({ "cohort": "cohort", "draws": 3 }), "`draws` is 0 for none");
    refused(
        &usual,
        "y ~ x1",
        &json!({ "cohort": "cohort", "multiplier": "webb" }),
        "ask for it with `draws`",
    );
    let range = json!({ "cohort": "cohort", "range": { "event": [2, -2] } });
    refused(&usual, "y ~ x1", &range, "from its smaller to its larger end");
}

#[test]
fn cells_without_overlap_are_left_out_aloud() {
    let panel = panel(&cohorts(&[0, 2003, 2005], 12), &YEARS, all);
    for method in ["dr", "ipw", "dr-improved"] {
        let options = json!({ "cohort": "cohort", "method": method });
        let estimate = fit(&panel, "y ~ apart", &options).unwrap();
        assert!(estimate.terms.iter().all(|it| !matches!(it, Term::GroupTime { cohort: 2003, .. })));
        assert!(estimate.row("att(2005,2005)", 0.95).is_some());
        assert!(noted(&estimate, "5 of 10 comparisons not estimated"), "{:?}", estimate.notes);
        let cells = estimate.detail("cells").unwrap();
        assert!(cells.words("outcome").unwrap()[0].contains("propensity score"));
        assert!(cells.numbers("std_error").unwrap()[0].is_nan());
    }
}

/// Without never treated units the last cohort is a control until it adopts.
#[test]
fn the_last_cohort_is_control_only() {
    let panel = panel(&cohorts(&[2003, 2004, 2006], 9), &YEARS, all);
    let estimate =
        fit(&panel, "y ~ 1", &json!({ "cohort": "cohort", "control": "not-yet-treated" })).unwrap();
    let cells: Vec<(i32, i32)> = (estimate.terms.iter())
        .filter_map(
            |it| if let Term::GroupTime { cohort, period } = it { Some((*cohort, *period)) } else { None },
        )
        .collect();
    let expected: Vec<(i32, i32)> =
        [2003, 2004].into_iter().flat_map(|g| (2002..2006).map(move |t| (g, t))).collect();
    assert_eq!(cells, expected);
    assert!(noted(&estimate, "the cohort of 2006 serves as control only"));
}

/// Units treated from the start change nothing, whether their date is given or not.
#[test]
fn units_treated_from_the_start_are_left_out() {
    let without = panel(&cohorts(&[0, 2003, 2005], 9), &YEARS, all);
    let with = panel(&cohorts(&[0, 2003, 2005, 2001], 9), &YEARS, all);
    let options = json!({ "cohort": "cohort" });
    let (a, b) = (fit(&without, "y ~ x1", &options).unwrap(), fit(&with, "y ~ x1", &options).unwrap());
    let c = fit(&with, "y ~ x1", &json!({ "treatment": "treat" })).unwrap();
    assert!(noted(&b, "left out, treated before") && noted(&c, "seen untreated: 9 units"));
    for other in [&b, &c] {
        assert_eq!(a.terms, other.terms);
        assert_eq!(a.sample.rows_used, other.sample.rows_used);
        for (at, (x, y)) in a.rows(0.95).iter().zip(other.rows(0.95)).enumerate() {
            assert!((x.estimate - y.estimate).abs() < 1e-12, "{at}");
            assert!((x.std_error - y.std_error).abs() < 1e-12, "{at}");
        }
    }
}

/// Years 2001, 2004, 2006, 2009 and adoption in 2005: the base is 2004; the year before 2004 is not observed, so that
/// its cell has no base; a date beyond the panel is never.
#[test]
fn gaps_between_periods_and_dates_outside() {
    let years = [2001, 2004, 2006, 2009];
    let panel = panel(&cohorts(&[0, 2005, 2012], 7), &years, all);
    let estimate = fit(&panel, "y ~ 1", &json!({ "cohort": "cohort" })).unwrap();
    let cells = estimate.detail("cells").unwrap();
    assert_eq!(cells.numbers("period").unwrap(), [2004.0, 2006.0, 2009.0]);
    let base = cells.numbers("base").unwrap();
    assert!(base[0].is_nan() && base[1..] == [2004.0, 2004.0], "{base:?}");
    assert_eq!(cells.numbers("controls").unwrap()[1..], [14.0; 2]);
    assert!(estimate.row("event:-1", 0.95).is_none() && estimate.row("event:4", 0.95).is_some());
}

/// Means of changes by hand, with a unit that lacks a year and with a base that is zero by choice.
#[test]
fn a_cell_is_a_difference_of_mean_changes() {
    let dates = cohorts(&[0, 2003, 2005], 6);
    let panel = panel(&dates, &YEARS, |unit, year| unit == 7 && year == 2004 || unit == 1 && year == 2002);
    let options = json!({ "cohort": "cohort", "base-period": "universal", "draws": 400 });
    let estimate = fit(&panel, "y ~ 1", &options).unwrap();
    let y = panel.real("y").unwrap();
    let of = |unit: usize, year: i32| {
        let codes = &panel.units().code;
        (0..panel.n_rows())
            .find(|&it| codes[it] == unit as u32 && panel.periods()[it] == year)
            .map(|it| y[it])
    };
    let change = |cohort: i32, year: i32| {
        let units = (0..dates.len()).filter(|it| dates[*it] == cohort);
        let changes: Vec<f64> = units.filter_map(|it| Some(of(it, year)? - of(it, 2002)?)).collect();
        changes.iter().sum::<f64>() / changes.len() as f64
    };
    for year in [2001, 2003, 2004, 2005, 2006] {
        let row = estimate.row(&format!("att(2003,{year})"), 0.95).unwrap();
        assert!((row.estimate - (change(2003, year) - change(0, year))).abs() < 1e-13, "{year}");
    }
    assert!(estimate.row("att(2003,2002)", 0.95).is_none());
    assert_eq!(estimate.event.as_ref().unwrap().references, [-1]);
    let bootstrap = estimate.detail("bootstrap").unwrap();
    let (draws, analytic) = (bootstrap.numbers("std_error").unwrap(), bootstrap.numbers("analytic").unwrap());
    // Four times 1.17 / root R, and the discreteness of signs over eighteen units.
    assert!(draws.iter().zip(analytic).all(|(a, b)| (a / b - 1.0).abs() < 0.4), "{draws:?} {analytic:?}");
}

#[test]
fn dates_and_a_treatment_are_the_same() {
    let panel = panel(&cohorts(&[0, 2003, 2005], 8), &YEARS, |unit, year| unit == 9 && year == 2005);
    let (a, b) = (json!({ "cohort": "cohort" }), json!({ "treatment": "treat" }));
    let (a, b) = (fit(&panel, "y ~ x1", &a).unwrap(), fit(&panel, "y ~ x1", &b).unwrap());
    assert_eq!((a.coef, a.vcov.std_errors()), (b.coef, b.vcov.std_errors()));
}

#[test]
fn clusters_hold_whole_units() {
    let panel = panel(&cohorts(&[0, 2003, 2005], 8), &YEARS, all);
    let entry = Entry::of::<CallawaySantanna>(file!(), line!());
    let of = |vcov: &str| {
        entry.fit(
            &panel,
            &request("y ~ 1", vcov, &json!({ "cohort": "cohort" })),
            &AbsorptionCache::default(),
        )
    };
    assert!(of("cluster:half").is_ok());
    assert!(of("cluster:year").unwrap_err().to_string().contains("year"));
    assert!(of("iid").unwrap_err().to_string().contains("covariance `iid`"));
}

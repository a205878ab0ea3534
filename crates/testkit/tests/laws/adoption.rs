//! Event studies and placebo tests: what they collapse to, and what their probabilities promise.

use parallax_model::{
    AbsorptionCache, BatteryPart, BatteryRequest, Estimate, EventStudy, Formula, ModelSpec, Name, Note,
    Panel, SingletonPolicy, SmallSample, Term, WeightKind, panel::Column,
};
use parallax_testkit::{NEAR, REORDERED, Random, Table, compare};
use serde_json::{Value, json};

fn fit(panel: &Panel, estimator: &str, formula: &str, options: &Value) -> Result<Estimate, String> {
    let spec = ModelSpec {
        estimator: estimator.to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: None,
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

const MODEL: &str = "y ~ d + x1 + x2 | unit + year";

#[test]
fn one_lead_and_one_lag_are_the_treatment() {
    for table in [Table::balanced(41), Table::unbalanced(42)] {
        let panel = table.panel().unwrap();
        let options = json!({ "cohort": "cohort", "leads": 1, "lags": 0 });
        let study = fit(&panel, "event-study", "y ~ x1 + x2 | unit + year", &options).unwrap();
        let plain = fit(&panel, "fixed-effects", MODEL, &json!({})).unwrap();
        let (a, b) = (study.row("event:0", 0.95).unwrap(), plain.row("d", 0.95).unwrap());
        compare("effect", a.estimate, b.estimate, &REORDERED).unwrap();
        compare("error", a.std_error, b.std_error, &REORDERED).unwrap();
        // One coefficient: its band is its interval, up to the lattice of the band.
        let point = EventStudy::of(&study).unwrap().points(0.95).pop().unwrap();
        assert!((point.pointwise[0] - point.simultaneous[0]).abs() < 3e-4 * a.std_error.max(1.0));
    }
}

#[test]
fn dates_and_treatments_are_one_thing() {
    let panel = Table::balanced(43).panel().unwrap();
    let by = |options: Value| fit(&panel, "event-study", "y ~ x1 | unit + year", &options).unwrap();
    let (cohort, treatment) = (by(json!({ "cohort": "cohort" })), by(json!({ "treatment": "d" })));
    assert_eq!(cohort.terms, treatment.terms);
    assert_eq!(cohort.coef, treatment.coef);
}

/// Rows that leave the sample move no date of adoption: controls are missing in the year of adoption of every other
/// unit, and dates read from the treatment are still those of the register.
#[test]
fn rows_that_leave_move_no_dates() {
    let mut table = Table::balanced(49);
    let years: Vec<f64> = table.year.iter().map(|it| f64::from(*it)).collect();
    let odd: Vec<bool> = table.unit.iter().map(|it| it.ends_with(['1', '3', '5', '7', '9'])).collect();
    let adopts: Vec<bool> =
        table.column("cohort").iter().zip(&years).map(|(date, year)| date == year).collect();
    let (_, x1) = table.numbers.iter_mut().find(|it| it.0 == "x1").unwrap();
    for (row, x) in x1.iter_mut().enumerate() {
        if odd[row] && adopts[row] {
            *x = f64::NAN;
        }
    }
    let panel = table.panel().unwrap();
    let by = |options: Value| fit(&panel, "event-study", "y ~ x1 | unit + year", &options).unwrap();
    let cohort = by(json!({ "cohort": "cohort", "leads": 3, "lags": 3 }));
    let treatment = by(json!({ "treatment": "d", "leads": 3, "lags": 3 }));
    assert!(cohort.sample.rows_used < panel.n_rows());
    assert_eq!((cohort.terms, cohort.coef), (treatment.terms, treatment.coef));
}

/// A unit that is treated in all its rows has no date, and a made-up one would move the others: it leaves, and the estimate
/// is the one without it.
#[test]
fn units_without_a_date_leave_aloud() {
    let table = Table::balanced(50);
    let late: Vec<usize> = (0..table.len()).filter(|&it| 2004 <= table.year[it]).collect();
    let table = table.rows(&late);
    let dated: Vec<usize> =
        (0..table.len()).filter(|&it| !(1.0..=2004.0).contains(&table.column("cohort")[it])).collect();
    assert!(dated.len() < table.len());
    for estimator in ["event-study", "stacked"] {
        let formula = if estimator == "stacked" { "y ~ x1" } else { "y ~ x1 | unit + year" };
        let by = |table: &Table| {
            fit(&table.panel().unwrap(), estimator, formula, &json!({ "treatment": "d" })).unwrap()
        };
        let (all, others) = (by(&table), by(&table.rows(&dated)));
        assert_eq!((&all.terms, &all.coef), (&others.terms, &others.coef), "{estimator}");
        assert_eq!(all.sample.rows_used, others.sample.rows_used);
        let named = |it: &Estimate| it.notes.iter().any(|it| it.to_string().contains("is not known"));
        assert!(named(&all) && !named(&others), "{estimator}: {:?}", all.notes);
    }
}

/// Units whose event times nobody shares, and who have none at the reference, say nothing of effects relative to it. Their
/// dummies add up to effects of units; the others' effects are those without them.
#[test]
fn units_without_a_link_to_the_reference_leave_aloud() {
    let table = Table::balanced(51);
    let first = table.column("cohort").iter().filter(|it| 0.0 < **it).fold(f64::INFINITY, |a, b| a.min(*b));
    for date in [1900.0, 2100.0] {
        let moved = table.clone().with("cohort", |it| if it == first { date } else { it });
        let others: Vec<usize> = (0..moved.len()).filter(|&it| moved.column("cohort")[it] != date).collect();
        let by = |table: &Table| {
            let options = json!({ "cohort": "cohort" });
            fit(&table.panel().unwrap(), "event-study", "y ~ x1 | unit + year", &options).unwrap()
        };
        let (all, others) = (by(&moved), by(&moved.rows(&others)));
        assert_eq!((&all.terms, &all.coef), (&others.terms, &others.coef));
        assert_eq!(all.sample.rows_used, others.sample.rows_used);
        let named = format!("adopt in {date}");
        assert!(all.notes.iter().any(|it| it.to_string().contains(&named)), "{:?}", all.notes);
        // Without effects of units they are compared as others are.
        let pooled =
            fit(&moved.panel().unwrap(), "event-study", "y ~ x1 | year", &json!({ "cohort": "cohort" }));
        assert_eq!(pooled.unwrap().sample.rows_used, moved.len());
    }
}

/// A covariate that never varies, and one that is another's double, leave every member of a battery as it was, aloud.
#[test]
fn constant_covariates_leave_a_battery_as_it_was() {
    let table = Table::balanced(52);
    let double = table.column("x1").iter().map(|it| 2.0 * it).collect();
    let panel = table.clone().with("same", |_| 3.0).panel().unwrap();
    let panel = panel.with("double".into(), Column::real(double)).unwrap();
    let request = |covariates: &[&str]| BatteryRequest {
        outcome: "y".into(),
        unit: "unit".into(),
        time: "year".into(),
        cohort: Some("cohort".into()),
        treatment: "d".into(),
        covariates: covariates.iter().map(|it| Name::from(*it)).collect(),
    };
    let registry = parallax_plugins::registry().unwrap();
    let mut members = 0;
    for entry in registry.estimators() {
        let plugin = entry.meta.plugin.name;
        let by = |covariates: &[&str]| {
            let model =
                entry.battery(&request(covariates)).filter(|it| it.part != BatteryPart::Diagnostic)?;
            let spec = ModelSpec {
                estimator: plugin.to_owned(),
                formula: model.formula,
                weights: None,
                weight_kind: WeightKind::Analytic,
                vcov: "cluster:unit".parse().unwrap(),
                small_sample: SmallSample::FIXEST,
                repair: None,
                singletons: SingletonPolicy::Drop,
                options: model.options,
            };
            Some(
                entry
                    .fit(&panel, &spec, &AbsorptionCache::default())
                    .map_err(|it| format!("{plugin}: {it}"))
                    .unwrap(),
            )
        };
        for (few, many) in [(&[] as &[&str], &["same"] as &[&str]), (&["x1"], &["same", "x1", "double"])] {
            let (Some(few), Some(all)) = (by(few), by(many)) else { continue };
            members += 1;
            assert_eq!(few.terms, all.terms, "{plugin}");
            for (a, b) in few.rows(0.95).iter().zip(all.rows(0.95)) {
                compare(&format!("{plugin}: {}", a.term), a.estimate, b.estimate, &REORDERED).unwrap();
                compare(&format!("{plugin}: error of {}", a.term), a.std_error, b.std_error, &REORDERED)
                    .unwrap();
            }
            let words = ["`same` dropped", "no slope of same"];
            let named = |it: &Note| words.iter().any(|word| it.to_string().contains(word));
            assert!(all.notes.iter().any(named), "{plugin}: {:?}", all.notes);
        }
    }
    assert!(16 <= members, "{members}");
}

/// A regression without residuals has errors of rounding, which are not printed as if they were known.
#[test]
fn an_exact_fit_says_so() {
    let table = Table::balanced(56);
    let exact = table.column("x1").iter().zip(table.column("d")).map(|(x, d)| 3.0 * x + 2.0 * d).collect();
    let panel = table.panel().unwrap().with("exact".into(), Column::real(exact)).unwrap();
    let estimate = fit(&panel, "fixed-effects", "exact ~ d + x1 | unit + year", &json!({})).unwrap();
    let row = estimate.row("d", 0.95).unwrap();
    compare("effect", row.estimate, 2.0, &REORDERED).unwrap();
    assert!(row.std_error.is_nan() && row.p_value.is_nan(), "{row:?}");
    assert!(
        estimate.notes.iter().any(|it| it.to_string().contains("fit the outcome exactly")),
        "{:?}",
        estimate.notes
    );
    let noisy = fit(&panel, "fixed-effects", MODEL, &json!({})).unwrap();
    assert!(!noisy.notes.iter().any(|it| it.to_string().contains("exactly")));
}

/// Where time begins says nothing of effects: periods from -5 on, with dates at zero and below, are those of the calendar.
#[test]
fn effects_do_not_depend_on_where_time_begins() {
    let table = Table::balanced(55);
    let mut centred = table.clone().with("cohort", |it| if it == 0.0 { f64::NAN } else { it - 2006.0 });
    centred.year.iter_mut().for_each(|it| *it -= 2006);
    let dates: Vec<f64> = centred.column("cohort").to_vec();
    assert!(dates.contains(&-2.0) && dates.contains(&0.0), "{dates:?}");
    let (calendar, centred) = (table.panel().unwrap(), centred.panel().unwrap());
    for (estimator, formula) in [
        ("callaway-santanna", "y ~ 1"),
        ("sun-abraham", "y ~ 1 | unit + year"),
        ("imputation", "y ~ 1 | unit + year"),
        ("two-stage", "y ~ 1 | unit + year"),
        ("extended-twfe", "y ~ 1 | unit + year"),
        ("stacked", "y ~ 1"),
        ("lp-did", "y ~ 1"),
    ] {
        let by = |panel: &Panel, options: Value| fit(panel, estimator, formula, &options).unwrap();
        let here = by(&calendar, json!({ "cohort": "cohort" })).row("att", 0.95).unwrap();
        for options in [json!({ "cohort": "cohort" }), json!({ "treatment": "d" })] {
            let there = by(&centred, options).row("att", 0.95).unwrap();
            compare(estimator, here.estimate, there.estimate, &REORDERED).unwrap();
            compare(estimator, here.std_error, there.std_error, &REORDERED).unwrap();
        }
    }
    // Without a missing value zero may stand for never, and a date below every period for anything.
    let ambiguous = table.clone().with("cohort", |it| if it == 0.0 { 0.0 } else { it - 2006.0 });
    let mut early = ambiguous.clone();
    early.year.iter_mut().for_each(|it| *it -= 2006);
    for (table, why) in [(early, "may be a date or stand for never"), (ambiguous, "no period is below 0")] {
        let panel = table.panel().unwrap();
        let error =
            fit(&panel, "imputation", "y ~ 1 | unit + year", &json!({ "cohort": "cohort" })).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

/// Anticipation by two periods is adoption two periods earlier, for every effect from then on; what differs is which of
/// them the overall effect counts.
#[test]
fn anticipation_is_earlier_adoption() {
    let early = |table: &Table| table.clone().with("cohort", |it| if it == 0.0 { 0.0 } else { it - 2.0 });
    for table in [Table::balanced(53), Table::unbalanced(54)] {
        // A cohort that is affected from the first period on has nothing to be compared with.
        let seen: Vec<usize> = (0..table.len()).filter(|&it| table.column("cohort")[it] != 2003.0).collect();
        let table = table.rows(&seen);
        let (dated, moved) = (table.panel().unwrap(), early(&table).panel().unwrap());
        for (estimator, formula, more) in [
            ("extended-twfe", "y ~ 1 | unit + year", json!({})),
            ("extended-twfe", "y ~ 1 | unit + year", json!({ "control": "never-treated" })),
            ("imputation", "y ~ 1 | unit + year", json!({ "leads": 0 })),
            ("two-stage", "y ~ 1 | unit + year", json!({ "group-time": true })),
            (
                "callaway-santanna",
                "y ~ 1",
                json!({ "control": "not-yet-treated", "base-period": "universal" }),
            ),
            ("callaway-santanna", "y ~ x1", json!({ "base-period": "universal", "method": "reg" })),
        ] {
            let ask = |anticipation: u32| {
                let mut options = more.as_object().unwrap().clone();
                options.insert("cohort".into(), json!("cohort"));
                options.insert("anticipation".into(), json!(anticipation));
                Value::Object(options)
            };
            let plain = fit(&moved, estimator, formula, &ask(0)).unwrap();
            let with = fit(&dated, estimator, formula, &ask(2)).unwrap();
            let mut compared = 0;
            for (term, row) in with.terms.iter().zip(with.rows(0.95)) {
                let Term::GroupTime { cohort, period } = *term else { continue };
                if period < cohort - 2 {
                    continue;
                }
                let name = format!("att({},{period})", cohort - 2);
                let other = plain.row(&name, 0.95).unwrap_or_else(|| panic!("{estimator}: no {name}"));
                compare(&format!("{estimator}: {name}"), row.estimate, other.estimate, &NEAR).unwrap();
                compare(&name, row.std_error, other.std_error, &NEAR).unwrap();
                compared += 1;
            }
            assert!(8 < compared, "{estimator}: {compared} cells");
        }
    }
}

/// Every unit adopts: event time and calendar time are collinear, and a silent drop would move all others.
#[test]
fn collinear_event_times_are_an_error() {
    let mut table = Table::balanced(44);
    let treated: Vec<usize> = (0..table.len()).filter(|&it| 0.0 < table.column("cohort")[it]).collect();
    table = table.rows(&treated);
    let panel = table.panel().unwrap();
    let error =
        fit(&panel, "event-study", "y ~ x1 | unit + year", &json!({ "cohort": "cohort" })).unwrap_err();
    assert!(error.contains("collinear") && error.contains("two references"), "{error}");
    let none = json!({ "cohort": "cohort", "reference": [-40] });
    assert!(
        fit(&panel, "event-study", "y ~ x1 | unit + year", &none)
            .unwrap_err()
            .contains("no row has event time")
    );
}

/// Each draw is the fixed-effects model with that draw's treatment, holes in the panel or not.
#[test]
fn draws_are_fixed_effects_fits() {
    for table in [Table::balanced(45), Table::unbalanced(46)] {
        let units = table.unit.iter().map(|it| it[1..].parse::<f64>().unwrap());
        let dates: Vec<f64> = units.map(|it| if it % 3.0 == 0.0 { 2003.0 + it % 4.0 } else { 0.0 }).collect();
        let treated: Vec<f64> = (dates.iter().zip(&table.year))
            .map(|(date, year)| f64::from(u8::from(0.0 < *date && *date <= f64::from(*year))))
            .collect();
        let panel = table.panel().unwrap();
        let panel = panel.with("dates".into(), Column::real(dates)).unwrap();
        let panel = panel.with("fake".into(), Column::real(treated)).unwrap();
        let options = json!({ "treatment": "d", "scheme": "given", "assignments": ["dates"] });
        let placebo = fit(&panel, "placebo", MODEL, &options).unwrap();
        let refit = fit(&panel, "fixed-effects", "y ~ fake + x1 + x2 | unit + year", &json!({})).unwrap();
        let actual = fit(&panel, "fixed-effects", MODEL, &json!({})).unwrap();
        let (draw, expected) = (placebo.detail("draws").unwrap(), refit.row("fake", 0.95).unwrap());
        compare("draw", draw.numbers("estimate").unwrap()[0], expected.estimate, &NEAR).unwrap();
        compare("its error", draw.numbers("std_error").unwrap()[0], expected.std_error, &NEAR).unwrap();
        compare("its p", draw.numbers("p_value").unwrap()[0], expected.p_value, &NEAR).unwrap();
        assert_eq!(placebo.coef, actual.coef);
    }
}

#[test]
fn draws_come_from_seed_and_strata() {
    let panel = Table::balanced(47).panel().unwrap();
    let draws = |options: Value| {
        let found = fit(&panel, "placebo", MODEL, &options).unwrap();
        found.detail("draws").unwrap().numbers("estimate").unwrap().to_vec()
    };
    let base = draws(json!({ "draws": 30, "seed": 5 }));
    assert_eq!(base, draws(json!({ "draws": 30, "seed": 5 })));
    assert_eq!(base[..20], draws(json!({ "draws": 20, "seed": 5 })));
    assert_ne!(base, draws(json!({ "draws": 30, "seed": 6 })));
    assert_ne!(base, draws(json!({ "draws": 30, "seed": 5, "strata": "group" })));
    assert_ne!(base, draws(json!({ "draws": 30, "seed": 5, "scheme": "redraw" })));
}

#[test]
fn treatments_that_end_and_empty_requests_are_refused() {
    let table = Table::balanced(48);
    let ends: Vec<f64> = table
        .column("d")
        .iter()
        .zip(&table.year)
        .map(|(d, year)| if *year == 2009 { 0.0 } else { *d })
        .collect();
    let panel = table.panel().unwrap().with("ends".into(), Column::real(ends)).unwrap();
    let refused = |formula: &str, options: Value| fit(&panel, "placebo", formula, &options).unwrap_err();
    let error = refused("y ~ ends + x1 | unit + year", json!({}));
    assert!(error.contains("it was 1 before") && error.contains("2009"), "{error}");
    assert!(refused(MODEL, json!({ "draws": 0 })).contains("at least 1"));
    assert!(refused(MODEL, json!({ "assignments": ["cohort"] })).contains("scheme"));
    assert!(refused(MODEL, json!({ "treatment": "x9" })).contains("no regressor `x9`"));
}

/// A panel without any effect: adoption is drawn apart from everything else.
fn null(seed: u64) -> Panel {
    let mut random = Random::new(seed);
    let (mut table, units) = (Table::balanced(seed), 48);
    let dates: Vec<f64> = (0..units)
        .map(|_| if random.uniform() < 0.5 { 2004.0 + (4.0 * random.uniform()).floor() } else { 0.0 })
        .collect();
    let of_row = |row: usize| dates[table.unit[row][1..].parse::<usize>().unwrap()];
    let cohort: Vec<f64> = (0..table.len()).map(of_row).collect();
    let persistent: Vec<f64> = {
        let mut error = 0.0;
        (0..table.len())
            .map(|_| {
                error = 0.6 * error + random.normal();
                error
            })
            .collect()
    };
    for (name, values) in &mut table.numbers {
        match *name {
            "cohort" => values.clone_from(&cohort),
            "y" => values.clone_from(&persistent),
            "d" => {
                let rows = cohort.iter().zip(&table.year);
                *values = rows
                    .map(|(date, year)| f64::from(u8::from(0.0 < *date && *date <= f64::from(*year))))
                    .collect();
            }
            _ => {}
        }
    }
    table.panel().unwrap()
}

/// Under no effect the permutation test rejects as often as its level says: 200 panels, 0.1 within three
/// standard errors of 2.1 points, and the band holds the whole path as often as it says (0.95, 1.5 points), which
/// pointwise intervals do not.
#[test]
fn permutation_tests_have_size_and_bands_cover() {
    const PANELS: u64 = 200;
    let (mut rejected, mut inside, mut pointwise) = (0, 0, 0);
    for seed in 1..=PANELS {
        let panel = null(1000 + seed);
        let placebo =
            fit(&panel, "placebo", "y ~ d | unit + year", &json!({ "draws": 99, "seed": seed })).unwrap();
        rejected += usize::from(placebo.stats.get("p_permutation").unwrap() <= 0.1);
        let options = json!({ "cohort": "cohort", "leads": 4, "lags": 4 });
        let study = fit(&panel, "event-study", "y ~ 1 | unit + year", &options).unwrap();
        let points = EventStudy::of(&study).unwrap().points(0.95);
        let holds = |band: fn(&parallax_model::EventPoint) -> [f64; 2]| {
            points.iter().all(|it| band(it)[0] <= 0.0 && 0.0 <= band(it)[1])
        };
        inside += usize::from(holds(|it| it.simultaneous));
        pointwise += usize::from(holds(|it| it.pointwise));
    }
    let share = |count: usize| count as f64 / PANELS as f64;
    assert!((0.036..=0.164).contains(&share(rejected)), "rejected {}", share(rejected));
    // 48 clusters leave clustered errors a little small, which the lower bound allows for.
    assert!((0.89..=0.995).contains(&share(inside)), "band {}", share(inside));
    assert!(share(pointwise) < share(inside) - 0.05, "pointwise {}", share(pointwise));
}

//! Errors, effects and options on cases small enough to work by hand.

use parallax_model::{
    Name, Note, Panel, Step, StepEntry,
    panel::{Codes, Column, PanelBuilder},
};
use serde_json::{Map, Value, json};

use crate::{
    effects::{Effects, Errors, effects},
    matching::{Plan, Scores, Support, run},
    nearest::{Nearest, Order},
    options::MatchOptions,
    side::Rule,
    step::Match,
};

/// Two treated at .2 and .6; controls at .1, .25, .55 and .9; neighbours .25 and .55.
const SCORES: [f64; 6] = [0.2, 0.6, 0.1, 0.25, 0.55, 0.9];
const TREATED: [bool; 6] = [true, true, false, false, false, false];
const Y: [f64; 6] = [5.0, 9.0, 1.0, 2.0, 4.0, 7.0];

fn fit(rule: Rule, both: bool, errors: Errors) -> Effects {
    let plan = Plan::Pairs(rule);
    let scores = Scores { probability: &SCORES, distance: &SCORES };
    let found = run(&TREATED, &scores, Some(&Y), &plan, &Support::default(), both);
    effects(&found, &scores, &Y, &plan, errors)
}

fn one_to_one() -> Rule {
    let nearest =
        Nearest { k: 1, caliper: f64::INFINITY, replacement: true, ties: None, order: Order::Largest };
    Rule::Nearest(nearest)
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{a} is not {b}");
}

#[test]
fn effects_and_errors_worked_by_hand() {
    // Effects 3 and 5. Controls .1 and .25 take the treated .2, .55 and .9 take .6: effects 4, 3, 5, 2.
    let it = fit(one_to_one(), true, Errors::Naive);
    near(it.estimate[0], 4.0);
    near(it.estimate[1], 3.5);
    near(it.estimate[2], 22.0 / 6.0);
    // s1^2 = 8 and, over the controls used, s0^2 = 2.
    near(it.covariance[0][0], 8.0 / 2.0 + 2.0 * 2.0 / 4.0);
    near(it.covariance[1][1], 8.0 * (4.0 + 4.0) / 16.0 + 2.0 / 4.0);
    near(it.covariance[2][2], (8.0 * (9.0 + 9.0) + 2.0 * (1.0 + 4.0 + 4.0 + 1.0)) / 36.0);
    near(it.covariance[0][1], 8.0 * (2.0 * 0.5 * 0.5) + 2.0 * (2.0 * 0.5 * 0.25));
    let alone = fit(one_to_one(), false, Errors::Naive);
    near(alone.estimate[0], 4.0);
    near(alone.covariance[0][0], it.covariance[0][0]);
}

#[test]
fn abadie_imbens_errors_worked_by_hand() {
    // Nearest of the own group: treated each other, (5-9)^2/2 = 8; controls .25 -> .1: 1/2, .55 -> .25: 4/2.
    let sample = fit(one_to_one(), false, Errors::Sample { matches: 1 });
    near(sample.covariance[0][0], (8.0 + 8.0 + 0.5 + 2.0) / 4.0);
    // Spread of effects (3-4)^2 + (5-4)^2; each control serves once, so w^2 - sum w_ij^2 = 0.
    let population = fit(one_to_one(), false, Errors::Population { matches: 1 });
    near(population.covariance[0][0], 2.0 / 4.0);
    // With all three directions the spread of ate is over six effects.
    let all = fit(one_to_one(), true, Errors::Population { matches: 1 });
    near(all.covariance[0][0], 0.5);
    let ate = 22.0 / 6.0;
    let spread: f64 = [3.0, 5.0, 4.0, 3.0, 5.0, 2.0].iter().map(|it| (it - ate) * (it - ate)).sum();
    // Treated have w = 2 from single matches (4 + 4 - 2 = 6), controls .25 and .55 w = 1 (1 + 2 - 1 = 2).
    near(all.covariance[2][2], (spread + 6.0 * (8.0 + 8.0) + 2.0 * (0.5 + 2.0)) / 36.0);
    let share = 2.0 / 6.0;
    near(all.covariance[0][2], share * all.covariance[0][0] + (1.0 - share) * all.covariance[0][1]);
}

#[test]
fn inverse_probability_weights_have_their_closed_form() {
    let scores = Scores { probability: &SCORES, distance: &SCORES };
    let found = run(&TREATED, &scores, Some(&Y), &Plan::InverseProbability, &Support::default(), true);
    let it = effects(&found, &scores, &Y, &Plan::InverseProbability, Errors::Naive);
    let odds: Vec<f64> = SCORES[2..].iter().map(|p| p / (1.0 - p)).collect();
    let mean = odds.iter().zip(&Y[2..]).map(|(w, y)| w * y).sum::<f64>() / odds.iter().sum::<f64>();
    near(it.estimate[0], 7.0 - mean);
    let inverse: Vec<f64> = SCORES[2..].iter().map(|p| 1.0 / (1.0 - p)).collect();
    let low = inverse.iter().zip(&Y[2..]).map(|(w, y)| w * y).sum::<f64>() / inverse.iter().sum::<f64>();
    near(it.estimate[2], (5.0 / 0.2 + 9.0 / 0.6) / (1.0 / 0.2 + 1.0 / 0.6) - low);
    let total: f64 = found.weights(6)[2..].iter().sum();
    near(total, 2.0);
}

#[test]
fn support_leaves_out_the_treated_beyond_the_controls() {
    let scores = [0.05, 0.2, 0.95, 0.1, 0.25, 0.9];
    let treated = [true, true, true, false, false, false];
    let all = Scores { probability: &scores, distance: &scores };
    let common = Support { common: true, trim: None };
    let found = run(&treated, &all, None, &Plan::Pairs(one_to_one()), &common, false);
    assert_eq!(found.treated, [1]);
    let both = run(&treated, &all, None, &Plan::Pairs(one_to_one()), &common, true);
    assert_eq!((both.treated, both.controls), (vec![1], vec![3, 4, 5]));
    // Trimming takes the share of the treated where controls are rarest: density at .95 is below that at .05 and .2.
    let many: Vec<f64> = (0..40).map(|it| 0.1 + 0.01 * f64::from(it)).collect();
    let kept = crate::support::dense(&[0.05, 0.2, 0.6, 0.3], &many, 25.0);
    assert_eq!(kept, [true, true, false, true]);
    assert_eq!(crate::support::dense(&[0.2, 5.0], &many, 0.0), [true, false]);
}

fn panel() -> Panel {
    let n = 8;
    let units: Vec<String> = (0..n).map(|it| format!("u{}", it / 2)).collect();
    let periods: Vec<i32> = (0..n).map(|it| 2000 + it % 2).collect();
    let real = |it: [f64; 8]| Column::real(it.to_vec());
    PanelBuilder::new(8)
        .index("u".into(), Codes::from_text(units.iter().map(|it| Some(it.as_str()))), "t".into(), periods)
        .column("d".into(), real([1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]))
        .column("p".into(), real([0.3, 0.5, 0.32, 0.7, 0.1, 0.52, 0.6, 0.9]))
        .column("x".into(), real([1.0, 2.0, 3.0, 4.0, 5.0, 7.0, f64::NAN, 8.0]))
        .build()
        .unwrap()
}

fn apply(options: &Value) -> Result<(Panel, Vec<Note>), String> {
    let entry = StepEntry::of::<Match>(file!(), line!());
    let options: Map<String, Value> = options.as_object().unwrap().clone();
    let done = entry.apply(&panel(), &options).map_err(|it| it.to_string())?;
    Ok((done.panel, done.notes))
}

#[test]
fn pooled_and_yearly_weights() {
    let weights = |by: &str| {
        let asked = json!({"treatment": "d", "covariates": [], "score-column": "p", "into": "w", "by": by});
        let (panel, notes) = apply(&asked).unwrap();
        (
            panel
                .real("w")
                .unwrap()
                .iter()
                .map(|it| if it.is_nan() { -1.0 } else { *it })
                .collect::<Vec<f64>>(),
            notes,
        )
    };
    // Pooled: .3 -> .32, .5 -> .52, .6 -> .52, .9 -> .7.
    assert_eq!(weights("none").0, [1.0, 1.0, 1.0, 1.0, -1.0, 2.0, 1.0, 1.0]);
    // In 2000 both .3 and .6 take .32; in 2001 .5 takes .52 and .9 takes .7.
    let (yearly, notes) = weights("period");
    assert_eq!(yearly, [1.0, 1.0, 2.0, 1.0, -1.0, 1.0, 1.0, 1.0]);
    assert_eq!(notes[0].to_string(), "match: 4 of 4 treated rows matched to 3 of 4 controls, weights in `w`");
}

#[test]
fn options_that_are_not_read_and_data_that_cannot_serve_are_refused() {
    let base = json!({"treatment": "d", "covariates": [], "score-column": "p", "into": "w"});
    let message = |more: &Value| {
        let mut options = base.as_object().unwrap().clone();
        options.extend(more.as_object().unwrap().clone());
        apply(&Value::Object(options)).unwrap_err()
    };
    for (more, part) in [
        (json!({"bandwidth": 0.1}), "`bandwidth` is read by `kernel` and `local-linear` only"),
        (json!({"method": "radius"}), "needs `caliper`"),
        (json!({"method": "kernel", "k": 2}), "`k` is read by"),
        (json!({"order": "data"}), "`order` is read by `replacement = false` only"),
        (json!({"order": "sweep-ascending", "replacement": false, "k": 2}), "a sweep is 1:1"),
        (json!({"caliper": -1.0}), "must be positive"),
        (json!({"caliper": 1e-9}), "no treated row finds a control"),
        (json!({"score": "logit"}), "`score` is read by a fitted score"),
        (json!({"score-by": "period"}), "goes with `by = \"period\"`"),
        (json!({"treatment": "x"}), "is 2 at u u0, t 2001; a treatment is 0 or 1"),
        (json!({"into": "u"}), "identifies rows"),
        (json!({"neighbours": 2}), "`neighbours` is not a key"),
        (json!({"trim": 100.0}), "per cent"),
    ] {
        let said = message(&more);
        assert!(said.contains(part), "{more}: {said}");
    }
}

#[test]
fn every_default_is_what_the_page_says() {
    let plan = MatchOptions::default().plan(1.0).unwrap();
    assert_eq!(plan, Plan::Pairs(one_to_one()));
}

#[test]
fn documented_example_is_read() {
    let block = Match::META.docs.split("```toml").nth(1).and_then(|it| it.split("```").next()).unwrap();
    let file: Value = toml::from_str(block).unwrap();
    let mut options: Map<String, Value> = file["pipeline"][0].as_object().unwrap().clone();
    assert_eq!(options.remove("step").unwrap(), Match::META.name);
    let usage = StepEntry::of::<Match>(file!(), line!()).columns(&options).unwrap();
    let names = |of: &[&str]| of.iter().copied().map(Name::from).collect::<Vec<Name>>();
    assert_eq!(usage.reads, names(&["ever_treated", "finance", "education", "openness"]));
    assert_eq!(usage.writes, names(&["psm_weight"]));
}

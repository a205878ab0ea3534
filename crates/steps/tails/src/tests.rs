//! Tails counted by hand and against a definition by counting, and what must be refused.

use parallax_model::{
    Name, Panel, Step, StepEntry, StepError,
    panel::{Codes, Column, PanelBuilder},
};
use serde_json::{Map, Value, json};

use crate::{trim::Trim, winsorize::Winsorize};

const NAN: f64 = f64::NAN;

/// One unit a value, in two periods by turns.
fn panel(values: &[f64]) -> Panel {
    let n = values.len();
    let names: Vec<String> = (0..n).map(|it| format!("u{it:04}")).collect();
    let group = (0..n).map(|it| (it != 0).then_some(if it % 2 == 0 { "even" } else { "odd" }));
    PanelBuilder::new(n)
        .index(
            "u".into(),
            Codes::from_text(names.iter().map(|it| Some(it.as_str()))),
            "t".into(),
            (0..n).map(|it| it as i32 % 2).collect(),
        )
        .column("x".into(), Column::real(values.to_vec()))
        .column("g".into(), Column::Codes(Codes::from_text(group)))
        .build()
        .unwrap()
}

fn run<S: Step>(panel: &Panel, options: Value) -> Result<(Panel, Vec<String>), StepError> {
    let Value::Object(options) = options else { panic!("options are a table") };
    let stepped = StepEntry::of::<S>(file!(), line!()).apply(panel, &options)?;
    Ok((stepped.panel, stepped.notes.iter().map(ToString::to_string).collect()))
}

fn column(panel: &Panel, name: &str) -> String {
    format!("{:?}", panel.real(name).unwrap())
}

fn message<S: Step>(values: &[f64], options: Value) -> String {
    run::<S>(&panel(values), options).unwrap_err().to_string()
}

#[test]
fn one_step_moves_values_and_the_other_takes_them_out() {
    let data = panel(&[5.0, NAN, 1.0, 4.0, 2.0, 3.0, 100.0, 6.0, 7.0]);
    // Eight values: P = 2 and 6 are whole, so the percentiles are 2.5 and 6.5.
    let options = json!({"columns": ["x"], "lower": 25, "upper": 75});
    let (winsorized, notes) = run::<Winsorize>(&data, options.clone()).unwrap();
    assert_eq!(column(&winsorized, "x"), "[5.0, NaN, 2.5, 4.0, 2.5, 3.0, 6.5, 6.0, 6.5]");
    assert_eq!(
        notes,
        [
            "winsorize: `x`: of 8 values, 2 below percentile 25 (2.5) and 2 above percentile 75 (6.5) set to it"
        ]
    );
    let (trimmed, notes) = run::<Trim>(&data, options).unwrap();
    assert_eq!(column(&trimmed, "x"), "[5.0, NaN, NaN, 4.0, NaN, 3.0, NaN, 6.0, NaN]");
    assert!(notes[0].ends_with("(6.5) made missing"), "{notes:?}");
    assert_eq!(trimmed.n_rows(), 9);
}

/// winsor2, by definition: below the p-th percentile is what is smaller than the smallest value that at least p per
/// cent do not exceed, or than the mean of two such values when exactly p per cent do not exceed the first.
fn by_counting(values: &[f64], percent: usize) -> f64 {
    let known: Vec<f64> = values.iter().copied().filter(|it| !it.is_nan()).collect();
    let reached = |it: f64| known.iter().filter(|other| **other <= it).count() * 100;
    let smallest = |least: &dyn Fn(f64) -> bool| {
        known.iter().copied().filter(|it| least(*it)).fold(f64::INFINITY, f64::min)
    };
    let first = smallest(&|it| known.len() * percent <= reached(it));
    if reached(first) == known.len() * percent { (first + smallest(&|it| first < it)) / 2.0 } else { first }
}

#[test]
fn every_length_and_percentile_agrees_with_counting() {
    for n in 1..60_usize {
        // Ties, holes and an order that is not sorted.
        let values: Vec<f64> =
            (0..n).map(|it| if it % 11 == 7 { NAN } else { ((it * 37) % 23) as f64 }).collect();
        for percent in [1, 5, 10, 25] {
            let [low, high] = [percent, 100 - percent].map(|it| by_counting(&values, it));
            let options = json!({"columns": ["x"], "lower": percent, "upper": 100 - percent, "suffix": "_w"});
            let data = panel(&values);
            let winsorized = run::<Winsorize>(&data, options.clone()).unwrap().0.real("x_w").unwrap();
            let trimmed = run::<Trim>(&data, options).unwrap().0.real("x_w").unwrap();
            for ((&value, &moved), &left) in values.iter().zip(&*winsorized).zip(&*trimmed) {
                let beyond = value < low || high < value;
                assert!(moved == value.clamp(low, high) || value.is_nan() && moved.is_nan(), "{n} {percent}");
                assert_eq!(left.is_nan(), beyond || value.is_nan(), "{n} {percent}");
                assert!(left.is_nan() || left == value);
            }
        }
    }
}

#[test]
fn a_suffix_leaves_the_column_and_groups_have_percentiles_of_their_own() {
    let data = panel(&[1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
    let options = json!({"columns": ["x"], "lower": 0, "upper": 60, "by": "t", "suffix": "_w"});
    let (cut, notes) = run::<Winsorize>(&data, options).unwrap();
    assert_eq!(column(&cut, "x"), "[1.0, 10.0, 2.0, 20.0, 3.0, 30.0]");
    assert_eq!(column(&cut, "x_w"), "[1.0, 10.0, 2.0, 20.0, 2.0, 20.0]");
    assert_eq!(
        notes,
        [
            "winsorize: `x`: of 6 values, 0 below percentile 0 and 2 above percentile 60 of their `t` (2 groups) set to \
             it, as `x_w`"
        ]
    );
}

#[test]
fn whole_ranges_change_nothing_and_winsorizing_keeps_extremes_that_stand_alone() {
    let values = [3.0, -1.0, NAN, 8.0];
    for options in [json!({"columns": ["x"], "lower": 0, "upper": 100}), json!({"columns": ["x"]})] {
        let (cut, _) = run::<Winsorize>(&panel(&values), options).unwrap();
        assert_eq!(column(&cut, "x"), format!("{values:?}"));
    }
    let (cut, _) = run::<Trim>(&panel(&[NAN, NAN]), json!({"columns": ["x"]})).unwrap();
    assert_eq!(column(&cut, "x"), "[NaN, NaN]");
}

#[test]
fn slips_are_refused_with_what_to_do() {
    let x = [1.0, 2.0, 3.0];
    for options in [json!({"lower": 95, "upper": 5}), json!({"lower": -1}), json!({"upper": 101})] {
        let mut options = options;
        options["columns"] = json!(["x"]);
        assert!(message::<Trim>(&x, options).contains("0 <= lower < upper <= 100"));
    }
    assert!(message::<Trim>(&x, json!({"columns": []})).contains("`columns` is empty"));
    assert!(message::<Trim>(&x, json!({"columns": ["x", "x"]})).contains("`x` twice"));
    assert!(message::<Trim>(&x, json!({"columns": ["xx"]})).contains("did you mean `x`"));
    assert!(message::<Winsorize>(&x, json!({"columns": ["g"]})).contains("holds text"));
    assert!(message::<Winsorize>(&x, json!({"columns": ["t"]})).contains("`t` identifies rows"));
    assert!(
        message::<Winsorize>(&x, json!({"columns": ["x"], "cuts": [1, 99]})).contains("`cuts` is not a key")
    );
    assert!(
        message::<Winsorize>(&x, json!({"columns": ["x"], "by": "g"}))
            .contains("is missing for u u0000, t 0")
    );
    assert!(
        message::<Winsorize>(&[1.0, f64::INFINITY], json!({"columns": ["x"]}))
            .contains("is infinite for u u0001, t 1")
    );
}

#[test]
fn documented_examples_are_read() {
    let names = |of: &[&str]| of.iter().map(|it| Name::from(*it)).collect::<Vec<_>>();
    assert_eq!(
        documented::<Winsorize>(),
        (names(&["resilience", "finance", "year"]), names(&["resilience", "finance"]))
    );
    assert_eq!(documented::<Trim>(), (names(&["resilience"]), names(&["resilience"])));
}

fn documented<S: Step>() -> (Vec<Name>, Vec<Name>) {
    let block = S::META.docs.split("```toml").nth(1).and_then(|it| it.split("```").next()).unwrap();
    let file: Value = toml::from_str(block).unwrap();
    let mut options: Map<String, Value> = file["pipeline"][0].as_object().unwrap().clone();
    assert_eq!(options.remove("step").unwrap(), S::META.name);
    let usage = StepEntry::of::<S>(file!(), line!()).columns(&options).unwrap();
    (usage.reads, usage.writes)
}

//! Hand-computed numbers, brute force over every gap, and what must not change them.

use parallax_model::{
    StepEntry,
    panel::{Codes, PanelBuilder},
};
use serde_json::{Map, Value, json};

use super::*;

const NAN: f64 = f64::NAN;

fn panel(units: &[&str], times: &[i32], x: &[f64]) -> Panel {
    let codes = Codes::from_text(units.iter().map(|it| Some(*it)));
    PanelBuilder::new(x.len())
        .index("city".into(), codes, "year".into(), times.to_vec())
        .column("x".into(), Column::real(x.to_vec()))
        .column("name".into(), Column::Codes(Codes::from_text(units.iter().map(|it| Some(*it)))))
        .build()
        .unwrap()
}

fn options(extrapolate: Extrapolate) -> Options {
    Options { columns: vec!["x".into()], extrapolate }
}

fn filled(panel: &Panel, extrapolate: Extrapolate) -> Vec<f64> {
    Interpolate::apply(panel, &options(extrapolate)).unwrap().panel.real("x").unwrap().to_vec()
}

fn same(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!(a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a} is not {b}");
    }
}

#[test]
fn time_counts_and_rows_do_not() {
    // 2000 = 10 and 2010 = 20: a row of 2004 lies at 14, whatever the number of rows between.
    let data = panel(&["a"; 5], &[1999, 2000, 2004, 2010, 2011], &[NAN, 10.0, NAN, 20.0, NAN]);
    same(&filled(&data, Extrapolate::None), &[NAN, 10.0, 14.0, 20.0, NAN]);
    same(&filled(&data, Extrapolate::Linear), &[9.0, 10.0, 14.0, 20.0, 21.0]);
}

#[test]
fn the_nearest_segment_is_extended() {
    let data = panel(&["a"; 6], &[1, 2, 3, 4, 5, 6], &[NAN, 1.0, 3.0, NAN, 11.0, NAN]);
    same(&filled(&data, Extrapolate::Linear), &[-1.0, 1.0, 3.0, 7.0, 11.0, 15.0]);
}

#[test]
fn units_do_not_mix_and_one_known_value_makes_no_line() {
    let data = panel(&["a", "a", "b", "b", "c"], &[1, 2, 1, 2, 1], &[1.0, NAN, NAN, 4.0, NAN]);
    same(&filled(&data, Extrapolate::Linear), &[1.0, NAN, NAN, 4.0, NAN]);
}

#[test]
fn every_pattern_of_gaps_agrees_with_a_search_of_neighbours() {
    let times = [2000, 2001, 2003, 2004, 2008, 2009, 2015];
    let full = [3.0, -1.0, 4.0, 1.5, 5.0, -9.0, 2.5];
    for pattern in 0_u32..1 << times.len() {
        let known = |at: usize| pattern >> at & 1 == 1;
        let x: Vec<f64> = (0..times.len()).map(|at| if known(at) { full[at] } else { NAN }).collect();
        for extrapolate in [Extrapolate::None, Extrapolate::Linear] {
            let expected: Vec<f64> =
                (0..times.len()).map(|at| searched(&times, &x, at, extrapolate)).collect();
            same(&filled(&panel(&["a"; 7], &times, &x), extrapolate), &expected);
        }
    }
}

fn searched(times: &[i32], x: &[f64], at: usize, extrapolate: Extrapolate) -> f64 {
    if !x[at].is_nan() {
        return x[at];
    }
    let below: Vec<usize> = (0..at).rev().filter(|&it| !x[it].is_nan()).collect();
    let above: Vec<usize> = (at + 1..x.len()).filter(|&it| !x[it].is_nan()).collect();
    let (i, j) = match (&below[..], &above[..], extrapolate) {
        ([i, ..], [j, ..], _) => (*i, *j),
        ([j, i, ..], [], Extrapolate::Linear) | ([], [i, j, ..], Extrapolate::Linear) => (*i, *j),
        _ => return NAN,
    };
    let slope = (x[j] - x[i]) / f64::from(times[j] - times[i]);
    x[i] + slope * f64::from(times[at] - times[i])
}

#[test]
fn row_order_and_labels_do_not_matter() {
    let data = panel(&["a", "a", "a", "b", "b", "b"], &[1, 2, 4, 1, 2, 4], &[1.0, NAN, 7.0, 2.0, NAN, 8.0]);
    let shuffled =
        panel(&["b", "a", "b", "a", "a", "b"], &[4, 2, 1, 4, 1, 2], &[8.0, NAN, 2.0, 7.0, 1.0, NAN]);
    same(&filled(&data, Extrapolate::None), &filled(&shuffled, Extrapolate::None));
    let relabelled =
        panel(&["z", "z", "z", "b", "b", "b"], &[1, 2, 4, 1, 2, 4], &[1.0, NAN, 7.0, 2.0, NAN, 8.0]);
    let swapped = filled(&relabelled, Extrapolate::None);
    same(&filled(&data, Extrapolate::None), &[&swapped[3..], &swapped[..3]].concat());
}

#[test]
fn filling_twice_changes_nothing() {
    let data = panel(&["a"; 5], &[1, 2, 3, 4, 5], &[1.0, NAN, NAN, 5.0, NAN]);
    let once = Interpolate::apply(&data, &options(Extrapolate::Linear)).unwrap();
    let twice = Interpolate::apply(&once.panel, &options(Extrapolate::Linear)).unwrap();
    same(&once.panel.real("x").unwrap(), &twice.panel.real("x").unwrap());
    assert_eq!(twice.notes[0].to_string(), "interpolate: `x`: 0 of 0 missing cells filled");
}

#[test]
fn the_note_counts_both_kinds_of_cells() {
    let data = panel(&["a"; 4], &[1, 2, 3, 4], &[1.0, NAN, 3.0, NAN]);
    let stepped = Interpolate::apply(&data, &options(Extrapolate::None)).unwrap();
    assert_eq!(
        stepped.notes[0].to_string(),
        "interpolate: `x`: 1 of 2 missing cells filled; 1 stay missing because their unit has too few known \
         values around them, the first one city a, year 4"
    );
}

#[test]
fn what_cannot_be_filled_is_refused() {
    let data = panel(&["a"], &[1], &[1.0]);
    let message = |columns: &[&str]| {
        let columns = columns.iter().map(|it| Name::from(*it)).collect();
        let options = Options { columns, extrapolate: Extrapolate::None };
        Interpolate::apply(&data, &options).unwrap_err().to_string()
    };
    assert!(message(&["name"]).contains("column `name`: holds text"));
    assert!(message(&["X"]).contains("did you mean `x`"));
    assert!(message(&[]).contains("`columns` is empty"));
    assert!(message(&["x", "x"]).contains("twice"));
    assert!(message(&["year"]).contains("identifies rows"));
    let unindexed = PanelBuilder::new(1).column("x".into(), Column::real(vec![1.0])).build().unwrap();
    let error = Interpolate::apply(&unindexed, &options(Extrapolate::None)).unwrap_err();
    assert!(error.to_string().contains("`interpolate` needs to know units and periods"));
}

#[test]
fn unknown_options_are_refused_and_the_documented_example_is_read() {
    let entry = StepEntry::of::<Interpolate>(file!(), line!());
    let Value::Object(wrong) = json!({"columns": ["x"], "by": "city"}) else { unreachable!() };
    assert!(entry.columns(&wrong).unwrap_err().to_string().contains("`by` is not a key"));
    for options in examples(Interpolate::META.docs) {
        let usage = entry.columns(&options).unwrap();
        assert_eq!(usage.reads, [Name::from("gdp"), Name::from("fiscal_revenue")]);
        assert_eq!(usage.reads, usage.writes);
    }
}

/// The options of every pipeline entry of the first TOML block.
fn examples(docs: &str) -> Vec<Map<String, Value>> {
    let block = docs.split("```toml").nth(1).and_then(|it| it.split("```").next()).unwrap();
    let file: Value = toml::from_str(block).unwrap();
    let entries = file["pipeline"].as_array().unwrap();
    let options = |it: &Value| {
        let mut options = it.as_object().unwrap().clone();
        assert_eq!(options.remove("step").unwrap(), NAME);
        options
    };
    entries.iter().map(options).collect()
}

//! Hand-counted samples, and what must not change them.

use parallax_model::{
    Name, Panel, Step, StepEntry, StepError,
    panel::{Codes, Column, PanelBuilder},
};
use serde_json::{Map, Value, json};

use crate::{complete::Complete, restrict::Restrict};

const NAN: f64 = f64::NAN;

/// Three units: `a` complete in 1 to 3, `b` without `x` in 2, `c` without a row in 3.
fn panel() -> Panel {
    let rows = [("a", 1, 1.0), ("a", 2, 2.0), ("a", 3, 3.0), ("b", 1, 4.0), ("b", 2, NAN), ("b", 3, 6.0)];
    build(&[&rows[..], &[("c", 1, 7.0), ("c", 2, 8.0)]].concat())
}

fn build(rows: &[(&str, i32, f64)]) -> Panel {
    let units = Codes::from_text(rows.iter().map(|it| Some(it.0)));
    let kind = Codes::from_text(rows.iter().map(|it| (it.0 != "a").then_some("small")));
    PanelBuilder::new(rows.len())
        .index("u".into(), units, "t".into(), rows.iter().map(|it| it.1).collect())
        .column("x".into(), Column::real(rows.iter().map(|it| it.2).collect()))
        .column("y".into(), Column::real(rows.iter().map(|it| f64::from(it.1)).collect()))
        .column("kind".into(), Column::Codes(kind))
        .build()
        .unwrap()
}

fn run<S: Step>(panel: &Panel, options: Value) -> Result<(Panel, String), StepError> {
    let Value::Object(options) = options else { panic!("options are a table") };
    let stepped = StepEntry::of::<S>(file!(), line!()).apply(panel, &options)?;
    assert_eq!(stepped.notes.len(), 1);
    Ok((stepped.panel, stepped.notes[0].to_string()))
}

fn message<S: Step>(options: Value) -> String {
    run::<S>(&panel(), options).unwrap_err().to_string()
}

/// Unit, period and value of every row, in words.
fn rows(panel: &Panel) -> String {
    let x = panel.real("x").unwrap();
    let row = |at: usize| {
        let unit = panel.units().labels.text(panel.units().code[at] as usize);
        format!("{unit}{}={}", panel.periods()[at], x[at])
    };
    (0..panel.n_rows()).map(row).collect::<Vec<_>>().join(" ")
}

#[test]
fn missing_is_not_true_and_the_note_says_why_rows_went() {
    let (kept, note) = run::<Restrict>(&panel(), json!({"where": "t >= 2 & x < 8"})).unwrap();
    assert_eq!(rows(&kept), "a2=2 a3=3 b3=6");
    assert_eq!(
        note,
        "restrict: kept 3 of 8 rows, 2 of 3 units, where `t >= 2 & x < 8`: `t >= 2` is false in 3 rows, \
         `x < 8` is false in 1 row and unknown in 1 row because `x` is missing"
    );
    assert_eq!(kept.units().n_groups(), 2);
}

#[test]
fn parts_of_a_conjunction_count_one_after_another() {
    let whole = |text: &str| rows(&run::<Restrict>(&panel(), json!({"where": text})).unwrap().0);
    for (joined, once) in [
        ("(t >= 2 & (x < 8)) & u != 'a'", "!(t < 2 | x >= 8 | u == 'a')"),
        ("x < 8 & t >= 2", "t >= 2 & x < 8"),
        ("x > 2 | t == 2", "t == 2 | x > 2"),
    ] {
        assert_eq!(whole(joined), whole(once), "{joined}");
    }
    // `b` in period 2 has no `x`, and `|` is true all the same.
    assert_eq!(whole("x > 7 | t == 2"), "a2=2 b2=NaN c2=8");
}

#[test]
fn restricting_twice_is_restricting_once() {
    let options = json!({"where": "x > 2"});
    let (once, _) = run::<Restrict>(&panel(), options.clone()).unwrap();
    let (twice, note) = run::<Restrict>(&once, options).unwrap();
    assert_eq!(rows(&once), rows(&twice));
    assert!(note.ends_with("it is true everywhere"), "{note}");
}

#[test]
fn restrict_refuses_what_is_no_condition_and_what_nobody_satisfies() {
    assert!(message::<Restrict>(json!({"where": "t"})).contains("`t` in `where` is 2 for u a, t 2"));
    assert_eq!(
        message::<Restrict>(json!({"where": "x > 100"})),
        "`restrict`: no row is left of 8 where `x > 100`: `x > 100` is false in 7 rows and unknown in 1 row \
         because `x` is missing; widen the condition"
    );
    assert!(message::<Restrict>(json!({"where": "xx > 1"})).contains("did you mean `x`"));
    assert!(message::<Restrict>(json!({"where": "x >"})).contains("options of `restrict`"));
    assert!(message::<Restrict>(json!({"if": "x > 1"})).contains("`if` is not a key"));
    let plain = PanelBuilder::new(2).column("x".into(), Column::real(vec![1.0, 2.0])).build().unwrap();
    let (_, note) = run::<Restrict>(&plain, json!({"where": "x > 1"})).unwrap();
    assert_eq!(note, "restrict: kept 1 of 2 rows where `x > 1`: `x > 1` is false in 1 row");
}

#[test]
fn units_with_a_hole_go_as_a_whole() {
    let (kept, note) = run::<Complete>(&panel(), json!({"columns": ["y", "x"]})).unwrap();
    assert_eq!(rows(&kept), "a1=1 a2=2 a3=3");
    assert_eq!(
        note,
        "complete: 2 of 3 units dropped for not having `y`, `x` in all 3 periods 1 to 3: b (`x` missing in 1 of 3 \
         periods), c (no row in 1 of 3 periods)"
    );
}

#[test]
fn the_window_decides_what_counts_and_rows_outside_stay() {
    let (kept, note) = run::<Complete>(&panel(), json!({"columns": ["x"], "to": 1})).unwrap();
    assert_eq!(rows(&kept), rows(&panel()));
    assert_eq!(note, "complete: all 3 units have `x` in all 1 periods 1 to 1");
    let (kept, _) = run::<Complete>(&panel(), json!({"columns": ["x"], "from": 3})).unwrap();
    assert_eq!(rows(&kept), "a1=1 a2=2 a3=3 b1=4 b2=NaN b3=6");
    let (kept, _) = run::<Complete>(&panel(), json!({})).unwrap();
    assert_eq!(kept.units().n_groups(), 2);
}

#[test]
fn text_can_be_missing_too() {
    let (kept, note) = run::<Complete>(&panel(), json!({"columns": ["kind"], "to": 2})).unwrap();
    assert_eq!(kept.units().n_groups(), 2);
    assert!(note.contains("a (`kind` missing in 2 of 2 periods)"), "{note}");
}

#[test]
fn every_pattern_of_holes_agrees_with_a_count() {
    for pattern in 0_u32..1 << 6 {
        let value = |at: usize| if pattern >> at & 1 == 1 { 1.0 } else { NAN };
        let mut data = vec![("z", 1, 1.0), ("z", 2, 1.0), ("z", 3, 1.0)];
        data.extend((0..6).map(|at| (if at < 3 { "a" } else { "b" }, at as i32 % 3 + 1, value(at))));
        let (kept, _) = run::<Complete>(&build(&data), json!({"columns": ["x"]})).unwrap();
        let full = usize::from(pattern & 7 == 7) + usize::from(pattern >> 3 == 7);
        assert_eq!(kept.units().n_groups(), 1 + full, "{pattern:b}");
    }
}

#[test]
fn many_units_are_counted_and_few_named() {
    let names: Vec<String> = (0..9).map(|it| format!("n{it}")).collect();
    let mut data: Vec<(&str, i32, f64)> = names.iter().map(|it| (it.as_str(), 1, NAN)).collect();
    data.push(("z", 1, 1.0));
    let (_, note) = run::<Complete>(&build(&data), json!({"columns": ["x"]})).unwrap();
    assert!(note.ends_with("n4 (`x` missing in 1 of 1 periods) and 4 more"), "{note}");
}

#[test]
fn complete_refuses_windows_beyond_the_data_and_empty_results() {
    assert!(message::<Complete>(json!({"from": 0})).contains("has periods 1 to 3, not all of 0 to 3"));
    assert!(message::<Complete>(json!({"from": 3, "to": 1})).contains("exchange them"));
    assert!(message::<Complete>(json!({"columns": ["xy"]})).contains("did you mean"));
    assert!(message::<Complete>(json!({"columns": ["kind", "x"]})).contains("no unit is left"));
    assert!(message::<Complete>(json!({"column": ["x"]})).contains("`column` is not a key"));
    let plain = PanelBuilder::new(1).column("x".into(), Column::real(vec![1.0])).build().unwrap();
    let error = run::<Complete>(&plain, json!({})).unwrap_err().to_string();
    assert!(error.contains("`complete` needs to know units and periods"), "{error}");
}

#[test]
fn row_order_and_labels_do_not_matter() {
    let data = [("b", 2, NAN), ("a", 3, 3.0), ("c", 2, 8.0), ("a", 1, 1.0), ("b", 3, 6.0), ("c", 1, 7.0)];
    let shuffled = build(&[&data[..], &[("a", 2, 2.0), ("b", 1, 4.0)]].concat());
    for (step, options) in [
        (run::<Restrict> as fn(&Panel, Value) -> _, json!({"where": "x >= 2"})),
        (run::<Complete>, json!({"columns": ["x"]})),
    ] {
        let (sorted, unsorted) =
            (step(&panel(), options.clone()).unwrap(), step(&shuffled, options.clone()).unwrap());
        assert_eq!((rows(&sorted.0), sorted.1), (rows(&unsorted.0), unsorted.1));
    }
    let relabelled = build(&[("q", 1, 1.0), ("q", 2, 2.0), ("p", 1, 4.0), ("p", 2, NAN)]);
    let (kept, _) = run::<Complete>(&relabelled, json!({"columns": ["x"]})).unwrap();
    assert_eq!(rows(&kept), "q1=1 q2=2");
}

#[test]
fn documented_examples_are_read() {
    let names = |of: [&str; 2]| of.map(Name::from).to_vec();
    assert_eq!(documented::<Restrict>(), names(["year", "municipality"]));
    assert_eq!(documented::<Complete>(), names(["gdp", "fiscal_revenue"]));
}

fn documented<S: Step>() -> Vec<Name> {
    let block = S::META.docs.split("```toml").nth(1).and_then(|it| it.split("```").next()).unwrap();
    let file: Value = toml::from_str(block).unwrap();
    let mut options: Map<String, Value> = file["pipeline"][0].as_object().unwrap().clone();
    assert_eq!(options.remove("step").unwrap(), S::META.name);
    let usage = StepEntry::of::<S>(file!(), line!()).columns(&options).unwrap();
    assert!(usage.writes.is_empty());
    usage.reads
}

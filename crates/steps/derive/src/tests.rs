//! Hand-computed numbers, and what must not change them.

use parallax_model::{
    Name, Panel, Step, StepEntry, StepError,
    panel::{Codes, Column, PanelBuilder},
};
use serde_json::{Map, Value, json};

use crate::{derive::Derive, lag::Lag, treat::Treat};

const NAN: f64 = f64::NAN;

/// Units a and b, 2010 to 2013, without b in 2012.
fn panel() -> Panel {
    let units = ["a", "a", "a", "a", "b", "b", "b"];
    let codes = Codes::from_text(units.map(Some));
    PanelBuilder::new(7)
        .index("city".into(), codes.clone(), "year".into(), vec![2010, 2011, 2012, 2013, 2010, 2011, 2013])
        .column("x".into(), Column::real(vec![1.0, 2.0, NAN, 4.0, 10.0, 20.0, 40.0]))
        .column("z".into(), Column::real(vec![1.0, 0.5, 2.0, 0.0, 2.0, 4.0, 5.0]))
        .column("from".into(), Column::real(vec![2012.0, 2012.0, 2012.0, 2012.0, NAN, NAN, NAN]))
        .column("name".into(), Column::Codes(codes))
        .build()
        .unwrap()
}

fn run<S: Step>(panel: &Panel, options: Value) -> Result<(Panel, Vec<String>), StepError> {
    let Value::Object(options) = options else { panic!("options are a table") };
    let stepped = StepEntry::of::<S>(file!(), line!()).apply(panel, &options)?;
    Ok((stepped.panel, stepped.notes.iter().map(ToString::to_string).collect()))
}

fn message<S: Step>(options: Value) -> String {
    run::<S>(&panel(), options).unwrap_err().to_string()
}

fn column(panel: &Panel, name: &str) -> String {
    panel.real(name).unwrap().iter().map(f64::to_string).collect::<Vec<_>>().join(" ")
}

fn names(of: &[&str]) -> Vec<Name> {
    of.iter().map(|it| Name::from(*it)).collect()
}

#[test]
fn definitions_are_carried_out_in_the_order_written() {
    // Sorted by name, `a` would come before the `z` it needs, and would be another number.
    let (panel, notes) =
        run::<Derive>(&panel(), json!({"columns": {"z": "2 * z", "a": "x + z", "b": "a > 10"}})).unwrap();
    assert_eq!(column(&panel, "z"), "2 1 4 0 4 8 10");
    assert_eq!(column(&panel, "a"), "3 3 NaN 4 14 28 50");
    assert_eq!(column(&panel, "b"), "0 0 NaN 0 1 1 1");
    assert_eq!(notes[0], "derive: `z` replaces the column of that name");
    assert_eq!(
        notes[1],
        "derive: `a` is missing in 1 of 7 rows where `x + z` has no value, the first one city a, year 2012"
    );
}

#[test]
fn reads_leaves_out_what_was_made_before() {
    let entry = StepEntry::of::<Derive>(file!(), line!());
    let options = json!({"columns": {"x": "x / w", "y": "x + u + w", "v": "y"}});
    let usage = entry.columns(options.as_object().unwrap()).unwrap();
    assert_eq!(usage.reads, names(&["x", "w", "u"]));
    assert_eq!(usage.writes, names(&["x", "y", "v"]));
}

#[test]
fn derive_says_what_is_wrong_before_data_are_read() {
    let entry = StepEntry::of::<Derive>(file!(), line!());
    let message = |options: Value| entry.columns(options.as_object().unwrap()).unwrap_err().to_string();
    assert!(message(json!({"columns": {"y": "x +"}})).contains("`y`: "));
    assert!(message(json!({"columns": {"y": 3}})).contains("expected a string"));
    assert!(message(json!({"columns": {"": "x"}})).contains("empty name"));
    assert!(message(json!({"columns": ["x"]})).contains("write keys with values"));
}

#[test]
fn derive_refuses_infinity_the_index_and_nothing() {
    assert!(message::<Derive>(json!({"columns": {"y": "1 / z"}})).contains("infinite for city a, year 2013"));
    assert!(message::<Derive>(json!({"columns": {"year": "z"}})).contains("`year` identifies rows"));
    assert!(message::<Derive>(json!({"columns": {}})).contains("`columns` is empty"));
    assert!(message::<Derive>(json!({"columns": {"y": "xx"}})).contains("no column `xx`"));
}

#[test]
fn options_of_derive_keep_their_order_when_written() {
    let options: crate::derive::Options =
        serde_json::from_value(json!({"columns": {"z": "x", "a": "z"}})).unwrap();
    assert_eq!(serde_json::to_string(&options).unwrap(), r#"{"columns":{"z":"x","a":"z"}}"#);
}

#[test]
fn lags_look_in_time_and_are_named_after_it() {
    let (panel, notes) = run::<Lag>(&panel(), json!({"columns": ["x"], "by": [1, 2, -1]})).unwrap();
    assert_eq!(column(&panel, "x_lag1"), "NaN 1 2 NaN NaN 10 NaN");
    assert_eq!(column(&panel, "x_lag2"), "NaN NaN 1 2 NaN NaN 20");
    assert_eq!(column(&panel, "x_lead1"), "2 NaN 4 NaN 20 NaN NaN");
    assert_eq!(
        notes[2],
        "lag: `x_lead1` is missing in 4 of 7 rows where `x` has no value 1 period later, the first one city a, year 2011"
    );
}

#[test]
fn lags_agree_with_the_formula_language() {
    let (lagged, _) = run::<Lag>(&panel(), json!({"columns": ["x"], "by": [1, -2]})).unwrap();
    let (derived, _) = run::<Derive>(&panel(), json!({"columns": {"b": "l(x, 1)", "f": "f(x, 2)"}})).unwrap();
    assert_eq!(column(&lagged, "x_lag1"), column(&derived, "b"));
    assert_eq!(column(&lagged, "x_lead2"), column(&derived, "f"));
}

#[test]
fn a_lead_of_a_lag_is_the_column_where_both_exist() {
    let (lagged, _) = run::<Lag>(&panel(), json!({"columns": ["z"]})).unwrap();
    let (back, _) = run::<Lag>(&lagged, json!({"columns": ["z_lag1"], "by": [-1]})).unwrap();
    for (again, z) in back.real("z_lag1_lead1").unwrap().iter().zip(back.real("z").unwrap().iter()) {
        assert!(again.is_nan() || again == z);
    }
}

#[test]
fn lag_refuses_what_makes_no_column() {
    assert!(message::<Lag>(json!({"columns": ["x"], "by": [0]})).contains("contains 0"));
    assert!(message::<Lag>(json!({"columns": ["x"], "by": [1, 1]})).contains("`x_lag1` would be made twice"));
    assert!(message::<Lag>(json!({"columns": []})).contains("at least one"));
    assert!(message::<Lag>(json!({"columns": ["name"]})).contains("column `name`: holds text"));
    assert!(message::<Lag>(json!({"columns": ["x"], "lags": [1]})).contains("`lags` is not a key"));
    let (panel, _) = run::<Lag>(&panel(), json!({"columns": ["x"], "by": [i32::MIN, i32::MAX]})).unwrap();
    assert_eq!(column(&panel, "x_lead2147483648"), ["NaN"; 7].join(" "));
}

#[test]
fn treatment_starts_in_its_first_year_and_stays() {
    let (panel, notes) = run::<Treat>(&panel(), json!({"from": "from", "into": "did"})).unwrap();
    assert_eq!(column(&panel, "did"), "0 0 1 1 0 0 0");
    assert_eq!(notes, ["treat: `did`: 1 of 2 units treated, 1 never"]);
}

#[test]
fn treat_counts_who_is_not_seen_to_switch() {
    let (data, _) =
        run::<Derive>(&panel(), json!({"columns": {"g": "ifelse(name == 'a', 2009, 2014)"}})).unwrap();
    let (panel, notes) = run::<Treat>(&data, json!({"from": "g", "into": "x"})).unwrap();
    assert_eq!(column(&panel, "x"), "1 1 1 1 0 0 0");
    assert_eq!(
        notes[0],
        "treat: `x`: 1 of 2 units treated, 0 never, 1 only after their last row; 1 of the treated already in their \
         first row, so that nothing before is seen"
    );
    assert_eq!(notes[1], "treat: `x` replaces the column of that name");
}

#[test]
fn treat_refuses_what_is_no_period_of_the_unit() {
    let with = |expr: &str| {
        let (data, _) = run::<Derive>(&panel(), json!({"columns": {"g": expr}})).unwrap();
        run::<Treat>(&data, json!({"from": "g", "into": "did"})).unwrap_err().to_string()
    };
    assert!(with("year").contains("is 2010 for city a, year 2010 and 2011 for city a, year 2011"));
    assert!(with("ifelse(year > 2011, 2012, NA)").contains("is missing for city a, year 2011 and 2012 for"));
    assert!(with("0").contains("if 0 marks units never treated"));
    assert!(with("20180724").contains("not a date"));
    assert!(with("2012.5").contains("whole number"));
    assert!(message::<Treat>(json!({"from": "name", "into": "did"})).contains("year of the date"));
    assert!(message::<Treat>(json!({"from": "from", "into": "city"})).contains("`city` identifies rows"));
}

#[test]
fn row_order_does_not_matter() {
    let order = [6, 2, 0, 5, 3, 1, 4];
    let source = panel();
    let pick = |name: &str| {
        let values = source.real(name).unwrap();
        Column::real(order.iter().map(|&it: &usize| values[it]).collect())
    };
    let units = Codes::from_text(order.iter().map(|&it| Some(if it < 4 { "a" } else { "b" })));
    let periods = order.iter().map(|&it| source.periods()[it]).collect();
    let shuffled = PanelBuilder::new(7)
        .index("city".into(), units, "year".into(), periods)
        .column("x".into(), pick("x"))
        .column("from".into(), pick("from"))
        .build()
        .unwrap();
    for data in [&source, &shuffled] {
        let (data, _) = run::<Lag>(data, json!({"columns": ["x"]})).unwrap();
        let (data, _) = run::<Treat>(&data, json!({"from": "from", "into": "did"})).unwrap();
        assert_eq!(column(&data, "x_lag1"), "NaN 1 2 NaN NaN 10 NaN");
        assert_eq!(column(&data, "did"), "0 0 1 1 0 0 0");
    }
}

#[test]
fn steps_in_time_need_units_and_periods_and_derive_does_not() {
    let plain = PanelBuilder::new(1).column("x".into(), Column::real(vec![2.0])).build().unwrap();
    let (derived, _) = run::<Derive>(&plain, json!({"columns": {"y": "x^2"}})).unwrap();
    assert_eq!(column(&derived, "y"), "4");
    let error = run::<Lag>(&plain, json!({"columns": ["x"]})).unwrap_err().to_string();
    assert!(error.contains("`lag` needs to know units and periods"));
    let error = run::<Treat>(&plain, json!({"from": "x", "into": "d"})).unwrap_err().to_string();
    assert!(error.contains("`treat` needs to know units and periods"));
}

#[test]
fn documented_examples_are_read() {
    let usage = documented::<Derive>();
    assert_eq!(usage.reads, names(&["fiscal_revenue", "fiscal_exp", "gdp"]));
    assert_eq!(usage.writes, names(&["self_sufficiency", "log_gdp", "growth"]));
    let usage = documented::<Lag>();
    assert_eq!(usage.writes.len(), 6);
    assert_eq!(documented::<Treat>().writes, names(&["did"]));
}

fn documented<S: Step>() -> parallax_model::ColumnUse {
    let block = S::META.docs.split("```toml").nth(1).and_then(|it| it.split("```").next()).unwrap();
    let file: Value = toml::from_str(block).unwrap();
    let mut options: Map<String, Value> = file["pipeline"][0].as_object().unwrap().clone();
    assert_eq!(options.remove("step").unwrap(), S::META.name);
    StepEntry::of::<S>(file!(), line!()).columns(&options).unwrap()
}

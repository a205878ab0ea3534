//! Hand-computed scores, what must not change them, and the numbers of a paper on real data.

use parallax_model::{
    IndexEntry,
    panel::{Codes, Column, PanelBuilder},
};
use serde_json::{Map, Value, json};

use super::*;

const NAN: f64 = f64::NAN;

/// Unit, period, output, deflator, national rate, national level.
type Row = (&'static str, i32, f64, f64, f64, f64);

/// The nation grows by 10, 20 and 25 per cent; prices by 0, 100 and 25.
const ROWS: [Row; 8] = [
    ("a", 2007, 90.0, 7.0, 3.0, 80.0),
    ("a", 2008, 100.0, 5.0, 9.0, 100.0),
    ("a", 2009, 150.0, 0.0, 10.0, 110.0),
    ("a", 2010, 300.0, 100.0, 20.0, 132.0),
    ("a", 2011, 500.0, 25.0, 25.0, 165.0),
    ("b", 2008, 10.0, 5.0, 9.0, 100.0),
    ("b", 2010, NAN, 100.0, 20.0, 132.0),
    ("b", 2011, 20.0, 25.0, 25.0, 165.0),
];

fn panel(rows: &[Row]) -> Panel {
    let real = |of: fn(&Row) -> f64| Column::real(rows.iter().map(of).collect());
    let units = Codes::from_text(rows.iter().map(|it| Some(it.0)));
    PanelBuilder::new(rows.len())
        .index("city".into(), units.clone(), "year".into(), rows.iter().map(|it| it.1).collect())
        .column("gdp".into(), real(|it| it.2))
        .column("cpi".into(), real(|it| it.3))
        .column("rate".into(), real(|it| it.4))
        .column("level".into(), real(|it| it.5))
        .column("name".into(), Column::Codes(units))
        .build()
        .unwrap()
}

fn options(more: Value) -> Map<String, Value> {
    let base = json!({"output": "gdp", "national": "rate", "national-kind": "growth-percent", "benchmark": "annual"});
    let mut options = base.as_object().unwrap().clone();
    let Value::Object(more) = more else { panic!("options are a table") };
    options.extend(more);
    options
}

fn build(panel: &Panel, more: Value) -> Result<IndexResult, StepError> {
    IndexEntry::of::<Resilience>(file!(), line!()).build(panel, &options(more))
}

fn score(panel: &Panel, more: Value) -> Vec<f64> {
    build(panel, more).unwrap().score
}

fn message(rows: &[Row], more: Value) -> String {
    build(&panel(rows), more).unwrap_err().to_string()
}

fn notes(rows: &[Row], more: Value) -> Vec<String> {
    build(&panel(rows), more).unwrap().notes.iter().map(ToString::to_string).collect()
}

fn same(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!(a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a} is not {b}");
    }
}

const SINCE: &str = "since-base";

#[test]
fn annual_growth_of_the_nation_is_the_divisor() {
    // a: 0.5 against 0.10, 2 against 0.20, 4 against 0.25; b: 1 against 0.25. The base year: 0 against 0.09.
    let expected = [NAN, -1.0, 4.0, 9.0, 15.0, -1.0, NAN, 3.0];
    same(&score(&panel(&ROWS), json!({})), &expected);
    let level = score(&panel(&ROWS), json!({"national": "level", "national-kind": "level"}));
    // From levels the base year's growth is 100 / 80 - 1.
    same(&level, &[NAN, -1.0, 4.0, 9.0, 15.0, -1.0, NAN, 3.0]);
}

#[test]
fn growth_since_the_base_year_is_chained_or_read_from_levels() {
    // National growth since 2008: 0.10, 0.32, 0.65.
    let expected = [NAN, NAN, 0.4 / 0.1, 1.68 / 0.32, 3.35 / 0.65, NAN, NAN, 0.35 / 0.65];
    same(&score(&panel(&ROWS), json!({"benchmark": SINCE})), &expected);
    let level = json!({"national": "level", "national-kind": "level", "benchmark": SINCE});
    same(&score(&panel(&ROWS), level), &expected);
}

#[test]
fn deflators_are_levels_or_chained_rates() {
    // Prices since 2008: 1, 2, 2.5; real output of a: 150, 150, 200, and of b in 2011: 8.
    let expected = [NAN, -1.0, 4.0, (0.5 - 0.2) / 0.2, (1.0 - 0.25) / 0.25, -1.0, NAN, (-0.2 - 0.25) / 0.25];
    let chained = json!({"deflator": "cpi", "deflator-kind": "inflation-percent"});
    same(&score(&panel(&ROWS), chained), &expected);
    let mut rows = ROWS;
    for row in &mut rows {
        row.3 = 40.0 * [1.0, 1.0, 1.0, 2.0, 2.5][(row.1 - 2007) as usize];
    }
    same(&score(&panel(&rows), json!({"deflator": "cpi"})), &expected);
}

/// The column `rate` as the unit's own growth: 10, 20 and 25 per cent since 2008. Unit b has no 2009.
#[test]
fn growth_of_units_is_chained_from_the_base_year() {
    let expected = [NAN, -1.0, 0.0, (0.32 - 0.2) / 0.2, (0.65 - 0.25) / 0.25, -1.0, NAN, NAN];
    same(&score(&panel(&ROWS), json!({"output": "rate", "output-kind": "growth-percent"})), &expected);
    let mut rows = ROWS;
    for row in &mut rows {
        row.2 = 100.0 + row.4;
    }
    let ours = score(&panel(&rows), json!({"output-kind": "previous-year-100"}));
    same(&ours, &expected);
    let noted = notes(&rows, json!({"output-kind": "previous-year-100"}));
    assert!(noted[0].contains("growth of `gdp` (annual growth, chained) since 2008"), "{noted:?}");
    // Growth against the chained growth of the nation itself is zero.
    let since = json!({"output": "rate", "output-kind": "growth-percent", "benchmark": SINCE});
    same(&score(&panel(&ROWS), since)[2..5], &[0.0; 3]);
    rows[3].2 = 0.0;
    let refused = message(&rows, json!({"output-kind": "previous-year-100"}));
    assert!(refused.contains("`gdp`: is 0 for city a, year 2010, which leaves no output"), "{refused}");
}

/// With the nation at -2 per cent: a grows by 0.5, so the difference is 0.52.
#[test]
fn the_absolute_denominator_keeps_the_order_of_units() {
    let mut rows = ROWS;
    rows[2].4 = -2.0;
    same(&score(&panel(&rows), json!({}))[2..3], &[-26.0]);
    same(&score(&panel(&rows), json!({"denominator": "absolute"}))[2..3], &[26.0]);
    let noted = notes(&rows, json!({"denominator": "absolute"}));
    assert!(noted.iter().all(|it| !it.contains("negative")), "{noted:?}");
    same(&score(&panel(&ROWS), json!({"denominator": "absolute"})), &score(&panel(&ROWS), json!({})));
}

#[test]
fn scale_multiplies_and_units_of_measurement_do_not_matter() {
    let ratio = score(&panel(&ROWS), json!({}));
    let per_cent = score(&panel(&ROWS), json!({"scale": 100}));
    same(&per_cent, &ratio.iter().map(|it| 100.0 * it).collect::<Vec<_>>());
    let mut rows = ROWS;
    for row in &mut rows {
        row.2 *= if row.0 == "a" { 1e4 } else { 0.01 };
        row.5 *= 7.0;
    }
    same(&score(&panel(&rows), json!({})), &ratio);
    let since = json!({"national": "level", "national-kind": "level", "benchmark": SINCE});
    same(&score(&panel(&rows), since.clone()), &score(&panel(&ROWS), since));
}

#[test]
fn a_unit_that_grows_as_the_nation_scores_zero() {
    let mut rows = ROWS;
    for row in &mut rows {
        row.2 = 3.0 * row.5;
    }
    let zero = score(&panel(&rows), json!({"benchmark": SINCE}));
    same(&zero, &[NAN, NAN, 0.0, 0.0, 0.0, NAN, 0.0, 0.0]);
}

#[test]
fn row_order_and_labels_do_not_matter() {
    let mut reversed = ROWS;
    reversed.reverse();
    same(&score(&panel(&reversed), json!({})), &score(&panel(&ROWS), json!({})));
    let mut renamed = ROWS;
    for row in &mut renamed {
        row.0 = if row.0 == "a" { "z" } else { "b" };
    }
    let scores = score(&panel(&renamed), json!({}));
    same(&[&scores[3..], &scores[..3]].concat(), &score(&panel(&ROWS), json!({})));
}

#[test]
fn gaps_in_national_series_leave_scores_missing() {
    let mut rows = ROWS;
    for row in rows.iter_mut().filter(|it| it.1 == 2010) {
        row.4 = NAN;
    }
    same(&score(&panel(&rows), json!({})), &[NAN, -1.0, 4.0, NAN, 15.0, -1.0, NAN, 3.0]);
    // A chain ends at its first gap.
    same(&score(&panel(&rows), json!({"benchmark": SINCE}))[2..5], &[4.0, NAN, NAN]);
    let notes = notes(&rows, json!({"benchmark": SINCE}));
    assert!(notes.iter().any(|it| it.contains("no score in 2010, 2011, because `rate`")), "{notes:?}");
    // One row a period with the value is enough.
    let mut sparse = ROWS;
    sparse[7].4 = NAN;
    same(&score(&panel(&sparse), json!({})), &score(&panel(&ROWS), json!({})));
}

#[test]
fn notes_say_how_the_score_was_made_and_who_has_none() {
    let mut rows = ROWS.to_vec();
    rows.push(("c", 2011, 3.0, 25.0, 25.0, 165.0));
    assert_eq!(
        notes(&rows, json!({"deflator": "cpi", "deflator-kind": "inflation-percent"})),
        [
            "resilience: growth of `gdp` since 2008, deflated by `cpi`, chained from 2008, against national growth of \
             the year from `rate`, 9.00 % (2008) to 25.00 % (2011)",
            "resilience: 1 of 3 units have no score, because they have no `gdp` in 2008: c",
            "resilience: no score before the base year 2008: 2007",
            "resilience: 1 rows have no score, because `gdp` or its deflator `cpi` is missing, the first one city b, \
             year 2010",
        ]
    );
    for row in rows.iter_mut().filter(|it| it.1 == 2009) {
        row.4 = -2.0;
    }
    let notes = notes(&rows, json!({}));
    assert!(notes.iter().any(|it| it.contains("national growth is negative in 2009")), "{notes:?}");
}

#[test]
fn data_that_cannot_serve_are_refused_with_their_place() {
    let with = |at: usize, change: fn(&mut Row)| {
        let mut rows = ROWS;
        change(&mut rows[at]);
        rows
    };
    assert_eq!(
        message(&with(3, |it| it.2 = 0.0), json!({})),
        "column `gdp`: is 0 for city a, year 2010; growth needs positive finite numbers, so correct it or make it missing"
    );
    let twice = message(&with(7, |it| it.4 = 26.0), json!({}));
    assert!(twice.contains("`rate`: is 25 for city a, year 2011 and 26 for city b, year 2011"), "{twice}");
    let zero = message(&with(2, |it| it.4 = 0.0), json!({}));
    assert!(zero.contains("`rate`: gives a national growth of zero in 2009"), "{zero}");
    assert!(message(&with(2, |it| it.4 = -100.0), json!({})).contains("is -100 in 2009; a rate"));
    let level = json!({"national": "level", "national-kind": "level"});
    assert!(
        message(&with(2, |it| it.5 = -1.0), level.clone()).contains("is -1 in 2009; a level is positive")
    );
    let rates_as_levels = message(&ROWS, json!({"deflator": "cpi"}));
    assert!(rates_as_levels.contains("`cpi`: is 0 for city a, year 2009"), "{rates_as_levels}");
    assert!(message(&ROWS, json!({"output": "name"})).contains("holds text"));
    assert!(message(&ROWS, json!({"output": "gpd"})).contains("did you mean `gdp`"));
}

#[test]
fn options_that_make_no_index_are_refused() {
    assert!(message(&ROWS, json!({"base": 2012})).contains("no unit has a value in the base year 2012"));
    let level = json!({"national": "level", "national-kind": "level", "benchmark": SINCE, "base": 2000});
    assert!(message(&ROWS, level).contains("has no value in the base year 2000"));
    assert!(message(&ROWS, json!({"scale": 0})).contains("`scale` is 0"));
    assert!(message(&ROWS, json!({"benchmark": "yearly"})).contains("\"yearly\" was found"));
    assert!(message(&ROWS, json!({"growth": "rate"})).contains("`growth` is not a key"));
    // Periods at the ends of their type must not overflow.
    let ends = panel(&[("a", i32::MIN, 1.0, 1.0, 2.0, 1.0), ("a", i32::MAX, 2.0, 1.0, 2.0, 1.0)]);
    for base in [i32::MIN, i32::MAX] {
        let level = json!({"national": "level", "national-kind": "level", "base": base});
        assert_eq!(score(&ends, level).len(), 2);
        assert_eq!(score(&ends, json!({"benchmark": SINCE, "base": base})).len(), 2);
    }
}

#[test]
fn the_documented_example_is_read() {
    let block = Resilience::META.docs.split("```toml").nth(1).and_then(|it| it.split("```").next()).unwrap();
    let file: Value = toml::from_str(block).unwrap();
    let mut options = file["pipeline"][0].as_object().unwrap().clone();
    assert_eq!(options.remove("index").unwrap(), NAME);
    assert_eq!(options.remove("into").unwrap(), NAME);
    let reads = IndexEntry::of::<Resilience>(file!(), line!()).reads(&options).unwrap();
    assert_eq!(reads, ["gdp", "national_growth", "cpi_pct"].map(Name::from));
}

/// Means of 2011 to 2013, then mean, standard deviation, least and largest of 2011 to 2022, on the cities
/// with GDP in every year; computed with pandas from the same files.
#[test]
fn real_cities_give_the_numbers_the_documentation_prints() {
    let Some(folder) = std::env::var_os("PARALLAX_DATA").map(std::path::PathBuf::from) else {
        eprintln!("skipped: PARALLAX_DATA is not set, so that the city panel cannot be read");
        return;
    };
    let panel = cities(&folder);
    let more =
        |benchmark| json!({"deflator": "cpi", "deflator-kind": "inflation-percent", "benchmark": benchmark});
    let close = |benchmark, expected: [f64; 7]| {
        for (got, expected) in summary(&panel, &score(&panel, more(benchmark))).iter().zip(expected) {
            assert!(
                (got - expected).abs() < 1e-9 * expected.abs().max(1.0),
                "{benchmark}: {got} is not {expected}"
            );
        }
    };
    let annual = [4.3823262098471965, 7.423573296578794, 9.054118160825054, 20.65455766049067];
    let rest = [23.03511821888621, -15.62113487856191, 159.42177462611406];
    close("annual", [annual[0], annual[1], annual[2], annual[3], rest[0], rest[1], rest[2]]);
    let printed = [3.98, 7.20, 9.27, 24.2];
    let since = summary(&panel, &score(&panel, more(SINCE)));
    for ((annual, since), printed) in annual.iter().zip(since).zip(printed) {
        assert!((annual - printed).abs() < 0.2 * printed && since < 0.2 * printed);
    }
}

fn summary(panel: &Panel, score: &[f64]) -> [f64; 7] {
    let of = |from: i32, to: i32| -> Vec<f64> {
        let rows = score.iter().zip(panel.periods());
        rows.filter(|it| (from..=to).contains(it.1)).map(|it| *it.0).collect()
    };
    let mean = |it: &[f64]| it.iter().sum::<f64>() / it.len() as f64;
    let all = of(2011, 2022);
    assert_eq!(all.len(), 287 * 12);
    let centre = mean(&all);
    let squares: f64 = all.iter().map(|it| (it - centre).powi(2)).sum();
    let years = [2011, 2012, 2013].map(|it| mean(&of(it, it)));
    [
        years[0],
        years[1],
        years[2],
        centre,
        (squares / (all.len() - 1) as f64).sqrt(),
        all.iter().copied().fold(f64::INFINITY, f64::min),
        all.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    ]
}

/// City GDP of the cities with all fifteen years, national growth in two decimals and consumer prices.
fn cities(folder: &std::path::Path) -> Panel {
    let nation = table(&folder.join("facts/national_gdp.csv"), &["year", "real_growth_pct_2dp", "cpi_pct"]);
    let cities = table(&folder.join("data/china/merged_panel_2008_2022.csv"), &["year", "code", "gdp"]);
    let mut years: std::collections::BTreeMap<i64, usize> = std::collections::BTreeMap::new();
    let known: Vec<&Vec<f64>> = cities.iter().filter(|it| !it[2].is_nan()).collect();
    for city in &known {
        *years.entry(city[1] as i64).or_default() += 1;
    }
    let rows: Vec<&&Vec<f64>> = known.iter().filter(|it| years[&(it[1] as i64)] == 15).collect();
    let column = |at: usize| -> Vec<f64> { rows.iter().map(|it| it[at]).collect() };
    let national = |at: usize| {
        let value = |year: f64| nation.iter().find(|it| it[0] == year).map_or(NAN, |it| it[at]);
        Column::real(column(0).into_iter().map(value).collect())
    };
    PanelBuilder::new(rows.len())
        .index(
            "code".into(),
            Codes::from_reals(&column(1)),
            "year".into(),
            column(0).iter().map(|it| *it as i32).collect(),
        )
        .column("gdp".into(), Column::real(column(2)))
        .column("rate".into(), national(1))
        .column("cpi".into(), national(2))
        .build()
        .unwrap()
}

/// Columns of a CSV file without quotes.
fn table(path: &std::path::Path, columns: &[&str]) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at: Vec<usize> =
        columns.iter().map(|it| header.iter().position(|name| name == it).unwrap()).collect();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        at.iter().map(|&it| cells[it].parse().unwrap_or(NAN)).collect()
    };
    lines.map(row).collect()
}

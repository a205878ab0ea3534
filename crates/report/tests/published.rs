//! Printed tables against ours.

use parallax_report::{
    Format,
    published::{CellKey, Published, Summary, Value, Verdict, What},
    render,
};

const PRINTED: &str = r#"
source = "Author (2024)"

[table10]
title = "Descriptive statistics"
columns = ["Variables", "N", "mean"]
rows = [["Resilience", "3108", "24.200"], ["Govern", "3108", ""]]

[table2]
title = "Benchmark"

[[table2.column]]
number = "(1)"
outcome = "Resilience"
group = "random effects"
rows = [
  { term = "did", estimate = "32.010", stars = "***", std_error = "(1.222)" },
  { term = "Constant", estimate = "−5.81", stars = "", std_error = "5.776" },
]
controls = "NO"
observations = "3,108"
r_squared = ".786"

[[table2.column]]
number = "2"
rows = [{ term = "did", estimate = "4.967**" }]
number_of_id = "o.259"

[[explained]]
table = "table2"
column = "1"
row = "r_squared"
what = "statistic"
because = "Both columns print the R-squared of the second."
"#;

#[test]
fn every_printed_cell_gets_a_verdict() {
    let published: Published = PRINTED.parse().unwrap();
    let comparison = published.compare("table2", ours).unwrap();
    let verdicts: Vec<_> = comparison
        .cells
        .iter()
        .map(|it| (it.column.as_str(), it.row.as_str(), it.what, it.verdict))
        .collect();
    use Verdict::{Absent, Differs, Explained, Match, Unparsable};
    let expected = [
        ("(1)", "did", What::Estimate, Match),
        ("(1)", "did", What::Stars, Match),
        ("(1)", "did", What::StdError, Match),
        ("(1)", "Constant", What::Estimate, Differs),
        ("(1)", "Constant", What::Stars, Match),
        ("(1)", "Constant", What::StdError, Absent),
        ("(1)", "controls", What::Statistic, Match),
        ("(1)", "observations", What::Statistic, Match),
        ("(1)", "r_squared", What::Statistic, Explained),
        ("(2)", "did", What::Estimate, Match),
        ("(2)", "did", What::Stars, Differs),
        ("(2)", "number_of_id", What::Statistic, Unparsable),
    ];
    assert_eq!(verdicts, expected);
    let summary = comparison.summary();
    let counts = Summary { matches: 7, differs: 2, explained: 1, absent: 1, unparsable: 1, stale: 0 };
    assert_eq!((summary, summary.total(), summary.is_clean()), (counts, 12, false));
}

#[test]
fn a_comparison_is_a_table_like_any_other() {
    let published: Published = PRINTED.parse().unwrap();
    let table = published.compare("table2", ours).unwrap().to_table(true);
    assert_eq!(table.check(), Ok(()));
    assert_eq!(
        render(&table, Format::Text),
        r#"Benchmark: printed against ours (simulated data)
=============================================================================
Column  Row           What       Printed     Ours      Difference  Verdict
-----------------------------------------------------------------------------
(1)     did           estimate   32.010     32.0105      0.00049   match
(1)     did           stars      ***          ***                  match
(1)     did           std_error  (1.222)     1.2215     -0.0005    match
(1)     Constant      estimate   −5.81       5.81       11.6       differs
(1)     Constant      stars      none        none                  match
(1)     Constant      std_error  5.776                             absent
(1)     controls      statistic  NO           no                   match
(1)     observations  statistic  3,108    3108           0         match
(1)     r_squared     statistic  .786        0.820123    0.0341    explained
(2)     did           estimate   4.967       4.967       0         match
(2)     did           stars      **          none                  differs
(2)     number_of_id  statistic  o.259     259                     unparsable
=============================================================================
All data here are simulated; no number is a finding.
7 of 12 printed cells match, 2 differ, 1 explained, 1 absent, 1 unparsable.
Explained: Both columns print the R-squared of the second.
"#
    );
    assert!(Format::ALL.iter().all(|it| render(&table, *it).contains("simulated")));
}

#[test]
fn tables_and_their_parts_keep_the_order_of_the_file() {
    let published: Published = PRINTED.parse().unwrap();
    assert_eq!(published.source.as_deref(), Some("Author (2024)"));
    let ids: Vec<_> = published.tables.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["table10", "table2"]);
    let column = &published.table("table2").unwrap().columns[0];
    assert_eq!((column.name.as_str(), column.group.as_deref()), ("(1)", Some("random effects")));
    let cells = &published.table("table10").unwrap().cells;
    let cells = cells.iter().map(|it| (it.key.row.as_str(), it.key.column.as_str(), it.text.as_str()));
    assert_eq!(
        cells.collect::<Vec<_>>(),
        [("Resilience", "N", "3108"), ("Resilience", "mean", "24.200"), ("Govern", "N", "3108"),]
    );
    assert_eq!(published.compare_all(|_| None).len(), 2);
    assert!(published.compare("table9", |_| None).is_none());
}

#[test]
fn an_explanation_of_what_matches_is_stale() {
    let published: Published = PRINTED.parse().unwrap();
    let right = |key: &CellKey| Some(Value::Number(if key.row == "r_squared" { 0.7862 } else { 0.0 }));
    let comparison = published.compare("table2", right).unwrap();
    let cell = comparison.cells.iter().find(|it| it.row == "r_squared").unwrap();
    assert_eq!(cell.verdict, Verdict::StaleExplanation);
    assert!(!comparison.summary().is_clean());
    let note = "Stale explanation: Both columns print the R-squared of the second.";
    assert_eq!(comparison.to_table(false).notes[1], note);
}

#[test]
fn a_wide_explanation_is_not_stale_while_one_cell_needs_it() {
    let wide = PRINTED.replace("column = \"1\"\nrow = \"r_squared\"\nwhat = \"statistic\"\n", "");
    let published: Published = wide.parse().unwrap();
    let summary = published.compare("table2", ours).unwrap().summary();
    assert_eq!((summary.matches, summary.explained, summary.is_clean()), (7, 5, true));
}

#[test]
fn errors_name_table_column_and_field() {
    let cases = [
        ("number = \"2\"\n", "", "table `table2`, column number 2: missing field `number`"),
        (
            "term = \"did\", estimate = \"4.967**\"",
            "term = \"did\", estimat = \"4\"",
            "table `table2`, column (2), row 1: unknown field `estimat`",
        ),
        (
            "observations = \"3,108\"",
            "observations = 3108",
            "table `table2`, column (1): `observations` must be a text in quotes, exactly as printed",
        ),
        ("\"3108\", \"24.200\"]", "\"3108\"]", "table `table10`, row `Resilience`: 2 cells for 3 `columns`"),
        (
            "number = \"2\"",
            "number = \"(1)\"",
            "table `table2`, column `(1)`, row `did`, estimate is given twice",
        ),
        (
            "table = \"table2\"",
            "table = \"tabel2\"",
            "explained 1: nothing is printed at table `tabel2`, column `1`, row `r_squared`, statistic, did you mean `table2`?",
        ),
        ("because =", "why =", "explained 1: unknown field `why`"),
        (
            "\"Both columns print the R-squared of the second.\"",
            "\" \"",
            "explained 1: `because` is empty; say why the numbers differ",
        ),
        (
            "columns = [\"Variables\", \"N\", \"mean\"]\n",
            "",
            "table `table10`: give either `columns` and `rows`",
        ),
        ("title = \"Benchmark\"", "titel = \"Benchmark\"", "table `table2`: unknown field `titel`"),
        ("source =", "source", "not valid TOML: "),
    ];
    for (from, to, message) in cases {
        assert!(PRINTED.contains(from), "{from}");
        let error = PRINTED.replacen(from, to, 1).parse::<Published>().unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

/// The printed tables of the study the project reproduces, where the data folder is at hand.
#[test]
fn the_paper_is_read_whole() {
    let Some(folder) = std::env::var_os("PARALLAX_DATA") else {
        eprintln!("skipped: PARALLAX_DATA is not set");
        return;
    };
    let path = std::path::Path::new(&folder).join("paper/published_tables.toml");
    let published: Published = std::fs::read_to_string(path).unwrap().parse().unwrap();
    assert_eq!(published.tables.len(), 10);
    assert_eq!(published.tables[1].columns.len(), 4);
    assert_eq!(published.tables[1].cells.len(), 4 * 12);
}

fn ours(key: &CellKey) -> Option<Value> {
    let number = |it| Some(Value::Number(it));
    match (key.column.as_str(), key.row.as_str(), key.what) {
        ("(1)", "did", What::Estimate) => number(32.010_49),
        ("(1)", "did", What::StdError) => number(1.2215),
        ("(1)", "did", What::Stars) => Some(Value::Stars(3)),
        ("(1)", "Constant", What::Estimate) => number(5.81),
        ("(1)", "Constant", What::StdError) => number(f64::NAN),
        (_, _, What::Stars) => Some(Value::Stars(0)),
        (_, "controls", _) => Some(Value::Text("no".to_owned())),
        (_, "observations", _) => number(3108.0),
        (_, "r_squared", _) => number(0.820_123),
        ("(2)", "did", What::Estimate) => number(4.967),
        (_, "number_of_id", _) => number(259.0),
        _ => None,
    }
}

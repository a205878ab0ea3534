//! `winsorize` and `trim` against numpy's percentiles of type 2, on the synthetic panels.
#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside the functions the lint exempts")]

use parallax_ingest::{ReadRequest, read};
use parallax_model::{Panel, Registry};
use parallax_oracle::open_answers;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    peer: String,
    call: String,
    rows: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    data: String,
    column: String,
    lower: f64,
    upper: f64,
    by: Option<String>,
    winsorized: Winsorized,
    trimmed: Trimmed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Winsorized {
    sum: f64,
    sum_by_row: f64,
    min: f64,
    max: f64,
    changed: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trimmed {
    sum: f64,
    sum_by_row: f64,
    min: f64,
    max: f64,
    missing: usize,
}

#[test]
fn tails_agree_with_numpy() {
    let text = std::fs::read_to_string(open_answers("tails.json")).unwrap();
    let file: File = serde_json::from_str(&text).unwrap();
    assert!(file.peer.starts_with("numpy") && file.call.contains("averaged_inverted_cdf"), "{}", file.rows);
    let registry = parallax_plugins::registry().unwrap();
    let panels = ["panel_bal", "panel_unbal"].map(|it| (it, panel(it)));
    assert!(50 <= file.cases.len());
    for case in &file.cases {
        let panel = &panels.iter().find(|it| it.0 == case.data).unwrap().1;
        let before = panel.real(&case.column).unwrap();
        let (w, t) = (&case.winsorized, &case.trimmed);
        let ours = Moments::of(&applied(&registry, "winsorize", case, panel));
        ours.agree(&case.id, [w.sum, w.sum_by_row, w.min, w.max]);
        let after = applied(&registry, "winsorize", case, panel);
        let changed = before.iter().zip(&after).filter(|(a, b)| !a.is_nan() && a != b).count();
        assert_eq!(changed, w.changed, "{}", case.id);
        let ours = Moments::of(&applied(&registry, "trim", case, panel));
        ours.agree(&case.id, [t.sum, t.sum_by_row, t.min, t.max]);
        assert_eq!(ours.missing, t.missing, "{}", case.id);
    }
}

fn panel(name: &str) -> Panel {
    let path = open_answers("").with_file_name("data").join(format!("{name}.parquet"));
    read(&ReadRequest::file(path).indexed("unit", "year")).unwrap().panel
}

fn applied(registry: &Registry, step: &str, case: &Case, panel: &Panel) -> Vec<f64> {
    let mut options = Map::from_iter([
        ("columns".to_owned(), json!([case.column])),
        ("lower".to_owned(), json!(case.lower)),
        ("upper".to_owned(), json!(case.upper)),
    ]);
    if let Some(by) = &case.by {
        options.insert("by".to_owned(), Value::String(by.clone()));
    }
    let stepped = registry.step(step).unwrap().apply(panel, &options).unwrap();
    stepped.panel.real(&case.column).unwrap().to_vec()
}

struct Moments {
    numbers: [f64; 4],
    missing: usize,
}

impl Moments {
    fn of(values: &[f64]) -> Moments {
        let known = || values.iter().enumerate().filter(|it| !it.1.is_nan());
        let numbers = [
            known().map(|it| it.1).sum(),
            known().map(|(row, it)| it * (row + 1) as f64).sum(),
            known().map(|it| *it.1).fold(f64::INFINITY, f64::min),
            known().map(|it| *it.1).fold(f64::NEG_INFINITY, f64::max),
        ];
        Moments { numbers, missing: values.len() - known().count() }
    }

    /// Sums may differ in the order of addition; extremes are values of the data or the mean of two of them.
    fn agree(&self, case: &str, theirs: [f64; 4]) {
        let [sum, by_row, min, max] = self.numbers;
        let near = |ours: f64, theirs: f64| (ours - theirs).abs() <= 1e-11 * theirs.abs().max(1.0);
        assert!(near(sum, theirs[0]) && near(by_row, theirs[1]), "{case}: {:?} {theirs:?}", self.numbers);
        assert_eq!([min, max], [theirs[2], theirs[3]], "{case}");
    }
}

//! Hand-computed scores, what must not change them, refusals, and the documented examples.

use parallax_model::{
    IndexEntry, IndexMethod, IndexResult, Panel, StepError,
    panel::{Codes, Column, PanelBuilder},
};
use serde_json::{Map, Value, json};

use crate::{
    coefficient_of_variation::CoefficientOfVariation, entropy_weights::EntropyWeights,
    min_max_average::MinMaxAverage, principal_components::PrincipalComponents, topsis::Topsis,
};

const NAN: f64 = f64::NAN;

/// Unit, period, good, bad, other.
type Row = (&'static str, i32, f64, f64, f64);

const ROWS: [Row; 6] = [
    ("a", 2001, 1.0, 10.0, 5.0),
    ("a", 2002, 2.0, 30.0, 1.0),
    ("b", 2001, 4.0, 20.0, 2.0),
    ("b", 2002, 3.0, 50.0, 4.0),
    ("c", 2001, 5.0, 40.0, 9.0),
    ("c", 2002, 2.0, 20.0, 7.0),
];

const METHODS: [IndexEntry; 5] = [
    entry::<EntropyWeights>(),
    entry::<CoefficientOfVariation>(),
    entry::<PrincipalComponents>(),
    entry::<MinMaxAverage>(),
    entry::<Topsis>(),
];

const fn entry<I: IndexMethod>() -> IndexEntry {
    IndexEntry::of::<I>(file!(), line!())
}

fn panel(rows: &[Row]) -> Panel {
    let real = |of: fn(&Row) -> f64| Column::real(rows.iter().map(of).collect());
    let units = Codes::from_text(rows.iter().map(|it| Some(it.0)));
    PanelBuilder::new(rows.len())
        .index("city".into(), units.clone(), "year".into(), rows.iter().map(|it| it.1).collect())
        .column("good".into(), real(|it| it.2))
        .column("bad".into(), real(|it| it.3))
        .column("other".into(), real(|it| it.4))
        .column("name".into(), Column::Codes(units))
        .build()
        .unwrap()
}

fn table(value: impl Into<Option<Value>>) -> Map<String, Value> {
    let Some(Value::Object(it)) = value.into() else { panic!("options are a table") };
    it
}

fn build(method: &IndexEntry, rows: &[Row], more: Value) -> Result<IndexResult, StepError> {
    let mut options = table(json!({"positive": ["good", "other"], "negative": ["bad"]}));
    options.extend(table(more));
    method.build(&panel(rows), &options)
}

fn index<I: IndexMethod>(more: Value) -> IndexResult {
    build(&entry::<I>(), &ROWS, more).unwrap()
}

fn weights(result: &IndexResult) -> Vec<f64> {
    result.details[0].numbers("weight").unwrap().to_vec()
}

fn same(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (left, right) in a.iter().zip(b) {
        let equal = left.is_nan() && right.is_nan() || (left - right).abs() <= 1e-12 * right.abs().max(1.0);
        assert!(equal, "{a:?} is not {b:?}");
    }
}

/// Standardised by hand: good (1..5), other (1..9), bad turned (50..10).
const GOOD: [f64; 6] = [0.0, 0.25, 0.75, 0.5, 1.0, 0.25];
const OTHER: [f64; 6] = [0.5, 0.0, 0.125, 0.375, 1.0, 0.75];
const BAD: [f64; 6] = [1.0, 0.5, 0.75, 0.0, 0.25, 0.75];

fn combined(weights: &[f64]) -> Vec<f64> {
    (0..6).map(|it| weights[0] * GOOD[it] + weights[1] * OTHER[it] + weights[2] * BAD[it]).collect()
}

#[test]
fn averages_by_hand() {
    let plain = index::<MinMaxAverage>(json!({}));
    same(&plain.score, &combined(&[1.0 / 3.0; 3]));
    assert_eq!(plain.details[0].words("indicator").unwrap(), ["good", "other", "bad"]);
    assert_eq!(plain.details[0].words("direction").unwrap(), ["+", "+", "-"]);
    let geometric = index::<MinMaxAverage>(json!({"mean": "geometric"}));
    same(&geometric.score, &(0..6).map(|it| (GOOD[it] * OTHER[it] * BAD[it]).cbrt()).collect::<Vec<_>>());
    // By period: 2001 has good 1, 4, 5; other 5, 2, 9; bad 10, 20, 40.
    let by_period = index::<MinMaxAverage>(json!({"standardise": "by-period"}));
    same(&by_period.score[4..5], &[(1.0 + 1.0 + 0.0) / 3.0]);
    same(&by_period.score[..1], &[(0.0 + 3.0 / 7.0 + 1.0) / 3.0]);
    // Norms of 2001 for all: c in 2002 has good 2 of 1..5, other 7 of 2..9, bad 20 of 40..10; b's bad of 50 is below 0.
    let base = index::<MinMaxAverage>(json!({"base": 2001}));
    same(&base.score[5..], &[(0.25 + 5.0 / 7.0 + 2.0 / 3.0) / 3.0]);
    same(&base.score[3..4], &[(0.5 + 2.0 / 7.0 - 1.0 / 3.0) / 3.0]);
}

#[test]
fn entropy_by_brute_force() {
    let entropy = |z: &[f64], shift: f64| {
        let total: f64 = z.iter().map(|it| it + shift).sum();
        let p = z.iter().map(|it| (it + shift) / total).filter(|it| *it != 0.0);
        -p.map(|it| it * it.ln()).sum::<f64>() / 6.0_f64.ln()
    };
    for shift in [0.0, 0.01] {
        let left: Vec<f64> = [GOOD, OTHER, BAD].iter().map(|it| 1.0 - entropy(it, shift)).collect();
        let expected: Vec<f64> = left.iter().map(|it| it / left.iter().sum::<f64>()).collect();
        let ours = index::<EntropyWeights>(json!({"shift": shift}));
        same(&weights(&ours), &expected);
        same(&ours.score, &combined(&expected));
    }
    // Two rows, one with everything: the entropy is 0 and each of two indicators weighs a half.
    let two = [("a", 2001, 1.0, 10.0, 5.0), ("b", 2001, 4.0, 20.0, 7.0)];
    let ours = build(&METHODS[0], &two, json!({"negative": []})).unwrap();
    same(&weights(&ours), &[0.5, 0.5]);
    same(&ours.score, &[0.0, 1.0]);
}

#[test]
fn variation_by_hand() {
    let variation = |x: [f64; 6]| {
        let mean = x.iter().sum::<f64>() / 6.0;
        (x.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / 5.0).sqrt() / mean
    };
    let share = |v: [f64; 3]| v.map(|it| it / v.iter().sum::<f64>());
    let (good, other) = ([1.0, 2.0, 4.0, 3.0, 5.0, 2.0], [5.0, 1.0, 2.0, 4.0, 9.0, 7.0]);
    let raw = share([variation(good), variation(other), variation([10.0, 30.0, 20.0, 50.0, 40.0, 20.0])]);
    let ours = index::<CoefficientOfVariation>(json!({}));
    same(&weights(&ours), &raw);
    same(&ours.score, &combined(&raw));
    let standardised = share([variation(GOOD), variation(OTHER), variation(BAD)]);
    same(&weights(&index::<CoefficientOfVariation>(json!({"variation-of": "standardised"}))), &standardised);
}

/// Two indicators with correlation r have eigenvalues 1 + r and 1 - r, and the loadings are root one half.
#[test]
fn two_components_in_closed_form() {
    let ours = build(&METHODS[2], &ROWS, json!({"negative": []})).unwrap();
    let half = 0.5_f64.sqrt();
    same(&weights(&ours), &[half, half]);
    // Sum of products of deviations over the root of sums of squares: 16 / root(10.8333 45.3333).
    let (g, o) = ([1.0, 2.0, 4.0, 3.0, 5.0, 2.0], [5.0, 1.0, 2.0, 4.0, 9.0, 7.0]);
    let centred = |x: [f64; 6]| x.map(|it| it - x.iter().sum::<f64>() / 6.0);
    let dot = |a: [f64; 6], b: [f64; 6]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (g, o) = (centred(g), centred(o));
    let r = dot(g, o) / (dot(g, g) * dot(o, o)).sqrt();
    let text: Vec<String> = ours.notes.iter().map(ToString::to_string).collect();
    let expected = format!("eigenvalues {:.4}, {:.4}", 1.0 + r, 1.0 - r);
    assert!(text[0].contains(&expected), "{text:?} without {expected}");
    same(ours.details[1].numbers("share").unwrap(), &[0.5 * (1.0 + r), 0.5 * (1.0 - r)]);
    same(ours.details[1].numbers("kept").unwrap(), &[1.0, 0.0]);
    same(ours.details[0].numbers("loading_1").unwrap(), &[half, half]);
    // KMO is r^2 / (r^2 + r^2), whatever r; Bartlett's statistic is -(n - 1 - 9/6) ln(1 - r^2).
    let bartlett = -(6.0 - 1.0 - 1.5) * (1.0 - r * r).ln();
    assert!(
        text[1].contains(&format!("KMO 0.5000; Bartlett's chi-squared {bartlett:.4} with 1 df")),
        "{text:?}"
    );
    let sd = |x: [f64; 6]| (dot(x, x) / 5.0).sqrt();
    same(&ours.score, &(0..6).map(|it| half * (g[it] / sd(g) + o[it] / sd(o))).collect::<Vec<_>>());
    // A negative indicator only turns its sign, and the sum over both components has (1 + r)/2 and (1 - r)/2.
    let both = build(&METHODS[2], &ROWS, json!({"negative": [], "choose": "count", "count": 2})).unwrap();
    let (first, second) = (0.5 * (1.0 + r) * half, 0.5 * (1.0 - r) * half);
    let ours = weights(&both);
    assert!((ours[0] + ours[1] - 2.0 * first).abs() < 1e-12, "{ours:?}");
    assert!(((ours[0] - ours[1]).abs() - 2.0 * second).abs() < 1e-12, "{ours:?}");
}

/// `other` falls with the two other columns, so that the first component runs against it.
#[test]
fn negative_weights_are_named() {
    let rows = [
        ("a", 2001, 1.0, -1.1, 5.0),
        ("b", 2001, 2.0, -2.0, 4.1),
        ("c", 2001, 3.0, -3.2, 3.0),
        ("d", 2001, 4.0, -3.9, 1.0),
    ];
    let ours = build(&METHODS[2], &rows, json!({})).unwrap();
    assert!(weights(&ours)[1] < 0.0 && 0.0 < weights(&ours)[0]);
    let text = ours.notes.last().unwrap().to_string();
    assert!(text.contains("against the direction of `other`"), "{text}");
}

#[test]
fn the_number_of_components_follows_the_request() {
    let kept = |more: Value| {
        let notes = index::<PrincipalComponents>(more).notes;
        notes[0].to_string().split_once(": ").unwrap().1.split_once(' ').unwrap().0.parse::<usize>().unwrap()
    };
    assert_eq!(kept(json!({"choose": "share", "share": 1.0})), 3);
    assert_eq!(kept(json!({"choose": "share", "share": 0.01})), 1);
    assert_eq!(kept(json!({"choose": "count", "count": 2})), 2);
}

#[test]
fn topsis_by_hand() {
    let equal = index::<Topsis>(json!({"weights": "equal", "normalise": "min-max"}));
    let distance =
        |to: f64, at: usize| [GOOD, OTHER, BAD].iter().map(|it| (it[at] - to).powi(2)).sum::<f64>().sqrt();
    same(
        &equal.score,
        &(0..6).map(|it| distance(0.0, it) / (distance(0.0, it) + distance(1.0, it))).collect::<Vec<_>>(),
    );
    // Best in everything and worst in everything, by either norm.
    let rows = [("a", 2001, 9.0, 1.0, 8.0), ("b", 2001, 5.0, 5.0, 5.0), ("c", 2001, 1.0, 9.0, 2.0)];
    for normalise in ["vector", "min-max"] {
        let ours = build(&METHODS[4], &rows, json!({"normalise": normalise})).unwrap();
        same(&ours.score, &[1.0, 0.5, 0.0]);
    }
    let given =
        index::<Topsis>(json!({"weights": "given", "given": {"good": 2.0, "bad": 1.0, "other": 5.0}}));
    same(&weights(&given), &[0.25, 0.625, 0.125]);
}

/// With a base, getting better never costs: a row beyond the best of the base is at the best.
#[test]
fn topsis_beyond_its_base_is_at_the_best() {
    let rows = [
        ("a", 2001, 9.0, 1.0, 8.0),
        ("a", 2002, 30.0, 0.5, 90.0),
        ("b", 2001, 5.0, 5.0, 5.0),
        ("b", 2002, 5.0, 5.0, 5.0),
        ("c", 2001, 1.0, 9.0, 2.0),
        ("c", 2002, 0.5, 90.0, 1.0),
    ];
    for normalise in ["vector", "min-max"] {
        let ours = build(&METHODS[4], &rows, json!({"normalise": normalise, "base": 2001})).unwrap();
        same(&ours.score, &[1.0, 1.0, 0.5, 0.5, 0.0, 0.0]);
    }
}

/// Entropy weights in TOPSIS are those of the other index, and all methods measure the same rows.
#[test]
fn topsis_takes_the_entropy_weights() {
    for more in [json!({}), json!({"standardise": "by-period"}), json!({"base": 2001})] {
        let entropy = index::<EntropyWeights>(more.clone());
        assert_eq!(weights(&index::<Topsis>(more)), weights(&entropy));
    }
}

#[test]
fn units_of_measurement_order_and_names_do_not_matter() {
    let mut other = ROWS;
    other.reverse();
    for row in &mut other {
        row.0 = match row.0 {
            "a" => "z",
            it => it,
        };
        (row.2, row.3, row.4) = (1e6 * row.2, 1e-3 * row.3, 7.0 * row.4);
    }
    for method in &METHODS {
        for more in [json!({}), json!({"standardise": "by-period"}), json!({"base": 2002})] {
            let before = build(method, &ROWS, more.clone()).unwrap();
            let after = build(method, &other, more).unwrap();
            same(&weights(&after), &weights(&before));
            // Unit a sorts last as z.
            same(&[&after.score[4..], &after.score[..4]].concat(), &before.score);
        }
    }
}

/// Shifts leave what is standardised first alone; the raw coefficient of variation and vectors have a zero.
#[test]
fn shifts_matter_only_where_zero_has_a_meaning() {
    let mut shifted = ROWS;
    for row in &mut shifted {
        row.2 += 100.0;
    }
    for (method, more, moves) in [
        (0, json!({}), false),
        (1, json!({}), true),
        (1, json!({"variation-of": "standardised"}), false),
        (2, json!({}), false),
        (3, json!({}), false),
        (4, json!({"normalise": "min-max"}), false),
        (4, json!({}), true),
    ] {
        let before = build(&METHODS[method], &ROWS, more.clone()).unwrap().score;
        let after = build(&METHODS[method], &shifted, more.clone()).unwrap().score;
        let moved = before.iter().zip(&after).any(|(a, b)| 1e-9 < (a - b).abs());
        assert_eq!(moved, moves, "{} {more}", METHODS[method].meta.name);
    }
}

/// A negative indicator is the positive one with its sign turned.
#[test]
fn directions_are_signs() {
    let mut turned = ROWS;
    for row in &mut turned {
        row.3 = -row.3;
    }
    for (method, more) in [
        (0, json!({})),
        (1, json!({"variation-of": "standardised"})),
        (2, json!({})),
        (3, json!({})),
        (4, json!({})),
        (4, json!({"normalise": "min-max"})),
    ] {
        let before = build(&METHODS[method], &ROWS, more.clone()).unwrap();
        let mut more = table(more);
        more.insert("positive".to_owned(), json!(["good", "other", "bad"]));
        more.insert("negative".to_owned(), json!([]));
        let after = build(&METHODS[method], &turned, Value::Object(more)).unwrap();
        same(&after.score, &before.score);
        same(&weights(&after), &weights(&before));
    }
}

#[test]
fn rows_with_gaps_have_no_score_and_no_part_in_the_norms() {
    let mut rows = ROWS.to_vec();
    rows.push(("d", 2001, 1e9, NAN, 3.0));
    rows.push(("d", 2002, NAN, -1e9, 3.0));
    for method in &METHODS {
        let ours = build(method, &rows, json!({})).unwrap();
        same(&ours.score[..6], &build(method, &ROWS, json!({})).unwrap().score);
        assert!(ours.score[6..].iter().all(|it| it.is_nan()));
        let text = ours.notes[0].to_string();
        assert!(
            text.ends_with("2 of 8 rows have no score, because values are missing: 1 of `good`, 1 of `bad`"),
            "{text}"
        );
    }
}

#[test]
fn what_cannot_serve_is_refused_by_every_method() {
    for method in &METHODS {
        let refusal = |rows: &[Row], more: Value| build(method, rows, more).unwrap_err().to_string();
        let mut constant = ROWS;
        constant.iter_mut().for_each(|it| it.4 = 3.0);
        assert_eq!(
            refusal(&constant, json!({})),
            "column `other`: is 3 in every complete row, so that it tells no units apart; leave it out"
        );
        let mut within = ROWS;
        within.iter_mut().filter(|it| it.1 == 2002).for_each(|it| it.3 = 7.0);
        for more in [json!({"standardise": "by-period"}), json!({"base": 2002})] {
            assert!(refusal(&within, more).starts_with("column `bad`: is 7 in every row of 2002"));
        }
        let mut infinite = ROWS;
        infinite[2].2 = f64::INFINITY;
        assert!(refusal(&infinite, json!({})).contains("`good`: is infinite for city b, year 2001"));
        assert!(refusal(&ROWS, json!({"base": 1999})).contains("no complete row in the base period 1999"));
        assert!(refusal(&ROWS, json!({"base": 2001, "standardise": "by-period"})).contains("choose one"));
        assert!(refusal(&ROWS[..1], json!({})).contains("needs two complete rows, and there are 1"));
        assert!(
            refusal(&ROWS[..3], json!({"standardise": "by-period"})).contains("two complete rows in 2002")
        );
        assert!(refusal(&ROWS, json!({"negative": ["good"]})).contains("`good` is named twice"));
        assert!(refusal(&ROWS, json!({"positive": [], "negative": []})).contains("no indicator"));
        assert!(refusal(&ROWS, json!({"positive": ["name"]})).contains("holds text"));
        assert!(refusal(&ROWS, json!({"positive": ["god"]})).contains("did you mean `good`"));
        assert!(refusal(&ROWS, json!({"standardize": "pooled"})).contains("`standardize` is not a key"));
    }
}

#[test]
fn options_of_one_method_that_make_no_index_are_refused() {
    let refusal = |method: usize, rows: &[Row], more: Value| {
        build(&METHODS[method], rows, more).unwrap_err().to_string()
    };
    assert!(refusal(0, &ROWS, json!({"shift": -0.1})).contains("`shift` is -0.1"));
    let mut negative = ROWS;
    negative.iter_mut().for_each(|it| it.2 -= 10.0);
    assert!(refusal(1, &negative, json!({})).contains("`good`: has a mean of -7.16"));
    assert!(refusal(2, &ROWS, json!({"count": 2})).contains("needs `count` alone"));
    assert!(refusal(2, &ROWS, json!({"choose": "count", "count": 4})).contains("between 1 and 3"));
    assert!(refusal(2, &ROWS, json!({"choose": "share", "share": 1.1})).contains("between 0 and 1"));
    let geometric = json!({"base": 2001, "mean": "geometric"});
    assert!(refusal(3, &ROWS, geometric).contains("2 values lie below the worst of the base period"));
    assert!(refusal(4, &ROWS, json!({"given": {"good": 1}})).contains("`weights = \"given\"` is needed"));
    let given = |it: Value| json!({"weights": "given", "given": it});
    assert!(refusal(4, &ROWS, given(json!({"good": 1}))).contains("no weight for `other`"));
    assert!(refusal(4, &ROWS, given(json!({"god": 1}))).contains("`god`, which is no indicator"));
    assert!(
        refusal(4, &ROWS, given(json!({"good": 1, "bad": 0, "other": 1}))).contains("weights are positive")
    );
}

#[test]
fn the_documented_examples_are_read() {
    for method in &METHODS {
        let block = method.meta.docs.split("```toml").nth(1).and_then(|it| it.split("```").next()).unwrap();
        let file: Value = toml::from_str(block).unwrap();
        let mut options = table(file["pipeline"][0].clone());
        assert_eq!(options.remove("index").unwrap(), method.meta.name);
        options.remove("into").unwrap();
        assert!(3 <= method.reads(&options).unwrap().len());
    }
}

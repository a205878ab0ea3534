//! `parallax fit --format json`: the stable door for scripts, and the exit codes.

use serde_json::Value;

use crate::support::{folder, json, parallax, text};

const DATA: &str = "datasets/wage-panel/wage_panel.parquet";
/// As documented, in order.
const KEYS: [&str; 17] = [
    "estimator",
    "formula",
    "outcome",
    "nobs",
    "units",
    "periods",
    "clusters",
    "weights",
    "terms",
    "vcov",
    "df",
    "treated",
    "stats",
    "sample",
    "details",
    "version",
    "notes",
];
const TERM_KEYS: [&str; 9] =
    ["term", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "treated"];

#[test]
fn keys_are_the_documented_ones() {
    let fit = fit("fixed-effects", "lwage ~ expersq + married + union | nr + year", "cluster:nr");
    assert_eq!(keys(&fit), KEYS);
    assert_eq!(keys(&fit["vcov"]), ["kind", "matrix"]);
    assert_eq!(keys(&fit["sample"]), ["rows_in", "rows_used", "dropped", "hash"]);
    for term in fit["terms"].as_array().unwrap() {
        assert_eq!(keys(term), TERM_KEYS);
    }
    assert_eq!(fit["estimator"], "fixed-effects");
    assert_eq!(fit["nobs"], 4360);
    assert_eq!(fit["vcov"]["kind"], "cluster:nr");
    assert_eq!((&fit["sample"]["rows_in"], &fit["sample"]["rows_used"]), (&4360.into(), &4360.into()));
    assert!(fit["stats"].as_object().unwrap().values().all(|it| it.as_f64().is_some()), "{}", fit["stats"]);
    assert!(fit["notes"].as_array().unwrap().iter().all(Value::is_string));
    insta::assert_snapshot!("keys", shape("", &fit).join("\n"));
}

#[test]
fn terms_are_spelled_as_the_formula_writes_them() {
    let formula =
        "lwage ~ married:union + log(exper + 1) + expersq^2 + i(year, ref = 1981) + l(union, 1) | nr";
    let fit = fit("fixed-effects", formula, "cluster:nr");
    let terms: Vec<&str> =
        fit["terms"].as_array().unwrap().iter().map(|it| it["term"].as_str().unwrap()).collect();
    insta::assert_snapshot!("terms", terms.join("\n"));
}

#[test]
fn numbers_of_every_estimator_agree_with_each_other() {
    let cases = [
        ("pooled-ols", "lwage ~ educ + union + i(year)", "hc1"),
        ("fixed-effects", "lwage ~ married + union | nr + year", "cluster:nr+year"),
        ("random-effects", "lwage ~ educ + union", "cluster:nr"),
        ("between", "lwage ~ educ + union", "iid"),
        ("first-difference", "lwage ~ expersq + union", "cluster:nr"),
    ];
    for (estimator, formula, vcov) in cases {
        let fit = fit(estimator, formula, vcov);
        assert_eq!(fit["vcov"]["kind"], vcov, "{estimator}");
        let matrix = fit["vcov"]["matrix"].as_array().unwrap();
        let terms = fit["terms"].as_array().unwrap();
        assert_eq!(matrix.len(), terms.len(), "{estimator}");
        for (k, term) in terms.iter().enumerate() {
            let [estimate, se, statistic, p, low, high] = numbers(term);
            let variance = matrix[k][k].as_f64().unwrap();
            assert!((variance.sqrt() / se - 1.0).abs() < 1e-14, "{estimator} {term}");
            assert!((statistic * se / estimate - 1.0).abs() < 1e-14, "{estimator} {term}");
            assert!(low < estimate && estimate < high && (0.0..=1.0).contains(&p), "{estimator} {term}");
            assert!((estimate - low - (high - estimate)).abs() < 1e-12 * se, "{estimator} {term}");
            assert_eq!(p < 0.05, !(low..high).contains(&0.0), "{estimator} {term}");
        }
    }
}

#[test]
fn level_widens_intervals_and_nothing_else() {
    let words = ["fit", "pooled-ols", "--data", DATA, "--formula", "lwage ~ educ", "--format", "json"];
    let narrow = json(&parallax(words.iter().chain(&["--level", "0.5"])).done());
    let wide = json(&parallax(words.iter().chain(&["--level", "0.99"])).done());
    let (a, b) = (numbers(&narrow["terms"][1]), numbers(&wide["terms"][1]));
    assert_eq!(a[..4], b[..4]);
    assert!(b[4] < a[4] && a[5] < b[5]);
}

#[test]
fn exit_codes() {
    let code = |words: &[&str]| {
        let ran = parallax(words);
        let spoke = (!ran.out.is_empty(), !ran.err.is_empty());
        (ran.code, spoke)
    };
    let fit = ["fit", "pooled-ols", "--data", DATA, "--formula"];
    assert_eq!(code(&[&fit[..], &["lwage ~ educ"]].concat()), (0, (true, false)));
    assert_eq!(code(&[&fit[..], &["lwage ~ education"]].concat()), (1, (false, true)));
    assert_eq!(code(&["fit", "pooled-ols"]), (2, (false, true)));
    assert_eq!(code(&["fits"]), (2, (false, true)));
    assert_eq!(code(&["--help"]), (0, (true, false)));
}

/// Runs a fit that has to work and say nothing but JSON.
fn fit(estimator: &str, formula: &str, vcov: &str) -> Value {
    let ran = parallax([
        "fit",
        estimator,
        "--data",
        DATA,
        "--unit",
        "nr",
        "--time",
        "year",
        "--formula",
        formula,
        "--vcov",
        vcov,
        "--format",
        "json",
    ]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{estimator}");
    json(&ran.out)
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// All numbers of a term, in the documented order.
fn numbers(term: &Value) -> [f64; 6] {
    ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
        .map(|key| term[key].as_f64().unwrap_or_else(|| panic!("`{key}` is no number: {term}")))
}

/// Every path in a value with the type of what is there; of a list, the first entry.
fn shape(path: &str, value: &Value) -> Vec<String> {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(it) => match it.first() {
            Some(first) => return shape(&format!("{path}[]"), first),
            None => "empty list",
        },
        Value::Object(it) if it.is_empty() => "empty object",
        Value::Object(it) => {
            return it.iter().flat_map(|(key, value)| shape(&format!("{path}.{key}"), value)).collect();
        }
    };
    vec![format!("{path}: {kind}")]
}

/// On a balanced panel both tests ask the same question: are means and deviations weighed alike?
/// Year dummies are where both estimators agree, and must not count (they once did, as rounding).
#[test]
fn hausman_agrees_with_mundlak_beside_year_dummies() {
    let words = [
        "fit",
        "random-effects",
        "--data",
        "datasets/wage-panel/wage_panel.parquet",
        "--unit",
        "nr",
        "--time",
        "year",
        "--formula",
        "lwage ~ educ + union + married + i(year)",
        "--format",
        "json",
    ];
    let stats = json(&parallax(words).done())["stats"].clone();
    let number = |name: &str| stats[name].as_f64().unwrap();
    assert_eq!((number("hausman_sigmaless_df"), number("mundlak_df")), (2.0, 2.0));
    assert_eq!(number("hausman_sigmamore_df"), 2.0);
    let (hausman, mundlak) = (number("hausman_sigmaless_chi2"), number("mundlak_chi2"));
    assert!((hausman - mundlak).abs() < 1e-8 * mundlak, "{hausman} is not {mundlak}");
}

/// Columns spread over two files give the numbers of one file.
#[test]
fn several_files_are_joined_on_unit_and_time() {
    let dir = folder();
    let whole = "datasets/wage-panel/wage_panel.parquet";
    let part = |name: &str, columns: &str| {
        let path = text(&dir.path().join(name)).to_owned();
        let words = ["convert", whole, &path, "--unit", "nr", "--time", "year", "--columns", columns];
        parallax(words).done();
        path
    };
    let (left, right) = (part("left.parquet", "lwage,union"), part("right.csv", "married,expersq"));
    let fit = |data: &[&str]| {
        let words =
            ["fit", "fixed-effects", "--unit", "nr", "--time", "year", "--format", "json", "--formula"];
        let formula = ["lwage ~ union + married + expersq | nr + year"];
        json(&parallax(words.iter().chain(&formula).chain(data)).done())
    };
    let apart = fit(&["--data", &left, "--data", &right]);
    assert_eq!(apart["terms"], fit(&["--data", whole])["terms"]);
    assert_eq!(apart["terms"].as_array().unwrap().len(), 3);
}

//! Small inputs on which a program of this field was wrong, each with its right value: `snapshots/cases`.
//!
//! The README of each case names the thread where somebody met it and how the value was found. A printed value is met
//! within half a unit of its last digit; three of them are those of exact fractions, where the README's last digit is a
//! double's.

mod effects;

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{Ran, copy_of_folder, files, folder, json, parallax, read, root, text};

/// A file of a case.
fn file(path: &str) -> String {
    text(&root().join("snapshots/cases").join(path)).to_owned()
}

/// `parallax fit ESTIMATOR --data FILE WORDS`, words as a shell would split them at spaces outside quotes.
fn fit(estimator: &str, data: &str, words: &str) -> Ran {
    let mut all = vec!["fit".to_owned(), estimator.to_owned(), "--data".to_owned(), file(data)];
    let mut quoted = false;
    for (at, part) in words.split('\'').enumerate() {
        match at % 2 {
            1 => all.push(part.to_owned()),
            _ => all.extend(part.split_whitespace().map(str::to_owned)),
        }
        quoted = at % 2 == 1;
    }
    assert!(!quoted, "an odd number of quotes: {words}");
    all.extend(["--format".to_owned(), "json".to_owned()]);
    parallax(all)
}

/// The result of a fit that works.
fn fitted(estimator: &str, data: &str, words: &str) -> Value {
    json(&fit(estimator, data, words).done())
}

/// What a fit that is refused says.
fn refused(estimator: &str, data: &str, words: &str) -> String {
    let ran = fit(estimator, data, words);
    assert_eq!(ran.code, 1, "{estimator} on {data} is not refused: {}", ran.out);
    ran.err
}

fn term<'a>(result: &'a Value, name: &str) -> &'a Value {
    let terms = result["terms"].as_array().unwrap();
    terms.iter().find(|it| it["term"] == name).unwrap_or_else(|| panic!("no term {name}: {terms:?}"))
}

/// Half a unit of the last digit that `printed` has.
fn tolerance(printed: &str) -> f64 {
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((printed, "0"));
    let decimals = mantissa.split_once('.').map_or(0, |it| it.1.len() as i32);
    0.500_001 * 10_f64.powi(exponent.parse::<i32>().unwrap() - decimals)
}

#[track_caller]
fn near(found: &Value, printed: &str) {
    let value = found.as_f64().unwrap_or_else(|| panic!("{found} is not a number; right is {printed}"));
    assert!(
        (value - printed.parse::<f64>().unwrap()).abs() <= tolerance(printed),
        "{value}, right is {printed}"
    );
}

/// An estimate, and its error where one is given.
#[track_caller]
fn is(result: &Value, name: &str, estimate: &str, std_error: Option<&str>) {
    near(&term(result, name)["estimate"], estimate);
    if let Some(it) = std_error {
        near(&term(result, name)["std_error"], it);
    }
}

#[track_caller]
fn rows(result: &Value, n: u64) {
    assert_eq!(result["sample"]["rows_used"].as_u64(), Some(n), "{}", result["sample"]);
}

/// Runs a case's study in a folder of its own; gives the CSV of its first table.
fn table(case: &str, study: &str, id: &str) -> String {
    let dir = copy_of_folder(&root().join("snapshots/cases").join(case));
    let out = dir.path().join("out");
    let study = dir.path().join(study);
    parallax(["reproduce", text(&study), "--no-report", "--out", text(&out)]).done();
    let found = files(&out).into_iter().find(|it| it.ends_with(Path::new(&format!("{id}.csv"))));
    read(&out.join(found.unwrap_or_else(|| panic!("{case} wrote no table {id}: {:?}", files(&out)))))
}

#[test]
fn zero_weights() {
    let words = "--unit unit --time year --formula 'y ~ x | unit' --vcov iid --weights wt";
    let found = fitted("fixed-effects", "01-zero-weights/d.csv", words);
    is(&found, "x", "2.0931925475", Some("0.1560136485"));
    rows(&found, 31);
}

#[test]
fn huge_weights() {
    let found = fitted(
        "pooled-ols",
        "02-huge-weights/d.csv",
        "--formula 'y ~ small + big + off' --vcov iid --weights pop",
    );
    let exact =
        [-10_667_242.384_325_93, -8_411_741.165_187_44, -3.055_076_737_658_63e-10, 0.010_667_247_472_341_199];
    for (row, right) in found["terms"].as_array().unwrap().iter().zip(exact) {
        // The condition of the problem is 1e7: nine digits are what doubles can give.
        assert!((row["estimate"].as_f64().unwrap() / right - 1.0).abs() < 5e-9, "{row} {right}");
    }
}

#[test]
fn levels_that_no_row_has() {
    let found = fitted("pooled-ols", "04-unused-level/missing.csv", "--formula 'y ~ i(g)' --vcov iid");
    is(&found, "g::b", "2.3686", Some("0.372791"));
    assert!(table("04-unused-level", "study.toml", "t").contains("2.368600"));
}

#[test]
fn regressors_that_effects_absorb_under_weights() {
    let words = "--unit nr --time year --formula 'y ~ z + m | nr' --vcov iid --weights wt";
    let found = fitted("fixed-effects", "05-absorbed-weights/d.csv", words);
    is(&found, "m", "0.7277616766", Some("0.2010725117"));
    assert_eq!(found["terms"].as_array().unwrap().len(), 1);
}

#[test]
fn errors_where_a_level_is_omitted() {
    let words = "--unit unit --time year --formula 'y ~ i(g)*x | unit + year' --vcov iid";
    let found = fitted("fixed-effects", "07-omitted-level-errors/d.csv", words);
    is(&found, "x", "0.9063459682", Some("0.2067533838"));
    is(&found, "g::south:x", "1.0176195622", Some("0.2709454778"));
    is(&found, "g::west:x", "-1.8081665894", Some("0.2703833830"));
}

#[test]
fn differences_over_gaps() {
    let words = "--unit firm --time year --formula 'y ~ x' --vcov iid";
    let found = fitted("first-difference", "08-difference-gap/d.csv", words);
    is(&found, "x", "1.1962393814", Some("0.1529397550"));
    rows(&found, 61);
    let found = fitted("first-difference", "08-difference-gap/d.csv", &format!("{words} --set gaps=bridge"));
    is(&found, "x", "1.2200587241", Some("0.1501160753"));
    rows(&found, 65);
}

#[test]
fn lags_over_gaps() {
    let lags = |terms: &str| {
        let words = format!("--unit id --time date --formula 'y ~ {terms}' --vcov iid");
        fitted("pooled-ols", "09-lag-gap/d.csv", &words)
    };
    let one = lags("l(x,1)");
    is(&one, "l(x, 1)", "0.0735204424", None);
    rows(&one, 57);
    let lead = lags("f(x,1)");
    is(&lead, "f(x, 1)", "-0.2903292335", None);
    rows(&lead, 57);
    let two = lags("l(x,1:2)");
    is(&two, "l(x, 1)", "0.1739977582", None);
    is(&two, "l(x, 2)", "-0.0805607958", None);
    rows(&two, 48);
}

#[test]
fn lags_before_a_restriction() {
    let found = table("10-subset-lag", "study.toml", "t");
    for right in ["-0.127291", "0.238945", "29"] {
        assert!(found.contains(right), "{right} is not in\n{found}");
    }
}

#[test]
fn steps_beside_missing_values() {
    let winsor = table("22-winsor-missing", "study.toml", "t");
    assert!(winsor.contains("5.714286") && winsor.contains(",7"), "{winsor}");
    let interpolated = table("22b-interpolate-ends", "study.toml", "t");
    assert!(interpolated.contains("8.000000") && interpolated.contains(",8"), "{interpolated}");
    let entropy = table("38-entropy-zero", "study.toml", "t");
    assert!(entropy.contains("0.536071") && entropy.contains(",14"), "{entropy}");
}

#[test]
fn identifiers_beyond_doubles() {
    let by = |effect: &str, vcov: &str| {
        let words = format!("--unit id --time t --formula 'y ~ x | {effect}' --vcov {vcov}");
        fitted("fixed-effects", "23-big-ids/d.csv", &words)
    };
    is(&by("id", "iid"), "x", "1.9798189355", Some("0.1486685910"));
    is(&by("id", "cluster:id"), "x", "1.9798189355", Some("0.1821738483"));
    let firm = by("firm", "iid");
    is(&firm, "x", "2.0082006916", None);
    rows(&firm, 34);
}

#[test]
fn namibia() {
    let words = "--unit n --time year --formula 'y ~ x | iso2' --vcov iid";
    let found = fitted("fixed-effects", "24-namibia/quoted.csv", words);
    is(&found, "x", "1.302538", Some("0.209495"));
    rows(&found, 36);
}

#[test]
fn codes_with_leading_zeros() {
    let all = [
        "fit",
        "pooled-ols",
        "--data",
        &file("25-fips/a.csv"),
        "--data",
        &file("25-fips/b.csv"),
        "--unit",
        "fips",
        "--time",
        "year",
        "--formula",
        "y ~ x",
        "--vcov",
        "iid",
        "--format",
        "json",
    ];
    let found = json(&parallax(all).done());
    is(&found, "x", "0.3480081878", Some("0.1633326287"));
    rows(&found, 25);
    let dir = folder();
    let out = dir.path().join("o.csv");
    parallax(["convert", &file("25-fips/a.csv"), text(&out)]).done();
    assert!(read(&out).contains("01001"), "{}", read(&out));
    let cross =
        fitted("fixed-effects", "25b-codes-with-zeros/cross.csv", "--formula 'y ~ x | code' --vcov iid");
    is(&cross, "x", "0.0403869029", Some("0.2374685169"));
}

#[test]
fn numbers_written_in_another_way() {
    let words = "--unit id --time t --formula 'y ~ x' --vcov iid";
    refused("pooled-ols", "26-decimal-comma/d.csv", words);
    let said = refused("pooled-ols", "26-decimal-comma/thousands.csv", words);
    assert!(!said.contains("decimal point"), "{said}");
    refused("pooled-ols", "26-decimal-comma/percent.csv", words);
    let said = refused(
        "fixed-effects",
        "37-thousands-regressor/pop.csv",
        "--unit unit --time year --formula 'y ~ d + pop | unit + year' --vcov iid",
    );
    assert!(said.contains("pop") && said.contains("1,0"), "{said}");
}

#[test]
fn headers_that_repeat_or_have_no_name() {
    let words = "--unit id --time t --formula 'y ~ x' --vcov iid";
    let said = refused("pooled-ols", "27-duplicate-header/d.csv", words);
    assert!(said.contains('4') && said.contains('5'), "{said}");
    for data in ["trailing-comma.csv", "rowname.csv"] {
        let found = fitted("pooled-ols", &format!("27-duplicate-header/{data}"), words);
        is(&found, "x", "0.0347837", Some("0.154944"));
    }
}

#[test]
fn words_for_missing() {
    let dir = root().join("snapshots/cases/28-missing-words");
    let data: Vec<String> =
        files(&dir).iter().map(|it| text(it).to_owned()).filter(|it| it.ends_with(".csv")).collect();
    assert!(10 < data.len());
    for name in data {
        let ran = fit(
            "pooled-ols",
            &format!("28-missing-words/{name}"),
            "--unit id --time t --formula 'y ~ x' --vcov iid",
        );
        if ran.code == 0 {
            let found = json(&ran.out);
            is(&found, "x", "-0.0893475", None);
            rows(&found, 18);
        } else {
            assert!(
                ran.code == 1 && ran.err.contains("line") || ran.err.contains("row"),
                "{name}: {}",
                ran.err
            );
        }
    }
}

#[test]
fn decimals_that_come_late() {
    let by = |name: &str| {
        let words = format!("--unit id --time t --formula 'y ~ {name}' --vcov iid");
        fitted("pooled-ols", "29-late-decimals/d.csv", &words)
    };
    is(&by("x"), "x", "0.51472121827", Some("0.0070925702"));
    is(&by("z"), "z", "-0.2934724681", None);
    rows(&by("x"), 2000);
    rows(&by("z"), 200);
}

#[test]
fn stars_before_rounding() {
    for (name, stars) in [("p0996", 1), ("p1004", 0), ("p04996", 2), ("p05004", 1), ("p00996", 3)] {
        let found = table("31-stars-before-rounding", &format!("{name}.toml"), name);
        let line = found.lines().find(|it| it.starts_with("x,")).unwrap_or_else(|| panic!("{found}"));
        assert_eq!(line.matches('*').count(), stars, "{name}: {line}");
    }
}

#[test]
fn levels_with_odd_names() {
    let data = file("32-odd-levels/d.csv");
    let words = [
        "fit",
        "pooled-ols",
        "--data",
        &data,
        "--formula",
        "y ~ i(f, ref='a b')",
        "--vcov",
        "iid",
        "--format",
        "json",
    ];
    let found = json(&parallax(words).done());
    is(&found, "f::a", "-1.95525", None);
    is(&found, "f::a::b", "0.734", None);
    is(&found, "f::x,y", "4.796375", None);
}

#[test]
fn names_with_signs_and_spaces() {
    let words = "--unit firm.id --time 'year of obs' --formula '`L@y` ~ Løn + Løn^2 + `x-1` + `GDP (亿元)` | firm.id' --vcov iid";
    let found = fitted("fixed-effects", "33-names/d.csv", words);
    let estimates: Vec<&Value> =
        found["terms"].as_array().unwrap().iter().map(|it| &it["estimate"]).collect();
    for (found, right) in
        estimates.iter().zip(["-0.2351164714", "-0.0143721082", "-0.0720840392", "0.0263328563"])
    {
        near(found, right);
    }
    let words = "--unit id --time t --outcome y --treatment d --covariates 'x-1' --vcov iid";
    let found = fitted("pooled-ols", "33b-short-form-names/d.csv", words);
    is(&found, "d", "0.246735", Some("0.153782"));
    is(&found, "x-1", "2.97469", None);
}

#[test]
fn clusters_that_are_missing() {
    for data in ["d.csv", "none.csv"] {
        let words = "--unit id --time t --formula 'y ~ x' --vcov cluster:state";
        let found = fitted("pooled-ols", &format!("34-cluster-missing/{data}"), words);
        is(&found, "x", "0.9178578151", Some("0.2521442064"));
        rows(&found, 50);
    }
}

#[test]
fn stray_spaces_in_labels_are_said() {
    let words = "--unit city --time t --formula 'y ~ x | city' --vcov iid";
    let clean = fitted("fixed-effects", "40-stray-spaces/clean.csv", words);
    is(&clean, "x", "1.11111", Some("0.400617"));
    let found = fitted("fixed-effects", "40-stray-spaces/d.csv", words);
    assert!(found["notes"].to_string().contains("Beijing"), "{}", found["notes"]);
}

#[test]
fn studies_stay_in_their_folder() {
    let dir = copy_of_folder(&root().join("snapshots/cases/faults/traversal"));
    let before = files(dir.path());
    let ran = parallax(["reproduce", text(dir.path())]);
    assert!([1, 2].contains(&ran.code), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("name"), "{}", ran.err);
    assert_eq!(files(dir.path()), before);
    let out = dir.path().join("elsewhere");
    assert!([1, 2].contains(&parallax(["reproduce", text(dir.path()), "--out", text(&out)]).code));
    assert!(!out.exists());
}

#[test]
fn cells_that_a_spreadsheet_would_run_are_text() {
    let found = table("faults/csv-formula", "study.toml", "t1");
    for cell in found.lines().flat_map(|it| it.split(',')) {
        let cell = cell.trim_matches('"');
        assert!(!cell.starts_with(['=', '@', '\t']), "{cell} in\n{found}");
    }
}

#[test]
fn files_that_claim_sizes() {
    for name in ["nulllen_2147483648.arrow", "claim_lz4_8589934592.arrow", "claim_max2.parquet"] {
        let ran = parallax(["describe", &file(&format!("faults/{name}"))]);
        assert_eq!(ran.code, 1, "{name}: {}{}", ran.out, ran.err);
    }
    let brotli = parallax(["describe", &file("faults/brotli.parquet")]);
    assert!(brotli.code == 0 || brotli.err.contains("brotli"), "{}", brotli.err);
}

#[test]
fn wide_files_take_seconds() {
    let dir = folder();
    let path = dir.path().join("wide.csv");
    let columns = 20_000;
    let line = |cell: &dyn Fn(usize) -> String| (0..columns).map(cell).collect::<Vec<_>>().join(",");
    let lines: Vec<String> = std::iter::once(line(&|it| format!("c{it}")))
        .chain((0..3).map(|row| line(&|it| ((it * 7 + row) % 13).to_string())))
        .collect();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let out = dir.path().join("wide.parquet");
    parallax(["describe", text(&path)]).done();
    parallax(["convert", text(&path), text(&out)]).done();
    assert!(out.exists());
}

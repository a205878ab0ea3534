//! `reproduce --strict`: a printed number that differs, is absent or was not compared ends with code 4; a name in
//! published.toml that the study lacks ends with code 1.

use std::fs;

use crate::support::{copy_of, parallax, read, text};

/// Runs a copy of `wage-panel` with one change in a file.
fn changed(file: &str, from: &str, to: &str, flags: &[&str]) -> (u8, String, String) {
    let study = copy_of("wage-panel");
    let path = study.path().join(file);
    let before = read(&path);
    assert!(before.contains(from), "{from}");
    fs::write(&path, before.replacen(from, to, 1)).unwrap();
    let words = ["reproduce", text(study.path()), "--no-report"];
    let ran = parallax(words.iter().chain(flags));
    (ran.code, ran.out, ran.err.replace(text(study.path()), "[DIR]"))
}

#[test]
fn names_that_the_study_lacks_are_errors_with_their_line() {
    let cases = [
        (
            "[table14_2]",
            "[tabel14_2]\ntitle = \"\"\n[[tabel14_2.column]]\nnumber = \"(1)\"\nr2 = \".1\"\n[table14_2]",
            ":6: table `tabel14_2`: the study has no table of this id, did you mean `table14_2`?",
        ),
        (
            "term = \"black\"",
            "term = \"balck\"",
            ":15: table `table14_2`, column `(1)`, row `balck`: the study's table has no term of this label or key, did you mean `black`?",
        ),
        (
            "number = \"(3)\"",
            "number = \"(4)\"",
            "column `(4)`, row `exper^2`: the study's table has no column `(4)`; it has 3 columns",
        ),
        (
            "outcome = \"lwage\"",
            "outcome = \"lwage\"\nobservatoins = \"4360\"",
            "row `observatoins`: the study's table has no row or statistic of this label or key",
        ),
    ];
    for (from, to, says) in cases {
        let (code, out, err) = changed("published.toml", from, to, &[]);
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.starts_with("error: [DIR]/published.toml:") && err.contains(says), "{err}");
    }
}

#[test]
fn a_file_that_the_study_names_must_be_there() {
    let (code, _, err) = changed("study.toml", "\"published.toml\"", "\"publishd.toml\"", &[]);
    assert_eq!(code, 1);
    assert!(
        err.contains(
            "the study names it under `published`, and it is not there, did you mean `published.toml`?"
        ),
        "{err}"
    );
    let study = copy_of("wage-panel");
    let file = study.path().join("study.toml");
    fs::write(&file, read(&file).replacen("published = \"published.toml\"\n", "", 1)).unwrap();
    fs::rename(study.path().join("published.toml"), study.path().join("publishd.toml")).unwrap();
    let ran = parallax(["reproduce", text(study.path()), "--no-report"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("nothing reads this file; call it published.toml"), "{}", ran.err);
}

#[test]
fn what_differs_or_is_not_compared_ends_with_code_4() {
    let strict = ["--strict"];
    assert_eq!(changed("study.toml", "title", "title", &strict).0, 0);
    let (code, _, err) = changed("published.toml", "estimate = \".091\"", "estimate = \".092\"", &strict);
    assert_eq!(code, 4, "{err}");
    assert!(
        err.contains(
            "table `table14_2`, column `(1)`, row `educ`, estimate: `.092` is printed, ours is 0.0913"
        ),
        "{err}"
    );
    let explained = "[[explained]]\ntable = \"table14_2\"\ncolumn = \"(1)\"\nrow = \"educ\"\nbecause = \"A misprint.\"\n\n[table14_2]";
    let (code, _, err) = changed("published.toml", "[table14_2]", explained, &strict);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = changed("published.toml", "estimate = \".091\"", "estimate = \"-\"", &strict);
    assert_eq!(code, 4, "{err}");
    // Fixed effects have no coefficient of a regressor that does not change in time.
    let absent =
        "    { term = \"educ\", estimate = \".1\" },\n    { term = \"exper^2\", estimate = \"-.0052\"";
    let (code, _, err) =
        changed("published.toml", "    { term = \"exper^2\", estimate = \"-.0052\"", absent, &strict);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("row `educ`, estimate: `.1` is printed, ours is absent"), "{err}");
    let (code, _, err) =
        changed("study.toml", "[[data.source.file]]", "compare = false\n[[data.source.file]]", &strict);
    assert_eq!(code, 4, "{err}");
}

#[test]
fn a_study_without_print_says_so() {
    let study = copy_of("wage-panel");
    let (place, file) = (text(study.path()), study.path().join("study.toml"));
    let named = "published = \"published.toml\"\n";
    let written = read(&file);
    fs::write(&file, written.replacen(named, "", 1)).unwrap();
    fs::remove_file(study.path().join("published.toml")).unwrap();
    let ran = parallax(["reproduce", place, "--no-report"]);
    assert!(
        ran.code == 0 && ran.out.contains("nothing is compared: there is no published.toml"),
        "{}",
        ran.out
    );
    assert_eq!(parallax(["reproduce", place, "--no-report", "--strict"]).code, 4);
    fs::write(&file, written.replacen(named, "published = false\n", 1)).unwrap();
    let ran = parallax(["reproduce", place, "--no-report", "--strict"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    fs::write(&file, written.replacen(named, "published = true\n", 1)).unwrap();
    assert_eq!(parallax(["reproduce", place, "--no-report", "--strict"]).code, 1);
}

/// Printed numbers cannot judge simulated data: patterns do, and a source without one is judged by nothing.
#[test]
fn simulated_data_are_judged_by_patterns() {
    let pattern = |it: &str| {
        format!(
            "simulated = true\n[[data.source.pattern]]\nmodel = \"pooled\"\nterm = \"educ\"\n{it}\n[[data.source.file]]"
        )
    };
    let strict = ["--strict"];
    let from = "[[data.source.file]]";
    let (code, _, err) = changed("study.toml", from, &format!("simulated = true\n{from}"), &strict);
    assert!(code == 4 && err.contains("declares no pattern"), "{code} {err}");
    let (code, out, err) =
        changed("study.toml", from, &pattern("above = 0.05\nbelow = 0.15\np-below = 0.01"), &strict);
    assert!(code == 0 && out.contains("patterns: 1 of 1 hold"), "{code} {out}{err}");
    let (code, _, err) = changed("study.toml", from, &pattern("above = 0.2"), &strict);
    assert!(code == 4 && err.contains("not above 0.2"), "{code} {err}");
    let (code, _, err) = changed("study.toml", from, &pattern(""), &[]);
    assert!(code == 1 && err.contains("needs `above`, `below` or `p-below`"), "{code} {err}");
}

/// 1, then 4, then 3.
#[test]
fn of_several_ends_the_worst_counts() {
    let study = copy_of("wage-panel");
    let (place, printed) = (text(study.path()), study.path().join("published.toml"));
    parallax(["reproduce", place, "--quiet", "--no-report"]).done();
    fs::write(study.path().join("tables/public/table14_2.txt"), "edited").unwrap();
    assert_eq!(parallax(["reproduce", place, "--quiet", "--check", "--strict"]).code, 3);
    fs::write(&printed, read(&printed).replacen("\".091\"", "\".099\"", 1)).unwrap();
    assert_eq!(parallax(["reproduce", place, "--quiet", "--check", "--strict"]).code, 4);
    let file = study.path().join("study.toml");
    fs::write(&file, read(&file).replacen("statistic = \"units\"", "statistic = \"unitz\"", 1)).unwrap();
    assert_eq!(parallax(["reproduce", place, "--quiet", "--check", "--strict"]).code, 1);
}

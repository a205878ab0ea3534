//! `reproduce --check` finds one changed digit, and says where.

use std::fs;

use crate::support::{contents, copy_of, parallax, read, text};

#[test]
fn one_changed_digit_is_found() {
    let study = copy_of("wage-panel");
    let place = text(study.path());
    parallax(["reproduce", place, "--quiet"]).done();
    let tables = study.path().join("tables/public");
    let before = contents(&tables);
    let same = parallax(["reproduce", place, "--quiet", "--check"]);
    assert_eq!((same.code, same.err.as_str()), (0, ""), "{}", same.out);

    let file = tables.join("table14_2.txt");
    let written = read(&file);
    let line = 1 + written.lines().position(|it| it.starts_with("educ")).unwrap();
    let changed = written.replacen("0.0913", "0.0914", 1);
    assert_ne!(changed, written);
    fs::write(&file, &changed).unwrap();
    let ran = parallax(["reproduce", place, "--quiet", "--check"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(&format!("table14_2.txt:{line}: differs")), "{}", ran.out);
    assert!(ran.out.contains("- educ") && ran.out.contains("0.0914"), "{}", ran.out);
    assert!(ran.out.contains("+ educ") && ran.out.contains("0.0913"), "{}", ran.out);
    assert_eq!(read(&file), changed, "--check writes nothing");

    parallax(["reproduce", place, "--quiet"]).done();
    assert_eq!(contents(&tables), before, "a run without --check puts it right");
}

#[test]
fn a_missing_table_is_found() {
    let study = copy_of("wage-panel");
    let place = text(study.path());
    parallax(["reproduce", place, "--quiet"]).done();
    fs::remove_file(study.path().join("tables/public/table14_2.md")).unwrap();
    let ran = parallax(["reproduce", place, "--quiet", "--check"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("table14_2.md: missing"), "{}", ran.out);
    assert!(!study.path().join("tables/public/table14_2.md").exists(), "--check writes nothing");
}

#[test]
fn another_covariance_is_found() {
    let study = copy_of("wage-panel");
    let place = text(study.path());
    parallax(["reproduce", place, "--quiet"]).done();
    let toml = study.path().join("study.toml");
    let changed = read(&toml).replacen("vcov = \"iid\"", "vcov = \"cluster:nr\"", 1);
    fs::write(&toml, changed).unwrap();
    let ran = parallax(["reproduce", place, "--quiet", "--check"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("table14_2.txt:"), "{}", ran.out);
}

/// A table with an empty row is not a finished one: everything is written, and the exit code says that something is missing.
#[test]
fn what_is_missing_is_an_error_after_writing() {
    for (old, new, says) in [
        ("{ term = \"educ\"", "{ term = \"educc\"", "no column has the term `educc`, did you mean `educ`?"),
        (
            "statistic = \"units\"",
            "statistic = \"unitz\"",
            "no column has the statistic `unitz`, did you mean `units`?",
        ),
        (
            "[[table]]",
            "[[figure]]\nid = \"f\"\ntitle = \"F\"\nkind = \"event-study\"\nmodels = [\"pooled\"]\n\n[[table]]",
            "figure `f`: model `pooled` has no event times",
        ),
    ] {
        let study = copy_of("wage-panel");
        let toml = study.path().join("study.toml");
        let text_before = read(&toml);
        assert!(text_before.contains(old), "{old}");
        fs::write(&toml, text_before.replacen(old, new, 1)).unwrap();
        let ran = parallax(["reproduce", text(study.path()), "--quiet"]);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains(says), "{}", ran.err);
        assert!(study.path().join("tables/public/table14_2.txt").is_file());
    }
}

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
    let changed = read(&toml).replacen("vcov = \"iid\"", "vcov = \"hc1\"", 1);
    fs::write(&toml, changed).unwrap();
    let ran = parallax(["reproduce", place, "--quiet", "--check"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("table14_2.txt:"), "{}", ran.out);
}

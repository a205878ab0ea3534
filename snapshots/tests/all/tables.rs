//! Every table of every study, locked.

use std::path::Path;

use crate::support::{assert_fit_to_print, files, folder, parallax, private_data, read, root, text};

/// The formats a table is written in.
const FORMATS: [&str; 5] = ["txt", "md", "tex", "csv", "json"];

#[test]
fn wage_panel() {
    locked("wage-panel", "public", None);
}

#[test]
fn nsw() {
    locked("nsw", "public", None);
}

#[test]
fn castle() {
    locked("castle", "public", None);
}

#[test]
fn mpdta() {
    locked("mpdta", "public", None);
}

#[test]
fn cbec_resilience_replica() {
    locked("cbec-resilience", "replica", None);
}

#[test]
fn cbec_resilience_china() {
    let Some(private) = private_data() else { return };
    locked("cbec-resilience", "china", Some(&private.join("data/china")));
}

#[test]
fn every_source_of_every_study_is_locked_here() {
    let mut sources: Vec<String> = Vec::new();
    for file in files(&root().join("datasets")) {
        let words: Vec<&str> = file.iter().map(|it| it.to_str().unwrap()).collect();
        if let [study, "tables", source, _] = words[..] {
            sources.push(format!("{study} {source}"));
        }
    }
    sources.dedup();
    assert_eq!(
        sources,
        [
            "castle public",
            "cbec-resilience china",
            "cbec-resilience replica",
            "mpdta public",
            "nsw public",
            "wage-panel public"
        ]
    );
}

#[test]
fn simulated_tables_say_so_in_head_and_foot_of_every_format() {
    let tables = root().join("datasets/cbec-resilience/tables/replica");
    for file in files(&tables).into_iter().filter(|it| !it.ends_with("manifest.json")) {
        let written = read(&tables.join(&file));
        let (head, foot) = head_and_foot(&file, &written);
        let mark = if file.to_str().unwrap().ends_with("-zh.svg") { "模拟数据" } else { "simulated" };
        let says = |it: &str| it.to_lowercase().contains(mark);
        assert!(says(&head), "{}: the head does not say it:\n{head}", file.display());
        assert!(says(&foot), "{}: the foot does not say it:\n{foot}", file.display());
    }
    let real = root().join("datasets/wage-panel/tables/public");
    for file in files(&real) {
        let written = read(&real.join(&file)).replace("\"simulated\": false", "");
        assert!(!written.contains("simulated"), "{}: real data pass for simulated ones", file.display());
    }
}

/// What stands above the first number and below the last one.
fn head_and_foot(file: &Path, written: &str) -> (String, String) {
    if file.ends_with("sample-flow.txt") {
        let (first, last) = (written.lines().next(), written.lines().next_back());
        return (first.unwrap().to_owned(), last.unwrap().to_owned());
    }
    let (start, end) = match file.extension().and_then(|it| it.to_str()) {
        Some("json") => ("\"body\"", "\"notes\""),
        Some("md") => ("\n|", "|\n\n"),
        Some("tex") => ("\\toprule", "\\bottomrule"),
        Some("txt") => ("\n====", "\n===="),
        Some("csv") => ("\n", "\n#"),
        Some("svg") => ("<g transform", "<g font-size"),
        other => panic!("{}: a format without a rule here: {other:?}", file.display()),
    };
    let (head, rest) = written.split_once(start).unwrap_or_else(|| panic!("{}: no head", file.display()));
    let (_, foot) = match end {
        "\n#" => rest.split_once(end).unwrap(),
        _ => rest.rsplit_once(end).unwrap(),
    };
    (head.to_owned(), foot.to_owned())
}

/// Runs a study, locks its text tables, and holds all its files against the committed ones.
fn locked(study: &str, source: &str, data: Option<&Path>) {
    let out = folder();
    let committed = root().join("datasets").join(study);
    let mut words = vec!["reproduce", text(&committed), "--quiet", "--no-report"];
    if let Some(data) = data {
        words.extend(["--data", text(data)]);
    }
    assert_eq!(parallax(words.iter().chain(&["--out", text(out.path())])).done(), "");
    let (made, committed) = (out.path().join(study).join(source), committed.join("tables").join(source));
    for file in files(&made) {
        let name = file.to_str().unwrap();
        let written = read(&made.join(&file));
        if name.ends_with(".svg") {
            continue;
        }
        assert_fit_to_print(name, &written);
        let stem = file.file_stem().unwrap().to_str().unwrap();
        for format in formats(stem) {
            let beside = made.join(format!("{stem}.{format}"));
            assert!(beside.is_file(), "{}: a format is missing", beside.display());
        }
        if name.ends_with(".txt") {
            insta::assert_snapshot!(format!("{study}-{source}-{stem}"), written);
        }
    }
    assert_eq!(files(&made), files(&committed), "files that are not there, or that nothing writes any more");
    for file in files(&made) {
        let (made, committed) = (read(&made.join(&file)), read(&committed.join(&file)));
        assert_eq!(made, committed, "{study} {source}: {}", file.display());
    }
    let checked = parallax(words.iter().chain(&["--check"]));
    assert_eq!(checked.code, 0, "committed tables differ: {}{}", checked.out, checked.err);
}

/// The manifest is for machines, the flow of the sample is text, tables are written in five formats, figures as a picture beside their numbers.
fn formats(stem: &str) -> &'static [&'static str] {
    match stem {
        "manifest" => &[],
        "sample-flow" => &FORMATS[..1],
        it if it.starts_with("figure") => &["svg", "txt", "csv", "json"],
        _ => &FORMATS,
    }
}

//! Tests: the repository is tidy. What they refuse, a reviewer need not say.

pub mod docs;
mod functions;

use std::path::{Path, PathBuf};

use crate::workspace::{Workspace, files, read};

/// Files may be longer than this only with a reason.
const LONGEST_FILE: usize = 500;
const LONG_FILES: [(&str, &str); 0] = [];
/// Functions may be longer than this only with a reason.
const LONGEST_FUNCTION: usize = 60;
/// File, function, reason.
const LONG_FUNCTIONS: [(&str, &str, &str); 0] = [];
/// Not written in one piece, so that this file does not find itself.
const UNFINISHED: [&str; 5] = [
    concat!("#[ign", "ore"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
    "\u{feff}",
];
/// Folders of one machine: what names them does not run on another.
const MACHINE_PATHS: [&str; 6] = [
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/tm", "p/"),
    concat!("/Use", "rs/"),
    concat!(".lib", "rary"),
];
const TOP_LEVEL: [&str; 6] = ["crates", "xtask", "datasets", "snapshots", "target", "out"];

fn root() -> Workspace {
    Workspace::find().unwrap()
}

/// Paths from the root with their text.
fn texts(endings: &[&str]) -> Vec<(String, String)> {
    let root = root().root;
    let keep = |it: &Path| it.extension().is_some_and(|it| endings.iter().any(|end| it == *end));
    let from_root = |it: &PathBuf| it.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
    files(&root, &keep).unwrap().iter().map(|it| (from_root(it), read(it).unwrap())).collect()
}

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn every_module_opens_with_what_it_is_for() {
    let opens = |it: &str| it.starts_with("//!") || it.starts_with("#![doc");
    let found: Vec<String> = texts(&["rs"]).into_iter().filter(|it| !opens(&it.1)).map(|it| it.0).collect();
    assert_none("the first line must be a `//!` sentence", &found);
}

#[test]
fn nothing_is_left_unfinished_or_ignored() {
    let mut found = Vec::new();
    for (path, text) in texts(&["rs"]) {
        found.extend(UNFINISHED.iter().filter(|it| text.contains(**it)).map(|it| format!("{path}: {it}")));
    }
    assert_none("write it, or leave it out", &found);
}

#[test]
fn no_file_names_a_machine() {
    let mut found = Vec::new();
    for (path, text) in texts(&["rs", "md", "toml", "yml", "txt", "json", "snap"]) {
        found.extend(MACHINE_PATHS.iter().filter(|it| text.contains(**it)).map(|it| format!("{path}: {it}")));
    }
    assert_none("paths of one machine", &found);
}

#[test]
fn long_files_have_a_reason() {
    let long: Vec<(String, usize)> = texts(&["rs"])
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|it| LONGEST_FILE < it.1)
        .collect();
    let unexplained: Vec<String> = long
        .iter()
        .filter(|it| !LONG_FILES.iter().any(|known| known.0 == it.0))
        .map(|it| format!("{}: {} lines", it.0, it.1))
        .collect();
    assert_none("split it, or give a reason in LONG_FILES", &unexplained);
    for (path, reason) in LONG_FILES {
        assert!(long.iter().any(|it| it.0 == path), "{path} is no longer long: remove it from LONG_FILES");
        assert!(20 < reason.len(), "{path}: that is no reason");
    }
}

#[test]
fn long_functions_have_a_reason() {
    let mut long = Vec::new();
    for (path, text) in texts(&["rs"]) {
        let functions = functions::functions(&text);
        long.extend(
            functions.into_iter().filter(|it| LONGEST_FUNCTION < it.lines).map(|it| (path.clone(), it)),
        );
    }
    let unexplained: Vec<String> = long
        .iter()
        .filter(|(path, it)| !LONG_FUNCTIONS.iter().any(|known| known.0 == path && known.1 == it.name))
        .map(|(path, it)| format!("{path}:{}: `{}` has {} lines", it.line, it.name, it.lines))
        .collect();
    assert_none("split it, or give a reason in LONG_FUNCTIONS", &unexplained);
    for (path, name, reason) in LONG_FUNCTIONS {
        let is_long = long.iter().any(|(other, it)| other == path && it.name == name);
        assert!(is_long, "{path}: `{name}` is no longer long: remove it from LONG_FUNCTIONS");
        assert!(20 < reason.len(), "{path}: `{name}`: that is no reason");
    }
}

#[test]
fn the_top_level_holds_the_known_folders_only() {
    let root = root().root;
    for entry in std::fs::read_dir(&root).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = name.starts_with('.') || TOP_LEVEL.contains(&name.as_str());
        assert!(
            known || !entry.path().is_dir(),
            "folder `{name}` at the top; ARCHITECTURE.md says what goes where"
        );
    }
}

#[test]
fn every_crate_obeys_the_lints_of_the_workspace() {
    let manifests = texts(&["toml"]).into_iter().filter(|it| it.0.ends_with("/Cargo.toml"));
    let without: Vec<String> =
        manifests.filter(|it| !it.1.contains("[lints]\nworkspace = true")).map(|it| it.0).collect();
    assert_none("add `[lints] workspace = true`", &without);
}

#[test]
fn every_plugin_has_a_page_with_the_fixed_headings() {
    assert_none("pages of plugins", &docs::problems(&texts(&["rs"]), &texts(&["md"])));
}

//! The registry, its pages and its folders name the same things.

use std::collections::BTreeSet;

use crate::support::{files, parallax, read, registry, root};

/// Where plugins live, with the word the registry has for them.
const FOLDERS: [(&str, &str); 3] = [("estimators", "estimator"), ("steps", "step"), ("indices", "index")];

#[test]
fn names() {
    let lines: Vec<String> = registry()
        .iter()
        .map(|it| {
            let word = |key: &str| it[key].as_str().unwrap().to_owned();
            format!("{:9} {:16} {}", word("kind"), word("name"), word("status"))
        })
        .collect();
    insta::assert_snapshot!("names", lines.join("\n"));
}

/// Estimators in a step's crate: they share its algorithm, and plugins do not depend on each other.
const BESIDE_THEIR_STEP: [&str; 1] = ["propensity-match"];

#[test]
fn names_are_pages_and_pages_are_names() {
    let mut pages = BTreeSet::new();
    for (folder, kind) in FOLDERS {
        let folder = root().join("crates").join(folder);
        for file in files(&folder) {
            let words: Vec<&str> = file.iter().map(|it| it.to_str().unwrap()).collect();
            if let [_, "docs", page] = words[..] {
                let name = page.strip_suffix(".md").unwrap_or_else(|| panic!("{page} is no page"));
                let kind = if BESIDE_THEIR_STEP.contains(&name) { "estimator" } else { kind };
                pages.insert((kind.to_owned(), name.to_owned(), read(&folder.join(&file))));
            }
        }
    }
    let named: BTreeSet<(String, String, String)> = registry()
        .iter()
        .map(|it| ["kind", "name", "docs"].map(|key| it[key].as_str().unwrap().to_owned()).into())
        .collect();
    assert_eq!(named, pages);
    for (_, name, page) in &named {
        assert!(page.starts_with(&format!("# {name}\n")), "the page of {name} has another title");
        let shown = parallax(["explain", name]).done();
        assert!(shown.starts_with(page.trim_end()), "`explain {name}` shows another page");
    }
}

#[test]
fn every_plugin_stands_where_it_says_and_every_folder_has_one() {
    let mut found = BTreeSet::new();
    for it in registry() {
        let (file, name) = (it["file"].as_str().unwrap(), it["name"].as_str().unwrap());
        let line = it["line"].as_u64().unwrap() as usize;
        let source = read(&root().join(file));
        let there = source.lines().nth(line - 1).unwrap();
        assert!(there.contains('!'), "{file}:{line} registers {name}, but reads `{there}`");
        let words: Vec<&str> = file.split('/').collect();
        let [crates, folder, plugin] = words[..3] else { panic!("{file}: no folder of plugins") };
        let kind = if BESIDE_THEIR_STEP.contains(&name) { "step" } else { it["kind"].as_str().unwrap() };
        assert!(FOLDERS.contains(&(folder, kind)), "{name} lies in {folder}");
        found.insert([crates, folder, plugin].join("/"));
    }
    let mut there = BTreeSet::new();
    for (folder, _) in FOLDERS {
        for entry in std::fs::read_dir(root().join("crates").join(folder)).unwrap() {
            let name = entry.unwrap().file_name();
            there.insert(format!("crates/{folder}/{}", name.to_str().unwrap()));
        }
    }
    assert_eq!(found, there);
}

//! `cargo xtask datasets`: `datasets/datasets.toml` against the files that are there.
//!
//! Hash, rows and columns come from `parallax describe`; licence and kind are written by hand.

use std::fmt::Write;

use crate::{
    driver,
    stop::{Outcome, Stop},
    workspace::{Workspace, files, write},
};

const LIST: &str = "datasets/datasets.toml";
const HEAD: &str = "\
# Every data file of the studies. `cargo xtask datasets` fills in sha256, rows and columns;
# licence and kind (real, simulated) are written by hand. Each study's SOURCE.md says more.
";
const KINDS: [&str; 2] = ["real", "simulated"];

/// One data file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// Below `datasets/`.
    path: String,
    sha256: String,
    rows: i64,
    columns: i64,
    licence: String,
    kind: String,
}

/// Writes the list; with `check`, compares it and stops at differences.
pub fn run(workspace: &Workspace, check: bool) -> Outcome {
    let listed = parse(&workspace.read(LIST)?)?;
    driver::build(workspace)?;
    let mut actual = Vec::new();
    for path in data_files(workspace)? {
        let by_hand = listed.iter().find(|it| it.path == path).cloned().unwrap_or_default();
        actual.push(measure(workspace, Entry { path, ..by_hand })?);
    }
    if !check {
        write(&workspace.path(LIST), &render(&actual))?;
    }
    let mut problems = incomplete(&actual);
    if check {
        problems.extend(differences(&listed, &actual));
    }
    if problems.is_empty() {
        println!("{} data files are as {LIST} says", actual.len());
        return Ok(());
    }
    Err(Stop::failed(problems.join("\n       ")))
}

/// Data files below `datasets/`, without the tables that studies write.
fn data_files(workspace: &Workspace) -> Outcome<Vec<String>> {
    let root = workspace.path("datasets");
    let is_data = |it: &std::path::Path| {
        let ending = it.extension().and_then(|it| it.to_str());
        let is_output = it.components().any(|it| it.as_os_str() == "tables");
        !is_output && matches!(ending, Some("parquet" | "arrow" | "csv"))
    };
    let below =
        |it: std::path::PathBuf| it.strip_prefix(&root).unwrap_or(&it).to_string_lossy().replace('\\', "/");
    Ok(files(&root, &is_data)?.into_iter().map(below).collect())
}

fn measure(workspace: &Workspace, entry: Entry) -> Outcome<Entry> {
    let described = driver::describe(workspace, &format!("datasets/{}", entry.path))?;
    let number = |key: &str| {
        described[key]
            .as_i64()
            .ok_or_else(|| Stop::failed(format!("`parallax describe` gives no `{key}` for {}", entry.path)))
    };
    let sha256 = described["sha256"].as_str().unwrap_or_default().to_owned();
    Ok(Entry { sha256, rows: number("rows")?, columns: number("columns")?, ..entry })
}

fn parse(text: &str) -> Outcome<Vec<Entry>> {
    let parsed: toml::Table = text.parse().map_err(|it| Stop::failed(format!("{LIST}: {it}")))?;
    let entries = parsed.get("file").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |it: &toml::Value, key: &str| {
        it.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
    };
    let number = |it: &toml::Value, key: &str| it.get(key).and_then(toml::Value::as_integer).unwrap_or(-1);
    let entry = |it: &toml::Value| Entry {
        path: text(it, "path"),
        sha256: text(it, "sha256"),
        rows: number(it, "rows"),
        columns: number(it, "columns"),
        licence: text(it, "licence"),
        kind: text(it, "kind"),
    };
    Ok(entries.iter().map(entry).collect())
}

fn render(entries: &[Entry]) -> String {
    let mut text = HEAD.to_owned();
    for Entry { path, sha256, rows, columns, licence, kind } in entries {
        let _ = write!(
            text,
            "\n[[file]]\npath = {path:?}\nsha256 = {sha256:?}\nrows = {rows}\ncolumns = {columns}\n\
             licence = {licence:?}\nkind = {kind:?}\n"
        );
    }
    text
}

/// What people still have to write.
fn incomplete(entries: &[Entry]) -> Vec<String> {
    let lacks = |it: &Entry| it.licence.is_empty() || !KINDS.contains(&it.kind.as_str());
    let say =
        |it: &Entry| format!("{LIST}: {} needs a licence, and kind = \"real\" or \"simulated\"", it.path);
    entries.iter().filter(|it| lacks(it)).map(say).collect()
}

fn differences(listed: &[Entry], actual: &[Entry]) -> Vec<String> {
    let mut all = Vec::new();
    for it in actual {
        match listed.iter().find(|other| other.path == it.path) {
            None => all.push(format!("datasets/{} is not in {LIST}", it.path)),
            Some(other) if other != it => all.push(format!(
                "{LIST}: {} is listed with {} rows, {} columns, sha256 {}; it has {}, {}, {}",
                it.path, other.rows, other.columns, other.sha256, it.rows, it.columns, it.sha256
            )),
            Some(_) => {}
        }
    }
    let gone = listed.iter().filter(|it| !actual.iter().any(|other| other.path == it.path));
    all.extend(gone.map(|it| format!("{LIST}: datasets/{} is not there", it.path)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, rows: i64) -> Entry {
        Entry {
            path: path.to_owned(),
            sha256: "00ff".to_owned(),
            rows,
            columns: 2,
            licence: "NCSA".to_owned(),
            kind: "real".to_owned(),
        }
    }

    #[test]
    fn the_list_reads_back_as_written() {
        let entries = [entry("a/x.parquet", 3), entry("b/y.csv", 4)];
        assert_eq!(parse(&render(&entries)).unwrap(), entries);
    }

    #[test]
    fn changed_new_and_missing_files_are_named() {
        let listed = [entry("a", 1), entry("b", 2), entry("gone", 3)];
        let actual = [entry("a", 1), entry("b", 20), entry("new", 4)];
        let said = differences(&listed, &actual);
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].contains("b is listed with 2 rows"));
        assert!(said[1].contains("datasets/new is not in"));
        assert!(said[2].contains("datasets/gone is not there"));
        assert!(incomplete(&actual).is_empty());
        let unclear = Entry { kind: "guess".to_owned(), ..entry("a", 1) };
        assert_eq!(incomplete(&[unclear]).len(), 1);
    }
}

//! Plugins and their pages: one page a plugin, with the fixed headings, named in the plugin's file.

use crate::workspace::Kind;

const ESTIMATOR: [&str; 6] =
    ["What it estimates", "Assumptions", "When not to use it", "Options", "Example", "References"];
const OTHER: [&str; 4] = ["What it does", "Options", "Example", "References"];

/// What is wrong; `sources` and `pages` are paths from the root with their text.
pub fn problems(sources: &[(String, String)], pages: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut named: Vec<String> = Vec::new();
    for (path, text) in sources {
        for (kind, macro_name) in [
            (Kind::Estimator, "parallax_model::estimator!("),
            (Kind::Step, "parallax_model::step!("),
            (Kind::Index, "parallax_model::index_method!("),
        ] {
            // An estimator may lie beside the step that shares its arithmetic.
            let of_plugins = Kind::ALL.iter().any(|it| path.starts_with(it.folder()));
            if !of_plugins || !text.lines().any(|it| it.starts_with(macro_name)) {
                continue;
            }
            let Some(page) = page_of(path, text) else {
                found.push(format!("{path}: no `docs: include_str!(\"../docs/NAME.md\")`"));
                continue;
            };
            match pages.iter().find(|it| it.0 == page) {
                Some((_, text)) => found.extend(headings(kind, &page, text)),
                None => found.push(format!("{page} is not there")),
            }
            named.push(page);
        }
    }
    let is_page =
        |it: &str| it.contains("/docs/") && Kind::ALL.iter().any(|kind| it.starts_with(kind.folder()));
    let orphans = pages.iter().filter(|it| is_page(&it.0) && !named.contains(&it.0));
    found.extend(orphans.map(|it| format!("{}: no plugin includes it", it.0)));
    found
}

/// The page that the plugin in this file hands to the registry.
fn page_of(path: &str, text: &str) -> Option<String> {
    let (_, rest) = text.split_once("docs: include_str!(\"../docs/")?;
    let (name, _) = rest.split_once('"')?;
    let (folder, _) = path.split_once("/src/")?;
    Some(format!("{folder}/docs/{name}"))
}

fn headings(kind: Kind, path: &str, text: &str) -> Vec<String> {
    let wanted: &[&str] = if kind == Kind::Estimator { &ESTIMATOR } else { &OTHER };
    let there: Vec<&str> = text.lines().filter_map(|it| it.strip_prefix("## ")).collect();
    let name = path.rsplit_once('/').map_or(path, |it| it.1).trim_end_matches(".md");
    let mut found = Vec::new();
    if there != wanted {
        found.push(format!("{path}: headings are {there:?}, must be {wanted:?}"));
    }
    if text.lines().next() != Some(format!("# {name}").as_str()) {
        found.push(format!("{path}: the first line must be `# {name}`"));
    }
    let example = text.split_once("## Example").map_or("", |it| it.1);
    let uses = match kind {
        Kind::Estimator => format!("parallax fit {name} "),
        Kind::Step => format!("step = \"{name}\""),
        Kind::Index => format!("index = \"{name}\""),
    };
    if !example.contains(&uses) {
        found.push(format!("{path}: the example does not say `{}`", uses.trim_end()));
    }
    found
}

#[test]
fn missing_pages_headings_and_orphans_are_found() {
    let text = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let register = "parallax_model::step!(Lag);\ndocs: include_str!(\"../docs/lag.md\"),";
    let sources = [
        text("crates/steps/time/src/lag.rs", register),
        text("crates/steps/time/src/lead.rs", &register.replace("lag.md", "lead.md")),
        text("crates/steps/time/src/bare.rs", "parallax_model::step!(Bare);"),
        text("xtask/src/template.rs", register),
    ];
    let good = "# lag\n\n## What it does\n\n## Options\n\n## Example\n\nstep = \"lag\"\n\n## References\n";
    let pages = [text("crates/steps/time/docs/lag.md", good), text("crates/steps/time/docs/old.md", good)];
    assert_eq!(
        problems(&sources, &pages),
        [
            "crates/steps/time/docs/lead.md is not there",
            "crates/steps/time/src/bare.rs: no `docs: include_str!(\"../docs/NAME.md\")`",
            "crates/steps/time/docs/old.md: no plugin includes it",
        ]
    );
    let pages =
        [text("crates/steps/time/docs/lag.md", &good.replace("## Options\n", "").replace("# lag", "# lags"))];
    assert_eq!(problems(&sources[..1], &pages).len(), 2);
}

//! `cargo xtask new`: the files of a plugin that compiles, is registered, and says that it is not written yet.

use crate::{
    codegen,
    process::{cargo, works},
    stop::{Outcome, Stop},
    workspace::{Kind, Workspace, write},
};

const USAGE: &str = "new estimator|step|index NAME [--family FAMILY]";
const KEYWORDS: [&str; 12] =
    ["as", "box", "do", "for", "if", "in", "loop", "match", "mod", "move", "try", "use"];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Request<'a> {
    kind: Kind,
    name: &'a str,
    /// An existing crate to put it in; without one it gets a crate of its own.
    family: Option<&'a str>,
}

pub fn run(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let request = parse(&words)?;
    let files = plan(workspace, request)?;
    for (path, text) in &files {
        write(&workspace.path(path), text)?;
    }
    codegen::link_plugins(workspace)?;
    format(workspace, request)?;
    println!("made and registered:");
    files.iter().for_each(|(path, _)| println!("  {path}"));
    println!("{}", next_steps(request));
    Ok(())
}

/// Where lines break depends on how long the name is. Without rustfmt the files only look different.
fn format(workspace: &Workspace, request: Request<'_>) -> Outcome {
    let folder = format!("{}/{}", request.kind.folder(), request.family.unwrap_or(request.name));
    let plugins = workspace.plugin_crates()?;
    if let Some(it) = plugins.iter().find(|it| it.folder == folder) {
        works(cargo(&workspace.root).args(["fmt", "--package", &it.package]));
    }
    Ok(())
}

fn parse<'a>(words: &[&'a str]) -> Outcome<Request<'a>> {
    let (kind, name, family) = match words {
        [kind, name] => (*kind, *name, None),
        [kind, name, "--family", family] | ["--family", family, kind, name] => (*kind, *name, Some(*family)),
        _ => return Err(Stop::usage(USAGE)),
    };
    let kind = Kind::ALL.into_iter().find(|it| it.name() == kind).ok_or_else(|| Stop::usage(USAGE))?;
    for it in [Some(name), family].into_iter().flatten() {
        if !is_kebab(it) {
            return Err(Stop::usage(format!(
                "`{it}` must be in kebab-case: small letters and digits, `-` between words"
            )));
        }
    }
    if KEYWORDS.contains(&name) {
        return Err(Stop::usage(format!("`{name}` is a word of Rust; choose another name")));
    }
    Ok(Request { kind, name, family })
}

fn is_kebab(name: &str) -> bool {
    let word =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
    name.starts_with(|it: char| it.is_ascii_lowercase()) && name.split('-').all(word)
}

/// Paths from the root with what is to be written there.
fn plan(workspace: &Workspace, request: Request<'_>) -> Outcome<Vec<(String, String)>> {
    let Request { kind, name, family } = request;
    let folder = format!("{}/{}", kind.folder(), family.unwrap_or(name));
    let module = name.replace('-', "_");
    let page = format!("{folder}/docs/{name}.md");
    let (source, page_text) = templates(kind);
    let there = workspace.path(&folder).join("Cargo.toml").is_file();
    let mut files = match family {
        Some(family) if !there => {
            return Err(Stop::failed(format!(
                "no family `{family}`: {folder} is not there; leave --family out for a crate of its own"
            )));
        }
        Some(_) => {
            let lib = format!("{folder}/src/lib.rs");
            let with_module = declare_module(&workspace.read(&lib)?, &module);
            vec![(format!("{folder}/src/{module}.rs"), fill(source, request)), (lib, with_module)]
        }
        None => vec![
            (
                format!("{folder}/Cargo.toml"),
                fill(include_str!("../templates/plugin.Cargo.toml.txt"), request),
            ),
            (format!("{folder}/src/lib.rs"), fill(source, request)),
        ],
    };
    let first = files.first().map_or(page.as_str(), |it| it.0.as_str());
    if let Some(there) = [first, &page].into_iter().find(|it| workspace.path(it).exists()) {
        return Err(Stop::failed(format!("{there} is there already")));
    }
    files.push((page, fill(page_text, request)));
    Ok(files)
}

/// Source and page.
fn templates(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Estimator => {
            (include_str!("../templates/estimator.rs.txt"), include_str!("../templates/estimator.md.txt"))
        }
        Kind::Step => (include_str!("../templates/step.rs.txt"), include_str!("../templates/step.md.txt")),
        Kind::Index => (include_str!("../templates/index.rs.txt"), include_str!("../templates/index.md.txt")),
    }
}

fn fill(template: &str, request: Request<'_>) -> String {
    template
        .replace("{{name}}", request.name)
        .replace("{{Type}}", &type_name(request.name))
        .replace("{{kind}}", request.kind.name())
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
}

/// `sun-abraham` becomes `SunAbraham`.
fn type_name(name: &str) -> String {
    let upper = |it: &str| {
        let mut letters = it.chars();
        letters.next().map(|it| it.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(upper).collect()
}

/// Puts `pub mod` among those that are there, in order; after the opening comment where there are none.
fn declare_module(lib: &str, module: &str) -> String {
    let new = format!("pub mod {module};");
    let lines: Vec<&str> = lib.lines().collect();
    let is_module = |it: &&str| it.starts_with("pub mod ");
    let at = match lines.iter().position(|it| is_module(it) && new.as_str() < *it) {
        Some(it) => it,
        None => match lines.iter().rposition(is_module) {
            Some(last) => last + 1,
            None => lines.iter().take_while(|it| it.starts_with("//!") || it.is_empty()).count(),
        },
    };
    let (before, after) = lines.split_at(at);
    before
        .iter()
        .copied()
        .chain([new.as_str()])
        .chain(after.iter().copied())
        .map(|it| format!("{it}\n"))
        .collect()
}

fn next_steps(request: Request<'_>) -> String {
    let Request { kind, name, .. } = request;
    let (write, prove) = match kind {
        Kind::Estimator => (
            "write `fit`, then summary, capabilities and the page: a capability that is not declared is refused before `fit`",
            "add its cases to crates/oracle: no estimator without another program's answer",
        ),
        Kind::Step => {
            ("write `apply`, then summary and the page", "add tests beside the code, with worked numbers")
        }
        Kind::Index => {
            ("write `build`, then summary and the page", "add tests beside the code, with worked numbers")
        }
    };
    format!(
        "next:\n  1. {write}\n  2. cargo xtask codegen      support table, schema\n  3. {prove}\n  \
         4. cargo xtask test         the laws hold for `{name}` without a line written for it; review its snapshots\n  \
         5. CHANGELOG.md, under Added\nCONTRIBUTING.md says more."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_checked() {
        let request = parse(&["estimator", "sun-abraham", "--family", "staggered"]).unwrap();
        assert_eq!((request.kind, request.family), (Kind::Estimator, Some("staggered")));
        assert_eq!(type_name(request.name), "SunAbraham");
        for wrong in [
            &["estimator"][..],
            &["model", "x"],
            &["step", "Lag"],
            &["step", "lag-"],
            &["step", "lag_one"],
            &["step", "2sls"],
            &["step", "match"],
            &["index", "x", "--into", "y"],
        ] {
            assert_eq!(parse(wrong).unwrap_err().code, 2, "{wrong:?}");
        }
    }

    #[test]
    fn modules_are_declared_in_order() {
        let lib = "//! Family.\n\npub mod alpha;\npub mod gamma;\nmod private;\n";
        let with = |module| declare_module(lib, module);
        assert_eq!(with("beta"), lib.replace("pub mod gamma", "pub mod beta;\npub mod gamma"));
        assert_eq!(with("zeta"), lib.replace("mod private", "pub mod zeta;\nmod private"));
        assert_eq!(declare_module("//! Family.\n\nuse x;\n", "a"), "//! Family.\n\npub mod a;\nuse x;\n");
    }

    #[test]
    fn templates_are_filled_whole_and_have_the_fixed_headings() {
        let workspace = Workspace::find().unwrap();
        for kind in Kind::ALL {
            let request = Request { kind, name: "never-there", family: None };
            let files = plan(&workspace, request).unwrap();
            assert_eq!(files.len(), 3);
            assert!(files.iter().all(|it| !it.1.contains("{{")), "{files:?}");
            let (sources, pages): (Vec<_>, Vec<_>) = files.into_iter().partition(|it| !it.0.ends_with(".md"));
            assert!(crate::tidy::docs::problems(&sources, &pages).is_empty());
        }
    }

    #[test]
    fn nothing_is_overwritten_and_families_must_be_there() {
        let workspace = Workspace::find().unwrap();
        let plan = |name, family| plan(&workspace, Request { kind: Kind::Estimator, name, family });
        assert!(plan("linear", None).unwrap_err().message.ends_with("is there already"));
        assert!(plan("pooled-ols", Some("linear")).unwrap_err().message.ends_with("is there already"));
        assert!(plan("x", Some("linaer")).unwrap_err().message.starts_with("no family `linaer`"));
        assert_eq!(plan("x", Some("linear")).unwrap().len(), 3);
    }

    /// A field that capabilities got and the template lacks would stop every new estimator from compiling.
    #[test]
    fn the_template_declares_every_capability() {
        let meta = Workspace::find().unwrap().read("crates/model/src/meta.rs").unwrap();
        let (_, after) = meta.split_once("pub struct Capabilities {").unwrap();
        let (fields, _) = after.split_once("\n}").unwrap();
        let names = fields.lines().filter_map(|it| it.trim().strip_prefix("pub ")?.split(':').next());
        let template = include_str!("../templates/estimator.rs.txt");
        let lacking: Vec<&str> = names.filter(|it| !template.contains(&format!("{it}: "))).collect();
        assert!(lacking.is_empty(), "{lacking:?}");
    }
}

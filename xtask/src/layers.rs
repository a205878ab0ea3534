//! Test: a crate depends only on layers below its own. Dev-dependencies count.

use crate::{
    metadata::{Layer, Member, members},
    workspace::{Kind, Workspace},
};

/// Packages that one crate alone may name, so that they can be replaced in one place.
const ONLY_BY: [(&str, &str); 4] = [
    ("faer", "parallax-linalg"),
    ("arrow", "parallax-ingest"),
    ("parquet", "parallax-ingest"),
    ("inventory", "parallax-model"),
];
/// Plugins are given data and give back data; these crates stand before and after them.
const NOT_FOR_PLUGINS: [&str; 3] = ["parallax-ingest", "parallax-study", "parallax-report"];

/// Every rule that an edge breaks, in words.
fn violations(members: &[Member]) -> Vec<String> {
    let mut broken = Vec::new();
    for from in members {
        for edge in &from.dependencies {
            let name = &edge.package;
            let say = |rule: &str| {
                let kind = if edge.dev { "dev-depends" } else { "depends" };
                format!("{} {kind} on {name}: {rule}", from.package)
            };
            if let Some((_, only)) = ONLY_BY.iter().find(|it| it.0 == name && it.1 != from.package) {
                broken.push(say(&format!("only {only} may name it")));
            }
            if is_plugin(from) && NOT_FOR_PLUGINS.contains(&name.as_str()) {
                broken.push(say("plugins do not know where data come from or go to"));
            }
            if let Some(to) = members.iter().find(|it| it.package == *name)
                && let Some(rule) = refuse(from.layer, to.layer)
            {
                broken.push(say(&rule));
            }
        }
    }
    broken
}

fn refuse(from: Layer, to: Layer) -> Option<String> {
    match (from, to) {
        (Layer::Dev, _) => None,
        (_, Layer::Dev) => Some("tools are for tools; its test belongs into snapshots or oracle".to_owned()),
        (Layer::Number(from), Layer::Number(to)) if to < from => None,
        (Layer::Number(from), Layer::Number(to)) => Some(format!("layer {to} is not below layer {from}")),
    }
}

fn is_plugin(member: &Member) -> bool {
    Kind::ALL.iter().any(|it| member.folder.starts_with(it.folder()))
}

#[test]
fn crates_depend_on_lower_layers_only() {
    let workspace = Workspace::find().unwrap();
    let broken = violations(&members(&workspace).unwrap());
    assert!(broken.is_empty(), "see ARCHITECTURE.md, Layers:\n{}", broken.join("\n"));
}

#[test]
fn plugins_are_in_layer_4_and_every_crate_says_what_it_is() {
    let workspace = Workspace::find().unwrap();
    for it in members(&workspace).unwrap() {
        let description = it.description.trim();
        assert!(10 <= description.len(), "{}: `description` of its Cargo.toml says nothing", it.package);
        assert!(!is_plugin(&it) || it.layer == Layer::Number(4), "{} is a plugin, so in layer 4", it.package);
    }
}

#[test]
fn each_rule_is_broken_by_the_edge_it_forbids() {
    use crate::metadata::Dependency;
    let member = |package: &str, folder: &str, layer, dependencies: &[(&str, bool)]| Member {
        package: package.to_owned(),
        folder: folder.to_owned(),
        description: String::new(),
        layer,
        has_bench: false,
        dependencies: dependencies
            .iter()
            .map(|it| Dependency { package: it.0.to_owned(), dev: it.1 })
            .collect(),
    };
    let members = [
        member("parallax-model", "crates/model", Layer::Number(3), &[("inventory", false), ("oracle", true)]),
        member(
            "parallax-did",
            "crates/estimators/did",
            Layer::Number(4),
            &[
                ("parallax-model", false),
                ("parallax-ingest", true),
                ("parallax-lag", false),
                ("serde", false),
            ],
        ),
        member("parallax-lag", "crates/steps/lag", Layer::Number(4), &[("faer", false)]),
        member("parallax-ingest", "crates/ingest", Layer::Number(2), &[("parallax-model", true)]),
        member("oracle", "crates/oracle", Layer::Dev, &[("parallax-did", false)]),
    ];
    let broken = violations(&members);
    let starts = [
        "parallax-model dev-depends on oracle: tools are for tools",
        "parallax-did dev-depends on parallax-ingest: plugins do not know",
        "parallax-did depends on parallax-lag: layer 4 is not below layer 4",
        "parallax-lag depends on faer: only parallax-linalg",
        "parallax-ingest dev-depends on parallax-model: layer 3 is not below layer 2",
    ];
    assert_eq!(broken.len(), starts.len(), "{broken:#?}");
    for (broken, start) in broken.iter().zip(starts) {
        assert!(broken.starts_with(start), "{broken}");
    }
}

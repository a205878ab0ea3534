//! The members of the workspace as cargo sees them.

use serde_json::Value;

use crate::{
    process::{capture, cargo},
    stop::{Outcome, Stop},
    workspace::Workspace,
};

/// A member crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub package: String,
    /// From the root, with `/`.
    pub folder: String,
    pub description: String,
    pub layer: Layer,
    pub has_bench: bool,
    pub dependencies: Vec<Dependency>,
}

/// Who may depend on whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    Number(u8),
    /// Tests and tools: above everything, and below nothing.
    Dev,
}

/// An edge out of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    pub package: String,
    /// A dependency of tests, benches and examples only.
    pub dev: bool,
}

/// All members, by package name.
pub fn members(workspace: &Workspace) -> Outcome<Vec<Member>> {
    let text = capture(cargo(&workspace.root).args(["metadata", "--no-deps", "--format-version", "1"]))?;
    parse(&text)
}

fn parse(text: &str) -> Outcome<Vec<Member>> {
    let bad = |what: &str| Stop::failed(format!("cargo metadata: {what}"));
    let metadata: Value = serde_json::from_str(text).map_err(|it| bad(&it.to_string()))?;
    let root = metadata["workspace_root"].as_str().ok_or_else(|| bad("no workspace_root"))?;
    let packages = metadata["packages"].as_array().ok_or_else(|| bad("no packages"))?;
    let mut members = packages.iter().map(|it| member(it, root)).collect::<Outcome<Vec<_>>>()?;
    members.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(members)
}

fn member(package: &Value, root: &str) -> Outcome<Member> {
    let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let name = text("name");
    let manifest = text("manifest_path").replace('\\', "/");
    let folder = manifest.trim_start_matches(&root.replace('\\', "/")).trim_end_matches("Cargo.toml");
    let targets = package["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let edges = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(Member {
        layer: layer(&package["metadata"]["parallax"]["layer"], &name)?,
        package: name,
        folder: folder.trim_matches('/').to_owned(),
        description: text("description"),
        has_bench: targets.iter().any(|it| it["kind"][0] == "bench"),
        dependencies: edges
            .iter()
            .map(|it| Dependency {
                package: it["name"].as_str().unwrap_or_default().to_owned(),
                dev: it["kind"] == "dev",
            })
            .collect(),
    })
}

fn layer(value: &Value, package: &str) -> Outcome<Layer> {
    let number = value.as_u64().and_then(|it| u8::try_from(it).ok()).map(Layer::Number);
    let dev = (value == "dev").then_some(Layer::Dev);
    number.or(dev).ok_or_else(|| {
        Stop::failed(format!(
            "{package}: write `layer = N` or `layer = \"dev\"` under [package.metadata.parallax] in its Cargo.toml"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_and_a_crate_without_a_layer_is_refused() {
        let text = r#"{"workspace_root": "/r", "packages": [
            {"name": "b", "manifest_path": "/r/crates/b/Cargo.toml", "description": "B", "targets": [{"kind": ["bench"]}],
             "metadata": {"parallax": {"layer": 3}},
             "dependencies": [{"name": "a", "kind": null}, {"name": "t", "kind": "dev"}]},
            {"name": "a", "manifest_path": "/r/a/Cargo.toml", "description": "A", "targets": [],
             "metadata": {"parallax": {"layer": "dev"}}, "dependencies": []}]}"#;
        let [a, b] = <[Member; 2]>::try_from(parse(text).unwrap()).unwrap();
        assert_eq!((a.layer, b.layer, b.has_bench), (Layer::Dev, Layer::Number(3), true));
        assert_eq!((a.folder.as_str(), b.folder.as_str()), ("a", "crates/b"));
        assert_eq!(b.dependencies.iter().map(|it| it.dev).collect::<Vec<_>>(), [false, true]);
        assert!(Layer::Number(200) < Layer::Dev);
        let without = text.replace("\"layer\": 3", "\"layer\": null");
        assert!(parse(&without).unwrap_err().message.starts_with("b: write `layer = N`"));
    }
}

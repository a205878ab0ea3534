//! `cargo xtask codegen`: files that follow from the folders, the crates' manifests and the registry.
//!
//! | made | from |
//! |---|---|
//! | `crates/plugins/{Cargo.toml,src/lib.rs}`, plugin entries of the root `Cargo.toml` | the folders of plugin crates |
//! | the layer table of `ARCHITECTURE.md` | `cargo metadata` |
//! | `crates/plugins/PLUGINS.md` | `parallax registry` |
//! | `crates/study/study.schema.json` | `parallax schema` |

mod folders;
mod layer_table;
mod splice;
mod support_table;

use crate::{
    driver, metadata,
    stop::{Outcome, Stop},
    workspace::{Workspace, write},
};

/// A file as it should be.
struct Generated {
    /// From the root.
    path: &'static str,
    text: String,
}

/// Writes what is stale; with `check`, names it and stops.
pub fn run(workspace: &Workspace, check: bool) -> Outcome {
    let from_folders = from_folders(workspace)?;
    let mut stale = stale(workspace, &from_folders);
    if !check {
        // The program can only be built, and asked, when the plugins crate is right.
        save(workspace, &stale)?;
    }
    driver::build(workspace)?;
    let from_program = from_program(workspace)?;
    let more = self::stale(workspace, &from_program);
    if !check {
        save(workspace, &more)?;
    }
    stale.extend(more);
    let names: Vec<&str> = stale.iter().map(|it| it.path).collect();
    match (check, names.is_empty()) {
        (true, false) => {
            Err(Stop::failed(format!("stale, run `cargo xtask codegen` and commit: {}", names.join(", "))))
        }
        (_, true) => {
            println!("generated files are up to date");
            Ok(())
        }
        (false, false) => {
            println!("written: {}", names.join(", "));
            Ok(())
        }
    }
}

/// What new plugins need before the program can be built.
pub fn link_plugins(workspace: &Workspace) -> Outcome {
    let plugins = workspace.plugin_crates()?;
    let all = folders::generate(workspace, &plugins)?;
    save(workspace, &stale(workspace, &all))
}

fn from_folders(workspace: &Workspace) -> Outcome<Vec<Generated>> {
    let plugins = workspace.plugin_crates()?;
    let mut all = folders::generate(workspace, &plugins)?;
    all.push(layer_table::generate(workspace, &metadata::members(workspace)?)?);
    Ok(all)
}

fn from_program(workspace: &Workspace) -> Outcome<Vec<Generated>> {
    let support = support_table::render(&driver::registry(workspace)?)?;
    Ok(vec![
        Generated { path: "crates/plugins/PLUGINS.md", text: support },
        Generated { path: "crates/study/study.schema.json", text: driver::schema(workspace)? },
    ])
}

fn stale<'a>(workspace: &Workspace, all: &'a [Generated]) -> Vec<&'a Generated> {
    let differs = |it: &&Generated| workspace.read(it.path).ok().as_ref() != Some(&it.text);
    all.iter().filter(differs).collect()
}

fn save(workspace: &Workspace, files: &[&Generated]) -> Outcome {
    files.iter().try_for_each(|it| write(&workspace.path(it.path), &it.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_crate_and_layer_table_follow_the_folders() {
        let workspace = Workspace::find().unwrap();
        let all = from_folders(&workspace).unwrap();
        let names: Vec<&str> = stale(&workspace, &all).iter().map(|it| it.path).collect();
        assert!(names.is_empty(), "stale, run `cargo xtask codegen`: {names:?}");
    }
}

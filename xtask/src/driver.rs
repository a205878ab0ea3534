//! The program `parallax`, built in the profile of the tests, so that a fresh clone compiles once.

use std::process::Command;

use serde_json::Value;

use crate::{
    process::{capture, cargo, run},
    stop::{Outcome, Stop},
    workspace::Workspace,
};

const TARGET: [&str; 4] = ["--package", "parallax-driver", "--bin", "parallax"];

/// Builds the program, with cargo's progress on the terminal.
pub fn build(workspace: &Workspace) -> Outcome {
    run(cargo(&workspace.root).arg("build").args(TARGET))
}

/// The program, to be given arguments.
pub fn parallax(workspace: &Workspace) -> Command {
    let mut command = cargo(&workspace.root);
    command.args(["run", "--quiet"]).args(TARGET).arg("--");
    command
}

/// Every plugin the program has linked in.
pub fn registry(workspace: &Workspace) -> Outcome<Vec<Value>> {
    let text = capture(parallax(workspace).arg("registry"))?;
    serde_json::from_str(&text).map_err(|it| Stop::failed(format!("`parallax registry`: {it}")))
}

/// The JSON schema of study files.
pub fn schema(workspace: &Workspace) -> Outcome<String> {
    capture(parallax(workspace).arg("schema"))
}

/// What `parallax describe` says of one data file: hash, rows, columns.
pub fn describe(workspace: &Workspace, file: &str) -> Outcome<Value> {
    let text = capture(parallax(workspace).args(["describe", file, "--format", "json"]))?;
    let parsed: Value = serde_json::from_str(&text)
        .map_err(|it| Stop::failed(format!("`parallax describe {file}`: {it}")))?;
    Ok(parsed["files"][0].clone())
}

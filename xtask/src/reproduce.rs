//! `cargo xtask reproduce`: the program over the studies of the repository.

use std::{env, path::Path};

use crate::{
    driver,
    process::run as run_process,
    stop::{Outcome, Stop},
    workspace::Workspace,
};

/// Flags of `parallax reproduce` that are followed by a value; `true` if the value is a path.
const WITH_VALUE: [(&str, bool); 4] =
    [("--data", true), ("--out", true), ("--source", false), ("--threads", false)];

/// Builds the program and runs it in the root folder, where it finds `datasets/`. Its exit code is ours.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let here = env::current_dir().map_err(|it| Stop::failed(format!("no current folder: {it}")))?;
    let arguments = from_root(arguments, &here, &workspace.root);
    driver::build(workspace)?;
    let ended = run_process(driver::parallax(workspace).arg("reproduce").args(arguments));
    // The program has said on standard error what was wrong.
    ended.map_err(|it| Stop { message: String::new(), ..it })
}

/// The arguments with relative paths made absolute, unless we are in the root folder already.
fn from_root(arguments: &[String], here: &Path, root: &Path) -> Vec<String> {
    if here == root {
        return arguments.to_vec();
    }
    let absolute = |it: &str| here.join(it).to_string_lossy().into_owned();
    let mut value_is_path = None;
    let mut out = Vec::new();
    for argument in arguments {
        let flag = WITH_VALUE.iter().find(|it| it.0 == argument);
        let joined = argument.split_once('=').filter(|it| WITH_VALUE.contains(&(it.0, true)));
        out.push(match (value_is_path.take(), joined) {
            (Some(true), _) => absolute(argument),
            (Some(false), _) => argument.clone(),
            (None, Some((flag, value))) => format!("{flag}={}", absolute(value)),
            (None, None) if argument.starts_with('-') => argument.clone(),
            (None, None) => absolute(argument),
        });
        value_is_path = flag.map(|it| it.1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_caller_and_nothing_else_changes() {
        let words = |it: &str| it.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let given = words("mine/study.toml --data d --out=o --source s --check --threads 2 --quiet");
        let (root, sub) = (Path::new("/r"), Path::new("/r/sub"));
        assert_eq!(from_root(&given, root, root), given);
        assert_eq!(
            from_root(&given, sub, root),
            words(
                "/r/sub/mine/study.toml --data /r/sub/d --out=/r/sub/o --source s --check --threads 2 --quiet"
            )
        );
    }
}

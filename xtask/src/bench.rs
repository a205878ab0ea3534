//! `cargo xtask bench`: the benchmarks, crate by crate, so that one that fails to build does not hide the others.

use crate::{
    process::{cargo, run as run_process},
    stop::{Outcome, Stop},
    workspace::Workspace,
};

/// `-p CRATE` picks one crate; what follows `--` goes to the benchmarks.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let split = arguments.iter().position(|it| it == "--").unwrap_or(arguments.len());
    let (ours, theirs) = arguments.split_at(split);
    let packages = match ours {
        [] => crate::metadata::members(workspace)?
            .into_iter()
            .filter(|it| it.has_bench)
            .map(|it| it.package)
            .collect(),
        [flag, package] if flag == "-p" || flag == "--package" => vec![package.clone()],
        _ => return Err(Stop::usage("bench [-p CRATE] [-- ARGUMENTS OF CRITERION]")),
    };
    for package in packages {
        run_process(cargo(&workspace.root).args(["bench", "--benches", "--package", &package]).args(theirs))?;
    }
    Ok(())
}

//! Repository commands, run as `cargo xtask COMMAND`.
//!
//! This crate never links the plugins: what it has to know about them it asks the program `parallax`
//! for, as JSON. The tests of this crate check the repository itself: layers and tidiness.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod bench;
mod codegen;
mod datasets;
mod driver;
#[cfg(test)]
mod layers;
mod metadata;
mod process;
mod reproduce;
mod scaffold;
mod stop;
#[cfg(test)]
mod study_schema;
mod test;
#[cfg(test)]
mod tidy;
mod workspace;

use std::process::ExitCode;

use stop::{Outcome, Stop};
use workspace::Workspace;

const HELP: &str = "\
cargo xtask COMMAND

  reproduce [STUDY...] [--check] [--data PATH] [--source NAME] [--out DIR] [--quiet] [--threads N]
            build the program and rebuild the tables of every study under datasets/;
            --check writes nothing and exits with 3 when a table differs
  test      everything a change has to pass, stage by stage
  new estimator NAME [--family FAMILY] | new step NAME [--family FAMILY] | new index NAME [--family FAMILY]
            files of a new plugin, registered and compiling
  codegen [--check]
            plugins crate, support table, JSON schema, layer table
  datasets [--check]
            hashes, rows and columns in datasets/datasets.toml
  bench [-p CRATE] [-- ARGUMENTS OF CRITERION]
            every benchmark, or those of one crate

Exit codes: 0 done, 1 a check failed, 2 wrong usage, 3 a table differs.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            if !stop.message.is_empty() {
                eprintln!("error: {}", stop.message);
            }
            ExitCode::from(stop.code)
        }
    }
}

fn run(arguments: &[String]) -> Outcome {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    if matches!(command, "help" | "--help" | "-h") || rest.iter().any(|it| it == "--help" || it == "-h") {
        println!("{HELP}");
        return Ok(());
    }
    let workspace = Workspace::find()?;
    match command {
        "reproduce" => reproduce::run(&workspace, rest),
        "test" => test::run(&workspace, rest),
        "new" => scaffold::run(&workspace, rest),
        "codegen" => codegen::run(&workspace, only_check(command, rest)?),
        "datasets" => datasets::run(&workspace, only_check(command, rest)?),
        "bench" => bench::run(&workspace, rest),
        _ => Err(Stop::usage(format!("no command `{command}`\n\n{HELP}"))),
    }
}

/// The one flag of commands that write files: with it they only compare.
fn only_check(command: &str, rest: &[String]) -> Outcome<bool> {
    match rest {
        [] => Ok(false),
        [flag] if flag == "--check" => Ok(true),
        _ => Err(Stop::usage(format!("`{command}` takes --check and nothing else"))),
    }
}

//! `cargo xtask test`: everything a change has to pass, stage by stage.
//!
//! Stages run in order and the first that fails ends the run, with the command that repeats it.
//! The last line is always `N passed, M failed`.

mod count;
mod machine;
mod snapshots;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use count::{Count, count};

use crate::{
    codegen, datasets,
    driver::parallax,
    process::{cargo, run as run_process, shown, tee, works},
    stop::{Outcome, Stop},
    workspace::Workspace,
};

/// The variable that names the folder of data and answers that may not be distributed.
const PRIVATE_DATA: &str = "PARALLAX_DATA";
/// Insta appends the path of each snapshot a test names to the file this variable names.
const SNAPSHOT_REFERENCES: &str = "INSTA_SNAPSHOT_REFERENCES_FILE";

/// What has been done so far.
struct Run<'w> {
    workspace: &'w Workspace,
    done: Vec<(&'static str, Duration)>,
    tests: Count,
}

pub fn run(workspace: &Workspace, arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err(Stop::usage("`test` takes no arguments; run one stage by the command it prints"));
    }
    machine::print(workspace);
    let mut run = Run { workspace, done: Vec::new(), tests: Count::default() };
    let ended = run.stages();
    println!("\n== time");
    for (name, time) in &run.done {
        println!("{:>8.1} s  {name}", time.as_secs_f64());
    }
    let Count { passed, failed } = run.tests;
    match ended {
        Ok(()) => {
            println!("{passed} passed, 0 failed");
            Ok(())
        }
        Err(stop) => {
            println!("error: {}", stop.message);
            println!("{passed} passed, {} failed", failed.max(1));
            Err(Stop { code: 1, message: String::new() })
        }
    }
}

impl Run<'_> {
    fn stages(&mut self) -> Outcome {
        let workspace = self.workspace;
        self.command("format", self.cargo(["fmt", "--all", "--check"]))?;
        let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        self.command("clippy", self.cargo(clippy))?;
        self.stage("generated files", "cargo xtask codegen --check", |_| codegen::run(workspace, true))?;
        self.stage("data files", "cargo xtask datasets --check", |_| datasets::run(workspace, true))?;
        self.tests()?;
        let mut reproduce = parallax(workspace);
        reproduce.args(["reproduce", "--check"]);
        self.command("tables", reproduce)?;
        let oracle = ["run", "--quiet", "--package", "parallax-oracle", "--bin", "oracle_summary"];
        self.command("other programs' answers", self.cargo(oracle))?;
        self.private_data()
    }

    fn tests(&mut self) -> Outcome {
        let references = self.workspace.path("target/xtask/snapshot-references.txt");
        prepare(&references)?;
        let nextest = works(self.cargo(["nextest", "--version"]).stdin(std::process::Stdio::null()));
        let words: &[&str] = if nextest { &["nextest", "run"] } else { &["test"] };
        let mut command = cargo(&self.workspace.root);
        command
            .args(words)
            .args(["--workspace", "--no-fail-fast"])
            .env("INSTA_UPDATE", "no")
            .env("CI", "1")
            .env_remove("INSTA_FORCE_PASS")
            .env(SNAPSHOT_REFERENCES, &references);
        let repeat = shown(&command);
        self.stage("tests", &repeat, |run| {
            let (status, output) = tee(&mut command)?;
            run.tests = count(&output);
            match (status.success(), run.tests) {
                (false, _) => Err(Stop::failed("tests failed")),
                (true, Count { passed: 0, .. }) => Err(Stop::failed("no test was counted")),
                (true, _) => Ok(()),
            }
        })?;
        let all_ran = std::env::var_os(PRIVATE_DATA).is_some();
        self.stage("snapshots", &repeat, |run| snapshots::check(run.workspace, &references, all_ran))
    }

    /// Studies with a source outside the repository, on that source.
    fn private_data(&mut self) -> Outcome {
        let Some(folder) = std::env::var_os(PRIVATE_DATA).map(PathBuf::from) else {
            println!("\n== tables from data that may not be distributed: skipped, {PRIVATE_DATA} is not set");
            return Ok(());
        };
        let mut command = parallax(self.workspace);
        command
            .args(["reproduce", "datasets/cbec-resilience", "--check", "--data"])
            .arg(folder.join("data/china"));
        self.command("tables from data that may not be distributed", command)
    }

    fn cargo<const N: usize>(&self, words: [&str; N]) -> Command {
        let mut command = cargo(&self.workspace.root);
        command.args(words);
        command
    }

    fn command(&mut self, name: &'static str, mut command: Command) -> Outcome {
        let repeat = shown(&command);
        self.stage(name, &repeat, |_| run_process(&mut command))
    }

    fn stage(
        &mut self,
        name: &'static str,
        repeat: &str,
        work: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        println!("\n== {name}: {repeat}");
        let started = Instant::now();
        let ended = work(self);
        self.done.push((name, started.elapsed()));
        ended.map_err(|it| Stop::failed(format!("{name}: {}\nrepeat with: {repeat}", it.message)))
    }
}

/// An empty file, in a folder that is there.
fn prepare(file: &Path) -> Outcome {
    crate::workspace::write(file, "")?;
    fs::metadata(file).map(|_| ()).map_err(|it| Stop::file(file, it))
}

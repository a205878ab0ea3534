//! Composes all crates into the program `parallax`.
//!
//! [`main`] is the program as a function over its arguments and two streams, so that tests run it
//! in process. Exit codes: 0 done; 1 the data or the model say no; 2 wrong usage; 3 `--check`
//! found a difference; 4 `--strict` found a printed number that differs, is absent or was not compared.

mod args;
mod columns;
mod commands;
mod error;
mod progress;
mod reach;
mod streams;

mod text_file;
mod visible;

use std::{ffi::OsString, io::Write, process::ExitCode};

use clap::Parser;
use parallax_base::shown_message;

use args::{Arguments, Command};
use streams::{Messages, Output};
use visible::Visible;

pub use error::DriverError;

/// Runs the program. `out` is standard output, `err` standard error.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let (mut out, mut err) = (Visible::new(out), Visible::new(err));
    let (mut out, mut err) = (Output::new(&mut out), Messages(&mut err));
    let ended = match Arguments::try_parse_from(arguments) {
        Ok(it) => with_threads(&it, &mut out, &mut err),
        Err(it) => usage(&it, &mut out, &mut err),
    };
    // What is held back in a buffer is not written yet.
    let ended = ended.and_then(|it| out.flush().map(|()| it).map_err(DriverError::from));
    match ended {
        Ok(it) => ExitCode::from(it.code()),
        Err(it) => {
            // What files and decoders say can be as long as the file.
            let _ = writeln!(err, "error: {}", shown_message(&it.to_string()));
            ExitCode::from(1)
        }
    }
}

/// How a command that worked ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// `--check` found a difference.
    Different,
    /// `--strict` found a printed number that differs, is absent or was not compared.
    Unmatched,
    /// Everything that could be was written; what could not is on standard error.
    Incomplete,
    /// The command line is not understood.
    Usage,
}

impl Outcome {
    fn code(self) -> u8 {
        match self {
            Outcome::Done => 0,
            Outcome::Incomplete => 1,
            Outcome::Usage => 2,
            Outcome::Different => 3,
            Outcome::Unmatched => 4,
        }
    }

    /// Of two ends the one that says more: what is incomplete, then what is not as printed, then what differs.
    fn worse(self, other: Outcome) -> Outcome {
        let order = [Outcome::Usage, Outcome::Incomplete, Outcome::Unmatched, Outcome::Different];
        order.into_iter().find(|it| *it == self || *it == other).unwrap_or(Outcome::Done)
    }
}

fn usage(error: &clap::Error, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome, DriverError> {
    let text = error.render();
    if error.use_stderr() {
        write!(err, "{text}")?;
        Ok(Outcome::Usage)
    } else {
        write!(out, "{text}")?;
        Ok(Outcome::Done)
    }
}

/// Results do not depend on the number of threads; only time does.
fn with_threads(
    arguments: &Arguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome, DriverError> {
    if arguments.verbose {
        let logging =
            tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::DEBUG);
        // A second call in one process (tests) keeps the first subscriber.
        let _ = logging.try_init();
    }
    let Some(threads) = arguments.threads else { return run(arguments, out, err) };
    // The global pool can be set once a process; a second setting (tests) keeps the first, and
    // results are the same.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    run(arguments, out, err)
}

fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome, DriverError> {
    match &arguments.command {
        Command::Reproduce(it) => commands::reproduce::run(it, arguments.quiet, out, err),
        Command::Fit(it) => commands::fit::run(it, out),
        Command::Did(it) => commands::did::run(it, arguments.quiet, out, err),
        Command::ExplainSe(it) => commands::explain_se::run(it, out),
        Command::Describe(it) => commands::describe::run(it, out),
        Command::Convert(it) => commands::convert::run(it, out),
        Command::Simulate(it) => commands::simulate::run(it, out),
        Command::Estimators(it) => commands::registry::list(it, out),
        Command::Explain(it) => commands::registry::explain(it, out),
        Command::Schema => commands::schema::run(out),
        Command::Registry => commands::registry::dump(out),
    }
}

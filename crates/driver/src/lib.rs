//! Composes all crates into the program `parallax`.
//!
//! [`main`] is the program as a function over its arguments and two streams, so that tests run it
//! in process. Exit codes: 0 done; 1 the data or the model say no; 2 wrong usage; 3 `--check`
//! found a difference.

mod args;
mod columns;
mod commands;
mod error;
mod progress;
mod streams;

use std::{ffi::OsString, io::Write, process::ExitCode};

use clap::Parser;
use parallax_base::shown_message;

use args::{Arguments, Command};
pub use error::DriverError;
use streams::Visible;

/// Runs the program. `out` is standard output, `err` standard error.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let (out, err) = (&mut Visible::new(out), &mut Visible::new(err));
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(it) => it,
        Err(it) => return usage(&it, out, err),
    };
    if arguments.verbose {
        let logging =
            tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::DEBUG);
        // A second call in one process (tests) keeps the first subscriber.
        let _ = logging.try_init();
    }
    match with_threads(&arguments, out, err) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Different) => ExitCode::from(3),
        Ok(Outcome::Incomplete) => ExitCode::from(1),
        // A closed pipe (`| head`) is the reader's decision, not a failure.
        Err(DriverError::Output(it)) if it.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(it) => {
            // What files and decoders say can be long, and can hold what a terminal would obey.
            let _ = writeln!(err, "error: {}", shown_message(&it.to_string()));
            ExitCode::from(1)
        }
    }
}

/// How a command that worked ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    Different,
    /// Everything that could be was written; what could not is on standard error.
    Incomplete,
}

fn usage(error: &clap::Error, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let text = error.render();
    if error.use_stderr() {
        let _ = write!(err, "{text}");
        ExitCode::from(2)
    } else {
        let _ = write!(out, "{text}");
        ExitCode::SUCCESS
    }
}

/// Results do not depend on the number of threads; only time does.
fn with_threads(
    arguments: &Arguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome, DriverError> {
    let Some(threads) = arguments.threads else { return run(arguments, out, err) };
    // The global pool can be set once a process; a second setting (tests) keeps the first, and
    // results are the same.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global();
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

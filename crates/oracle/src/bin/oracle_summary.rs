//! Prints the table of all comparisons with other programs, and what is not compared.
#![allow(clippy::print_stdout, reason = "this program exists to print")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let report = match parallax_oracle::compare_all() {
        Ok(it) => it,
        Err(it) => {
            println!("{it}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", parallax_oracle::summary(&report));
    println!("{}", parallax_oracle::left_out(&report));
    report.skipped.iter().for_each(|it| println!("skipped: {it}"));
    report.errors.iter().for_each(|it| println!("error: {it}"));
    let apart = report.disagreements();
    apart.iter().for_each(|it| println!("apart: {it}"));
    if apart.is_empty() && report.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//! The program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    parallax_driver::main(std::env::args_os(), &mut std::io::stdout().lock(), &mut std::io::stderr())
}

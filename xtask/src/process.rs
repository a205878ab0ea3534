//! Other programs: run, captured, or shown while being captured.

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    thread,
};

use crate::stop::{Outcome, Stop};

/// Cargo, at work in `root`.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs to the end; the program's exit code becomes ours.
pub fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|it| cannot_start(command, &it))?;
    if status.success() { Ok(()) } else { Err(stopped(command, status)) }
}

/// What the program writes on standard output.
pub fn capture(command: &mut Command) -> Outcome<String> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|it| cannot_start(command, &it))?;
    if !output.status.success() {
        return Err(stopped(command, output.status));
    }
    String::from_utf8(output.stdout).map_err(|it| Stop::failed(format!("{}: {it}", shown(command))))
}

/// Whether the program is there and runs.
pub fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
}

/// Runs with all output shown as it comes, and returned.
pub fn tee(command: &mut Command) -> Outcome<(ExitStatus, String)> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|it| cannot_start(command, &it))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (out, err) = thread::scope(|scope| {
        let out = scope.spawn(|| out.map(|it| pass_on(it, io::stdout())).unwrap_or_default());
        let err = scope.spawn(|| err.map(|it| pass_on(it, io::stderr())).unwrap_or_default());
        (out.join().unwrap_or_default(), err.join().unwrap_or_default())
    });
    let status = child.wait().map_err(|it| cannot_start(command, &it))?;
    Ok((status, out + &err))
}

/// The command as one would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|it| quoted(&it.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains([' ', '"', '|', '~', '*']) {
        format!("'{word}'")
    } else {
        word.to_owned()
    }
}

fn pass_on(from: impl Read, mut to: impl Write) -> String {
    let mut from = BufReader::new(from);
    let mut all = Vec::new();
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|it| it != 0) {
        // A closed terminal must not stop the program that is being run.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        all.append(&mut line);
    }
    String::from_utf8_lossy(&all).into_owned()
}

fn cannot_start(command: &Command, reason: &io::Error) -> Stop {
    Stop::failed(format!("cannot run `{}`: {reason}", shown(command)))
}

fn stopped(command: &Command, status: ExitStatus) -> Stop {
    let code = status.code().and_then(|it| u8::try_from(it).ok()).unwrap_or(1);
    Stop { code, message: format!("`{}` ended with {status}", shown(command)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_typed_and_their_output_is_returned() {
        let here = env::current_dir().unwrap();
        let mut command = cargo(&here);
        command.args(["--version", "--color", "never"]);
        assert_eq!(shown(&command), "cargo --version --color never");
        assert_eq!(shown(cargo(&here).args(["run", "y ~ x | unit"])), "cargo run 'y ~ x | unit'");
        let (status, output) = tee(&mut command).unwrap();
        assert!(status.success() && output.starts_with("cargo "), "{output}");
        let wrong = run(cargo(&here).args(["--no-such-flag", "--quiet"]).stderr(Stdio::null())).unwrap_err();
        assert_eq!(
            (wrong.code, wrong.message.starts_with("`cargo --no-such-flag --quiet` ended with")),
            (1, true)
        );
        assert!(!works(&mut Command::new("no-such-program-anywhere")));
    }
}

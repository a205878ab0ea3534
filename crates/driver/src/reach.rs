//! Which files a study may read and where it may write: a study file from elsewhere must not open what lies beside it
//! without the user's word.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{DriverError, args::Reproduce};

/// Folders in which a study's files may lie.
pub struct Reach {
    /// Without symbolic links.
    roots: Vec<PathBuf>,
    anywhere: bool,
    /// The command that would do it, for messages.
    command: String,
}

impl Reach {
    /// The study's folder, the folder given with `--data`, and the folder the program was started in if it contains
    /// the study's; with `--allow-outside` everything.
    pub fn of(folder: &Path, study: &Path, arguments: &Reproduce) -> Reach {
        let own = real(folder);
        let here = env::current_dir().ok().map(|it| real(&it)).filter(|it| own.starts_with(it));
        let roots = [Some(own), arguments.data.as_deref().map(real), here].into_iter().flatten().collect();
        Reach { roots, anywhere: arguments.allow_outside, command: command(study, arguments) }
    }

    /// Refuses a path that leads out, through `..`, an absolute path or a link. `what` says whose path it is.
    ///
    /// # Errors
    /// [`DriverError::Request`] with the command that works.
    pub fn check(&self, path: &Path, what: &str) -> Result<(), DriverError> {
        if self.anywhere {
            return Ok(());
        }
        let entries = if path.is_dir() { fs::read_dir(path).ok() } else { None };
        let within = entries.into_iter().flatten().flatten().map(|it| it.path());
        match within.chain([path.to_owned()]).find(|it| !self.holds(it)) {
            None => Ok(()),
            Some(it) => Err(DriverError::Request(format!(
                "{what}: `{}` lies outside of the study's folder. If it is to be read, run `{}`",
                it.display(),
                self.command
            ))),
        }
    }

    /// Refuses a folder of results that a link leads out of the study's folder.
    ///
    /// # Errors
    /// [`DriverError::Request`].
    pub fn check_target(&self, target: &Path) -> Result<(), DriverError> {
        if self.anywhere || self.holds(target) {
            return Ok(());
        }
        Err(DriverError::Request(format!(
            "`{}` leads out of the study's folder through a link, and results would be written there; say where with --out",
            target.display()
        )))
    }

    fn holds(&self, path: &Path) -> bool {
        let path = real(path);
        self.roots.iter().any(|it| path.starts_with(it))
    }
}

/// The path without links, as far as it is there. A `..` below what is not there stays, and lies in no folder.
fn real(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if let Ok(it) = path.canonicalize() {
        return it;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real(parent).join(name),
        _ => path.to_owned(),
    }
}

/// The command line again, with the flag that allows it.
fn command(study: &Path, arguments: &Reproduce) -> String {
    let mut words = vec!["parallax reproduce".to_owned(), quoted(&study.display().to_string())];
    let valued = [
        ("--data", arguments.data.as_ref().map(|it| it.display().to_string())),
        ("--source", arguments.source.clone()),
        ("--out", arguments.out.as_ref().map(|it| it.display().to_string())),
    ];
    words.extend(valued.into_iter().filter_map(|(flag, it)| it.map(|it| format!("{flag} {}", quoted(&it)))));
    let flags = [
        ("--check", arguments.check),
        ("--strict", arguments.strict),
        ("--no-report", arguments.no_report),
        ("--allow-outside", true),
    ];
    words.extend(flags.iter().filter(|it| it.1).map(|it| it.0.to_owned()));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |it: char| it.is_alphanumeric() || "/._-+:,".contains(it);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

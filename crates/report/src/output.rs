//! Files of results: written whole or not at all, and compared with what lies there.

mod lock;
mod manifest;
mod run;

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use manifest::{FileEntry, Manifest, is_below};

pub use manifest::{InputRecord, InputRole, MANIFEST, Provenance, sha256};
pub use run::OutputRun;

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Below the folder of results.
    pub path: PathBuf,
    /// The whole content.
    pub bytes: Vec<u8>,
}

/// What writing did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that were new or had another content.
    pub changed: Vec<PathBuf>,
    /// Files that were left alone, because their content was the same.
    pub unchanged: Vec<PathBuf>,
    /// Files of the run before that this one does not make.
    pub removed: Vec<PathBuf>,
    /// Files that are there, are not of this run, and were left: nobody knows that a run made them.
    pub left: Vec<PathBuf>,
}

/// A file that is not what would be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// There is no such file.
    Missing {
        /// Below the folder of results.
        path: PathBuf,
    },
    /// A text with another content.
    Changed {
        /// Below the folder of results.
        path: PathBuf,
        /// The first line that differs, counted from one.
        line: usize,
        /// The line in the file, unless the file ends before it.
        old: Option<String>,
        /// The line that would be written, unless the text ends before it.
        new: Option<String>,
    },
    /// A file with another content, at least one side of which is no text.
    Binary {
        /// Below the folder of results.
        path: PathBuf,
        /// The first byte that differs, counted from zero.
        offset: usize,
    },
    /// A file that the run does not make.
    Extra {
        /// Below the folder of results.
        path: PathBuf,
    },
    /// No regular file, but a link, a folder or a device. It is not opened: what it leads to is not a result.
    NoFile {
        /// Below the folder of results.
        path: PathBuf,
    },
    /// The run that wrote the results did not finish.
    Unfinished {
        /// The manifest, below the folder of results.
        path: PathBuf,
    },
    /// The manifest does not list the files that are there.
    Unlisted {
        /// The manifest, below the folder of results.
        path: PathBuf,
    },
}

/// Results that cannot be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The path would leave the folder of results.
    #[error("`{}` is not a path below the folder of results", path.display())]
    Path {
        /// As given.
        path: PathBuf,
    },
    /// Two results have the same path, on this system or on one that does not tell upper from lower case.
    #[error("`{}` would be written twice; give tables and figures ids of their own", path.display())]
    Twice {
        /// As given.
        path: PathBuf,
    },
    /// A result would take the place of a file that was read.
    #[error("`{}` was read for these results and would be overwritten by one; write to another folder with --out, or \
             move the data", path.display())]
    Input {
        /// The file.
        path: PathBuf,
    },
    /// A folder lies where a result goes.
    #[error("`{}` is a folder, and a result of that name is to be written; move it away", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// Another run is writing there.
    #[error("another run of parallax is writing to `{}`; wait until it has ended, or choose another folder with --out", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {doing} `{}`: {source}", path.display())]
    Io {
        /// A verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What writing these files would change, in their order; then what else lies in `dir`, and whether the results there
/// are of one finished run.
pub fn check_outputs(dir: &Path, files: &[Output]) -> Result<Vec<Difference>, OutputError> {
    check_paths(files)?;
    if lock::is_busy(dir)? {
        return Err(OutputError::Busy { path: dir.to_owned() });
    }
    let mut differences = Vec::new();
    for file in files {
        let (path, place) = (file.path.clone(), dir.join(&file.path));
        if fs::symlink_metadata(&place).is_ok_and(|it| !it.is_file()) {
            differences.push(Difference::NoFile { path });
            continue;
        }
        match read(&place)? {
            None => differences.push(Difference::Missing { path }),
            Some(old) => differences.extend(difference(path, &old, &file.bytes)),
        }
    }
    let extra = |it: &PathBuf| !files.iter().any(|file| file.path == *it);
    let others = run::others(dir)?;
    differences.extend(others.into_iter().filter(extra).map(|path| Difference::Extra { path }));
    differences.extend(check_manifest(dir, files)?);
    Ok(differences)
}

/// What the results in a folder were made from, if a run that finished wrote them.
///
/// # Errors
/// When the manifest is there and cannot be read.
pub fn provenance_of(dir: &Path) -> Result<Option<Provenance>, OutputError> {
    let bytes = read(&dir.join(MANIFEST))?;
    Ok(bytes.as_deref().and_then(Manifest::parse).filter(|it| it.finished).map(|it| it.run))
}

/// What is wrong with the manifest of a folder whose files should be these.
fn check_manifest(dir: &Path, files: &[Output]) -> Result<Option<Difference>, OutputError> {
    let path = PathBuf::from(MANIFEST);
    let Some(bytes) = read(&dir.join(MANIFEST))? else { return Ok(Some(Difference::Missing { path })) };
    let Some(manifest) = Manifest::parse(&bytes) else { return Ok(Some(Difference::Unlisted { path })) };
    if !manifest.finished {
        return Ok(Some(Difference::Unfinished { path }));
    }
    let made: Vec<FileEntry> = files.iter().map(|it| FileEntry::new(&it.path, &it.bytes)).collect();
    Ok((manifest.files != made).then_some(Difference::Unlisted { path }))
}

/// The sentence about results that no finished run wrote.
fn unfinished(dir: &Path) -> String {
    format!(
        "the results in `{}` are of a run that did not finish: some may be older than others",
        dir.display()
    )
}

impl Output {
    /// A file to be written.
    pub fn new(path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Output {
        Output { path: path.into(), bytes: bytes.into() }
    }
}

impl Difference {
    /// The file, below the folder of results.
    pub fn path(&self) -> &Path {
        match self {
            Difference::Missing { path }
            | Difference::Changed { path, .. }
            | Difference::Binary { path, .. }
            | Difference::Extra { path }
            | Difference::NoFile { path }
            | Difference::Unfinished { path }
            | Difference::Unlisted { path } => path,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Missing { path } => write!(f, "{}: missing", path.display()),
            Difference::Changed { path, line, old, new } => {
                writeln!(f, "{}:{line}: differs", path.display())?;
                writeln!(f, "  - {}", shown(old.as_deref()))?;
                write!(f, "  + {}", shown(new.as_deref()))
            }
            Difference::Binary { path, offset } => {
                write!(f, "{}: differs from byte {offset} on", path.display())
            }
            Difference::Extra { path } => {
                write!(f, "{}: this study does not make it; move it away, or remove it", path.display())
            }
            Difference::NoFile { path } => {
                write!(f, "{}: is a link, a folder or a device, not a file", path.display())
            }
            Difference::Unfinished { path } => {
                write!(f, "{}: the run that wrote these results did not finish", path.display())
            }
            Difference::Unlisted { path } => {
                write!(f, "{}: does not list these files; they are not of one run", path.display())
            }
        }
    }
}

fn check_paths(files: &[Output]) -> Result<(), OutputError> {
    let mut seen = BTreeSet::from([MANIFEST.to_owned()]);
    for Output { path, .. } in files {
        if !is_below(path) {
            return Err(OutputError::Path { path: path.clone() });
        }
        // Components compare equal where the spelling differs, as in `a//b`.
        let name = path.components().collect::<PathBuf>().to_string_lossy().to_lowercase();
        if !seen.insert(name) {
            return Err(OutputError::Twice { path: path.clone() });
        }
    }
    Ok(())
}

/// The content of a file of results; none where there is no file, or something that is not a regular one.
fn read(path: &Path) -> Result<Option<Vec<u8>>, OutputError> {
    let absent = |it: &io::Error| matches!(it.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    match fs::symlink_metadata(path) {
        Ok(it) if !it.is_file() => return Ok(None),
        Ok(_) => {}
        Err(it) if absent(&it) => return Ok(None),
        Err(source) => return Err(failed("read", path)(source)),
    }
    fs::read(path).map(Some).map_err(failed("read", path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OutputError {
    let path = path.to_owned();
    move |source| OutputError::Io { doing, path, source }
}

fn difference(path: PathBuf, old: &[u8], new: &[u8]) -> Option<Difference> {
    if old == new {
        return None;
    }
    let (Ok(old_text), Ok(new_text)) = (std::str::from_utf8(old), std::str::from_utf8(new)) else {
        let equal = old.iter().zip(new).take_while(|(a, b)| a == b);
        return Some(Difference::Binary { path, offset: equal.count() });
    };
    // Splitting at the line feed alone keeps carriage returns and a missing last line feed apart.
    let (mut old, mut new) = (old_text.split('\n'), new_text.split('\n'));
    let mut line = 0;
    loop {
        line += 1;
        match (old.next(), new.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => {
                let (old, new) = (a.map(str::to_owned), b.map(str::to_owned));
                return Some(Difference::Changed { path, line, old, new });
            }
        }
    }
}

/// A line as a reader can tell it from another: control characters spelled out, and not endless.
fn shown(line: Option<&str>) -> String {
    const LONGEST: usize = 200;
    let Some(line) = line else { return "(end of the file)".to_owned() };
    let mut text = String::new();
    for c in line.chars().take(LONGEST) {
        if c.is_control() && c != '\t' {
            text.extend(c.escape_default());
        } else {
            text.push(c);
        }
    }
    if line.chars().nth(LONGEST).is_some() {
        text.push('…');
    }
    text
}

//! Files of results: written whole or not at all, and compared with what lies there.

use std::{
    collections::BTreeSet,
    fmt, fs,
    io::{self, Write},
    path::{Component, Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use thiserror::Error;

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
}

/// Results that cannot be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The path would leave the folder of results.
    #[error("`{}` is no path below the folder of results", path.display())]
    Path {
        /// As given.
        path: PathBuf,
    },
    /// Two results have the same path.
    #[error("`{}` would be written twice", path.display())]
    Twice {
        /// As given.
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

/// Writes all files below `dir`, creating folders.
///
/// Each file is written under another name beside its place and moved there when all of them are
/// complete: a full disk leaves the old results, and no reader ever meets half a file. Files
/// that have their content already keep their time stamp.
pub fn write_outputs(dir: &Path, files: &[Output]) -> Result<Written, OutputError> {
    check_paths(files)?;
    let mut written = Written::default();
    let mut staged = Vec::new();
    for file in files {
        let target = dir.join(&file.path);
        if read(&target)?.is_some_and(|it| it == file.bytes) {
            written.unchanged.push(file.path.clone());
        } else {
            staged.push(Staged::write(target, &file.bytes)?);
            written.changed.push(file.path.clone());
        }
    }
    staged.into_iter().try_for_each(Staged::publish)?;
    Ok(written)
}

/// What writing these files would change, in their order; other files in `dir` do not matter.
pub fn check_outputs(dir: &Path, files: &[Output]) -> Result<Vec<Difference>, OutputError> {
    check_paths(files)?;
    let mut differences = Vec::new();
    for file in files {
        let path = file.path.clone();
        match read(&dir.join(&file.path))? {
            None => differences.push(Difference::Missing { path }),
            Some(old) => differences.extend(difference(path, &old, &file.bytes)),
        }
    }
    Ok(differences)
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
            | Difference::Binary { path, .. } => path,
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
        }
    }
}

/// A complete file under a name of its own, deleted unless it is published.
struct Staged {
    partial: PathBuf,
    target: PathBuf,
    published: bool,
}

impl Staged {
    fn write(target: PathBuf, bytes: &[u8]) -> Result<Staged, OutputError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let folder = target.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(folder).map_err(failed("create the folder", folder))?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let partial = folder.join(format!(".parallax-{}-{count}.partial", std::process::id()));
        let fill = |mut file: fs::File| {
            file.write_all(bytes)?;
            file.sync_all()
        };
        let file = fs::File::create_new(&partial).map_err(failed("create", &partial))?;
        // From here on the file is ours, and goes when we fail.
        let staged = Staged { partial, target, published: false };
        fill(file).map_err(failed("write", &staged.partial))?;
        Ok(staged)
    }

    fn publish(mut self) -> Result<(), OutputError> {
        fs::rename(&self.partial, &self.target).map_err(failed("replace", &self.target))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.published {
            // Nothing can be done about a leftover, and the error that led here is the one to show.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

fn check_paths(files: &[Output]) -> Result<(), OutputError> {
    let mut seen = BTreeSet::new();
    for Output { path, .. } in files {
        let below = path.components().all(|it| matches!(it, Component::Normal(_)));
        if !below || path.as_os_str().is_empty() {
            return Err(OutputError::Path { path: path.clone() });
        }
        // Components compare equal where the spelling differs, as in `a//b`.
        if !seen.insert(path.components().collect::<PathBuf>()) {
            return Err(OutputError::Twice { path: path.clone() });
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, OutputError> {
    match fs::read(path) {
        Ok(it) => Ok(Some(it)),
        Err(it) if it.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed("read", path)(source)),
    }
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

//! One live run a folder: a locked file with a name of its own, and the partial files of runs that are over.
//!
//! A process number says nothing in a container, where every run is number one. The lock of a file goes with the
//! process that holds it, however that ends.

use std::{
    collections::hash_map::RandomState,
    fs::{self, File, TryLockError},
    hash::{BuildHasher, Hasher},
    io,
    path::{Path, PathBuf},
};

use super::{OutputError, failed};

/// What the names of temporary files begin with.
const PREFIX: &str = ".parallax-";
const LOCK: &str = ".lock";
const PARTIAL: &str = ".partial";

/// The right to write into a folder, until it is dropped.
#[derive(Debug)]
pub(super) struct FolderLock {
    dir: PathBuf,
    /// What the names of this run's temporary files begin with.
    stem: String,
    file: Option<File>,
    partials: u64,
    /// Folders that were made for this run, the innermost first.
    created: Vec<PathBuf>,
}

impl FolderLock {
    /// Makes the folder, locks it, and removes what dead runs have left. Says how many files those were.
    pub fn claim(dir: &Path) -> Result<(FolderLock, usize), OutputError> {
        const ATTEMPTS: usize = 8;
        let created = create(dir)?;
        let mut lock =
            FolderLock { dir: dir.to_owned(), stem: String::new(), file: None, partials: 0, created };
        for _ in 0..ATTEMPTS {
            lock.stem = format!("{PREFIX}{:016x}", RandomState::new().build_hasher().finish());
            let path = lock.path();
            let file = File::create_new(&path).map_err(failed("create", &path))?;
            let ours = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            lock.file = Some(file);
            // A run that was sweeping may have met the file before it was locked.
            if ours && path.exists() {
                let swept = sweep(dir, &lock.stem)?;
                return Ok((lock, swept));
            }
        }
        Err(OutputError::Busy { path: dir.to_owned() })
    }

    /// A name for a partial file.
    pub fn partial(&mut self) -> PathBuf {
        self.partials += 1;
        self.dir.join(format!("{}.{}{PARTIAL}", self.stem, self.partials))
    }

    fn path(&self) -> PathBuf {
        self.dir.join(format!("{}{LOCK}", self.stem))
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        let own = temporary(&self.dir).unwrap_or_default();
        for it in own.iter().filter(|it| it.starts_with(&self.stem) && it.ends_with(PARTIAL)) {
            let _ = fs::remove_file(self.dir.join(it));
        }
        // The name goes while the lock is held, so that nobody can take it over. What cannot be removed is removed
        // by the next run.
        let _ = fs::remove_file(self.path());
        self.file = None;
        for it in &self.created {
            // Only an empty folder can be removed so.
            let _ = fs::remove_dir(it);
        }
    }
}

/// Whether a run is writing into the folder at this moment.
pub(super) fn is_busy(dir: &Path) -> Result<bool, OutputError> {
    let names = temporary(dir)?;
    Ok(names.iter().filter(|it| it.ends_with(LOCK)).any(|it| is_live(&dir.join(it))))
}

/// Removes temporary files of runs that are over; an error when one is not.
fn sweep(dir: &Path, own: &str) -> Result<usize, OutputError> {
    let names: Vec<String> = temporary(dir)?.into_iter().filter(|it| !it.starts_with(own)).collect();
    let mut removed = 0;
    for lock in names.iter().filter(|it| it.ends_with(LOCK)) {
        let path = dir.join(lock);
        let Ok(file) = File::open(&path) else { continue };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(OutputError::Busy { path: dir.to_owned() }),
            // Where the system has no locks nobody can be asked, and the file stays.
            Err(TryLockError::Error(_)) => continue,
            Ok(()) => {}
        }
        let stem = lock.trim_end_matches(LOCK);
        let partials = names.iter().filter(|it| it.starts_with(stem) && it.ends_with(PARTIAL));
        for it in partials {
            removed += usize::from(fs::remove_file(dir.join(it)).is_ok());
        }
        removed += usize::from(fs::remove_file(&path).is_ok());
    }
    // A run locks before it writes: a partial file without a lock belongs to nobody.
    for it in temporary(dir)?.iter().filter(|it| it.ends_with(PARTIAL)) {
        let stem = it.split('.').nth(1).map(|it| format!(".{it}{LOCK}")).unwrap_or_default();
        if !dir.join(stem).exists() {
            removed += usize::from(fs::remove_file(dir.join(it)).is_ok());
        }
    }
    Ok(removed)
}

/// Names of temporary files, locks and partial ones, in a folder that need not be there.
fn temporary(dir: &Path) -> Result<Vec<String>, OutputError> {
    let entries = match fs::read_dir(dir) {
        Ok(it) => it,
        Err(it) if it.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed("read the folder", dir)(source)),
    };
    let names = entries.flatten().filter(|it| it.file_type().is_ok_and(|it| it.is_file()));
    let names = names.filter_map(|it| it.file_name().into_string().ok());
    Ok(names.filter(|it| it.starts_with(PREFIX) && (it.ends_with(LOCK) || it.ends_with(PARTIAL))).collect())
}

fn is_live(lock: &Path) -> bool {
    File::open(lock).is_ok_and(|it| matches!(it.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Makes a folder and those above it; returns those that were not there, the innermost first.
fn create(dir: &Path) -> Result<Vec<PathBuf>, OutputError> {
    let missing = |it: &&Path| !it.as_os_str().is_empty() && !it.exists();
    let created = dir.ancestors().take_while(missing).map(Path::to_owned).collect();
    fs::create_dir_all(dir).map_err(failed("create the folder", dir))?;
    Ok(created)
}

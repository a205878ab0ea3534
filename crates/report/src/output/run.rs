//! One run's results: written beside their places, moved there together, and signed by a manifest at the end.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use super::{
    Output, OutputError, Written, check_paths, failed,
    lock::FolderLock,
    manifest::{FileEntry, MANIFEST, Manifest, Provenance, sha256},
    read, unfinished,
};

/// Folders of results that one run holds for itself until it ends.
///
/// Whatever ends the run before [`OutputRun::publish`] leaves the old results as they were; a run that is killed while
/// files are moved leaves a manifest that says so.
#[derive(Debug)]
pub struct OutputRun {
    folders: Vec<Folder>,
}

#[derive(Debug)]
struct Folder {
    dir: PathBuf,
    lock: FolderLock,
    before: Option<Manifest>,
    /// What was found that a reader has to know.
    notes: Vec<String>,
}

/// A complete file under a name of its own.
struct Staged {
    partial: PathBuf,
    target: PathBuf,
}

impl OutputRun {
    /// Holds folders for a run, and removes what dead runs have left in them.
    ///
    /// # Errors
    /// [`OutputError::Busy`] when a live run holds one of them.
    pub fn begin(dirs: &[PathBuf]) -> Result<OutputRun, OutputError> {
        let folders = dirs.iter().map(|it| Folder::open(it)).collect::<Result<_, _>>()?;
        Ok(OutputRun { folders })
    }

    /// What was found in the folders: results of no finished run, files that a killed run had left.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().flat_map(|it| it.notes.iter().map(String::as_str))
    }

    /// Writes each folder's files. Files that have their content already keep their time stamp; files that the manifest of
    /// the run before lists with their hash, and that this run does not make, are removed. `inputs` are never
    /// overwritten.
    ///
    /// # Errors
    /// Before the first file is moved all old results are as they were.
    pub fn publish(
        mut self,
        results: &[Vec<Output>],
        run: &Provenance,
        inputs: &[PathBuf],
    ) -> Result<Vec<Written>, OutputError> {
        let pairs = || self.folders.iter().zip(results);
        for (folder, files) in pairs() {
            check_paths(files)?;
            folder.spare(files, inputs)?;
        }
        let mut staged = Vec::new();
        for (folder, files) in self.folders.iter_mut().zip(results) {
            staged.push(folder.stage(files, run)?);
        }
        // From here on a kill leaves files of two runs, and the manifest says so.
        staged.iter_mut().filter_map(|it| it.1.unfinished.take()).try_for_each(Staged::publish)?;
        staged.iter_mut().flat_map(|it| it.1.files.drain(..)).try_for_each(Staged::publish)?;
        let mut all = Vec::new();
        for (folder, (mut written, moves)) in self.folders.iter().zip(staged) {
            folder.remove_old(inputs, &mut written)?;
            moves.manifest.map_or(Ok(()), Staged::publish)?;
            all.push(written);
        }
        Ok(all)
    }
}

/// What is moved to its place when everything is complete.
#[derive(Default)]
struct Moves {
    /// A manifest that says that files are being moved.
    unfinished: Option<Staged>,
    files: Vec<Staged>,
    /// The manifest of the finished run.
    manifest: Option<Staged>,
}

impl Folder {
    fn open(dir: &Path) -> Result<Folder, OutputError> {
        let (lock, swept) = FolderLock::claim(dir)?;
        let bytes = read(&dir.join(MANIFEST))?;
        let before = bytes.as_deref().and_then(Manifest::parse);
        let mut notes = Vec::new();
        if 0 < swept {
            notes.push(format!(
                "{}: removed {swept} temporary files of a run that did not end",
                dir.display()
            ));
        }
        if bytes.is_some() && before.is_none() {
            let what = "is not a manifest of this program; no old file is removed";
            notes.push(format!("{} {what}", dir.join(MANIFEST).display()));
        }
        if before.as_ref().is_some_and(|it| !it.finished) {
            notes.push(unfinished(dir));
        }
        Ok(Folder { dir: dir.to_owned(), lock, before, notes })
    }

    /// A result must not take the place of a file that it was made from.
    fn spare(&self, files: &[Output], inputs: &[PathBuf]) -> Result<(), OutputError> {
        let inputs: Vec<PathBuf> = inputs.iter().filter_map(|it| it.canonicalize().ok()).collect();
        let paths = files.iter().map(|it| it.path.as_path()).chain([Path::new(MANIFEST)]);
        for path in paths.map(|it| self.dir.join(it)) {
            if path.canonicalize().is_ok_and(|it| inputs.contains(&it)) {
                return Err(OutputError::Input { path });
            }
            if path.is_dir() {
                return Err(OutputError::Folder { path });
            }
            let within = path.ancestors().skip(1).take_while(|it| it.starts_with(&self.dir));
            if let Some(it) = within.filter(|it| it.exists()).find(|it| !it.is_dir()) {
                let source = std::io::ErrorKind::NotADirectory.into();
                return Err(failed("create the folder", it)(source));
            }
        }
        Ok(())
    }

    /// Writes what has changed under temporary names, the manifest included.
    fn stage(&mut self, files: &[Output], run: &Provenance) -> Result<(Written, Moves), OutputError> {
        let mut written = Written::default();
        let mut moves = Moves::default();
        for file in files {
            let target = self.dir.join(&file.path);
            if read(&target)?.is_some_and(|it| it == file.bytes) {
                written.unchanged.push(file.path.clone());
            } else {
                moves.files.push(self.write(target, &file.bytes)?);
                written.changed.push(file.path.clone());
            }
        }
        let entries: Vec<FileEntry> = files.iter().map(|it| FileEntry::new(&it.path, &it.bytes)).collect();
        let manifest = Manifest { finished: true, run: run.clone(), files: entries.clone() };
        if !moves.files.is_empty() || self.before.as_ref() != Some(&manifest) {
            moves.manifest = Some(self.write(self.dir.join(MANIFEST), manifest.text().as_bytes())?);
        }
        if !moves.files.is_empty() {
            // While files are moved, one that keeps its name may have either hash.
            let before = self.before.iter().flat_map(|it| it.files.clone());
            let open = Manifest { finished: false, files: before.chain(entries).collect(), ..manifest };
            moves.unfinished = Some(self.write(self.dir.join(MANIFEST), open.text().as_bytes())?);
        }
        Ok((written, moves))
    }

    fn write(&mut self, target: PathBuf, bytes: &[u8]) -> Result<Staged, OutputError> {
        let partial = self.lock.partial();
        let mut file = fs::File::create_new(&partial).map_err(failed("create", &partial))?;
        let filled = file.write_all(bytes).and_then(|()| file.sync_all());
        filled.map_err(failed("write", &partial))?;
        Ok(Staged { partial, target })
    }

    /// Removes files that the run before made and this one does not, and says what else lies there.
    fn remove_old(&self, inputs: &[PathBuf], written: &mut Written) -> Result<(), OutputError> {
        let inputs: BTreeSet<PathBuf> = inputs.iter().filter_map(|it| it.canonicalize().ok()).collect();
        let made = |path: &Path| {
            // Where case is not told apart, the old name is the new file.
            let folded = path.to_string_lossy().to_lowercase();
            written
                .changed
                .iter()
                .chain(&written.unchanged)
                .any(|it| it.to_string_lossy().to_lowercase() == folded)
        };
        let before = self.before.as_ref().map(Manifest::listed).unwrap_or_default();
        let old: Vec<_> = before.into_iter().filter(|it| !made(&it.0)).collect();
        let (mut removed, mut left) = (Vec::new(), Vec::new());
        for (path, hashes) in old {
            let place = self.dir.join(&path);
            let Some(bytes) = read(&place)? else { continue };
            let own = place.canonicalize().is_ok_and(|it| self.holds(&it) && !inputs.contains(&it));
            if own && hashes.contains(&sha256(&bytes).as_str()) {
                fs::remove_file(&place).map_err(failed("remove", &place))?;
                removed.push(path);
            } else if 1 < path.components().count() {
                left.push(path);
            }
        }
        left.extend(others(&self.dir)?.into_iter().filter(|it| !made(it)));
        written.removed = removed;
        written.left = left;
        Ok(())
    }

    /// Whether a path without symbolic links lies in the folder.
    fn holds(&self, path: &Path) -> bool {
        self.dir.canonicalize().is_ok_and(|it| path.starts_with(it))
    }
}

/// Files beside the results, manifest and hidden files left out.
pub(super) fn others(dir: &Path) -> Result<Vec<PathBuf>, OutputError> {
    let entries = match fs::read_dir(dir) {
        Ok(it) => it,
        Err(it) if it.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed("read the folder", dir)(source)),
    };
    let files = entries.flatten().filter(|it| !it.path().is_dir()).map(|it| it.file_name());
    let hidden = |it: &std::ffi::OsString| it.to_string_lossy().starts_with('.');
    let mut names: Vec<PathBuf> =
        files.filter(|it| !hidden(it) && *it != MANIFEST).map(PathBuf::from).collect();
    names.sort();
    Ok(names)
}

impl Staged {
    fn publish(self) -> Result<(), OutputError> {
        let folder = self.target.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(folder).map_err(failed("create the folder", folder))?;
        fs::rename(&self.partial, &self.target).map_err(failed("replace", &self.target))
    }
}

//! The manifest: which run a folder of results belongs to, written last.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The name of the manifest in a folder of results.
pub const MANIFEST: &str = "manifest.json";

/// What a set of results was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Of the program.
    pub version: String,
    /// What was asked: a command, with the source of a study.
    pub made_by: String,
    /// Whether any number comes from simulated data.
    pub simulated: bool,
    /// Every file that was read.
    pub inputs: Vec<InputRecord>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputRecord {
    /// What it is to the run.
    pub role: InputRole,
    /// Without its folder.
    pub name: String,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
}

/// What a file is to the run that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputRole {
    /// The study file.
    Study,
    /// Printed numbers.
    Published,
    /// Data.
    Data,
}

/// A file of results as a run wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    /// Below the folder of results, with `/`.
    pub path: String,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
}

/// The content of `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// False while files are being moved to their places: what lies there may be of two runs.
    pub finished: bool,
    /// What the results were made from.
    pub run: Provenance,
    /// Every file of the run, and of an unfinished one those of the run before too.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// The text of the file.
    pub fn text(&self) -> String {
        // A struct of texts always has a JSON form.
        serde_json::to_string_pretty(self).map_or_else(|_| String::new(), |it| it + "\n")
    }

    /// Reads the text of the file; `None` when no run wrote it.
    pub fn parse(bytes: &[u8]) -> Option<Manifest> {
        serde_json::from_slice(bytes).ok()
    }

    /// The paths that stay below the folder, each with the hashes it may have. A manifest is a file like any other,
    /// and what somebody writes into it must not reach files elsewhere.
    pub fn listed(&self) -> BTreeMap<PathBuf, Vec<&str>> {
        let mut listed: BTreeMap<PathBuf, Vec<&str>> = BTreeMap::new();
        for it in self.files.iter().filter(|it| is_below(Path::new(&it.path))) {
            listed.entry(PathBuf::from(&it.path)).or_default().push(&it.sha256);
        }
        listed
    }
}

impl FileEntry {
    pub fn new(path: &Path, bytes: &[u8]) -> FileEntry {
        let parts: Vec<_> = path.components().map(|it| it.as_os_str().to_string_lossy()).collect();
        FileEntry { path: parts.join("/"), sha256: sha256(bytes) }
    }
}

/// Whether a path stays below the folder it is put into.
pub(super) fn is_below(path: &Path) -> bool {
    !path.as_os_str().is_empty() && path.components().all(|it| matches!(it, Component::Normal(_)))
}

/// SHA-256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect()
}

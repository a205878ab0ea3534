//! The repository: where it is, and which plugin crates its folders hold.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::stop::{Outcome, Stop};

/// The repository's root folder.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub root: PathBuf,
}

/// What a plugin can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Estimator,
    Step,
    Index,
}

/// A crate with plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginCrate {
    pub kind: Kind,
    /// From the root, with `/`: `crates/estimators/linear`.
    pub folder: String,
    pub package: String,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Estimator, Kind::Step, Kind::Index];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Estimator => "estimator",
            Kind::Step => "step",
            Kind::Index => "index",
        }
    }

    /// The folder of all crates of this kind.
    pub fn folder(self) -> &'static str {
        match self {
            Kind::Estimator => "crates/estimators",
            Kind::Step => "crates/steps",
            Kind::Index => "crates/indices",
        }
    }
}

impl Workspace {
    /// The workspace this program belongs to: cargo says where it lies; else the folders above are tried.
    pub fn find() -> Outcome<Workspace> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let here = env::current_dir().map_err(|it| Stop::failed(format!("no current folder: {it}")))?;
        manifest
            .iter()
            .map(PathBuf::as_path)
            .chain(here.ancestors())
            .flat_map(|it| it.ancestors().take(2))
            .find(|it| it.join("xtask/Cargo.toml").is_file())
            .map(|it| Workspace { root: it.to_owned() })
            .ok_or_else(|| Stop::failed("not inside the repository: no folder above has xtask/Cargo.toml"))
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    pub fn read(&self, relative: &str) -> Outcome<String> {
        read(&self.path(relative))
    }

    /// Crates with plugins, by package name.
    pub fn plugin_crates(&self) -> Outcome<Vec<PluginCrate>> {
        let mut all = Vec::new();
        for kind in Kind::ALL {
            for name in folders(&self.path(kind.folder()))? {
                let folder = format!("{}/{name}", kind.folder());
                let manifest = format!("{folder}/Cargo.toml");
                if !self.path(&manifest).is_file() {
                    continue;
                }
                let package = package_name(&self.read(&manifest)?, &manifest)?;
                all.push(PluginCrate { kind, folder, package });
            }
        }
        all.sort_by(|a, b| a.package.cmp(&b.package));
        Ok(all)
    }
}

pub fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|it| Stop::file(path, it))
}

/// Writes a file and the folders above it.
pub fn write(path: &Path, text: &str) -> Outcome {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|it| Stop::file(folder, it))?;
    fs::write(path, text).map_err(|it| Stop::file(path, it))
}

/// Files under a folder for which `keep` holds, sorted. Hidden folders and `target` are left out.
pub fn files(folder: &Path, keep: &dyn Fn(&Path) -> bool) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(folder, keep, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, keep: &dyn Fn(&Path) -> bool, found: &mut Vec<PathBuf>) -> Outcome {
    for entry in fs::read_dir(folder).map_err(|it| Stop::file(folder, it))? {
        let path = entry.map_err(|it| Stop::file(folder, it))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            collect(&path, keep, found)?;
        } else if keep(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// Names of the folders in a folder; none if it is not there.
fn folders(parent: &Path) -> Outcome<Vec<String>> {
    let Ok(entries) = fs::read_dir(parent) else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|it| Stop::file(parent, it))?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn package_name(manifest: &str, path: &str) -> Outcome<String> {
    let parsed: toml::Table = manifest.parse().map_err(|it| Stop::failed(format!("{path}: {it}")))?;
    let name = parsed.get("package").and_then(|it| it.get("name")).and_then(toml::Value::as_str);
    name.map(str::to_owned).ok_or_else(|| Stop::failed(format!("{path}: no package.name")))
}

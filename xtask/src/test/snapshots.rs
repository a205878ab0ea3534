//! Every snapshot file is named by a test, and none waits for review.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    stop::{Outcome, Stop},
    workspace::{Workspace, files, read},
};

/// Compares the snapshot files with the list of those the tests named. When tests on private data
/// were skipped, their snapshots are not on the list: then what is missing is only told.
pub fn check(workspace: &Workspace, references: &Path, all_ran: bool) -> Outcome {
    let is_snapshot = |it: &Path| it.to_string_lossy().ends_with(".snap");
    let waits = |it: &Path| {
        let name = it.to_string_lossy();
        name.ends_with(".snap.new") || name.ends_with(".pending-snap")
    };
    let waiting = files(&workspace.root, &waits)?;
    if !waiting.is_empty() {
        return Err(Stop::failed(format!("snapshots wait for review: {}", list(workspace, &waiting))));
    }
    let named: BTreeSet<PathBuf> = read(references)?.lines().map(|it| real(Path::new(it))).collect();
    let there = files(&workspace.root, &is_snapshot)?;
    let unnamed: Vec<PathBuf> = there.iter().filter(|it| !named.contains(&real(it))).cloned().collect();
    let said = list(workspace, &unnamed);
    match (unnamed.is_empty(), all_ran) {
        (true, _) => println!("{} snapshots, each named by a test", there.len()),
        (false, true) => {
            return Err(Stop::failed(format!("no test names these snapshots; delete them: {said}")));
        }
        (false, false) => println!("{} snapshots; not named by the tests that ran: {said}", there.len()),
    }
    Ok(())
}

/// Links and `..` resolved, where the file is there.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn list(workspace: &Workspace, paths: &[PathBuf]) -> String {
    let names = paths.iter().map(|it| it.strip_prefix(&workspace.root).unwrap_or(it).display().to_string());
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::write;

    #[test]
    fn orphans_and_pending_snapshots_are_refused() {
        let root = std::env::temp_dir().join(format!("parallax-xtask-snapshots-{}", std::process::id()));
        let workspace = Workspace { root: root.clone() };
        let snapshot = root.join("snapshots/tests/snapshots/a.snap");
        let references = root.join("references.txt");
        write(&snapshot, "text").unwrap();
        write(&references, "").unwrap();
        let refused = check(&workspace, &references, true).unwrap_err().message;
        assert!(refused.ends_with("delete them: snapshots/tests/snapshots/a.snap"), "{refused}");
        assert!(check(&workspace, &references, false).is_ok());
        write(
            &references,
            &format!("{}\n", root.join("snapshots/../snapshots/tests/snapshots/a.snap").display()),
        )
        .unwrap();
        assert!(check(&workspace, &references, true).is_ok());
        write(&root.join("snapshots/tests/snapshots/a.snap.new"), "text").unwrap();
        assert!(check(&workspace, &references, true).unwrap_err().message.starts_with("snapshots wait"));
        fs::remove_dir_all(&root).unwrap();
    }
}

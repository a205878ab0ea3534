//! Files are written whole or not at all.

use std::{
    fs,
    path::{Path, PathBuf},
};

use parallax_report::{
    Difference, MANIFEST, Output, OutputError, OutputRun, Provenance, Written, check_outputs, provenance_of,
    sha256,
};

/// One folder's files in one run, as commands write them.
fn write_outputs(dir: &Path, files: &[Output]) -> Result<Written, OutputError> {
    write_beside(dir, files, &[])
}

fn write_beside(dir: &Path, files: &[Output], inputs: &[PathBuf]) -> Result<Written, OutputError> {
    let run = OutputRun::begin(&[dir.to_owned()])?;
    Ok(run.publish(&[files.to_vec()], &provenance(), inputs)?.remove(0))
}

fn provenance() -> Provenance {
    Provenance { version: "1".to_owned(), made_by: "a test".to_owned(), ..Provenance::default() }
}

#[test]
fn what_is_written_checks_clean() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("new/out");
    let files = [Output::new("tables/table1.txt", "a\nb\n"), Output::new("plot.png", [0x89, 0xFF])];
    assert_eq!(check_outputs(&dir, &files).unwrap().len(), 3, "two files and the manifest");
    let written = write_outputs(&dir, &files).unwrap();
    assert_eq!((written.changed.len(), written.unchanged.len()), (2, 0));
    assert_eq!(check_outputs(&dir, &files).unwrap(), []);
    assert_eq!(fs::read_to_string(dir.join("tables/table1.txt")).unwrap(), "a\nb\n");
    let written = write_outputs(&dir, &files).unwrap();
    assert_eq!((written.changed.len(), written.unchanged.len()), (0, 2));
    assert_eq!(names(&dir), [MANIFEST, "plot.png", "tables"]);
    assert_eq!(provenance_of(&dir).unwrap(), Some(provenance()));
}

#[test]
fn the_first_different_line_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let old = [Output::new("a", "x\ny\nz\n"), Output::new("b", "x\ny"), Output::new("c", [0xFF, 1])];
    write_outputs(dir.path(), &old).unwrap();
    let new = [
        Output::new("a", "x\nY\r\nZ\n"),
        Output::new("b", "x\ny\n"),
        Output::new("c", [0xFF, 2]),
        Output::new("d", ""),
    ];
    let found: Vec<String> =
        check_outputs(dir.path(), &new).unwrap().iter().map(Difference::to_string).collect();
    assert_eq!(
        found,
        [
            "a:2: differs\n  - y\n  + Y\\r",
            "b:3: differs\n  - (end of the file)\n  + ",
            "c: differs from byte 1 on",
            "d: missing",
            "manifest.json: does not list these files; they are not of one run",
        ]
    );
}

#[test]
fn nothing_is_replaced_when_one_file_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    write_outputs(dir.path(), &[Output::new("a", "old"), Output::new("file", "")]).unwrap();
    // The second target would need a folder where a file is.
    let files = [Output::new("a", "new"), Output::new("file/below", "x")];
    let error = write_outputs(dir.path(), &files).unwrap_err();
    assert!(matches!(error, OutputError::Io { .. }), "{error}");
    assert_eq!(fs::read_to_string(dir.path().join("a")).unwrap(), "old");
    assert_eq!(names(dir.path()), ["a", "file", MANIFEST]);
}

#[test]
fn paths_stay_below_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    for path in ["../a", "/a", "", "b/../../a", "."] {
        let error = write_outputs(dir.path(), &[Output::new(path, "x")]).unwrap_err();
        assert!(matches!(error, OutputError::Path { .. }), "{path}: {error}");
    }
    let twice = [Output::new("a/b", "x"), Output::new("a//b", "y")];
    let error = check_outputs(dir.path(), &twice).unwrap_err();
    assert!(error.to_string().starts_with("`a//b` would be written twice"), "{error}");
    let cased = [Output::new("Table.txt", "x"), Output::new("taBle.txt", "y")];
    assert!(matches!(write_outputs(dir.path(), &cased).unwrap_err(), OutputError::Twice { .. }));
    let own = [Output::new("Manifest.json", "x")];
    assert!(matches!(write_outputs(dir.path(), &own).unwrap_err(), OutputError::Twice { .. }));
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn files_of_the_run_before_go_and_those_of_others_stay() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_outputs(dir, &[Output::new("a", "1"), Output::new("b", "2"), Output::new("c", "3")]).unwrap();
    fs::write(dir.join("b"), "edited").unwrap();
    fs::write(dir.join("own.txt"), "mine").unwrap();
    let written = write_outputs(dir, &[Output::new("a", "1")]).unwrap();
    assert_eq!(written.removed, [PathBuf::from("c")]);
    assert_eq!(written.left, [PathBuf::from("b"), PathBuf::from("own.txt")]);
    assert_eq!(names(dir), ["a", "b", MANIFEST, "own.txt"]);
    let extra: Vec<_> = check_outputs(dir, &[Output::new("a", "1")]).unwrap();
    let extra: Vec<&Path> = extra.iter().map(Difference::path).collect();
    assert_eq!(extra, [Path::new("b"), Path::new("own.txt")]);
}

#[test]
fn a_manifest_reaches_no_file_outside_of_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (results, victim) = (dir.path().join("results"), dir.path().join("victim"));
    fs::create_dir_all(&results).unwrap();
    fs::write(&victim, "kept").unwrap();
    write_outputs(&results, &[Output::new("a", "1")]).unwrap();
    let text = fs::read_to_string(results.join(MANIFEST)).unwrap();
    let hash = sha256(b"kept");
    for path in ["../victim".to_owned(), victim.display().to_string()] {
        let entry = format!("\"files\": [\n{{ \"path\": \"{path}\", \"sha256\": \"{hash}\" }},");
        fs::write(results.join(MANIFEST), text.replacen("\"files\": [", &entry, 1)).unwrap();
        write_outputs(&results, &[Output::new("b", "2")]).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    }
}

#[test]
fn what_was_read_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("table.csv");
    fs::write(&data, "y,x").unwrap();
    let error = write_beside(dir.path(), &[Output::new("table.csv", "new")], std::slice::from_ref(&data))
        .unwrap_err();
    assert!(matches!(error, OutputError::Input { .. }), "{error}");
    assert_eq!(fs::read_to_string(&data).unwrap(), "y,x");
    assert_eq!(names(dir.path()), ["table.csv"]);
}

#[test]
fn a_live_run_keeps_others_out_and_a_dead_one_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let files = [Output::new("a", "1")];
    let live = OutputRun::begin(&[dir.to_owned()]).unwrap();
    let error = write_outputs(dir, &files).unwrap_err();
    assert!(error.to_string().starts_with("another run of parallax is writing to"), "{error}");
    assert!(matches!(check_outputs(dir, &files).unwrap_err(), OutputError::Busy { .. }));
    drop(live);
    assert_eq!(names(dir), [""; 0], "nothing is left of a run that gives up");
    // What a killed run leaves: a lock that nobody holds, files half written, and those of a version before.
    let litter = [
        ".parallax-0123456789abcdef.lock",
        ".parallax-0123456789abcdef.7.partial",
        ".parallax-1-0.partial",
        ".parallax-1-1.partial",
    ];
    litter.iter().for_each(|it| fs::write(dir.join(it), "half").unwrap());
    fs::write(dir.join(".parallax-notes"), "not of a run").unwrap();
    let run = OutputRun::begin(&[dir.to_owned()]).unwrap();
    assert!(
        run.notes().any(|it| it.contains("removed 4 temporary files")),
        "{:?}",
        run.notes().collect::<Vec<_>>()
    );
    run.publish(&[files.to_vec()], &provenance(), &[]).unwrap();
    assert_eq!(names(dir), [".parallax-notes", "a", MANIFEST]);
}

#[test]
fn results_of_a_run_that_did_not_finish_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let files = [Output::new("a", "1"), Output::new("b", "2")];
    write_outputs(dir, &files).unwrap();
    let manifest = fs::read_to_string(dir.join(MANIFEST)).unwrap();
    fs::write(dir.join(MANIFEST), manifest.replacen("\"finished\": true", "\"finished\": false", 1)).unwrap();
    assert_eq!(provenance_of(dir).unwrap(), None);
    let found = check_outputs(dir, &files).unwrap();
    assert!(matches!(found.as_slice(), [Difference::Unfinished { .. }]), "{found:?}");
    let run = OutputRun::begin(&[dir.to_owned()]).unwrap();
    assert!(run.notes().any(|it| it.contains("did not finish")));
    let written = run.publish(&[files[..1].to_vec()], &provenance(), &[]).unwrap().remove(0);
    assert_eq!(written.removed, [PathBuf::from("b")]);
    assert_eq!(check_outputs(dir, &files[..1]).unwrap(), []);
}

/// A link is not opened: a message would show what it leads to.
#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_result_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (results, secret) = (dir.path().join("results"), dir.path().join("secret"));
    fs::write(&secret, "secret line\n").unwrap();
    write_outputs(&results, &[Output::new("a", "1\n")]).unwrap();
    fs::remove_file(results.join("a")).unwrap();
    std::os::unix::fs::symlink(&secret, results.join("a")).unwrap();
    let found = check_outputs(&results, &[Output::new("a", "1\n")]).unwrap();
    assert!(found.iter().all(|it| !it.to_string().contains("secret line")), "{found:?}");
    assert!(matches!(found[0], Difference::NoFile { .. }));
    write_outputs(&results, &[Output::new("a", "1\n")]).unwrap();
    assert_eq!(fs::read_to_string(&secret).unwrap(), "secret line\n");
    assert_eq!(fs::read_to_string(results.join("a")).unwrap(), "1\n");
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

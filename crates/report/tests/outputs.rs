//! Files are written whole or not at all.

use std::{fs, path::Path};

use parallax_report::{Difference, Output, OutputError, check_outputs, write_outputs};

#[test]
fn what_is_written_checks_clean() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("new/out");
    let files = [Output::new("tables/table1.txt", "a\nb\n"), Output::new("plot.png", [0x89, 0xFF])];
    assert_eq!(check_outputs(&dir, &files).unwrap().len(), 2);
    let written = write_outputs(&dir, &files).unwrap();
    assert_eq!((written.changed.len(), written.unchanged.len()), (2, 0));
    assert_eq!(check_outputs(&dir, &files).unwrap(), []);
    assert_eq!(fs::read_to_string(dir.join("tables/table1.txt")).unwrap(), "a\nb\n");
    let written = write_outputs(&dir, &files).unwrap();
    assert_eq!((written.changed.len(), written.unchanged.len()), (0, 2));
    assert_eq!(names(&dir), ["plot.png", "tables"]);
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
    assert_eq!(names(dir.path()), ["a", "file"]);
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
    assert_eq!(error.to_string(), "`a//b` would be written twice");
    assert_eq!(names(dir.path()), [""; 0]);
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

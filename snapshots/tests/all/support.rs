//! Running the program, finding files, and text that is the same on every machine.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

/// What one run of the program left behind.
pub struct Ran {
    pub code: u8,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The output of a run that has to work.
    pub fn done(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }
}

/// The folder of the workspace; the process stands in it from the first call on.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        std::env::set_current_dir(&root).unwrap();
        root
    })
}

/// Runs `parallax WORDS` in process, in the folder of the workspace.
pub fn parallax<I: AsRef<str>>(words: impl IntoIterator<Item = I>) -> Ran {
    root();
    let words = words.into_iter().map(|it| OsString::from(it.as_ref()));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code =
        parallax_driver::main([OsString::from("parallax")].into_iter().chain(words), &mut out, &mut err);
    let code = (0..=4).find(|it| ExitCode::from(*it) == code);
    Ran {
        code: code.unwrap_or_else(|| panic!("an exit code that is not documented")),
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

/// A folder that goes when it is dropped.
pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Every file below a folder, relative to it, sorted.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(dir).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Every file below a folder with its bytes.
pub fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(dir).into_iter().map(|it| (it.clone(), fs::read(dir.join(&it)).unwrap())).collect()
}

/// A study of `datasets` in a folder of its own, without its tables.
pub fn copy_of(study: &str) -> TempDir {
    copy_of_folder(&root().join("datasets").join(study))
}

/// A folder with a study in a folder of its own, without its tables.
pub fn copy_of_folder(from: &Path) -> TempDir {
    let to = folder();
    for file in files(from).iter().filter(|it| !it.starts_with("tables") && !it.starts_with("report")) {
        let target = to.path().join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(file), target).unwrap();
    }
    to
}

/// A file that has to be there, as text.
pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|it| panic!("{}: {it}", path.display()))
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|it| panic!("{it}: {text}"))
}

/// The registry as the program prints it.
pub fn registry() -> Vec<Value> {
    json(&parallax(["registry"]).done()).as_array().unwrap().clone()
}

/// What reading a table file refuses: machine paths, numbers that are none, negative zeros.
pub fn assert_fit_to_print(name: &str, text: &str) {
    let temp = std::env::temp_dir();
    for path in [self::text(root()), self::text(&temp)] {
        assert!(!text.contains(path), "{name} names the path {path}:\n{text}");
    }
    for word in text.split(|it: char| it.is_whitespace() || "(),|&$*\"".contains(it)) {
        assert!(!["NaN", "inf", "-inf", "+inf"].contains(&word), "{name} prints `{word}`:\n{text}");
        let negative_zero = word.starts_with('-') && word.parse::<f64>().is_ok_and(|it| it == 0.0);
        assert!(!negative_zero, "{name} prints the negative zero `{word}`:\n{text}");
    }
}

/// The folder of data that may not be distributed; says so where there is none.
#[allow(clippy::print_stdout, reason = "a test that is skipped says so")]
pub fn private_data() -> Option<PathBuf> {
    let found = std::env::var_os("PARALLAX_DATA").map(PathBuf::from);
    if found.is_none() {
        println!("skipped: PARALLAX_DATA is not set");
    }
    found
}

//! [`FileStem`]: a name that becomes the name of a file, checked once, where the study is read.

use std::{borrow::Cow, collections::BTreeMap, fmt, ops::Deref, path::Path};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The name of a file without its ending, or of a folder: it stays below the folder it is put into, on every system.
///
/// Names of studies and sources and ids of tables and figures are such names. Letters of any script, digits,
/// spaces, `-`, `_` and inner dots serve; what a path, a terminal or another system would read differently is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileStem(String);

impl JsonSchema for FileStem {
    fn schema_name() -> Cow<'static, str> {
        "FileStem".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Coarser than what the program refuses: names of devices and invisible characters are left to it.
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST,
            "pattern": r#"^[^-./\\:*?"<>|\x00-\x20][^/\\:*?"<>|\x00-\x1f]*$"#,
            "description": "The name of a file or folder: letters, digits, spaces, `-`, `_` and inner dots.",
        })
    }
}

/// Bytes of a name: with the endings that are added to it, what file systems take (255).
const LONGEST: usize = 200;

/// Names that Windows keeps for devices, with and without an ending.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

impl FileStem {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two names must not share: some file systems do not tell upper from lower case.
    pub fn folded(&self) -> String {
        folded(&self.0)
    }
}

/// As [`FileStem::folded`], of any text.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// The first two whose files would have the same name, with what each is; `names` are file names and their owners.
pub(crate) fn collision(
    names: impl IntoIterator<Item = (String, String)>,
) -> Option<(String, String, String)> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (name, owner) in names {
        if let Some(first) = seen.insert(folded(&name), owner.clone()) {
            return Some((name, first, owner));
        }
    }
    None
}

impl TryFrom<String> for FileStem {
    type Error = String;

    fn try_from(text: String) -> Result<FileStem, String> {
        match fault(&text) {
            None => Ok(FileStem(text)),
            Some(why) => Err(format!(
                "`{}` cannot name a file: {why}; write a name of letters, digits, `-` and `_`, as \"table-1\"",
                shown(&text)
            )),
        }
    }
}

impl TryFrom<&str> for FileStem {
    type Error = String;

    fn try_from(text: &str) -> Result<FileStem, String> {
        FileStem::try_from(text.to_owned())
    }
}

impl From<FileStem> for String {
    fn from(it: FileStem) -> String {
        it.0
    }
}

impl Deref for FileStem {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<Path> for FileStem {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl PartialEq<str> for FileStem {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<String> for FileStem {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for FileStem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a text cannot name a file.
fn fault(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("it is empty".to_owned());
    }
    if let Some(it) = text.chars().find(|it| "/\\:*?\"<>|".contains(*it)) {
        return Some(format!("it contains `{it}`"));
    }
    if let Some(it) = text.chars().find(|it| it.is_control() || invisible(*it)) {
        return Some(format!("it contains the invisible character {}", it.escape_unicode()));
    }
    if text.starts_with('.') {
        return Some("it begins with a dot".to_owned());
    }
    if text.starts_with('-') {
        return Some("it begins with `-`, which programs read as an option".to_owned());
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(|it: char| it.is_whitespace() || it == '.') {
        return Some("it begins or ends with a space, or ends with a dot".to_owned());
    }
    if LONGEST < text.len() {
        return Some(format!("it has {} bytes, and {LONGEST} are the most", text.len()));
    }
    let device = folded(text.split('.').next().unwrap_or_default().trim_end());
    let numbered = ["com", "lpt"].iter().any(|it| {
        device.strip_prefix(it).is_some_and(|it| it.chars().count() == 1 && "0123456789¹²³".contains(it))
    });
    (numbered || RESERVED.contains(&device.as_str())).then(|| "Windows keeps it for a device".to_owned())
}

/// Characters that are not seen, or that turn the text beside them around.
fn invisible(it: char) -> bool {
    matches!(it,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// The name on one line, not endless.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).flat_map(plain).collect();
    if text.chars().nth(60).is_some() { format!("{short}…") } else { short }
}

fn plain(it: char) -> Vec<char> {
    if it.is_control() || invisible(it) { it.escape_unicode().collect() } else { vec![it] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_script_serve() {
        for it in
            ["table1", "table14_2", "group-time", "Table 1.2", "表一", "Größe", "common", "lpt", "com10"]
        {
            assert!(FileStem::try_from(it).is_ok(), "{it}");
        }
    }

    #[test]
    fn what_a_system_reads_as_something_else_is_refused() {
        let long = "x".repeat(201);
        let refused = [
            "",
            " ",
            ".",
            "..",
            "../../victim",
            "/etc/x",
            "a/b",
            "a\\b",
            "C:x",
            ".hidden",
            "a\nb",
            "a\rb",
            "a\0b",
            "a\u{7f}b",
            "a\u{202e}b",
            "a\u{2028}b",
            "a\u{feff}",
            " a",
            "a ",
            "a.",
            "con",
            "NUL.txt",
            "Com1",
            "lpt9.x",
            "a*b",
            "a?b",
            "a|b",
            "a\"b",
            "-rf",
            &long,
        ];
        for it in refused {
            let why = FileStem::try_from(it).unwrap_err();
            assert!(why.contains("cannot name a file") && !why.contains('\n'), "{it:?}: {why}");
            assert!(why.chars().all(|it| !it.is_control() && !invisible(it)), "{why:?}");
        }
    }

    #[test]
    fn names_that_differ_in_case_alone_collide() {
        let names = |it: &[&str]| collision(it.iter().map(|it| ((*it).to_owned(), format!("table `{it}`"))));
        assert_eq!(names(&["a", "b"]), None);
        let (name, first, second) = names(&["Table", "b", "taBle"]).unwrap();
        assert_eq!(
            (name.as_str(), first.as_str(), second.as_str()),
            ("taBle", "table `Table`", "table `taBle`")
        );
    }
}

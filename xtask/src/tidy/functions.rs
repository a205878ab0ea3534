//! Functions and their lengths, found by indentation, which rustfmt guarantees.

/// A function as it stands in a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// From one.
    pub line: usize,
    /// Signature and closing brace included.
    pub lines: usize,
}

/// Functions of a file; those inside another function count on their own and for it too.
pub fn functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some((indent, name)) = signature(line) else { continue };
        let body = lines.get(start..).unwrap_or_default();
        let closes = |it: &&str| it.starts_with(indent) && it.get(indent.len()..) == Some("}");
        let without_body = body.iter().take_while(|it| !it.ends_with('{')).any(|it| it.ends_with(';'));
        if without_body || line.ends_with('}') {
            continue;
        }
        if let Some(last) = body.iter().position(closes) {
            found.push(Function { name: name.to_owned(), line: start + 1, lines: last + 1 });
        }
    }
    found
}

/// Indentation and name, if a function starts in this line.
fn signature(line: &str) -> Option<(&str, &str)> {
    let code = line.trim_start();
    let indent = line.get(..line.len() - code.len())?;
    let mut rest = code;
    loop {
        if let Some(after) = rest.strip_prefix("fn ") {
            let end = after.find(|it: char| !it.is_alphanumeric() && it != '_')?;
            return Some((indent, after.get(..end)?));
        }
        let (word, after) = rest.split_once(' ')?;
        let modifier = matches!(word, "pub" | "const" | "async" | "unsafe") || word.starts_with("pub(");
        rest = modifier.then_some(after)?;
    }
}

#[test]
fn lengths_and_names_are_found() {
    let text = "\
pub(crate) const fn one(
    a: u8,
) -> u8 {
    a
}
trait T {
    fn only_declared(
        &self,
    );
    fn inner(&self) {
        if true {
        }
    }
    fn short(&self) {}
}
let text = \"fn not one() {\";
";
    let found = functions(text);
    let found: Vec<(&str, usize, usize)> =
        found.iter().map(|it| (it.name.as_str(), it.line, it.lines)).collect();
    assert_eq!(found, [("one", 1, 5), ("inner", 10, 4)]);
}

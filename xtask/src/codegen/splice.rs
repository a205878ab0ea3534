//! A generated part inside a file that people write.

use crate::stop::{Outcome, Stop};

/// The text with everything between two marker lines replaced by `part`.
pub fn splice(path: &str, text: &str, markers: (&str, &str), part: &str) -> Outcome<String> {
    let (start, end) = markers;
    let missing = |marker: &str| Stop::failed(format!("{path}: no line `{marker}`"));
    let (before, rest) = split_at_line(text, start).ok_or_else(|| missing(start))?;
    let (_, after) = split_at_line(rest, end).ok_or_else(|| missing(end))?;
    Ok(format!("{before}{start}\n{part}{end}\n{after}"))
}

/// What stands before and after a line.
fn split_at_line<'t>(text: &'t str, line: &str) -> Option<(&'t str, &'t str)> {
    let mut start = 0;
    for it in text.split_inclusive('\n') {
        let end = start + it.len();
        if it.trim_end() == line {
            return Some((&text[..start], &text[end..]));
        }
        start = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let markers = ("# a", "# b");
        let text = "x\n# a\nold\nolder\n# b\ny\n";
        let new = splice("f", text, markers, "new\n").unwrap();
        assert_eq!(new, "x\n# a\nnew\n# b\ny\n");
        assert_eq!(splice("f", &new, markers, "new\n").unwrap(), new);
        assert_eq!(splice("f", "# b\n# a\n", markers, "").unwrap_err().message, "f: no line `# b`");
    }
}

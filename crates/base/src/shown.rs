//! Text of others inside our sentences: cells, labels and names of files as messages show them.

use std::fmt::Write;

/// Characters of a cell that a message shows.
const LONGEST_CELL: usize = 80;

/// Characters of a whole message; what decoders and parsers report can hold a file's content.
const LONGEST_MESSAGE: usize = 4000;

/// A cell, label or name as a message shows it: control characters are escaped, what is long is cut.
pub fn shown(text: &str) -> String {
    cut(text, LONGEST_CELL, |_| false)
}

/// A whole message, cut; the stream it goes to escapes what a terminal would obey.
pub fn shown_message(text: &str) -> String {
    cut(text, LONGEST_MESSAGE, |_| true)
}

fn cut(text: &str, longest: usize, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    for (at, it) in text.chars().enumerate() {
        if at == longest {
            let more = text.chars().count() - longest;
            out.push_str(&format!("... ({more} more characters)"));
            break;
        }
        if is_invisible(it) && !keep(it) {
            let _ = write!(out, "\\u{:04x}", u32::from(it));
        } else {
            out.push(it);
        }
    }
    out
}

/// Control characters, and those that turn the direction of the text after them.
fn is_invisible(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_cut_and_escaped() {
        assert_eq!(shown("Namibia"), "Namibia");
        assert_eq!(shown("a\u{1b}[31m\nb"), r"a\u001b[31m\u000ab");
        let long = shown(&"é".repeat(300_000));
        assert!(long.ends_with("... (299920 more characters)") && long.chars().count() < 120, "{long}");
        assert_eq!(shown_message("y ~ x\n    ^"), "y ~ x\n    ^");
        assert!(shown_message(&"\u{7}".repeat(300_000)).len() < 5_000);
    }
}

//! Control characters made visible: names and labels come from files, and what is printed must not steer a terminal,
//! break a page or show text in another order than it has.

use std::borrow::Cow;

/// The text with every control character but line breaks and tabs as `\u001b`, which JSON reads as that character.
///
/// Marks that turn the direction of text are among them; those of single letters (joiners) are not.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // Embeddings, overrides and isolates; characters that XML cannot hold.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => true,
        it => it.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_everything_else_is_left_alone() {
        let plain = "a\tb\nβ 城 e\u{301} \u{200d}";
        assert!(matches!(visible(plain), Cow::Borrowed(it) if it == plain));
        let hidden = "\u{1b}[31mred\u{7f}\u{85}\u{202e}\r\0";
        assert_eq!(visible(hidden), r"\u001b[31mred\u007f\u0085\u202e\u000d\u0000");
    }
}

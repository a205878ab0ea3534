//! Text between marks that is read back the same.

use std::fmt::{self, Write};

/// The text between two of the mark, with `\` before the mark and before `\` inside.
#[derive(Clone, Copy, Debug)]
pub struct InMarks<'t>(pub &'t str, pub char);

impl fmt::Display for InMarks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InMarks(content, mark) = *self;
        f.write_char(mark)?;
        for character in content.chars() {
            if character == mark || character == '\\' {
                f.write_char('\\')?;
            }
            f.write_char(character)?;
        }
        f.write_char(mark)
    }
}

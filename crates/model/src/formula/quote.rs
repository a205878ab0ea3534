//! How names, numbers and texts are written so that they are read back the same.

use std::fmt;

use parallax_base::InMarks;

use super::lexer::{is_name_part, is_name_start};

/// A column name, in back-ticks when it would not be read as one name otherwise.
pub(super) struct Quoted<'n>(pub &'n str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_plain(self.0) { f.write_str(self.0) } else { write!(f, "{}", InMarks(self.0, '`')) }
    }
}

/// Text between double quotes.
pub(super) struct Text<'t>(pub &'t str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", InMarks(self.0, '"'))
    }
}

/// A number in the fewest digits that give the same number back.
pub(super) struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if size != 0.0 && !(1e-5..1e15).contains(&size) {
            write!(f, "{:e}", self.0)
        } else {
            write!(f, "{}", self.0)
        }
    }
}

/// Names that mean something else when they stand bare.
pub(super) const CONSTANTS: [&str; 4] = ["TRUE", "FALSE", "NA", "."];

fn is_plain(name: &str) -> bool {
    let mut characters = name.chars();
    let starts = characters.next().is_some_and(is_name_start);
    // `.5` would be a number.
    let number = name.starts_with('.') && name.chars().nth(1).is_some_and(|it| it.is_ascii_digit());
    starts && !number && characters.all(is_name_part) && !CONSTANTS.contains(&name)
}

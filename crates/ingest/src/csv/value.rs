//! What one field of a text file means.

use super::records::Field;
use crate::{
    missing::{Missing, is_missing_word},
    time::days_from_civil,
};

/// A field in a column of numbers, truth values or dates.
pub(super) enum Plain<'f> {
    /// Nothing between the delimiters.
    Blank,
    /// A word for missing, quoted or not; the empty word is `""`.
    Absent(&'f str),
    /// Something else, trimmed.
    Value(&'f str),
}

/// A field in a column of text.
pub(super) enum Text<'f> {
    /// Nothing between the delimiters.
    Blank,
    /// A word for missing; the empty word is `""`.
    Absent(&'f str),
    /// Text as it stands in the file.
    Value(&'f str),
}

/// What a field is where all others are numbers: the words for missing are missing, quoted or not.
pub(super) fn plain<'f>(field: Field<'f>, missing: &Missing) -> Plain<'f> {
    let text = field.text.trim();
    if text.is_empty() {
        if field.quoted { Plain::Absent("") } else { Plain::Blank }
    } else if is_missing_word(text) || missing.names(text) {
        Plain::Absent(text)
    } else {
        Plain::Value(text)
    }
}

/// What a field is in a column of text: what stands in quotes is a value, but for the empty string and the words that
/// the user names.
pub(super) fn text<'f>(field: Field<'f>, missing: &Missing) -> Text<'f> {
    let trimmed = field.text.trim();
    if field.text.is_empty() && field.quoted {
        Text::Absent("")
    } else if trimmed.is_empty() && !field.quoted {
        Text::Blank
    } else if missing.names(trimmed) || !field.quoted && is_missing_word(trimmed) {
        Text::Absent(trimmed)
    } else {
        Text::Value(field.text)
    }
}

/// True for whole numbers written as codes are, `01` or `007`: as numbers they would lose what tells them apart.
pub(super) fn has_leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    2 <= digits.len() && digits.starts_with('0') && digits.bytes().all(|it| it.is_ascii_digit())
}

/// A number in plain or scientific notation. Infinity counts as a number, so that it can be refused by name.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    // Rust also reads `nan`; a signed one is no missing marker and no number.
    text.parse().ok().filter(|it: &f64| !it.is_nan())
}

/// `true` and `false` in the ways that programs write them.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Days since 1970-01-01 of a date `YYYY-MM-DD`.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    let digits = |from: usize, to: usize| {
        let part = text.get(from..to)?;
        part.bytes().all(|it| it.is_ascii_digit()).then(|| part.parse::<i32>().ok())?
    };
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    days_from_civil(digits(0, 4)?, digits(5, 7)?, digits(8, 10)?)
}

/// A whole number written with digits only.
pub(super) fn parse_whole(text: &str) -> Option<i128> {
    text.parse().ok()
}

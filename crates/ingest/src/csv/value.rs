//! What one field of a text file means.

use crate::time::days_from_civil;

/// True for the ways of writing a missing value: nothing, R's, pandas', databases' and Stata's.
pub(super) fn is_missing(text: &str) -> bool {
    matches!(text, "" | "NA" | "N/A" | "NaN" | "nan" | "null" | "NULL" | ".")
}

/// A number in plain or scientific notation. Infinity counts as a number, so that it can be refused by name.
pub(super) fn parse_number(text: &str) -> Option<f64> {
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

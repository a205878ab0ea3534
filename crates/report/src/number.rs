//! Numbers as a reader sees them: correctly rounded, never a negative zero.

use serde::{Deserialize, Serialize};

/// How many digits of a number are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Digits {
    /// A fixed number of digits after the point, as journals print: `Decimals(3)` gives `32.010`.
    Decimals(u8),
    /// So many digits from the first that is not zero; zeros at the end are dropped, as `%g` does.
    Significant(u8),
}

/// The number as text, rounded half to even on the exact binary value.
///
/// A missing number (NaN) is no text at all; infinities are `inf` and `-inf`. A value
/// that rounds to zero has no sign. Exponents appear from 1e15 upwards in both forms, and below
/// 1e-5 when significant digits are asked for.
pub fn format_number(value: f64, digits: Digits) -> String {
    if value.is_nan() {
        return String::new();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf".to_owned() } else { "inf".to_owned() };
    }
    match digits {
        Digits::Decimals(n) if value.abs() < EXPONENT_FROM => fixed(value, usize::from(n)),
        // Hundreds of digits before the point would only break the layout.
        Digits::Decimals(_) => significant(value, FALLBACK_DIGITS),
        Digits::Significant(n) => significant(value, usize::from(n)),
    }
}

/// A count with commas between thousands: `3,108`.
pub fn format_count(count: u64) -> String {
    let figures = count.to_string();
    let mut text = String::new();
    for (i, figure) in figures.chars().enumerate() {
        if 0 < i && (figures.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(figure);
    }
    text
}

const EXPONENT_FROM: f64 = 1e15;
const FALLBACK_DIGITS: usize = 6;

fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if !rest.bytes().any(|it| matches!(it, b'1'..=b'9')) => rest.to_owned(),
        _ => text,
    }
}

/// The standard library rounds once, in exponent form; the digits are then only put in place, so
/// that no number is rounded twice.
fn significant(value: f64, digits: usize) -> String {
    let rounded = format!("{value:.*e}", digits.max(1) - 1);
    let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let figures: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let figures = figures.trim_end_matches('0');
    if figures.is_empty() {
        return "0".to_owned();
    }
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    format!("{sign}{}", place_point(figures, exponent))
}

fn place_point(figures: &str, exponent: i32) -> String {
    let (first, rest) = figures.split_at(1);
    match exponent {
        ..-5 | 15.. if rest.is_empty() => format!("{first}e{exponent}"),
        ..-5 | 15.. => format!("{first}.{rest}e{exponent}"),
        -5..0 => format!("0.{}{figures}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        0..15 => {
            let whole = exponent.unsigned_abs() as usize + 1;
            match figures.split_at_checked(whole) {
                Some((whole, "")) => whole.to_owned(),
                Some((whole, part)) => format!("{whole}.{part}"),
                None => format!("{figures}{}", "0".repeat(whole - figures.len())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_fixed_and_zero_has_no_sign() {
        let text = |value| format_number(value, Digits::Decimals(3));
        assert_eq!(text(32.01), "32.010");
        assert_eq!(text(-25.13), "-25.130");
        assert_eq!(text(-0.0004), "0.000");
        assert_eq!(text(-0.0), "0.000");
        assert_eq!(text(f64::NAN), "");
        assert_eq!(text(f64::NEG_INFINITY), "-inf");
        assert_eq!(text(1e300), "1e300");
        assert_eq!(format_number(0.125, Digits::Decimals(2)), "0.12");
        assert_eq!(format_number(0.375, Digits::Decimals(2)), "0.38");
        assert_eq!(format_number(-0.4, Digits::Decimals(0)), "0");
    }

    #[test]
    fn significant_digits_avoid_exponents_where_they_can() {
        let text = |value| format_number(value, Digits::Significant(6));
        assert_eq!(text(4.9671234), "4.96712");
        assert_eq!(text(0.0), "0");
        assert_eq!(text(-0.0), "0");
        assert_eq!(text(1.0), "1");
        assert_eq!(text(-24.5), "-24.5");
        assert_eq!(text(123_456_789.0), "123457000");
        assert_eq!(text(999_999.5), "1000000");
        assert_eq!(text(0.099_999_96), "0.1");
        assert_eq!(text(0.000_012_345_678), "0.0000123457");
        assert_eq!(text(0.000_009_5), "9.5e-6");
        assert_eq!(text(123_456_789_012_345.0), "123457000000000");
        assert_eq!(text(1e15), "1e15");
        assert_eq!(text(-1.234_567_8e-9), "-1.23457e-9");
        assert_eq!(format_number(0.096, Digits::Significant(0)), "0.1");
    }

    #[test]
    fn counts_have_thousands() {
        assert_eq!(format_count(0), "0");
        assert_eq!(format_count(259), "259");
        assert_eq!(format_count(3108), "3,108");
        assert_eq!(format_count(1_234_567), "1,234,567");
    }

    proptest! {
        #[test]
        fn significant_text_is_the_rounded_number(value in prop::num::f64::NORMAL, n in 1_u8..17) {
            let text = format_number(value, Digits::Significant(n));
            let direct: f64 = format!("{value:.*e}", usize::from(n) - 1).parse().unwrap();
            prop_assert_eq!(text.parse::<f64>().unwrap(), direct);
        }

        #[test]
        fn no_negative_zero(value in -1.0_f64..1.0, n in 0_u8..6) {
            let text = format_number(value, Digits::Decimals(n));
            prop_assert!(!text.starts_with('-') || text.parse::<f64>().unwrap() != 0.0);
        }
    }
}

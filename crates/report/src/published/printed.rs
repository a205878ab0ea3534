//! A printed number: its value, and how exactly it is printed.

use thiserror::Error;

use crate::number::{Digits, format_number};

/// A number in binary has no more digits than these.
const MOST_DIGITS: i32 = 17;

/// A number with the position of its last printed digit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Printed {
    /// The number.
    pub value: f64,
    /// The power of ten of the last printed digit: -3 for `0.018`, 0 for `3,108`.
    pub last_digit: i32,
}

/// A text that is no printed number.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is not a number")]
pub struct Unparsable {
    /// As printed.
    pub text: String,
}

/// Reads a number as papers print it.
///
/// Understood are `3,108`, `.182`, `-25.130`, `−5.8`, `(0.018)`, `[0.018]`, `1.2e-3`, and stars at
/// the end. Parentheses stand for nothing: they surround standard errors. Commas separate thousands
/// and must stand where thousands are, so that the decimal comma of `0,018` is not misread.
pub fn parse_printed(text: &str) -> Result<Printed, Unparsable> {
    number(text).ok_or_else(|| Unparsable { text: text.to_owned() })
}

impl Printed {
    /// Whether `ours`, rounded to the printed digits, is the printed number; a tie is accepted both
    /// ways, because programs disagree about ties.
    pub fn is_rounding_of(&self, ours: f64) -> bool {
        // The slack is that of reading and subtracting decimals in binary, nothing more.
        let slack = 4.0 * f64::EPSILON * self.value.abs().max(ours.abs());
        (ours - self.value).abs() <= self.half_unit() + slack
    }

    /// The digits that show as much of `ours` as print shows of its own number, and no fewer than six.
    pub fn digits_for(&self, ours: f64) -> Digits {
        const LEAST: i32 = 6;
        // The power of ten of the first digit.
        let first = if ours == 0.0 { 0 } else { ours.abs().log10().floor() as i32 };
        let wanted = (first - self.last_digit).saturating_add(1);
        let significant = Digits::Significant(wanted.clamp(LEAST, MOST_DIGITS) as u8);
        // Zeros at the end are dropped there, but not those that print shows.
        let text = format_number(ours, significant);
        let decimals = text.split_once('.').map_or(0, |it| it.1.len() as i32);
        if decimals < -self.last_digit && -self.last_digit <= MOST_DIGITS && !text.contains('e') {
            return Digits::Decimals(-self.last_digit as u8);
        }
        significant
    }

    /// Half a unit of the last printed digit.
    fn half_unit(&self) -> f64 {
        // Parsing rounds correctly, powers of ten by multiplication do not.
        format!("5e{}", self.last_digit - 1).parse().unwrap_or(0.0)
    }
}

fn number(text: &str) -> Option<Printed> {
    let text = text.trim().trim_end_matches('*').trim_end();
    let text = unwrapped(text).trim().trim_end_matches('*');
    let (sign, unsigned) = match text.strip_prefix(['-', '−', '–']) {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.replace('−', "-").parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = without_commas(whole)?;
    let digits = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    if !digits(&whole) || !digits(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let value: f64 = format!("{sign}{whole}.{part}e{exponent}").parse().ok()?;
    let last_digit = exponent.checked_sub(i32::try_from(part.len()).ok()?)?;
    value.is_finite().then_some(Printed { value, last_digit })
}

fn unwrapped(text: &str) -> &str {
    let within = |open, close| text.strip_prefix(open).and_then(|it: &str| it.strip_suffix(close));
    within('(', ')').or_else(|| within('[', ']')).unwrap_or(text)
}

fn without_commas(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let led = (1..=3).contains(&first.len()) && !first.starts_with('0');
    let fits = rest.is_empty() || (led && rest.iter().all(|it| it.len() == 3));
    fits.then(|| format!("{first}{}", rest.concat()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn printed_forms_are_read() {
        let read = |text| parse_printed(text).map(|it| (it.value, it.last_digit)).ok();
        assert_eq!(read("3,108"), Some((3108.0, 0)));
        assert_eq!(read("1,234,567.5"), Some((1_234_567.5, -1)));
        assert_eq!(read(".182"), Some((0.182, -3)));
        assert_eq!(read("0.0919"), Some((0.0919, -4)));
        assert_eq!(read("-25.130"), Some((-25.13, -3)));
        assert_eq!(read("−5.8"), Some((-5.8, -1)));
        assert_eq!(read("(0.018)"), Some((0.018, -3)));
        assert_eq!(read("[-0.018]"), Some((-0.018, -3)));
        assert_eq!(read("1.2e-3"), Some((0.0012, -4)));
        assert_eq!(read("2E3"), Some((2000.0, 3)));
        assert_eq!(read(" 4.967*** "), Some((4.967, -3)));
        assert_eq!(read("4.967 **"), Some((4.967, -3)));
        assert_eq!(read("5."), Some((5.0, 0)));
        assert_eq!(read("+1"), Some((1.0, 0)));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "", "YES", "-", ".", "***", "0,018", "31,08", "1,2345", "1.2.3", "o.018", "5%", "(1", "1e",
            "--1", "1e999", "inf", "NaN",
        ] {
            assert!(parse_printed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ties_are_accepted_both_ways() {
        let fits = |text, ours| parse_printed(text).unwrap().is_rounding_of(ours);
        assert!(fits("0.182", 0.1825) && fits("0.183", 0.1825));
        assert!(fits("2", 2.5) && fits("3", 2.5));
        assert!(fits("-0.5", -0.45) && fits("-0.4", -0.45));
        assert!(!fits("0.182", 0.182_51) && !fits("0.183", 0.182_49));
        assert!(fits("230", 230.4) && !fits("230", 0.355) && !fits("1", f64::NAN));
    }

    proptest! {
        /// Ours never has fewer digits than print, so that a difference print can show is seen.
        #[test]
        fn ours_has_as_many_digits_as_print(value in -1e9..1e9_f64, n in 0_u8..=9, near in -1e-3..1e-3_f64) {
            let text = format_number(value, Digits::Decimals(n));
            let printed = parse_printed(&text).unwrap();
            let ours = printed.value + near;
            let shown: f64 = format_number(ours, printed.digits_for(ours)).parse().unwrap();
            let decimals = |it: &str| it.split_once('.').map_or(0, |it| it.1.len());
            let same = format_number(printed.value, printed.digits_for(printed.value));
            prop_assert!(decimals(&text) <= decimals(&same), "{text} {same}");
            prop_assert!((shown - ours).abs() <= printed.half_unit() * (1.0 + 1e-9) + ours.abs() * f64::EPSILON, "{text} {ours} {shown}");
        }

        /// What we would print with as many digits is what is printed, if and only if it matches;
        /// ties, where two texts match, are left to the test above.
        #[test]
        fn matching_is_rounding(ours in -1e6..1e6_f64, shift in -3_i32..=3, n in 0_u8..=6) {
            let unit = 10_f64.powi(-i32::from(n));
            let in_units = (ours.abs() / unit).fract();
            prop_assume!((in_units - 0.5).abs() > 1e-3);
            let text = format_number(ours + f64::from(shift) * unit / 2.0, Digits::Decimals(n));
            let same = text == format_number(ours, Digits::Decimals(n));
            prop_assert_eq!(parse_printed(&text).unwrap().is_rounding_of(ours), same);
        }

        #[test]
        fn what_we_print_is_read_back(value in -1e9..1e9_f64, n in 0_u8..=9) {
            let text = format_number(value, Digits::Decimals(n));
            let printed = parse_printed(&text).unwrap();
            prop_assert_eq!(printed.value, text.parse::<f64>().unwrap());
            prop_assert_eq!(printed.last_digit, -i32::from(n));
        }
    }
}

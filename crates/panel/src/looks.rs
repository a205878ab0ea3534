//! Text that looks like numbers in a dress that no program reads as numbers without being told.

use crate::{Codes, Labels, MISSING};

/// A column of text whose cells are numbers to a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberText {
    /// A row, from 0, that shows it: where numbers are dressed the first of them, else the first text that is no number,
    /// else the first row with text.
    pub row: usize,
    /// The text of that row.
    pub example: String,
    /// Cells with text that does not look like a number.
    pub others: usize,
    /// What keeps most of them from being numbers.
    pub dress: Dress,
}

/// What keeps a text that is a number to a reader from being one to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Dress {
    /// Nothing: the file stores numbers as text.
    Plain,
    /// Whole numbers begin with zeros, as codes do.
    LeadingZeros,
    /// `0,5`.
    DecimalComma,
    /// `1,234,567` or `1,234.5`.
    CommaThousands,
    /// `4,000`: four thousand, or four with three decimals.
    EitherComma,
    /// `1.234.567` or `1.234,5`.
    PointThousands,
    /// `1 234` or `1'234`.
    SpacedThousands,
    /// `10%`.
    Percent,
    /// `$5` or `5 EUR`.
    Currency,
    /// `5k`, `3 bn`.
    Magnitude,
    /// Digits of full width or of another script.
    OtherDigits,
    /// `(5)`, `5-`, or a dash in place of the minus sign.
    OtherMinus,
    /// `0.5*`.
    Marks,
}

/// What a column of text looks like, when more than half of its cells look like numbers.
pub fn number_text(codes: &Codes) -> Option<NumberText> {
    let (Labels::Text(labels) | Labels::Combined(labels)) = &*codes.labels else { return None };
    let dresses: Vec<Option<Dress>> = labels.iter().map(|it| dress(it)).collect();
    let (mut others, mut numbers, mut first, mut first_dressed) = (0_usize, 0_usize, None, None);
    let mut first_other = None;
    let mut counts: Vec<(Dress, usize)> = Vec::new();
    for (row, &code) in codes.code.iter().enumerate() {
        if code == MISSING {
            continue;
        }
        let Some(dress) = dresses.get(code as usize).copied().flatten() else {
            others += 1;
            first_other.get_or_insert(row);
            continue;
        };
        numbers += 1;
        first.get_or_insert(row);
        if dress == Dress::Plain {
            continue;
        }
        first_dressed.get_or_insert(row);
        match counts.iter_mut().find(|(it, _)| *it == dress) {
            Some((_, count)) => *count += 1,
            None => counts.push((dress, 1)),
        }
    }
    let row = first_dressed.or(first_other).or(first)?;
    if numbers <= others {
        return None;
    }
    let example = labels.get(*codes.code.get(row)? as usize)?.trim().to_owned();
    Some(NumberText { row, example, others, dress: settled(&counts) })
}

/// The most frequent dress; commas that can be read both ways are read as the column's other commas are.
fn settled(counts: &[(Dress, usize)]) -> Dress {
    let has = |dress| counts.iter().any(|(it, _)| *it == dress);
    match counts.iter().max_by_key(|(dress, count)| (*count, *dress)).map(|it| it.0) {
        None => Dress::Plain,
        Some(Dress::EitherComma | Dress::DecimalComma | Dress::CommaThousands) => {
            match (has(Dress::DecimalComma), has(Dress::CommaThousands)) {
                (true, false) => Dress::DecimalComma,
                (false, true) => Dress::CommaThousands,
                _ => Dress::EitherComma,
            }
        }
        Some(it) => it,
    }
}

impl NumberText {
    /// What the text looks like, and what to do, after the name of the column.
    pub fn advice(&self) -> String {
        match self.dress {
            Dress::Plain if 0 < self.others => {
                let are = if self.others == 1 { "cell is not a number" } else { "cells are not numbers" };
                format!(
                    "{} {are}, while most are; correct them, leave them empty, or name their words with --missing",
                    self.others
                )
            }
            Dress::Plain => "all its values read as numbers, so store it as numbers".to_owned(),
            Dress::LeadingZeros => "it looks like codes with leading zeros; remove the zeros if they are quantities".to_owned(),
            Dress::DecimalComma => {
                "it looks like numbers with decimal commas; write decimal points instead".to_owned()
            }
            Dress::CommaThousands => {
                "it looks like numbers with commas between thousands; remove these commas".to_owned()
            }
            Dress::EitherComma => format!(
                "it looks like numbers with commas, which either stand between thousands or are decimal commas ({}); write \
                 the numbers without commas, as they are meant",
                both_readings(&self.example)
            ),
            Dress::PointThousands => {
                "it looks like numbers with points between thousands; remove these points, and write a decimal comma as a \
                 point"
                    .to_owned()
            }
            Dress::SpacedThousands => {
                "it looks like numbers with spaces or apostrophes between thousands; remove them".to_owned()
            }
            Dress::Percent => "it looks like percentages; remove the percent signs".to_owned(),
            Dress::Currency => "it looks like amounts of money; remove the currency".to_owned(),
            Dress::Magnitude => "it looks like numbers with a unit of size; write them in full".to_owned(),
            Dress::OtherDigits => "it looks like numbers in digits of full width or of another script; write 0 to 9".to_owned(),
            Dress::OtherMinus => {
                "it looks like negative numbers written in another way; write a minus sign (`-`) before the number".to_owned()
            }
            Dress::Marks => "it looks like numbers with marks after them; remove the marks".to_owned(),
        }
    }
}

/// `4,000` as both numbers it can be.
fn both_readings(example: &str) -> String {
    let Some((whole, rest)) = example.split_once(',') else { return "both occur".to_owned() };
    let decimals = rest.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("`{example}` is {whole}{rest} or {whole}{point}{decimals}")
}

/// What a text is as a number, or `None` when it is none.
pub(crate) fn dress(text: &str) -> Option<Dress> {
    const LONGEST: usize = 60;
    if LONGEST < text.len() {
        return None;
    }
    let (text, other_digits) = with_our_digits(text.trim());
    let mut found = if other_digits { Some(Dress::OtherDigits) } else { None };
    let mut rest = text.as_str();
    for strip in [stripped_minus, stripped_percent, stripped_currency, stripped_magnitude, stripped_marks] {
        if let Some((less, dress)) = strip(rest) {
            rest = less;
            found = found.or(Some(dress));
        }
    }
    let bare = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    let inner = separated(bare.trim())?;
    Some(found.unwrap_or(inner))
}

/// Digits, points, commas and signs of full width and digits of other scripts, as ASCII.
fn with_our_digits(text: &str) -> (String, bool) {
    let mut changed = false;
    let ours = |it: char| {
        let code = u32::from(it);
        let new = match code {
            0xff01..=0xff5e => char::from_u32(code - 0xfee0),
            0x0660..=0x0669 => char::from_digit(code - 0x0660, 10),
            0x06f0..=0x06f9 => char::from_digit(code - 0x06f0, 10),
            0x0966..=0x096f => char::from_digit(code - 0x0966, 10),
            0x066b => Some('.'),
            _ => None,
        };
        changed |= new.is_some();
        new.unwrap_or(it)
    };
    let text = text.chars().map(ours).collect();
    (text, changed)
}

fn stripped_minus(text: &str) -> Option<(&str, Dress)> {
    let inside = text.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
    let before = text.strip_prefix(['\u{2212}', '\u{2013}', '\u{2012}', '\u{ff0d}']);
    let after = text.strip_suffix('-').filter(|it| !it.is_empty());
    inside.or(before).or(after).map(|it| (it.trim(), Dress::OtherMinus))
}

fn stripped_percent(text: &str) -> Option<(&str, Dress)> {
    text.strip_suffix(['%', '\u{2030}', '\u{066a}']).map(|it| (it.trim(), Dress::Percent))
}

fn stripped_currency(text: &str) -> Option<(&str, Dress)> {
    const SIGNS: [char; 10] = ['$', '€', '£', '¥', '₹', '₩', '₽', '元', '円', '￥'];
    const CODES: [&str; 14] =
        ["USD", "EUR", "GBP", "JPY", "CNY", "RMB", "CHF", "INR", "Rs.", "Rs", "kr", "R$", "US$", "zł"];
    let body = text.strip_prefix('-').unwrap_or(text);
    let mut found = body.strip_prefix(SIGNS).or_else(|| body.strip_suffix(SIGNS));
    for code in CODES {
        found = body.strip_prefix(code).or_else(|| body.strip_suffix(code)).or(found);
    }
    found.map(|it| (it.trim(), Dress::Currency))
}

fn stripped_magnitude(text: &str) -> Option<(&str, Dress)> {
    const UNITS: [&str; 13] =
        ["bn", "mn", "mio", "mil", "thousand", "million", "billion", "k", "K", "M", "B", "万", "亿"];
    UNITS.iter().find_map(|it| text.strip_suffix(it)).map(|it| (it.trim(), Dress::Magnitude))
}

fn stripped_marks(text: &str) -> Option<(&str, Dress)> {
    let less = text.trim_end_matches(['*', '†', '‡']);
    (less.len() < text.len()).then(|| (less.trim(), Dress::Marks))
}

/// Digits with separators, without sign.
fn separated(text: &str) -> Option<Dress> {
    if !text.starts_with(|it: char| it.is_ascii_digit() || it == '.' || it == ',') {
        return None;
    }
    if text.parse::<f64>().is_ok() {
        let codes = 2 <= text.len() && text.starts_with('0') && text.bytes().all(|it| it.is_ascii_digit());
        return Some(if codes { Dress::LeadingZeros } else { Dress::Plain });
    }
    let spaces = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '’', '_'];
    if let Some(separator) = spaces.into_iter().find(|it| text.contains(*it)) {
        let end = text.find(['.', ',']).unwrap_or(text.len());
        let (whole, rest) = text.split_at(end);
        let decimals = rest.is_empty() || rest.get(1..).is_some_and(digits_only);
        return (grouped(whole, separator) && decimals).then_some(Dress::SpacedThousands);
    }
    let (commas, points) = (text.matches(',').count(), text.matches('.').count());
    match (commas, points) {
        (1, 0) => {
            let (whole, decimals) = text.split_once(',')?;
            let mantissa = text.replacen(',', ".", 1);
            if grouped(text, ',') && !whole.starts_with('0') {
                Some(Dress::EitherComma)
            } else {
                (mantissa.parse::<f64>().is_ok() && !decimals.is_empty()).then_some(Dress::DecimalComma)
            }
        }
        (2.., 0) => grouped(text, ',').then_some(Dress::CommaThousands),
        (0, 2..) => grouped(text, '.').then_some(Dress::PointThousands),
        (1.., 1) if text.rfind(',') < text.find('.') => {
            let (whole, decimals) = text.split_once('.')?;
            (grouped(whole, ',') && digits_only(decimals)).then_some(Dress::CommaThousands)
        }
        (1, 1..) => {
            let (whole, decimals) = text.split_once(',')?;
            (grouped(whole, '.') && digits_only(decimals)).then_some(Dress::PointThousands)
        }
        _ => None,
    }
}

/// One to three digits, then groups of three.
fn grouped(text: &str, separator: char) -> bool {
    let mut parts = text.split(separator);
    let first = parts.next().is_some_and(|it| (1..=3).contains(&it.len()) && digits_only(it));
    let mut others = 0;
    first
        && parts.all(|it| {
            others += 1;
            it.len() == 3 && digits_only(it)
        })
        && 0 < others
}

fn digits_only(text: &str) -> bool {
    text.bytes().all(|it| it.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{dress as shape, *};

    fn column(texts: &[&str]) -> Option<NumberText> {
        number_text(&Codes::from_text(texts.iter().map(|it| Some(*it))))
    }

    #[test]
    fn every_dress_is_recognised() {
        let cases = [
            (Dress::Plain, ["1", "-2.5", "1e5"]),
            (Dress::LeadingZeros, ["01", "007", "00"]),
            (Dress::DecimalComma, ["0,5", "-1,25", "12345,678"]),
            (Dress::CommaThousands, ["1,074,512", "1,234.5", "-1,234,567.25"]),
            (Dress::EitherComma, ["4,000", "-14,300", "999,999"]),
            (Dress::PointThousands, ["1.234.567", "1.234,5", "12.345.678,9"]),
            (Dress::SpacedThousands, ["1 234", "1'234'567.5", "12\u{202f}345,7"]),
            (Dress::Percent, ["10%", "-0.4 %", "1,5%"]),
            (Dress::Currency, ["$5", "-$1,234", "5 EUR"]),
            (Dress::Magnitude, ["5k", "3.5 bn", "-2M"]),
            (Dress::OtherDigits, ["０.６６", "-１.４", "٣٤"]),
            (Dress::OtherMinus, ["(5)", "−0.5", "12-"]),
            (Dress::Marks, ["0.5*", "-1.2***", "3†"]),
        ];
        for (dress, texts) in cases {
            for text in texts {
                assert_eq!(shape(text), Some(dress), "{text}");
            }
        }
        for text in [
            "",
            "a",
            "A1",
            "65+",
            "<5",
            "1-2",
            "2011-01-01",
            "1/2",
            "-",
            ".",
            ",",
            "1,,2",
            "k",
            "%",
            "$",
            "()",
            "1 2",
            "12 34",
            "inf",
            "nan",
        ] {
            assert_eq!(shape(text), None, "{text}");
        }
    }

    #[test]
    fn commas_are_read_as_the_column_reads_them() {
        let dress = |texts: &[&str]| column(texts).map(|it| it.dress);
        assert_eq!(dress(&["4,000", "3,800"]), Some(Dress::EitherComma));
        assert_eq!(dress(&["4,000", "1,074,512"]), Some(Dress::CommaThousands));
        assert_eq!(dress(&["4,000", "3,81"]), Some(Dress::DecimalComma));
        assert_eq!(dress(&["482", "506"]), Some(Dress::Plain));
        let found = column(&["482", "1,012", "506"]).unwrap();
        assert_eq!((found.row, found.example.as_str()), (1, "1,012"));
        assert!(found.advice().contains("`1,012` is 1012 or 1.012"), "{}", found.advice());
        let four = column(&["4,000"]).unwrap().advice();
        assert!(four.contains("`4,000` is 4000 or 4)") && !four.contains("point"), "{four}");
    }

    #[test]
    fn categories_are_no_numbers() {
        assert_eq!(column(&["a", "b", "1"]), None);
        assert_eq!(column(&["1", "2", "3+", "4+"]), None);
        let found = column(&["1", "2", "..", "4"]).unwrap();
        assert_eq!((found.row, found.example.as_str(), found.others), (2, "..", 1));
        assert!(found.advice().starts_with("1 cell is not a number, while most are"), "{}", found.advice());
        assert_eq!(column(&[]), None);
        let mut mostly = vec!["1,5"; 19];
        mostly.push("n.a.");
        assert_eq!(column(&mostly).map(|it| it.dress), Some(Dress::DecimalComma));
    }
}

//! Which texts mean that there is no value: words that programs write, and words that the user names.

use parallax_base::shown;

use crate::{
    csv::{parse_date, parse_number},
    raw::{NO_LONG, Raw},
};
use parallax_panel::MISSING;

/// The user's own words for missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Missing {
    words: Vec<String>,
    numbers: Vec<f64>,
}

/// The words that were read as missing in one column, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Absent {
    words: Vec<(String, usize)>,
}

/// True for the words that programs write for missing: R's, pandas', databases', spreadsheets' and Stata's.
/// The text is trimmed.
pub(crate) fn is_missing_word(text: &str) -> bool {
    match text.as_bytes() {
        [b'.'] => true,
        // Stata's extended missing values.
        [b'.', letter] => letter.is_ascii_lowercase(),
        _ => matches!(
            text,
            "NA" | "N/A"
                | "n/a"
                | "na"
                | "#N/A"
                | "#N/A N/A"
                | "#NA"
                | "<NA>"
                | "NaN"
                | "nan"
                | "NAN"
                | "-NaN"
                | "-nan"
                | "NaT"
                | "None"
                | "NULL"
                | "Null"
                | "null"
        ),
    }
}

impl Missing {
    /// Words that are numbers are found however a file writes the number.
    pub(crate) fn new(words: &[String]) -> Missing {
        let words: Vec<String> = words.iter().map(|it| it.trim().to_owned()).collect();
        Missing { numbers: words.iter().filter_map(|it| parse_number(it)).collect(), words }
    }

    /// Whether the user named this text, which is trimmed.
    pub(crate) fn names(&self, text: &str) -> bool {
        if self.words.is_empty() {
            return false;
        }
        self.words.iter().any(|it| it == text)
            || !self.numbers.is_empty() && parse_number(text).is_some_and(|it| self.numbers.contains(&it))
    }

    /// Makes the user's words missing in a column whose file has types, from a row on.
    pub(crate) fn apply(&self, raw: &mut Raw, from: usize) -> Absent {
        let mut absent = Absent::default();
        match raw {
            _ if self.words.is_empty() => {}
            Raw::Untyped { .. } => {}
            Raw::Real(values) => self.in_numbers(values, from, &self.numbers, &mut absent),
            Raw::Days(values) => {
                let days: Vec<f64> =
                    self.words.iter().filter_map(|it| parse_date(it)).map(f64::from).collect();
                self.in_numbers(values, from, &days, &mut absent);
            }
            Raw::Long(values) => {
                for it in values.iter_mut().skip(from).filter(|it| **it != NO_LONG) {
                    let text = it.to_string();
                    if self.names(&text) {
                        *it = NO_LONG;
                        absent.count(&text);
                    }
                }
            }
            Raw::Text(text) => {
                let named: Vec<bool> = text.texts.iter().map(|it| self.names(it.trim())).collect();
                for code in text.code.iter_mut().skip(from) {
                    if named.get(*code as usize).is_some_and(|it| *it) {
                        absent.count(text.texts.get(*code as usize).map_or("", |it| it.trim()));
                        *code = MISSING;
                    }
                }
            }
        }
        absent
    }

    fn in_numbers(&self, values: &mut [f64], from: usize, wanted: &[f64], absent: &mut Absent) {
        if wanted.is_empty() {
            return;
        }
        for it in values.iter_mut().skip(from).filter(|it| wanted.contains(it)) {
            absent.count(&it.to_string());
            *it = f64::NAN;
        }
    }
}

impl Absent {
    /// One more cell with this word.
    pub(crate) fn count(&mut self, word: &str) {
        self.add(word, 1);
    }

    /// More cells with this word.
    pub(crate) fn add(&mut self, word: &str, cells: usize) {
        if cells == 0 {
            return;
        }
        match self.words.iter_mut().find(|(it, _)| it == word) {
            Some((_, count)) => *count += cells,
            None => self.words.push((word.to_owned(), cells)),
        }
    }

    /// The counts of another file of the same table.
    pub(crate) fn merge(&mut self, other: &Absent) {
        other.words.iter().for_each(|(word, cells)| self.add(word, *cells));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words with their counts: `` `NA` (6), `.a` (1) ``; the empty string, which only quotes show, as `""`.
    pub(crate) fn list(&self) -> String {
        const SHOWN: usize = 8;
        let word = |(word, cells): &(String, usize)| match word.as_str() {
            "" => format!("`\"\"` ({cells})"),
            it => format!("`{}` ({cells})", shown(it)),
        };
        let mut parts: Vec<String> = self.words.iter().take(SHOWN).map(word).collect();
        if SHOWN < self.words.len() {
            parts.push(format!("{} more words", self.words.len() - SHOWN));
        }
        parts.join(", ")
    }
}

//! The type of a text column, guessed from its first value and given up at the first that contradicts.

use super::{
    records::Field,
    value::{Plain, has_leading_zero, parse_bool, parse_date, parse_number, parse_whole, plain},
};
use crate::{
    missing::{Absent, Missing},
    raw::EXACT,
};

/// A column during the first pass.
#[derive(Debug)]
pub(super) struct Guess {
    pub kind: Kind,
    /// Numbers, 0/1 or days; empty for text.
    pub values: Vec<f64>,
    /// Some number is whole and longer than `f64` holds.
    pub long: bool,
    /// All numbers are whole.
    pub whole: bool,
    /// The value that made the column text, with its row.
    pub witness: Option<(usize, String)>,
    /// The first whole number with leading zeros, which makes the column text.
    pub zeros: Option<String>,
    /// What is missing if the column is none of text.
    pub absent: Absent,
    /// A word for missing stood in quotes, which is a value unless the others are numbers.
    quoted_word: bool,
}

/// The types that text can mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but missing values.
    #[default]
    Unknown,
    Number,
    Bool,
    Date,
    Text,
}

impl Guess {
    /// Looks at one more value.
    pub(super) fn offer(&mut self, row: usize, field: Field<'_>, missing: &Missing) {
        if self.kind == Kind::Text {
            return;
        }
        let text = match plain(field, missing) {
            Plain::Blank => return self.values.push(f64::NAN),
            Plain::Absent(word) => {
                self.absent.count(word);
                self.quoted_word |= field.quoted && !word.is_empty() && !missing.names(word);
                return self.values.push(f64::NAN);
            }
            Plain::Value(it) => it,
        };
        if self.kind == Kind::Unknown {
            self.kind = kind_of(text);
        }
        let value = match self.kind {
            Kind::Number if has_leading_zero(text) => {
                self.zeros = Some(text.to_owned());
                None
            }
            Kind::Number => parse_number(text),
            Kind::Bool => parse_bool(text).map(|it| f64::from(u8::from(it))),
            Kind::Date => parse_date(text).map(f64::from),
            Kind::Unknown | Kind::Text => None,
        };
        let Some(value) = value else {
            self.kind = Kind::Text;
            self.values = Vec::new();
            self.witness = Some((row, text.to_owned()));
            return;
        };
        self.whole &= value.fract() == 0.0;
        if EXACT as f64 <= value.abs() {
            self.long |= parse_whole(text).is_some_and(|it| EXACT < it.abs());
        }
        self.values.push(value);
    }

    /// The end of the column: words for missing that stand in quotes, and nothing else, are text.
    pub(super) fn finish(&mut self) {
        if self.kind == Kind::Unknown && self.quoted_word {
            self.kind = Kind::Text;
            self.values = Vec::new();
        }
    }

    /// The type in words.
    pub(super) fn type_text(&self) -> &'static str {
        match self.kind {
            Kind::Unknown => "empty",
            Kind::Number => "number",
            Kind::Bool => "true/false",
            Kind::Date => "date",
            Kind::Text => "text",
        }
    }
}

impl Default for Guess {
    fn default() -> Guess {
        Guess {
            kind: Kind::Unknown,
            values: Vec::new(),
            long: false,
            whole: true,
            witness: None,
            zeros: None,
            absent: Absent::default(),
            quoted_word: false,
        }
    }
}

fn kind_of(text: &str) -> Kind {
    if parse_number(text).is_some() {
        Kind::Number
    } else if parse_bool(text).is_some() {
        Kind::Bool
    } else if parse_date(text).is_some() {
        Kind::Date
    } else {
        Kind::Text
    }
}

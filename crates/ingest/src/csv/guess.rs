//! The type of a text column, guessed from its first value and given up at the first that contradicts.

use super::value::{is_missing, parse_bool, parse_date, parse_number, parse_whole};
use crate::raw::EXACT;

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
    pub(super) fn offer(&mut self, row: usize, text: &str) {
        if self.kind == Kind::Text {
            return;
        }
        let text = text.trim();
        if is_missing(text) {
            self.values.push(f64::NAN);
            return;
        }
        if self.kind == Kind::Unknown {
            self.kind = kind_of(text);
        }
        let value = match self.kind {
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
        Guess { kind: Kind::Unknown, values: Vec::new(), long: false, whole: true, witness: None }
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

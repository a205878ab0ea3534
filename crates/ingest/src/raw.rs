//! [`Raw`]: a column while it is being read, from one file or from several in turn.

use std::{collections::HashMap, sync::Arc};

use parallax_base::Name;
use parallax_panel::{Codes, Column, Labels, MISSING};

/// The largest whole number up to which `f64` holds every whole number.
pub(crate) const EXACT: i128 = 1 << 53;

/// The stand-in for missing in [`Raw::Long`]; no 64-bit number reaches it.
pub(crate) const NO_LONG: i128 = i128::MIN;

/// A growing column. It starts without a type and takes the type of the first values met.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    /// Nothing but missing values so far; `expected` rows will come.
    Untyped { len: usize, expected: usize },
    /// Numbers; NaN is missing.
    Real(Vec<f64>),
    /// Dates as days since 1970-01-01; NaN is missing.
    Days(Vec<f64>),
    /// Whole numbers of which some exceed `f64`; [`NO_LONG`] is missing.
    Long(Vec<i128>),
    /// Text.
    Text(TextCodes),
}

/// Two types met in one column.
#[derive(Clone, Debug)]
pub(crate) struct Conflict {
    pub held: &'static str,
    pub met: String,
}

/// Text values as codes in order of first appearance.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextCodes {
    pub code: Vec<u32>,
    pub texts: Vec<Name>,
    /// Rows whose text was the empty string, which is missing.
    pub empty: usize,
    seen: HashMap<Name, u32>,
}

impl Raw {
    pub(crate) fn new(expected: usize) -> Raw {
        Raw::Untyped { len: 0, expected }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Raw::Untyped { len, .. } => *len,
            Raw::Real(it) | Raw::Days(it) => it.len(),
            Raw::Long(it) => it.len(),
            Raw::Text(it) => it.code.len(),
        }
    }

    /// What the column holds, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Raw::Untyped { .. } => "nothing",
            Raw::Real(_) => "numbers",
            Raw::Days(_) => "dates",
            Raw::Long(_) => "long whole numbers",
            Raw::Text(_) => "text",
        }
    }

    pub(crate) fn push_missing(&mut self, n: usize) {
        match self {
            Raw::Untyped { len, .. } => *len += n,
            Raw::Real(it) | Raw::Days(it) => it.resize(it.len() + n, f64::NAN),
            Raw::Long(it) => it.resize(it.len() + n, NO_LONG),
            Raw::Text(it) => it.code.resize(it.code.len() + n, MISSING),
        }
    }

    /// The column as numbers to append to.
    pub(crate) fn real_mut(&mut self) -> Result<&mut Vec<f64>, Conflict> {
        if !matches!(self, Raw::Real(_)) {
            let (len, expected) = self.blank("numbers")?;
            *self = Raw::Real(filled(len, expected, f64::NAN));
        }
        match self {
            Raw::Real(it) => Ok(it),
            other => Err(other.conflict("numbers")),
        }
    }

    /// The column as dates to append to.
    pub(crate) fn days_mut(&mut self) -> Result<&mut Vec<f64>, Conflict> {
        if !matches!(self, Raw::Days(_)) {
            let (len, expected) = self.blank("dates")?;
            *self = Raw::Days(filled(len, expected, f64::NAN));
        }
        match self {
            Raw::Days(it) => Ok(it),
            other => Err(other.conflict("dates")),
        }
    }

    /// The column as long whole numbers to append to; numbers already there must be whole.
    pub(crate) fn long_mut(&mut self) -> Result<&mut Vec<i128>, Conflict> {
        if let Raw::Real(values) = self {
            if values.iter().any(|it| !it.is_nan() && (it.fract() != 0.0 || EXACT < it.abs() as i128)) {
                return Err(Conflict { held: "fractions", met: "long whole numbers".to_owned() });
            }
            let long = |it: &f64| if it.is_nan() { NO_LONG } else { *it as i128 };
            *self = Raw::Long(values.iter().map(long).collect());
        } else if !matches!(self, Raw::Long(_)) {
            let (len, expected) = self.blank("long whole numbers")?;
            *self = Raw::Long(filled(len, expected, NO_LONG));
        }
        match self {
            Raw::Long(it) => Ok(it),
            other => Err(other.conflict("long whole numbers")),
        }
    }

    /// The column as text to append to.
    pub(crate) fn text_mut(&mut self) -> Result<&mut TextCodes, Conflict> {
        if !matches!(self, Raw::Text(_)) {
            let (len, expected) = self.blank("text")?;
            *self = Raw::Text(TextCodes { code: filled(len, expected, MISSING), ..TextCodes::default() });
        }
        match self {
            Raw::Text(it) => Ok(it),
            other => Err(other.conflict("text")),
        }
    }

    /// The finished panel column.
    pub(crate) fn into_column(self) -> Column {
        match self {
            Raw::Untyped { len, .. } => Column::real(vec![f64::NAN; len]),
            Raw::Real(it) | Raw::Days(it) => Column::real(it),
            Raw::Long(it) => Column::Codes(long_codes(&it)),
            Raw::Text(it) => Column::Codes(it.into_codes()),
        }
    }

    /// The finished column as group codes.
    pub(crate) fn into_codes(self) -> Codes {
        match self.into_column() {
            Column::Real(it) => Codes::from_reals(&it),
            Column::Codes(it) => it,
        }
    }

    /// The rows of `kept`, in that order.
    pub(crate) fn gather(self, kept: &[u32]) -> Raw {
        fn pick<T: Copy>(values: &[T], kept: &[u32]) -> Vec<T> {
            kept.iter().filter_map(|&row| values.get(row as usize).copied()).collect()
        }
        match self {
            Raw::Untyped { expected, .. } => Raw::Untyped { len: kept.len(), expected },
            Raw::Real(it) => Raw::Real(pick(&it, kept)),
            Raw::Days(it) => Raw::Days(pick(&it, kept)),
            Raw::Long(it) => Raw::Long(pick(&it, kept)),
            Raw::Text(it) => Raw::Text(TextCodes { code: pick(&it.code, kept), ..it }),
        }
    }

    /// Length and expected length when no value was met yet, so that another type may still come.
    fn blank(&self, met: &str) -> Result<(usize, usize), Conflict> {
        match self {
            Raw::Untyped { len, expected } => Ok((*len, *expected)),
            Raw::Real(it) | Raw::Days(it) if it.iter().all(|it| it.is_nan()) => Ok((it.len(), 0)),
            Raw::Text(it) if it.texts.is_empty() => Ok((it.code.len(), 0)),
            other => Err(other.conflict(met)),
        }
    }

    fn conflict(&self, met: &str) -> Conflict {
        Conflict { held: self.kind(), met: met.to_owned() }
    }
}

impl TextCodes {
    /// The code of a text, new or old. Only a new text is copied.
    pub(crate) fn code_of(&mut self, text: &str) -> u32 {
        if let Some(code) = self.seen.get(text) {
            return *code;
        }
        let code = self.texts.len() as u32;
        let name = Name::from(text);
        self.texts.push(name.clone());
        self.seen.insert(name, code);
        code
    }

    /// The code of a text of a file with types, where the empty string is missing, as in text files.
    pub(crate) fn code_of_value(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            self.empty += 1;
            return MISSING;
        }
        self.code_of(text)
    }

    /// The text of a row.
    pub(crate) fn text(&self, row: usize) -> Option<&Name> {
        self.texts.get(*self.code.get(row)? as usize)
    }

    /// Codes in the order of the labels, so that they do not depend on the order of rows.
    fn into_codes(self) -> Codes {
        let TextCodes { mut code, texts, .. } = self;
        let mut used = vec![false; texts.len()];
        for it in &code {
            if let Some(used) = used.get_mut(*it as usize) {
                *used = true;
            }
        }
        let mut order: Vec<(Name, usize)> =
            texts.into_iter().enumerate().map(|(at, text)| (text, at)).collect();
        order.retain(|(_, at)| used.get(*at).is_some_and(|it| *it));
        order.sort_unstable();
        let mut rank = vec![MISSING; used.len()];
        for (new, (_, old)) in order.iter().enumerate() {
            if let Some(rank) = rank.get_mut(*old) {
                *rank = new as u32;
            }
        }
        for it in &mut code {
            *it = rank.get(*it as usize).copied().unwrap_or(MISSING);
        }
        let labels = Labels::Text(order.into_iter().map(|(text, _)| text).collect());
        Codes { code: Arc::new(code), labels: Arc::new(labels) }
    }
}

/// Identifiers: integer labels where they fit 64 bits with sign, else their decimal text.
fn long_codes(values: &[i128]) -> Codes {
    let fits = |it: &i128| *it == NO_LONG || i64::try_from(*it).is_ok();
    if values.iter().all(fits) {
        return Codes::from_integers(values.iter().map(|it| i64::try_from(*it).ok()));
    }
    let mut text = TextCodes::default();
    for value in values {
        let code = if *value == NO_LONG { MISSING } else { text.code_of(&value.to_string()) };
        text.code.push(code);
    }
    text.into_codes()
}

/// `len` fillers with room for `expected` values. `expected` may come from a damaged header: a refused
/// reservation only means that the vector grows as values arrive.
fn filled<T: Copy>(len: usize, expected: usize, filler: T) -> Vec<T> {
    let mut values = Vec::new();
    let _ = values.try_reserve_exact(expected.max(len));
    values.resize(len, filler);
    values
}

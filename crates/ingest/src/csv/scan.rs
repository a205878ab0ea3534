//! Two passes over a text file: the first finds types and fills numbers, the second fills text.

use parallax_base::{Name, shown};
use parallax_panel::MISSING;

use super::{
    guess::{Guess, Kind},
    records::{Field, Record, Records, Unclosed},
    value::{Plain, Text, parse_number, parse_whole, plain, text},
};
use crate::{
    IngestError, Place,
    missing::{Absent, Missing},
    origin::Numbering,
    raw::{Conflict, NO_LONG, Raw, TextCodes},
    source::{Extent, Mixed, Remarks, Wanted},
};

/// A text column is called mixed when at least this share of its values are numbers.
const MOSTLY: f64 = 0.9;

/// What a pass reads.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub text: &'a str,
    pub delimiter: u8,
    pub file: &'a Name,
    pub n_fields: usize,
    pub missing: &'a Missing,
}

/// What the first pass found.
pub(super) struct Inferred {
    pub guesses: Vec<Guess>,
    rows: usize,
    numbering: Numbering,
}

/// Text and long numbers of one column during the second pass.
struct Later<'w, 'a> {
    wanted: &'w mut Wanted<'a>,
    /// For each text code, whether it is a number.
    numeric: Vec<bool>,
    numbers: usize,
    others: usize,
    first_other: Option<(usize, String)>,
    absent: Absent,
}

/// Reads the wanted columns.
pub(super) fn read(input: Input<'_>, wanted: &mut [Wanted<'_>]) -> Result<Extent, IngestError> {
    let indexes: Vec<usize> = wanted.iter().map(|it| it.index).collect();
    let Inferred { guesses, rows, numbering } = infer(input, &indexes)?;
    let mut later = Vec::new();
    let mut remarks = Remarks::default();
    for (mut guess, wanted) in guesses.into_iter().zip(wanted) {
        let (index, zeros, absent) = (wanted.index, guess.zeros.take(), std::mem::take(&mut guess.absent));
        match place(guess, rows, wanted) {
            Ok(true) => later.push(Later::new(wanted)),
            Ok(false) => remarks.absent.push((index, absent)),
            Err((conflict, witness)) => {
                return Err(conflicting(input, wanted.name, conflict, witness, &numbering));
            }
        }
        remarks.zeros.extend(zeros.map(|it| (index, it)));
    }
    if !later.is_empty() {
        records(input, |_, row, record| {
            later.iter_mut().for_each(|it| it.take(row, record.field(it.wanted.index), input.missing));
        })?;
    }
    for it in later {
        remarks.absent.push((it.wanted.index, it.absent.clone()));
        remarks.mixed.extend(it.mixed(&numbering));
    }
    Ok(Extent { rows, numbering, groups: (1, 1), remarks })
}

/// The first pass over some columns.
pub(super) fn infer(input: Input<'_>, indexes: &[usize]) -> Result<Inferred, IngestError> {
    let mut guesses: Vec<Guess> = indexes.iter().map(|_| Guess::default()).collect();
    let mut numbering = Numbering::lines();
    let rows = records(input, |line, row, record| {
        numbering.mark(row, line);
        for (guess, index) in guesses.iter_mut().zip(indexes) {
            guess.offer(row, record.field(*index), input.missing);
        }
    })?;
    guesses.iter_mut().for_each(Guess::finish);
    Ok(Inferred { guesses, rows, numbering })
}

/// Calls `visit` with line, row and fields of each record after the header; returns how many there are.
fn records(input: Input<'_>, mut visit: impl FnMut(u64, usize, &Record<'_>)) -> Result<usize, IngestError> {
    let Input { text, delimiter, file, n_fields, .. } = input;
    let unclosed = |it: Unclosed| {
        let reason = format!(
            "a quote that opens in the record of line {} is never closed; remove or double it",
            it.line
        );
        IngestError::Damaged { file: file.clone(), format: "CSV", reason }
    };
    let mut records = Records::new(text, delimiter);
    records.next().map_err(unclosed)?;
    let mut row = 0;
    while let Some(record) = records.next().map_err(unclosed)? {
        if record.len() != n_fields {
            return Err(IngestError::Ragged {
                place: Place { file: file.clone(), row: crate::RowNumber::Line(record.line) },
                got: record.len() as u64,
                expected: n_fields as u64,
                delimiter: char::from(delimiter),
            });
        }
        visit(record.line, row, &record);
        row += 1;
    }
    Ok(row)
}

/// Moves a finished guess to its column; true when the second pass has to fill it.
fn place(
    guess: Guess,
    rows: usize,
    wanted: &mut Wanted<'_>,
) -> Result<bool, (Conflict, Option<(usize, String)>)> {
    let raw = &mut *wanted.raw;
    let long = guess.whole && (guess.long || matches!(raw, Raw::Long(_)));
    let outcome = match guess.kind {
        Kind::Unknown => {
            raw.push_missing(rows);
            Ok(false)
        }
        Kind::Number if wanted.codes => raw.text_mut().map(|_| true),
        Kind::Number if long => raw.long_mut().map(|_| true),
        Kind::Number | Kind::Bool => raw.real_mut().map(|to| append(to, guess.values)),
        Kind::Date => raw.days_mut().map(|to| append(to, guess.values)),
        Kind::Text => raw.text_mut().map(|_| true),
    };
    outcome.map_err(|it| (it, guess.witness))
}

fn append(to: &mut Vec<f64>, values: Vec<f64>) -> bool {
    if to.is_empty() {
        *to = values;
    } else {
        to.extend(values);
    }
    false
}

fn conflicting(
    input: Input<'_>,
    column: &Name,
    conflict: Conflict,
    witness: Option<(usize, String)>,
    numbering: &Numbering,
) -> IngestError {
    let met = match witness {
        Some((row, value)) => format!("{} (`{}` in {})", conflict.met, shown(&value), numbering.number(row)),
        None => conflict.met,
    };
    IngestError::TypeConflict { file: input.file.clone(), column: column.clone(), held: conflict.held, met }
}

impl<'w, 'a> Later<'w, 'a> {
    fn new(wanted: &'w mut Wanted<'a>) -> Later<'w, 'a> {
        Later {
            wanted,
            numeric: Vec::new(),
            numbers: 0,
            others: 0,
            first_other: None,
            absent: Absent::default(),
        }
    }

    fn take(&mut self, row: usize, field: Field<'_>, missing: &Missing) {
        match &mut *self.wanted.raw {
            Raw::Long(values) => values.push(match plain(field, missing) {
                Plain::Blank => NO_LONG,
                Plain::Absent(word) => {
                    self.absent.count(word);
                    NO_LONG
                }
                Plain::Value(it) => {
                    let whole = parse_whole(it).or_else(|| parse_number(it).map(|it| it as i128));
                    whole.unwrap_or(NO_LONG)
                }
            }),
            Raw::Text(codes) => match text(field, missing) {
                Text::Blank => codes.code.push(MISSING),
                Text::Absent(word) => {
                    self.absent.count(word);
                    codes.code.push(MISSING);
                }
                Text::Value(it) => {
                    let is_number = Self::push_text(codes, &mut self.numeric, it);
                    self.numbers += usize::from(is_number);
                    self.others += usize::from(!is_number);
                    if !is_number && self.first_other.is_none() {
                        self.first_other = Some((row, it.trim().to_owned()));
                    }
                }
            },
            other => other.push_missing(1),
        }
    }

    /// Whether the text is a number is looked at once a distinct text.
    fn push_text(codes: &mut TextCodes, numeric: &mut Vec<bool>, text: &str) -> bool {
        let code = codes.code_of(text);
        codes.code.push(code);
        for text in codes.texts.iter().skip(numeric.len()) {
            numeric.push(parse_number(text.trim()).is_some());
        }
        numeric.get(code as usize).copied().unwrap_or(false)
    }

    fn mixed(self, numbering: &Numbering) -> Option<Mixed> {
        let (row, value) = self.first_other?;
        let all = (self.numbers + self.others) as f64;
        let row = numbering.number(row);
        let mixed = Mixed { index: self.wanted.index, row, value, count: self.others, numbers: self.numbers };
        (0 < self.numbers && MOSTLY * all <= self.numbers as f64).then_some(mixed)
    }
}

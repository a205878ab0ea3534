//! Two passes over a text file: the first finds types and fills numbers, the second fills text.

use parallax_base::Name;

use super::{
    guess::{Guess, Kind},
    value::{is_missing, parse_number, parse_whole},
};
use crate::{
    IngestError, Place,
    origin::Numbering,
    raw::{Conflict, NO_LONG, Raw, TextCodes},
    source::{Extent, Mixed, Wanted},
};

/// A text column is called mixed when at least this share of its values are numbers.
const MOSTLY: f64 = 0.9;

/// What a pass reads.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub bytes: &'a [u8],
    pub delimiter: u8,
    pub file: &'a Name,
    pub n_fields: usize,
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
}

/// Reads the wanted columns.
pub(super) fn read(input: Input<'_>, wanted: &mut [Wanted<'_>]) -> Result<Extent, IngestError> {
    let indexes: Vec<usize> = wanted.iter().map(|it| it.index).collect();
    let Inferred { guesses, rows, numbering } = infer(input, &indexes)?;
    let mut later = Vec::new();
    for (guess, wanted) in guesses.into_iter().zip(wanted) {
        match place(guess, rows, wanted.raw) {
            Ok(true) => later.push(Later::new(wanted)),
            Ok(false) => {}
            Err((conflict, witness)) => {
                return Err(conflicting(input, wanted.name, conflict, witness, &numbering));
            }
        }
    }
    if !later.is_empty() {
        records(input, |_, row, record| {
            later.iter_mut().for_each(|it| it.take(row, field(record, it.wanted.index)));
        })?;
    }
    let mixed = later.into_iter().filter_map(|it| it.mixed(&numbering)).collect();
    Ok(Extent { rows, numbering, groups: (1, 1), mixed })
}

/// The first pass over some columns.
pub(super) fn infer(input: Input<'_>, indexes: &[usize]) -> Result<Inferred, IngestError> {
    let mut guesses: Vec<Guess> = indexes.iter().map(|_| Guess::default()).collect();
    let mut numbering = Numbering::lines();
    let rows = records(input, |line, row, record| {
        numbering.mark(row, line);
        for (guess, index) in guesses.iter_mut().zip(indexes) {
            guess.offer(row, field(record, *index));
        }
    })?;
    Ok(Inferred { guesses, rows, numbering })
}

/// Calls `visit` with line, row and fields of each record; returns how many there are.
fn records(
    input: Input<'_>,
    mut visit: impl FnMut(u64, usize, &csv::ByteRecord),
) -> Result<usize, IngestError> {
    let Input { bytes, delimiter, file, n_fields } = input;
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let end_of_line = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    let (mut line, mut counted, mut row, mut last_start) = (1, 0, 0, 0);
    loop {
        let more = reader.read_byte_record(&mut record).map_err(|it| IngestError::Damaged {
            file: file.clone(),
            format: "CSV",
            reason: it.to_string(),
        })?;
        if !more {
            let last = bytes.get(last_start..).unwrap_or_default();
            return if 0 < row && ends_inside_quotes(last, delimiter) {
                let reason = format!(
                    "a quote that opens in the record of line {line} is never closed; remove or double it"
                );
                Err(IngestError::Damaged { file: file.clone(), format: "CSV", reason })
            } else {
                Ok(row)
            };
        }
        let start = record.position().map_or(0, |it| it.byte() as usize);
        last_start = start;
        let rest = bytes.get(start..).unwrap_or_default();
        let blank = rest.iter().take_while(|it| matches!(it, b'\n' | b'\r')).count();
        let passed = bytes.get(counted..start + blank).unwrap_or_default();
        line += passed.iter().filter(|it| **it == end_of_line).count() as u64;
        counted = start + blank;
        if record.len() != n_fields {
            return Err(IngestError::Ragged {
                place: Place { file: file.clone(), row: crate::RowNumber::Line(line) },
                got: record.len() as u64,
                expected: n_fields as u64,
                delimiter: char::from(delimiter),
            });
        }
        visit(line, row, &record);
        row += 1;
    }
}

/// True when a line added to the last record would become part of it: the reader takes the end of
/// the file for the end of a quoted field, and everything after a stray quote would be lost unseen.
fn ends_inside_quotes(last: &[u8], delimiter: u8) -> bool {
    let mut longer = last.to_vec();
    longer.extend_from_slice(b"\nx\n");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(longer.as_slice());
    reader.byte_records().count() < 2
}

/// Moves a finished guess to its column; true when the second pass has to fill it.
fn place(guess: Guess, rows: usize, raw: &mut Raw) -> Result<bool, (Conflict, Option<(usize, String)>)> {
    let long = guess.whole && (guess.long || matches!(raw, Raw::Long(_)));
    let outcome = match guess.kind {
        Kind::Unknown => {
            raw.push_missing(rows);
            Ok(false)
        }
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
        Some((row, value)) => format!("{} (`{value}` in {})", conflict.met, numbering.number(row)),
        None => conflict.met,
    };
    IngestError::TypeConflict { file: input.file.clone(), column: column.clone(), held: conflict.held, met }
}

/// The file was checked to be UTF-8 and fields end at ASCII characters.
fn field(record: &csv::ByteRecord, index: usize) -> &str {
    record.get(index).and_then(|it| std::str::from_utf8(it).ok()).unwrap_or_default()
}

impl<'w, 'a> Later<'w, 'a> {
    fn new(wanted: &'w mut Wanted<'a>) -> Later<'w, 'a> {
        Later { wanted, numeric: Vec::new(), numbers: 0, others: 0, first_other: None }
    }

    fn take(&mut self, row: usize, text: &str) {
        let trimmed = text.trim();
        if is_missing(trimmed) {
            self.wanted.raw.push_missing(1);
            return;
        }
        match &mut *self.wanted.raw {
            Raw::Long(values) => {
                let whole = parse_whole(trimmed).or_else(|| parse_number(trimmed).map(|it| it as i128));
                values.push(whole.unwrap_or(NO_LONG));
            }
            Raw::Text(codes) => {
                let is_number = Self::push_text(codes, &mut self.numeric, text);
                self.numbers += usize::from(is_number);
                self.others += usize::from(!is_number);
                if !is_number && self.first_other.is_none() {
                    self.first_other = Some((row, trimmed.to_owned()));
                }
            }
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

//! Encoding, delimiter and header of a text file.

use parallax_base::Name;

use super::records::Records;
use crate::IngestError;

/// The delimiters that are recognised.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Lines looked at to find the delimiter.
const SAMPLE: usize = 20;

/// The bytes as text; bytes that are not UTF-8 are refused with the likely encoding.
pub(super) fn utf8(bytes: Vec<u8>, file: &Name) -> Result<String, IngestError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let advice = "it is UTF-16; convert it: iconv -f UTF-16 -t UTF-8".to_owned();
        return Err(IngestError::NotUtf8 { file: file.clone(), byte: 0, line: 1, advice });
    }
    let error = match String::from_utf8(bytes) {
        Ok(it) => return Ok(it),
        Err(it) => it,
    };
    let (byte, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
    let line = 1 + line_ends(bytes.get(..byte).unwrap_or_default());
    // A Chinese character takes two bytes above 0x80 in GB18030; Latin letters with accents stand alone.
    let pair = bytes.get(byte..byte + 2).is_some_and(|it| it.iter().all(|it| 0x80 < *it));
    let advice = if pair {
        "Chinese files are often GB18030 (GBK): convert it with iconv -f GB18030 -t UTF-8"
    } else {
        "convert it, for example with iconv -f WINDOWS-1252 -t UTF-8 (Chinese files: -f GB18030)"
    };
    Err(IngestError::NotUtf8 { file: file.clone(), byte, line, advice: advice.to_owned() })
}

/// The delimiter that splits the first lines into the same number of fields, preferring more fields.
pub(super) fn delimiter(bytes: &[u8]) -> u8 {
    let counts = |delimiter: u8| {
        let counts = delimiters_by_line(bytes, delimiter);
        let first = counts.first().copied().unwrap_or(0);
        let even = 0 < first && counts.iter().all(|it| *it == first);
        (even, first)
    };
    // `max_by_key` takes the last of equals; the comma has to win them.
    DELIMITERS.into_iter().rev().max_by_key(|it| counts(*it)).unwrap_or(b',')
}

/// The column names, trimmed.
pub(super) fn header(text: &str, delimiter: u8, file: &Name) -> Result<Vec<String>, IngestError> {
    let mut records = Records::new(text, delimiter);
    let empty = |what: &str| IngestError::Empty { file: file.clone(), what: what.to_owned() };
    let record = match records.next() {
        Ok(Some(it)) => it,
        Ok(None) => return Err(empty("the file has only blank lines, no header and no data")),
        Err(it) => {
            let reason =
                format!("a quote in the header (line {}) is never closed; remove or double it", it.line);
            return Err(IngestError::Damaged { file: file.clone(), format: "CSV", reason });
        }
    };
    let names: Vec<String> = (0..record.len()).map(|at| record.field(at).text.trim().to_owned()).collect();
    if names.iter().all(String::is_empty) {
        return Err(empty("the first line has no column name; the header must be line 1"));
    }
    Ok(names)
}

/// Line feeds.
fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|it| **it == b'\n').count() as u64
}

/// Delimiters outside quotes in each of the first lines that are not blank.
fn delimiters_by_line(bytes: &[u8], delimiter: u8) -> Vec<usize> {
    let (mut counts, mut count, mut quoted, mut blank) = (Vec::new(), 0, false, true);
    for &byte in bytes {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => {
                if !blank {
                    counts.push(count);
                }
                (count, blank) = (0, true);
                if SAMPLE <= counts.len() {
                    return counts;
                }
                continue;
            }
            _ if byte == delimiter && !quoted => count += 1,
            _ => {}
        }
        blank = false;
    }
    if !blank {
        counts.push(count);
    }
    counts
}

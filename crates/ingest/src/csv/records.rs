//! Splits text into records and fields, and knows which fields stood in quotes.
//!
//! The rules are those of RFC 4180 as the `csv` crate reads them; that crate does not say whether a field was quoted,
//! and `"NA"` is a value where `NA` is missing.

/// Records of a text, one after the other.
pub(super) struct Records<'a> {
    text: &'a str,
    delimiter: u8,
    at: usize,
    line: u64,
    /// The character that ends lines; a lone carriage return counts only in files that have no line feed.
    end_of_line: u8,
    fields: Vec<Span>,
    /// Fields whose text differs from the file's, because of doubled quotes.
    copied: String,
}

/// One record.
pub(super) struct Record<'r> {
    text: &'r str,
    copied: &'r str,
    fields: &'r [Span],
    /// The line it begins in, from 1.
    pub line: u64,
}

/// One field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Field<'r> {
    pub text: &'r str,
    pub quoted: bool,
}

/// A quote that is never closed, in the record that begins in this line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    pub line: u64,
}

#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    quoted: bool,
    copied: bool,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a str, delimiter: u8) -> Records<'a> {
        let end_of_line = if text.as_bytes().contains(&b'\n') { b'\n' } else { b'\r' };
        Records { text, delimiter, at: 0, line: 1, end_of_line, fields: Vec::new(), copied: String::new() }
    }

    /// The next record; blank lines are passed over.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, Unclosed> {
        while let Some(&byte) = self.byte(self.at).filter(|it| is_end(**it)) {
            self.pass(byte);
            self.at += 1;
        }
        if self.byte(self.at).is_none() {
            return Ok(None);
        }
        self.fields.clear();
        self.copied.clear();
        let line = self.line;
        loop {
            let field = if self.byte(self.at) == Some(&b'"') {
                self.quoted().ok_or(Unclosed { line })?
            } else {
                let start = self.at;
                self.at = self.end_of_field(start);
                Span { start, end: self.at, quoted: false, copied: false }
            };
            self.fields.push(field);
            match self.byte(self.at) {
                Some(&it) if it == self.delimiter => self.at += 1,
                _ => break,
            }
        }
        Ok(Some(Record { text: self.text, copied: &self.copied, fields: &self.fields, line }))
    }

    fn byte(&self, at: usize) -> Option<&u8> {
        self.text.as_bytes().get(at)
    }

    fn pass(&mut self, byte: u8) {
        self.line += u64::from(byte == self.end_of_line);
    }

    /// Where an unquoted field, or what follows a closing quote, ends.
    fn end_of_field(&self, from: usize) -> usize {
        let delimiter = self.delimiter;
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        from + rest.iter().position(|it| *it == delimiter || is_end(*it)).unwrap_or(rest.len())
    }

    /// A field that begins with a quote; what follows the closing quote belongs to it as it stands.
    fn quoted(&mut self) -> Option<Span> {
        let mut start = self.at + 1;
        let first_copied = self.copied.len();
        loop {
            let rest = self.text.as_bytes().get(start..)?;
            let close = start + rest.iter().position(|it| *it == b'"')?;
            let inside = self.text.get(start..close)?;
            let end_of_line = self.end_of_line;
            self.line += inside.bytes().filter(|it| *it == end_of_line).count() as u64;
            if self.byte(close + 1) == Some(&b'"') {
                self.copied.push_str(inside);
                self.copied.push('"');
                start = close + 2;
                continue;
            }
            self.at = self.end_of_field(close + 1);
            let after = self.text.get(close + 1..self.at)?;
            if after.is_empty() && first_copied == self.copied.len() {
                return Some(Span { start, end: close, quoted: true, copied: false });
            }
            self.copied.push_str(inside);
            self.copied.push_str(after);
            return Some(Span { start: first_copied, end: self.copied.len(), quoted: true, copied: true });
        }
    }
}

impl<'r> Record<'r> {
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    pub(super) fn field(&self, index: usize) -> Field<'r> {
        let Some(it) = self.fields.get(index) else { return Field::default() };
        let from = if it.copied { self.copied } else { self.text };
        Field { text: from.get(it.start..it.end).unwrap_or_default(), quoted: it.quoted }
    }
}

fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &str) -> Result<Vec<Vec<(String, bool)>>, Unclosed> {
        let (mut records, mut all) = (Records::new(text, b','), Vec::new());
        while let Some(it) = records.next()? {
            let fields = (0..it.len()).map(|at| it.field(at)).map(|it| (it.text.to_owned(), it.quoted));
            all.push(fields.collect());
        }
        Ok(all)
    }

    #[test]
    fn quotes_are_seen() {
        let owned = |it: &[(&str, bool)]| -> Vec<(String, bool)> {
            it.iter().map(|(text, quoted)| ((*text).to_owned(), *quoted)).collect()
        };
        let text = "\"NA\",NA,\"\"\n\"a \"\"b\"\", c\"d,\"x\ny\", \"z\"\r\n\r\nlast";
        assert_eq!(
            all(text).unwrap(),
            [
                owned(&[("NA", true), ("NA", false), ("", true)]),
                owned(&[("a \"b\", cd", true), ("x\ny", true), (" \"z\"", false)]),
                owned(&[("last", false)]),
            ]
        );
        assert_eq!(all("a\n\n\"b\nc").unwrap_err(), Unclosed { line: 3 });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// The text of every field is that of the `csv` crate, whatever the text.
        #[test]
        fn fields_are_those_of_the_csv_crate(text in "[a,é\"\n\r ]{0,24}") {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let expected: Vec<Vec<String>> = reader
                .records()
                .map(|it| it.unwrap().iter().map(str::to_owned).collect())
                .collect();
            if let Ok(found) = all(&text) {
                let found: Vec<Vec<String>> =
                    found.into_iter().map(|it| it.into_iter().map(|it| it.0).collect()).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}

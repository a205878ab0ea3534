//! Streams that show control characters instead of obeying them.

use std::io::{self, Write};

use parallax_report::visible;

/// A stream of text; what is no text goes through as it is.
pub struct Visible<'w> {
    to: &'w mut dyn Write,
}

impl<'w> Visible<'w> {
    /// Writes to that stream.
    pub fn new(to: &'w mut dyn Write) -> Visible<'w> {
        Visible { to }
    }
}

impl Write for Visible<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.to.write_all(visible(text).as_bytes())?,
            Err(_) => self.to.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

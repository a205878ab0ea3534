//! Standard output and standard error, with what a program does when they cannot be written.

use std::io::{self, Write};

/// Standard output. A reader who closes the pipe (`| head`) has seen enough: the rest is discarded, and the run goes on to
/// write its files. Every other failure is an error.
pub(crate) struct Output<'a> {
    inner: &'a mut dyn Write,
    closed: bool,
}

impl<'a> Output<'a> {
    pub fn new(inner: &'a mut dyn Write) -> Output<'a> {
        Output { inner, closed: false }
    }

    /// A closed pipe takes everything.
    fn accept<T>(&mut self, done: io::Result<T>, instead: T) -> io::Result<T> {
        match done {
            Err(it) if it.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(instead)
            }
            other => other,
        }
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let done = self.inner.write(bytes);
        self.accept(done, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let done = self.inner.flush();
        self.accept(done, ())
    }
}

/// Standard error. Where it cannot be written there is no place left to say so, and the result is not worse for it.
///
/// Messages quote files: a terminal must not be steered by what stands in them, nor a log be filled by it.
pub(crate) struct Messages<'a>(pub &'a mut dyn Write);

/// Characters of one quotation.
const LONGEST: usize = 8_000;

impl Write for Messages<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.write_all(plain(&String::from_utf8_lossy(bytes)).as_bytes());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// Control characters spelled out, and not endless.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(LONGEST));
    for it in text.chars().take(LONGEST) {
        if it.is_control() && it != '\n' && it != '\t' {
            shown.extend(it.escape_default());
        } else {
            shown.push(it);
        }
    }
    let rest = text.chars().skip(LONGEST).count();
    if 0 < rest {
        shown.push_str(&format!("… ({rest} more characters)"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    fn ended(words: &[&str], out: &mut dyn Write) -> (std::process::ExitCode, String) {
        let mut err = Vec::new();
        let words = ["parallax"].iter().chain(words).map(std::ffi::OsString::from);
        let code = crate::main(words, out, &mut err);
        (code, String::from_utf8(err).unwrap())
    }

    #[test]
    fn a_full_disk_is_an_error_and_a_closed_pipe_is_not() {
        for words in [&["--help"][..], &["--version"], &["estimators"], &["explain", "iv"], &["schema"]] {
            let (code, said) = ended(words, &mut Failing(io::ErrorKind::StorageFull));
            assert_eq!(code, std::process::ExitCode::from(1), "{words:?}: {said}");
            assert!(
                words[0] == "explain" || said.starts_with("error: cannot write to standard output"),
                "{said}"
            );
        }
        for words in [&["--help"][..], &["estimators"]] {
            let (code, said) = ended(words, &mut Failing(io::ErrorKind::BrokenPipe));
            assert_eq!((code, said.as_str()), (std::process::ExitCode::SUCCESS, ""), "{words:?}");
        }
    }

    #[test]
    fn messages_neither_steer_a_terminal_nor_fill_a_log() {
        assert_eq!(plain("a\u{1b}[2J\r\u{9b}b\n\tc"), "a\\u{1b}[2J\\r\\u{9b}b\n\tc");
        let long = plain(&"x".repeat(300_000));
        assert!(long.len() < 9_000 && long.ends_with("(292000 more characters)"), "{}", long.len());
    }

    #[test]
    fn what_is_still_held_back_is_written_before_the_end() {
        // A buffer that holds everything until it is flushed, as a pipe to a full disk does.
        let mut held = io::BufWriter::with_capacity(1 << 20, Failing(io::ErrorKind::StorageFull));
        let (code, said) = ended(&["estimators"], &mut held);
        assert_eq!(code, std::process::ExitCode::from(1), "{said}");
        // What cannot be written is not tried again when the buffer goes.
        let _ = held.into_parts();
    }
}

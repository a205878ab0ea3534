//! Texts that a study is made of: read whole, but neither from a device nor without end.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// Bytes of a study file or of printed numbers: a hundred thousand models take four megabytes.
const MOST: u64 = 256 << 20;

/// Reads a text from a regular file.
pub fn read_regular(path: &Path) -> io::Result<String> {
    // A pipe that nobody writes to would be opened for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    read_text(path)
}

/// Reads a text that the user has named, which may come through a pipe.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    if MOST < text.len() as u64 {
        let message = format!("it has more than {} MB, which no study needs", MOST >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_device_is_neither_read_for_ever_nor_opened() {
        assert!(read_text(Path::new("/dev/zero")).is_err());
        assert!(read_regular(Path::new("/dev/zero")).unwrap_err().to_string().contains("not a regular file"));
    }
}

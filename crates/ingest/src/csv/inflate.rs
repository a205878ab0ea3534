//! The bytes of a text file, within the memory that may be used.

use std::{fs::File, io::Read};

use flate2::read::MultiGzDecoder;
use parallax_base::Name;

use crate::{IngestError, budget::Budget};

/// Bytes read at a time.
const BLOCK: usize = 1 << 20;

/// A table seldom shrinks below a twentieth; gzip itself reaches a thousandth. Beyond this a file that is not small is
/// refused unless the user said how much memory may be used.
const LARGEST_RATIO: u64 = 150;

/// Bytes below which no ratio is looked at.
const SMALL: u64 = 1 << 28;

/// All bytes of a file.
pub(super) fn plain(handle: File, file: &Name, budget: Budget) -> Result<Vec<u8>, IngestError> {
    let size = handle.metadata().map_or(0, |it| it.len());
    budget.require(size, file, "its text")?;
    read(
        handle,
        file,
        |so_far| budget.require(so_far, file, "its text"),
        |it| IngestError::io(file, "read it")(it),
    )
}

/// All bytes of a compressed file, decompressed.
pub(super) fn gzip(handle: File, file: &Name, budget: Budget) -> Result<Vec<u8>, IngestError> {
    let size = handle.metadata().map_or(0, |it| it.len());
    let damaged = |it: std::io::Error| IngestError::Damaged {
        file: file.clone(),
        format: "gzip",
        reason: it.to_string(),
    };
    let check = |so_far: u64| {
        budget.require(so_far, file, "its decompressed text")?;
        if !budget.said() && SMALL < so_far && size.saturating_mul(LARGEST_RATIO) < so_far {
            let problem = format!(
                "its {size} bytes decompress to more than {LARGEST_RATIO} times as many, as tables of data seldom do; if it is \
                 meant to, say how much memory may be used, for example --memory 16GB"
            );
            return Err(IngestError::Format { file: file.clone(), problem });
        }
        Ok(())
    };
    let bytes = read(MultiGzDecoder::new(handle), file, check, damaged)?;
    if bytes.is_empty() {
        return Err(IngestError::Empty { file: file.clone(), what: "the file is empty".to_owned() });
    }
    Ok(bytes)
}

/// Reads block by block, so that a refusal comes before the memory is used.
fn read(
    mut from: impl Read,
    file: &Name,
    check: impl Fn(u64) -> Result<(), IngestError>,
    failed: impl Fn(std::io::Error) -> IngestError,
) -> Result<Vec<u8>, IngestError> {
    let mut bytes = Vec::new();
    loop {
        let before = bytes.len();
        if bytes.try_reserve(BLOCK).is_err() {
            return Err(Budget::refused(file, before as u64 + BLOCK as u64));
        }
        let read = from.by_ref().take(BLOCK as u64).read_to_end(&mut bytes).map_err(&failed)?;
        if read == 0 {
            return Ok(bytes);
        }
        check(bytes.len() as u64)?;
    }
}

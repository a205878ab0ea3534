//! The SHA-256 of a file, which ties a result to its data.

use std::{fs::File, io::Read, path::Path};

use parallax_base::Name;
use sha2::{Digest, Sha256};

use crate::IngestError;

/// The SHA-256 of a file's bytes in hexadecimal.
///
/// # Errors
/// [`IngestError::Io`] when the file cannot be read.
pub fn sha256(path: &Path) -> Result<String, IngestError> {
    let name = Name::from(path.display().to_string());
    let mut file = File::open(path).map_err(IngestError::io(&name, "open it"))?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut block).map_err(IngestError::io(&name, "read it"))?;
        if read == 0 {
            break;
        }
        hash.update(block.get(..read).unwrap_or_default());
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

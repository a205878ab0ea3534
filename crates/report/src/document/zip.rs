//! Packs files into a ZIP archive: deflated, without time stamps, so that equal files give equal bytes.
//!
//! PKWARE, APPNOTE.TXT 6.3: local headers (4.3.7), central directory (4.3.12) and its end (4.3.16).

use std::io::{self, Write};

use flate2::{Compression, Crc, write::DeflateEncoder};

/// The archive of files by name, in this order.
///
/// # Errors
/// A file or the archive is larger than 4 GiB.
pub(super) fn pack(files: &[(String, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in files {
        let offset = length(archive.len())?;
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(bytes)?;
        let packed = encoder.finish()?;
        let mut crc = Crc::new();
        crc.update(bytes);
        let mut entry = Vec::new();
        // Version 2.0, names in UTF-8, deflated, the first moment that the format knows.
        [20_u16, 0x0800, 8, 0, 0x0021].iter().for_each(|it| entry.extend(it.to_le_bytes()));
        let sizes = [crc.sum(), length(packed.len())?, length(bytes.len())?];
        sizes.iter().for_each(|it| entry.extend(it.to_le_bytes()));
        [short(name.len())?, 0].iter().for_each(|it| entry.extend(it.to_le_bytes()));
        archive.extend(b"PK\x03\x04");
        archive.extend(&entry);
        archive.extend(name.as_bytes());
        archive.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&entry);
        // No comment, first disk, no attributes.
        directory.extend([0_u8; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (size, offset) = (length(directory.len())?, length(archive.len())?);
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\x00\x00\x00\x00");
    let count = short(files.len())?.to_le_bytes();
    archive.extend([count, count].concat());
    archive.extend([size.to_le_bytes(), offset.to_le_bytes()].concat());
    archive.extend([0_u8; 2]);
    Ok(archive)
}

fn length(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(io::Error::other)
}

fn short(count: usize) -> io::Result<u16> {
    u16::try_from(count).map_err(io::Error::other)
}

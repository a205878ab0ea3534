//! Truncated files and files with flipped bits give errors or data, never a panic.

use std::{fs, path::Path};

use parallax_ingest::{Compression, ReadRequest, WriteOptions, describe_schema, read, write_table};
use parallax_panel::{Codes, Column};

use crate::support::Folder;

/// A small generator, so that every run damages the same bits.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn example(path: &Path, compression: Option<Compression>) -> Vec<u8> {
    let n = 300;
    let names: Vec<String> = (0..n).map(|it| format!("城市{}", it % 37)).collect();
    let columns = [
        ("id".into(), Column::Codes(Codes::from_text(names.iter().map(|it| Some(it.as_str()))))),
        ("year".into(), Column::real((0..n).map(f64::from).collect())),
        ("x".into(), Column::real((0..n).map(|it| f64::from(it).sin()).collect())),
        ("hole".into(), Column::real((0..n).map(|it| if it % 3 == 0 { f64::NAN } else { 0.5 }).collect())),
    ];
    write_table(&columns, path, &WriteOptions { compression, ..WriteOptions::default() }).unwrap();
    fs::read(path).unwrap()
}

fn try_all(path: &Path) {
    let _ = read(&ReadRequest::file(path));
    let _ = read(&ReadRequest::file(path).indexed("id", "year"));
    let _ = describe_schema(path);
}

#[test]
fn truncated_files_never_panic() {
    let folder = Folder::new();
    for name in ["a.parquet", "a.arrow", "a.csv", "a.csv.gz"] {
        let path = folder.path(name);
        let bytes = example(&path, None);
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 150) {
            fs::write(&path, &bytes[..length]).unwrap();
            try_all(&path);
            if name != "a.csv" {
                let error = read(&ReadRequest::file(&path)).expect_err("an error").to_string();
                assert!(error.contains(name), "{error}");
            }
        }
    }
}

#[test]
fn flipped_bits_never_panic() {
    let folder = Folder::new();
    let mut random = Random(20_240_229);
    let cases = [
        ("a.parquet", None),
        ("b.parquet", Some(Compression::Uncompressed)),
        ("c.parquet", Some(Compression::Snappy)),
        ("a.arrow", None),
        ("b.arrow", Some(Compression::Lz4)),
        ("c.arrow", Some(Compression::Zstd)),
        ("a.csv", None),
        ("a.csv.gz", None),
    ];
    for (name, compression) in cases {
        let path = folder.path(name);
        let bytes = example(&path, compression);
        for round in 0..400 {
            let mut damaged = bytes.clone();
            // Half of the damage goes where formats keep their structure: the end and the start.
            for _ in 0..1 + round % 3 {
                let at = match round % 4 {
                    0 => bytes.len() - 1 - random.below(bytes.len().min(600)),
                    1 => random.below(bytes.len().min(300)),
                    _ => random.below(bytes.len()),
                };
                damaged[at] ^= 1 << random.below(8);
            }
            fs::write(&path, &damaged).unwrap();
            try_all(&path);
        }
    }
}

#[test]
fn panics_elsewhere_are_still_printed_and_caught() {
    let folder = Folder::new();
    let path = folder.put("a.parquet", b"PAR1....PAR1");
    assert!(read(&ReadRequest::file(path)).is_err());
    assert!(std::panic::catch_unwind(|| panic!("still a panic")).is_err());
}

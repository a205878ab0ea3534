//! Files that claim more than they hold, decompress without end, or are no files.

use std::{io::Write, path::PathBuf, time::Instant};

use arrow::array::{Float64Array, StringArray};
use parallax_ingest::{MemorySize, ReadRequest, WriteOptions, read, write};
use parallax_panel::{Column, PanelBuilder};
use parquet::{
    basic::{BrotliLevel, Compression},
    file::properties::WriterProperties,
};

use crate::support::{Folder, all, array, batch, labels, reals};

fn fault(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../snapshots/cases/faults").join(name)
}

#[test]
fn sizes_are_believed_as_far_as_a_file_can_hold() {
    let started = Instant::now();
    for (name, said) in [
        ("nulllen_2147483648.arrow", "announces 2147483648 rows, more than a file of 280 bytes"),
        ("claim_lz4_8589934592.arrow", "announces 8589934592 bytes, more than it can hold"),
        ("claim_max2.parquet", "row group"),
    ] {
        let text = read(&ReadRequest::file(fault(name))).expect_err(name).to_string();
        assert!(text.contains(said), "{text}");
    }
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn brotli_is_read() {
    let folder = Folder::new();
    let columns = batch(vec![
        ("x", array(Float64Array::from(vec![Some(1.5), None]))),
        ("s", array(StringArray::from(vec!["a", ""]))),
    ]);
    let level = Compression::BROTLI(BrotliLevel::default());
    let properties = WriterProperties::builder().set_compression(level).build();
    let loaded = all(&folder.parquet_with("b.parquet", &columns, properties));
    assert_eq!(reals(&loaded.panel, "x"), ["1.5", ""]);
    // The empty string is missing in every format, and said.
    assert_eq!(labels(&loaded.panel, "s"), ["a", ""]);
    assert_eq!(folder.notes(&loaded), ["b.parquet: read as missing: in `s` `\"\"` (1)"]);
    assert!(read(&ReadRequest::file(fault("brotli.parquet"))).is_ok());
}

#[test]
fn equal_rows_beyond_the_budget_are_refused_with_the_flag_that_raises_it() {
    let folder = Folder::new();
    let n = 300_000;
    let panel = PanelBuilder::new(n).column("x".into(), Column::real(vec![1.0; n])).build().unwrap();
    for name in ["a.parquet", "a.csv", "a.csv.gz", "a.arrow"] {
        let path = folder.path(name);
        write(&panel, &path, &WriteOptions::default()).unwrap();
        let mut request = ReadRequest::file(&path);
        request.reading.memory = Some(MemorySize(1_000_000));
        let text = folder.refusal(&request);
        assert!(text.starts_with(name) && text.contains("which --memory allows"), "{text}");
        request.reading.memory = Some(MemorySize(100_000_000));
        assert_eq!(read(&request).unwrap().panel.n_rows(), n);
    }
}

#[test]
fn a_bomb_is_refused_before_it_fills_the_memory_and_can_be_allowed() {
    let folder = Folder::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"u,t,y\n").unwrap();
    let block = b"1,2000,1.0\n".repeat(100_000);
    (0..300).for_each(|_| encoder.write_all(&block).unwrap());
    let path = folder.put("bomb.csv.gz", encoder.finish().unwrap());
    let text = folder.refusal(&ReadRequest::file(&path).only(["y"]));
    assert!(text.contains("150 times") && text.contains("--memory"), "{text}");
    let mut request = ReadRequest::file(&path).only(["y"]);
    request.reading.memory = Some(MemorySize(300_000_000));
    assert!(folder.refusal(&request).contains("its decompressed text would take"));
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_refused_at_once() {
    let folder = Folder::new();
    let pipe = folder.path("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe, PathBuf::from("/dev/zero"), PathBuf::from("/dev/null")] {
        let text = folder.refusal(&ReadRequest::file(&path));
        assert!(text.contains("a pipe or a device, not a file"), "{text}");
        assert!(parallax_ingest::describe_schema(&path).is_err());
    }
}

#[test]
fn a_link_to_nothing_is_not_its_own_advice() {
    let folder = Folder::new();
    let text = folder.refusal(&ReadRequest::file(folder.path("x.csv")));
    assert_eq!(text, "x.csv: no such file or folder");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere.csv", folder.path("x.csv")).unwrap();
        let text = folder.refusal(&ReadRequest::file(folder.path("x.csv")));
        assert_eq!(text, "x.csv: no such file or folder; it is a link to nowhere.csv, which is not there");
    }
    let error =
        write(&all(&folder.put("a.csv", "x\n1\n")).panel, &folder.path("no/b.csv"), &WriteOptions::default());
    let text = error.unwrap_err().to_string();
    assert!(text.ends_with("cannot create a file beside it: the folder is not there"), "{text}");
}

#[test]
fn wide_files_take_time_with_their_width() {
    let folder = Folder::new();
    let wide = |columns: usize| {
        let columns: Vec<_> = (0..columns)
            .map(|it| (format!("c{it}"), Column::real(vec![it as f64, 1.0, 0.5])))
            .map(|(name, column)| (name.into(), column))
            .collect();
        ["w.csv", "w.parquet", "w.arrow"].map(|name| {
            let path = folder.path(name);
            parallax_ingest::write_table(&columns, &path, &WriteOptions::default()).unwrap();
            let started = Instant::now();
            let loaded = all(&path);
            assert_eq!(loaded.panel.names().len(), columns.len());
            started.elapsed().as_secs_f64()
        })
    };
    wide(500);
    let (few, many) = (wide(2_000), wide(16_000));
    for (few, many) in few.into_iter().zip(many) {
        // Eight times the columns take eight times the time; with the square it would be 64.
        assert!(many < 30.0 * few.max(0.02), "{few} s, then {many} s");
    }
}

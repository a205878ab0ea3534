//! Arrow IPC: file and stream, compressed or not, with dictionaries.

use std::{fs::File, path::Path};

use arrow::{
    array::{DictionaryArray, Float64Array, Int32Array, StringArray},
    datatypes::Int32Type,
    ipc::{
        CompressionType,
        writer::{FileWriter, IpcWriteOptions, StreamWriter},
    },
    record_batch::RecordBatch,
};
use parallax_ingest::{Format, ReadRequest, read};

use crate::support::{Folder, all, array, batch, labels, reals};

fn example() -> RecordBatch {
    let dictionary: DictionaryArray<Int32Type> = [Some("a"), None, Some("b")].into_iter().collect();
    batch(vec![
        ("城市", array(dictionary)),
        ("x", array(Float64Array::from(vec![Some(1.5), None, Some(f64::NAN)]))),
        ("text", array(StringArray::from(vec!["u", "v", "u"]))),
        ("n", array(Int32Array::from(vec![1, 2, 3]))),
    ])
}

fn write_file(path: &Path, codec: Option<CompressionType>) {
    let options = IpcWriteOptions::default().try_with_compression(codec).unwrap();
    let batch = example();
    let mut writer =
        FileWriter::try_new_with_options(File::create(path).unwrap(), &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
}

fn write_stream(path: &Path, codec: Option<CompressionType>) {
    let options = IpcWriteOptions::default().try_with_compression(codec).unwrap();
    let batch = example();
    let mut writer =
        StreamWriter::try_new_with_options(File::create(path).unwrap(), &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
}

#[test]
fn files_and_streams_with_every_compression() {
    let folder = Folder::new();
    for codec in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        for (name, format) in [("a.arrow", Format::ArrowFile), ("b.feather", Format::ArrowStream)] {
            let path = folder.path(name);
            if format == Format::ArrowFile {
                write_file(&path, codec);
            } else {
                write_stream(&path, codec);
            }
            let loaded = all(&path);
            assert_eq!(loaded.files[0].format, format);
            assert_eq!(loaded.files[0].row_groups, (2, 2));
            assert_eq!(labels(&loaded.panel, "城市"), ["a", "", "b", "a", "", "b"]);
            assert_eq!(reals(&loaded.panel, "x"), ["1.5", "", "", "1.5", "", ""]);
            assert_eq!(labels(&loaded.panel, "text"), ["u", "v", "u", "u", "v", "u"]);
        }
    }
}

#[test]
fn columns_are_matched_by_name_whatever_their_order() {
    let folder = Folder::new();
    for name in ["a.arrow", "b.arrow"] {
        let path = folder.path(name);
        if name == "a.arrow" {
            write_file(&path, None);
        } else {
            write_stream(&path, None);
        }
        let loaded = read(&ReadRequest::file(&path).only(["n", "x"])).unwrap();
        assert_eq!(loaded.panel.names(), ["n", "x"].map(Into::into));
        assert_eq!(reals(&loaded.panel, "n"), ["1", "2", "3", "1", "2", "3"]);
        assert_eq!(reals(&loaded.panel, "x")[0], "1.5");
        assert_eq!(loaded.files[0].columns_read, 2);
    }
}

#[test]
fn no_column_at_all_still_counts_rows() {
    let folder = Folder::new();
    let path = folder.path("a.arrow");
    write_file(&path, None);
    let none: [&str; 0] = [];
    assert_eq!(read(&ReadRequest::file(&path).only(none)).unwrap().panel.n_rows(), 6);
    let path = folder.parquet("a.parquet", vec![("x", array(Int32Array::from(vec![1, 2, 3])))], 2);
    assert_eq!(read(&ReadRequest::file(&path).only(none)).unwrap().panel.n_rows(), 3);
}

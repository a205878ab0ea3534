//! Files in a temporary folder, and errors without its path.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{array::ArrayRef, record_batch::RecordBatch};
use parallax_base::Name;
use parallax_ingest::{Loaded, ReadRequest, read};
use parallax_panel::{Column, Panel};
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};

/// A temporary folder with a Chinese name in its path.
pub struct Folder {
    root: tempfile::TempDir,
}

impl Folder {
    pub fn new() -> Folder {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("数据")).unwrap();
        Folder { root }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("数据").join(name)
    }

    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A Parquet file with `group` rows a row group.
    pub fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>, group: usize) -> PathBuf {
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
        self.parquet_with(name, &batch(columns), properties)
    }

    pub fn parquet_with(&self, name: &str, batch: &RecordBatch, properties: WriterProperties) -> PathBuf {
        let path = self.path(name);
        let file = fs::File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        path
    }

    /// The message of the error that reading gives, without the folder.
    pub fn refusal(&self, request: &ReadRequest) -> String {
        let error = read(request).expect_err("an error").to_string();
        self.strip(&error)
    }

    pub fn strip(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.root.path().join("数据").display()), "")
    }

    pub fn notes(&self, loaded: &Loaded) -> Vec<String> {
        loaded.notes.iter().map(|it| self.strip(&it.to_string())).collect()
    }
}

pub fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

pub fn array(it: impl arrow::array::Array + 'static) -> ArrayRef {
    Arc::new(it)
}

/// All of one file, in file order.
pub fn all(path: &Path) -> Loaded {
    read(&ReadRequest::file(path)).unwrap()
}

/// Numbers as text, missing as nothing: easy to compare.
pub fn reals(panel: &Panel, name: &str) -> Vec<String> {
    let text = |it: &f64| if it.is_nan() { String::new() } else { it.to_string() };
    panel.real(name).unwrap().iter().map(text).collect()
}

/// Labels row by row.
pub fn labels(panel: &Panel, name: &str) -> Vec<String> {
    let codes = panel.codes(name).unwrap();
    codes.code.iter().map(|it| codes.labels.text(*it as usize)).collect()
}

/// Equal bit for bit, but every NaN is the same.
pub fn assert_same_column(left: &Column, right: &Column, name: &Name) {
    match (left, right) {
        (Column::Real(left), Column::Real(right)) => {
            assert_eq!(left.len(), right.len(), "{name}");
            for (row, (left, right)) in left.iter().zip(right.iter()).enumerate() {
                assert!(
                    left.is_nan() && right.is_nan() || left.to_bits() == right.to_bits(),
                    "{name} row {row}: {left} {right}"
                );
            }
        }
        _ => assert_eq!(left, right, "{name}"),
    }
}

pub fn assert_same_panel(left: &Panel, right: &Panel) {
    assert_eq!(left.names(), right.names());
    assert_eq!(left.periods(), right.periods());
    assert_eq!(left.index(), right.index());
    for name in left.names() {
        assert_same_column(left.column(name).unwrap(), right.column(name).unwrap(), name);
    }
}

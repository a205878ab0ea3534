//! Files of the shared folder, where it is present: `PARALLAX_DATA` names it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use parallax_base::Name;
use parallax_ingest::{ReadRequest, read};

use crate::support::{all, assert_same_column};

fn folder(within: &str) -> Option<PathBuf> {
    let found =
        std::env::var_os("PARALLAX_DATA").map(|it| Path::new(&it).join(within)).filter(|it| it.is_dir());
    if found.is_none() {
        eprintln!("skipped: PARALLAX_DATA does not name a folder with {within}");
    }
    found
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().flatten().map(|it| it.path()).collect();
    files.retain(|it| it.extension().is_some_and(|it| it == extension));
    files.sort();
    files
}

#[test]
fn chinese_city_panels() {
    let Some(folder) = folder("data/china") else { return };
    for path in files(&folder, "csv") {
        let loaded = all(&path);
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(loaded.panel.n_rows(), lines - 1, "{}", path.display());
        assert!(loaded.mixed.is_empty(), "{:?}", loaded.mixed);
    }
    let panel = ReadRequest::file(folder.join("merged_panel_2008_2022.csv")).indexed("city", "year");
    let panel = read(&panel).unwrap().panel;
    assert_eq!(panel.n_rows(), 4500);
    assert_eq!(panel.units().n_groups(), 300);
}

#[test]
fn parquet_files_equal_their_csv_twins() {
    let Some(folder) = folder("oracle/open/data") else { return };
    for path in files(&folder, "parquet") {
        let (parquet, csv) = (all(&path).panel, all(&path.with_extension("csv")).panel);
        assert_eq!(parquet.names(), csv.names(), "{}", path.display());
        for name in parquet.names() {
            let at = Name::from(format!("{} {name}", path.display()));
            assert_same_column(parquet.column(name).unwrap(), csv.column(name).unwrap(), &at);
        }
    }
}

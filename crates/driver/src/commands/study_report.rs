//! The report of a study: page, Word file, LaTeX file, with what was read and how rows came to be used.

use std::path::Path;

use parallax_ingest::{FileReport, Loaded};
use parallax_report::{FileRecord, Output, published::Comparison, study_document};
use parallax_study::StudyResult;

use crate::{DriverError, text_file::read_regular};

/// The files of the report, named after the study.
pub(super) fn outputs(
    result: &StudyResult,
    loaded: &Loaded,
    comparisons: &[Comparison],
    sample_flow: &str,
    folder: &Path,
) -> Result<Vec<Output>, DriverError> {
    let listed = listed(folder);
    let files: Result<Vec<FileRecord>, DriverError> =
        loaded.files.iter().map(|it| record(it, &listed)).collect();
    let document = study_document(result, comparisons, &files?, sample_flow);
    Ok(document.outputs(&result.study.file.name)?)
}

pub(super) fn record(file: &FileReport, listed: &[(String, String)]) -> Result<FileRecord, DriverError> {
    let sha256 = file.sha256()?;
    let licence = listed.iter().find(|it| it.0 == sha256).map(|it| it.1.clone());
    Ok(FileRecord {
        name: file.path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default(),
        rows: file.rows as u64,
        licence: licence.unwrap_or_default(),
        sha256,
    })
}

/// Hashes and licences of a `datasets.toml` beside the study's folder; a study outside such a
/// collection has none, and its report then names no licences.
fn listed(folder: &Path) -> Vec<(String, String)> {
    let text = read_regular(&folder.join("..").join("datasets.toml")).unwrap_or_default();
    let list: toml::Table = text.parse().unwrap_or_default();
    let files = list.get("file").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |file: &toml::Value, key| file.get(key)?.as_str().map(str::to_owned);
    files.iter().filter_map(|it| Some((text(it, "sha256")?, text(it, "licence")?))).collect()
}

//! How the sample of a study came to be, in words.

use std::path::Path;

use parallax_base::Note;
use parallax_ingest::Loaded;
use parallax_study::StudyResult;

/// What reading and the pipeline did to rows and columns, as a file beside the tables.
pub(super) fn sample_flow(result: &StudyResult, loaded: &Loaded) -> String {
    let simulated = if result.study.source.simulated { " (simulated data)" } else { "" };
    let mut text = format!("How the sample of {} came to be{simulated}\n\n", result.study.file.name);
    for file in &loaded.files {
        let name = file.path.file_name().map(|it| it.to_string_lossy()).unwrap_or_default();
        text.push_str(&format!(
            "{name}: {}, {} rows, {} columns read\n",
            file.format, file.rows, file.columns_read
        ));
    }
    for note in &loaded.notes {
        text.push_str(&format!("{}\n", without_folder(note)));
    }
    for note in &result.notes {
        text.push_str(&format!("{note}\n"));
    }
    let (rows, units) = (result.panel.n_rows(), result.panel.units().n_groups());
    text.push_str(&match result.panel.index() {
        Some(_) => format!("panel: {rows} rows, {units} units\n"),
        None => format!("cross-section: {rows} rows\n"),
    });
    if result.study.source.simulated {
        text.push_str("All data here are simulated; no number is a finding.\n");
    }
    text
}

/// Notes name files as they were found; where the files lie is not part of the result.
pub(super) fn without_folder(note: &Note) -> String {
    match note {
        Note::Ingest { file, text } => {
            let name = Path::new(file).file_name().map_or(file.as_str().into(), |it| it.to_string_lossy());
            format!("{name}: {text}")
        }
        other => other.to_string(),
    }
}

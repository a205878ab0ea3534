//! Whether a study has what is printed: a name that it does not have would be compared with nothing.

use std::collections::BTreeSet;

use parallax_base::{counted, with_suggestion};
use parallax_study::{StudyFile, StudyResult, TableEntry, TableKind};

use super::file::{PrintedCell, Published, PublishedError, What};
use crate::{descriptive::column_label, detail, effects};

/// Checks tables, columns and rows of a printed file against a study with all its sources, before it is run.
///
/// # Errors
/// [`PublishedError::Unknown`] with the line and the nearest name that the study has.
pub fn check_published(published: &Published, study: &StudyFile) -> Result<(), PublishedError> {
    for table in &published.tables {
        let entries: Vec<&TableEntry> = study.tables.iter().filter(|it| it.id == table.id).collect();
        if entries.is_empty() {
            let hint = with_suggestion(&table.id, study.tables.iter().map(|it| it.id.as_str()));
            return Err(PublishedError::Unknown {
                place: format!("table `{}`", table.id),
                message: format!("the study has no table of this id{hint}"),
                line: table.line,
            });
        }
        let known: Vec<Known> = entries.iter().filter_map(|it| Known::of(it)).collect();
        // What a model or a step makes is known when it has been run.
        if known.len() == entries.len() {
            table.cells.iter().try_for_each(|it| look_up(it, &known))?;
        }
    }
    Ok(())
}

/// The same for tables whose rows are known when the study has been run.
///
/// # Errors
/// [`PublishedError::Unknown`].
pub fn check_published_details(published: &Published, result: &StudyResult) -> Result<(), PublishedError> {
    for entry in &result.study.file.tables {
        let Some(table) = published.table(&entry.id) else { continue };
        let Some((columns, rows)) = detail::printed_names(entry, result) else { continue };
        let known = [Known { columns, rows: vec![(What::Statistic, rows)] }];
        table.cells.iter().try_for_each(|it| look_up(it, &known))?;
    }
    Ok(())
}

/// Names under which cells of a table are found.
struct Known {
    columns: Vec<String>,
    rows: Vec<(What, Vec<String>)>,
}

impl Known {
    /// `None` when only a run can tell.
    fn of(entry: &TableEntry) -> Option<Known> {
        match &entry.kind {
            TableKind::Detail { .. } => None,
            TableKind::Descriptive { columns, variables } => {
                let rows = variables.iter().map(|it| it.label.clone()).collect();
                let columns = columns.iter().flat_map(|it| [column_label(it), it.clone()]).collect();
                Some(Known { columns, rows: vec![(What::Statistic, rows)] })
            }
            TableKind::Effects { rows, .. } => {
                let rows = rows.iter().map(|it| it.label.clone()).collect();
                let columns = effects::COLUMNS.iter().map(|it| it.0.to_owned()).collect();
                Some(Known { columns, rows: vec![(What::Statistic, rows)] })
            }
            TableKind::Regression { models, terms, marks, statistics, .. } => {
                let marks = marks.iter().map(|it| (&it.key, &it.label));
                let keyed = statistics.iter().map(|it| (&it.key, &it.label)).chain(marks);
                let statistics: Vec<String> = keyed
                    .flat_map(|(key, label)| key.iter().chain([label]).cloned().collect::<Vec<_>>())
                    .collect();
                let terms: Vec<String> = terms.iter().map(|it| it.label.clone()).collect();
                let of_terms = [What::Estimate, What::StdError, What::Stars].map(|it| (it, terms.clone()));
                let rows = of_terms.into_iter().chain([(What::Statistic, statistics)]).collect();
                let columns = (1..=models.len()).map(|it| format!("({it})")).collect();
                Some(Known { columns, rows })
            }
        }
    }

    fn rows(&self, what: What) -> &[String] {
        self.rows.iter().find(|it| it.0 == what).map_or(&[], |it| &it.1)
    }
}

fn look_up(cell: &PrintedCell, known: &[Known]) -> Result<(), PublishedError> {
    let key = &cell.key;
    let has = |it: &Known| it.columns.contains(&key.column) && it.rows(key.what).contains(&key.row);
    if known.iter().any(has) {
        return Ok(());
    }
    let columns: BTreeSet<&str> = known.iter().flat_map(|it| &it.columns).map(String::as_str).collect();
    let rows: BTreeSet<&str> = known.iter().flat_map(|it| it.rows(key.what)).map(String::as_str).collect();
    let kind = match key.what {
        What::Statistic => "row or statistic",
        What::Estimate | What::StdError | What::Stars => "term",
    };
    let message = if !columns.contains(key.column.as_str()) {
        // Numbers are all alike, and the nearest one is no hint.
        let hint = match key.column.starts_with('(') {
            true => format!("; it has {}", counted(columns.len(), "column")),
            false => with_suggestion(&key.column, columns),
        };
        format!("the study's table has no column `{}`{hint}", key.column)
    } else if rows.contains(key.row.as_str()) {
        format!("no source's table has both column `{}` and row `{}`", key.column, key.row)
    } else if rows.is_empty() {
        format!("the study's table has no {} in its rows", key.what.words())
    } else {
        format!("the study's table has no {kind} of this label or key{}", with_suggestion(&key.row, rows))
    };
    let place = format!("table `{}`, column `{}`, row `{}`", key.table, key.column, key.row);
    Err(PublishedError::Unknown { place, message, line: cell.line })
}

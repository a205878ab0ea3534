//! A whole study as tables and files, and its comparison with what was printed.

use parallax_study::{StudyResult, TableEntry, TableKind};

use crate::{
    Cell, Figure, Format, Output, Row, Table, descriptive_table, descriptive_value,
    detail::{detail_table, detail_value},
    effects::{effects_of_study, effects_value},
    published::{CellKey, Comparison, Published, Value},
    regression_table, regression_value, render, study_figures, svg,
};

/// The tables of a study, in file order.
pub fn study_tables(result: &StudyResult) -> Vec<Table> {
    result.study.file.tables.iter().map(|it| table(it, result)).collect()
}

/// Every printed cell of the study's tables with a verdict.
pub fn compare_study(published: &Published, result: &StudyResult) -> Vec<Comparison> {
    let ours = |key: &CellKey| value(result, key);
    result.study.file.tables.iter().filter_map(|it| published.compare(&it.id, ours)).collect()
}

/// Every table in every format, and each comparison beside its table. `data` is what a reader has to know of the data
/// themselves, which stands below every table.
pub fn study_outputs(result: &StudyResult, comparisons: &[Comparison], data: &[String]) -> Vec<Output> {
    let mut outputs = Vec::new();
    for mut table in study_tables(result) {
        table.notes.extend(data.iter().map(|it| format!("{}.", it.trim_end_matches('.'))));
        outputs.extend(files(&table, &table.id));
    }
    for (id, figures) in study_figures(result) {
        match figures {
            Ok(all) => all.iter().for_each(|it| outputs.extend(figure_files(it))),
            Err(reason) => outputs.extend(files_in(&not_drawn(&id, reason, result), &id, &NUMBERS)),
        }
    }
    for comparison in comparisons {
        let table = comparison.to_table(result.study.source.simulated);
        outputs.extend(files(&table, &format!("{}-printed-against-ours", comparison.table)));
    }
    outputs
}

/// The picture beside its numbers; a figure that cannot be drawn is numbers alone.
fn figure_files(figure: &Figure) -> Vec<Output> {
    let mut outputs = files_in(&figure.table(), &figure.id, &NUMBERS);
    if let Ok(drawn) = svg(figure) {
        outputs.push(Output::new(format!("{}.svg", figure.id), drawn.into_bytes()));
    }
    outputs
}

/// In the place of a figure: why there is none.
fn not_drawn(id: &str, reason: String, result: &StudyResult) -> Table {
    let title = result.study.file.figures.iter().find(|it| it.id == *id).map_or(id, |it| &it.title);
    let mut table = Table::new(id, title);
    table.simulated = result.study.source.simulated;
    table.body.push(Row::cells("", [Cell::Failed(reason)]));
    table
}

/// The numbers of a figure are for reading and for machines; nobody typesets five hundred draws.
const NUMBERS: [Format; 3] = [Format::Text, Format::Csv, Format::Json];

fn files(table: &Table, stem: &str) -> Vec<Output> {
    files_in(table, stem, &Format::ALL)
}

fn files_in(table: &Table, stem: &str, formats: &[Format]) -> Vec<Output> {
    let stable = stable(table);
    let file = |format: &Format| {
        Output::new(format!("{stem}.{}", format.extension()), render(&stable, *format).into_bytes())
    };
    formats.iter().map(file).collect()
}

/// The table with numbers at twelve significant digits: what lies beyond differs between processors
/// and would make `--check` see differences that are none. `parallax fit --format json` has all digits.
fn stable(table: &Table) -> Table {
    let mut stable = table.clone();
    let round = |it: &mut f64| *it = format!("{it:.11e}").parse().unwrap_or(*it);
    for row in &mut stable.body {
        let Row::Cells { cells, .. } = row else { continue };
        for cell in cells {
            match cell {
                Cell::Number { value, .. } => round(value),
                Cell::Coefficient { estimate, std_error, p_value, .. } => {
                    round(estimate);
                    round(std_error);
                    round(p_value);
                }
                Cell::Empty | Cell::Text(_) | Cell::Count(_) | Cell::Failed(_) => {}
            }
        }
    }
    stable
}

fn table(entry: &TableEntry, result: &StudyResult) -> Table {
    match entry.kind {
        TableKind::Descriptive { .. } => descriptive_table(entry, result),
        TableKind::Detail { .. } => detail_table(entry, result),
        TableKind::Effects { .. } => effects_of_study(entry, result),
        TableKind::Regression { .. } => regression_table(entry, result),
    }
}

fn value(result: &StudyResult, key: &CellKey) -> Option<Value> {
    let entry = result.study.file.tables.iter().find(|it| it.id == key.table)?;
    match entry.kind {
        TableKind::Descriptive { .. } => descriptive_value(entry, result, key),
        TableKind::Detail { .. } => detail_value(entry, result, key),
        TableKind::Effects { .. } => effects_value(entry, result, key),
        TableKind::Regression { .. } => regression_value(entry, result, key),
    }
}

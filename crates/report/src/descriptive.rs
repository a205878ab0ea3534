//! Descriptive tables from study results: variables by statistics.

use parallax_panel::{Summary, summarize};
use parallax_study::{StudyResult, TableEntry, TableKind, VariableRow};

use crate::{
    published::{CellKey, Value, What},
    table::{Cell, HeaderRow, Row, Table},
};

/// Builds a descriptive table of a study; other kinds give an empty body.
pub fn descriptive_table(entry: &TableEntry, result: &StudyResult) -> Table {
    let mut table = Table::new(entry.id.as_str(), &entry.title);
    table.simulated = result.study.source.simulated;
    let TableKind::Descriptive { columns, variables } = &entry.kind else { return table };
    let labels = std::iter::once("Variables".to_owned()).chain(columns.iter().map(|it| column_label(it)));
    table.header.push(HeaderRow::new(labels));
    for variable in variables {
        let cells: Vec<Cell> = match describe(variable, result) {
            Ok(summary) => columns.iter().map(|it| cell(&summary, it, entry.decimals)).collect(),
            Err(reason) => {
                let rest = columns.iter().skip(1).map(|_| Cell::Empty);
                std::iter::once(Cell::Failed(reason)).chain(rest).collect()
            }
        };
        table.body.push(Row::cells(&variable.label, cells));
    }
    table.notes.push(format!("Data: {}.", result.study.source.description.trim_end_matches('.')));
    table.notes.push(format!(
        "{} rows, {} units; sd with divisor n - 1, quantiles by Stata's rule.",
        result.panel.n_rows(),
        result.panel.units().n_groups()
    ));
    table.notes.extend(entry.notes.iter().cloned());
    table
}

/// Our value at the place of a printed cell of a descriptive table.
pub fn descriptive_value(entry: &TableEntry, result: &StudyResult, key: &CellKey) -> Option<Value> {
    let TableKind::Descriptive { columns, variables } = &entry.kind else { return None };
    if key.what != What::Statistic {
        return None;
    }
    let variable = variables.iter().find(|it| it.label == key.row)?;
    let column = columns.iter().find(|it| column_label(it) == key.column || **it == key.column)?;
    statistic(&describe(variable, result).ok()?, column).map(Value::Number)
}

fn describe(variable: &VariableRow, result: &StudyResult) -> Result<Summary, String> {
    let values = result.panel.real(&variable.variable).map_err(|it| it.to_string())?;
    Ok(summarize(&values))
}

pub(crate) fn column_label(name: &str) -> String {
    match name {
        "n" => "N".to_owned(),
        other => other.to_owned(),
    }
}

fn statistic(summary: &Summary, name: &str) -> Option<f64> {
    match name {
        "n" => Some(summary.n as f64),
        "mean" => Some(summary.mean),
        "sd" => Some(summary.sd),
        "min" => Some(summary.min),
        "p25" => Some(summary.p25),
        "median" => Some(summary.median),
        "p75" => Some(summary.p75),
        "max" => Some(summary.max),
        _ => None,
    }
}

fn cell(summary: &Summary, name: &str, decimals: u8) -> Cell {
    match (name, statistic(summary, name)) {
        ("n", _) => Cell::Count(summary.n as u64),
        (_, Some(value)) => Cell::decimals(value, decimals),
        (_, None) => Cell::Empty,
    }
}

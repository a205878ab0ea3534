//! Tables that models and steps make themselves: balance, weights, tests.

use parallax_model::{Detail, DetailColumn, DetailValues};
use parallax_study::{DetailColumnSpec, StudyResult, TableEntry, TableKind};

use crate::{
    Digits,
    published::{CellKey, Value, What},
    table::{Cell, HeaderRow, Row, Table},
};

/// Builds a detail table of a study; other kinds give an empty body.
pub fn detail_table(entry: &TableEntry, result: &StudyResult) -> Table {
    let mut table = Table::new(entry.id.as_str(), &entry.title);
    table.simulated = result.study.source.simulated;
    let TableKind::Detail { model, detail, columns } = &entry.kind else { return table };
    table.notes = vec![format!("Data: {}.", result.study.source.description.trim_end_matches('.'))];
    table.notes.extend(entry.notes.iter().cloned());
    let labelled = |name: &str| columns.iter().find(|it| it.column.as_str() == name)?.label.clone();
    let found = result.detail(model.as_deref(), detail).and_then(|it| shown_columns(it, columns));
    match found {
        Ok(shown) => fill(&mut table, &shown, labelled, entry.decimals),
        Err(reason) => table.body.push(Row::cells("", [Cell::Failed(reason)])),
    }
    table
}

/// The cell of a study's detail table at a printed place: the row by its first column, the column by label or name.
pub fn detail_value(entry: &TableEntry, result: &StudyResult, key: &CellKey) -> Option<Value> {
    let TableKind::Detail { model, detail, columns } = &entry.kind else { return None };
    if key.what != What::Statistic {
        return None;
    }
    let found = result.detail(model.as_deref(), detail).ok()?;
    let shown = shown_columns(found, columns).ok()?;
    let row = match &shown.first()?.values {
        DetailValues::Text(it) => it.iter().position(|it| *it == key.row)?,
        numeric => numeric.numbers()?.iter().position(|it| it.to_string() == key.row)?,
    };
    let label = |it: &&&DetailColumn| {
        let own = columns.iter().find(|wanted| wanted.column == it.name).and_then(|it| it.label.as_ref());
        *own.unwrap_or(&it.label) == key.column || it.name.as_str() == key.column
    };
    match &shown.iter().find(label)?.values {
        DetailValues::Text(it) => it.get(row).cloned().map(Value::Text),
        numeric => numeric.numbers()?.get(row).copied().map(Value::Number),
    }
}

/// Names of the columns and the rows under which printed cells of a detail table are found; `None` for another table and
/// for one that was not made.
pub(crate) fn printed_names(entry: &TableEntry, result: &StudyResult) -> Option<(Vec<String>, Vec<String>)> {
    let TableKind::Detail { model, detail, columns } = &entry.kind else { return None };
    let found = result.detail(model.as_deref(), detail).ok()?;
    let shown = shown_columns(found, columns).ok()?;
    let own = |it: &DetailColumn| {
        columns.iter().find(|wanted| wanted.column == it.name).and_then(|it| it.label.clone())
    };
    let names =
        shown.iter().flat_map(|it| [own(it).unwrap_or_else(|| it.label.clone()), it.name.to_string()]);
    let rows = match &shown.first()?.values {
        DetailValues::Text(it) => it.clone(),
        DetailValues::Number(it) | DetailValues::Count(it) | DetailValues::Label(it) => {
            it.iter().map(f64::to_string).collect()
        }
    };
    Some((names.collect(), rows))
}

/// A detail as a table of its own, with six significant digits.
pub fn plain_table(detail: &Detail, simulated: bool) -> Table {
    let mut table = Table::new(detail.name, &detail.title);
    table.simulated = simulated;
    let columns: Vec<&DetailColumn> = detail.columns.iter().collect();
    fill_with(&mut table, &columns, |_| None, Digits::Significant(6));
    table
}

/// The columns a study asks for, or all of them.
///
/// # Errors
/// A column that the detail does not have.
pub(crate) fn shown_columns<'d>(
    detail: &'d Detail,
    wanted: &[DetailColumnSpec],
) -> Result<Vec<&'d DetailColumn>, String> {
    if wanted.is_empty() {
        return Ok(detail.columns.iter().collect());
    }
    wanted.iter().map(|it| column(detail, &it.column)).collect()
}

fn column<'d>(detail: &'d Detail, name: &str) -> Result<&'d DetailColumn, String> {
    detail.find(name).ok_or_else(|| {
        let known = detail.columns.iter().map(|it| it.name.as_str());
        format!(
            "no column `{name}` in table `{}`{}",
            detail.name,
            parallax_base::with_suggestion(name, known)
        )
    })
}

fn fill(table: &mut Table, columns: &[&DetailColumn], label: impl Fn(&str) -> Option<String>, decimals: u8) {
    fill_with(table, columns, label, Digits::Decimals(decimals));
}

fn fill_with(
    table: &mut Table,
    columns: &[&DetailColumn],
    label: impl Fn(&str) -> Option<String>,
    digits: Digits,
) {
    let labels = columns.iter().map(|it| label(&it.name).unwrap_or_else(|| it.label.clone()));
    let rows = columns.iter().map(|it| it.values.len()).max().unwrap_or(0);
    // Words in the first column are the labels of rows; without words the rows have none.
    let labels: Vec<String> = match columns.first().map(|it| &it.values) {
        Some(DetailValues::Text(_)) => labels.collect(),
        _ => std::iter::once(String::new()).chain(labels).collect(),
    };
    table.header.push(HeaderRow::new(labels));
    for row in 0..rows {
        let (first, rest) = match columns.split_first() {
            Some((DetailColumn { values: DetailValues::Text(it), .. }, rest)) => {
                (it.get(row).cloned().unwrap_or_default(), rest)
            }
            _ => (String::new(), columns),
        };
        table.body.push(Row::cells(first, rest.iter().map(|it| cell(&it.values, row, digits))));
    }
}

fn cell(values: &DetailValues, row: usize, digits: Digits) -> Cell {
    let known = |it: &[f64]| it.get(row).copied().filter(|it| !it.is_nan());
    match values {
        DetailValues::Text(it) => it.get(row).map_or(Cell::Empty, Cell::text),
        DetailValues::Number(it) => known(it).map_or(Cell::Empty, |value| Cell::Number { value, digits }),
        // A count that weights made is not whole.
        DetailValues::Count(it) => {
            known(it).map_or(Cell::Empty, |value| match value.fract() == 0.0 && 0.0 <= value {
                true => Cell::Count(value as u64),
                false => Cell::Number { value, digits },
            })
        }
        DetailValues::Label(it) => known(it).map_or(Cell::Empty, |value| Cell::decimals(value, 0)),
    }
}

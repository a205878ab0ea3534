//! Tables of effects: estimates with intervals, one a line, under several estimators.

use parallax_model::{Estimate, TermRow};
use parallax_study::{EffectRow, StudyResult, TableEntry, TableKind};

use crate::{
    published::{CellKey, Value, What},
    table::{Cell, HeaderRow, Row, Table},
};

/// A number of an effect.
type OfRow = fn(&TermRow) -> f64;

/// Columns of a table of effects under which a printed cell is found, with what stands in them.
pub(crate) const COLUMNS: [(&str, OfRow); 5] = [
    ("Estimate", |it| it.estimate),
    ("Std. error", |it| it.std_error),
    ("low", |it| it.conf_low),
    ("high", |it| it.conf_high),
    ("p", |it| it.p_value),
];

/// Our value at the place of a printed cell of a table of effects.
pub(crate) fn effects_value(entry: &TableEntry, result: &StudyResult, key: &CellKey) -> Option<Value> {
    let TableKind::Effects { rows, level } = &entry.kind else { return None };
    let row = rows.iter().find(|it| it.label == key.row && key.what == What::Statistic)?;
    let column = COLUMNS.iter().find(|it| it.0 == key.column)?.1;
    Some(Value::Number(column(&effect(row, result, *level).ok()?.1)))
}

/// Builds a table of effects of a study; other kinds give an empty body.
pub(crate) fn effects_of_study(entry: &TableEntry, result: &StudyResult) -> Table {
    let mut table = Table::new(entry.id.as_str(), &entry.title);
    table.simulated = result.study.source.simulated;
    let TableKind::Effects { rows, level } = &entry.kind else { return table };
    let percent = (1e6 * level).round() / 1e4;
    let (low, high) = (format!("{percent}% low"), format!("{percent}% high"));
    table.header.push(HeaderRow::new(["", "Estimate", "Std. error", &low, &high, "p", "Rows"]));
    for row in rows {
        let cells = match effect(row, result, *level) {
            Ok((estimate, found)) => cells(&found, estimate, entry.decimals),
            Err(why) => std::iter::once(Cell::Failed(why)).chain([const { Cell::Empty }; 5]).collect(),
        };
        table.body.push(Row::cells(&row.label, cells));
    }
    table.notes.push(format!("Data: {}.", result.study.source.description.trim_end_matches('.')));
    table.notes.extend(errors(rows, result));
    table.notes.extend(entry.notes.iter().cloned());
    table
}

fn effect<'r>(
    row: &EffectRow,
    result: &'r StudyResult,
    level: f64,
) -> Result<(&'r Estimate, TermRow), String> {
    let model = result.model(&row.model).ok_or_else(|| format!("no model `{}`", row.model))?;
    let estimate = model.estimate.as_ref().map_err(Clone::clone)?;
    let found = estimate.row(&row.term, level).ok_or_else(|| format!("no term `{}`", row.term))?;
    Ok((estimate, found))
}

fn cells(row: &TermRow, estimate: &Estimate, decimals: u8) -> Vec<Cell> {
    let numbers = [row.estimate, row.std_error, row.conf_low, row.conf_high, row.p_value];
    let numbers = numbers.map(|it| Cell::decimals(it, decimals));
    numbers.into_iter().chain([Cell::Count(estimate.sample.rows_used as u64)]).collect()
}

/// Which covariance and rules the errors of each line have.
fn errors(rows: &[EffectRow], result: &StudyResult) -> Option<String> {
    let mut distinct: Vec<(String, Vec<&str>)> = Vec::new();
    for row in rows {
        let Some(Ok(estimate)) = result.model(&row.model).map(|it| &it.estimate) else { continue };
        let text = format!("{}, rules {}", estimate.vcov.spec, estimate.vcov.small_sample);
        match distinct.iter_mut().find(|it| it.0 == text) {
            Some(it) => it.1.push(&row.label),
            None => distinct.push((text, vec![&row.label])),
        }
    }
    let said: Vec<String> = match distinct.as_slice() {
        [] => return None,
        [(text, _)] => vec![text.clone()],
        several => several.iter().map(|(text, labels)| format!("{text} ({})", labels.join(", "))).collect(),
    };
    Some(format!("Covariance: {}.", said.join("; ")))
}

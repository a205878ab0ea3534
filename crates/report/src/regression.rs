//! Regression tables from study results: coefficients, marks, statistics, and a note that states
//! covariance, convention and sample of every column.

use parallax_model::{Estimate, SingletonPolicy, Statistic, TermRow};
use parallax_study::{ModelResult, OneOrEach, StatisticRow, StudyResult, TableEntry, TableKind};

use crate::{
    Digits,
    published::{CellKey, Value, What},
    table::{Cell, HeaderCell, HeaderRow, Row, Table},
};

/// Builds a regression table of a study; other kinds give an empty body.
pub fn regression_table(entry: &TableEntry, result: &StudyResult) -> Table {
    let mut table = Table::new(entry.id.as_str(), &entry.title);
    table.simulated = result.study.source.simulated;
    let TableKind::Regression { models, groups, outcome, terms, marks, statistics, stars } = &entry.kind
    else {
        return table;
    };
    let columns: Vec<Option<&ModelResult>> = models.iter().map(|it| result.model(it)).collect();
    table.header.push(HeaderRow::new(
        std::iter::once(String::new()).chain((1..=columns.len()).map(|it| format!("({it})"))),
    ));
    if !groups.is_empty() {
        let spans = groups.iter().map(|it| (it.label.clone(), it.columns));
        table.header.push(HeaderRow::spans(std::iter::once((String::new(), 1)).chain(spans)));
    }
    table.header.push(outcome_row(&columns, outcome.as_ref()));
    for (at, term) in terms.iter().enumerate() {
        table.body.push(Row::cells(
            &term.label,
            columns
                .iter()
                .enumerate()
                .map(|(column, it)| coefficient(*it, term.term.at(column), stars, entry.decimals, at == 0)),
        ));
    }
    if !marks.is_empty() || !statistics.is_empty() {
        table.body.push(Row::Rule);
    }
    for mark in marks {
        table.body.push(Row::cells(&mark.label, mark.values.iter().map(Cell::text)));
    }
    for row in statistics {
        let cells = columns.iter().enumerate().map(|(at, it)| {
            let found = estimate_of(*it).and_then(|it| statistic(it, row.statistic.at(at)));
            found.map_or(Cell::Empty, |it| statistic_cell(it, entry.decimals))
        });
        table.body.push(Row::cells(&row.label, cells));
    }
    table.notes = notes(entry, result, &columns, stars);
    table
}

/// Our value at the place of a printed cell of a regression table, if the table has such a cell.
pub fn regression_value(entry: &TableEntry, result: &StudyResult, key: &CellKey) -> Option<Value> {
    let TableKind::Regression { models, terms, marks, statistics, stars, .. } = &entry.kind else {
        return None;
    };
    let column: usize = key.column.trim_matches(['(', ')']).parse().ok()?;
    let at = column.checked_sub(1)?;
    if key.what == What::Statistic
        && let Some(mark) = marks.iter().find(|it| it.key.as_deref() == Some(&key.row) || it.label == key.row)
    {
        return mark.values.get(at).map(|it| Value::Text(it.clone()));
    }
    let estimate = estimate_of(result.model(models.get(at)?))?;
    if key.what == What::Statistic {
        let named = |it: &&StatisticRow| it.key.as_deref() == Some(&key.row) || it.label == key.row;
        let row = statistics.iter().find(named)?;
        return statistic(estimate, row.statistic.at(at)).map(|it| Value::Number(it.value()));
    }
    let term = terms.iter().find(|it| it.label == key.row)?;
    let row = estimate.row(term.term.at(at)?, LEVEL)?;
    Some(match key.what {
        What::Estimate => Value::Number(row.estimate),
        What::StdError => Value::Number(row.std_error),
        What::Stars => Value::Stars(count_stars(row.p_value, stars)),
        What::Statistic => return None,
    })
}

/// Intervals are not printed here; any level gives the same estimate and error.
const LEVEL: f64 = 0.95;

fn outcome_row(columns: &[Option<&ModelResult>], label: Option<&OneOrEach>) -> HeaderRow {
    let text = |(at, it): (usize, &Option<&ModelResult>)| match (label.and_then(|it| it.at(at)), it) {
        (Some(label), _) => label.to_owned(),
        (None, Some(it)) => it.model.spec.formula.outcome_name().to_string(),
        (None, None) => String::new(),
    };
    let mut cells = vec![HeaderCell { text: String::new(), span: 1 }];
    cells.extend(columns.iter().enumerate().map(|it| HeaderCell { text: text(it), span: 1 }));
    HeaderRow { cells }
}

pub(crate) fn estimate_of(result: Option<&ModelResult>) -> Option<&Estimate> {
    result.and_then(|it| it.estimate.as_ref().ok())
}

fn coefficient(
    result: Option<&ModelResult>,
    term: Option<&str>,
    levels: &[f64],
    decimals: u8,
    first: bool,
) -> Cell {
    let estimate = match result.map(|it| &it.estimate) {
        Some(Ok(it)) => it,
        Some(Err(reason)) if first => return Cell::Failed(reason.clone()),
        _ => return Cell::Empty,
    };
    let Some(TermRow { estimate, std_error, p_value, .. }) = term.and_then(|it| estimate.row(it, LEVEL))
    else {
        return Cell::Empty;
    };
    let stars = count_stars(p_value, levels);
    Cell::Coefficient { estimate, std_error, stars, p_value, digits: Digits::Decimals(decimals) }
}

/// How many falling levels the p-value is below.
fn count_stars(p_value: f64, levels: &[f64]) -> u8 {
    levels.iter().filter(|it| p_value < **it).count() as u8
}

pub(crate) fn statistic(estimate: &Estimate, name: Option<&str>) -> Option<Statistic> {
    match name? {
        "observations" => Some(Statistic::Count(estimate.observations())),
        "units" => estimate.sample.units.map(|it| Statistic::Count(it as u64)),
        other => estimate.stats.typed(other),
    }
}

fn statistic_cell(statistic: Statistic, decimals: u8) -> Cell {
    match statistic {
        Statistic::Count(it) => Cell::Count(it),
        Statistic::Number(it) => Cell::decimals(it, decimals),
    }
}

fn notes(
    entry: &TableEntry,
    result: &StudyResult,
    columns: &[Option<&ModelResult>],
    stars: &[f64],
) -> Vec<String> {
    let mut notes = vec![format!("Data: {}.", result.study.source.description.trim_end_matches('.'))];
    let marks: Vec<String> =
        stars.iter().enumerate().map(|(at, level)| format!("{} p < {level}", "*".repeat(at + 1))).collect();
    notes.push(format!("Standard errors in parentheses; {}.", marks.join(", ")));
    notes.extend(grouped(columns, estimator_text));
    notes.extend(grouped(columns, convention_text));
    notes.extend(grouped(columns, sample_text));
    notes.extend(grouped(columns, remarks_text));
    notes.extend(entry.notes.iter().cloned());
    notes
}

/// One sentence for each distinct text, with the columns it holds for.
fn grouped(columns: &[Option<&ModelResult>], text: impl Fn(&Estimate) -> String) -> Vec<String> {
    let mut distinct: Vec<(String, Vec<usize>)> = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let Some(estimate) = estimate_of(*column) else { continue };
        let text = text(estimate);
        match distinct.iter_mut().find(|it| it.0 == text) {
            Some(it) => it.1.push(at + 1),
            None => distinct.push((text, vec![at + 1])),
        }
    }
    let all = columns.len();
    let sentence = |(text, at): (String, Vec<usize>)| {
        if text.is_empty() {
            return None;
        }
        if at.len() == all {
            return Some(format!("All columns: {text}."));
        }
        let list: Vec<String> = at.iter().map(|it| format!("({it})")).collect();
        Some(format!("{}: {text}.", list.join(" ")))
    };
    distinct.into_iter().filter_map(sentence).collect()
}

fn estimator_text(estimate: &Estimate) -> String {
    let effects: Vec<String> =
        estimate.effects.iter().map(|(name, levels)| format!("{name} ({levels})")).collect();
    match effects.is_empty() {
        true => estimate.estimator.to_owned(),
        false => format!("{}, effects {}", estimate.estimator, effects.join(" + ")),
    }
}

fn convention_text(estimate: &Estimate) -> String {
    let it = &estimate.vcov.arithmetic;
    let clusters: Vec<String> = it.terms.iter().map(|it| format!("{} {} groups", it.groups, it.by)).collect();
    let clusters = if clusters.is_empty() { String::new() } else { format!(", {}", clusters.join(", ")) };
    let weights = estimate.sample.weights.as_ref().map_or_else(String::new, |it| format!(", {it}"));
    format!(
        "covariance {}{clusters}, small-sample rules {} (K = {}){weights}",
        estimate.vcov.spec, estimate.vcov.small_sample, it.k
    )
}

fn sample_text(estimate: &Estimate) -> String {
    let sample = &estimate.sample;
    let mut text = format!("{} of {} rows", sample.rows_used, sample.rows_in);
    if !sample.dropped.is_empty() {
        let reasons: Vec<String> = sample.dropped.iter().map(|(why, n)| format!("{n} {why}")).collect();
        text.push_str(&format!(" (out: {})", reasons.join(", ")));
    }
    if !estimate.effects.is_empty() {
        text.push_str(&format!(", singletons {}", singletons_text(estimate)));
    }
    format!("{text}, row set {}", sample.hash)
}

fn singletons_text(estimate: &Estimate) -> &'static str {
    match estimate.sample.singletons {
        SingletonPolicy::Drop => "dropped",
        SingletonPolicy::Keep => "kept",
    }
}

fn remarks_text(estimate: &Estimate) -> String {
    let notes: Vec<String> = estimate.notes.iter().map(ToString::to_string).collect();
    notes.join("; ")
}

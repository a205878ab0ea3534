//! One estimate: the JSON contract of `parallax fit`, and a table for people.

use parallax_model::{Detail, DetailValues, Distribution, Estimate, Formula, Statistic, TermRow};
use serde_json::{Map, Value, json};

use crate::{
    Digits,
    table::{Cell, HeaderRow, Row, Table},
};

/// The stable JSON form: full precision, missing numbers as null, keys in a fixed order.
pub fn estimate_json(estimate: &Estimate, formula: &Formula, level: f64, notes: &[String]) -> Value {
    let k = estimate.coef.len();
    // A coefficient without an error has no covariances either.
    let known: Vec<bool> = estimate.vcov.std_errors().iter().map(|it| !it.is_nan()).collect();
    let entry = |i: usize, j: usize| {
        if known[i] && known[j] { number(estimate.vcov.matrix[(i, j)]) } else { Value::Null }
    };
    let matrix: Vec<Vec<Value>> = (0..k).map(|i| (0..k).map(|j| entry(i, j)).collect()).collect();
    let stats: Map<String, Value> =
        estimate.stats.iter().map(|(name, value)| (name.to_owned(), number(value))).collect();
    let sample = &estimate.sample;
    let dropped: Map<String, Value> =
        sample.dropped.iter().map(|(why, n)| (why.to_string(), json!(n))).collect();
    let terms: Vec<Value> = estimate.rows(level).iter().map(term_json).collect();
    let clusters: Vec<Value> =
        sample.clusters.iter().map(|(column, count)| json!({ "column": column, "count": count })).collect();
    json!({
        "estimator": estimate.estimator,
        "formula": formula.to_string(),
        "outcome": estimate.outcome,
        "nobs": estimate.observations(),
        "units": sample.units,
        "periods": sample.periods,
        "clusters": clusters,
        "weights": weights_json(estimate),
        "terms": terms,
        "vcov": { "kind": estimate.vcov.spec.to_string(), "matrix": matrix },
        "df": degrees(estimate.distribution),
        "treated": estimate.treated.as_ref().and_then(|it| it.overall),
        "stats": stats,
        "sample": {
            "rows_in": sample.rows_in,
            "rows_used": sample.rows_used,
            "dropped": dropped,
            "hash": sample.hash,
        },
        "details": estimate.details.iter().map(detail_json).collect::<Vec<Value>>(),
        "version": env!("CARGO_PKG_VERSION"),
        "notes": all_notes(estimate, notes),
    })
}

fn weights_json(estimate: &Estimate) -> Value {
    match &estimate.sample.weights {
        None => Value::Null,
        Some(it) => json!({ "column": it.column, "kind": it.kind, "scale": it.scale }),
    }
}

/// Columns by name, as long as the table.
fn detail_json(detail: &Detail) -> Value {
    let values = |it: &DetailValues| match it {
        DetailValues::Text(it) => json!(it),
        DetailValues::Number(it) | DetailValues::Count(it) | DetailValues::Label(it) => {
            it.iter().map(|it| number(*it)).collect()
        }
    };
    let columns: Map<String, Value> =
        detail.columns.iter().map(|it| (it.name.to_string(), values(&it.values))).collect();
    json!({ "name": detail.name, "title": detail.title, "columns": columns })
}

/// A coefficient table with statistics and notes below.
pub fn estimate_table(estimate: &Estimate, level: f64, simulated: bool, notes: &[String]) -> Table {
    let mut table = Table::new(estimate.estimator, format!("{}: {}", estimate.estimator, estimate.outcome));
    table.simulated = simulated;
    let statistic = match estimate.distribution {
        Distribution::Normal => "z",
        Distribution::StudentT(_) => "t",
    };
    let interval = format!("{}% interval", level * 100.0);
    table.header.push(HeaderRow::new(["Term", "Estimate", "Std. error", statistic, "p", &interval, ""]));
    for row in estimate.rows(level) {
        let numbers = [row.estimate, row.std_error, row.statistic, row.p_value, row.conf_low, row.conf_high];
        table.body.push(Row::cells(row.term, numbers.map(significant)));
    }
    table.body.push(Row::Rule);
    let line = |label: &str, cell: Cell| {
        let rest = std::iter::repeat_n(Cell::Empty, 5);
        Row::cells(label, std::iter::once(cell).chain(rest))
    };
    let rows = estimate.sample.rows_used as u64;
    table.body.push(line("Observations", Cell::Count(estimate.observations())));
    if rows != estimate.observations() {
        table.body.push(line("Rows used", Cell::Count(rows)));
    }
    if let Some(units) = estimate.sample.units {
        table.body.push(line("Units", Cell::Count(units as u64)));
    }
    for (name, statistic) in estimate.stats.iter_typed().filter(|it| it.0 != "observations") {
        let cell = match statistic {
            Statistic::Count(it) => Cell::Count(it),
            Statistic::Number(it) => significant(it),
        };
        table.body.push(line(name, cell));
    }
    table.notes = all_notes(estimate, notes);
    table
}

fn significant(value: f64) -> Cell {
    Cell::Number { value, digits: Digits::Significant(6) }
}

fn all_notes(estimate: &Estimate, notes: &[String]) -> Vec<String> {
    let it = &estimate.vcov.arithmetic;
    let sample = &estimate.sample;
    let reference = match estimate.distribution {
        Distribution::Normal => "statistics are compared with the normal distribution".to_owned(),
        Distribution::StudentT(_) => format!("t distribution: {}", it.t_df_text),
    };
    let mut all = vec![format!(
        "covariance {}, small-sample rules {}: n = {}, K = {}, {}; {reference}",
        estimate.vcov.spec, estimate.vcov.small_sample, it.n, it.k, it.factor_text
    )];
    if !estimate.effects.is_empty() {
        let effects: Vec<String> =
            estimate.effects.iter().map(|(name, levels)| format!("{name} ({levels} levels)")).collect();
        all.push(format!("effects absorbed: {}; singletons: {}", effects.join(", "), sample.singletons));
    }
    all.extend(sample.weights.as_ref().map(ToString::to_string));
    let dropped: Vec<String> = sample.dropped.iter().map(|(why, n)| format!("{n} {why}")).collect();
    if !dropped.is_empty() {
        all.push(format!(
            "{} of {} rows used; out: {}",
            sample.rows_used,
            sample.rows_in,
            dropped.join(", ")
        ));
    }
    all.extend(estimate.notes.iter().map(ToString::to_string));
    all.extend(notes.iter().cloned());
    all
}

fn term_json(row: &TermRow) -> Value {
    json!({
        "term": row.term,
        "estimate": number(row.estimate),
        "std_error": number(row.std_error),
        "statistic": number(row.statistic),
        "df": degrees(row.distribution),
        "p_value": number(row.p_value),
        "conf_low": number(row.conf_low),
        "conf_high": number(row.conf_high),
        "treated": row.treated,
    })
}

/// Degrees of freedom; null for the normal distribution.
fn degrees(distribution: Distribution) -> Value {
    match distribution {
        Distribution::StudentT(df) => number(df),
        Distribution::Normal => Value::Null,
    }
}

fn number(value: f64) -> Value {
    if value.is_finite() { json!(value + 0.0) } else { Value::Null }
}

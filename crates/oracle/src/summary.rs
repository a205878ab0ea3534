//! One table of all comparisons: estimator, program, covariance, how many, worst gap.

use std::collections::BTreeMap;

use crate::{Comparison, Report};

/// Counts and worst gaps by estimator, program and covariance kind, as a Markdown table.
///
/// Gaps are shares of the other program's number. Numbers of which only some digits were printed and
/// p-values are counted apart, since their gaps mean something else.
pub fn summary(report: &Report) -> String {
    let mut lines: BTreeMap<(&str, &str, String), Vec<&Comparison>> = BTreeMap::new();
    for it in &report.comparisons {
        let key = (it.estimator, it.program.as_str(), kind(it));
        lines.entry(key).or_default().push(it);
    }
    let mut rows =
        vec![["estimator", "program", "compared", "numbers", "worst gap", "apart"].map(str::to_owned)];
    for ((estimator, program, kind), group) in lines {
        let worst = group.iter().map(|it| it.gap()).fold(0.0, f64::max);
        let apart = group.iter().filter(|it| !it.agrees()).count();
        let count = group.len().to_string();
        rows.push([estimator.into(), program.into(), kind, count, format!("{worst:.1e}"), apart.to_string()]);
    }
    let total = report.comparisons.len();
    let apart = report.disagreements().len();
    format!("{}\n{total} numbers compared, {apart} apart.\n", table(&rows))
}

/// What is not compared, and why: one line for a name and its reason, with the case where it is only one.
pub fn left_out(report: &Report) -> String {
    let mut lines: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
    for it in &report.left_out {
        let what = if it.what.is_empty() { &it.case } else { &it.what };
        lines.entry((&it.source, what, &it.reason)).or_default().push(&it.case);
    }
    let mut rows = vec![["file", "left out", "cases", "why"].map(str::to_owned)];
    for ((source, what, reason), cases) in lines {
        let cases = match cases.as_slice() {
            [only] => (*only).to_owned(),
            several => several.len().to_string(),
        };
        rows.push([source.into(), what.into(), cases, reason.into()]);
    }
    table(&rows)
}

fn kind(it: &Comparison) -> String {
    let what = it.quantity.split(' ').next().unwrap_or_default();
    let kind = match it.covariance.split_once(':') {
        Some((_, by)) if by.contains('+') => "multi-way clusters",
        Some(_) => "clusters",
        None => it.covariance.as_str(),
    };
    match (it.tolerance.name, what) {
        ("printed digits", _) => "printed digits".to_owned(),
        (_, "coef") => "coefficients".to_owned(),
        (_, "nobs" | "levels" | "columns" | "df") => "counts".to_owned(),
        (_, "p") => format!("p-values, {kind}"),
        (_, "se") => format!("errors, {kind}"),
        (name, _) if name.starts_with("p-value") => "p-values of tests".to_owned(),
        (_, _) => "statistics".to_owned(),
    }
}

/// A Markdown table with columns padded to their widest cell.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |at: usize| rows.iter().map(|it| it[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let pad = " ".repeat(width - cell.chars().count());
            text.push_str(&format!("| {cell}{pad} "));
        }
        text.push_str("|\n");
        if at == 0 {
            widths.iter().for_each(|it| text.push_str(&format!("|{}", "-".repeat(it + 2))));
            text.push_str("|\n");
        }
    }
    text
}

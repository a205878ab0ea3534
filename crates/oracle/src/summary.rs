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

/// What is not compared, and why: one line a reason and name.
pub fn left_out(report: &Report) -> String {
    let mut rows =
        vec![["file", "case", "covariance or statistic", "why it is not compared"].map(str::to_owned)];
    let line = |it: &crate::LeftOut| [it.source.clone(), it.case.clone(), it.what.clone(), it.reason.clone()];
    rows.extend(report.left_out.iter().map(line));
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

//! What a study asked for and did not get: failed models, blank rows, figures that cannot be drawn.

use std::collections::BTreeSet;

use parallax_base::with_suggestion;
use parallax_model::Estimate;
use parallax_study::{EffectRow, OneOrEach, StudyResult, TableEntry, TableKind};

use crate::{
    detail::shown_columns,
    draw::svg,
    regression::{estimate_of, statistic},
    study_figures::study_figures,
};

/// One sentence a problem, in the order of the study file: models, tables, figures. Empty when all is there.
///
/// Outputs hold the reasons too, but a script that only looks at the exit code must not take a table with
/// an empty row for a finished one.
pub fn study_problems(result: &StudyResult) -> Vec<String> {
    let failed = result.models.iter().filter_map(|it| {
        let reason = it.estimate.as_ref().err()?;
        Some(format!("model `{}`: {reason}", it.model.name))
    });
    let tables = result.study.file.tables.iter().flat_map(|it| {
        table_problems(it, result).into_iter().map(|problem| format!("table `{}`: {problem}", it.id))
    });
    let figures = study_figures(result).into_iter().flat_map(|(id, drawn)| {
        let reasons: Vec<String> = match drawn {
            Err(reason) => vec![reason],
            Ok(all) => all.iter().filter_map(|it| svg(it).err()).map(|it| it.to_string()).collect(),
        };
        reasons.into_iter().map(move |reason| format!("figure `{id}`: {reason}"))
    });
    failed.chain(tables).chain(figures).collect()
}

fn table_problems(entry: &TableEntry, result: &StudyResult) -> Vec<String> {
    match &entry.kind {
        TableKind::Descriptive { .. } => Vec::new(),
        TableKind::Detail { model, detail, columns } => {
            let found = result.detail(model.as_deref(), detail);
            found.and_then(|it| shown_columns(it, columns)).err().into_iter().collect()
        }
        TableKind::Effects { rows, .. } => rows.iter().filter_map(|it| no_term(it, result)).collect(),
        TableKind::Regression { models, terms, statistics, .. } => {
            let columns: Vec<Option<&Estimate>> =
                models.iter().map(|it| estimate_of(result.model(it))).collect();
            let terms = terms.iter().flat_map(|it| missing(&it.term, &columns, "term", terms_of, has_term));
            let statistics = statistics
                .iter()
                .flat_map(|it| missing(&it.statistic, &columns, "statistic", statistics_of, has_statistic));
            terms.chain(statistics).collect()
        }
    }
}

/// A line of a table of effects whose model has been fitted and lacks its term.
fn no_term(row: &EffectRow, result: &StudyResult) -> Option<String> {
    let estimate = estimate_of(result.model(&row.model))?;
    let hint = with_suggestion(&row.term, terms_of(estimate).iter().map(String::as_str));
    (!has_term(estimate, &row.term))
        .then(|| format!("model `{}` has no term `{}`{hint}", row.model, row.term))
}

/// Names that no column of the table has; a column that failed may have any.
fn missing(
    named: &OneOrEach,
    columns: &[Option<&Estimate>],
    what: &str,
    known: fn(&Estimate) -> Vec<String>,
    has: fn(&Estimate, &str) -> bool,
) -> Vec<String> {
    let mut wanted: Vec<&str> = (0..columns.len()).filter_map(|at| named.at(at)).collect();
    wanted.retain(|it| !it.is_empty());
    wanted.sort_unstable();
    wanted.dedup();
    let lacks = |name: &&str| {
        let mut asked = columns.iter().enumerate().filter(|(at, _)| named.at(*at) == Some(name));
        asked.all(|(_, it)| it.is_some_and(|it| !has(it, name)))
    };
    let sentence = |name: &str| {
        let all: BTreeSet<String> = columns.iter().flatten().flat_map(|it| known(it)).collect();
        format!("no column has the {what} `{name}`{}", with_suggestion(name, all.iter().map(String::as_str)))
    };
    wanted.iter().filter(|it| lacks(it)).map(|it| sentence(it)).collect()
}

fn has_term(estimate: &Estimate, name: &str) -> bool {
    estimate.terms.iter().any(|it| it.to_string() == name)
}

fn terms_of(estimate: &Estimate) -> Vec<String> {
    estimate.terms.iter().map(ToString::to_string).collect()
}

fn has_statistic(estimate: &Estimate, name: &str) -> bool {
    statistic(estimate, Some(name)).is_some()
}

fn statistics_of(estimate: &Estimate) -> Vec<String> {
    let own = estimate.stats.iter().map(|it| it.0.to_owned());
    own.chain(["observations".to_owned(), "units".to_owned()]).collect()
}

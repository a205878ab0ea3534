//! The report of a study: its tables with what was printed, its figures, and what they rest on.

use parallax_model::{Estimate, SingletonPolicy};
use parallax_study::{StudyResult, TableKind};

use crate::{
    document::{Convention, Document, FileRecord, Item, Section},
    draw::raster,
    figure::Figure,
    language::Language,
    published::Comparison,
    study_figures, study_tables,
};

/// The document of a study: each table, with its comparison where there is one, then the figures.
///
/// Of a figure in two languages it has the English one. A figure that cannot be drawn is a
/// sentence with its reason.
pub fn study_document(
    result: &StudyResult,
    comparisons: &[Comparison],
    files: &[FileRecord],
    sample_flow: &str,
) -> Document {
    let study = &result.study;
    let sections = [tables(result, comparisons), figures(result)];
    Document {
        title: study.file.title.clone(),
        language: Language::En,
        reference: study.file.reference.clone(),
        source: format!("{}: {}", study.source.name, study.source.description),
        simulated: study.source.simulated,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sections: sections.into_iter().filter(|it| !it.is_empty()).collect(),
        sample_flow: sample_flow.to_owned(),
        files: files.to_vec(),
        conventions: conventions(result, comparisons),
        notes: failures(result),
    }
}

fn tables(result: &StudyResult, comparisons: &[Comparison]) -> Section {
    let mut items = Vec::new();
    for table in study_tables(result) {
        let compared = comparisons.iter().find(|it| it.table == table.id).cloned();
        items.push(Item::Table(table));
        items.extend(compared.map(Item::Comparison));
    }
    Section { title: "Tables".to_owned(), paragraphs: Vec::new(), items }
}

fn figures(result: &StudyResult) -> Section {
    let mut section = Section { title: "Figures".to_owned(), ..Section::default() };
    for (id, drawn) in study_figures(result) {
        match drawn.and_then(first_drawable) {
            Ok(it) => section.items.push(Item::Figure(it)),
            Err(reason) => section.paragraphs.push(format!("Figure {id} is not drawn: {reason}.")),
        }
    }
    section
}

/// The English figure, if a page as well as a Word file can show it.
fn first_drawable(figures: Vec<Figure>) -> Result<Figure, String> {
    let first = figures.into_iter().next().ok_or("it has no data")?;
    raster::check(&first).map_err(|it| it.to_string())?;
    Ok(first)
}

fn failures(result: &StudyResult) -> Vec<String> {
    let failed = result.models.iter().filter_map(|it| Some((&it.model.name, it.estimate.as_ref().err()?)));
    failed.map(|(name, reason)| format!("Model {name} failed: {reason}")).collect()
}

/// What other programs may do in another way, each with the models that it holds for.
fn conventions(result: &StudyResult, comparisons: &[Comparison]) -> Vec<Convention> {
    let mut conventions: Vec<Convention> = [
        ("Covariance", covariance as fn(&Estimate) -> Option<String>),
        ("Small-sample rules", small_sample),
        ("Singletons", singletons),
        ("Weights", weights),
    ]
    .into_iter()
    .filter_map(|(name, choice)| by_model(result, name, choice))
    .collect();
    conventions.extend(stars(result));
    let mut fixed = |name: &str, text: &str| {
        conventions.push(Convention { name: name.to_owned(), text: text.to_owned() });
    };
    fixed(
        "Rows",
        "Missing values leave a model's sample; the note of each regression table counts the rows and has a hash of them.",
    );
    if !comparisons.is_empty() {
        fixed(
            "Match",
            "A printed cell matches when ours, rounded as it is printed, is the same; a tie is accepted both ways.",
        );
    }
    conventions
}

fn covariance(estimate: &Estimate) -> Option<String> {
    Some(estimate.vcov.spec.to_string())
}

fn small_sample(estimate: &Estimate) -> Option<String> {
    Some(estimate.vcov.small_sample.to_string())
}

/// Said where some model has them.
fn weights(estimate: &Estimate) -> Option<String> {
    estimate.sample.weights.as_ref().map(ToString::to_string)
}

fn singletons(estimate: &Estimate) -> Option<String> {
    if estimate.effects.is_empty() {
        return None;
    }
    let text = match estimate.sample.singletons {
        SingletonPolicy::Keep => "kept",
        SingletonPolicy::Drop => "dropped",
    };
    Some(text.to_owned())
}

/// The choice that most models share, then those that differ with their names.
fn by_model(
    result: &StudyResult,
    name: &str,
    choice: impl Fn(&Estimate) -> Option<String>,
) -> Option<Convention> {
    let mut distinct: Vec<(String, Vec<&str>)> = Vec::new();
    for model in &result.models {
        let Some(text) = model.estimate.as_ref().ok().and_then(&choice) else { continue };
        match distinct.iter_mut().find(|it| it.0 == text) {
            Some(it) => it.1.push(&model.model.name),
            None => distinct.push((text, vec![&model.model.name])),
        }
    }
    distinct.sort_by_key(|it| std::cmp::Reverse(it.1.len()));
    let (usual, models) = distinct.first()?;
    let mut text = match distinct.len() {
        1 => format!("{usual} in all {} models", models.len()),
        _ => format!("{usual} in {} models", models.len()),
    };
    for (other, models) in distinct.get(1..).unwrap_or_default() {
        text.push_str(&format!("; {other} in {}", models.join(", ")));
    }
    Some(Convention { name: name.to_owned(), text: format!("{text}.") })
}

fn stars(result: &StudyResult) -> Option<Convention> {
    let mut distinct: Vec<(String, Vec<&str>)> = Vec::new();
    for table in &result.study.file.tables {
        let TableKind::Regression { stars, .. } = &table.kind else { continue };
        let marks = stars.iter().enumerate().map(|(at, it)| format!("{} p < {it}", "*".repeat(at + 1)));
        let text = marks.collect::<Vec<_>>().join(", ");
        match distinct.iter_mut().find(|it| it.0 == text) {
            Some(it) => it.1.push(&table.id),
            None => distinct.push((text, vec![&table.id])),
        }
    }
    let all = distinct.len() == 1;
    let sentence = |(text, tables): (String, Vec<&str>)| {
        if all { format!("{text}.") } else { format!("{text} in {}.", tables.join(", ")) }
    };
    let text: Vec<String> = distinct.into_iter().map(sentence).collect();
    if text.is_empty() { None } else { Some(Convention { name: "Stars".to_owned(), text: text.join(" ") }) }
}

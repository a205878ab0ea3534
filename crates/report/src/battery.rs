//! The report of a battery: one treatment under every estimator, as a document and as JSON.

use parallax_battery::{Battery, CohortRow, Difference, Member, Treatment, findings};
use parallax_model::BatteryPart;
use serde_json::{Value, json};

use crate::{
    battery_figures,
    battery_tables::{self, cluster},
    detail::plain_table,
    document::{Convention, Document, FileRecord, Item, Section},
    draw::raster,
    estimate::estimate_json,
    figure::Figure,
    language::Language,
};

/// The document: findings in words, effects, event studies, adoption, diagnostics, what each estimator says.
pub fn battery_document(
    battery: &Battery,
    files: &[FileRecord],
    simulated: bool,
    notes: &[String],
) -> Document {
    let sections = [
        Section { title: "Findings".to_owned(), paragraphs: findings(battery), items: Vec::new() },
        effects(battery, simulated),
        event_studies(battery, simulated),
        adoption(battery, simulated),
        diagnostics(battery, simulated),
        estimators(battery),
    ];
    Document {
        title: format!("{} and {}", battery_tables::treatment(battery), battery.spec.outcome),
        language: Language::En,
        reference: String::new(),
        source: request(battery),
        simulated,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sections: sections.into_iter().filter(|it| !it.is_empty()).collect(),
        sample_flow: sample_flow(battery),
        files: files.to_vec(),
        conventions: conventions(battery),
        notes: notes.to_vec(),
    }
}

/// Request, findings, differences and every estimate in full precision.
pub fn battery_json(battery: &Battery, simulated: bool, notes: &[String]) -> Value {
    let level = battery.spec.level;
    let member = |it: &Member| {
        let (estimate, formula) = (it.estimate.as_ref(), &it.model.formula);
        json!({
            "name": it.name,
            "part": if it.is_diagnostic() { "diagnostic" } else { "effect" },
            "effect": it.term().map(ToString::to_string),
            "formula": it.model.formula.to_string(),
            "options": it.model.options,
            "estimate": estimate.ok().map(|it| estimate_json(it, formula, level, &[])),
            "failed": it.missing_effect().or_else(|| estimate.err().cloned()),
        })
    };
    let cohort = |it: &CohortRow| json!({ "cohort": it.cohort, "units": it.units, "rows": it.rows });
    let difference = |it: &Difference| {
        json!({
            "name": it.name,
            "difference": it.estimate,
            "std_error": it.std_error,
            "p_value": it.p_value,
            "same": it.same(),
        })
    };
    let (Treatment::ByRow(treatment) | Treatment::Cohort(treatment)) = &battery.spec.treatment;
    json!({
        "outcome": battery.spec.outcome.to_string(),
        "treatment": treatment.to_string(),
        "cohort": battery.request.cohort.as_ref().map(ToString::to_string),
        "unit": battery.request.unit.to_string(),
        "time": battery.request.time.to_string(),
        "covariates": battery.spec.covariates.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "cluster": cluster(battery),
        "weights": battery.spec.weights.as_ref().map(ToString::to_string),
        "simulated": simulated,
        "level": level,
        "findings": findings(battery),
        "cohorts": battery.adoption.cohorts.iter().map(cohort).collect::<Vec<_>>(),
        "always_treated": battery.adoption.always,
        "units_without_date": battery.adoption.holes.iter().map(|it| it.unit.as_str()).collect::<Vec<_>>(),
        "rows_without_treatment": battery.adoption.without_treatment,
        "differences": battery.differences.iter().map(difference).collect::<Vec<_>>(),
        "members": battery.members.iter().map(member).collect::<Vec<_>>(),
        "notes": notes,
    })
}

fn effects(battery: &Battery, simulated: bool) -> Section {
    let table = battery_tables::effects_table(battery, simulated);
    let mut section = Section { title: "Effects".to_owned(), ..Section::default() };
    section.items.push(Item::Table(table));
    add(&mut section, battery_figures::effects(battery), simulated);
    section
}

fn event_studies(battery: &Battery, simulated: bool) -> Section {
    let mut section = Section { title: "Event studies".to_owned(), ..Section::default() };
    for figure in battery_figures::event_studies(battery) {
        add(&mut section, Some(figure), simulated);
    }
    section.items.extend(battery_tables::event_table(battery, simulated).map(Item::Table));
    section.items.extend(battery_tables::leads_table(battery, simulated).map(Item::Table));
    section
}

fn adoption(battery: &Battery, simulated: bool) -> Section {
    let mut section = Section { title: "Adoption".to_owned(), ..Section::default() };
    add(&mut section, battery_figures::adoption(battery), simulated);
    section.items.extend(battery_tables::cohorts_table(battery, simulated).map(Item::Table));
    section
}

/// What diagnostics show, and the overlap of propensity scores where an estimator has it.
fn diagnostics(battery: &Battery, simulated: bool) -> Section {
    let mut section = Section { title: "Diagnostics".to_owned(), ..Section::default() };
    for member in &battery.members {
        let Ok(estimate) = &member.estimate else { continue };
        if member.is_diagnostic() {
            section.paragraphs.push(format!("{}: {}.", member.name, member.summary));
            for figure in battery_figures::of_diagnostic(member) {
                add(&mut section, Some(figure), simulated);
            }
        }
        for detail in &estimate.details {
            if !(member.is_diagnostic() || detail.name == OVERLAP) {
                continue;
            }
            if detail.n_rows() <= LONGEST {
                let mut table = plain_table(detail, simulated);
                table.id = format!("{}-{}", member.name, detail.name);
                section.items.push(Item::Table(table));
            } else {
                let (rows, title) = (detail.n_rows(), &detail.title);
                section.paragraphs.push(format!("{title}: {rows} rows, in the JSON file."));
            }
        }
    }
    section
}

/// The table of propensity scores, whoever fits them.
const OVERLAP: &str = "overlap";
/// Rows of a table that a reader goes through.
const LONGEST: usize = 60;

/// Each estimator's own words.
fn estimators(battery: &Battery) -> Section {
    let mut section = Section { title: "Estimators".to_owned(), ..Section::default() };
    for member in battery.members.iter().filter(|it| !it.is_diagnostic()) {
        let mut text = format!("{} ({}): {}.", member.name, member.model.formula, member.summary);
        if let Ok(estimate) = &member.estimate {
            estimate.notes.iter().for_each(|it| text.push_str(&format!(" {it}.")));
        }
        section.paragraphs.push(text);
    }
    section
}

/// A figure, or the sentence that says why it is not drawn.
fn add(section: &mut Section, figure: Option<Figure>, simulated: bool) {
    let Some(mut figure) = figure else { return };
    figure.simulated = simulated;
    match figure.check().and_then(|()| raster::check(&figure)) {
        Ok(_) => section.items.push(Item::Figure(figure)),
        Err(why) => section.paragraphs.push(format!("Figure {} is not drawn: {why}.", figure.id)),
    }
}

fn request(battery: &Battery) -> String {
    let how = match &battery.spec.treatment {
        Treatment::ByRow(it) => format!("treatment {it}"),
        Treatment::Cohort(it) => format!("dates of adoption {it}"),
    };
    let covariates: Vec<&str> = battery.spec.covariates.iter().map(parallax_base::Name::as_str).collect();
    let covariates = if covariates.is_empty() { "none".to_owned() } else { covariates.join(", ") };
    format!(
        "outcome {}, {how}, unit {}, time {}, covariates {covariates}",
        battery.spec.outcome, battery.request.unit, battery.request.time
    )
}

fn conventions(battery: &Battery) -> Vec<Convention> {
    let convention = |name: &str, text: String| Convention { name: name.to_owned(), text };
    let rules: Vec<String> = battery
        .members
        .iter()
        .filter(|it| it.part != BatteryPart::Diagnostic)
        .filter_map(|it| Some(format!("{} {}", it.name, it.estimate.as_ref().ok()?.vcov.small_sample)))
        .collect();
    let mut all = vec![
        convention("Covariance", format!("clustered by {} in every estimate.", cluster(battery))),
        convention("Small-sample rules", format!("{}.", rules.join(", "))),
        convention("Differences", DIFFERENCES.to_owned()),
    ];
    let made = match (&battery.spec.treatment, &battery.request.cohort) {
        (Treatment::Cohort(date), _) => {
            Some(format!("{} is 1 from {date} on and 0 before.", battery.request.treatment))
        }
        (Treatment::ByRow(by_row), Some(date)) => {
            Some(format!("{date} is the period of a unit's first row in which {by_row} is 1, 0 for never."))
        }
        (Treatment::ByRow(_), None) => None,
    };
    all.extend(made.map(|it| convention("Columns made", it)));
    all.extend(battery_tables::weights(battery).map(|it| convention("Weights", it)));
    all
}

const DIFFERENCES: &str = "an effect less that of two-way fixed effects has the variance of the sum, over clusters, of the \
     difference of both influence functions, without a factor for small samples; it is held against the normal \
     distribution.";

fn sample_flow(battery: &Battery) -> String {
    let mut text = String::new();
    for member in &battery.members {
        let Ok(estimate) = &member.estimate else { continue };
        let sample = &estimate.sample;
        text.push_str(&format!("{}: {} of {} rows", member.name, sample.rows_used, sample.rows_in));
        for (why, rows) in &sample.dropped {
            text.push_str(&format!(", {rows} {why}"));
        }
        text.push('\n');
    }
    text
}

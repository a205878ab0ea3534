//! Tables and notes: what became of every cell, propensity scores, bootstrapped errors, conventions.

use parallax_model::{
    Design, Detail, Estimate, FitError, Mat, Note, Term, counted,
    vcov::{Caution, MultiplierBootstrap, std_error},
};

use super::{
    BasePeriod, Control, Data, Method, Options,
    cells::{Cell, Cells, Outcome, Overlap},
    effects::Effects,
    layout::Layout,
    nuisance::TRIM,
};

/// Every cell with its base, its sizes and its estimate, or why there is none.
pub fn cells(design: &Design<'_>, cells: &Cells, effects: &Effects) -> Detail {
    let code = |it: i32| f64::from(design.code(it));
    let all = &cells.cells;
    let numbers = |of: &dyn Fn(&Cell) -> f64| all.iter().map(of).collect::<Vec<f64>>();
    let error = |it: &Cell| {
        let Some(column) = it.outcome.column() else { return f64::NAN };
        let at = effects.aggregates + column;
        let squares = (0..effects.influence.nrows()).map(|unit| effects.influence[(unit, at)].powi(2));
        std_error(squares.sum())
    };
    Detail::new("cells", "Comparisons by cohort and period; errors are those of independent units")
        .label("cohort", "Cohort", numbers(&|it| code(it.cohort)))
        .label("period", "Period", numbers(&|it| code(it.period)))
        .label("base", "Base period", numbers(&|it| it.base.map_or(f64::NAN, code)))
        .count("treated", "Treated", numbers(&|it| it.treated as f64))
        .count("controls", "Controls", numbers(&|it| it.controls as f64))
        .number("estimate", "Estimate", numbers(&|it| it.outcome.value()))
        .number("std_error", "Std. error", numbers(&error))
        .text("outcome", "Outcome", all.iter().map(|it| it.outcome.words()).collect())
}

/// Propensity scores of each cohort and its controls; none without covariates.
pub fn overlap(design: &Design<'_>, cells: &Cells) -> Option<Detail> {
    let code = |it: i32| f64::from(design.code(it));
    if cells.overlap.is_empty() {
        return None;
    }
    let sides: Vec<(&Overlap, bool)> =
        cells.overlap.iter().flat_map(|it| [(it, true), (it, false)]).collect();
    let scores = |it: &(&Overlap, bool)| if it.1 { it.0.treated.clone() } else { it.0.controls.clone() };
    let numbers = |of: &dyn Fn(&(&Overlap, bool)) -> f64| sides.iter().map(of).collect::<Vec<f64>>();
    let at = |share: f64| numbers(&move |it| quantile(&scores(it), share));
    let title = format!(
        "Propensity scores in the first comparison after adoption; controls from {TRIM} on have no weight"
    );
    let side = |it: &(&Overlap, bool)| if it.1 { "treated" } else { "controls" }.to_owned();
    let detail = Detail::new("overlap", title)
        .label("cohort", "Cohort", numbers(&|it| code(it.0.cohort)))
        .label("period", "Period", numbers(&|it| code(it.0.period)))
        .text("group", "Group", sides.iter().map(side).collect())
        .count("n", "N", numbers(&|it| scores(it).len() as f64))
        .number("min", "Min", at(0.0))
        .number("p25", "25%", at(0.25))
        .number("median", "50%", at(0.5))
        .number("p75", "75%", at(0.75))
        .number("max", "Max", at(1.0))
        .count("trimmed", "Trimmed", numbers(&|it| if it.1 { 0.0 } else { it.0.trimmed as f64 }));
    Some(detail)
}

/// Numbers that a bootstrap holds at once: 1.6 GB.
const MOST_DRAWN: usize = 200_000_000;

/// Errors and simultaneous bands by multiplier bootstrap, as the detail `bootstrap`; each family of terms has its own
/// critical value, as R did's `aggte` has.
///
/// # Errors
/// When units are not nested in clusters, or all draws together would not fit into memory.
pub fn bootstrap(
    design: &Design<'_>,
    effects: &Effects,
    options: &Options,
    estimate: &mut Estimate,
) -> Result<(), FitError> {
    let clusters = design.vcov.cluster_of_units(&design.units)?;
    let request =
        MultiplierBootstrap { multiplier: options.multiplier, draws: options.draws, seed: options.seed };
    if MOST_DRAWN < options.draws.saturating_mul(effects.terms.len()) {
        let reason = format!(
            "`draws`: {} draws of {} effects do not fit into memory; {} draws do",
            options.draws,
            effects.terms.len(),
            MOST_DRAWN / effects.terms.len().max(1)
        );
        return Err(FitError::Options { plugin: "callaway-santanna", reason });
    }
    let groups = design.vcov.groups.first().map_or(0, parallax_model::panel::Codes::n_groups);
    // Units of one cluster may cancel where each has an influence: there is no variance to draw then.
    let known = |at: usize| 0.0 < estimate.vcov.matrix[(at, at)];
    let influence = &effects.influence;
    let influence = Mat::from_fn(influence.nrows(), influence.ncols(), |unit, at| {
        if known(at) { influence[(unit, at)] } else { 0.0 }
    });
    let draws = request.draw(influence.as_ref(), &clusters, groups);
    let errors = draws.std_errors();
    let mut critical = vec![f64::NAN; effects.terms.len()];
    for (family, name, stat) in FAMILIES {
        let columns: Vec<usize> = (0..effects.terms.len()).filter(|&it| family(&effects.terms[it])).collect();
        if columns.is_empty() {
            continue;
        }
        let sup = draws.critical(&columns, &errors, options.level);
        columns.iter().for_each(|&it| critical[it] = sup.critical);
        estimate.stats.set(stat, sup.critical);
        estimate.notes.extend(sup.caution.and_then(|it| caution(it, name, sup.critical)));
    }
    let pointwise = estimate.distribution.critical(options.level);
    let half = |at: usize| errors[at] * if critical[at].is_nan() { pointwise } else { critical[at] };
    let numbers = |of: &dyn Fn(usize) -> f64| (0..effects.terms.len()).map(of).collect::<Vec<f64>>();
    let percent = 100.0 * options.level;
    let written = |it: &Term| it.clone().written(design.panel.calendar());
    let detail = Detail::new("bootstrap", format!("Multiplier bootstrap, {} draws", options.draws))
        .text("term", "Term", effects.terms.iter().map(|it| written(it).to_string()).collect())
        .number("estimate", "Estimate", effects.coef.clone())
        .number("std_error", "Std. error", errors.clone())
        .number("analytic", "Analytic std. error", estimate.vcov.std_errors())
        .number("critical", "Critical value", numbers(&|it| half(it) / errors[it]))
        .number("low", format!("{percent}% simultaneous, low"), numbers(&|it| effects.coef[it] - half(it)))
        .number("high", format!("{percent}% simultaneous, high"), numbers(&|it| effects.coef[it] + half(it)));
    estimate.details.push(detail);
    Ok(())
}

type Family = (fn(&Term) -> bool, &'static str, &'static str);

/// Terms whose bands hold together.
const FAMILIES: [Family; 4] = [
    (|it| matches!(it, Term::EventTime(_)), "event times", "bootstrap_critical_events"),
    (|it| matches!(it, Term::Cohort(_)), "cohorts", "bootstrap_critical_groups"),
    (|it| matches!(it, Term::Period(_)), "periods", "bootstrap_critical_calendar"),
    (|it| matches!(it, Term::GroupTime { .. }), "cells", "bootstrap_critical_cells"),
];

fn caution(caution: Caution, family: &str, critical: f64) -> Option<Note> {
    let text = match caution {
        Caution::Missing => format!("no draw gives a band over {family}; it is the pointwise one"),
        Caution::BelowPointwise => format!(
            "the bootstrapped critical value over {family} is below the pointwise one, which stands in for it"
        ),
        Caution::Large => format!(
            "the bootstrapped critical value over {family} is {critical:.1}: some estimates have hardly a unit \
             behind them"
        ),
    };
    Some(Note::remark(text))
}

/// What numbers depend on.
pub fn notes(design: &Design<'_>, layout: &Layout, cells: &Cells, options: &Options) -> Vec<Note> {
    let mut notes = vec![Note::remark(conventions(design, layout, options))];
    notes.extend(cells.dropped.iter().map(|it| Note::DroppedCollinear { column: it.clone() }));
    if 0 < cells.covariates {
        let whose = match options.data {
            Data::Panel => "covariates are those of the earlier of the two periods",
            Data::RepeatedCrossSections => "covariates are those of each row",
        };
        let method = options.method.words();
        let scores = if options.method == Method::Reg {
            String::new()
        } else {
            format!("; controls with a score of {TRIM} or more have no weight")
        };
        notes.push(Note::remark(format!("{method}; {whose}{scores}")));
    }
    notes.push(Note::remark(
        "errors from influence functions, cohort sizes estimated, no factor for small samples, normal quantiles"
            .to_owned(),
    ));
    if 0 < layout.always {
        notes.push(Note::remark(format!(
            "left out, treated before they could be seen untreated: {}",
            counted(layout.always, "unit")
        )));
    }
    if let Some(last) = layout.last.map(|it| design.code(it)) {
        notes.push(Note::remark(format!(
            "no unit is never treated: the cohort of {last} serves as control only, and there is no effect from its \
             adoption on"
        )));
    }
    notes.extend(not_estimated(design, cells));
    notes.extend(small_cohorts(design, layout, cells.covariates));
    notes
}

fn conventions(design: &Design<'_>, layout: &Layout, options: &Options) -> String {
    let control = match options.control {
        Control::NeverTreated => "never treated units",
        Control::NotYetTreated => "units not yet treated",
    };
    let base = match options.base_period {
        BasePeriod::Varying => "each period before adoption with the one before it",
        BasePeriod::Universal => "each period before adoption with the last one before it",
    };
    let rows = match options.data {
        Data::Panel => "units seen in both periods",
        Data::RepeatedCrossSections => "all rows of both periods, summed within units for errors",
    };
    let anticipation = match options.anticipation {
        0 => String::new(),
        periods => format!(", {} of anticipation", counted(periods as usize, "period")),
    };
    let weights = if design.weights.is_some() { ", weighted" } else { "" };
    format!(
        "{} against {control} ({} never treated), {base}; {rows}{anticipation}{weights}",
        counted(layout.cohorts.len(), "cohort"),
        layout.never.len()
    )
}

/// How many cells have no estimate, by reason, with the first of each.
fn not_estimated(design: &Design<'_>, cells: &Cells) -> Option<Note> {
    let mut reasons: Vec<(String, usize, String)> = Vec::new();
    for cell in &cells.cells {
        let Outcome::Failed(reason) = cell.outcome else { continue };
        let text = reason.kind();
        match reasons.iter_mut().find(|it| it.0 == text) {
            Some(known) => known.1 += 1,
            None => {
                let place = format!("att({},{})", design.code(cell.cohort), design.code(cell.period));
                reasons.push((text.to_owned(), 1, place));
            }
        }
    }
    if reasons.is_empty() {
        return None;
    }
    let total: usize = reasons.iter().map(|it| it.1).sum();
    let text: Vec<String> =
        reasons.iter().map(|(why, count, first)| format!("{count} {why}, as {first}")).collect();
    Some(Note::remark(format!(
        "{total} of {} comparisons not estimated and in no aggregate ({}); the detail `cells` lists them",
        cells.cells.len(),
        text.join("; ")
    )))
}

/// R did warns of cohorts with fewer units than covariates and five.
fn small_cohorts(design: &Design<'_>, layout: &Layout, covariates: usize) -> Option<Note> {
    let bound = covariates + 5;
    let small: Vec<String> = (layout.cohorts.iter())
        .filter(|it| it.1.len() < bound)
        .map(|it| design.code(it.0).to_string())
        .collect();
    if small.is_empty() {
        return None;
    }
    Some(Note::remark(format!(
        "cohorts with fewer than {bound} units, whose errors are too small: {}",
        small.join(", ")
    )))
}

/// Linear between order statistics (R's type 7).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = share * last as f64;
    let below = (position as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

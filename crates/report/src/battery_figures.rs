//! Figures of a battery: effects, event studies over one another, the map of adoption, the decomposition, placebo draws.

use parallax_battery::{Battery, Member};
use parallax_model::Estimate;

use crate::{
    battery_tables::treatment,
    figure::{
        AdoptionBand, AdoptionMap, EventStudyPlot, Figure, FigureKind, ForestGroup, ForestPlot, ForestRow,
        Interval, Level, ScatterPlot, ScatterSeries,
    },
    study_figures::{draws_of, series_of},
};

/// Overall effects with intervals, two-way fixed effects marked.
pub(crate) fn effects(battery: &Battery) -> Option<Figure> {
    let level = battery.spec.level;
    let row = |member: &Member| {
        let (at, estimate) = member.effect()?;
        let row = estimate.rows(level).into_iter().nth(at)?;
        let interval = Some(Interval { low: row.conf_low, high: row.conf_high });
        Some(ForestRow { label: member.name.to_owned(), estimate: row.estimate, interval })
    };
    let rows: Vec<ForestRow> = battery.members.iter().filter_map(row).collect();
    if rows.is_empty() {
        return None;
    }
    let group = ForestGroup { label: String::new(), rows };
    let title = format!("Effect of {} under every estimator", treatment(battery));
    Some(figure("effects-figure", title, FigureKind::Forest(ForestPlot::new(vec![group], level))))
}

/// Every estimator's event times beside one another.
pub(crate) fn event_studies(battery: &Battery) -> Option<Figure> {
    let members = battery.members.iter().filter(|it| !it.is_diagnostic());
    let series: Vec<_> = members
        .filter_map(|it| series_of(it.estimate.as_ref().ok()?, it.name.to_owned()))
        .map(|mut it| {
            it.level = battery.spec.level;
            it
        })
        .collect();
    if series.is_empty() {
        return None;
    }
    let kind = FigureKind::EventStudy(EventStudyPlot::new(series));
    Some(figure("event-studies-figure", "Effects by time since adoption", kind))
}

/// Who is treated when.
pub(crate) fn adoption(battery: &Battery) -> Option<Figure> {
    let pattern = &battery.adoption;
    if pattern.cohorts.is_empty() {
        return None;
    }
    let band = |it: &parallax_battery::CohortRow| AdoptionBand {
        label: format!("{} ({})", it.cohort.map_or("never".to_owned(), |it| it.to_string()), it.units),
        units: it.units as u64,
        first: it.cohort,
        observed: it.rows.iter().map(|rows| *rows as f64 / it.units.max(1) as f64).collect(),
    };
    let bands = pattern.cohorts.iter().map(band).collect();
    let map = AdoptionMap { periods: pattern.periods.clone(), bands };
    Some(figure("adoption-figure", "Adoption by cohort (units) and period", FigureKind::Adoption(map)))
}

/// Figures of one diagnostic: its decomposition, its draws.
pub(crate) fn of_diagnostic(member: &Member) -> Vec<Figure> {
    let Ok(estimate) = &member.estimate else { return Vec::new() };
    let placebo = draws_of(estimate)
        .map(|it| figure(&format!("{}-figure", member.name), "Placebo estimates", FigureKind::Placebo(it)));
    decomposition(member.name, estimate).into_iter().chain(placebo).collect()
}

/// 2x2 comparisons by weight and estimate (Goodman-Bacon 2021, figure 6).
fn decomposition(name: &str, estimate: &Estimate) -> Option<Figure> {
    let table = estimate.detail("decomposition")?;
    let (kinds, weights, estimates) =
        (table.words("kind")?, table.numbers("weight")?, table.numbers("estimate")?);
    let mut series: Vec<ScatterSeries> = Vec::new();
    for ((kind, &x), &y) in kinds.iter().zip(weights).zip(estimates) {
        let at = series.iter().position(|it| it.label == *kind).unwrap_or_else(|| {
            series.push(ScatterSeries { label: kind.clone(), x: Vec::new(), y: Vec::new() });
            series.len() - 1
        });
        series[at].x.push(x);
        series[at].y.push(y);
    }
    let levels = vec![Level { at: estimate.coef.first().copied()?, label: "TWFE".to_owned() }];
    let mut drawn = figure(
        &format!("{name}-figure"),
        "Comparisons that two-way fixed effects are made of",
        FigureKind::Scatter(ScatterPlot { series, levels }),
    );
    drawn.x_label = "Weight".to_owned();
    drawn.y_label = "Estimate".to_owned();
    Some(drawn)
}

fn figure(id: &str, title: impl Into<String>, kind: FigureKind) -> Figure {
    let mut figure = Figure::new(id, title, kind);
    figure.decimals = 4;
    figure
}

//! Figures of a battery: effects, event studies over one another, the map of adoption, the decomposition, placebo draws.

use parallax_battery::{AdoptionPattern, Battery, CohortRow, Member, REFERENCE};
use parallax_model::{Detail, Estimate};

use crate::{
    battery_tables::{reference_first, treatment},
    figure::{
        AdoptionBand, AdoptionMap, EventSeries, EventStudyPlot, Figure, FigureKind, ForestGroup, ForestPlot,
        ForestRow, Interval, Level, Marker, ScatterPlot, ScatterSeries,
    },
    language::{Language, Word},
    study_figures::{draws_of, series_of},
};

/// Two-way fixed effects where there is little room.
const TWFE: &str = "TWFE";

/// Overall effects with intervals, that of two-way fixed effects first and as a line through the others.
pub(crate) fn effects(battery: &Battery) -> Option<Figure> {
    let level = battery.spec.level;
    let row = |member: &Member| {
        let (at, estimate) = member.effect()?;
        let row = estimate.rows(level).into_iter().nth(at)?;
        let interval = Some(Interval { low: row.conf_low, high: row.conf_high });
        Some(ForestRow { label: member.name.to_owned(), estimate: row.estimate, interval })
    };
    let rows: Vec<ForestRow> = reference_first(battery).into_iter().filter_map(row).collect();
    let reference = battery.members.iter().find(|it| it.name == REFERENCE).and_then(Member::effect);
    let marks = reference.map(|(at, it)| Marker { at: it.coef[at], label: TWFE.to_owned() });
    if rows.is_empty() {
        return None;
    }
    let group = ForestGroup { label: String::new(), rows };
    let title = format!("Effect of {} under every estimator", treatment(battery));
    let mut plot = ForestPlot::new(vec![group], level);
    plot.marks = marks.into_iter().collect();
    Some(figure("effects-figure", title, FigureKind::Forest(plot)))
}

/// Curves that can be told apart in one figure.
const MOST: usize = 5;

/// Every estimator's event times beside one another, in as few figures as are legible.
pub(crate) fn event_studies(battery: &Battery) -> Vec<Figure> {
    let members = battery.members.iter().filter(|it| !it.is_diagnostic());
    let level = battery.spec.level;
    let series: Vec<_> =
        members.filter_map(|it| series_of(it.estimate.as_ref().ok()?, it.name.to_owned(), level)).collect();
    let figures = series.len().div_ceil(MOST).max(1);
    let parts = series.chunks(series.len().div_ceil(figures).max(1)).enumerate();
    let draw = |(at, part): (usize, &[EventSeries])| {
        let kind = FigureKind::EventStudy(EventStudyPlot::new(part.to_vec()));
        let (id, title) = ("event-studies-figure", "Effects by time since adoption");
        if at == 0 { figure(id, title, kind) } else { figure(&format!("{id}-{}", at + 1), title, kind) }
    };
    parts.map(draw).collect()
}

/// Who is treated when.
pub(crate) fn adoption(battery: &Battery) -> Option<Figure> {
    if battery.adoption.cohorts.is_empty() {
        return None;
    }
    let map = adoption_map(&battery.adoption, Language::En.word(Word::Never));
    Some(figure("adoption-figure", "Adoption by cohort (units) and period", FigureKind::Adoption(map)))
}

/// A pattern as a map, with a word for the never treated.
pub(crate) fn adoption_map(pattern: &AdoptionPattern, never: &str) -> AdoptionMap {
    let band = |it: &CohortRow| AdoptionBand {
        label: format!("{} ({})", it.cohort.map_or(never.to_owned(), |it| it.to_string()), it.units),
        units: it.units as u64,
        first: it.cohort,
        observed: it.rows.iter().map(|rows| *rows as f64 / it.units.max(1) as f64).collect(),
    };
    AdoptionMap { periods: pattern.periods.clone(), bands: pattern.cohorts.iter().map(band).collect() }
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
    let plot =
        decomposition_of(estimate.detail("decomposition")?, estimate.coef.first().copied(), TWFE).ok()?;
    let title = "Comparisons that two-way fixed effects are made of";
    let mut drawn = figure(&format!("{name}-figure"), title, FigureKind::Scatter(plot));
    drawn.x_label = drawn.language.word(Word::Weight).to_owned();
    drawn.y_label = drawn.language.word(Word::Estimate).to_owned();
    Some(drawn)
}

/// A detail with the columns `kind`, `weight` and `estimate` as points, with what they add up to as a level.
///
/// # Errors
/// The column that is not there.
pub(crate) fn decomposition_of(
    table: &Detail,
    total: Option<f64>,
    label: &str,
) -> Result<ScatterPlot, String> {
    let missing = |name: &str| format!("table `{}` has no column `{name}` of the right type", table.name);
    let kinds = table.words("kind").ok_or_else(|| missing("kind"))?;
    let weights = table.numbers("weight").ok_or_else(|| missing("weight"))?;
    let estimates = table.numbers("estimate").ok_or_else(|| missing("estimate"))?;
    let mut series: Vec<ScatterSeries> = Vec::new();
    for ((kind, &x), &y) in kinds.iter().zip(weights).zip(estimates) {
        let at = series.iter().position(|it| it.label == *kind).unwrap_or_else(|| {
            series.push(ScatterSeries { label: kind.clone(), x: Vec::new(), y: Vec::new() });
            series.len() - 1
        });
        series[at].x.push(x);
        series[at].y.push(y);
    }
    let levels = total.map(|at| Level { at, label: label.to_owned() }).into_iter().collect();
    Ok(ScatterPlot { series, levels })
}

fn figure(id: &str, title: impl Into<String>, kind: FigureKind) -> Figure {
    let mut figure = Figure::new(id, title, kind);
    figure.decimals = 4;
    figure
}

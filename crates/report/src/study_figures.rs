//! The figures of a study, drawn from the numbers of its results.

use parallax_battery::{Treatment, adoption_pattern};
use parallax_model::{Estimate, EventStudy};
use parallax_study::{FigureEntry, FigureKindEntry, FigureWords, ForestEntry, StudyResult};

use crate::{
    battery_figures::{adoption_map, decomposition_of},
    figure::{
        BalancePanel, BalancePlot, BalanceRow, EventBin, EventPoint, EventSeries, EventStudyPlot, Figure,
        FigureKind, ForestGroup, ForestPlot, ForestRow, Interval, Line, LinePanel, LinePlot, Marker,
        PlaceboDraws, ScatterPlot,
    },
    language::{Language, Word},
};

/// A figure in each of its languages, or why it cannot be drawn.
pub fn study_figures(result: &StudyResult) -> Vec<(String, Result<Vec<Figure>, String>)> {
    let figures = &result.study.file.figures;
    figures.iter().map(|it| (it.id.to_string(), languages(it, result))).collect()
}

fn languages(entry: &FigureEntry, result: &StudyResult) -> Result<Vec<Figure>, String> {
    let mut english = Figure::new(entry.id.as_str(), &entry.title, kind(entry, None, result)?);
    english.simulated = result.study.source.simulated;
    english.x_label.clone_from(&entry.x);
    english.y_label.clone_from(&entry.y);
    usual_axes(entry, &mut english);
    english.decimals = entry.decimals;
    english.notes = vec![format!("Data: {}.", result.study.source.description.trim_end_matches('.'))];
    english.notes.extend(entry.notes.iter().cloned());
    let mut figures = vec![english];
    if let Some(words) = &entry.zh {
        let drawn = kind(entry, Some(words), result)?;
        let mut chinese = Figure::new(format!("{}-zh", entry.id), &words.title, drawn);
        chinese.language = Language::Zh;
        chinese.simulated = result.study.source.simulated;
        chinese.x_label.clone_from(&words.x);
        chinese.y_label.clone_from(&words.y);
        usual_axes(entry, &mut chinese);
        chinese.decimals = entry.decimals;
        chinese.notes.clone_from(&words.notes);
        figures.push(chinese);
    }
    // Numbers that do not fit together must not become a table either.
    figures.iter().try_for_each(Figure::check).map_err(|it| it.to_string())?;
    Ok(figures)
}

/// A scatter plot has no usual words of its own; that of a decomposition has.
fn usual_axes(entry: &FigureEntry, figure: &mut Figure) {
    if !matches!(entry.kind, FigureKindEntry::Decomposition { .. }) {
        return;
    }
    for (label, word) in [(&mut figure.x_label, Word::Weight), (&mut figure.y_label, Word::Estimate)] {
        if label.is_empty() {
            figure.language.word(word).clone_into(label);
        }
    }
}

/// Labels of covariates by their names.
type Names = std::collections::BTreeMap<String, String>;

/// In English, or in Chinese with the words for it.
fn kind(entry: &FigureEntry, zh: Option<&FigureWords>, result: &StudyResult) -> Result<FigureKind, String> {
    let labels = zh.map(|it| it.labels.as_slice()).filter(|it| !it.is_empty()).unwrap_or(entry.labels());
    let language = if zh.is_some() { Language::Zh } else { Language::En };
    let label = |at: usize| labels.get(at).cloned().unwrap_or_default();
    Ok(match &entry.kind {
        FigureKindEntry::EventStudy { models, .. } => {
            let series = models.iter().enumerate().map(|(at, it)| event_series(result, it, label(at)));
            FigureKind::EventStudy(EventStudyPlot::new(series.collect::<Result<_, _>>()?))
        }
        FigureKindEntry::Placebo { model } => FigureKind::Placebo(placebo(result, model)?),
        FigureKindEntry::Balance { models, covariates, .. } => {
            let names = zh.map_or(covariates, |it| &it.covariates);
            let panels = models.iter().enumerate().map(|(at, it)| balance(result, it, label(at), names));
            FigureKind::Balance(BalancePlot::new(panels.collect::<Result<_, _>>()?))
        }
        FigureKindEntry::Forest { rows, level, .. } => {
            let mut plot = forest(result, rows, labels, *level)?;
            for (at, mark) in entry.marks(&result.study.source.name).into_iter().enumerate() {
                let label = zh.and_then(|it| it.marks.get(at)).unwrap_or(&mark.label).clone();
                plot.marks.push(Marker { at: mark.at, label });
            }
            FigureKind::Forest(plot)
        }
        FigureKindEntry::Means { variable, by, .. } => {
            FigureKind::Lines(means(result, variable, by, labels)?)
        }
        FigureKindEntry::Adoption { cohort, treatment } => {
            let by_row = treatment.clone().map(Treatment::ByRow);
            let treatment = cohort.clone().map(Treatment::Cohort).or(by_row);
            let treatment = treatment.ok_or("give either `cohort` or `treatment`")?;
            let pattern = adoption_pattern(&result.panel, &treatment).map_err(|it| it.to_string())?;
            if let Some(why) = pattern.undated {
                return Err(why);
            }
            FigureKind::Adoption(adoption_map(&pattern, language.word(Word::Never)))
        }
        FigureKindEntry::Decomposition { model, detail, .. } => {
            FigureKind::Scatter(decomposition(result, model, detail, labels, language)?)
        }
    })
}

fn estimate<'r>(result: &'r StudyResult, model: &str) -> Result<&'r Estimate, String> {
    let found = result.model(model).ok_or_else(|| format!("no model `{model}`"))?;
    found.estimate.as_ref().map_err(|reason| format!("model `{model}` failed: {reason}"))
}

fn event_series(result: &StudyResult, model: &str, label: String) -> Result<EventSeries, String> {
    let estimate = estimate(result, model)?;
    let level = estimate.stats.get("level").unwrap_or(LEVEL);
    series_of(estimate, label, level).ok_or_else(|| format!("model `{model}` has no event times"))
}

/// The event times of an estimate as a curve; `None` when it has none.
pub(crate) fn series_of(estimate: &Estimate, label: String, level: f64) -> Option<EventSeries> {
    let study = EventStudy::of(estimate)?;
    let mut series = EventSeries::new(label, level);
    for it in study.points(level) {
        let bin = match it.time {
            time if study.window.binned_below == Some(time) => EventBin::OrEarlier,
            time if study.window.binned_above == Some(time) => EventBin::OrLater,
            _ => EventBin::Exact,
        };
        let point = if study.window.references.contains(&it.time) {
            EventPoint::reference(it.time)
        } else {
            EventPoint::new(it.time, it.estimate, it.pointwise[0], it.pointwise[1])
                .simultaneous(it.simultaneous[0], it.simultaneous[1])
        };
        series.points.push(point.bin(bin));
    }
    Some(series)
}

/// Where an estimate does not say its level.
const LEVEL: f64 = 0.95;

fn placebo(result: &StudyResult, model: &str) -> Result<PlaceboDraws, String> {
    draws_of(estimate(result, model)?).ok_or_else(|| format!("model `{model}` has no placebo draws"))
}

/// The placebo draws of an estimate; `None` when it has none.
pub(crate) fn draws_of(estimate: &Estimate) -> Option<PlaceboDraws> {
    let draws = estimate.detail("draws")?;
    let numbers = |name: &str| draws.numbers(name).map(<[f64]>::to_vec);
    Some(PlaceboDraws::new(numbers("estimate")?, numbers("p_value")?, estimate.stats.get("placebo_actual")?))
}

fn balance(result: &StudyResult, model: &str, label: String, names: &Names) -> Result<BalancePanel, String> {
    let table = result.detail(Some(model), "balance")?;
    let missing = |name: &str| format!("the balance table has no column `{name}`");
    let covariates = table.words("covariate").ok_or_else(|| missing("covariate"))?;
    let before = table.numbers("bias_before").ok_or_else(|| missing("bias_before"))?;
    let after = table.numbers("bias_after").ok_or_else(|| missing("bias_after"))?;
    let rows = covariates.iter().zip(before.iter().zip(after)).map(|(covariate, (&before, &after))| {
        BalanceRow { covariate: names.get(covariate).unwrap_or(covariate).clone(), before, after }
    });
    Ok(BalancePanel { label, rows: rows.collect() })
}

fn forest(
    result: &StudyResult,
    entries: &[ForestEntry],
    labels: &[String],
    level: f64,
) -> Result<ForestPlot, String> {
    let mut groups: Vec<ForestGroup> = Vec::new();
    for (entry, label) in entries.iter().zip(labels) {
        let found = estimate(result, &entry.model)?.row(&entry.term, level);
        let found = found.ok_or_else(|| format!("model `{}` has no term `{}`", entry.model, entry.term))?;
        if entry.heading.is_some() || groups.is_empty() {
            let label = entry.heading.clone().unwrap_or_default();
            groups.push(ForestGroup { label, rows: Vec::new() });
        }
        let interval = Some(Interval { low: found.conf_low, high: found.conf_high });
        let row = ForestRow { label: label.clone(), estimate: found.estimate, interval };
        if let Some(group) = groups.last_mut() {
            group.rows.push(row);
        }
    }
    Ok(ForestPlot::new(groups, level))
}

fn decomposition(
    result: &StudyResult,
    model: &str,
    detail: &str,
    labels: &[String],
    language: Language,
) -> Result<ScatterPlot, String> {
    let total = estimate(result, model)?.coef.first().copied();
    let mut plot = decomposition_of(result.detail(Some(model), detail)?, total, language.word(Word::Twfe))?;
    if !labels.is_empty() && labels.len() != plot.series.len() {
        return Err(format!("{} labels for {} kinds of `{detail}`", labels.len(), plot.series.len()));
    }
    plot.series.iter_mut().zip(labels).for_each(|(series, label)| series.label.clone_from(label));
    Ok(plot)
}

fn means(result: &StudyResult, variable: &str, by: &str, labels: &[String]) -> Result<LinePlot, String> {
    let panel = &result.panel;
    panel.require_index("a figure of means over time").map_err(|it| it.to_string())?;
    let values = panel.real(variable).map_err(|it| it.to_string())?;
    let groups = panel.codes(by).map_err(|it| it.to_string())?;
    if !labels.is_empty() && labels.len() != groups.n_groups() {
        return Err(format!("{} labels for {} groups of `{by}`", labels.len(), groups.n_groups()));
    }
    let mut sums = vec![std::collections::BTreeMap::<i32, (f64, f64)>::new(); groups.n_groups()];
    for ((&group, &period), &value) in groups.code.iter().zip(&panel.dates()).zip(values.iter()) {
        if let Some(of_group) = sums.get_mut(group as usize)
            && !value.is_nan()
        {
            let sum = of_group.entry(period).or_default();
            *sum = (sum.0 + value, sum.1 + 1.0);
        }
    }
    let line = |(at, of_group): (usize, &std::collections::BTreeMap<i32, (f64, f64)>)| Line {
        label: labels.get(at).cloned().unwrap_or_else(|| format!("{by} {}", groups.labels.text(at))),
        x: of_group.keys().map(|&it| f64::from(it)).collect(),
        y: of_group.values().map(|(sum, count)| sum / count).collect(),
    };
    let lines = sums.iter().enumerate().map(line).collect();
    let panels = vec![LinePanel { label: String::new(), lines }];
    Ok(LinePlot { panels, filled: false, points: true, markers: Vec::new() })
}

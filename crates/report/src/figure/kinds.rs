//! The kinds of figures: plain numbers with labels, missing as NaN.

use serde::{Deserialize, Serialize};

use super::Misfit;
use crate::table::{number, numbers};

/// Effects by time since adoption.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventStudyPlot {
    /// One a curve; several are drawn beside one another at each time.
    pub series: Vec<EventSeries>,
    /// Where the dashed line of adoption stands; -0.5 is between the last period before and the first after.
    pub adoption: f64,
}

/// The effects of one estimator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSeries {
    /// In the legend when there are several.
    pub label: String,
    /// By rising time.
    pub points: Vec<EventPoint>,
    /// The confidence level of the intervals, such as 0.95.
    pub level: f64,
}

/// The effect at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventPoint {
    /// Periods since adoption.
    pub time: i32,
    /// NaN where it is not identified.
    #[serde(with = "number")]
    pub estimate: f64,
    /// The interval that covers this effect.
    pub pointwise: Option<Interval>,
    /// The interval of the band that covers all effects at once.
    pub simultaneous: Option<Interval>,
    /// Whether the effect is zero by construction.
    pub reference: bool,
    /// Whether the time stands for all before or after it too.
    pub bin: EventBin,
}

/// Which times a point stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventBin {
    /// One period.
    #[default]
    Exact,
    /// This and all earlier ones, printed as `≤-5`.
    OrEarlier,
    /// This and all later ones, printed as `≥6`.
    OrLater,
}

/// A confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The lower end.
    #[serde(with = "number")]
    pub low: f64,
    /// The upper end.
    #[serde(with = "number")]
    pub high: f64,
}

/// Estimates of random treatments, with the actual one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceboDraws {
    /// One a draw.
    #[serde(with = "numbers")]
    pub estimates: Vec<f64>,
    /// One a draw.
    #[serde(with = "numbers")]
    pub p_values: Vec<f64>,
    /// The estimate of the real treatment.
    #[serde(with = "number")]
    pub actual: f64,
    /// Where the dotted line of p-values stands, such as 0.1.
    pub p_line: f64,
}

/// A love plot: panels beside one another, covariates below one another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalancePlot {
    /// One a matching method, with the same covariates in the same order.
    pub panels: Vec<BalancePanel>,
    /// Lines stand at plus and minus so many percent, usually 10.
    pub threshold: f64,
}

/// One matching method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalancePanel {
    /// Above the panel.
    pub label: String,
    /// From top to bottom.
    pub rows: Vec<BalanceRow>,
}

/// The standardised bias of one covariate, in percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalanceRow {
    /// The label of the covariate.
    pub covariate: String,
    /// Before matching.
    #[serde(with = "number")]
    pub before: f64,
    /// After matching.
    #[serde(with = "number")]
    pub after: f64,
}

/// Estimates with intervals below one another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForestPlot {
    /// From top to bottom.
    pub groups: Vec<ForestGroup>,
    /// Where the vertical line stands, usually 0.
    pub null: f64,
    /// The confidence level of the intervals, such as 0.95.
    pub level: f64,
    /// Further vertical lines, such as the known effect of simulated data.
    #[serde(default)]
    pub marks: Vec<Marker>,
}

/// Rows under one heading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForestGroup {
    /// Empty for none.
    pub label: String,
    /// From top to bottom.
    pub rows: Vec<ForestRow>,
}

/// One estimate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForestRow {
    /// What was estimated.
    pub label: String,
    /// NaN where there is none: the row then says so.
    #[serde(with = "number")]
    pub estimate: f64,
    /// Its interval.
    pub interval: Option<Interval>,
}

/// Curves in one or several panels beside one another, on the same axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinePlot {
    /// From left to right.
    pub panels: Vec<LinePanel>,
    /// Whether the area below each curve is shaded, as for densities; the axis then begins at zero.
    pub filled: bool,
    /// Whether points are marked, as for yearly means.
    pub points: bool,
    /// Vertical dashed lines, such as years of adoption.
    pub markers: Vec<Marker>,
}

/// The curves of one panel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinePanel {
    /// Above the panel; empty for none.
    pub label: String,
    /// Curves with the same label have the same look in all panels.
    pub lines: Vec<Line>,
}

/// One curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// In the legend.
    pub label: String,
    /// Rising.
    #[serde(with = "numbers")]
    pub x: Vec<f64>,
    /// NaN interrupts the curve.
    #[serde(with = "numbers")]
    pub y: Vec<f64>,
}

/// A vertical line with a word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// Where it stands.
    pub at: f64,
    /// Beside its upper end; empty for none.
    pub label: String,
}

/// Bars by category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarPlot {
    /// From left to right.
    pub categories: Vec<String>,
    /// Beside one another within a category.
    pub series: Vec<BarSeries>,
}

/// Bars of one colour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarSeries {
    /// In the legend when there are several.
    pub label: String,
    /// One a category.
    #[serde(with = "numbers")]
    pub values: Vec<f64>,
}

impl EventStudyPlot {
    /// The plot with the line of adoption between the last period before and the first after.
    pub fn new(series: Vec<EventSeries>) -> EventStudyPlot {
        EventStudyPlot { series, adoption: -0.5 }
    }

    pub(crate) fn check(&self) -> Result<(), Misfit> {
        finite("adoption", self.adoption)?;
        some("the event study", self.series.iter().flat_map(|it| &it.points).map(|it| it.estimate))?;
        if let Some(it) = self.series.windows(2).find(|it| it[0].level != it[1].level) {
            let (a, b) = (&it[0], &it[1]);
            let what = format!(
                "series `{}` and `{}` have other levels, {} and {}",
                a.label, b.label, a.level, b.level
            );
            return Err(Misfit::Shape(what));
        }
        for series in &self.series {
            let level = 0.0 < series.level && series.level < 1.0;
            let rising = series.points.is_sorted_by(|a, b| a.time < b.time);
            if !level || !rising {
                let what = if level { "times do not rise" } else { "the level is not between 0 and 1" };
                return Err(Misfit::Shape(format!("series `{}`: {what}", series.label)));
            }
            for point in &series.points {
                let ends = point.pointwise.iter().chain(&point.simultaneous).flat_map(|it| [it.low, it.high]);
                not_infinite(&series.label, std::iter::once(point.estimate).chain(ends))?;
            }
        }
        Ok(())
    }
}

impl EventSeries {
    /// An empty series; points are pushed by rising time.
    pub fn new(label: impl Into<String>, level: f64) -> EventSeries {
        EventSeries { label: label.into(), points: Vec::new(), level }
    }
}

impl EventPoint {
    /// An effect with its interval.
    pub fn new(time: i32, estimate: f64, low: f64, high: f64) -> EventPoint {
        let pointwise = Some(Interval { low, high });
        EventPoint { time, estimate, pointwise, simultaneous: None, reference: false, bin: EventBin::Exact }
    }

    /// The period all others are compared with: zero without an interval.
    pub fn reference(time: i32) -> EventPoint {
        let bin = EventBin::Exact;
        EventPoint { time, estimate: 0.0, pointwise: None, simultaneous: None, reference: true, bin }
    }

    /// With the interval of the simultaneous band.
    pub fn simultaneous(mut self, low: f64, high: f64) -> EventPoint {
        self.simultaneous = Some(Interval { low, high });
        self
    }

    /// Standing for more than its period.
    pub fn bin(mut self, bin: EventBin) -> EventPoint {
        self.bin = bin;
        self
    }

    /// The time as it is printed: `-2`, `≤-5`, `≥6`.
    pub fn time_text(&self) -> String {
        let sign = match self.bin {
            EventBin::Exact => "",
            EventBin::OrEarlier => "≤",
            EventBin::OrLater => "≥",
        };
        format!("{sign}{}", self.time)
    }
}

impl PlaceboDraws {
    /// One estimate and p-value a draw, with the p-value line at 0.1.
    pub fn new(estimates: Vec<f64>, p_values: Vec<f64>, actual: f64) -> PlaceboDraws {
        PlaceboDraws { estimates, p_values, actual, p_line: 0.1 }
    }

    pub(crate) fn check(&self) -> Result<(), Misfit> {
        let (estimates, p_values) = (self.estimates.len(), self.p_values.len());
        if estimates != p_values {
            return Err(Misfit::Shape(format!("{estimates} estimates but {p_values} p-values")));
        }
        let wrong = |it: &&f64| !it.is_nan() && !(0.0..=1.0).contains(*it);
        if let Some(it) = self.p_values.iter().chain([&self.p_line]).find(wrong) {
            return Err(Misfit::Shape(format!("p-value {it} is not between 0 and 1")));
        }
        finite("the actual estimate", self.actual)?;
        not_infinite("a draw", self.estimates.iter().copied())?;
        some("the placebo test", self.estimates.iter().copied())
    }
}

impl BalancePlot {
    /// With lines at plus and minus 10 percent. Panels get the same rows: those without a covariate have none for it.
    pub fn new(panels: Vec<BalancePanel>) -> BalancePlot {
        let order = all_covariates(&panels);
        let panels = panels.into_iter().map(|it| it.with_rows(&order)).collect();
        BalancePlot { panels, threshold: 10.0 }
    }

    pub(crate) fn check(&self) -> Result<(), Misfit> {
        let values = || self.panels.iter().flat_map(|it| &it.rows).flat_map(|it| [it.before, it.after]);
        some("the balance plot", values())?;
        not_infinite("a bias", values())?;
        finite("the threshold", self.threshold)?;
        let names = |it: &BalancePanel| it.rows.iter().map(|it| it.covariate.clone()).collect::<Vec<_>>();
        match self.panels.windows(2).find(|it| names(&it[0]) != names(&it[1])) {
            None => Ok(()),
            Some(it) => Err(Misfit::Shape(format!(
                "panels `{}` and `{}` have other covariates or another order",
                it[0].label, it[1].label
            ))),
        }
    }
}

impl BalancePanel {
    /// Rows in that order, empty for a covariate that is not here. Two rows of one name cannot be told
    /// apart and stay as they are, for the check to refuse beside other panels.
    fn with_rows(self, order: &[String]) -> BalancePanel {
        let row = |name: &String| self.rows.iter().find(|it| it.covariate == *name).cloned();
        if order.iter().filter_map(row).count() != self.rows.len() {
            return self;
        }
        let none = |name: &String| BalanceRow { covariate: name.clone(), before: f64::NAN, after: f64::NAN };
        let rows = order.iter().map(|it| row(it).unwrap_or_else(|| none(it))).collect();
        BalancePanel { rows, label: self.label }
    }
}

/// Every covariate once, a new one after the one it follows in its panel.
fn all_covariates(panels: &[BalancePanel]) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    for panel in panels {
        let mut next = 0;
        for row in &panel.rows {
            let known = order.iter().position(|it| *it == row.covariate);
            let at = known.unwrap_or(next);
            if known.is_none() {
                order.insert(at, row.covariate.clone());
            }
            next = at + 1;
        }
    }
    order
}

impl ForestPlot {
    /// With the vertical line at zero.
    pub fn new(groups: Vec<ForestGroup>, level: f64) -> ForestPlot {
        ForestPlot { groups, null: 0.0, level, marks: Vec::new() }
    }

    pub(crate) fn check(&self) -> Result<(), Misfit> {
        let rows = || self.groups.iter().flat_map(|it| &it.rows);
        some("the coefficient plot", rows().map(|it| it.estimate))?;
        finite("the vertical line", self.null)?;
        self.marks.iter().try_for_each(|it| finite("a marked line", it.at))?;
        for row in rows() {
            let ends = row.interval.iter().flat_map(|it| [it.low, it.high]);
            not_infinite(&row.label, std::iter::once(row.estimate).chain(ends))?;
        }
        if 0.0 < self.level && self.level < 1.0 {
            return Ok(());
        }
        Err(Misfit::Shape(format!("the level {} is not between 0 and 1", self.level)))
    }
}

impl LinePlot {
    /// Curves without marked points, such as densities when `filled`.
    pub fn new(panels: Vec<LinePanel>, filled: bool) -> LinePlot {
        LinePlot { panels, filled, points: false, markers: Vec::new() }
    }

    pub(crate) fn check(&self) -> Result<(), Misfit> {
        let lines = || self.panels.iter().flat_map(|it| &it.lines);
        for line in lines() {
            let (x, y) = (line.x.len(), line.y.len());
            if x != y {
                return Err(Misfit::Shape(format!("line `{}` has {x} x but {y} y", line.label)));
            }
            if !line.x.is_sorted_by(|a, b| a < b) {
                return Err(Misfit::Shape(format!("line `{}`: x does not rise", line.label)));
            }
            line.x.iter().try_for_each(|it| finite(&format!("x of `{}`", line.label), *it))?;
            not_infinite(&line.label, line.y.iter().copied())?;
        }
        self.markers.iter().try_for_each(|it| finite("a marker", it.at))?;
        some("the plot", lines().flat_map(|it| it.y.iter().copied()))
    }
}

impl BarPlot {
    pub(crate) fn check(&self) -> Result<(), Misfit> {
        let expected = self.categories.len();
        if let Some(it) = self.series.iter().find(|it| it.values.len() != expected) {
            let (label, found) = (&it.label, it.values.len());
            return Err(Misfit::Shape(format!("bars `{label}`: {found} values for {expected} categories")));
        }
        let values = || self.series.iter().flat_map(|it| it.values.iter().copied());
        not_infinite("a bar", values())?;
        some("the plot", values())
    }
}

fn some(what: &str, mut values: impl Iterator<Item = f64>) -> Result<(), Misfit> {
    if values.any(f64::is_finite) { Ok(()) } else { Err(Misfit::Empty(what.to_owned())) }
}

fn finite(what: &str, value: f64) -> Result<(), Misfit> {
    if value.is_finite() { Ok(()) } else { Err(Misfit::Empty(what.to_owned())) }
}

fn not_infinite(what: &str, mut values: impl Iterator<Item = f64>) -> Result<(), Misfit> {
    if values.any(f64::is_infinite) { Err(Misfit::Infinite(format!("a number of `{what}`"))) } else { Ok(()) }
}

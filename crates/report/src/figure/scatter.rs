//! Points of several kinds, such as comparisons by weight and estimate.

use serde::{Deserialize, Serialize};

use super::Misfit;
use crate::table::{number, numbers};

/// Points with level lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScatterPlot {
    /// Points of one look.
    pub series: Vec<ScatterSeries>,
    /// Level lines with a word, such as the estimate that the points add up to.
    pub levels: Vec<Level>,
}

/// Points of one look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScatterSeries {
    /// In the legend.
    pub label: String,
    /// From left to right.
    #[serde(with = "numbers")]
    pub x: Vec<f64>,
    /// As many.
    #[serde(with = "numbers")]
    pub y: Vec<f64>,
}

/// A level line with a word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Where it stands.
    #[serde(with = "number")]
    pub at: f64,
    /// At its right end.
    pub label: String,
}

impl ScatterPlot {
    pub(crate) fn check(&self) -> Result<(), Misfit> {
        let finite = |it: &ScatterSeries| it.x.iter().chain(&it.y).all(|it| it.is_finite());
        if self.series.iter().all(|it| it.x.is_empty()) {
            return Err(Misfit::Empty("the scatter plot".to_owned()));
        }
        for series in &self.series {
            if series.x.len() != series.y.len() {
                let (x, y) = (series.x.len(), series.y.len());
                return Err(Misfit::Shape(format!("series `{}` has {x} x and {y} y", series.label)));
            }
            if !finite(series) {
                return Err(Misfit::Infinite(format!("a point of `{}`", series.label)));
            }
        }
        match self.levels.iter().find(|it| !it.at.is_finite()) {
            Some(it) => Err(Misfit::Infinite(format!("the level `{}`", it.label))),
            None => Ok(()),
        }
    }
}

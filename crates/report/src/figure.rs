//! A figure as data: what is drawn, of which numbers. Only the drawing turns it into a picture.

mod adoption_map;
pub(crate) mod kinds;
mod scatter;
mod table;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use adoption_map::{AdoptionBand, AdoptionMap};
pub use kinds::{
    BalancePanel, BalancePlot, BalanceRow, BarPlot, BarSeries, EventBin, EventPoint, EventSeries,
    EventStudyPlot, ForestGroup, ForestPlot, ForestRow, Interval, Line, LinePanel, LinePlot, Marker,
    PlaceboDraws,
};
pub use scatter::{Level, ScatterPlot, ScatterSeries};

use crate::language::Language;

/// A figure of a paper: a title, axes, a kind with its numbers, and notes below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What the study file calls the figure; file names and LaTeX labels are made of it.
    pub id: String,
    /// The caption.
    pub title: String,
    /// The language of the fixed words; titles and labels are given in it.
    #[serde(default)]
    pub language: Language,
    /// Whether any number comes from simulated data; every picture then says so in head and foot.
    pub simulated: bool,
    /// Below the figure; empty for the usual words of the kind.
    #[serde(default)]
    pub x_label: String,
    /// Left of the figure; empty for the usual words of the kind.
    #[serde(default)]
    pub y_label: String,
    /// How many decimals the table of the figure prints.
    #[serde(default = "three")]
    pub decimals: u8,
    /// What is drawn.
    pub kind: FigureKind,
    /// Sentences below the figure.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FigureKind {
    /// Effects by time since adoption, of one or several estimators.
    EventStudy(EventStudyPlot),
    /// Estimates of random treatments against their p-values.
    Placebo(PlaceboDraws),
    /// Standardised bias of covariates before and after matching, a love plot.
    Balance(BalancePlot),
    /// Estimates with intervals, one below the other.
    Forest(ForestPlot),
    /// Curves, such as densities or means over time.
    Lines(LinePlot),
    /// Bars by category.
    Bars(BarPlot),
    /// Who is treated when.
    Adoption(AdoptionMap),
    /// Points of several kinds.
    Scatter(ScatterPlot),
}

/// A figure that cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FigureError {
    /// There is nothing to draw.
    #[error("figure `{figure}`: {what} has no finite number; leave the figure out or look at its model")]
    Empty {
        /// The figure.
        figure: String,
        /// Which part.
        what: String,
    },
    /// Two parts that belong together do not fit.
    #[error("figure `{figure}`: {message}")]
    Shape {
        /// The figure.
        figure: String,
        /// What does not fit, and what is expected.
        message: String,
    },
    /// A number is infinite where only a number or a missing value can be drawn.
    #[error("figure `{figure}`: {what} is infinite; it cannot be drawn")]
    Infinite {
        /// The figure.
        figure: String,
        /// Which number.
        what: String,
    },
    /// The embedded font has no picture of a character.
    #[error(
        "figure `{figure}`: the font of figures lacks {characters}; write the label otherwise or use the SVG"
    )]
    Glyph {
        /// The figure.
        figure: String,
        /// Quoted, with commas.
        characters: String,
    },
    /// The picture could not be rasterised.
    #[error("figure `{figure}`: cannot be rasterised: {message}")]
    Raster {
        /// The figure.
        figure: String,
        /// Why.
        message: String,
    },
}

impl Figure {
    /// A figure with the usual axes, of real data, in English.
    pub fn new(id: impl Into<String>, title: impl Into<String>, kind: FigureKind) -> Figure {
        Figure {
            id: id.into(),
            title: title.into(),
            language: Language::En,
            simulated: false,
            x_label: String::new(),
            y_label: String::new(),
            decimals: three(),
            kind,
            notes: Vec::new(),
        }
    }

    /// Whether the parts fit together and there is something to draw.
    ///
    /// # Errors
    /// [`FigureError::Empty`], [`FigureError::Shape`] or [`FigureError::Infinite`].
    pub fn check(&self) -> Result<(), FigureError> {
        let found = match &self.kind {
            FigureKind::EventStudy(it) => it.check(),
            FigureKind::Placebo(it) => it.check(),
            FigureKind::Balance(it) => it.check(),
            FigureKind::Forest(it) => it.check(),
            FigureKind::Lines(it) => it.check(),
            FigureKind::Bars(it) => it.check(),
            FigureKind::Adoption(it) => it.check(),
            FigureKind::Scatter(it) => it.check(),
        };
        found.map_err(|it| it.of(&self.id))
    }
}

fn three() -> u8 {
    3
}

/// What is wrong with a kind, before it is known which figure it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    Empty(String),
    Shape(String),
    Infinite(String),
}

impl Misfit {
    fn of(self, figure: &str) -> FigureError {
        let figure = figure.to_owned();
        match self {
            Misfit::Empty(what) => FigureError::Empty { figure, what },
            Misfit::Shape(message) => FigureError::Shape { figure, message },
            Misfit::Infinite(what) => FigureError::Infinite { figure, what },
        }
    }
}

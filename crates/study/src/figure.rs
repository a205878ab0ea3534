//! Figures of a study file.

use std::collections::BTreeMap;

use parallax_base::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FileStem, file::usual_level};

/// One figure. Unknown keys are refused by [`FigureKindEntry`], which takes what is left.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct FigureEntry {
    /// Identifier: file name.
    pub id: FileStem,
    /// Caption.
    pub title: String,
    /// What is drawn.
    #[serde(flatten)]
    pub kind: FigureKindEntry,
    /// Below the horizontal axis; the usual words of the kind where there is none.
    #[serde(default)]
    pub x: String,
    /// Beside the vertical axis; the usual words of the kind where there is none.
    #[serde(default)]
    pub y: String,
    /// Sentences for the note.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Decimals in the table of the figure's numbers.
    #[serde(default = "three")]
    #[schemars(range(max = 15))]
    pub decimals: u8,
    /// The same in Chinese: with it the figure is drawn in both languages.
    #[serde(default)]
    pub zh: Option<FigureWords>,
    /// Only for these sources.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// Rows of a forest plot: four hundred are a picture of two metres at the usual size.
const MOST_ROWS: usize = 400;

fn three() -> u8 {
    3
}

/// The words of a figure in another language.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FigureWords {
    /// Caption.
    pub title: String,
    /// Below the horizontal axis.
    #[serde(default)]
    pub x: String,
    /// Beside the vertical axis.
    #[serde(default)]
    pub y: String,
    /// In place of `labels`, as many.
    #[serde(default)]
    pub labels: Vec<String>,
    /// In place of `covariates`.
    #[serde(default)]
    pub covariates: BTreeMap<String, String>,
    /// In place of the labels of `marks` that the source has, as many.
    #[serde(default)]
    pub marks: Vec<String>,
    /// Sentences for the note.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// What a figure shows.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum FigureKindEntry {
    /// Effects by time since adoption, of one or several models with event times.
    EventStudy {
        /// Models.
        models: Vec<String>,
        /// One label a model.
        #[serde(default)]
        labels: Vec<String>,
    },
    /// Draws of a model with placebo treatments: estimates, their density and p-values.
    Placebo {
        /// A model of estimator `placebo`.
        model: String,
    },
    /// Bias of covariates before and after matching, a panel for each model.
    Balance {
        /// Models with a step `match` in their pipeline.
        models: Vec<String>,
        /// One label a model.
        #[serde(default)]
        labels: Vec<String>,
        /// Labels of covariates by their names.
        #[serde(default)]
        covariates: BTreeMap<String, String>,
    },
    /// Estimates with intervals, below one another.
    Forest {
        /// Estimates.
        rows: Vec<ForestEntry>,
        /// One label a row.
        labels: Vec<String>,
        /// Level of intervals.
        #[serde(default = "usual_level")]
        level: f64,
        /// Vertical lines, such as the known effect of a source with simulated data.
        #[serde(default)]
        marks: Vec<MarkEntry>,
    },
    /// Means over time by group, after the pipeline.
    Means {
        /// Column of numbers.
        variable: Name,
        /// Column of groups.
        by: Name,
        /// One label a group, in ascending order of groups.
        #[serde(default)]
        labels: Vec<String>,
    },
    /// Who is treated when, after the pipeline: a band for each cohort.
    Adoption {
        /// Column with each unit's first treated period, 0 or missing for never; or give `treatment`.
        #[serde(default)]
        cohort: Option<Name>,
        /// Column of treatment by row, 0 and 1, staying 1 once it is.
        #[serde(default)]
        treatment: Option<Name>,
    },
    /// Comparisons by weight and estimate, from a model that decomposes an effect.
    Decomposition {
        /// A model with a table of the columns `kind`, `weight` and `estimate`.
        model: String,
        /// Name of that table.
        #[serde(default = "decomposition")]
        detail: String,
        /// One label a kind, in the order of the table.
        #[serde(default)]
        labels: Vec<String>,
    },
}

fn decomposition() -> String {
    "decomposition".to_owned()
}

/// One row of a forest plot.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ForestEntry {
    /// Model.
    pub model: String,
    /// Term as estimates print it.
    pub term: String,
    /// Heading above this row and those after it.
    #[serde(default)]
    pub heading: Option<String>,
}

/// A vertical line of a forest plot.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MarkEntry {
    /// Where it stands.
    pub at: f64,
    /// Above it.
    pub label: String,
    /// The source whose figure has it; every source without.
    #[serde(default)]
    pub source: Option<String>,
}

impl FigureEntry {
    /// Models the figure shows.
    pub fn models(&self) -> Vec<&str> {
        match &self.kind {
            FigureKindEntry::EventStudy { models, .. } | FigureKindEntry::Balance { models, .. } => {
                models.iter().map(String::as_str).collect()
            }
            FigureKindEntry::Placebo { model } | FigureKindEntry::Decomposition { model, .. } => vec![model],
            FigureKindEntry::Forest { rows, .. } => rows.iter().map(|it| it.model.as_str()).collect(),
            FigureKindEntry::Means { .. } | FigureKindEntry::Adoption { .. } => Vec::new(),
        }
    }

    /// Columns the figure shows.
    pub fn variables(&self) -> Vec<Name> {
        match &self.kind {
            FigureKindEntry::Means { variable, by, .. } => vec![variable.clone(), by.clone()],
            FigureKindEntry::Adoption { cohort, treatment } => {
                cohort.iter().chain(treatment).cloned().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Labels as the study gives them.
    pub fn labels(&self) -> &[String] {
        match &self.kind {
            FigureKindEntry::EventStudy { labels, .. }
            | FigureKindEntry::Balance { labels, .. }
            | FigureKindEntry::Forest { labels, .. }
            | FigureKindEntry::Means { labels, .. }
            | FigureKindEntry::Decomposition { labels, .. } => labels,
            FigureKindEntry::Placebo { .. } | FigureKindEntry::Adoption { .. } => &[],
        }
    }

    /// Marks of a forest plot that the figure of a source has.
    pub fn marks(&self, source: &str) -> Vec<&MarkEntry> {
        let FigureKindEntry::Forest { marks, .. } = &self.kind else { return Vec::new() };
        marks.iter().filter(|it| it.source.as_ref().is_none_or(|it| it == source)).collect()
    }

    /// Whether labels are as many as what they label, in the figure of a source.
    ///
    /// # Errors
    /// What is too short or too long, and what contradicts itself.
    pub(crate) fn check(&self, source: &str) -> Result<(), String> {
        let marks = self.marks(source).len();
        // A source without marks has no use for their words.
        let misfits = |it: &&FigureWords| 0 < marks && !it.marks.is_empty() && it.marks.len() != marks;
        if let Some(zh) = self.zh.as_ref().filter(misfits) {
            return Err(format!("{} labels in `zh` for {marks} marks", zh.marks.len()));
        }
        let labelled = match &self.kind {
            FigureKindEntry::EventStudy { models, .. } | FigureKindEntry::Balance { models, .. } => {
                models.len()
            }
            FigureKindEntry::Forest { rows, level, marks, .. } => {
                if marks.iter().any(|it| !it.at.is_finite()) {
                    return Err("a mark stands at a number".to_owned());
                }
                if !(0.0 < *level && *level < 1.0) {
                    return Err("`level` lies between 0 and 1, as 0.95".to_owned());
                }
                if MOST_ROWS < rows.len().max(marks.len()) {
                    return Err(format!(
                        "a forest plot has at most {MOST_ROWS} rows and marks; more cannot be read as a picture, and \
                         would not fit into memory as one"
                    ));
                }
                rows.len()
            }
            FigureKindEntry::Placebo { .. } => 0,
            FigureKindEntry::Adoption { cohort, treatment } => {
                if cohort.is_some() == treatment.is_some() {
                    return Err("give either `cohort` or `treatment`".to_owned());
                }
                0
            }
            // Groups and kinds are known when there are data.
            FigureKindEntry::Means { .. } | FigureKindEntry::Decomposition { .. } => {
                return self.check_translation();
            }
        };
        let needs_labels = matches!(self.kind, FigureKindEntry::Forest { .. }) || 1 < labelled;
        if (needs_labels || !self.labels().is_empty()) && self.labels().len() != labelled {
            return Err(format!("{} labels for {labelled} models or rows", self.labels().len()));
        }
        self.check_translation()
    }

    fn check_translation(&self) -> Result<(), String> {
        match &self.zh {
            Some(zh) if !zh.labels.is_empty() && zh.labels.len() != self.labels().len() => {
                Err(format!("{} labels in `zh` for {} labels", zh.labels.len(), self.labels().len()))
            }
            _ => Ok(()),
        }
    }
}

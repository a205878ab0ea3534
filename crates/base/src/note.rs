//! What the reader of a result has to know, as data instead of console output.

use std::fmt;

use serde::Serialize;

use crate::Name;

/// One remark that travels with a result: what was dropped, changed or assumed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// A regressor is a linear combination of earlier ones or of the effects.
    DroppedCollinear {
        /// The dropped regressor.
        column: Name,
    },
    /// Rows alone in a group of an absorbed effect; they carry no information on slopes.
    DroppedSingletons {
        /// Rows dropped over all rounds.
        rows: usize,
        /// Rounds until none was left.
        rounds: usize,
    },
    /// The covariance matrix had negative eigenvalues, which were set to zero because a program's repair was asked for.
    VcovNotPsd {
        /// The program.
        repair: String,
        /// How many eigenvalues were clamped.
        clamped: usize,
    },
    /// Coefficients whose variance is rounding: they have no error, test or interval.
    NoVariance {
        /// The coefficients as text.
        terms: Vec<String>,
        /// Every coefficient of the estimate is among them.
        all: bool,
    },
    /// Coefficients whose multi-way variance is not positive: they have no error, test or interval.
    NegativeVariance {
        /// The coefficients as text.
        terms: Vec<String>,
    },
    /// Absorption iterated instead of solving directly.
    Absorbed {
        /// The way effects were taken out, in words.
        method: String,
        /// Most iterations any column needed.
        iterations: usize,
        /// The certificate: the largest remaining normalised group mean or error bound.
        certificate: f64,
    },
    /// A pipeline step filled, changed or removed something.
    Step {
        /// The step's registered name.
        step: Name,
        /// What it did, in one sentence.
        text: String,
    },
    /// A reading choice: a type that was converted, a column that was ignored.
    Ingest {
        /// The file concerned.
        file: String,
        /// What happened, in one sentence.
        text: String,
    },
    /// Too few treated units or clusters stand behind some terms for errors by formula.
    FewTreated {
        /// How many terms.
        terms: usize,
        /// Which and what follows, in sentences.
        text: String,
    },
    /// Anything a plugin wants its reader to know.
    Remark {
        /// One sentence.
        text: String,
    },
}

impl Note {
    /// A free remark.
    pub fn remark(text: impl Into<String>) -> Note {
        Note::Remark { text: text.into() }
    }
}

/// The first names of a long list, and how many more there are.
fn few(terms: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = terms.iter().take(SHOWN).map(|it| format!("`{it}`")).collect();
    match terms.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::DroppedCollinear { column } => {
                write!(f, "`{column}` dropped: collinear with earlier regressors or the effects")
            }
            Note::DroppedSingletons { rows, rounds } => {
                write!(f, "{rows} singleton rows dropped in {rounds} rounds")
            }
            Note::VcovNotPsd { repair, clamped } => {
                let noun = if *clamped == 1 { "eigenvalue" } else { "eigenvalues" };
                write!(
                    f,
                    "the multi-way covariance was not positive: {clamped} negative {noun} set to zero, as {repair} does; errors \
                     then depend on the unit and the origin of regressors"
                )
            }
            Note::NoVariance { all: true, .. } => f.write_str(
                "no coefficient has a standard error, test or interval: the model leaves no more than rounding of the outcome \
                 where they are estimated",
            ),
            Note::NoVariance { terms, .. } => {
                let (have, they) = if terms.len() == 1 { ("has", "it is") } else { ("have", "they are") };
                write!(
                    f,
                    "{} {have} no standard error, test or interval: the model leaves no more than rounding of the outcome \
                     where {they} estimated; joint tests leave {} out of their degrees of freedom",
                    few(terms),
                    if terms.len() == 1 { "it" } else { "them" }
                )
            }
            Note::NegativeVariance { terms } => {
                let have = if terms.len() == 1 { "has" } else { "have" };
                write!(
                    f,
                    "{} {have} no standard error, test or interval: the multi-way variance is not positive, which few \
                     clusters in one direction can do; cluster by one column, or ask for a program's repair by name with \
                     `repair` (fixest, stata, plm)",
                    few(terms)
                )
            }
            Note::Absorbed { method, iterations, certificate } => {
                write!(
                    f,
                    "effects absorbed by {method}: {iterations} iterations, certificate {certificate:.1e}"
                )
            }
            Note::Step { step, text } => write!(f, "{step}: {text}"),
            Note::Ingest { file, text } => write!(f, "{file}: {text}"),
            Note::FewTreated { text, .. } | Note::Remark { text } => f.write_str(text),
        }
    }
}

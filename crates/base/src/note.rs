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
    /// The covariance matrix had negative eigenvalues, which were set to zero.
    VcovNotPsd {
        /// How many eigenvalues were clamped.
        clamped: usize,
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

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::DroppedCollinear { column } => {
                write!(f, "`{column}` dropped: collinear with earlier regressors or the effects")
            }
            Note::DroppedSingletons { rows, rounds } => {
                write!(f, "{rows} singleton rows dropped in {rounds} rounds")
            }
            Note::VcovNotPsd { clamped } => {
                let noun = if *clamped == 1 { "eigenvalue" } else { "eigenvalues" };
                write!(f, "the multi-way covariance was not positive: {clamped} negative {noun} set to zero")
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

//! A study: one file that says which data, steps, models and tables, checked and run.
//!
//! [`StudyFile`] is the text as written; [`Study`] is checked against the registry for one data
//! source; [`Study::run`] takes a panel and gives [`StudyResult`]. Steps that columns share run
//! once, absorptions are shared, columns run in parallel, and a column that fails is a failed cell
//! with its reason. This crate reads no files and formats no tables.

mod error;
mod figure;
mod file;
mod like;
mod names;
mod pattern;
mod plan;
mod run;
mod stem;
mod substitute;

pub use error::StudyError;
pub use figure::{FigureEntry, FigureKindEntry, FigureWords, ForestEntry, MarkEntry};
pub use file::{
    DataFile, DataSection, DetailColumnSpec, EffectRow, GroupLabel, JoinKey, MarkRow, ModelDefaults,
    ModelEntry, OneOrEach, PipelineEntry, PrintedFile, Root, Source, StatisticRow, StudyFile, TableEntry,
    TableKind, TermRowSpec, VariableRow,
};
pub use pattern::PatternEntry;
pub use plan::{PlannedModel, Study};
pub use run::{ModelResult, StudyResult};
pub use stem::FileStem;

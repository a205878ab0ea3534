//! Tables, figures and reports, the comparison with printed numbers, files.
//!
//! A [`Table`] holds typed cells; [`render`] turns it into text, Markdown, LaTeX, CSV or JSON and
//! marks simulated data in the head and the foot of each. A [`Figure`] holds numbers; [`svg`] and [`png`]
//! draw it, and its table has what is drawn. A [`Document`] holds both and becomes one page, one Word
//! file, one LaTeX file. [`published`] compares what a paper prints with what we compute, cell by cell.
//! [`OutputRun`] and [`check_outputs`] are the only ones that touch the disk.

mod battery;
mod battery_figures;
mod battery_tables;
mod density;
mod descriptive;
mod detail;
mod document;
mod draw;
mod effects;
mod estimate;
mod figure;
mod language;
mod layout;
mod number;
mod output;
mod problems;
pub mod published;
mod regression;
mod render;
mod study;
mod study_document;
mod study_figures;
mod table;
mod visible;
mod width;

pub use battery::{battery_document, battery_json};
pub use battery_tables::effects_table;
pub use density::{Density, kernel_density};
pub use descriptive::{descriptive_table, descriptive_value};
pub use detail::{detail_table, plain_table};
pub use document::{Convention, Document, DocumentError, FileRecord, Item, Section};
pub use draw::{raster::png, svg};
pub use estimate::{estimate_json, estimate_table};
pub use figure::{
    AdoptionBand, AdoptionMap, BalancePanel, BalancePlot, BalanceRow, BarPlot, BarSeries, EventBin,
    EventPoint, EventSeries, EventStudyPlot, Figure, FigureError, FigureKind, ForestGroup, ForestPlot,
    ForestRow, Interval, Level, Line, LinePanel, LinePlot, Marker, PlaceboDraws, ScatterPlot, ScatterSeries,
};
pub use language::Language;
pub use number::{Digits, format_count, format_number};
pub use output::{
    Difference, InputRecord, InputRole, MANIFEST, Output, OutputError, OutputRun, Provenance, Written,
    check_outputs, provenance_of, sha256,
};
pub use problems::study_problems;
pub use regression::{regression_table, regression_value};
pub use render::{Format, UnknownFormat, render};
pub use study::{compare_study, study_outputs, study_tables};
pub use study_document::study_document;
pub use study_figures::study_figures;
pub use table::{Cell, HeaderCell, HeaderRow, Row, Table, TableError};
pub use visible::visible;
pub use width::display_width;

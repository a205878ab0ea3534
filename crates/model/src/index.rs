//! Index construction: raw columns in, one score column out, with the weights it used.

use parallax_base::{Name, Note};
use parallax_panel::Panel;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Detail, PluginMeta, StepError};

/// A way to build one score column.
pub trait IndexMethod: Sync + 'static {
    /// Name and documentation.
    const META: PluginMeta;
    /// Settings; unknown keys must be refused.
    type Options: Serialize + DeserializeOwned + JsonSchema;

    /// The score, one value a row of the panel.
    ///
    /// # Errors
    /// When a column is missing or cannot serve.
    fn build(panel: &Panel, options: &Self::Options) -> Result<IndexResult, StepError>;

    /// Columns the method reads.
    fn reads(options: &Self::Options) -> Vec<Name>;
}

/// A score with its weights.
#[derive(Debug)]
pub struct IndexResult {
    /// One value a row of the panel; NaN where it cannot be built.
    pub score: Vec<f64>,
    /// Tables of numbers; methods with weights give a detail `weights`.
    pub details: Vec<Detail>,
    /// What the reader should know.
    pub notes: Vec<Note>,
}

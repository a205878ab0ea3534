//! Steps before estimation: panel in, panel out, nothing lost without a note.

use parallax_base::{Name, Note};
use parallax_panel::Panel;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Detail, PluginMeta, StepError};

/// Interpolates, lags, trims, restricts, matches: changes rows or adds columns.
pub trait Step: Sync + 'static {
    /// Name and documentation.
    const META: PluginMeta;
    /// Settings; unknown keys must be refused.
    type Options: Serialize + DeserializeOwned + JsonSchema;

    /// The changed panel with notes on what was done.
    ///
    /// # Errors
    /// When a column is missing or cannot serve.
    fn apply(panel: &Panel, options: &Self::Options) -> Result<Stepped, StepError>;

    /// Columns the step reads, so that nothing else is read from disk.
    fn reads(options: &Self::Options) -> Vec<Name>;

    /// Columns the step makes.
    fn writes(_options: &Self::Options) -> Vec<Name> {
        Vec::new()
    }
}

/// What a step leaves.
#[derive(Debug)]
pub struct Stepped {
    /// The new panel.
    pub panel: Panel,
    /// Tables of numbers, such as a balance table.
    pub details: Vec<Detail>,
    /// What happened.
    pub notes: Vec<Note>,
}

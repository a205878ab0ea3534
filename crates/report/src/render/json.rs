//! JSON: the table as it is, typed and in full precision.

use serde_json::json;

use crate::{layout::marked, table::Table};

/// Fields stand in the order of their declaration, so that two versions of a file compare by line.
pub(super) fn render(table: &Table) -> String {
    // Serialising a table cannot fail: it has no maps, and its numbers know what to do with NaN.
    let text = serde_json::to_string_pretty(marked(table).as_ref())
        .unwrap_or_else(|error| json!({ "error": error.to_string() }).to_string());
    text + "\n"
}

//! `parallax estimators`, `explain` and the hidden `registry`: what is linked in.

use std::io::Write;

use parallax_base::with_suggestion;
use parallax_model::{PluginMeta, Registry};
use parallax_report::{Cell, Format, HeaderRow, Row, Table, render};
use serde_json::{Value, json};

use crate::{
    DriverError, Outcome,
    args::{Estimators, Explain, ListFormat},
};

/// A plugin of any kind.
struct Plugin {
    kind: &'static str,
    meta: PluginMeta,
    file: &'static str,
    line: u32,
    details: Value,
}

/// Lists all plugins.
pub fn list(arguments: &Estimators, out: &mut dyn Write) -> Result<Outcome, DriverError> {
    let registry = parallax_plugins::registry()?;
    if arguments.format == ListFormat::Json {
        return dump(out);
    }
    let mut table = Table::new("plugins", "Estimators, steps and index methods");
    table.header.push(HeaderRow::new(["Name", "Kind", "What it is", "Status"]));
    for it in plugins(&registry) {
        let cells =
            [it.kind.to_owned(), it.meta.summary.to_owned(), it.meta.status.to_string()].map(Cell::text);
        table.body.push(Row::cells(it.meta.name, cells));
    }
    table.notes.push("`parallax explain NAME` prints the page of one.".to_owned());
    write!(out, "{}", render(&table, Format::Text))?;
    Ok(Outcome::Done)
}

/// Prints the page of one plugin.
pub fn explain(arguments: &Explain, out: &mut dyn Write) -> Result<Outcome, DriverError> {
    let registry = parallax_plugins::registry()?;
    let all = plugins(&registry);
    let Some(found) = all.iter().find(|it| it.meta.name == arguments.name) else {
        let hint = with_suggestion(&arguments.name, all.iter().map(|it| it.meta.name));
        return Err(DriverError::Request(format!("no plugin `{}`{hint}", arguments.name)));
    };
    writeln!(out, "{}", found.meta.docs.trim_end())?;
    writeln!(out, "\n{}, {}; {}", found.kind, found.meta.status, found.meta.reference)?;
    Ok(Outcome::Done)
}

/// Writes the registry as JSON.
pub fn dump(out: &mut dyn Write) -> Result<Outcome, DriverError> {
    let registry = parallax_plugins::registry()?;
    let entry = |it: &Plugin| {
        json!({
            "name": it.meta.name,
            "kind": it.kind,
            "summary": it.meta.summary,
            "status": it.meta.status.to_string(),
            "reference": it.meta.reference,
            "file": it.file,
            "line": it.line,
            "docs": it.meta.docs,
            "details": it.details,
        })
    };
    let all: Vec<Value> = plugins(&registry).iter().map(entry).collect();
    writeln!(out, "{:#}", Value::Array(all))?;
    Ok(Outcome::Done)
}

fn plugins(registry: &Registry) -> Vec<Plugin> {
    let mut all = Vec::new();
    for it in registry.estimators() {
        let details = json!({
            "capabilities": it.meta.capabilities,
            "options": it.schema(),
            "defaults": it.defaults(),
        });
        all.push(Plugin { kind: "estimator", meta: it.meta.plugin, file: it.file, line: it.line, details });
    }
    for it in registry.steps() {
        let details = json!({ "options": it.schema() });
        all.push(Plugin { kind: "step", meta: it.meta, file: it.file, line: it.line, details });
    }
    for it in registry.indices() {
        let details = json!({ "options": it.schema() });
        all.push(Plugin { kind: "index", meta: it.meta, file: it.file, line: it.line, details });
    }
    all
}

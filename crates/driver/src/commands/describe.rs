//! `parallax describe`: the panel as it is.

use std::{io::Write, sync::Arc};

use parallax_base::{Name, shown};
use parallax_ingest::{Loaded, ReadRequest, read};
use parallax_model::time_remarks;
use parallax_panel::{Column, MISSING, adoption_cohorts, balance, summarize};
use parallax_report::{Cell, Digits, Format, HeaderRow, Row, Table, render};
use serde_json::{Map, Value, json};

use crate::{
    DriverError, Outcome,
    args::{Describe, ListFormat},
    commands::fit::explained,
};

/// Reads everything and describes it.
pub fn run(arguments: &Describe, out: &mut dyn Write) -> Result<Outcome, DriverError> {
    let mut request = ReadRequest::file(&arguments.file);
    request.reading = arguments.reading.options();
    request.unit = arguments.unit.as_ref().map(Name::from);
    request.time = arguments.time.as_ref().map(Name::from);
    request.time_format = arguments.time_format;
    let loaded = read(&request)?;
    let treatment = arguments.treatment.as_deref();
    match arguments.format {
        ListFormat::Text => text(&loaded, treatment, out)?,
        ListFormat::Json => writeln!(out, "{:#}", as_json(&loaded, treatment)?)?,
    }
    Ok(Outcome::Done)
}

fn text(loaded: &Loaded, treatment: Option<&str>, out: &mut dyn Write) -> Result<(), DriverError> {
    let panel = &loaded.panel;
    for file in &loaded.files {
        let simulated = if file.simulated { ", simulated" } else { "" };
        writeln!(out, "{}: {}, {} rows{simulated}", file.path.display(), file.format, file.rows)?;
    }
    if panel.index().is_some() {
        let shape = balance(panel)?;
        let kind = if shape.balanced { "balanced" } else { "unbalanced" };
        writeln!(
            out,
            "{} panel: {} units x {} periods ({} to {}), {} rows, {} to {} rows a unit, {} units with gaps",
            kind,
            shape.units,
            shape.periods,
            shape.span.0,
            shape.span.1,
            shape.rows,
            shape.rows_a_unit.0,
            shape.rows_a_unit.1,
            shape.units_with_gaps
        )?;
        for note in time_remarks(panel) {
            writeln!(out, "{note}")?;
        }
    } else {
        writeln!(out, "{} rows, no unit and time named", panel.n_rows())?;
    }
    if let Some(name) = treatment {
        writeln!(out)?;
        write!(out, "{}", render(&cohorts(loaded, name)?, Format::Text))?;
    }
    writeln!(out)?;
    write!(out, "{}", render(&variables(loaded), Format::Text))?;
    Ok(())
}

fn cohorts(loaded: &Loaded, treatment: &str) -> Result<Table, DriverError> {
    let values = treatment_values(loaded, treatment)?;
    let mut table = Table::new("adoption", format!("Adoption of {treatment}"));
    table.simulated = loaded.simulated();
    table.header.push(HeaderRow::new([
        "First treated",
        "Units",
        "Switch off again",
        "Treated from their first row",
    ]));
    for it in adoption_cohorts(&loaded.panel, &values)? {
        let label = it.cohort.map_or("never".to_owned(), |it| it.to_string());
        let counts = [it.units, it.reversals, it.always].map(|it| Cell::Count(it as u64));
        table.body.push(Row::cells(label, counts));
    }
    Ok(table)
}

/// A treatment is 0 or 1 in every row; anything else would give cohorts that mean nothing.
fn treatment_values(loaded: &Loaded, name: &str) -> Result<Arc<Vec<f64>>, DriverError> {
    let values = loaded.panel.real(name).map_err(|it| explained(loaded, it.into()))?;
    match values.iter().position(|it| *it != 0.0 && *it != 1.0) {
        None => Ok(values),
        Some(row) => {
            let value = if values[row].is_nan() { "missing".to_owned() } else { values[row].to_string() };
            let place = loaded.panel.place(row);
            Err(DriverError::Request(format!("treatment `{name}` is {value} for {place}; it must be 0 or 1")))
        }
    }
}

fn variables(loaded: &Loaded) -> Table {
    let mut table = Table::new("variables", "Variables");
    table.simulated = loaded.simulated();
    table.header.push(HeaderRow::new(["Variable", "N", "Missing", "Mean", "SD", "Min", "Median", "Max"]));
    for name in loaded.panel.names() {
        let cells = match loaded.panel.column(name) {
            Ok(Column::Real(values)) => {
                let it = summarize(values);
                let number = |value: f64| Cell::Number { value, digits: digits(value) };
                vec![
                    Cell::Count(it.n as u64),
                    Cell::Count(it.missing as u64),
                    number(it.mean),
                    number(it.sd),
                    number(it.min),
                    number(it.median),
                    number(it.max),
                ]
            }
            Ok(Column::Codes(codes)) => {
                let missing = codes.code.iter().filter(|it| **it == MISSING).count();
                let mut cells = vec![
                    Cell::Count((codes.len() - missing) as u64),
                    Cell::Count(missing as u64),
                    Cell::text(format!("{} groups", codes.n_groups())),
                ];
                cells.resize(7, Cell::Empty);
                cells
            }
            Err(_) => vec![Cell::Empty; 7],
        };
        table.body.push(Row::cells(shown(name), cells));
    }
    table.notes.extend(loaded.notes.iter().map(|it| format!("{it}.")));
    table
}

/// Whole numbers are printed whole, and no other number loses digits before its point.
fn digits(value: f64) -> Digits {
    if value.fract() == 0.0 || 1e6 <= value.abs() { Digits::Decimals(0) } else { Digits::Significant(6) }
}

fn as_json(loaded: &Loaded, treatment: Option<&str>) -> Result<Value, DriverError> {
    let panel = &loaded.panel;
    let mut files = Vec::new();
    for it in &loaded.files {
        files.push(json!({
            "path": it.path.display().to_string(),
            "format": it.format.name(),
            "sha256": it.sha256()?,
            "rows": it.rows,
            "columns": it.columns_in_file,
            "simulated": it.simulated,
        }));
    }
    let mut columns = Map::new();
    for name in panel.names() {
        let described = match panel.column(name)? {
            Column::Real(values) => json!({ "type": "number", "summary": summary_json(values) }),
            Column::Codes(it) => json!({ "type": "category", "groups": it.n_groups() }),
        };
        columns.insert(name.to_string(), described);
    }
    let mut described = json!({ "files": files, "rows": panel.n_rows(), "columns": columns });
    if panel.index().is_some() {
        described["panel"] = json!(balance(panel)?);
    }
    if let Some(name) = treatment {
        let values = treatment_values(loaded, name)?;
        described["adoption"] = json!(adoption_cohorts(panel, &values)?);
    }
    described["notes"] = json!(loaded.notes.iter().map(ToString::to_string).collect::<Vec<_>>());
    Ok(described)
}

fn summary_json(values: &[f64]) -> Value {
    let it = summarize(values);
    let number = |it: f64| if it.is_finite() { json!(it) } else { Value::Null };
    json!({
        "n": it.n, "missing": it.missing, "mean": number(it.mean), "sd": number(it.sd), "min": number(it.min),
        "p25": number(it.p25), "median": number(it.median), "p75": number(it.p75), "max": number(it.max),
    })
}

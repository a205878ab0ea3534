//! [`read`]: opens the files, plans the columns, reads, joins and builds the panel.

use parallax_base::{Name, Note, shown};
use parallax_panel::{Column, Panel, PanelBuilder, PanelError, TimeFormat};

use crate::{
    FileReport, IngestError, JoinOn, Loaded, MixedColumn, ReadRequest, alike,
    dataset::{Dataset, Table},
    join::{Spine, spread},
    keys::{Keys, restrict},
    origin::Origin,
    plan,
    raw::Raw,
    time::Scale,
};

/// Reads a panel from one file or from several.
///
/// # Errors
/// [`IngestError`], naming file, column and row, and saying what to do.
pub fn read(request: &ReadRequest) -> Result<Loaded, IngestError> {
    let keys = request.keys()?;
    let open = |it| Dataset::open(it, request.reading());
    let mut datasets = request.files.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let columns = plan::columns(request, keys, &mut datasets)?;
    let mut gathered = Gathered::default();
    let panel = match keys {
        None => gathered.unindexed(&mut datasets, &columns)?,
        Some((unit, time)) => gathered.indexed(&mut datasets, &columns, (unit, time), request.time_format)?,
    };
    let Gathered { files, notes, mixed } = gathered;
    Ok(Loaded { panel, files, notes, mixed })
}

/// What accompanies the panel, collected file by file.
#[derive(Default)]
struct Gathered {
    files: Vec<FileReport>,
    notes: Vec<Note>,
    mixed: Vec<MixedColumn>,
}

impl Gathered {
    fn unindexed(
        &mut self,
        datasets: &mut [Dataset<'_>],
        columns: &[Vec<Name>],
    ) -> Result<Panel, IngestError> {
        let mut builder = PanelBuilder::new(0);
        // A request without unit and time has one file.
        for (dataset, names) in datasets.iter_mut().zip(columns) {
            let mut table = dataset.read(names, None)?;
            remark(dataset, &table);
            self.collect(dataset, &mut table);
            builder = PanelBuilder::new(table.rows);
            for (name, raw) in table.columns {
                builder = builder.column(name, raw.into_column());
            }
        }
        Ok(builder.build()?)
    }

    fn indexed(
        &mut self,
        datasets: &mut [Dataset<'_>],
        columns: &[Vec<Name>],
        (unit, time): (&Name, &Name),
        declared: Option<TimeFormat>,
    ) -> Result<Panel, IngestError> {
        let mut files = datasets.iter_mut().zip(columns);
        let Some((first, names)) = files.next() else { return Ok(PanelBuilder::new(0).build()?) };
        let (mut table, keys, periods, scale) = self.keyed(first, names, unit, time, None)?;
        let Some(units) = keys.units else { return Err(IngestError::no_column(&first.file(), unit, [])) };
        let format = scale.time_format(declared, time)?;
        if let Some(text) = scale.note(time) {
            self.note(&first.file(), text);
        }
        let mut values: Vec<(Name, Column)> = Vec::new();
        values.extend(table.columns.drain(..).map(|(name, raw)| (name, raw.into_column())));
        let (unit, time) = (unit.clone(), time.clone());
        let spine = Spine { file: first.file(), unit, time, units, periods, scale };
        for (dataset, names) in files {
            self.join(dataset, names, &spine, &mut values)?;
        }
        let Spine { unit, time, units, periods, .. } = spine;
        let mut builder = PanelBuilder::new(table.rows)
            .index(unit.clone(), units, time.clone(), periods)
            .time_format(format);
        for (name, column) in values {
            builder = builder.column(name, column);
        }
        builder.build().map_err(|error| located(error, &table.origin, &unit, &time))
    }

    fn join(
        &mut self,
        dataset: &mut Dataset<'_>,
        names: &[Name],
        spine: &Spine,
        values: &mut Vec<(Name, Column)>,
    ) -> Result<(), IngestError> {
        let on = dataset.request.on;
        let (table, keys, periods, _) = self.keyed(dataset, names, &spine.unit, &spine.time, Some(spine))?;
        let rows = spine.matched(on, &table, &keys, &periods, &mut self.notes)?;
        values.extend(table.columns.into_iter().map(|(name, raw)| (name, spread(raw, &rows))));
        Ok(())
    }

    /// Reads one dataset, takes its keys out and keeps the wanted periods.
    fn keyed(
        &mut self,
        dataset: &mut Dataset<'_>,
        names: &[Name],
        unit: &Name,
        time: &Name,
        spine: Option<&Spine>,
    ) -> Result<(Table, Keys, Vec<i32>, Scale), IngestError> {
        let (on, range) = (dataset.request.on, dataset.request.rows);
        let mut table = dataset.read(names, range.map(|it| (time, it)))?;
        remark(dataset, &table);
        let mut keys = match table.rows {
            // All row groups were left out by their statistics.
            0 => Keys {
                units: Some(Raw::new(0).into_codes()),
                times: Some(crate::time::Times::Plain(Vec::new())),
            },
            _ => Keys::take(&mut table, on, unit, time)?,
        };
        let own = keys.times.as_ref().map_or(Scale::Plain, crate::time::Times::scale);
        let scale = spine.map_or(own, |it| it.scale);
        let periods = if on == JoinOn::Unit { Some(Vec::new()) } else { keys.periods(scale) };
        let Some(mut periods) = periods else {
            return Err(IngestError::TimeScales {
                time: time.clone(),
                first: spine.map_or_else(|| dataset.file(), |it| it.file.clone()),
                left: scale.text(),
                second: dataset.file(),
                right: own.text(),
            });
        };
        keys.times = None;
        if let Some(range) = range {
            restrict(&mut table, &mut keys, &mut periods, range, time)?;
        }
        self.collect(dataset, &mut table);
        Ok((table, keys, periods, scale))
    }

    fn collect(&mut self, dataset: &mut Dataset<'_>, table: &mut Table) {
        self.files.append(&mut table.reports);
        self.mixed.append(&mut table.mixed);
        self.notes.append(&mut dataset.notes);
        for (name, raw) in &table.columns {
            match raw {
                Raw::Days(_) => {
                    self.note(
                        &dataset.file(),
                        format!("`{name}` holds dates; read as days since 1970-01-01"),
                    );
                }
                Raw::Long(_) => {
                    let text = format!(
                        "`{name}` has whole numbers beyond 2^53; read as an identifier, not as numbers"
                    );
                    self.note(&dataset.file(), text);
                }
                Raw::Untyped { .. } | Raw::Real(_) | Raw::Text(_) => {}
            }
        }
    }

    fn note(&mut self, file: &Name, text: String) {
        self.notes.push(Note::Ingest { file: file.to_string(), text });
    }
}

/// Notes on what the texts of a table were taken for, its keys included.
fn remark(dataset: &mut Dataset<'_>, table: &Table) {
    let named = |it: &Name| format!("`{}`", shown(it));
    let zeros = table.columns.iter().zip(&table.zeros).filter_map(|((name, raw), zeros)| match raw {
        Raw::Text(_) => zeros.as_ref().map(|it| format!("{} (`{}`)", named(name), shown(it))),
        _ => None,
    });
    let zeros = listed(zeros.collect());
    if !zeros.is_empty() {
        dataset.note(format!("whole numbers with leading zeros are codes and are read as text: {zeros}"));
    }
    let absent = table.columns.iter().zip(&table.absent).filter(|(_, absent)| !absent.is_empty());
    let absent =
        listed(absent.map(|((name, _), absent)| format!("in {} {}", named(name), absent.list())).collect());
    if !absent.is_empty() {
        dataset.note(format!("read as missing: {absent}"));
    }
    for (name, raw) in &table.columns {
        if let Raw::Text(text) = raw
            && let Some(note) = alike::note(name, &text.texts)
        {
            dataset.note(note);
        }
    }
}

/// Parts of a sentence on many columns, shortened.
fn listed(mut parts: Vec<String>) -> String {
    const SHOWN: usize = 12;
    if SHOWN < parts.len() {
        let more = parts.len() - SHOWN;
        parts.truncate(SHOWN);
        parts.push(format!("{more} more columns"));
    }
    parts.join("; ")
}

/// The panel counts rows of its input; a user knows lines and rows of files.
fn located(error: PanelError, origin: &Origin, unit: &Name, time: &Name) -> IngestError {
    match error {
        PanelError::Duplicate { unit: label, period, first, second } => IngestError::DuplicateKey {
            key: format!("{unit} `{label}`, {time} {period}"),
            first: Box::new(origin.place(first.saturating_sub(1))),
            second: Box::new(origin.place(second.saturating_sub(1))),
            advice: "remove one, or name the columns that identify a row as unit and time",
        },
        other => other.into(),
    }
}

//! One [`FileRequest`]: a file, or the files of a folder, opened and later read into one [`Table`].

use std::collections::HashMap;

use parallax_base::{Name, Note};

use crate::{
    FileReport, FileRequest, Format, IngestError, MixedColumn, PeriodRange,
    origin::Origin,
    raw::Raw,
    source::{self, Field, Source, Wanted},
};

/// The opened files of one request, and what their columns are called in the panel.
pub(crate) struct Dataset<'a> {
    pub request: &'a FileRequest,
    pub notes: Vec<Note>,
    sources: Vec<Box<dyn Source>>,
    /// Names in the panel, in the order of the first file.
    names: Vec<Name>,
}

/// Columns in file order of rows, and where the rows came from.
pub(crate) struct Table {
    pub rows: usize,
    pub columns: Vec<(Name, Raw)>,
    pub origin: Origin,
    pub reports: Vec<FileReport>,
    pub mixed: Vec<MixedColumn>,
}

impl<'a> Dataset<'a> {
    pub(crate) fn open(request: &'a FileRequest) -> Result<Dataset<'a>, IngestError> {
        let (paths, passed) = source::files_of(&request.path)?;
        let mut sources = Vec::with_capacity(paths.len());
        for path in &paths {
            sources.push(source::open(path)?);
        }
        let mut dataset = Dataset { request, notes: Vec::new(), sources, names: Vec::new() };
        if !passed.is_empty() {
            dataset.note(format!("not data files and not read: {}", passed.join(", ")));
        }
        if let Some((first, rest)) = dataset.sources.split_first() {
            rest.iter().try_for_each(|it| same_columns(first.as_ref(), it.as_ref()))?;
        }
        dataset.names = dataset.renamed()?;
        Ok(dataset)
    }

    /// The path of the request as messages show it.
    pub(crate) fn file(&self) -> Name {
        self.request.path.display().to_string().into()
    }

    pub(crate) fn fields(&self) -> &[Field] {
        self.sources.first().map_or(&[], |it| it.fields())
    }

    /// Names in the panel, in file order.
    pub(crate) fn names(&self) -> &[Name] {
        &self.names
    }

    pub(crate) fn note(&mut self, text: String) {
        let file = self.request.path.display().to_string();
        self.notes.push(Note::Ingest { file, text });
    }

    /// The position of a column, which must be there once and be readable.
    pub(crate) fn position(&self, name: &Name) -> Result<usize, IngestError> {
        let mut found = self.names.iter().enumerate().filter(|(_, it)| *it == name).map(|(at, _)| at);
        let Some(first) = found.next() else {
            return Err(IngestError::no_column(&self.file(), name, self.names.iter().map(Name::as_str)));
        };
        if let Some(second) = found.next() {
            let (file, name) = (self.file(), name.clone());
            return Err(IngestError::TwiceInFile { file, name, first: first + 1, second: second + 1 });
        }
        match self.fields().get(first) {
            Some(field) if !field.supported => Err(IngestError::Unsupported {
                file: self.file(),
                column: name.clone(),
                type_text: field.type_text.clone(),
            }),
            _ => Ok(first),
        }
    }

    /// Reads columns by their names in the panel. `range` prunes parts of Parquet files; rows of other
    /// periods that are read all the same are filtered by the caller.
    pub(crate) fn read(
        &mut self,
        names: &[Name],
        range: Option<(&Name, PeriodRange)>,
    ) -> Result<Table, IngestError> {
        for name in names {
            self.position(name)?;
        }
        let expected = self.sources.iter().map(|it| it.rows_expected()).fold(0, usize::saturating_add);
        let mut table = Table {
            rows: 0,
            columns: names.iter().map(|it| (it.clone(), Raw::new(expected))).collect(),
            origin: Origin::default(),
            reports: Vec::new(),
            mixed: Vec::new(),
        };
        let first_names: Vec<Name> = self.fields().iter().map(|it| it.name.clone()).collect();
        let positions: HashMap<&Name, usize> =
            self.names.iter().enumerate().map(|(at, it)| (it, at)).collect();
        for source in &mut self.sources {
            // Files of a folder may order their columns in different ways.
            let at = |name: &Name| {
                let in_file = first_names.get(*positions.get(name)?)?;
                source.fields().iter().position(|it| it.name == *in_file)
            };
            let indexes: Vec<Option<usize>> = names.iter().map(at).collect();
            let range = range.and_then(|(time, range)| Some((at(time)?, range)));
            read_source(source.as_mut(), &indexes, range, &mut table)?;
        }
        if table.rows == 0 && range.is_none() {
            let text = self.sources.iter().any(|it| matches!(it.format(), Format::Csv | Format::CsvGz));
            let what = if text { "there is a header but no data row" } else { "it has columns but no row" };
            return Err(IngestError::Empty { file: self.file(), what: what.to_owned() });
        }
        Ok(table)
    }

    fn renamed(&self) -> Result<Vec<Name>, IngestError> {
        let mut names: Vec<Name> = self.fields().iter().map(|it| it.name.clone()).collect();
        for (at, (in_file, in_panel)) in self.request.rename.iter().enumerate() {
            if self.request.rename.iter().take(at).any(|(it, _)| it == in_file) {
                let problem =
                    format!("{}: column `{in_file}` is renamed twice; keep one of the two", self.file());
                return Err(IngestError::Request(problem));
            }
            let at = self.fields().iter().position(|it| it.name == *in_file);
            match at.and_then(|it| names.get_mut(it)) {
                Some(name) => *name = in_panel.clone(),
                None => {
                    let known = self.fields().iter().map(|it| it.name.as_str());
                    return Err(IngestError::no_column(&self.file(), in_file, known));
                }
            }
        }
        Ok(names)
    }
}

impl Table {
    /// Takes a column out.
    pub(crate) fn take(&mut self, name: &Name) -> Option<Raw> {
        let at = self.columns.iter().position(|(it, _)| it == name)?;
        Some(self.columns.remove(at).1)
    }

    /// Keeps some rows, in order.
    pub(crate) fn keep(&mut self, rows: Vec<u32>) {
        for (_, raw) in &mut self.columns {
            let whole = std::mem::replace(raw, Raw::new(0));
            *raw = whole.gather(&rows);
        }
        self.rows = rows.len();
        self.origin.keep(rows);
    }
}

fn read_source(
    source: &mut dyn Source,
    indexes: &[Option<usize>],
    range: Option<(usize, PeriodRange)>,
    table: &mut Table,
) -> Result<(), IngestError> {
    let start = table.rows;
    let mut wanted: Vec<Wanted<'_>> = table
        .columns
        .iter_mut()
        .zip(indexes)
        .filter_map(|((name, raw), index)| Some(Wanted { index: (*index)?, name, raw }))
        .collect();
    let extent = source.read(&mut wanted, range)?;
    for it in &wanted {
        refuse_infinite(source, &extent.numbering, start, it)?;
        for mixed in extent.mixed.iter().filter(|mixed| mixed.index == it.index) {
            table.mixed.push(MixedColumn {
                file: source.file().clone(),
                column: it.name.clone(),
                row: mixed.row,
                value: mixed.value.clone(),
                count: mixed.count,
                numbers: mixed.numbers,
            });
        }
    }
    let columns_read = wanted.len();
    table.rows = start + extent.rows;
    if u32::try_from(table.rows).is_err() {
        let problem = "more than 4294967295 rows; keep fewer periods or split the data".to_owned();
        return Err(IngestError::Format { file: source.file().clone(), problem });
    }
    table.reports.push(FileReport {
        path: source.path().to_owned(),
        format: source.format(),
        rows: extent.rows,
        columns_in_file: source.fields().len(),
        columns_read,
        row_groups: extent.groups,
        simulated: source.simulated(),
    });
    table.origin.push(start, source.file().clone(), extent.numbering);
    Ok(())
}

fn refuse_infinite(
    source: &dyn Source,
    numbering: &crate::origin::Numbering,
    start: usize,
    wanted: &Wanted<'_>,
) -> Result<(), IngestError> {
    let (Raw::Real(values) | Raw::Days(values)) = &*wanted.raw else { return Ok(()) };
    match values.iter().skip(start).position(|it| it.is_infinite()) {
        None => Ok(()),
        Some(row) => Err(IngestError::Infinite {
            place: crate::Place { file: source.file().clone(), row: numbering.number(row) },
            column: wanted.name.clone(),
        }),
    }
}

fn same_columns(first: &dyn Source, other: &dyn Source) -> Result<(), IngestError> {
    let absent = |from: &dyn Source, of: &dyn Source| -> Vec<String> {
        let missing = |it: &&Field| of.fields().iter().all(|of| of.name != it.name);
        from.fields().iter().filter(missing).map(|it| format!("`{}`", it.name)).collect()
    };
    let (lost, gained) = (absent(first, other), absent(other, first));
    let mut parts = Vec::new();
    if !lost.is_empty() {
        parts.push(format!("{} is absent", lost.join(", ")));
    }
    if !gained.is_empty() {
        parts.push(format!("{} is only here", gained.join(", ")));
    }
    if parts.is_empty() {
        return Ok(());
    }
    Err(IngestError::FolderColumns {
        file: other.file().clone(),
        first: first.file().clone(),
        difference: parts.join(" and "),
    })
}

//! One [`FileRequest`]: a file, or the files of a folder, opened and later read into one [`Table`].

use std::collections::{HashMap, HashSet};

use parallax_base::{Name, Note, shown};

use crate::{
    FileReport, FileRequest, Format, IngestError, MixedColumn, PeriodRange,
    missing::Absent,
    origin::Origin,
    raw::Raw,
    source::{self, Extent, Field, Mixed, Reading, Remarks, Source, Wanted},
};

/// The opened files of one request, and what their columns are called in the panel.
pub(crate) struct Dataset<'a> {
    pub request: &'a FileRequest,
    pub notes: Vec<Note>,
    sources: Vec<Box<dyn Source>>,
    /// Names in the panel, in the order of the first file.
    names: Vec<Name>,
    /// Where each name is first, and where it is again.
    positions: HashMap<Name, (usize, Option<usize>)>,
    reading: Reading,
}

/// Columns in file order of rows, and where the rows came from.
pub(crate) struct Table {
    pub rows: usize,
    pub columns: Vec<(Name, Raw)>,
    pub origin: Origin,
    pub reports: Vec<FileReport>,
    pub mixed: Vec<MixedColumn>,
    /// What was read as missing, column by column.
    pub absent: Vec<Absent>,
    /// For columns whose whole numbers are codes, one with leading zeros.
    pub zeros: Vec<Option<String>>,
}

impl<'a> Dataset<'a> {
    pub(crate) fn open(request: &'a FileRequest, reading: Reading) -> Result<Dataset<'a>, IngestError> {
        let (paths, passed) = source::files_of(&request.path)?;
        let mut sources = Vec::with_capacity(paths.len());
        for path in &paths {
            sources.push(source::open(path, &reading)?);
        }
        let (names, positions) = (Vec::new(), HashMap::new());
        let mut dataset = Dataset { request, notes: Vec::new(), sources, names, positions, reading };
        if !passed.is_empty() {
            dataset.note(format!("not data files and not read: {}", passed.join(", ")));
        }
        if let Some((first, rest)) = dataset.sources.split_first() {
            rest.iter().try_for_each(|it| same_columns(first.as_ref(), it.as_ref()))?;
        }
        dataset.names = dataset.renamed()?;
        for (at, name) in dataset.names.iter().enumerate() {
            dataset
                .positions
                .entry(name.clone())
                .and_modify(|it| it.1 = it.1.or(Some(at)))
                .or_insert((at, None));
        }
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

    /// Whether some column has this name.
    pub(crate) fn has(&self, name: &Name) -> bool {
        self.positions.contains_key(name)
    }

    /// The position of a column, which must be there once and be readable.
    pub(crate) fn position(&self, name: &Name) -> Result<usize, IngestError> {
        let Some(&(first, second)) = self.positions.get(name) else {
            return Err(IngestError::no_column(&self.file(), name, self.names.iter().map(Name::as_str)));
        };
        if let Some(second) = second {
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
        let mut table = Table::new(names, self.expected(names.len())?);
        let layouts = self.layouts(names);
        table.zeros = self.codes(&layouts)?;
        for (source, indexes) in self.sources.iter_mut().zip(&layouts) {
            let time = |(time, range): (&Name, PeriodRange)| {
                let at = names.iter().position(|it| it == time)?;
                Some((indexes.get(at).copied().flatten()?, range))
            };
            read_source(source.as_mut(), indexes, range.and_then(time), &self.reading, &mut table)?;
        }
        if table.rows == 0 && range.is_none() {
            let text = self.sources.iter().any(|it| matches!(it.format(), Format::Csv | Format::CsvGz));
            let what = if text { "there is a header but no data row" } else { "it has columns but no row" };
            return Err(IngestError::Empty { file: self.file(), what: what.to_owned() });
        }
        Ok(table)
    }

    /// Rows of all files together, where the memory for so many columns of them is there.
    fn expected(&self, columns: usize) -> Result<usize, IngestError> {
        let rows = self.sources.iter().map(|it| it.rows_expected()).fold(0, u64::saturating_add);
        let held = self.sources.iter().map(|it| it.held()).fold(0, u64::saturating_add);
        self.reading.budget.require_table((rows, columns), held, &self.file())?;
        u32::try_from(rows).map(|it| it as usize).map_err(|_| too_many_rows(&self.file()))
    }

    /// For each source, where it has the columns; files of a folder may order them in different ways.
    fn layouts(&self, names: &[Name]) -> Vec<Vec<Option<usize>>> {
        let in_first: Vec<Option<&Name>> = names
            .iter()
            .map(|it| self.positions.get(it).and_then(|it| self.fields().get(it.0)).map(|it| &it.name))
            .collect();
        let layout = |source: &dyn Source| {
            let mut at: HashMap<&Name, usize> = HashMap::new();
            for (index, field) in source.fields().iter().enumerate() {
                at.entry(&field.name).or_insert(index);
            }
            in_first.iter().map(|it| at.get((*it)?).copied()).collect()
        };
        self.sources.iter().map(|it| layout(it.as_ref())).collect()
    }

    /// A column that has leading zeros in one file of a folder is text in all of them.
    fn codes(&self, layouts: &[Vec<Option<usize>>]) -> Result<Vec<Option<String>>, IngestError> {
        let n = layouts.first().map_or(0, Vec::len);
        let mut codes = vec![None; n];
        if self.sources.len() < 2 {
            return Ok(codes);
        }
        for (source, layout) in self.sources.iter().zip(layouts) {
            let (columns, indexes): (Vec<usize>, Vec<usize>) =
                layout.iter().enumerate().filter_map(|(column, at)| Some((column, (*at)?))).unzip();
            for (column, example) in columns.into_iter().zip(source.codes(&indexes)?) {
                if let Some(code) = codes.get_mut(column).filter(|it| it.is_none()) {
                    *code = example;
                }
            }
        }
        Ok(codes)
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
    fn new(names: &[Name], expected: usize) -> Table {
        Table {
            rows: 0,
            columns: names.iter().map(|it| (it.clone(), Raw::new(expected))).collect(),
            origin: Origin::default(),
            reports: Vec::new(),
            mixed: Vec::new(),
            absent: vec![Absent::default(); names.len()],
            zeros: vec![None; names.len()],
        }
    }

    /// Keeps what reading a file made of its texts; `column_of` leads from a position in the file to one of the table.
    fn remember(&mut self, remarks: Remarks, file: &Name, column_of: &HashMap<usize, usize>) {
        for Mixed { index, row, value, count, numbers } in remarks.mixed {
            let Some((column, _)) = column_of.get(&index).and_then(|at| self.columns.get(*at)) else {
                continue;
            };
            let (file, column) = (file.clone(), column.clone());
            self.mixed.push(MixedColumn { file, column, row, value, count, numbers });
        }
        for (index, absent) in remarks.absent {
            if let Some(it) = column_of.get(&index).and_then(|at| self.absent.get_mut(*at)) {
                it.merge(&absent);
            }
        }
        for (index, zeros) in remarks.zeros {
            if let Some(it) = column_of.get(&index).and_then(|at| self.zeros.get_mut(*at)) {
                it.get_or_insert(zeros);
            }
        }
    }

    /// The words of a column that were read as missing, while all columns are there.
    pub(crate) fn absent_in(&self, name: &Name) -> Option<&Absent> {
        let at = self.columns.iter().position(|(it, _)| it == name)?;
        self.absent.get(at).filter(|it| !it.is_empty())
    }

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
    reading: &Reading,
    table: &mut Table,
) -> Result<(), IngestError> {
    let start = table.rows;
    let mut wanted: Vec<Wanted<'_>> = table
        .columns
        .iter_mut()
        .zip(indexes)
        .zip(&table.zeros)
        .filter_map(|(((name, raw), index), zeros)| {
            Some(Wanted { index: (*index)?, name, raw, codes: zeros.is_some() })
        })
        .collect();
    let Extent { rows, numbering, groups, remarks } = source.read(&mut wanted, range)?;
    let column_of: HashMap<usize, usize> =
        indexes.iter().enumerate().filter_map(|(column, at)| Some(((*at)?, column))).collect();
    let text = matches!(source.format(), Format::Csv | Format::CsvGz);
    for it in &mut wanted {
        if !text && let Some(absent) = column_of.get(&it.index).and_then(|at| table.absent.get_mut(*at)) {
            // Text files were read with the user's words in mind.
            absent.merge(&reading.missing.apply(it.raw, start));
            if let Raw::Text(text) = &mut *it.raw {
                absent.add("", std::mem::take(&mut text.empty));
            }
        }
        refuse_infinite(source, &numbering, start, it)?;
    }
    let columns_read = wanted.len();
    table.remember(remarks, source.file(), &column_of);
    table.rows = start.saturating_add(rows);
    if u32::try_from(table.rows).is_err() {
        return Err(too_many_rows(source.file()));
    }
    table.reports.push(FileReport {
        path: source.path().to_owned(),
        format: source.format(),
        rows,
        columns_in_file: source.fields().len(),
        columns_read,
        row_groups: groups,
        simulated: source.simulated(),
    });
    table.origin.push(start, source.file().clone(), numbering);
    Ok(())
}

fn too_many_rows(file: &Name) -> IngestError {
    let problem = format!("more than {} rows; keep fewer periods or split the data", u32::MAX);
    IngestError::Format { file: file.clone(), problem }
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
    const SHOWN: usize = 12;
    let absent = |from: &dyn Source, of: &dyn Source| -> Vec<String> {
        let there: HashSet<&Name> = of.fields().iter().map(|it| &it.name).collect();
        let missing = from.fields().iter().filter(|it| !there.contains(&it.name));
        let mut names: Vec<String> = missing.map(|it| format!("`{}`", shown(&it.name))).collect();
        if SHOWN < names.len() {
            let more = names.len() - SHOWN;
            names.truncate(SHOWN);
            names.push(format!("{more} more"));
        }
        names
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

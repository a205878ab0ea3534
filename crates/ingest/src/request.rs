//! What a caller asks for: files, the two columns that identify a row, and the columns to read.

use std::path::PathBuf;

use parallax_base::Name;
use parallax_panel::TimeFormat;

use crate::{IngestError, MemorySize, budget::Budget, missing::Missing, source::Reading};

/// Everything [`crate::read`] needs to know.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The spine first, then the files that are left-joined to it, in this order.
    pub files: Vec<FileRequest>,
    /// The unit column, by its name in the panel. Given together with `time` or not at all.
    pub unit: Option<Name>,
    /// The time column, by its name in the panel.
    pub time: Option<Name>,
    /// What the numbers of the time column are; without, codes that look like a calendar are refused.
    pub time_format: Option<TimeFormat>,
    /// Which other columns to read.
    pub select: Select,
    /// What the user said of all files.
    pub reading: ReadOptions,
}

/// What holds for every file that is read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Words that mean missing, beside those that programs write; a number is found however it is written.
    pub missing: Vec<String>,
    /// Memory that data may take; three quarters of what the process may use without.
    pub memory: Option<MemorySize>,
}

/// Which columns are read besides unit and time.
#[derive(Clone, Debug, Default)]
pub enum Select {
    /// Every column of every file.
    #[default]
    All,
    /// These, by their names in the panel; each must be in exactly one file.
    Only(Vec<Name>),
}

/// One file, or one folder of files with the same columns.
#[derive(Clone, Debug)]
pub struct FileRequest {
    /// A file, or a folder whose supported files are appended in the order of their names.
    pub path: PathBuf,
    /// How the file is joined to the first one; the first one says `UnitTime`.
    pub on: JoinOn,
    /// Pairs of (name in the file, name in the panel).
    pub rename: Vec<(Name, Name)>,
    /// Keeps the rows whose time lies in this range.
    pub rows: Option<PeriodRange>,
}

/// What identifies a row of a joined file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JoinOn {
    /// Unit and time.
    #[default]
    UnitTime,
    /// The unit alone: values that do not change over time.
    Unit,
    /// Time alone: values that all units share.
    Time,
}

/// Periods `from..=to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodRange {
    /// First period kept.
    pub from: i32,
    /// Last period kept.
    pub to: i32,
}

impl ReadRequest {
    /// All columns of one file, without unit and time.
    pub fn file(path: impl Into<PathBuf>) -> ReadRequest {
        ReadRequest {
            files: vec![FileRequest::new(path)],
            unit: None,
            time: None,
            time_format: None,
            select: Select::All,
            reading: ReadOptions::default(),
        }
    }

    /// The same request with what identifies a row.
    pub fn indexed(mut self, unit: impl Into<Name>, time: impl Into<Name>) -> ReadRequest {
        self.unit = Some(unit.into());
        self.time = Some(time.into());
        self
    }

    /// The same request with a declaration of what the numbers of the time column are.
    pub fn time_format(mut self, format: Option<TimeFormat>) -> ReadRequest {
        self.time_format = format;
        self
    }

    /// The same request with one more file.
    pub fn join(mut self, file: FileRequest) -> ReadRequest {
        self.files.push(file);
        self
    }

    /// The same request for these columns only.
    pub fn only<N: Into<Name>>(mut self, names: impl IntoIterator<Item = N>) -> ReadRequest {
        self.select = Select::Only(names.into_iter().map(Into::into).collect());
        self
    }

    pub(crate) fn reading(&self) -> Reading {
        Reading { budget: Budget::new(self.reading.memory), missing: Missing::new(&self.reading.missing) }
    }

    /// Unit and time, or an error when the request contradicts itself.
    pub(crate) fn keys(&self) -> Result<Option<(&Name, &Name)>, IngestError> {
        let keys = match (&self.unit, &self.time) {
            (Some(unit), Some(time)) if unit == time => {
                return Err(IngestError::Request(format!(
                    "unit and time are both `{unit}`; name two different columns"
                )));
            }
            (Some(unit), Some(time)) => Some((unit, time)),
            (None, None) => None,
            (Some(unit), None) => return Err(half_index("unit", unit, "time")),
            (None, Some(time)) => return Err(half_index("time", time, "unit")),
        };
        if let (None, Some(format)) = (keys, self.time_format) {
            return Err(IngestError::Request(format!(
                "time-format is {format}, but no unit and time are named; give both, or leave the format out"
            )));
        }
        self.check_files(keys.is_some())?;
        Ok(keys)
    }

    fn check_files(&self, indexed: bool) -> Result<(), IngestError> {
        let Some((spine, joined)) = self.files.split_first() else {
            return Err(IngestError::Request("no data file is named; give at least one".to_owned()));
        };
        if spine.on != JoinOn::UnitTime {
            return Err(IngestError::Request(format!(
                "{}: the first file gives the rows and cannot be joined on {}; put the file with one row for each \
                 unit and period first",
                spine.path.display(),
                if spine.on == JoinOn::Unit { "unit" } else { "time" }
            )));
        }
        if let Some(file) = joined.first()
            && !indexed
        {
            return Err(IngestError::Request(format!(
                "{}: joining needs to know what identifies a row; give both unit and time",
                file.path.display()
            )));
        }
        self.files.iter().try_for_each(|file| check_range(file, indexed))
    }
}

impl FileRequest {
    /// A file that has unit and time, as it is.
    pub fn new(path: impl Into<PathBuf>) -> FileRequest {
        FileRequest { path: path.into(), on: JoinOn::UnitTime, rename: Vec::new(), rows: None }
    }

    /// The same file, joined on something else.
    pub fn on(mut self, on: JoinOn) -> FileRequest {
        self.on = on;
        self
    }

    /// The same file with one more column renamed.
    pub fn rename(mut self, in_file: impl Into<Name>, in_panel: impl Into<Name>) -> FileRequest {
        self.rename.push((in_file.into(), in_panel.into()));
        self
    }

    /// The same file, restricted to periods `from..=to`.
    pub fn rows(mut self, from: i32, to: i32) -> FileRequest {
        self.rows = Some(PeriodRange { from, to });
        self
    }
}

impl PeriodRange {
    pub(crate) fn contains(self, period: i32) -> bool {
        self.from <= period && period <= self.to
    }
}

fn half_index(given: &str, name: &Name, absent: &str) -> IngestError {
    IngestError::Request(format!(
        "{given} is `{name}`, but no {absent} is named; give both unit and time, or neither"
    ))
}

fn check_range(file: &FileRequest, indexed: bool) -> Result<(), IngestError> {
    let Some(range) = file.rows else { return Ok(()) };
    let path = file.path.display();
    let problem = if range.to < range.from {
        format!("{path}: the rows {}..={} are none; write the earlier period first", range.from, range.to)
    } else if !indexed {
        format!("{path}: keeping some periods needs unit and time; give both")
    } else if file.on == JoinOn::Unit {
        format!("{path}: the file is joined on unit and has no time to keep rows by; remove `rows`")
    } else {
        return Ok(());
    };
    Err(IngestError::Request(problem))
}

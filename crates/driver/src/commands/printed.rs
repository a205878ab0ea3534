//! Printed numbers of a study: found, checked against the study, compared, and judged by `--strict`.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use parallax_report::published::{
    CellKey, ComparedCell, Comparison, Published, Verdict, check_published, check_published_details,
};
use parallax_report::{compare_study, sha256};
use parallax_study::{PrintedFile, StudyFile, StudyResult};

use crate::{DriverError, reach::Reach, text_file::read_regular};

/// The usual name of the file.
const USUAL: &str = "published.toml";

/// What is printed, as a study says it.
pub(super) enum Printed {
    /// A file of printed numbers.
    Here(PrintedHere),
    /// The study says that nothing is printed.
    Nothing,
    /// There is no file, and the study says nothing.
    Unsaid,
}

/// A file of printed numbers.
pub(super) struct PrintedHere {
    pub path: PathBuf,
    pub sha256: String,
    pub published: Published,
}

impl Printed {
    /// Reads the file that the study names, or the usual one where there is one, and checks its names against the study.
    pub fn read(file: &StudyFile, folder: &Path, reach: &Reach) -> Result<Printed, DriverError> {
        let usual = folder.join(USUAL);
        let path = match &file.published {
            Some(PrintedFile::Nothing(_)) if usual.exists() => {
                return Err(DriverError::Request(format!(
                    "{}: the study says `published = false`, and this file is there; remove one of them",
                    usual.display()
                )));
            }
            Some(PrintedFile::Nothing(_)) => return Ok(Printed::Nothing),
            Some(PrintedFile::Named(it)) => folder.join(it),
            None => usual,
        };
        reach.check(&path, "`published`")?;
        let text = match read_regular(&path) {
            Ok(it) => it,
            Err(it) if it.kind() == io::ErrorKind::NotFound => return absent(file, folder, &path),
            Err(source) => return Err(DriverError::Read { path, source }),
        };
        let read = text.parse().and_then(|it: Published| check_published(&it, file).map(|()| it));
        match read {
            Ok(published) => {
                Ok(Printed::Here(PrintedHere { path, sha256: sha256(text.as_bytes()), published }))
            }
            Err(source) => Err(DriverError::Published { path, source }),
        }
    }

    /// Each printed table of the source against ours.
    pub fn compare(&self, result: &StudyResult) -> Result<Vec<Comparison>, DriverError> {
        let Printed::Here(here) = self else { return Ok(Vec::new()) };
        let wrong = |source| DriverError::Published { path: here.path.clone(), source };
        check_published_details(&here.published, result).map_err(wrong)?;
        Ok(if result.study.source.compare { compare_study(&here.published, result) } else { Vec::new() })
    }

    /// Why nothing is compared, in a sentence.
    pub fn why_nothing(&self) -> &'static str {
        match self {
            Printed::Here(_) => {
                "nothing is compared: no table of this source is printed, or `compare = false`"
            }
            Printed::Nothing => "the study says that nothing is printed",
            Printed::Unsaid => "nothing is compared: there is no published.toml",
        }
    }
}

/// A file that the study names must be there; a file whose name is nearly the usual one is a slip.
fn absent(file: &StudyFile, folder: &Path, path: &Path) -> Result<Printed, DriverError> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|it| it.file_name().into_string().ok());
    let near: Vec<String> = names.filter(|it| it.ends_with(".toml") && it != "study.toml").collect();
    let near = || near.iter().map(String::as_str);
    if let Some(PrintedFile::Named(name)) = &file.published {
        let hint = parallax_base::with_suggestion(name, near());
        return Err(DriverError::Request(format!(
            "{}: the study names it under `published`, and it is not there{hint}",
            path.display()
        )));
    }
    match parallax_base::nearest(USUAL, near()) {
        None => Ok(Printed::Unsaid),
        Some(it) => Err(DriverError::Request(format!(
            "{}: nothing reads this file; call it {USUAL}, or write `published = \"{it}\"` into the study",
            folder.join(it).display()
        ))),
    }
}

/// What `--strict` finds in the sources of one study.
#[derive(Default)]
pub(super) struct Judgement {
    /// Ids of printed tables that a source was compared with.
    compared: BTreeSet<String>,
    /// Whether a source was to be compared with print.
    by_print: bool,
}

impl Judgement {
    /// Sentences about what does not hold in one source.
    pub fn of(&mut self, result: &StudyResult, printed: &Printed, comparisons: &[Comparison]) -> Vec<String> {
        let source = &result.study.source;
        let mut found: Vec<String> = source
            .patterns
            .iter()
            .filter_map(|it| it.fault(result))
            .map(|it| format!("pattern: {it}"))
            .collect();
        if source.simulated || (!source.compare && !source.patterns.is_empty()) {
            if source.patterns.is_empty() {
                found.push(
                    "its data are simulated, so that printed numbers cannot judge it, and it declares no pattern; add a \
                     [[data.source.pattern]]"
                        .to_owned(),
                );
            }
            return found;
        }
        let Printed::Here(_) = printed else {
            if matches!(printed, Printed::Unsaid) {
                found.push(
                    "there is no published.toml, so that no number is compared; write what is printed, or \
                     `published = false` into the study where nothing is"
                        .to_owned(),
                );
            }
            return found;
        };
        if !source.compare {
            found.push("`compare = false`, so that no printed number is compared".to_owned());
            return found;
        }
        self.by_print = true;
        self.compared.extend(comparisons.iter().map(|it| it.table.clone()));
        for table in comparisons {
            found.extend(table.cells.iter().filter_map(|it| fault(&table.table, it)));
        }
        found
    }

    /// Printed tables that no source was compared with.
    pub fn rest(&self, printed: &Printed) -> Vec<String> {
        let Printed::Here(here) = printed else { return Vec::new() };
        let tables =
            here.published.tables.iter().filter(|it| self.by_print && !self.compared.contains(&it.id));
        let sentence = |it: &str| format!("table `{it}` is printed, and no source that was run has it");
        tables.map(|it| sentence(&it.id)).collect()
    }
}

/// Why a cell does not pass. An explanation is about a difference; a number that is not there has none.
fn fault(table: &str, cell: &ComparedCell) -> Option<String> {
    let why = match cell.verdict {
        Verdict::Match | Verdict::StaleExplanation => return None,
        Verdict::Explained if cell.ours.is_some() => return None,
        Verdict::Explained | Verdict::Absent => "ours is absent".to_owned(),
        Verdict::Differs => format!("ours is {}", cell.ours_text()),
        Verdict::Unparsable => "what is printed is not a number".to_owned(),
    };
    let ComparedCell { column, row, what, printed, .. } = cell;
    let (table, column, row) = (table.to_owned(), column.clone(), row.clone());
    let key = CellKey { table, column, row, what: *what };
    Some(format!("{key}: `{printed}` is printed, {why}"))
}

//! `published.toml`: read with errors that name table, column and field.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

use parallax_base::with_suggestion;

use super::lines::{At, Lines};

/// All printed tables of a paper, and the differences that have a known reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Where the tables are printed.
    pub source: Option<String>,
    /// In the order of the file.
    pub tables: Vec<PrintedTable>,
    /// In the order of the file.
    pub explained: Vec<Explained>,
}

/// One printed table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedTable {
    /// Its key in the file.
    pub id: String,
    /// As printed.
    pub title: String,
    /// The columns of a regression table; a descriptive table has names only.
    pub columns: Vec<PrintedColumn>,
    /// Every printed number, mark and word, column by column or row by row, as in the file.
    pub cells: Vec<PrintedCell>,
    /// The line of the file on which it begins.
    pub line: usize,
}

/// The head of a printed column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedColumn {
    /// `(1)` in a regression table, a name in a descriptive one.
    pub name: String,
    /// What is printed over several columns.
    pub group: Option<String>,
    /// The dependent variable.
    pub outcome: Option<String>,
}

/// One printed cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedCell {
    /// Where it stands.
    pub key: CellKey,
    /// As printed.
    pub text: String,
    /// The line of the file.
    pub line: usize,
}

/// The place of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellKey {
    /// The id of the table.
    pub table: String,
    /// `(1)` in a regression table, a name in a descriptive one.
    pub column: String,
    /// The term, the statistic or the variable.
    pub row: String,
    /// Which of the things printed in that row.
    pub what: What,
}

/// Which of the things printed in a row a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A coefficient.
    Estimate,
    /// The number in parentheses below it.
    StdError,
    /// The stars behind it.
    Stars,
    /// Anything else: observations, R-squared, controls; all cells of a descriptive table.
    Statistic,
}

/// Why cells differ. What is left out holds for all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explained {
    /// The id of the table.
    pub table: String,
    /// The column.
    pub column: Option<String>,
    /// The row.
    pub row: Option<String>,
    /// Which of the things printed there.
    pub what: Option<What>,
    /// The reason, in a sentence.
    pub because: String,
    /// The line of the file.
    #[serde(skip)]
    pub line: usize,
}

/// A file of printed tables that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublishedError {
    /// The file is not TOML.
    #[error("not valid TOML: {message}")]
    Toml {
        /// What the parser says, without the text of the file.
        message: String,
        /// The line of the file.
        line: usize,
    },
    /// Something in the file has the wrong form.
    #[error("{place}: {message}")]
    Shape {
        /// The table, and the column and row where there are such.
        place: String,
        /// What is wrong, with the name of the field.
        message: String,
        /// The line of the file.
        line: usize,
    },
    /// Two cells have the same place, so that nobody could tell which is meant.
    #[error("{key} is given twice")]
    Twice {
        /// The place.
        key: CellKey,
        /// The line of the second.
        line: usize,
    },
    /// An explanation of a cell that is not printed.
    #[error("explained {number}: nothing is printed at {place}{suggestion}")]
    ExplainsNothing {
        /// Which explanation, counted from one.
        number: usize,
        /// The place it names.
        place: String,
        /// A near name of a table, if there is one.
        suggestion: String,
        /// The line of the file.
        line: usize,
    },
    /// A table, column or row that the study does not have, so that nothing would be compared.
    #[error("{place}: {message}")]
    Unknown {
        /// The table, and what is printed in it.
        place: String,
        /// What the study does not have, with a near name of what it has.
        message: String,
        /// The line of the file.
        line: usize,
    },
    /// A file or a table in which nothing is printed.
    #[error(
        "{place} prints nothing, so that there is nothing to compare; write what is printed, or remove it"
    )]
    Nothing {
        /// The file or the table.
        place: String,
        /// The line of the file.
        line: usize,
    },
}

impl PublishedError {
    /// The line of the file, counted from one.
    pub fn line(&self) -> usize {
        match self {
            PublishedError::Toml { line, .. }
            | PublishedError::Shape { line, .. }
            | PublishedError::Twice { line, .. }
            | PublishedError::ExplainsNothing { line, .. }
            | PublishedError::Unknown { line, .. }
            | PublishedError::Nothing { line, .. } => *line,
        }
    }
}

impl FromStr for Published {
    type Err = PublishedError;

    fn from_str(text: &str) -> Result<Published, PublishedError> {
        let file: toml::Table = text.parse().map_err(|it: toml::de::Error| PublishedError::Toml {
            message: it.message().to_owned(),
            line: 1 + text.get(..it.span().map_or(0, |it| it.start)).map_or(0, |it| it.matches('\n').count()),
        })?;
        let lines = Lines::of(text);
        let mut published = Published::default();
        for (key, value) in file {
            match key.as_str() {
                "source" => {
                    published.source = Some(typed(value, "source", lines.line(&[At::Key("source")]))?);
                }
                "explained" => published.explained = explanations(value, &lines)?,
                _ => published.tables.push(table(key, value, &lines)?),
            }
        }
        published.check()?;
        Ok(published)
    }
}

impl Published {
    /// The table with this id.
    pub fn table(&self, id: &str) -> Option<&PrintedTable> {
        self.tables.iter().find(|it| it.id == id)
    }

    fn check(&self) -> Result<(), PublishedError> {
        if self.tables.is_empty() {
            return Err(PublishedError::Nothing { place: "the file".to_owned(), line: 1 });
        }
        if let Some(it) = self.tables.iter().find(|it| it.cells.is_empty()) {
            return Err(PublishedError::Nothing { place: format!("table `{}`", it.id), line: it.line });
        }
        let cells = || self.tables.iter().flat_map(|it| &it.cells);
        let mut seen = BTreeSet::new();
        if let Some(cell) = cells().find(|it| !seen.insert(&it.key)) {
            return Err(PublishedError::Twice { key: cell.key.clone(), line: cell.line });
        }
        for (i, explained) in self.explained.iter().enumerate() {
            if !cells().any(|it| explained.covers(&it.key)) {
                let place = explained.to_string();
                let (number, suggestion) = (i + 1, self.near(explained));
                return Err(PublishedError::ExplainsNothing {
                    number,
                    place,
                    suggestion,
                    line: explained.line,
                });
            }
        }
        Ok(())
    }

    /// The nearest name of a table, column or row to the one that an explanation has wrong.
    fn near(&self, explained: &Explained) -> String {
        let Some(table) = self.table(&explained.table) else {
            return with_suggestion(&explained.table, self.tables.iter().map(|it| it.id.as_str()));
        };
        let columns: BTreeSet<&str> = table.cells.iter().map(|it| it.key.column.as_str()).collect();
        if let Some(it) = explained.column.as_deref().filter(|it| !columns.contains(*it)) {
            let wanted = if columns.contains(in_parentheses(it).as_str()) { None } else { Some(it) };
            if let Some(it) = wanted {
                return with_suggestion(it, columns);
            }
        }
        let rows: BTreeSet<&str> = table.cells.iter().map(|it| it.key.row.as_str()).collect();
        match explained.row.as_deref().filter(|it| !rows.contains(it)) {
            Some(it) => with_suggestion(it, rows),
            None => String::new(),
        }
    }
}

impl Explained {
    /// Whether the explanation is about this cell.
    pub fn covers(&self, key: &CellKey) -> bool {
        self.table == key.table
            && self.column.as_ref().is_none_or(|it| *it == key.column || in_parentheses(it) == key.column)
            && self.row.as_ref().is_none_or(|it| *it == key.row)
            && self.what.is_none_or(|it| it == key.what)
    }
}

impl What {
    /// As in the file.
    pub fn name(self) -> &'static str {
        match self {
            What::Estimate => "estimate",
            What::StdError => "std_error",
            What::Stars => "stars",
            What::Statistic => "statistic",
        }
    }

    /// As a reader calls several of them.
    pub(super) fn words(self) -> &'static str {
        match self {
            What::Estimate => "estimates",
            What::StdError => "standard errors",
            What::Stars => "stars",
            What::Statistic => "statistics",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CellKey { table, column, row, what } = self;
        write!(f, "table `{table}`, column `{column}`, row `{row}`, {what}")
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table `{}`", self.table)?;
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        if let Some(row) = &self.row {
            write!(f, ", row `{row}`")?;
        }
        self.what.map_or(Ok(()), |it| write!(f, ", {it}"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    #[serde(default)]
    title: String,
    columns: Option<Vec<String>>,
    rows: Option<Vec<Vec<String>>>,
    column: Option<Vec<toml::Value>>,
}

/// Not strict about names, because a column may print any statistic.
#[derive(Deserialize)]
struct RawColumn {
    number: String,
    group: Option<String>,
    outcome: Option<String>,
    #[serde(default)]
    rows: Vec<toml::Value>,
    #[serde(flatten)]
    statistics: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    term: String,
    estimate: Option<String>,
    stars: Option<String>,
    std_error: Option<String>,
}

fn table(id: String, value: toml::Value, lines: &Lines<'_>) -> Result<PrintedTable, PublishedError> {
    let place = format!("table `{id}`");
    let line = lines.line(&[At::Key(&id)]);
    let RawTable { title, columns, rows, column } = typed(value, &place, line)?;
    let mut table = PrintedTable { id, title, columns: Vec::new(), cells: Vec::new(), line };
    match (columns, rows, column) {
        (Some(columns), Some(rows), None) => descriptive(&mut table, &columns, rows, lines)?,
        (None, None, Some(columns)) => {
            for (i, column) in columns.into_iter().enumerate() {
                regression(&mut table, column, i, lines)?;
            }
        }
        _ => {
            let message = "give either `columns` and `rows`, or `[[…column]]` blocks".to_owned();
            return Err(PublishedError::Shape { place, message, line });
        }
    }
    Ok(table)
}

fn descriptive(
    table: &mut PrintedTable,
    columns: &[String],
    rows: Vec<Vec<String>>,
    lines: &Lines<'_>,
) -> Result<(), PublishedError> {
    for (at, row) in rows.into_iter().enumerate() {
        let line = lines.line(&[At::Key(&table.id), At::Key("rows"), At::Index(at)]);
        if row.len() != columns.len() {
            let place = format!("table `{}`, row `{}`", table.id, row.first().map_or("", |it| it));
            let message = format!("{} cells for {} `columns`", row.len(), columns.len());
            return Err(PublishedError::Shape { place, message, line });
        }
        let mut cells = row.into_iter().zip(columns);
        let Some((label, _)) = cells.next() else { continue };
        for (text, column) in cells {
            table.push(column, &label, What::Statistic, text, line);
        }
    }
    let heads = columns.iter().skip(1);
    table.columns = heads.map(|it| PrintedColumn { name: it.clone(), group: None, outcome: None }).collect();
    Ok(())
}

fn regression(
    table: &mut PrintedTable,
    value: toml::Value,
    index: usize,
    lines: &Lines<'_>,
) -> Result<(), PublishedError> {
    // The number tells more than the position, where there is one.
    let number = value.get("number").and_then(toml::Value::as_str).map(in_parentheses);
    let name = number.unwrap_or_else(|| format!("number {}", index + 1));
    let place = format!("table `{}`, column {name}", table.id);
    let id = table.id.clone();
    let here = [At::Key(&id), At::Key("column"), At::Index(index)];
    let line = |further: &[At<'_>]| lines.line(&[&here, further].concat());
    let RawColumn { number, group, outcome, rows, statistics } = typed(value, &place, line(&[]))?;
    let name = in_parentheses(&number);
    for (i, row) in rows.into_iter().enumerate() {
        let line = line(&[At::Key("rows"), At::Index(i)]);
        let RawRow { term, estimate, stars, std_error } =
            typed(row, &format!("{place}, row {}", i + 1), line)?;
        let (estimate, attached) = without_stars(estimate.unwrap_or_default());
        table.push(&name, &term, What::Estimate, estimate, line);
        // No stars are a statement too, but only where stars have a place of their own.
        if let Some(stars) = stars.or(attached) {
            table.push_even_empty(&name, &term, What::Stars, stars, line);
        }
        table.push(&name, &term, What::StdError, std_error.unwrap_or_default(), line);
    }
    for (field, value) in statistics {
        let line = line(&[At::Key(&field)]);
        let toml::Value::String(text) = value else {
            let message = format!("`{field}` must be a text in quotes, exactly as printed");
            return Err(PublishedError::Shape { place, message, line });
        };
        table.push(&name, &field, What::Statistic, text, line);
    }
    table.columns.push(PrintedColumn { name, group, outcome });
    Ok(())
}

impl PrintedTable {
    /// An empty text is an empty cell: nothing is printed there.
    fn push(&mut self, column: &str, row: &str, what: What, text: String, line: usize) {
        if !text.trim().is_empty() {
            self.push_even_empty(column, row, what, text, line);
        }
    }

    fn push_even_empty(&mut self, column: &str, row: &str, what: What, text: String, line: usize) {
        let key = CellKey { table: self.id.clone(), column: column.to_owned(), row: row.to_owned(), what };
        self.cells.push(PrintedCell { key, text, line });
    }
}

fn explanations(value: toml::Value, lines: &Lines<'_>) -> Result<Vec<Explained>, PublishedError> {
    let all: Vec<toml::Value> = typed(value, "explained", lines.line(&[At::Key("explained")]))?;
    let read = |(i, value): (usize, toml::Value)| {
        let line = lines.line(&[At::Key("explained"), At::Index(i)]);
        let place = format!("explained {}", i + 1);
        let explained: Explained = typed(value, &place, line)?;
        if explained.because.trim().is_empty() {
            let message = "`because` is empty; say why the numbers differ".to_owned();
            return Err(PublishedError::Shape { place, message, line });
        }
        Ok(Explained { line, ..explained })
    };
    all.into_iter().enumerate().map(read).collect()
}

fn typed<T: DeserializeOwned>(value: toml::Value, place: &str, line: usize) -> Result<T, PublishedError> {
    value.try_into().map_err(|it: toml::de::Error| {
        let message = it.to_string().trim_end().replace('\n', ", ");
        PublishedError::Shape { place: place.to_owned(), message, line }
    })
}

fn without_stars(text: String) -> (String, Option<String>) {
    let bare = text.trim_end_matches('*');
    let stars = text.strip_prefix(bare).unwrap_or("");
    if stars.is_empty() { (text, None) } else { (bare.trim_end().to_owned(), Some(stars.to_owned())) }
}

fn in_parentheses(number: &str) -> String {
    let bare = number.trim();
    if bare.starts_with('(') { bare.to_owned() } else { format!("({bare})") }
}

//! `published.toml`: read with errors that name table, column and field.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

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
}

/// A file of printed tables that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublishedError {
    /// The file is no TOML.
    #[error("not valid TOML: {message}")]
    Toml {
        /// What the parser says.
        message: String,
    },
    /// Something in the file has the wrong form.
    #[error("{place}: {message}")]
    Shape {
        /// The table, and the column and row where there are such.
        place: String,
        /// What is wrong, with the name of the field.
        message: String,
    },
    /// Two cells have the same place, so that nobody could tell which is meant.
    #[error("{key} is given twice")]
    Twice {
        /// The place.
        key: CellKey,
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
    },
}

impl FromStr for Published {
    type Err = PublishedError;

    fn from_str(text: &str) -> Result<Published, PublishedError> {
        let file: toml::Table =
            text.parse().map_err(|it: toml::de::Error| PublishedError::Toml { message: it.to_string() })?;
        let mut published = Published::default();
        for (key, value) in file {
            match key.as_str() {
                "source" => published.source = Some(typed(value, "source")?),
                "explained" => published.explained = explanations(value)?,
                _ => published.tables.push(table(key, value)?),
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
        let cells = || self.tables.iter().flat_map(|it| &it.cells);
        let mut seen = BTreeSet::new();
        if let Some(cell) = cells().find(|it| !seen.insert(&it.key)) {
            return Err(PublishedError::Twice { key: cell.key.clone() });
        }
        for (i, explained) in self.explained.iter().enumerate() {
            if !cells().any(|it| explained.covers(&it.key)) {
                let known = self.tables.iter().map(|it| it.id.as_str());
                let suggestion = match self.table(&explained.table) {
                    Some(_) => String::new(),
                    None => parallax_base::with_suggestion(&explained.table, known),
                };
                let place = explained.to_string();
                return Err(PublishedError::ExplainsNothing { number: i + 1, place, suggestion });
            }
        }
        Ok(())
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

fn table(id: String, value: toml::Value) -> Result<PrintedTable, PublishedError> {
    let place = format!("table `{id}`");
    let RawTable { title, columns, rows, column } = typed(value, &place)?;
    let mut table = PrintedTable { id, title, columns: Vec::new(), cells: Vec::new() };
    match (columns, rows, column) {
        (Some(columns), Some(rows), None) => descriptive(&mut table, &columns, rows)?,
        (None, None, Some(columns)) => {
            for (i, column) in columns.into_iter().enumerate() {
                regression(&mut table, column, i)?;
            }
        }
        _ => {
            let message = "give either `columns` and `rows`, or `[[…column]]` blocks";
            return Err(PublishedError::Shape { place, message: message.to_owned() });
        }
    }
    Ok(table)
}

fn descriptive(
    table: &mut PrintedTable,
    columns: &[String],
    rows: Vec<Vec<String>>,
) -> Result<(), PublishedError> {
    for row in rows {
        if row.len() != columns.len() {
            let place = format!("table `{}`, row `{}`", table.id, row.first().map_or("", |it| it));
            let message = format!("{} cells for {} `columns`", row.len(), columns.len());
            return Err(PublishedError::Shape { place, message });
        }
        let mut cells = row.into_iter().zip(columns);
        let Some((label, _)) = cells.next() else { continue };
        for (text, column) in cells {
            table.push(column, &label, What::Statistic, text);
        }
    }
    let heads = columns.iter().skip(1);
    table.columns = heads.map(|it| PrintedColumn { name: it.clone(), group: None, outcome: None }).collect();
    Ok(())
}

fn regression(table: &mut PrintedTable, value: toml::Value, index: usize) -> Result<(), PublishedError> {
    // The number tells more than the position, where there is one.
    let number = value.get("number").and_then(toml::Value::as_str).map(in_parentheses);
    let name = number.unwrap_or_else(|| format!("number {}", index + 1));
    let place = format!("table `{}`, column {name}", table.id);
    let RawColumn { number, group, outcome, rows, statistics } = typed(value, &place)?;
    let name = in_parentheses(&number);
    for (i, row) in rows.into_iter().enumerate() {
        let RawRow { term, estimate, stars, std_error } = typed(row, &format!("{place}, row {}", i + 1))?;
        let (estimate, attached) = without_stars(estimate.unwrap_or_default());
        table.push(&name, &term, What::Estimate, estimate);
        // No stars are a statement too, but only where stars have a place of their own.
        if let Some(stars) = stars.or(attached) {
            table.push_even_empty(&name, &term, What::Stars, stars);
        }
        table.push(&name, &term, What::StdError, std_error.unwrap_or_default());
    }
    for (field, value) in statistics {
        let toml::Value::String(text) = value else {
            let message = format!("`{field}` must be a text in quotes, exactly as printed");
            return Err(PublishedError::Shape { place, message });
        };
        table.push(&name, &field, What::Statistic, text);
    }
    table.columns.push(PrintedColumn { name, group, outcome });
    Ok(())
}

impl PrintedTable {
    /// An empty text is an empty cell: nothing is printed there.
    fn push(&mut self, column: &str, row: &str, what: What, text: String) {
        if !text.trim().is_empty() {
            self.push_even_empty(column, row, what, text);
        }
    }

    fn push_even_empty(&mut self, column: &str, row: &str, what: What, text: String) {
        let key = CellKey { table: self.id.clone(), column: column.to_owned(), row: row.to_owned(), what };
        self.cells.push(PrintedCell { key, text });
    }
}

fn explanations(value: toml::Value) -> Result<Vec<Explained>, PublishedError> {
    let all: Vec<toml::Value> = typed(value, "explained")?;
    all.into_iter().enumerate().map(|(i, it)| typed(it, &format!("explained {}", i + 1))).collect()
}

fn typed<T: DeserializeOwned>(value: toml::Value, place: &str) -> Result<T, PublishedError> {
    value.try_into().map_err(|it: toml::de::Error| {
        let message = it.to_string().trim_end().replace('\n', ", ");
        PublishedError::Shape { place: place.to_owned(), message }
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

//! [`Panel`]: the validated table, and [`PanelBuilder`]: the only way to make one.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use parallax_base::Name;

use crate::{Calendar, Codes, Labels, MISSING, PanelError, TimeFormat};

/// One column. Numbers are `f64` with NaN as the only missing; everything else is group codes.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; missing is NaN and nothing else is.
    Real(Arc<Vec<f64>>),
    /// Text, dictionaries, or whole numbers too long for `f64`.
    Codes(Codes),
}

impl Column {
    /// A numeric column.
    pub fn real(values: Vec<f64>) -> Column {
        Column::Real(Arc::new(values))
    }

    /// Rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Real(it) => it.len(),
            Column::Codes(it) => it.len(),
        }
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn gather(&self, rows: &[u32]) -> Column {
        match self {
            Column::Real(it) => Column::real(rows.iter().map(|&row| it[row as usize]).collect()),
            Column::Codes(it) => Column::Codes(it.compact(rows.iter().map(|&row| row as usize))),
        }
    }
}

/// A column with its group codes, made when first asked for and shared by every panel that has it.
#[derive(Debug)]
struct Stored {
    column: Column,
    codes: OnceLock<Codes>,
}

/// The unit x period table.
///
/// Invariant: rows are sorted by (unit, period) and that pair is unique. Without `--unit` and
/// `--time` every row is its own unit in period 0, in input order.
#[derive(Clone, Debug)]
pub struct Panel {
    unit: Codes,
    period: Arc<Vec<i32>>,
    calendar: Calendar,
    index: Option<Index>,
    origin: Option<Arc<Vec<u32>>>,
    order: Vec<Name>,
    columns: HashMap<Name, Arc<Stored>>,
}

/// The names of the two columns that identify a row.
#[derive(Clone, Debug, PartialEq)]
struct Index {
    unit: Name,
    time: Name,
}

/// Collects columns in input order, then sorts and validates once.
#[derive(Debug)]
pub struct PanelBuilder {
    n_rows: usize,
    index: Option<(Name, Codes, Name, Vec<i32>)>,
    time_format: Option<TimeFormat>,
    columns: Vec<(Name, Column)>,
}

impl PanelBuilder {
    /// A table of `n_rows` rows in input order.
    pub fn new(n_rows: usize) -> PanelBuilder {
        PanelBuilder { n_rows, index: None, time_format: None, columns: Vec::new() }
    }

    /// Names what identifies a row. Both become columns too, under their names.
    pub fn index(mut self, unit: Name, units: Codes, time: Name, periods: Vec<i32>) -> PanelBuilder {
        self.index = Some((unit, units, time, periods));
        self
    }

    /// Declares what the numbers of the time column are; without, codes that look like a calendar are refused.
    pub fn time_format(mut self, format: Option<TimeFormat>) -> PanelBuilder {
        self.time_format = format;
        self
    }

    /// Adds a column of `n_rows` values in input order.
    pub fn column(mut self, name: Name, column: Column) -> PanelBuilder {
        self.columns.push((name, column));
        self
    }

    /// Sorts by (unit, period) and refuses duplicates, missing identifiers, codes of a calendar that was not declared,
    /// and columns of another length.
    pub fn build(self) -> Result<Panel, PanelError> {
        let n = self.n_rows;
        for (name, column) in &self.columns {
            check_length(name, column.len(), n)?;
        }
        let Some((unit, units, time, codes)) = self.index else {
            return Ok(Panel::unindexed(n, self.columns));
        };
        check_length(&unit, units.len(), n)?;
        check_length(&time, codes.len(), n)?;
        let calendar = Calendar::of(&time, &codes, self.time_format)?;
        let periods = if calendar.plain() {
            codes
        } else {
            codes.into_iter().filter_map(|it| calendar.period(it)).collect()
        };
        if let Some(row) = units.code.iter().position(|&it| it == MISSING) {
            return Err(PanelError::MissingIndex { row: row + 1, what: "unit" });
        }
        let order = sorted_rows(&units.code, &periods);
        refuse_duplicates(&units, &periods, &calendar, order.as_deref())?;
        let gather = |column: Column| match &order {
            Some(rows) => column.gather(rows),
            None => column,
        };
        let periods = match &order {
            Some(rows) => rows.iter().map(|&row| periods[row as usize]).collect(),
            None => periods,
        };
        let Column::Codes(units) = gather(Column::Codes(units)) else {
            return Err(PanelError::NotNumeric { name: unit });
        };
        let time_column = Column::real(periods.iter().map(|&it| f64::from(calendar.code(it))).collect());
        let mut panel = Panel {
            unit: units.clone(),
            period: Arc::new(periods),
            calendar,
            index: Some(Index { unit: unit.clone(), time: time.clone() }),
            origin: None,
            order: Vec::new(),
            columns: HashMap::new(),
        };
        panel.insert(unit.clone(), Column::Codes(units));
        panel.insert(time.clone(), time_column);
        for (name, column) in self.columns {
            if name != unit && name != time {
                panel.insert(name, gather(column));
            }
        }
        panel.origin = order.map(Arc::new);
        Ok(panel)
    }
}

impl Panel {
    fn unindexed(n: usize, columns: Vec<(Name, Column)>) -> Panel {
        let mut panel = Panel {
            unit: Codes::each_row(n),
            period: Arc::new(vec![0; n]),
            calendar: Calendar::default(),
            index: None,
            origin: None,
            order: Vec::new(),
            columns: HashMap::new(),
        };
        for (name, column) in columns {
            panel.insert(name, column);
        }
        panel
    }

    fn insert(&mut self, name: Name, column: Column) {
        let stored = Arc::new(Stored { column, codes: OnceLock::new() });
        if self.columns.insert(name.clone(), stored).is_none() {
            self.order.push(name);
        }
    }

    /// The same panel with one column added or replaced.
    ///
    /// # Errors
    /// [`PanelError::Length`] when the column has another number of rows.
    pub fn with(mut self, name: Name, column: Column) -> Result<Panel, PanelError> {
        check_length(&name, column.len(), self.n_rows())?;
        self.insert(name, column);
        Ok(self)
    }

    /// The rows where `mask` is true. Units and groups that lose all rows are gone.
    ///
    /// # Errors
    /// [`PanelError::Length`] when the mask has another number of rows.
    pub fn keep(&self, mask: &[bool]) -> Result<Panel, PanelError> {
        check_length(&Name::from("mask"), mask.len(), self.n_rows())?;
        let rows: Vec<u32> = (0..mask.len() as u32).filter(|&it| mask[it as usize]).collect();
        if rows.len() == mask.len() {
            return Ok(self.clone());
        }
        let origin = |&row: &u32| self.origin.as_ref().map_or(row, |it| it[row as usize]);
        let mut panel = Panel {
            unit: self.unit.compact(rows.iter().map(|&it| it as usize)),
            period: Arc::new(rows.iter().map(|&it| self.period[it as usize]).collect()),
            calendar: self.calendar,
            index: self.index.clone(),
            origin: Some(Arc::new(rows.iter().map(origin).collect())),
            order: Vec::new(),
            columns: HashMap::new(),
        };
        for name in &self.order {
            panel.insert(name.clone(), self.columns[name].column.gather(&rows));
        }
        Ok(panel)
    }

    /// Rows.
    pub fn n_rows(&self) -> usize {
        self.period.len()
    }

    /// Column names in input order; unit and time first.
    pub fn names(&self) -> &[Name] {
        &self.order
    }

    /// True when the panel has that column.
    pub fn has(&self, name: &str) -> bool {
        self.columns.contains_key(name)
    }

    /// The column as it is stored.
    ///
    /// # Errors
    /// [`PanelError::NoColumn`], with the nearest name.
    pub fn column(&self, name: &str) -> Result<&Column, PanelError> {
        self.stored(name).map(|it| &it.column)
    }

    /// Numbers of a column. Numeric labels (long whole numbers) are converted.
    ///
    /// # Errors
    /// [`PanelError::NoColumn`]; [`PanelError::NotNumeric`] for text.
    pub fn real(&self, name: &str) -> Result<Arc<Vec<f64>>, PanelError> {
        match self.column(name)? {
            Column::Real(it) => Ok(Arc::clone(it)),
            Column::Codes(it) => numbers_of(it).ok_or_else(|| PanelError::NotNumeric { name: name.into() }),
        }
    }

    /// Group codes of a column, whatever it holds.
    ///
    /// # Errors
    /// [`PanelError::NoColumn`].
    pub fn codes(&self, name: &str) -> Result<&Codes, PanelError> {
        let stored = self.stored(name)?;
        Ok(match &stored.column {
            Column::Codes(it) => it,
            Column::Real(it) => stored.codes.get_or_init(|| Codes::from_reals(it)),
        })
    }

    /// Unit codes, one a row.
    pub fn units(&self) -> &Codes {
        &self.unit
    }

    /// Periods, one a row: consecutive whole numbers, whose codes [`Panel::calendar`] has.
    pub fn periods(&self) -> &[i32] {
        &self.period
    }

    /// Periods as people write them, one a row.
    pub fn dates(&self) -> Vec<i32> {
        self.period.iter().map(|it| self.calendar.code(*it)).collect()
    }

    /// How periods are written, and what a code of the time column means.
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// Names of the unit and the time column, if the panel has them.
    pub fn index(&self) -> Option<(&Name, &Name)> {
        self.index.as_ref().map(|it| (&it.unit, &it.time))
    }

    /// Names of the unit and the time column.
    ///
    /// # Errors
    /// [`PanelError::NotIndexed`] saying that `what` needs them.
    pub fn require_index(&self, what: &str) -> Result<(&Name, &Name), PanelError> {
        self.index().ok_or_else(|| PanelError::NotIndexed { what: what.to_owned() })
    }

    /// Where a row is, in words a user finds it by.
    pub fn place(&self, row: usize) -> String {
        match (&self.index, self.unit.code.get(row), self.period.get(row)) {
            (Some(index), Some(&unit), Some(&period)) => {
                let (unit, code) = (self.unit.labels.text(unit as usize), self.calendar.code(period));
                format!("{} {unit}, {} {code}", index.unit, index.time)
            }
            _ => format!("row {}", self.origin.as_ref().map_or(row, |it| it[row] as usize) + 1),
        }
    }

    fn stored(&self, name: &str) -> Result<&Stored, PanelError> {
        self.columns
            .get(name)
            .map(AsRef::as_ref)
            .ok_or_else(|| PanelError::no_column(name, self.order.iter().map(Name::as_str)))
    }
}

fn check_length(name: &Name, got: usize, expected: usize) -> Result<(), PanelError> {
    if got == expected { Ok(()) } else { Err(PanelError::Length { name: name.clone(), got, expected }) }
}

/// The permutation that sorts by (unit, period), or `None` when rows are sorted already.
fn sorted_rows(units: &[u32], periods: &[i32]) -> Option<Vec<u32>> {
    let key = |row: usize| (units[row], periods[row]);
    if (1..units.len()).all(|row| key(row - 1) <= key(row)) {
        return None;
    }
    let mut order: Vec<u32> = (0..units.len() as u32).collect();
    order.sort_by_key(|&row| key(row as usize));
    Some(order)
}

fn refuse_duplicates(
    units: &Codes,
    periods: &[i32],
    calendar: &Calendar,
    order: Option<&[u32]>,
) -> Result<(), PanelError> {
    let row = |at: usize| order.map_or(at, |it| it[at] as usize);
    for at in 1..periods.len() {
        let (first, second) = (row(at - 1), row(at));
        if units.code[first] == units.code[second] && periods[first] == periods[second] {
            return Err(PanelError::Duplicate {
                unit: units.labels.text(units.code[second] as usize),
                period: calendar.code(periods[second]),
                first: first.min(second) + 1,
                second: first.max(second) + 1,
            });
        }
    }
    Ok(())
}

fn numbers_of(codes: &Codes) -> Option<Arc<Vec<f64>>> {
    match &*codes.labels {
        Labels::Integers(_) | Labels::Reals(_) => {
            let number = |&it: &u32| codes.labels.number(it as usize).unwrap_or(f64::NAN);
            Some(Arc::new(codes.code.iter().map(number).collect()))
        }
        Labels::Text(_) | Labels::Combined(_) | Labels::Rows(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> PanelBuilder {
        let units = Codes::from_text([Some("乙"), Some("甲"), Some("乙"), Some("甲")]);
        PanelBuilder::new(4)
            .index("城市".into(), units, "year".into(), vec![2012, 2011, 2011, 2012])
            .column("y".into(), Column::real(vec![1.0, 2.0, 3.0, 4.0]))
    }

    #[test]
    fn rows_are_sorted_by_unit_then_period() {
        let panel = builder().build().unwrap();
        assert_eq!(panel.periods(), [2011, 2012, 2011, 2012]);
        assert_eq!(**panel.real("y").unwrap(), [3.0, 1.0, 2.0, 4.0]);
        assert_eq!(panel.place(0), "城市 乙, year 2011");
        assert_eq!(panel.names(), ["城市", "year", "y"].map(Name::from));
    }

    #[test]
    fn duplicates_name_unit_period_and_input_rows() {
        let units = Codes::from_text([Some("a"), Some("b"), Some("a")]);
        let panel = PanelBuilder::new(3).index("u".into(), units, "t".into(), vec![1, 1, 1]).build();
        let expected = PanelError::Duplicate { unit: "a".into(), period: 1, first: 1, second: 3 };
        assert_eq!(panel.unwrap_err(), expected);
    }

    #[test]
    fn unknown_columns_come_with_a_hint() {
        let text = builder().build().unwrap().real("Y2").unwrap_err().to_string();
        assert_eq!(text, "no column `Y2` in the data, did you mean `y`?");
    }

    #[test]
    fn kept_rows_lose_unused_units() {
        let panel = builder().build().unwrap().keep(&[false, false, true, true]).unwrap();
        assert_eq!(panel.units().n_groups(), 1);
        assert_eq!(panel.place(1), "城市 甲, year 2012");
    }
}

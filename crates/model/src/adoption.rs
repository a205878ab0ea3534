//! When each unit of a design adopts a treatment that stays.

use parallax_base::{Name, Note, counted};
use parallax_panel::Dropped;

use crate::{Design, FitError};

/// First treated period of each unit of a design; `None` for the never treated.
#[derive(Clone, Debug, PartialEq)]
pub struct Adoption {
    /// By unit code of `design.units`.
    pub first: Vec<Option<i32>>,
    /// Units that are treated from their first row on.
    pub always: usize,
    /// By unit code, whether the date is unknown because the treatment is 1 from the first row on; never with dates given.
    pub undated: Vec<bool>,
}

impl Adoption {
    /// From the two options that every estimator of staggered adoption has, of which one is given.
    ///
    /// # Errors
    /// Both or none given, what [`Adoption::from_cohorts`] and [`Adoption::from_treatment`] say, and that nobody adopts.
    pub fn read(
        design: &Design<'_>,
        plugin: &'static str,
        cohort: Option<&Name>,
        treatment: Option<&Name>,
    ) -> Result<Adoption, FitError> {
        let (adoption, never) = match (cohort, treatment) {
            (Some(name), None) => {
                (Adoption::from_cohorts(design, name)?, format!("`{name}` has no date of adoption"))
            }
            (None, Some(name)) => {
                let own = Adoption::from_treatment(design, name, &design.column(name)?)?;
                (own, format!("`{name}` is never 1"))
            }
            _ => {
                let reason = "give either `cohort`, a column of dates, or `treatment`, a column of 0 and 1";
                return Err(FitError::Options { plugin, reason: reason.to_owned() });
            }
        };
        if adoption.adopters() == 0 {
            return Err(FitError::Model(format!(
                "no unit of the sample ever adopts the treatment: {never} in its rows; name another column, or look at \
                 which rows leave the sample"
            )));
        }
        Ok(adoption)
    }

    /// From a column of dates, one a unit, read as [`CohortDates`] says.
    ///
    /// # Errors
    /// Dates that are not whole or differ within a unit, with the place.
    pub fn from_cohorts(design: &Design<'_>, column: &str) -> Result<Adoption, FitError> {
        let values = design.column(column)?;
        let dates = CohortDates::new(design.panel.periods(), &values);
        let mut first: Vec<Option<Option<i32>>> = vec![None; design.units.n_groups()];
        for (row, (&unit, &value)) in design.units.code.iter().zip(values.iter()).enumerate() {
            let date = dates.read(value).map_err(|why| {
                FitError::Model(format!("`{column}` is {value} at {}; {why}", design.place(row)))
            })?;
            match &mut first[unit as usize] {
                slot @ None => *slot = Some(date),
                Some(known) if *known == date => {}
                Some(_) => {
                    let place = design.place(row);
                    return Err(FitError::Model(format!(
                        "`{column}` changes within a unit at {place}; a unit has one date of adoption"
                    )));
                }
            }
        }
        let first: Vec<Option<i32>> = first.into_iter().map(Option::flatten).collect();
        Ok(Adoption { always: always(design, &first), undated: vec![false; first.len()], first })
    }

    /// From a treatment of zeros and ones that stays once it came. A column of the panel is read on all its rows,
    /// so that a row that leaves the sample moves no date; an expression is read on the sample.
    ///
    /// # Errors
    /// Other values and treatments that end, with the place.
    pub fn from_treatment(design: &Design<'_>, name: &Name, values: &[f64]) -> Result<Adoption, FitError> {
        let panel = design.panel;
        let rows: Vec<usize> = design.sample.rows().iter().collect();
        let mut here: Vec<Option<u32>> = vec![None; panel.units().n_groups()];
        for (&row, &unit) in rows.iter().zip(design.units.code.iter()) {
            here[panel.units().code[row] as usize] = Some(unit);
        }
        let whole = panel.real(name).ok();
        let all: Vec<(usize, f64)> = match &whole {
            Some(column) => column.iter().copied().enumerate().collect(),
            None => rows.into_iter().zip(values.iter().copied()).collect(),
        };
        let mut found = vec![Seen::default(); design.units.n_groups()];
        for (row, value) in all {
            let Some(unit) = here[panel.units().code[row] as usize] else { continue };
            if value.is_nan() {
                continue;
            }
            found[unit as usize].read(value, panel.periods()[row]).map_err(|why| {
                FitError::Model(format!(
                    "`{name}` is {value} at {}; {why}: give a treatment of 0 and 1 that stays once it came",
                    panel.place(row)
                ))
            })?;
        }
        let undated: Vec<bool> = found.iter().map(|it| it.adopted.is_some() && it.before.is_none()).collect();
        let always = undated.iter().filter(|it| **it).count();
        Ok(Adoption { first: found.iter().map(|it| it.adopted).collect(), always, undated })
    }

    /// The design without units whose date is unknown, with what to tell the reader, if there are any.
    ///
    /// # Errors
    /// When no row is left.
    pub fn without_undated<'p>(&self, design: &Design<'p>) -> Result<Option<(Design<'p>, Note)>, FitError> {
        let units = self.undated.iter().filter(|it| **it).count();
        if units == 0 {
            return Ok(None);
        }
        let reason = Dropped::Other("of units treated from their first row on, without a date".to_owned());
        let less = design.without(reason, |row| self.undated[design.units.code[row] as usize])?;
        let note = Note::remark(format!(
            "left out, because they are treated from their first row on and their date of adoption is not known: {}; \
             give dates with `cohort` to use them",
            counted(units, "unit")
        ));
        Ok(Some((less, note)))
    }

    /// Units that adopt.
    pub fn adopters(&self) -> usize {
        self.first.iter().flatten().count()
    }
}

/// How a column of dates of adoption is read: missing is never, and so is 0 where time begins above it. Where time begins
/// at 0 it is never too, unless missing values stand for that; where time begins below 0 it is a date if there are such
/// values, and refused if there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CohortDates {
    /// The first period of the panel.
    first: i32,
    /// Some value is missing.
    missing: bool,
}

impl CohortDates {
    /// The reading of a column beside the periods of its panel.
    pub fn new(periods: &[i32], values: &[f64]) -> CohortDates {
        CohortDates {
            first: periods.iter().copied().min().unwrap_or(1),
            missing: values.iter().any(|it| it.is_nan()),
        }
    }

    /// The date that a value is, `None` for never.
    ///
    /// # Errors
    /// Why the value is none, with what to do.
    pub fn read(self, value: f64) -> Result<Option<i32>, &'static str> {
        let whole = value.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value);
        match value {
            it if it.is_nan() => Ok(None),
            _ if !whole => Err("a date of adoption is a whole period, or missing"),
            0.0 if 0 < self.first || (self.first == 0 && !self.missing) => Ok(None),
            0.0 if !self.missing => Err(
                "periods go below 0, so that 0 may be a date or stand for never: leave never treated units missing, or \
                 shift periods and dates above 0",
            ),
            it if it < 0.0 && 0 <= self.first => {
                Err("no period is below 0: leave never treated units missing, or give them 0")
            }
            it => Ok(Some(it as i32)),
        }
    }
}

/// What the rows of a unit say, in the order of periods.
#[derive(Clone, Copy, Default)]
struct Seen {
    before: Option<i32>,
    adopted: Option<i32>,
}

impl Seen {
    fn read(&mut self, value: f64, period: i32) -> Result<(), &'static str> {
        if value == 1.0 {
            self.adopted = self.adopted.or(Some(period));
        } else if value != 0.0 {
            return Err("it is neither 0 nor 1");
        } else if self.adopted.is_some() {
            return Err("it was 1 before");
        } else {
            self.before = Some(period);
        }
        Ok(())
    }
}

fn always(design: &Design<'_>, first: &[Option<i32>]) -> usize {
    let mut start: Vec<i32> = vec![i32::MAX; first.len()];
    for (&unit, &period) in design.units.code.iter().zip(&design.periods) {
        start[unit as usize] = start[unit as usize].min(period);
    }
    first.iter().zip(start).filter(|(first, start)| first.is_some_and(|it| it <= *start)).count()
}

//! When each unit of a design adopts a treatment that stays.

use parallax_base::Name;

use crate::{Design, FitError};

/// First treated period of each unit of a design; `None` for the never treated.
#[derive(Clone, Debug, PartialEq)]
pub struct Adoption {
    /// By unit code of `design.units`.
    pub first: Vec<Option<i32>>,
    /// Units that are treated from their first row on, so that their date is not seen.
    pub always: usize,
}

impl Adoption {
    /// From a column of dates, one a unit: missing, zero and below are never.
    ///
    /// # Errors
    /// Dates that are not whole or differ within a unit, with the place.
    pub fn from_cohorts(design: &Design<'_>, column: &str) -> Result<Adoption, FitError> {
        let values = design.column(column)?;
        let mut first: Vec<Option<Option<i32>>> = vec![None; design.units.n_groups()];
        for (row, (&unit, &value)) in design.units.code.iter().zip(values.iter()).enumerate() {
            let date = match value {
                it if it.is_nan() || it <= 0.0 => None,
                it if it.fract() == 0.0 && it <= f64::from(i32::MAX) => Some(it as i32),
                it => {
                    let place = design.place(row);
                    return Err(FitError::Model(format!(
                        "`{column}` is {it} at {place}; a date of adoption is a whole period, or missing"
                    )));
                }
            };
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
        Ok(Adoption { always: always(design, &first), first })
    }

    /// From a treatment of zeros and ones that stays once it came.
    ///
    /// # Errors
    /// Other values and treatments that end, with the place.
    pub fn from_treatment(design: &Design<'_>, name: &Name, values: &[f64]) -> Result<Adoption, FitError> {
        let mut first: Vec<Option<i32>> = vec![None; design.units.n_groups()];
        for (row, (&unit, &value)) in design.units.code.iter().zip(values).enumerate() {
            let known = &mut first[unit as usize];
            let refuse = |why: &str| {
                let place = design.place(row);
                Err(FitError::Model(format!(
                    "`{name}` is {value} at {place}; {why}: give a treatment of 0 and 1 that stays once it came"
                )))
            };
            if value == 1.0 {
                *known = known.or(Some(design.periods[row]));
            } else if value != 0.0 {
                return refuse("it is neither 0 nor 1");
            } else if known.is_some() {
                return refuse("it was 1 before");
            }
        }
        Ok(Adoption { always: always(design, &first), first })
    }

    /// Units that adopt.
    pub fn adopters(&self) -> usize {
        self.first.iter().flatten().count()
    }
}

fn always(design: &Design<'_>, first: &[Option<i32>]) -> usize {
    let mut start: Vec<i32> = vec![i32::MAX; first.len()];
    for (&unit, &period) in design.units.code.iter().zip(&design.periods) {
        start[unit as usize] = start[unit as usize].min(period);
    }
    first.iter().zip(start).filter(|(first, start)| first.is_some_and(|it| it <= *start)).count()
}

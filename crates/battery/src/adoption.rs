//! Dates from a treatment, a treatment from dates, and who adopts when.

use std::{collections::BTreeMap, ops::Range};

use parallax_base::Name;
use parallax_model::Panel;
use parallax_panel::Column;

use crate::{BatteryError, Treatment};

/// Who adopts when, and what is observed.
#[derive(Clone, Debug, PartialEq)]
pub struct AdoptionPattern {
    /// Periods of the panel, ascending.
    pub periods: Vec<i32>,
    /// Cohorts by date, the never treated last. Empty when the treatment has no dates.
    pub cohorts: Vec<CohortRow>,
    /// Why the treatment has no dates of adoption, if it has none.
    pub undated: Option<String>,
    /// Units that are treated from their first row on; their date is not seen.
    pub always: usize,
}

/// Units that adopt together.
#[derive(Clone, Debug, PartialEq)]
pub struct CohortRow {
    /// First treated period; `None` for the never treated.
    pub cohort: Option<i32>,
    /// Units.
    pub units: usize,
    /// Rows in each period of the panel.
    pub rows: Vec<usize>,
}

/// Names of the columns that the members are given.
pub(crate) struct Columns {
    pub treatment: Name,
    pub cohort: Option<Name>,
}

/// The panel with both columns, their names, and the pattern.
pub(crate) fn prepare(
    panel: &Panel,
    treatment: &Treatment,
) -> Result<(Panel, Columns, AdoptionPattern), BatteryError> {
    let (panel, columns, dates, undated) = match treatment {
        Treatment::Cohort(name) => {
            let dates = dates_of_cohorts(panel, name)?;
            let treated = panel.units().code.iter().zip(panel.periods()).map(|(&unit, &period)| {
                f64::from(u8::from(dates[unit as usize].is_some_and(|it| it <= period)))
            });
            let new = free(panel, "treated");
            let with = panel.clone().with(new.clone(), Column::real(treated.collect()))?;
            (with, Columns { treatment: new, cohort: Some(name.clone()) }, dates, None)
        }
        Treatment::ByRow(name) => match dates_of_treatment(panel, name)? {
            Ok(dates) => {
                let cohort = panel.units().code.iter().map(|&it| dates[it as usize].map_or(0.0, f64::from));
                let new = free(panel, "cohort");
                let with = panel.clone().with(new.clone(), Column::real(cohort.collect()))?;
                (with, Columns { treatment: name.clone(), cohort: Some(new) }, dates, None)
            }
            Err(why) => {
                (panel.clone(), Columns { treatment: name.clone(), cohort: None }, Vec::new(), Some(why))
            }
        },
    };
    let pattern = pattern(&panel, &dates, undated);
    if pattern.undated.is_none() && pattern.cohorts.iter().all(|it| it.cohort.is_none()) {
        return Err(BatteryError::Treatment(format!(
            "no unit is ever treated by `{}`; name another column",
            columns.cohort.as_ref().unwrap_or(&columns.treatment)
        )));
    }
    Ok((panel, columns, pattern))
}

/// A name that no column has.
fn free(panel: &Panel, name: &str) -> Name {
    let mut name = name.to_owned();
    while panel.has(&name) {
        name.push('_');
    }
    Name::from(name)
}

/// One date a unit.
fn dates_of_cohorts(panel: &Panel, name: &Name) -> Result<Vec<Option<i32>>, BatteryError> {
    let values = panel.real(name)?;
    let mut dates = vec![None; panel.units().n_groups()];
    for run in units(panel) {
        for row in run.clone() {
            let value = values[row];
            let wrong = if !value.is_nan() && value.fract() != 0.0 {
                Some("a date of adoption is a whole period, 0 or missing for never")
            } else if value.to_bits() != values[run.start].to_bits()
                && !(value.is_nan() && values[run.start].is_nan())
            {
                Some("it changes within the unit, which has one date of adoption")
            } else {
                None
            };
            if let Some(why) = wrong {
                let place = panel.place(row);
                return Err(BatteryError::Treatment(format!("cohort `{name}` is {value} at {place}: {why}")));
            }
        }
        let value = values[run.start];
        if 0.0 < value && value <= f64::from(i32::MAX) {
            dates[panel.units().code[run.start] as usize] = Some(value as i32);
        }
    }
    Ok(dates)
}

/// One date a unit, or why there are none: a treatment that ends or is neither 0 nor 1.
fn dates_of_treatment(panel: &Panel, name: &Name) -> Result<Result<Vec<Option<i32>>, String>, BatteryError> {
    let values = panel.real(name)?;
    let mut dates = vec![None; panel.units().n_groups()];
    for run in units(panel) {
        let date = &mut dates[panel.units().code[run.start] as usize];
        for row in run {
            let value = values[row];
            if value.is_nan() || (value == 0.0 && date.is_none()) {
                continue;
            }
            let place = panel.place(row);
            if value == 0.0 {
                return Ok(Err(format!("`{name}` is 0 at {place} after it was 1: the treatment ends again")));
            }
            if value != 1.0 {
                return Ok(Err(format!("`{name}` is {value} at {place}: the treatment is not 0 or 1")));
            }
            date.get_or_insert(panel.periods()[row]);
        }
    }
    Ok(Ok(dates))
}

fn pattern(panel: &Panel, dates: &[Option<i32>], undated: Option<String>) -> AdoptionPattern {
    let mut periods = panel.periods().to_vec();
    periods.sort_unstable();
    periods.dedup();
    // The never treated sort last.
    let mut cohorts: BTreeMap<(bool, Option<i32>), CohortRow> = BTreeMap::new();
    let mut always = 0;
    for run in units(panel) {
        let Some(&date) = dates.get(panel.units().code[run.start] as usize) else { continue };
        let row = cohorts.entry((date.is_none(), date)).or_insert_with(|| CohortRow {
            cohort: date,
            units: 0,
            rows: vec![0; periods.len()],
        });
        row.units += 1;
        always += usize::from(date.is_some_and(|it| it <= panel.periods()[run.start]));
        for row_of_panel in run {
            if let Ok(at) = periods.binary_search(&panel.periods()[row_of_panel]) {
                row.rows[at] += 1;
            }
        }
    }
    AdoptionPattern { periods, cohorts: cohorts.into_values().collect(), undated, always }
}

/// The rows of each unit.
fn units(panel: &Panel) -> impl Iterator<Item = Range<usize>> + '_ {
    let codes = &panel.units().code;
    let mut start = 0;
    std::iter::from_fn(move || {
        let unit = codes.get(start)?;
        let length = codes[start..].iter().take_while(|it| *it == unit).count();
        start += length;
        Some(start - length..start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use parallax_panel::{Codes, PanelBuilder};

    fn panel(d: Vec<f64>) -> Panel {
        let units = Codes::from_integers([1, 1, 1, 2, 2, 2, 3, 3].map(Some));
        PanelBuilder::new(8)
            .index("id".into(), units, "t".into(), vec![1, 2, 3, 1, 2, 3, 2, 3])
            .column("d".into(), Column::real(d))
            .build()
            .unwrap()
    }

    #[test]
    fn dates_and_treatments_are_two_views_of_one_thing() {
        let by_row = Treatment::ByRow("d".into());
        let base = panel(vec![0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
        let (with, columns, pattern) = prepare(&base, &by_row).unwrap();
        let name = columns.cohort.unwrap();
        assert_eq!(*with.real(&name).unwrap(), [2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 2.0, 2.0]);
        assert_eq!(pattern.always, 1);
        let rows: Vec<_> = pattern.cohorts.iter().map(|it| (it.cohort, it.units, it.rows.clone())).collect();
        assert_eq!(rows, [(Some(2), 2, vec![1, 2, 2]), (None, 1, vec![1, 1, 1])]);
        let (again, columns, same) = prepare(&with, &Treatment::Cohort(name)).unwrap();
        assert_eq!(*again.real(&columns.treatment).unwrap(), *base.real("d").unwrap());
        assert_eq!(same, pattern);
    }

    #[test]
    fn a_treatment_that_ends_has_no_dates() {
        let d = vec![0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let (_, columns, pattern) = prepare(&panel(d), &Treatment::ByRow("d".into())).unwrap();
        assert_eq!(columns.cohort, None);
        assert!(pattern.undated.unwrap().contains("id 1, t 3"), "the place is named");
    }

    #[test]
    fn nobody_treated_is_an_error() {
        let error = prepare(&panel(vec![0.0; 8]), &Treatment::ByRow("d".into())).err().unwrap();
        assert!(error.to_string().contains("no unit is ever treated"));
    }
}

//! Dates from a treatment, a treatment from dates, and who adopts when.

use std::{collections::BTreeMap, ops::Range};

use parallax_base::Name;
use parallax_model::{CohortDates, Panel};
use parallax_panel::Column;

use crate::{BatteryError, Treatment};

/// Who adopts when, and what is observed.
#[derive(Clone, Debug, PartialEq)]
pub struct AdoptionPattern {
    /// Periods of the panel as people write them, ascending.
    pub periods: Vec<i32>,
    /// Cohorts by date, the never treated last. Empty when the treatment has no dates.
    pub cohorts: Vec<CohortRow>,
    /// Why the treatment has no dates of adoption, if it has none.
    pub undated: Option<String>,
    /// Units that are treated from their first row on; their date is not seen.
    pub always: usize,
    /// Rows that no member is given because their treatment is missing.
    pub without_treatment: usize,
    /// Units that no member is given because their date lies in a hole of the treatment.
    pub holes: Vec<Hole>,
}

/// A unit whose treatment begins somewhere between two periods, none of which has a value of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The unit's label.
    pub unit: String,
    /// The last period with treatment 0, and the first one with 1, as people write them.
    pub window: [i32; 2],
}

/// Units that adopt together.
#[derive(Clone, Debug, PartialEq)]
pub struct CohortRow {
    /// First treated period as people write it; `None` for the never treated.
    pub cohort: Option<i32>,
    /// Units.
    pub units: usize,
    /// Rows in each period of the panel.
    pub rows: Vec<usize>,
}

impl AdoptionPattern {
    /// Cohorts whose adoption the panel sees: after its first period, and not after its last.
    pub fn adopting(&self) -> impl Iterator<Item = (i32, &CohortRow)> {
        let (first, last) = (self.periods.first().copied(), self.periods.last().copied());
        let seen = move |date: &i32| first < Some(*date) && Some(*date) <= last;
        self.cohorts.iter().filter_map(move |it| Some((it.cohort.filter(seen)?, it)))
    }

    /// True when units that are treated already can stand among the controls of others.
    pub fn staggered(&self) -> bool {
        1 < self.adopting().count() + usize::from(0 < self.always)
    }

    /// Units that are not treated in any period of the panel: never, or later.
    pub fn untreated(&self) -> usize {
        let last = self.periods.last().copied();
        let later = |it: &&CohortRow| it.cohort.is_none() || last < it.cohort;
        self.cohorts.iter().filter(later).map(|it| it.units).sum()
    }
}

/// The pattern of a treatment that is a column of a panel.
///
/// # Errors
/// As [`crate::run`] has for the treatment; one that has no dates is a pattern without cohorts.
pub fn adoption_pattern(panel: &Panel, treatment: &Treatment) -> Result<AdoptionPattern, BatteryError> {
    panel.require_index("a map of adoption")?;
    prepare(panel, treatment).map(|it| it.2)
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
    let (panel, columns, pattern) = match treatment {
        Treatment::Cohort(name) => from_cohorts(panel, name)?,
        Treatment::ByRow(name) => from_treatment(panel, name)?,
    };
    let (Treatment::ByRow(given) | Treatment::Cohort(given)) = treatment;
    refuse_no_contrast(&panel, &columns.treatment, &pattern, given)?;
    Ok((panel, columns, pattern))
}

fn from_cohorts(panel: &Panel, name: &Name) -> Result<(Panel, Columns, AdoptionPattern), BatteryError> {
    let dates = dates_of_cohorts(panel, name)?;
    let treated = panel
        .units()
        .code
        .iter()
        .zip(panel.periods())
        .map(|(&unit, &period)| f64::from(u8::from(dates[unit as usize].is_some_and(|it| it <= period))));
    let new = free(panel, "treated");
    let with = panel.clone().with(new.clone(), Column::real(treated.collect()))?;
    let pattern = pattern(&with, &dates, None);
    Ok((with, Columns { treatment: new, cohort: Some(name.clone()) }, pattern))
}

/// Rows whose treatment is missing leave the panel: estimators that read dates would keep them, and a unit that has
/// no other rows would count as never treated. Units whose date lies in a hole of the treatment leave it too, whether rows
/// or values are absent there.
fn from_treatment(panel: &Panel, name: &Name) -> Result<(Panel, Columns, AdoptionPattern), BatteryError> {
    let known: Vec<bool> = panel.real(name)?.iter().map(|it| !it.is_nan()).collect();
    let without_treatment = known.iter().filter(|it| !**it).count();
    let mut kept = panel.keep(&known)?;
    let mut read = dates_of_treatment(&kept, name)?;
    let mut holes = Vec::new();
    if let Ok(dates) = &read
        && !dates.holes.is_empty()
    {
        let certain: Vec<bool> = kept.units().code.iter().map(|it| !dates.holes.contains_key(it)).collect();
        holes = dates.holes.values().cloned().collect();
        kept = kept.keep(&certain)?;
        if kept.n_rows() == 0 {
            return Err(BatteryError::Treatment(format!(
                "the date of adoption is not known for any unit: `{name}` has a hole between its last 0 and its first 1; \
                 give dates with --cohort, or fill `{name}`"
            )));
        }
        read = dates_of_treatment(&kept, name)?;
    }
    let (panel, columns, mut pattern) = match read.map(|it| it.dates) {
        Ok(dates) => {
            let cohort = kept
                .units()
                .code
                .iter()
                .map(|&it| dates[it as usize].map_or(f64::NAN, |it| f64::from(kept.calendar().code(it))));
            let new = free(&kept, "cohort");
            let with = kept.clone().with(new.clone(), Column::real(cohort.collect()))?;
            let pattern = pattern(&with, &dates, None);
            (with, Columns { treatment: name.clone(), cohort: Some(new) }, pattern)
        }
        Err(why) => {
            let pattern = pattern(&kept, &[], Some(why));
            (kept, Columns { treatment: name.clone(), cohort: None }, pattern)
        }
    };
    pattern.without_treatment = without_treatment;
    pattern.holes = holes;
    Ok((panel, columns, pattern))
}

/// Nothing is estimated where time or treatment does not vary.
fn refuse_no_contrast(
    panel: &Panel,
    treatment: &Name,
    pattern: &AdoptionPattern,
    given: &Name,
) -> Result<(), BatteryError> {
    let values = panel.real(treatment)?;
    let refuse = |why: String| Err(BatteryError::Treatment(why));
    let Some(&first) = values.first() else {
        return refuse(format!("`{given}` is missing in every row; name another column"));
    };
    if let [only] = pattern.periods.as_slice() {
        return refuse(format!("the panel has one period, {only}; differences over time need two"));
    }
    if let ([CohortRow { cohort: Some(date), .. }], None) = (pattern.cohorts.as_slice(), &pattern.undated)
        && values.iter().any(|it| *it != first)
    {
        return refuse(format!(
            "by `{given}` every unit adopts in {date}, so that there is nobody to compare with; add units that adopt \
             later or never"
        ));
    }
    if values.iter().any(|it| *it != first) {
        return Ok(());
    }
    refuse(match (first, pattern.undated.is_some()) {
        (0.0, _) => {
            format!("no unit is treated by `{given}` in any period of the panel; name another column")
        }
        (_, false) => format!(
            "by `{given}` every unit is treated in all of its rows; there are no others to compare with"
        ),
        (it, true) => format!("`{given}` is {it} in every row; there is nothing to compare"),
    })
}

/// A name that no column has.
fn free(panel: &Panel, name: &str) -> Name {
    let mut name = name.to_owned();
    while panel.has(&name) {
        name.push('_');
    }
    Name::from(name)
}

/// One date a unit, as estimators read it.
fn dates_of_cohorts(panel: &Panel, name: &Name) -> Result<Vec<Option<i32>>, BatteryError> {
    let values = panel.real(name)?;
    let reading = CohortDates::new(panel, name, &values)?;
    let mut dates = vec![None; panel.units().n_groups()];
    for run in units(panel) {
        let mut known = None;
        for row in run.clone() {
            let value = values[row];
            let date = reading.read(value).and_then(|it| match known.replace(it) {
                Some(other) if other != it => {
                    Err("it changes within the unit, which has one date of adoption".to_owned())
                }
                _ => Ok(it),
            });
            dates[panel.units().code[row] as usize] = date.map_err(|why| {
                let place = panel.place(row);
                BatteryError::Treatment(format!("cohort `{name}` is {value} at {place}: {why}"))
            })?;
        }
    }
    Ok(dates)
}

/// What a treatment by row says of units.
struct Dates {
    /// One date a unit.
    dates: Vec<Option<i32>>,
    /// By unit code, where the date lies in a hole.
    holes: BTreeMap<u32, Hole>,
}

/// One date a unit, or why there are none: a treatment that ends or is neither 0 nor 1.
fn dates_of_treatment(panel: &Panel, name: &Name) -> Result<Result<Dates, String>, BatteryError> {
    let values = panel.real(name)?;
    let mut dates = vec![None; panel.units().n_groups()];
    let mut holes = BTreeMap::new();
    for run in units(panel) {
        let unit = panel.units().code[run.start];
        let date = &mut dates[unit as usize];
        let mut before = None;
        for row in run {
            let value = values[row];
            let period = panel.periods()[row];
            if value == 0.0 && date.is_none() {
                before = Some(period);
                continue;
            }
            let place = panel.place(row);
            if value == 0.0 {
                return Ok(Err(format!("`{name}` is 0 at {place} after it was 1: the treatment ends again")));
            }
            if value != 1.0 {
                return Ok(Err(format!("`{name}` is {value} at {place}: the treatment is not 0 or 1")));
            }
            if let (None, Some(last)) = (*date, before)
                && last + 1 < period
            {
                let window = [last, period].map(|it| panel.calendar().code(it));
                holes.insert(unit, Hole { unit: panel.units().labels.text(unit as usize), window });
            }
            date.get_or_insert(period);
        }
    }
    Ok(Ok(Dates { dates, holes }))
}

fn pattern(panel: &Panel, dates: &[Option<i32>], undated: Option<String>) -> AdoptionPattern {
    let mut periods = panel.dates();
    periods.sort_unstable();
    periods.dedup();
    // The never treated sort last.
    let mut cohorts: BTreeMap<(bool, Option<i32>), CohortRow> = BTreeMap::new();
    let mut always = 0;
    for run in units(panel) {
        let Some(&date) = dates.get(panel.units().code[run.start] as usize) else { continue };
        let written = date.map(|it| panel.calendar().code(it));
        let row = cohorts.entry((date.is_none(), date)).or_insert_with(|| CohortRow {
            cohort: written,
            units: 0,
            rows: vec![0; periods.len()],
        });
        row.units += 1;
        always += usize::from(date.is_some_and(|it| it <= panel.periods()[run.start]));
        for row_of_panel in run {
            if let Ok(at) = periods.binary_search(&panel.calendar().code(panel.periods()[row_of_panel])) {
                row.rows[at] += 1;
            }
        }
    }
    let cohorts = cohorts.into_values().collect();
    AdoptionPattern { periods, cohorts, undated, always, without_treatment: 0, holes: Vec::new() }
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
        let dates: Vec<Option<f64>> =
            with.real(&name).unwrap().iter().map(|it| (!it.is_nan()).then_some(*it)).collect();
        assert_eq!(dates, [vec![Some(2.0); 3], vec![None; 3], vec![Some(2.0); 2]].concat());
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
    fn a_unit_whose_treatment_is_missing_is_not_called_never_treated() {
        let gone = f64::NAN;
        let d = vec![gone, 1.0, 1.0, 0.0, 0.0, 0.0, gone, gone];
        let (with, _, pattern) = prepare(&panel(d), &Treatment::ByRow("d".into())).unwrap();
        assert_eq!((with.n_rows(), pattern.without_treatment), (5, 3));
        let units: Vec<_> = pattern.cohorts.iter().map(|it| (it.cohort, it.units)).collect();
        assert_eq!(units, [(Some(2), 1), (None, 1)]);
    }

    /// An absent row and a missing value are one thing: the treatment of unit 1 begins in 2 or in 3.
    #[test]
    fn a_unit_whose_date_lies_in_a_hole_leaves_with_its_window() {
        let d = vec![0.0, f64::NAN, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        let whole = panel(d);
        let absent = whole.keep(&[true, false, true, true, true, true, true, true]).unwrap();
        for base in [whole, absent] {
            let (with, _, pattern) = prepare(&base, &Treatment::ByRow("d".into())).unwrap();
            assert_eq!(with.n_rows(), 5);
            assert_eq!(pattern.holes, [Hole { unit: "1".to_owned(), window: [1, 3] }]);
            let cohorts: Vec<_> = pattern.cohorts.iter().map(|it| (it.cohort, it.units)).collect();
            assert_eq!(cohorts, [(Some(2), 1), (None, 1)]);
        }
    }

    #[test]
    fn missing_dates_and_zeros_are_never_and_late_ones_not_yet() {
        let never = f64::NAN;
        assert!(
            refused(&panel(vec![-1.0; 8]), &Treatment::Cohort("d".into())).contains("no period is below 0")
        );
        let cohort = vec![never, 0.0, never, 2.0, 2.0, 2.0, 9.0, 9.0];
        let (with, columns, pattern) = prepare(&panel(cohort), &Treatment::Cohort("d".into())).unwrap();
        assert_eq!(*with.real(&columns.treatment).unwrap(), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(pattern.adopting().map(|it| it.0).collect::<Vec<_>>(), [2]);
        assert_eq!((pattern.untreated(), pattern.staggered()), (2, false));
        let before = vec![1.0, 1.0, 1.0, 2.0, 2.0, 2.0, never, never];
        let (_, _, pattern) = prepare(&panel(before), &Treatment::Cohort("d".into())).unwrap();
        assert_eq!(pattern.adopting().map(|it| it.0).collect::<Vec<_>>(), [2]);
        assert_eq!((pattern.always, pattern.untreated(), pattern.staggered()), (1, 1, true));
    }

    #[test]
    fn what_gives_no_contrast_is_an_error_that_says_so() {
        let by_row = |d: Vec<f64>| refused(&panel(d), &Treatment::ByRow("d".into()));
        let by_date = |d: Vec<f64>| refused(&panel(d), &Treatment::Cohort("d".into()));
        for (error, part) in [
            (by_row(vec![0.0; 8]), "no unit is treated by `d`"),
            (by_row(vec![1.0; 8]), "every unit is treated in all of its rows"),
            (by_row(vec![2.5; 8]), "`d` is 2.5 in every row"),
            (by_row(vec![f64::NAN; 8]), "missing in every row"),
            (by_date(vec![9.0; 8]), "no unit is treated by `d` in any period"),
            (by_date(vec![1.0; 8]), "every unit is treated in all of its rows"),
            (by_date(vec![2.5; 8]), "2.5 at id 1, t 1: a date of adoption is a whole period"),
            (by_date(vec![3e9; 8]), "a date of adoption is a whole period"),
            (
                by_date(vec![2.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
                "3 at id 1, t 3: it changes within the unit",
            ),
        ] {
            assert!(error.contains(part), "{error}");
        }
        let one = PanelBuilder::new(2)
            .index("id".into(), Codes::from_integers([1, 2].map(Some)), "t".into(), vec![5, 5])
            .column("d".into(), Column::real(vec![0.0, 1.0]))
            .build()
            .unwrap();
        assert!(refused(&one, &Treatment::ByRow("d".into())).contains("one period, 5"));
    }

    fn refused(panel: &Panel, treatment: &Treatment) -> String {
        prepare(panel, treatment).err().unwrap().to_string()
    }
}

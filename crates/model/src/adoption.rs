//! When each unit of a design adopts a treatment that stays.

use parallax_base::{Name, Note, counted};
use parallax_panel::{Calendar, Dropped, Panel, PanelError};

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
        let dates = CohortDates::new(design.panel, column, &values)?;
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
    /// Other values and treatments that end, with the place; a date that lies in a hole of the treatment, with the window
    /// (see [`Adoption::certain`]).
    pub fn from_treatment(design: &Design<'_>, name: &Name, values: &[f64]) -> Result<Adoption, FitError> {
        let found = Adoption::seen(design, name, values)?;
        if let Some(holes) = Holes::of(design, &found) {
            return Err(FitError::Model(holes.refusal(name)));
        }
        Ok(Adoption::dated_where_seen(&found))
    }

    /// As [`Adoption::from_treatment`], with the first row seen treated as date where a hole leaves it open: for what asks
    /// who adopts and not when.
    ///
    /// # Errors
    /// Other values and treatments that end, with the place.
    pub fn of_adopters(design: &Design<'_>, name: &Name, values: &[f64]) -> Result<Adoption, FitError> {
        Ok(Adoption::dated_where_seen(&Adoption::seen(design, name, values)?))
    }

    fn dated_where_seen(found: &[Seen]) -> Adoption {
        let undated: Vec<bool> = found.iter().map(|it| it.adopted.is_some() && it.before.is_none()).collect();
        let always = undated.iter().filter(|it| **it).count();
        Adoption { first: found.iter().map(|it| it.adopted).collect(), always, undated }
    }

    /// The design without units whose date a treatment leaves open, with what to tell the reader, if there are any: 0 in
    /// one period and 1 in a later one, and between them periods without a row or without a value of the treatment, in any
    /// of which it may have begun. A row that is absent and a treatment that is missing are the same to it.
    ///
    /// # Errors
    /// What [`Adoption::from_treatment`] says of other values, and that no row is left.
    pub fn certain<'p>(
        design: &Design<'p>,
        name: &Name,
        values: &[f64],
    ) -> Result<Option<(Design<'p>, Note)>, FitError> {
        let found = Adoption::seen(design, name, values)?;
        let Some(holes) = Holes::of(design, &found) else { return Ok(None) };
        if found.iter().all(|it| it.adopted.is_none() || it.hole()) {
            return Err(FitError::Model(holes.refusal(name)));
        }
        let reason = Dropped::Other(format!("of units whose adoption falls in a hole of {name}"));
        let less = design.without(reason, |row| found[design.units.code[row] as usize].hole())?;
        Ok(Some((less, Note::remark(holes.exclusion(name)))))
    }

    fn seen(design: &Design<'_>, name: &Name, values: &[f64]) -> Result<Vec<Seen>, FitError> {
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
                    "`{name}` is {value} at {}; {why}: give a treatment of 0 and 1 that stays once it came; for a treatment that ends use `dcdh`",
                    panel.place(row)
                ))
            })?;
        }
        Ok(found)
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

/// How a column of dates of adoption is read. Dates are codes of the panel's calendar, as its periods are. Missing is never,
/// and so is 0 where time begins above it. Where time begins at 0 it is never too, unless missing values stand for that;
/// where time begins below 0 it is a date if there are such values, and refused if there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CohortDates {
    /// The code of the first period of the panel.
    first: i32,
    calendar: Calendar,
    /// Some value is missing.
    missing: bool,
}

impl CohortDates {
    /// The reading of a column beside the periods of its panel.
    ///
    /// # Errors
    /// When periods and dates together are codes of a calendar that jump, and nothing was declared.
    pub fn new(panel: &Panel, column: &str, values: &[f64]) -> Result<CohortDates, PanelError> {
        let calendar = *panel.calendar();
        calendar.refuse_disguised(column, panel.periods(), values)?;
        let first = panel.periods().iter().copied().min().map_or(1, |it| calendar.code(it));
        Ok(CohortDates { first, calendar, missing: values.iter().any(|it| it.is_nan()) })
    }

    /// The period of the date that a value is, `None` for never.
    ///
    /// # Errors
    /// Why the value is none, with what to do.
    pub fn read(self, value: f64) -> Result<Option<i32>, String> {
        let whole = value.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value);
        match value {
            it if it.is_nan() => Ok(None),
            _ if !whole => Err("a date of adoption is a whole period, or missing".to_owned()),
            0.0 if 0 < self.first || (self.first == 0 && !self.missing) => Ok(None),
            0.0 if !self.missing => Err(
                "periods go below 0, so that 0 may be a date or stand for never: leave never treated units missing, or \
                 shift periods and dates above 0"
                    .to_owned(),
            ),
            it if it < 0.0 && 0 <= self.first => {
                Err("no period is below 0: leave never treated units missing, or give them 0".to_owned())
            }
            it => self.period(it as i32).map(Some),
        }
    }

    /// A date before the first period says that the unit is treated already, whatever the step of the panel.
    fn period(self, code: i32) -> Result<i32, String> {
        let calendar = self.calendar;
        let found =
            calendar.period(code).or_else(|| calendar.period_before(code).filter(|_| code < self.first));
        found.ok_or_else(|| match calendar.period_before(code) {
            Some(before) => {
                let (low, high) = (calendar.code(before), calendar.code(before.saturating_add(1)));
                format!(
                    "it lies between the periods {low} and {high}, which follow each other in this panel: give the first \
                     treated period of the panel, {high} if the treatment came in between"
                )
            }
            None => format!("time-format {} is {}", calendar.format(), calendar.format().shape()),
        })
    }
}

/// Units whose treatment has a hole where it begins, the first few with their windows.
struct Holes {
    units: usize,
    named: Vec<String>,
}

impl Holes {
    /// Units that a message names.
    const NAMED: usize = 3;

    fn of(design: &Design<'_>, found: &[Seen]) -> Option<Holes> {
        let own: Vec<usize> = (0..found.len()).filter(|it| found[*it].hole()).collect();
        let name = |&unit: &usize| {
            let Seen { before, adopted } = found[unit];
            let code = |it: Option<i32>| it.map(|it| design.code(it).to_string()).unwrap_or_default();
            let label = design.units.labels.text(unit);
            format!("{label} (0 in {}, 1 in {})", code(before), code(adopted))
        };
        let named = own.iter().take(Holes::NAMED).map(name).collect();
        (!own.is_empty()).then_some(Holes { units: own.len(), named })
    }

    fn list(&self) -> String {
        let more = if Holes::NAMED < self.units { ", ..." } else { "" };
        format!("{}{more}", self.named.join(", "))
    }

    fn refusal(&self, name: &Name) -> String {
        format!(
            "the date of adoption is not known for {} whose `{name}` has a hole between its last 0 and its first 1: {}; \
             give dates with `cohort`, or fill `{name}`",
            counted(self.units, "unit"),
            self.list()
        )
    }

    fn exclusion(&self, name: &Name) -> String {
        format!(
            "left out, because `{name}` has no value between its last 0 and its first 1, and adoption may lie anywhere \
             between them: {}: {}; give dates with `cohort`, or fill `{name}`, to use them",
            counted(self.units, "unit"),
            self.list()
        )
    }
}

/// What the rows of a unit say, in the order of periods.
#[derive(Clone, Copy, Default)]
struct Seen {
    before: Option<i32>,
    adopted: Option<i32>,
}

impl Seen {
    /// Periods lie between the last 0 and the first 1, in any of which the treatment may have begun.
    fn hole(self) -> bool {
        matches!((self.before, self.adopted), (Some(before), Some(adopted)) if before.saturating_add(1) < adopted)
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use parallax_panel::{Codes, PanelBuilder, TimeFormat};

    fn dates(periods: &[i32], format: Option<TimeFormat>, values: &[f64]) -> CohortDates {
        let units = Codes::from_integers(periods.iter().map(|_| Some(1)));
        let panel = PanelBuilder::new(periods.len())
            .index("id".into(), units, "t".into(), periods.to_vec())
            .time_format(format)
            .build()
            .unwrap();
        CohortDates::new(&panel, "g", values).unwrap()
    }

    #[test]
    fn dates_are_codes_of_the_calendar() {
        let monthly = dates(&[201_011, 201_012, 201_101], Some(TimeFormat::YearMonth), &[0.0]);
        let [last, next] = [201_012.0, 201_101.0].map(|it| monthly.read(it).unwrap().unwrap());
        assert_eq!(last + 1, next);
        assert_eq!(monthly.read(0.0), Ok(None));
        assert!(monthly.read(201_013.0).unwrap_err().contains("year-month"));
    }

    /// A date between two periods of a stepped panel is of neither; one before the first says treated already.
    #[test]
    fn dates_between_periods_are_refused() {
        let biennial = dates(&[2000, 2002, 2004], None, &[0.0]);
        assert!(biennial.read(2003.0).unwrap_err().contains("2004 if the treatment came in between"));
        let [early, first] = [1995.0, 2000.0].map(|it| biennial.read(it).unwrap().unwrap());
        assert!(early < first);
        assert_eq!(biennial.read(2006.0).unwrap().unwrap(), first + 3);
    }
}

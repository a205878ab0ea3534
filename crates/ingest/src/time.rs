//! Time columns: whole numbers as they are; dates counted in years, months or days.

use parallax_base::Name;
use parallax_panel::TimeFormat;

use crate::{
    IngestError,
    csv::parse_date,
    origin::Origin,
    raw::{NO_LONG, Raw},
};

/// A time column whose missing values and bad values were refused.
#[derive(Clone, Debug)]
pub(crate) enum Times {
    /// Whole numbers, as they are in the file.
    Plain(Vec<i32>),
    /// Dates as days since 1970-01-01.
    Dates(Vec<i32>),
}

/// How periods are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Whole numbers of the file.
    Plain,
    /// Years of dates that share month and day.
    Years,
    /// Months since year 0 of dates that share the day, or are the last of their months.
    Months,
    /// Days since 1970-01-01.
    Days,
}

impl Times {
    /// Whole numbers or dates from a column of any type.
    pub(crate) fn of(raw: &Raw, column: &Name, origin: &Origin) -> Result<Times, IngestError> {
        let missing = |row| {
            let (place, column) = (origin.place(row), column.clone());
            IngestError::MissingKey { place, what: "time", column, hint: String::new() }
        };
        let bad =
            |row, value| IngestError::BadTime { place: origin.place(row), column: column.clone(), value };
        match raw {
            Raw::Untyped { .. } => Err(missing(0)),
            Raw::Real(values) => whole(values, missing, |row, it| bad(row, it.to_string())).map(Times::Plain),
            Raw::Days(values) => whole(values, missing, |row, it| bad(row, moment(it))).map(Times::Dates),
            Raw::Long(values) => Err(match values.iter().position(|it| *it == NO_LONG) {
                Some(row) => missing(row),
                None => {
                    let row = values.iter().position(|it| i32::try_from(*it).is_err()).unwrap_or(0);
                    bad(row, values.get(row).map(i128::to_string).unwrap_or_default())
                }
            }),
            Raw::Text(text) => {
                let mut rows = Vec::with_capacity(text.code.len());
                for row in 0..text.code.len() {
                    rows.push(text.text(row).ok_or_else(|| missing(row))?);
                }
                let dates = rows.first().is_some_and(|it| parse_date(it.trim()).is_some());
                let parse = |it: &Name| if dates { parse_date(it.trim()) } else { it.trim().parse().ok() };
                let values: Result<Vec<i32>, IngestError> = rows
                    .iter()
                    .enumerate()
                    .map(|(row, it)| parse(it).ok_or_else(|| bad(row, it.to_string())))
                    .collect();
                values.map(if dates { Times::Dates } else { Times::Plain })
            }
        }
    }

    /// The coarsest scale that tells these dates apart as calendars do.
    pub(crate) fn scale(&self) -> Scale {
        match self {
            Times::Plain(_) => Scale::Plain,
            Times::Dates(days) if fits(days, Scale::Years) => Scale::Years,
            Times::Dates(days) if fits(days, Scale::Months) => Scale::Months,
            Times::Dates(_) => Scale::Days,
        }
    }

    /// Periods on the scale of another file, or `None` when these dates do not lie on it.
    pub(crate) fn on(&self, scale: Scale) -> Option<Vec<i32>> {
        match (self, scale) {
            // Years as numbers and yearly dates count alike.
            (Times::Plain(periods), Scale::Plain | Scale::Years) => Some(periods.clone()),
            (Times::Plain(_), Scale::Months | Scale::Days) => None,
            (Times::Dates(days), scale) => {
                let scale = if scale == Scale::Plain { Scale::Years } else { scale };
                fits(days, scale).then(|| days.iter().map(|it| period(*it, scale)).collect())
            }
        }
    }
}

impl Scale {
    /// How a message calls it.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Scale::Plain => "a whole number",
            Scale::Years => "a date counted in years",
            Scale::Months => "a date counted in months",
            Scale::Days => "a date counted in days",
        }
    }

    /// What the panel is told of its periods: dates are counted already, and no other format can be declared for them.
    pub(crate) fn time_format(
        self,
        declared: Option<TimeFormat>,
        time: &Name,
    ) -> Result<Option<TimeFormat>, IngestError> {
        match (self, declared) {
            (Scale::Plain, it) => Ok(it),
            (_, None | Some(TimeFormat::Number)) => Ok(Some(TimeFormat::Number)),
            (_, Some(format)) => Err(IngestError::Request(format!(
                "time-format is {format}, but `{time}` holds dates, which are counted without it; leave it out"
            ))),
        }
    }

    /// The note on a converted time column; nothing for whole numbers.
    pub(crate) fn note(self, time: &Name) -> Option<String> {
        let how = match self {
            Scale::Plain => return None,
            Scale::Years => "their years (all share month and day)",
            Scale::Months => {
                "months since year 0, that is year * 12 + month - 1 (all share the day, or are the last of their months)"
            }
            Scale::Days => "days since 1970-01-01",
        };
        Some(format!("time `{time}` holds dates; periods are {how}"))
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar; `None` when there is no such day.
pub(crate) fn days_from_civil(year: i32, month: i32, day: i32) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years begin in March here, so that the leap day is the last of its year.
    let year = i64::from(year) - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * i64::from((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    i32::try_from(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468).ok()
}

/// Year, month and day of days since 1970-01-01.
fn civil(days: i32) -> (i32, i32, i32) {
    let days = i64::from(days) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    ((year + era * 400 + i64::from(month <= 2)) as i32, month as i32, day as i32)
}

fn fits(days: &[i32], scale: Scale) -> bool {
    // The day after a month's last day is the first of another month.
    let ends = |it: &i32| civil(it.saturating_add(1)).2 == 1;
    if scale == Scale::Months && days.iter().all(ends) {
        return true;
    }
    let mut rest = days.iter().map(|it| civil(*it)).map(|(_, month, day)| match scale {
        Scale::Years => (month, day),
        Scale::Months => (0, day),
        Scale::Plain | Scale::Days => (0, 0),
    });
    rest.next().is_none_or(|first| rest.all(|it| it == first))
}

fn period(days: i32, scale: Scale) -> i32 {
    let (year, month, _) = civil(days);
    match scale {
        Scale::Plain | Scale::Years => year,
        Scale::Months => year * 12 + month - 1,
        Scale::Days => days,
    }
}

fn whole(
    values: &[f64],
    missing: impl Fn(usize) -> IngestError,
    bad: impl Fn(usize, f64) -> IngestError,
) -> Result<Vec<i32>, IngestError> {
    let convert = |(row, &it): (usize, &f64)| {
        if it.is_nan() {
            Err(missing(row))
        } else if it.fract() != 0.0 || f64::from(i32::MAX) < it || it < f64::from(i32::MIN) {
            Err(bad(row, it))
        } else {
            Ok(it as i32)
        }
    };
    values.iter().enumerate().map(convert).collect()
}

/// A date with its time of day, which is why it is no period.
fn moment(days: f64) -> String {
    if days.abs() < 1e8 {
        let (year, month, day) = civil(days.floor() as i32);
        let minutes = (days.rem_euclid(1.0) * 1440.0).round() as i32;
        format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minutes / 60, minutes % 60)
    } else {
        format!("{days} days")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_inverse() {
        for days in (-1_000_000..1_000_000).step_by(97) {
            let (year, month, day) = civil(days);
            assert_eq!(days_from_civil(year, month, day), Some(days));
        }
        assert_eq!(days_from_civil(1970, 1, 1), Some(0));
        assert_eq!(days_from_civil(2000, 3, 1), Some(11_017));
        assert_eq!(days_from_civil(2023, 2, 29), None);
    }

    #[test]
    fn scales_are_the_coarsest_that_fit() {
        let date = |year, month, day| days_from_civil(year, month, day).unwrap();
        let scale = |days: &[i32]| Times::Dates(days.to_vec()).scale();
        assert_eq!(scale(&[date(2011, 12, 31), date(2012, 12, 31)]), Scale::Years);
        assert_eq!(scale(&[date(2011, 1, 1), date(2011, 2, 1)]), Scale::Months);
        assert_eq!(scale(&[date(2010, 1, 31), date(2010, 2, 28), date(2010, 3, 31)]), Scale::Months);
        assert_eq!(scale(&[date(2010, 1, 31), date(2010, 2, 27)]), Scale::Days);
        assert_eq!(scale(&[date(2011, 1, 1), date(2011, 1, 8)]), Scale::Days);
        assert_eq!(Times::Dates(vec![date(2011, 2, 1)]).on(Scale::Months), Some(vec![24_133]));
    }
}

//! [`Calendar`]: how the numbers of a time column become consecutive periods, and how a period is written.
//!
//! Inside the program a period is a whole number and the next one is that plus one; lags, event times and distances are
//! differences of such numbers. What people write is the code: `2004`, `201101`. Which codes a column may hold without a
//! declaration is the business of `disguise`.

use std::{collections::BTreeSet, fmt};

use parallax_base::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PanelError, disguise};

/// What the numbers of a time column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TimeFormat {
    /// Plain whole numbers; years among them.
    Number,
    /// `YYYYMM`, as 201101 for January 2011.
    YearMonth,
    /// `YYYYQ` or `YYYY0Q`, as 20111 or 201101 for the first quarter of 2011.
    YearQuarter,
}

/// Every format, in the order in which messages list them.
const FORMATS: [TimeFormat; 3] = [TimeFormat::YearMonth, TimeFormat::YearQuarter, TimeFormat::Number];

/// The rule between the codes of a time column and consecutive periods.
///
/// The k-th multiple of the step after the origin is period k, where the step is the greatest common one of the panel:
/// 2000, 2002, 2006 are two years a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    format: TimeFormat,
    /// The format was said, not assumed.
    declared: bool,
    /// Two digits hold the quarter, as in 201101.
    wide: bool,
    step: i32,
    origin: i32,
}

impl Default for Calendar {
    fn default() -> Calendar {
        Calendar { format: TimeFormat::Number, declared: false, wide: false, step: 1, origin: 0 }
    }
}

impl Calendar {
    /// The calendar of a panel's codes, in any order and with repetitions.
    ///
    /// # Errors
    /// [`PanelError::PeriodCode`] for a code that the declared format does not have; [`PanelError::Disguised`] where
    /// nothing is declared and the codes jump as those of a calendar do.
    pub fn of(time: &Name, codes: &[i32], declared: Option<TimeFormat>) -> Result<Calendar, PanelError> {
        let distinct = distinct(codes);
        if declared.is_none()
            && let Some(found) = disguise::recognise(&distinct)
        {
            return Err(PanelError::Disguised { time: time.clone(), found });
        }
        let format = declared.unwrap_or(TimeFormat::Number);
        let wide = distinct.last().is_some_and(|it| 100_000 <= *it);
        let base = Calendar { format, declared: declared.is_some(), wide, ..Calendar::default() };
        let mut counts = Vec::with_capacity(distinct.len());
        for code in distinct {
            counts.push(base.count(code).ok_or_else(|| PanelError::PeriodCode {
                time: time.clone(),
                code,
                format,
            })?);
        }
        let step = counts.windows(2).map(|it| i64::from(it[1]) - i64::from(it[0])).fold(0, gcd);
        let step = i32::try_from(step).unwrap_or(1).max(1);
        let origin = counts.first().map_or(0, |it| it.rem_euclid(step));
        Ok(Calendar { step, origin, ..base })
    }

    /// The period of a code; `None` where the format has no such code, or it lies between two periods.
    pub fn period(&self, code: i32) -> Option<i32> {
        let since = self.count(code)?.checked_sub(self.origin)?;
        (since.rem_euclid(self.step) == 0).then(|| since.div_euclid(self.step))
    }

    /// The last period that is not after a code; `None` where the format has no such code.
    pub fn period_before(&self, code: i32) -> Option<i32> {
        Some(self.count(code)?.checked_sub(self.origin)?.div_euclid(self.step))
    }

    /// The first period that is not before a code; `None` where the format has no such code.
    pub fn period_after(&self, code: i32) -> Option<i32> {
        let before = self.period_before(code)?;
        Some(if self.period(code).is_some() { before } else { before.saturating_add(1) })
    }

    /// The code of a period, as people write it.
    pub fn code(&self, period: i32) -> i32 {
        let count = i64::from(period) * i64::from(self.step) + i64::from(self.origin);
        let written = match self.format {
            TimeFormat::Number => count,
            TimeFormat::YearMonth => 100 * count.div_euclid(12) + count.rem_euclid(12) + 1,
            TimeFormat::YearQuarter => {
                (if self.wide { 100 } else { 10 }) * count.div_euclid(4) + count.rem_euclid(4) + 1
            }
        };
        i32::try_from(written).unwrap_or(if written < 0 { i32::MIN } else { i32::MAX })
    }

    /// Refuses codes of a calendar that jump only where dates are beside the periods: those of one year do not.
    ///
    /// `periods` are the panel's, `values` the dates, of which missing ones, fractions and 0 are none.
    ///
    /// # Errors
    /// [`PanelError::Disguised`].
    pub fn refuse_disguised(&self, column: &str, periods: &[i32], values: &[f64]) -> Result<(), PanelError> {
        let (Some(first), Some(last)) = (periods.iter().min(), periods.iter().max()) else { return Ok(()) };
        let (first, last) = (self.code(*first), self.code(*last));
        // Years and counts are shorter than any code with a year in it.
        if self.declared || self.format != TimeFormat::Number || first < 10_000 {
            return Ok(());
        }
        let whole = |it: &f64| it.fract() == 0.0 && 0.0 < *it && *it < f64::from(i32::MAX);
        let mut codes: BTreeSet<i32> = values.iter().copied().filter(whole).map(|it| it as i32).collect();
        codes.extend([first, last]);
        match disguise::recognise(&codes.into_iter().collect::<Vec<i32>>()) {
            Some(found) => Err(PanelError::Disguised { time: column.into(), found }),
            None => Ok(()),
        }
    }

    /// What the codes are.
    pub fn format(&self) -> TimeFormat {
        self.format
    }

    /// How many years, months, quarters or units of a plain number one period is.
    pub fn step(&self) -> i32 {
        self.step
    }

    /// True where a period is its own code.
    pub fn plain(&self) -> bool {
        self.format == TimeFormat::Number && self.step == 1
    }

    /// What a reader has to know about lags and event times, where one period is more than one step of the column.
    pub fn remark(&self, time: &Name) -> Option<String> {
        (1 < self.step).then(|| {
            let unit = match self.format {
                TimeFormat::Number => "",
                TimeFormat::YearMonth => " months",
                TimeFormat::YearQuarter => " quarters",
            };
            format!(
                "periods of `{time}` are {0}{unit} apart or a multiple of that; one period is {0}{unit}, and lags, leads \
                 and event times count such periods",
                self.step
            )
        })
    }

    /// Years, months since year 0, quarters since year 0, or the number itself.
    fn count(&self, code: i32) -> Option<i32> {
        match self.format {
            TimeFormat::Number => Some(code),
            TimeFormat::YearMonth => {
                let (year, month) = (code / 100, code % 100);
                ((1..=9999).contains(&year) && (1..=12).contains(&month)).then(|| year * 12 + month - 1)
            }
            TimeFormat::YearQuarter => {
                let base = if 100_000 <= code { 100 } else { 10 };
                let (year, quarter) = (code / base, code % base);
                ((1..=9999).contains(&year) && (1..=4).contains(&quarter)).then(|| year * 4 + quarter - 1)
            }
        }
    }
}

impl TimeFormat {
    /// As study files and the command line write it.
    pub fn name(self) -> &'static str {
        match self {
            TimeFormat::Number => "number",
            TimeFormat::YearMonth => "year-month",
            TimeFormat::YearQuarter => "year-quarter",
        }
    }

    /// What a code of the format looks like.
    pub fn shape(self) -> &'static str {
        match self {
            TimeFormat::Number => "a whole number",
            TimeFormat::YearMonth => "year and month as one number, as 201101",
            TimeFormat::YearQuarter => "year and quarter as one number, as 20111",
        }
    }
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for TimeFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<TimeFormat, String> {
        FORMATS.into_iter().find(|it| it.name() == text).ok_or_else(|| {
            let known = FORMATS.map(|it| format!("{it} ({})", it.shape()));
            format!("`{text}` is not a time format; write {}", known.join(", "))
        })
    }
}

/// Different numbers of a column of periods, ascending.
pub fn distinct(periods: &[i32]) -> Vec<i32> {
    /// Numbers that lie within such a span are found without sorting rows.
    const SPAN: usize = 1 << 20;
    let (Some(&first), Some(&last)) = (periods.iter().min(), periods.iter().max()) else { return Vec::new() };
    let since = |it: i32| it.abs_diff(first) as usize;
    if SPAN <= since(last) {
        let mut all = periods.to_vec();
        all.sort_unstable();
        all.dedup();
        return all;
    }
    let mut seen = vec![false; since(last) + 1];
    periods.iter().for_each(|it| seen[since(*it)] = true);
    (first..=last).zip(seen).filter(|it| it.1).map(|it| it.0).collect()
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(codes: &[i32], declared: Option<TimeFormat>) -> Calendar {
        Calendar::of(&"t".into(), codes, declared).unwrap()
    }

    #[test]
    fn periods_and_codes_are_inverse() {
        for (codes, format) in [
            (vec![201_010, 201_011, 201_012, 201_101, 201_102], Some(TimeFormat::YearMonth)),
            (vec![20_103, 20_104, 20_111, 20_112], Some(TimeFormat::YearQuarter)),
            (vec![201_003, 201_004, 201_101, 201_102], Some(TimeFormat::YearQuarter)),
            (vec![201_003, 201_006, 201_009, 201_012, 201_103], Some(TimeFormat::YearMonth)),
            (vec![2001, 2003, 2005], None),
            (vec![-3, -1, 1, 3], None),
            (vec![1, 2, 3], None),
        ] {
            let calendar = of(&codes, format);
            let periods: Vec<i32> = codes.iter().map(|it| calendar.period(*it).unwrap()).collect();
            assert!(periods.windows(2).all(|it| it[1] == it[0] + 1), "{codes:?} {periods:?}");
            assert_eq!(periods.iter().map(|it| calendar.code(*it)).collect::<Vec<_>>(), codes);
        }
    }

    #[test]
    fn distinct_numbers_are_those_of_a_set() {
        for codes in
            [vec![], vec![3], vec![5, -2, 5, 0], vec![i32::MIN, i32::MAX, 0, 0], vec![9, 1_200_000, 9]]
        {
            let set: BTreeSet<i32> = codes.iter().copied().collect();
            assert_eq!(distinct(&codes), set.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_step_is_the_greatest_common_one() {
        assert_eq!(of(&[2000, 2006, 2010], None).step(), 2);
        assert!(of(&[2000, 2001, 2010], None).plain());
        assert!(of(&[7], None).plain());
        let biennial = of(&[2001, 2003], None);
        assert_eq!(
            (biennial.period(2002), biennial.period_before(2002), biennial.period_after(2002)),
            (None, biennial.period(2001), biennial.period(2003))
        );
    }

    #[test]
    fn codes_that_a_format_does_not_have_are_refused() {
        let error = Calendar::of(&"t".into(), &[201_012, 201_013], Some(TimeFormat::YearMonth)).unwrap_err();
        assert!(error.to_string().contains("201013"), "{error}");
        assert!(Calendar::of(&"t".into(), &[20_104, 20_105], Some(TimeFormat::YearQuarter)).is_err());
    }
}

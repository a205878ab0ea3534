//! Which whole numbers are a calendar in disguise: codes of months, quarters, weeks or days, and years of two digits,
//! that jump where the calendar goes on.
//!
//! Only codes that jump are recognised: those of one year are consecutive, and every distance between them is right.

use std::collections::BTreeSet;

/// What a column of codes was recognised as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disguise {
    /// `YYYYMM`.
    YearMonth,
    /// `YYYYQ`.
    YearQuarter,
    /// `YYYYWW`.
    YearWeek,
    /// `YYYYDDD`.
    YearDay,
    /// `YYYYMMDD`.
    Date,
    /// `MYYYY` or `MMYYYY`, and quarters written so.
    MonthYear,
    /// `YYMM`.
    ShortYearMonth,
    /// `YYQ`.
    ShortYearQuarter,
    /// 98, 99, 0, 1.
    TwoDigitYear,
}

impl Disguise {
    /// What the numbers look like.
    pub fn text(self) -> &'static str {
        match self {
            Disguise::YearMonth => "year and month in one number (YYYYMM)",
            Disguise::YearQuarter => "year and quarter in one number (YYYYQ)",
            Disguise::YearWeek => "year and week in one number (YYYYWW)",
            Disguise::YearDay => "year and day of the year in one number (YYYYDDD)",
            Disguise::Date => "dates in one number (YYYYMMDD)",
            Disguise::MonthYear => "month or quarter and year in one number (MMYYYY)",
            Disguise::ShortYearMonth => "a year of two digits and a month in one number (YYMM)",
            Disguise::ShortYearQuarter => "a year of two digits and a quarter in one number (YYQ)",
            Disguise::TwoDigitYear => "years of two digits (99, then 0)",
        }
    }

    /// How they jump.
    pub fn jump(self) -> &'static str {
        match self {
            Disguise::YearMonth => "from 201012 to 201101 is one month, and 89 as numbers",
            Disguise::YearQuarter => "from 20104 to 20111 is one quarter, and 7 as numbers",
            Disguise::YearWeek => {
                "from the last week of a year to the next is one week, and about 50 as numbers"
            }
            Disguise::YearDay => "from 2010365 to 2011001 is one day, and 636 as numbers",
            Disguise::Date => "from 20100131 to 20100201 is one day, and 70 as numbers",
            Disguise::MonthYear => "12010, 12011 and 22010 sort by month before year",
            Disguise::ShortYearMonth => "from 1012 to 1101 is one month, and 89 as numbers",
            Disguise::ShortYearQuarter => "from 104 to 111 is one quarter, and 7 as numbers",
            Disguise::TwoDigitYear => "from 99 to 0 is one year, and the order is wrong",
        }
    }

    /// What to do, beside declaring plain numbers.
    pub fn cure(self) -> &'static str {
        match self {
            Disguise::YearMonth => {
                "say --time-format year-month (in a study time-format = \"year-month\"), or year-quarter if the last \
                 digits are quarters"
            }
            Disguise::YearQuarter => {
                "say --time-format year-quarter (in a study time-format = \"year-quarter\"); number half-years \
                 consecutively"
            }
            Disguise::YearWeek | Disguise::YearDay => "make a column that numbers the periods consecutively",
            Disguise::Date => {
                "write dates as 2010-01-31, or make a column that numbers the periods consecutively"
            }
            Disguise::MonthYear => "write the year first, as 201012, and say --time-format year-month",
            Disguise::ShortYearMonth => {
                "write years with four digits, as 201012, and say --time-format year-month"
            }
            Disguise::ShortYearQuarter => {
                "write years with four digits, as 20104, and say --time-format year-quarter"
            }
            Disguise::TwoDigitYear => "write years with four digits",
        }
    }
}

/// Years that codes are taken to mean.
const YEARS: std::ops::RangeInclusive<i32> = 1700..=2200;

/// What distinct codes, ascending, look like; `None` where they do not jump or are no calendar.
pub(crate) fn recognise(codes: &[i32]) -> Option<Disguise> {
    let (first, last) = (*codes.first()?, *codes.last()?);
    if first == last || first < 0 {
        return None;
    }
    if jumps(codes, 10, 4) {
        return Some(Disguise::YearQuarter);
    }
    if jumps(codes, 100, 12) {
        return Some(Disguise::YearMonth);
    }
    if jumps(codes, 100, 53) {
        return Some(Disguise::YearWeek);
    }
    if jumps(codes, 1000, 366) {
        return Some(Disguise::YearDay);
    }
    if dates(codes) {
        return Some(Disguise::Date);
    }
    if codes.iter().all(|it| YEARS.contains(&(it % 10_000)) && (1..=12).contains(&(it / 10_000)))
        && different(codes, |it| it % 10_000)
        && different(codes, |it| it / 10_000)
    {
        return Some(Disguise::MonthYear);
    }
    if (100..=9912).contains(&first) && last <= 9912 && turns(codes, 100, 12) {
        return Some(Disguise::ShortYearMonth);
    }
    if 100 < first && last < 1000 && turns(codes, 10, 4) {
        return Some(Disguise::ShortYearQuarter);
    }
    wraps(codes).then_some(Disguise::TwoDigitYear)
}

/// Four digits of a year and a part from 1 to `most` in every code, in more than one year.
fn jumps(codes: &[i32], base: i32, most: i32) -> bool {
    codes.iter().all(|it| YEARS.contains(&(it / base)) && (1..=most).contains(&(it % base)))
        && different(codes, |it| it / base)
}

/// A part from 1 to `most` in every code, and the last part of some year followed by the first of the next.
fn turns(codes: &[i32], base: i32, most: i32) -> bool {
    let present: BTreeSet<i32> = codes.iter().copied().collect();
    codes.iter().all(|it| (1..=most).contains(&(it % base)))
        && codes.iter().any(|it| it % base == most && present.contains(&(it + base - most + 1)))
}

/// A day of the calendar in every code, in more than one month.
fn dates(codes: &[i32]) -> bool {
    codes.iter().all(|it| {
        YEARS.contains(&(it / 10_000))
            && (1..=12).contains(&(it / 100 % 100))
            && (1..=31).contains(&(it % 100))
    }) && different(codes, |it| it / 100)
}

/// Years of two digits on both sides of a century: the way from the last over 100 to the first is no longer than the
/// other steps, but for the one hole between them.
fn wraps(codes: &[i32]) -> bool {
    let (Some(&first), Some(&last)) = (codes.first(), codes.last()) else { return false };
    if !(90..=99).contains(&last) || 30 < first {
        return false;
    }
    let steps: Vec<i32> = codes.windows(2).map(|it| it[1] - it[0]).collect();
    let hole = steps.iter().copied().max().unwrap_or(0);
    let usual = steps.iter().copied().filter(|it| *it != hole).max().unwrap_or(1);
    50 <= hole && 100 - last + first <= usual
}

fn different(codes: &[i32], part: impl Fn(i32) -> i32) -> bool {
    codes.windows(2).any(|it| part(it[0]) != part(it[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendars_that_jump_are_recognised() {
        for (codes, found) in [
            (vec![201_010, 201_011, 201_012, 201_101], Disguise::YearMonth),
            (vec![201_001, 201_004, 201_101, 201_104], Disguise::YearMonth),
            (vec![20_104, 20_111], Disguise::YearQuarter),
            (vec![201_001, 201_052, 201_101], Disguise::YearWeek),
            (vec![2_010_001, 2_010_365, 2_011_001], Disguise::YearDay),
            (vec![20_100_331, 20_100_630, 20_100_930], Disguise::Date),
            (vec![12_010, 12_011, 22_010, 22_011], Disguise::MonthYear),
            (vec![1_011, 1_012, 1_101], Disguise::ShortYearMonth),
            (vec![981, 982, 983, 984, 991], Disguise::ShortYearQuarter),
            (vec![0, 1, 98, 99], Disguise::TwoDigitYear),
            (vec![0, 2, 96, 98], Disguise::TwoDigitYear),
            (vec![0, 98, 99], Disguise::TwoDigitYear),
        ] {
            assert_eq!(recognise(&codes), Some(found), "{codes:?}");
        }
    }

    #[test]
    fn years_counts_and_one_year_of_codes_are_left_alone() {
        for codes in [
            (1990..=2020).collect(),
            (1..=40).collect(),
            (0..=99).collect(),
            (201_001..=201_012).collect(),
            (20_101..=20_104).collect(),
            (18_263..=18_400).collect(),
            (600..=640).collect::<Vec<i32>>(),
            vec![2000, 2002, 2004, 2006],
            vec![1908, 1912, 2004, 2008],
            vec![0, 60],
            vec![-3, -2, -1, 0, 1],
            vec![1, 2, 4, 8, 16],
            vec![50, 60, 70, 80, 90],
            vec![5],
        ] {
            assert_eq!(recognise(&codes), None, "{codes:?}");
        }
    }
}

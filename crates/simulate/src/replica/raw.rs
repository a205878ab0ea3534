//! Raw yearbook series: money columns whose ratios are the controls, with recording errors, rounding and holes.

use super::digital::Digital;
use super::facts::{FIRST_YEAR, SAMPLE_FROM, YEARS};
use super::grid::Grid;
use super::options::{Control, RecordingError, ReplicaOptions};
use super::roster::City;
use parallax_vcov::Keyed;

/// The raw series, in the order of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawSeries {
    /// Nominal GDP.
    Gdp,
    /// General budget revenue.
    FiscalRevenue,
    /// General budget expenditure.
    FiscalExp,
    /// Retail sales of consumer goods.
    RetailSales,
    /// Sales of wholesale and retail trade above the quota.
    WholesaleRetailSales,
    /// Deposits of financial institutions.
    BankDeposits,
    /// Loans of financial institutions.
    BankLoans,
    /// Value added of the secondary sector.
    VaSecondary,
    /// Value added of the tertiary sector.
    VaTertiary,
    /// Expenditure on education.
    EduExp,
    /// Expenditure on science.
    SciExp,
    /// Digital finance, aggregate index.
    IndexAggregate,
    /// Digital finance, breadth of coverage.
    CoverageBreadth,
    /// Digital finance, depth of use.
    UsageDepth,
    /// Digital finance, level of digitization.
    DigitizationLevel,
}

impl RawSeries {
    /// All of them, in column order.
    pub const ALL: [Self; 15] = [
        Self::Gdp,
        Self::FiscalRevenue,
        Self::FiscalExp,
        Self::RetailSales,
        Self::WholesaleRetailSales,
        Self::BankDeposits,
        Self::BankLoans,
        Self::VaSecondary,
        Self::VaTertiary,
        Self::EduExp,
        Self::SciExp,
        Self::IndexAggregate,
        Self::CoverageBreadth,
        Self::UsageDepth,
        Self::DigitizationLevel,
    ];

    /// Column name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gdp => "gdp",
            Self::FiscalRevenue => "fiscal_revenue",
            Self::FiscalExp => "fiscal_exp",
            Self::RetailSales => "retail_sales",
            Self::WholesaleRetailSales => "wholesale_retail_sales",
            Self::BankDeposits => "bank_deposits",
            Self::BankLoans => "bank_loans",
            Self::VaSecondary => "va_secondary",
            Self::VaTertiary => "va_tertiary",
            Self::EduExp => "edu_exp",
            Self::SciExp => "sci_exp",
            Self::IndexAggregate => "index_aggregate",
            Self::CoverageBreadth => "coverage_breadth",
            Self::UsageDepth => "usage_depth",
            Self::DigitizationLevel => "digitization_level",
        }
    }

    /// Digital finance is an index from 2011 on; everything else is money (10,000 yuan) from 2008 on.
    #[must_use]
    pub fn is_index(self) -> bool {
        matches!(
            self,
            Self::IndexAggregate | Self::CoverageBreadth | Self::UsageDepth | Self::DigitizationLevel
        )
    }

    fn first_year(self) -> usize {
        if self.is_index() { SAMPLE_FROM } else { 0 }
    }

    /// Written precision: coarser than what platforms disagree about in the last bit of a logarithm.
    fn round(self, value: f64) -> f64 {
        let scale = if self.is_index() { 100.0 } else { 10.0 };
        (value * scale).round() / scale
    }
}

/// Numerator and denominator of a control.
fn parts(control: Control) -> (RawSeries, RawSeries) {
    match control {
        Control::Govern => (RawSeries::FiscalRevenue, RawSeries::FiscalExp),
        Control::Consume => (RawSeries::RetailSales, RawSeries::Gdp),
        Control::Market => (RawSeries::WholesaleRetailSales, RawSeries::Gdp),
        Control::Finance => (RawSeries::BankLoans, RawSeries::BankDeposits),
        Control::Structure => (RawSeries::VaTertiary, RawSeries::VaSecondary),
        Control::Education => (RawSeries::EduExp, RawSeries::FiscalExp),
        Control::Science => (RawSeries::SciExp, RawSeries::FiscalExp),
    }
}

/// All raw series without errors and holes, in column order.
pub(crate) fn raw_series(
    cities: &[City],
    gdp: &Grid,
    controls: &[Grid],
    digital: Digital,
    draws: Keyed,
) -> Vec<Grid> {
    let spending = share_of(gdp, cities, 0.20, "fiscal-share", -0.5, draws);
    let deposits = share_of(gdp, cities, 1.40, "deposit-share", 0.5, draws);
    let primary = share_of(gdp, cities, 0.11, "primary-share", -0.7, draws);
    let ratio = |control: Control| &controls[control.position()];
    let structure = ratio(Control::Structure);
    let rest = zip(gdp, &primary, |total, primary| total - primary.min(0.5 * total));
    vec![
        gdp.clone(),
        zip(&spending, ratio(Control::Govern), |base, r| base * r),
        spending.clone(),
        zip(gdp, ratio(Control::Consume), |base, r| base * r),
        zip(gdp, ratio(Control::Market), |base, r| base * r),
        deposits.clone(),
        zip(&deposits, ratio(Control::Finance), |base, r| base * r),
        zip(&rest, structure, |base, r| base / (1.0 + r)),
        zip(&rest, structure, |base, r| base * r / (1.0 + r)),
        zip(&spending, ratio(Control::Education), |base, r| base * r),
        zip(&spending, ratio(Control::Science), |base, r| base * r),
        digital.aggregate,
        digital.breadth,
        digital.depth,
        digital.digitization,
    ]
}

/// A series that is some share of GDP: lognormal between cities, with small changes from year to year.
fn share_of(gdp: &Grid, cities: &[City], mean: f64, stream: &str, size_loading: f64, draws: Keyed) -> Grid {
    gdp.iter()
        .zip(cities)
        .map(|(row, city)| {
            let level = 0.35 * (size_loading * city.size + draws.normal(stream, city.code, -1));
            let path = draws.autoregressive(stream, city.code, YEARS, 0.8);
            std::array::from_fn(|t| row[t] * mean * (level + 0.05 * path[t]).exp())
        })
        .collect()
}

fn zip(left: &Grid, right: &Grid, combine: impl Fn(f64, f64) -> f64) -> Grid {
    left.iter().zip(right).map(|(a, b)| std::array::from_fn(|t| combine(a[t], b[t]))).collect()
}

/// Writes each recording error over one kept city-year, the one with the smallest key.
pub(crate) fn misrecord(table: &mut [Grid], errors: &[RecordingError], cities: &[City], draws: Keyed) {
    for (number, error) in errors.iter().enumerate() {
        let (numerator, denominator) = parts(error.control);
        let key = |row: usize| draws.uniform("misrecord", cities[row].code, number as i64);
        let kept = (0..cities.len()).filter(|&row| cities[row].kept);
        let Some(row) = kept.min_by(|&a, &b| key(a).total_cmp(&key(b))) else { continue };
        let span = (YEARS - SAMPLE_FROM - 2) as f64;
        let t = SAMPLE_FROM
            + 1
            + (draws.uniform("misrecord-year", cities[row].code, number as i64) * span) as usize;
        table[numerator as usize][row][t] = error.value * table[denominator as usize][row][t];
    }
}

/// Rounds to the written precision and opens the holes.
pub(crate) fn publish(table: &mut [Grid], cities: &[City], options: &ReplicaOptions, draws: Keyed) {
    for (series, grid) in RawSeries::ALL.into_iter().zip(table) {
        for (city, row) in cities.iter().zip(grid) {
            for (t, value) in row.iter_mut().enumerate() {
                let absent = t < series.first_year() || is_hole(series, city, t, options, draws);
                *value = if absent { f64::NAN } else { series.round(*value) };
            }
        }
    }
}

/// Kept cities miss single years that interpolation can fill; the others miss a whole end as well.
fn is_hole(series: RawSeries, city: &City, t: usize, options: &ReplicaOptions, draws: Keyed) -> bool {
    let draw = draws.uniform("hole", city.code, (series as i64) * 100 + t as i64);
    if city.kept {
        return t > series.first_year() && t + 1 < YEARS && draw < options.missing_rate;
    }
    let length = 1 + (draws.uniform("sparse-length", city.code, 0) * 3.0) as usize;
    let early = draws.uniform("sparse-end", city.code, 0) < 0.5;
    let cut_off = if early { t < SAMPLE_FROM + length } else { t + length >= YEARS };
    // GDP keeps its base year even there, as short series usually lack everything but GDP.
    (cut_off && series != RawSeries::Gdp) || draw < options.sparse_missing_rate
}

/// The year of a position, for the caller's rows.
pub(crate) fn year_of(t: usize) -> i32 {
    FIRST_YEAR + t as i32
}

//! The public facts the replica stands on: which cities exist, when they were approved, how the nation grew.

use std::collections::BTreeMap;

use crate::error::SimulateError;

/// First year of the raw series: the base of the resilience index.
pub const FIRST_YEAR: i32 = 2008;
/// First year of the estimation sample.
pub const SAMPLE_START: i32 = 2011;
/// Last year of both.
pub const LAST_YEAR: i32 = 2022;

/// Number of years of the raw series.
pub(crate) const YEARS: usize = (LAST_YEAR - FIRST_YEAR + 1) as usize;
/// Position of the first sample year among the raw years.
pub(crate) const SAMPLE_FROM: usize = (SAMPLE_START - FIRST_YEAR) as usize;

/// Administrative class of a city, highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CityClass {
    /// Directly under the central government.
    Municipality,
    /// Sub-provincial city, whether or not it is a provincial capital.
    SubProvincial,
    /// Provincial capital that is not sub-provincial.
    Capital,
    /// Any other prefecture-level city.
    Ordinary,
    /// Prefectures, leagues and autonomous prefectures: no yearbook city, not simulated.
    NotACity,
}

/// What is publicly known about one city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CityFact {
    /// Six-digit administrative code.
    pub code: i64,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Province, in Chinese.
    pub province: String,
    /// Administrative class.
    pub class: CityClass,
    /// Year in which the pilot zone was approved, which is the first treated year.
    pub approval_year: Option<i32>,
    /// Kinds in which effects differ.
    pub kind: CityKind,
}

/// Kinds of cities beside their class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CityKind {
    /// One of the 70 large and medium-sized cities of the statistical bureau.
    pub large_medium: bool,
    /// Fewer residents in 2020 than in 2010.
    pub outflow: bool,
    /// In the plan for resource-based cities.
    pub resource: bool,
    /// There at the growing stage.
    pub growing: bool,
    /// Provincial capital, sub-provincial ones included.
    pub capital: bool,
}

/// What is publicly known about the nation in one year.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NationalFact {
    /// The year.
    pub year: i32,
    /// Growth of real GDP over the year before, in per cent as published.
    pub real_growth: f64,
    /// Price index with 2008 = 1, by which nominal city GDP is deflated.
    pub deflator: f64,
}

/// National facts in the order of the raw years, growth as a fraction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nation {
    pub growth: [f64; YEARS],
    pub deflator: [f64; YEARS],
}

impl Nation {
    pub(crate) fn new(facts: &[NationalFact]) -> Result<Self, SimulateError> {
        let by_year: BTreeMap<i32, &NationalFact> = facts.iter().map(|fact| (fact.year, fact)).collect();
        let mut nation = Self { growth: [0.0; YEARS], deflator: [0.0; YEARS] };
        for (t, year) in (FIRST_YEAR..=LAST_YEAR).enumerate() {
            let fact = by_year.get(&year).ok_or(SimulateError::MissingYear { year })?;
            nation.growth[t] = positive(year, "real growth", fact.real_growth)? / 100.0;
            nation.deflator[t] = positive(year, "the deflator", fact.deflator)?;
        }
        Ok(nation)
    }
}

/// The index divides by growth and the pipeline by the deflator, so neither may be zero.
fn positive(year: i32, what: &'static str, value: f64) -> Result<f64, SimulateError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(SimulateError::BadNational { year, what, value })
    }
}

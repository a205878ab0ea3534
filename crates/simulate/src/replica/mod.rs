//! The replica: a simulated panel on the real cities, dates and national growth of the study.
//!
//! The economics are drawn; only names, codes, classes, approval dates and national growth are facts, and only the
//! moments the paper prints were used to set the constants. In one paragraph: every city has a size, a lasting
//! growth factor and seven controls. Size is larger in cities of rank and in cities that were approved; controls
//! depend on size in level and in trend, the growth factor does not. Resilience of city i in year t is
//!
//! ```text
//! R_it = M_t (1 + u_i + v_i s_t) e_it / g_t - 1  +  b' X*_it  +  c N*_it  +  effect_it
//! ```
//!
//! with M_t the mean cumulated growth since 2008, g_t national growth in year t, u_i and v_i the lasting level
//! and drift of the city factor (s_t is standardised time), e_it its passing AR(1) part, X* the controls and N* the noise of digital finance, both as change
//! since 2011 beyond the mean change, which is the variable itself up to city and year effects. Dividing by g_t is what makes 2020 and 2022 spike. GDP is then solved from R, and the raw
//! series from GDP and the controls, so that a study that builds its index from raw series recovers R. The
//! noise is heteroskedastic, and correlated over time through u_i, but independent of D: the effect is identified
//! by two-way fixed effects once controls are in, and overstated without them.

mod controls;
mod defaults;
mod digital;
mod effect;
mod facts;
mod grid;
mod options;
mod outcome;
mod raw;
mod roster;
mod sparse;

pub use effect::KnownEffect;
pub use facts::{CityClass, CityFact, CityKind, FIRST_YEAR, LAST_YEAR, NationalFact, SAMPLE_START};
pub use options::{
    Control, ControlOptions, DigitalOptions, EffectOptions, MediatorOptions, RecordingError, ReplicaOptions,
    Shape, SizeOptions,
};
pub use raw::RawSeries;

use self::grid::Grid;
use self::roster::City;
use crate::error::SimulateError;
use parallax_vcov::Keyed;

/// One raw series, a value for each row; NaN is missing.
#[derive(Debug, Clone)]
pub struct Series {
    /// Which series.
    pub series: RawSeries,
    /// Values by row.
    pub values: Vec<f64>,
}

/// The raw panel, rows ascending by code and year, and the truth behind it.
#[derive(Debug, Clone)]
pub struct Replica {
    /// City code by row.
    pub code: Vec<i64>,
    /// Year by row.
    pub year: Vec<i32>,
    /// Raw series in column order.
    pub series: Vec<Series>,
    /// What no study would know.
    pub truth: ReplicaTruth,
}

/// The truth, row by row where it varies.
#[derive(Debug, Clone)]
pub struct ReplicaTruth {
    /// Total effect of approval on resilience, as single numbers.
    pub effect: KnownEffect,
    /// The same in each city-year, zero where there is no treatment.
    pub effects: Vec<f64>,
    /// Part of it that runs through the aggregate digital finance index.
    pub mediated_effect: f64,
    /// Effect of approval on that index.
    pub mediator_effect: f64,
    /// Whether the city is meant to be kept.
    pub kept: Vec<bool>,
    /// Treatment.
    pub treated: Vec<f64>,
    /// Resilience without treatment; NaN in the base year.
    pub untreated: Vec<f64>,
    /// Resilience as it is, before rounding and holes; NaN in the base year.
    pub outcome: Vec<f64>,
    /// The seven controls as they enter the outcome, before recording errors, rounding and holes.
    pub controls: Vec<Vec<f64>>,
}

impl Replica {
    /// The values of one raw series.
    #[must_use]
    pub fn values(&self, series: RawSeries) -> &[f64] {
        self.series.get(series as usize).map_or(&[], |column| &column.values)
    }
}

/// Simulates the raw panel of 2008 to 2022 for every prefecture-level city among the facts.
///
/// # Errors
/// When a year of national facts is missing or unusable, a city occurs twice, fewer than ten cities would be kept,
/// an option is out of range, or the options imply a GDP of zero or less.
pub fn replica(
    cities: &[CityFact],
    national: &[NationalFact],
    options: &ReplicaOptions,
) -> Result<Replica, SimulateError> {
    options.check()?;
    let draws = Keyed::new(options.seed);
    let nation = facts::Nation::new(national)?;
    let cities = roster::roster(cities, options, draws)?;
    let drift = outcome::lasting_scores("drift", &cities, draws);
    let controls = outcome::controls(options, &cities, &drift, draws);
    let factor = outcome::city_factor(options, &cities, &drift, draws);
    let digital = digital::digital(&options.digital, &cities, draws);
    let mediator_effect = digital.effect;
    let effects = effect::effects(&options.effect, &nation, &cities);
    let parts = outcome::Parts {
        cities: &cities,
        controls: &controls,
        digital: &digital,
        factor: &factor,
        effects: &effects,
    };
    let result = outcome::outcome(options, &nation, &parts);
    let gdp = outcome::output(options, &nation, &cities, &result.observed)?;
    let mut table = raw::raw_series(&cities, &gdp, &controls, digital, draws);
    raw::misrecord(&mut table, &options.recording_errors, &cities, draws);
    raw::publish(&mut table, &cities, options, draws);
    let truth = ReplicaTruth {
        effect: effect::known(&effects, &cities),
        effects: effects.as_flattened().to_vec(),
        mediated_effect: options.digital.coefficient * mediator_effect,
        mediator_effect,
        kept: by_row(&cities, |city, _| city.kept),
        treated: by_row(&cities, |city, t| city.treated[t]),
        untreated: after_base(&result.untreated),
        outcome: after_base(&result.observed),
        controls: controls.iter().map(|grid| grid.as_flattened().to_vec()).collect(),
    };
    Ok(Replica {
        code: by_row(&cities, |city, _| city.code),
        year: by_row(&cities, |_, t| raw::year_of(t)),
        series: RawSeries::ALL
            .into_iter()
            .zip(table)
            .map(|(series, grid)| Series { series, values: grid.into_flattened() })
            .collect(),
        truth,
    })
}

fn by_row<T>(cities: &[City], cell: impl Fn(&City, usize) -> T) -> Vec<T> {
    cities
        .iter()
        .flat_map(|city| (0..facts::YEARS).map(move |t| (city, t)))
        .map(|(city, t)| cell(city, t))
        .collect()
}

/// The index is zero over zero in its base year, which is no value.
fn after_base(grid: &Grid) -> Vec<f64> {
    grid.iter()
        .flat_map(|row| row.iter().enumerate().map(|(t, v)| if t == 0 { f64::NAN } else { *v }))
        .collect()
}

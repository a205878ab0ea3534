//! The calibrated constants of the replica, each with what it was calibrated to.

use serde::{Deserialize, Serialize};

use super::sparse::SPARSE;
use crate::error::SimulateError;

/// Everything that can be turned in the replica. The defaults are the committed data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplicaOptions {
    /// Seed of every draw. The default is the one of the first two thousand with most columns of Tables 2 to 10 that have
    /// the printed sign and stars at their first term (36 of 41; the average seed has 24).
    pub seed: u64,
    /// Effect of approval on the outcome, in index points.
    pub effect: EffectOptions,
    /// Mean untreated outcome of 2011, 2012 and 2013: the constants of Table 2 (3) and Table 3 (1) and (3).
    pub first_means: [f64; 3],
    /// Growth of the average city after 2013 beyond the national rate, as a fraction. Sets the mean of Table 1.
    pub later_premium: f64,
    /// Standard deviation of the lasting part of the city factor. Sets the spread between cities.
    pub factor_spread: f64,
    /// Standard deviation of a lasting drift of the factor over the sample: cities grow apart.
    pub drift_spread: f64,
    /// Standard deviation of the logarithm of the passing part of the city factor. Sets the R-squared of Table 2 (3).
    pub shock_spread: f64,
    /// Persistence of the passing part from year to year.
    pub shock_persistence: f64,
    /// Size of cities, which is what selection works through.
    pub size: SizeOptions,
    /// The seven controls in the order of Table 1.
    pub controls: Vec<ControlOptions>,
    /// Digital finance and its share in the effect.
    pub digital: DigitalOptions,
    /// Share of single raw values missing in cities that are kept.
    pub missing_rate: f64,
    /// Share of raw values missing in cities that drop out, beside whole years at one end.
    pub sparse_missing_rate: f64,
    /// Codes of cities whose series are too incomplete to be kept.
    pub sparse: Vec<i64>,
    /// Gross errors of the kind yearbooks contain, one city-year each.
    pub recording_errors: Vec<RecordingError>,
}

/// The effect of approval: the sum over the kinds of a city, reached in steps, times what the year makes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EffectOptions {
    /// In every city.
    pub every: f64,
    /// More in large and medium-sized cities.
    pub large_medium: f64,
    /// More in cities that lost residents.
    pub outflow: f64,
    /// More in resource-based cities.
    pub resource: f64,
    /// More in resource-based cities at the growing stage.
    pub growing: f64,
    /// More in provincial capitals.
    pub capital: f64,
    /// More in municipalities, sub-provincial cities and provincial capitals.
    pub center: f64,
    /// Share of it reached in the year of approval, the next one and so on; the last share holds on.
    pub steps: Vec<f64>,
    /// Power of mean over current national growth by which it is multiplied; 0 is none, and with 1 the effect
    /// would be one of output.
    pub spike: f64,
}

/// Size of a city in 2008, in standard deviations and in money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SizeOptions {
    /// Advantage of municipalities, sub-provincial cities and other capitals, in standard deviations.
    pub class_advantage: [f64; 3],
    /// Advantage of cities that are ever approved.
    pub pilot_advantage: f64,
    /// Mean logarithm of GDP in 2008, in 10,000 yuan.
    pub log_output: f64,
    /// Standard deviation of that logarithm.
    pub log_output_spread: f64,
}

/// The controls, by what they are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// Fiscal revenue / fiscal expenditure.
    Govern,
    /// Retail sales / GDP.
    Consume,
    /// Wholesale and retail sales above the quota / GDP.
    Market,
    /// Loans / deposits.
    Finance,
    /// Tertiary / secondary value added.
    Structure,
    /// Education / fiscal expenditure.
    Education,
    /// Science / fiscal expenditure.
    Science,
}

impl Control {
    /// Position in Table 1, and in every table of seven columns here.
    #[must_use]
    pub fn position(self) -> usize {
        self as usize
    }

    /// All of them, in that order.
    pub const ALL: [Self; 7] = [
        Self::Govern,
        Self::Consume,
        Self::Market,
        Self::Finance,
        Self::Structure,
        Self::Education,
        Self::Science,
    ];

    /// Lower-case name, as used for streams and columns.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Govern => "govern",
            Self::Consume => "consume",
            Self::Market => "market",
            Self::Finance => "finance",
            Self::Structure => "structure",
            Self::Education => "education",
            Self::Science => "science",
        }
    }
}

/// How a standard normal becomes a positive ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The cube of a normal, which is a gamma distribution to good accuracy (Wilson and Hilferty 1931).
    Cubic,
    /// The exponential of a normal, for the longest tails.
    LogNormal,
}

/// One control: its distribution, its coefficient and what moves it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlOptions {
    /// Which control.
    pub control: Control,
    /// Mean of Table 1.
    pub mean: f64,
    /// Standard deviation of Table 1, without recording errors.
    pub sd: f64,
    /// Shape of the distribution.
    pub shape: Shape,
    /// Coefficient in the outcome equation.
    pub coefficient: f64,
    /// Weight of the city's own level.
    pub between: f64,
    /// Correlation of that level with the size of the city: the selection on levels.
    pub size_loading: f64,
    /// Weight of the common trend.
    pub trend: f64,
    /// Weight of a trend that is steeper in larger cities: the selection on trends, for which controls correct.
    pub size_trend: f64,
    /// Weight of a trend that is steeper in cities whose growth drifts up.
    pub growth_trend: f64,
    /// Weight of a trend of the city's own.
    pub own_trend: f64,
    /// Weight of the passing part.
    pub within: f64,
    /// Persistence of the passing part.
    pub persistence: f64,
}

/// Digital finance: three sub-indices, the aggregate they add up to, and its part in the outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DigitalOptions {
    /// Coefficient of the aggregate index in the outcome equation (Table 7, column 2).
    pub coefficient: f64,
    /// Coverage breadth.
    pub breadth: MediatorOptions,
    /// Usage depth.
    pub depth: MediatorOptions,
    /// Level of digitization.
    pub digitization: MediatorOptions,
}

/// One sub-index: level(t) + spread * city + drift * city's own trend + effect * treated + noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediatorOptions {
    /// Weight in the aggregate.
    pub weight: f64,
    /// Effect of approval on the sub-index (Table 7, columns 3, 5 and 7).
    pub effect: f64,
    /// Mean level of 2011.
    pub start: f64,
    /// Rise of the mean until 2022.
    pub rise: f64,
    /// Speed at which the rise tapers off, per year.
    pub speed: f64,
    /// Standard deviation between cities.
    pub spread: f64,
    /// Correlation of the city's level with its size.
    pub size_loading: f64,
    /// Standard deviation of the city's own trend.
    pub drift: f64,
    /// Standard deviation of the noise.
    pub noise: f64,
    /// Persistence of the noise.
    pub persistence: f64,
    /// Share of the variance of own trend and noise that the sub-indices have in common.
    pub common: f64,
}

/// One gross error: somewhere the recorded numerator makes a control take this value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingError {
    /// Which control shows it.
    pub control: Control,
    /// The value it shows.
    pub value: f64,
}

impl ReplicaOptions {
    /// Refuses options that would give no numbers or silly ones.
    pub(crate) fn check(&self) -> Result<(), SimulateError> {
        let positions: Vec<usize> = self.controls.iter().map(|c| c.control.position()).collect();
        if positions != (0..Control::ALL.len()).collect::<Vec<_>>() {
            return bad("controls", "all seven controls are needed, in the order of Table 1".to_owned());
        }
        for c in &self.controls {
            if !(c.mean > 0.0 && c.sd > 0.0) {
                return bad("controls", format!("mean and sd of {} must be positive", c.control.name()));
            }
            if !(0.0..1.0).contains(&c.persistence) || c.size_loading.abs() > 1.0 {
                return bad(
                    "controls",
                    format!("persistence or loading of {} is out of range", c.control.name()),
                );
            }
        }
        if !(0.0..1.0).contains(&self.shock_persistence) {
            return bad("shock_persistence", "it must lie in [0, 1)".to_owned());
        }
        let parts = [&self.digital.breadth, &self.digital.depth, &self.digital.digitization];
        if parts.iter().any(|it| !(0.0..=1.0).contains(&it.common)) {
            return bad("digital", "the common share of each sub-index must lie in [0, 1]".to_owned());
        }
        for (option, rate) in
            [("missing_rate", self.missing_rate), ("sparse_missing_rate", self.sparse_missing_rate)]
        {
            if !(0.0..0.5).contains(&rate) {
                return bad(option, format!("it must lie in [0, 0.5), it is {rate}"));
            }
        }
        Ok(())
    }
}

fn bad(option: &'static str, reason: String) -> Result<(), SimulateError> {
    Err(SimulateError::BadOption { option, reason })
}

impl Default for ReplicaOptions {
    fn default() -> Self {
        Self {
            seed: 1288,
            effect: EffectOptions::default(),
            first_means: [3.978, 7.203, 9.271],
            later_premium: -0.006,
            factor_spread: 0.18,
            drift_spread: 0.28,
            shock_spread: 0.12,
            shock_persistence: 0.7,
            size: SizeOptions::default(),
            controls: super::defaults::controls(),
            digital: DigitalOptions::default(),
            missing_rate: 0.015,
            sparse_missing_rate: 0.3,
            sparse: SPARSE.to_vec(),
            recording_errors: super::defaults::recording_errors(),
        }
    }
}

impl Default for EffectOptions {
    fn default() -> Self {
        Self {
            every: 0.1,
            large_medium: 3.7,
            outflow: 6.2,
            resource: -5.7,
            growing: -2.6,
            capital: 2.3,
            center: 0.9,
            steps: vec![0.85, 0.9, 1.1, 1.25],
            spike: 0.5,
        }
    }
}

impl Default for SizeOptions {
    fn default() -> Self {
        Self {
            class_advantage: [3.0, 2.2, 1.2],
            pilot_advantage: 0.9,
            log_output: 16.0,
            log_output_spread: 0.9,
        }
    }
}

impl Default for DigitalOptions {
    fn default() -> Self {
        let [breadth, depth, digitization] = super::defaults::mediators();
        Self { coefficient: 0.442, breadth, depth, digitization }
    }
}

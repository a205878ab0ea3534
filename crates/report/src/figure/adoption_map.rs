//! Who is treated when: cohorts below one another, periods beside one another.

use serde::{Deserialize, Serialize};

use super::Misfit;
use crate::table::numbers;

/// A band for each cohort, as tall as it has units, with a tile for each period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptionMap {
    /// From left to right, rising.
    pub periods: Vec<i32>,
    /// From top to bottom.
    pub bands: Vec<AdoptionBand>,
}

/// Units that adopt together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptionBand {
    /// Left of the band.
    pub label: String,
    /// Units, which the height shows.
    pub units: u64,
    /// First treated period; `None` for never.
    pub first: Option<i32>,
    /// Share of the units that are observed, one a period, from 0 to 1.
    #[serde(with = "numbers")]
    pub observed: Vec<f64>,
}

impl AdoptionMap {
    pub(crate) fn check(&self) -> Result<(), Misfit> {
        if self.bands.iter().all(|it| it.units == 0) || self.periods.is_empty() {
            return Err(Misfit::Empty("the map of adoption".to_owned()));
        }
        match self.bands.iter().find(|it| it.observed.len() != self.periods.len()) {
            None => Ok(()),
            Some(it) => Err(Misfit::Shape(format!(
                "band `{}` has {} periods instead of {}",
                it.label,
                it.observed.len(),
                self.periods.len()
            ))),
        }
    }
}

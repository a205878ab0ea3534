//! Data-generating processes whose effects are known, so that estimators can be held against the truth.
//!
//! Two of them: [`staggered_panel`] is the generic staggered-adoption panel that tests of estimators use;
//! [`replica`] is the simulated city panel of the cross-border e-commerce study, raw yearbook series included.
//! Nothing here reads or writes files: callers hand in facts and options, and get plain columns back.
//!
//! Every random number depends on (seed, stream name, unit, period) alone. A further series, another order of
//! evaluation or another number of threads therefore changes no number that was there before.

mod error;
mod replica;
mod scores;
mod staggered;

pub use error::SimulateError;
pub use replica::{
    CityClass, CityFact, CityKind, Control, ControlOptions, DigitalOptions, EffectOptions, FIRST_YEAR,
    KnownEffect, LAST_YEAR, MediatorOptions, NationalFact, RawSeries, RecordingError, Replica,
    ReplicaOptions, ReplicaTruth, SAMPLE_START, Series, Shape, SizeOptions, replica,
};
pub use scores::normal_scores;
pub use staggered::{Cohort, EffectPath, StaggeredOptions, StaggeredPanel, staggered_panel};

//! Default tables of the replica: controls, digital finance, recording errors.
//!
//! Means and standard deviations are those of Table 1. Coefficients are round numbers that bring the constant
//! of Table 2 (4) near the printed one. The weights were set by trial until the
//! estimates of Table 2 came near the printed ones.

use super::options::{Control, ControlOptions, MediatorOptions, RecordingError, Shape};

/// The seven controls in the order of Table 1.
pub(crate) fn controls() -> Vec<ControlOptions> {
    use Control::{Consume, Education, Finance, Govern, Market, Science, Structure};
    use Shape::{Cubic, LogNormal};
    // Columns: mean, sd, shape, coefficient, between, size loading, trend, size trend, growth trend, own trend, within.
    [
        (Govern, 0.467, 0.214, Cubic, 8.0, 0.90, 0.55, -0.25, 0.00, 0.00, 0.20, 0.15),
        (Consume, 0.388, 0.107, Cubic, 16.0, 0.80, 0.25, 0.05, 0.30, 0.00, 0.25, 0.20),
        (Market, 0.462, 0.441, LogNormal, 1.5, 0.85, 0.60, 0.05, 0.08, 0.00, 0.20, 0.15),
        (Finance, 0.703, 0.208, Cubic, 5.0, 0.80, 0.40, 0.20, 0.00, 0.00, 0.30, 0.15),
        (Structure, 1.063, 0.59, LogNormal, -6.0, 0.80, 0.30, 0.35, 0.00, 0.00, 0.15, 0.10),
        (Education, 0.176, 0.039, Cubic, -90.0, 0.75, 0.00, -0.20, 0.00, 0.32, 0.30, 0.30),
        (Science, 0.018, 0.0172, LogNormal, 40.0, 0.80, 0.60, 0.15, 0.10, 0.00, 0.25, 0.15),
    ]
    .map(
        |(
            control,
            mean,
            sd,
            shape,
            coefficient,
            between,
            size_loading,
            trend,
            size_trend,
            growth_trend,
            own_trend,
            within,
        )| {
            ControlOptions {
                control,
                mean,
                sd,
                shape,
                coefficient,
                between,
                size_loading,
                trend,
                size_trend,
                growth_trend,
                own_trend,
                within,
                persistence: 0.6,
            }
        },
    )
    .to_vec()
}

/// Breadth, depth and digitization. The weights are those by which the coefficients of Table 7 add up.
pub(crate) fn mediators() -> [MediatorOptions; 3] {
    // Columns: weight, effect, start, rise, speed, spread, size loading, drift, noise, persistence, common.
    [
        (0.540, 1.425, 48.0, 250.0, 0.075, 17.0, 0.6, 5.0, 3.5, 0.5, 0.5),
        (0.297, 4.710, 61.0, 214.0, 0.125, 16.0, 0.6, 6.0, 4.5, 0.5, 0.5),
        (0.163, 10.230, 52.0, 255.0, 0.23, 16.0, 0.3, 10.0, 12.0, 0.3, 0.0),
    ]
    .map(
        |(weight, effect, start, rise, speed, spread, size_loading, drift, noise, persistence, common)| {
            MediatorOptions {
                weight,
                effect,
                start,
                rise,
                speed,
                spread,
                size_loading,
                drift,
                noise,
                persistence,
                common,
            }
        },
    )
}

/// The extremes of Table 1 that no smooth distribution with its moments attains.
pub(crate) fn recording_errors() -> Vec<RecordingError> {
    [(Control::Finance, 5.613), (Control::Finance, 0.060), (Control::Consume, 0.0004)]
        .map(|(control, value)| RecordingError { control, value })
        .to_vec()
}

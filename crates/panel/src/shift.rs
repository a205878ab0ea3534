//! Time-based lags, leads and differences: a gap gives missing, as Stata's `L.` and fixest's `l()`.

use crate::{Panel, PanelError};

/// The value `by` periods earlier of the same unit (later when `by` is negative); NaN where there is none.
///
/// `values` has one number a row of the panel, and so has the result.
///
/// # Errors
/// [`PanelError::NotIndexed`] without unit and time.
pub fn shift(panel: &Panel, values: &[f64], by: i32) -> Result<Vec<f64>, PanelError> {
    panel.require_index(if by < 0 { "a lead" } else { "a lag" })?;
    let units = &panel.units().code;
    let periods = panel.periods();
    let mut shifted = vec![f64::NAN; values.len()];
    let mut source = 0;
    for row in 0..values.len() {
        let wanted = (units[row], i64::from(periods[row]) - i64::from(by));
        let key = |at: usize| (units[at], i64::from(periods[at]));
        while source < values.len() && key(source) < wanted {
            source += 1;
        }
        if source < values.len() && key(source) == wanted {
            shifted[row] = values[source];
        }
    }
    Ok(shifted)
}

/// The change since `by` periods earlier; NaN where that period is missing.
///
/// # Errors
/// [`PanelError::NotIndexed`] without unit and time.
pub fn difference(panel: &Panel, values: &[f64], by: i32) -> Result<Vec<f64>, PanelError> {
    let mut lagged = shift(panel, values, by)?;
    for (lagged, now) in lagged.iter_mut().zip(values) {
        *lagged = now - *lagged;
    }
    Ok(lagged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Codes, PanelBuilder};

    #[test]
    fn gaps_give_missing_and_units_do_not_mix() {
        let units = Codes::from_reals(&[1.0, 1.0, 1.0, 2.0, 2.0]);
        let panel = PanelBuilder::new(5)
            .index("u".into(), units, "t".into(), vec![2000, 2001, 2003, 2001, 2002])
            .build()
            .unwrap();
        let values = [1.0, 2.0, 4.0, 10.0, 20.0];
        let text = |it: Vec<f64>| it.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(text(shift(&panel, &values, 1).unwrap()), "NaN 1 NaN NaN 10");
        assert_eq!(text(shift(&panel, &values, -1).unwrap()), "2 NaN NaN 20 NaN");
        assert_eq!(text(shift(&panel, &values, 2).unwrap()), "NaN NaN 2 NaN NaN");
        assert_eq!(text(difference(&panel, &values, 1).unwrap()), "NaN 1 NaN NaN 10");
    }
}

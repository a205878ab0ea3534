//! What programs do to a multi-way covariance that is not positive; nothing is done unless one is named.
//!
//! A signed sum of cluster terms (Cameron, Gelbach and Miller 2011) may have negative variances where one direction has few
//! clusters. Setting negative eigenvalues to zero makes a number of it that depends on the unit and the origin of every
//! regressor, and that is small where the sum was negative: noise becomes significant. So the sum stays as it is by
//! default, and a coefficient whose variance is not positive has no error. A program's number is there by its name.

use std::{fmt, str::FromStr};

use parallax_linalg::{
    Mat, nearest_psd,
    rounding::{clear, is_rounding},
    symmetric_eigen,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::VcovError;

/// A program whose repair is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Repair {
    /// Negative eigenvalues become zero, as R fixest does.
    Fixest,
    /// Negative eigenvalues become zero, as reghdfe and ivreg2 do.
    Stata,
    /// None: plm's `vcovDC` is the sum of two less the third, whatever comes out.
    Plm,
}

impl Repair {
    /// Every repair, in the order lists have them.
    pub const ALL: [Repair; 3] = [Repair::Fixest, Repair::Stata, Repair::Plm];

    /// The name as written in study files.
    pub fn name(self) -> &'static str {
        match self {
            Repair::Fixest => "fixest",
            Repair::Stata => "stata",
            Repair::Plm => "plm",
        }
    }

    /// The repaired matrix, and how many eigenvalues were set to zero.
    ///
    /// # Errors
    /// When eigenvalues cannot be computed.
    pub fn apply(this: Option<Repair>, matrix: Mat<f64>) -> Result<(Mat<f64>, usize), VcovError> {
        match this {
            None | Some(Repair::Plm) => Ok((matrix, 0)),
            Some(Repair::Fixest | Repair::Stata) => clamped(&matrix),
        }
    }
}

/// Without negative eigenvalues; a variance that is rounding of the eigenvalues it was made of is zero.
fn clamped(matrix: &Mat<f64>) -> Result<(Mat<f64>, usize), VcovError> {
    let (mut repaired, clamped) = nearest_psd(matrix)?;
    if 0 < clamped {
        let (values, vectors) = symmetric_eigen(matrix.as_ref())?;
        for at in 0..values.len() {
            let size = values.iter().enumerate().map(|(m, it)| vectors[(at, m)].powi(2) * it.abs()).sum();
            if is_rounding(repaired[(at, at)], size) {
                clear(&mut repaired, at);
            }
        }
    }
    Ok((repaired, clamped))
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Repair {
    type Err = VcovError;

    fn from_str(text: &str) -> Result<Repair, VcovError> {
        let known = Repair::ALL.into_iter().find(|it| it.name() == text);
        known.ok_or_else(|| VcovError::UnknownRepair { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_are_read_as_written() {
        for it in Repair::ALL {
            assert_eq!(it.to_string().parse::<Repair>().unwrap(), it);
        }
        assert!("clamp".parse::<Repair>().unwrap_err().to_string().contains("fixest, stata, plm"));
    }

    #[test]
    fn only_a_named_repair_changes_a_matrix() {
        let indefinite = Mat::from_fn(2, 2, |i, j| [[1.0, 2.0], [2.0, 1.0]][i][j]);
        for none in [None, Some(Repair::Plm)] {
            assert_eq!(Repair::apply(none, indefinite.clone()).unwrap(), (indefinite.clone(), 0));
        }
        let (repaired, clamped) = Repair::apply(Some(Repair::Stata), indefinite).unwrap();
        assert_eq!(clamped, 1);
        assert!((repaired[(0, 0)] - 1.5).abs() < 1e-14);
    }
}

//! Kernels, and what their sums over a window are made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The weight of a donor by its distance over the bandwidth, up to a factor (psmatch2's `kerneltype`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// 1 - u^2 within the bandwidth.
    #[default]
    Epanechnikov,
    /// exp(-u^2/2) everywhere.
    Gaussian,
    /// 1 within the bandwidth: radius matching.
    Uniform,
    /// (1 - u^2)^2 within the bandwidth.
    Biweight,
    /// (1 - |u|^3)^3 within the bandwidth.
    Tricube,
}

impl Kernel {
    /// The weight at u; the window is the caller's.
    pub fn weight(self, u: f64) -> f64 {
        match self {
            Kernel::Epanechnikov => 1.0 - u * u,
            Kernel::Gaussian => (-0.5 * u * u).exp(),
            Kernel::Uniform => 1.0,
            Kernel::Biweight => (1.0 - u * u).powi(2),
            Kernel::Tricube => (1.0 - (u * u * u).abs()).powi(3),
        }
    }

    /// Coefficients of the polynomial in |u|; `None` for the Gaussian.
    pub fn polynomial(self) -> Option<&'static [f64]> {
        match self {
            Kernel::Epanechnikov => Some(&[1.0, 0.0, -1.0]),
            Kernel::Gaussian => None,
            Kernel::Uniform => Some(&[1.0]),
            Kernel::Biweight => Some(&[1.0, 0.0, -2.0, 0.0, 1.0]),
            Kernel::Tricube => Some(&[1.0, 0.0, 0.0, -3.0, 0.0, 0.0, 3.0, 0.0, 0.0, -1.0]),
        }
    }
}

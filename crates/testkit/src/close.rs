//! Named closeness: how much two answers may differ, and why that much.

use parallax_model::Estimate;

/// How much two numbers may differ, as a share of the larger one.
#[derive(Debug, PartialEq)]
pub struct Closeness {
    /// The name shown when it is exceeded.
    pub name: &'static str,
    /// Share of the larger number.
    pub relative: f64,
    /// Why this much.
    pub reason: &'static str,
}

/// Bit for bit.
pub const SAME: Closeness =
    Closeness { name: "same", relative: 0.0, reason: "the same operations in the same order" };

/// Sums in another order.
pub const REORDERED: Closeness = Closeness {
    name: "reordered",
    relative: 1e-11,
    reason: "sums of a few hundred terms in another order differ by 1e-14, and a condition of 1e3 is allowed for",
};

/// Numbers multiplied by a constant.
pub const RESCALED: Closeness = Closeness {
    name: "rescaled",
    relative: 1e-11,
    reason: "each product is rounded once, 1e-16, and a condition of 1e5 is allowed for",
};

/// Two ways to one answer.
pub const NEAR: Closeness = Closeness {
    name: "two ways",
    relative: 1e-9,
    reason: "absorbed columns are exact to 1e-10 of their norm; dummies cost a condition of the same order",
};

/// Compares two numbers.
///
/// # Errors
/// What differs and by how much.
pub fn compare(what: &str, a: f64, b: f64, closeness: &Closeness) -> Result<(), String> {
    let allowed = closeness.relative * a.abs().max(b.abs());
    let same = a.to_bits() == b.to_bits() || (a - b).abs() <= allowed;
    if same {
        Ok(())
    } else {
        Err(format!("{what}: {a} and {b} differ by more than `{}` allows", closeness.name))
    }
}

/// Compares statistics and the tables beside coefficients, bit for bit.
///
/// # Errors
/// The first number or word that differs.
pub fn details(a: &Estimate, b: &Estimate) -> Result<(), String> {
    for ((name, x), (_, y)) in a.stats.iter().zip(b.stats.iter()) {
        compare(name, x, y, &SAME)?;
    }
    if a.details.len() != b.details.len() {
        return Err(format!("{} and {} tables", a.details.len(), b.details.len()));
    }
    for (a, b) in a.details.iter().zip(&b.details) {
        for (x, y) in a.columns.iter().zip(&b.columns) {
            let same = match (x.values.numbers(), y.values.numbers()) {
                (Some(x), Some(y)) => x.iter().map(|it| it.to_bits()).eq(y.iter().map(|it| it.to_bits())),
                _ => x.values == y.values,
            };
            if !same {
                return Err(format!("table `{}`, column `{}`", a.name, x.name));
            }
        }
    }
    Ok(())
}

/// Compares numbers one by one, each on the scale of the largest: what is zero but for rounding is zero.
///
/// # Errors
/// The first that differ.
pub fn vectors(what: &str, a: &[f64], b: &[f64], closeness: &Closeness) -> Result<(), String> {
    if a.len() != b.len() {
        return Err(format!("{what}: {} and {} numbers", a.len(), b.len()));
    }
    let scale = a.iter().chain(b).fold(0.0_f64, |largest, it| largest.max(it.abs()));
    for (at, (x, y)) in a.iter().zip(b).enumerate() {
        let same = x.to_bits() == y.to_bits() || (x - y).abs() <= closeness.relative * scale;
        if !same {
            return Err(format!("{what} {at}: {x} and {y} differ by more than `{}` allows", closeness.name));
        }
    }
    Ok(())
}

/// Compares terms, coefficients and covariances of two estimates.
///
/// # Errors
/// What differs.
pub fn matrices(a: &Estimate, b: &Estimate, closeness: &Closeness) -> Result<(), String> {
    if a.terms != b.terms {
        return Err(format!("terms {:?} and {:?}", a.terms, b.terms));
    }
    vectors("coefficient", &a.coef, &b.coef, closeness)?;
    let flat = |it: &Estimate| -> Vec<f64> {
        let k = it.vcov.matrix.nrows();
        (0..k * k).map(|at| it.vcov.matrix[(at / k, at % k)]).collect()
    };
    vectors("covariance", &flat(a), &flat(b), closeness)?;
    vectors("degrees of freedom", &[a.vcov.arithmetic.t_df], &[b.vcov.arithmetic.t_df], &SAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_is_close_and_apart_is_apart() {
        assert!(compare("x", 1.0, 1.0, &SAME).is_ok());
        assert!(compare("x", 1.0, 1.0 + f64::EPSILON, &SAME).is_err());
        assert!(compare("x", 1.0, 1.0 + 1e-12, &REORDERED).is_ok());
        assert!(compare("x", 1.0, 1.0 + 1e-10, &REORDERED).is_err());
        assert!(compare("x", 1.0, f64::NAN, &NEAR).is_err());
        assert!(vectors("x", &[1.0, 1e-13], &[1.0, -1e-13], &REORDERED).is_ok());
        assert!(vectors("x", &[1.0], &[1.0, 2.0], &REORDERED).is_err());
    }
}

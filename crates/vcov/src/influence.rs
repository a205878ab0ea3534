//! Covariance of coefficients from their influence functions.

use parallax_linalg::{
    Mat, MatRef, gram,
    rounding::{clear, is_rounding},
};
use parallax_panel::Codes;

use crate::{Arithmetic, SmallSample, Vcov, VcovError, VcovPlan, VcovSpec};

impl Vcov {
    /// A matrix by a paper's own formula: no factor for small samples, normal quantiles, `n` rows.
    pub fn by_formula(matrix: Mat<f64>, spec: &VcovSpec, n: usize) -> Vcov {
        Vcov {
            matrix,
            spec: spec.clone(),
            small_sample: SmallSample::NONE,
            arithmetic: Arithmetic {
                preset: SmallSample::NONE.preset,
                n,
                regressors: 0,
                effects: Vec::new(),
                k: 0,
                factor: 1.0,
                factor_text: "1".to_owned(),
                terms: Vec::new(),
                t_df: f64::INFINITY,
                t_df_text: "normal".to_owned(),
                residual_df: n,
            },
            repair: None,
            clamped: 0,
        }
    }
}

impl VcovPlan {
    /// The cluster of each unit, under a request for one cluster column.
    ///
    /// # Errors
    /// [`VcovError::NotNested`] when a unit has rows in two clusters, or the request is not for one cluster column.
    pub fn cluster_of_units(&self, units: &Codes) -> Result<Vec<u32>, VcovError> {
        let ([groups], [name]) = (self.groups.as_slice(), self.spec.clusters()) else {
            return Err(VcovError::OneColumn { spec: self.spec.to_string() });
        };
        let mut cluster: Vec<Option<u32>> = vec![None; units.n_groups()];
        for (&unit, &group) in units.code.iter().zip(groups.code.iter()) {
            match &mut cluster[unit as usize] {
                slot @ None => *slot = Some(group),
                Some(known) if *known == group => {}
                Some(_) => return Err(VcovError::NotNested { name: name.name() }),
            }
        }
        Ok(cluster.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// Sum over clusters of psi psi', where psi is a cluster's sum of the rows of `values` (units x k) and
    /// `values` add up over units to estimate less truth. No factor for small samples. `sizes` has for each term the
    /// size of what it was computed from; what clusters leave of that may be rounding, and is no variance then.
    ///
    /// # Errors
    /// As [`VcovPlan::cluster_of_units`].
    pub fn of_influence(
        &self,
        values: MatRef<'_, f64>,
        sizes: &[f64],
        units: &Codes,
    ) -> Result<Vcov, VcovError> {
        let cluster = self.cluster_of_units(units)?;
        let mut matrix = clustered_products(values, &cluster, self.groups[0].n_groups())?;
        for (at, size) in sizes.iter().enumerate() {
            if is_rounding(matrix[(at, at)].sqrt(), *size) {
                clear(&mut matrix, at);
            }
        }
        Ok(Vcov::by_formula(matrix, &self.spec, units.len()))
    }
}

/// Sum over clusters of psi psi'; k x k.
fn clustered_products(
    values: MatRef<'_, f64>,
    cluster: &[u32],
    clusters: usize,
) -> Result<Mat<f64>, VcovError> {
    let column = |j: usize| {
        let mut sums = vec![0.0; clusters];
        for (unit, &group) in cluster.iter().enumerate() {
            sums[group as usize] += values[(unit, j)];
        }
        sums
    };
    let sums: Vec<Vec<f64>> = (0..values.ncols()).map(column).collect();
    let sums: Vec<&[f64]> = sums.iter().map(Vec::as_slice).collect();
    Ok(gram(&sums, None)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_add_up_before_squares() {
        let units = Codes::from_integers([1, 1, 2, 2, 3].map(Some));
        let groups = Codes::from_integers([1, 1, 1, 1, 2].map(Some));
        let plan =
            VcovPlan::new("cluster:g".parse().unwrap(), SmallSample::FIXEST, vec![groups.clone()]).unwrap();
        let psi = Mat::from_fn(3, 1, |unit, _| [1.0, -3.0, 2.0][unit]);
        let found = plan.of_influence(psi.as_ref(), &[1.0], &units).unwrap();
        assert_eq!(found.matrix[(0, 0)], 4.0 + 4.0);
        assert_eq!(found.small_sample, SmallSample::NONE);
        let of_rounding = plan.of_influence(psi.as_ref(), &[1e16], &units).unwrap();
        assert!(of_rounding.std_errors()[0].is_nan(), "beside outcomes of 1e16 three units are rounding");
        assert!(plan.cluster_of_units(&Codes::from_integers([1, 1, 2, 3, 3].map(Some))).is_err());
    }
}

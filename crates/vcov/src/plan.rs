//! The plan: cluster groups and absorbed effects on the estimation sample.

use parallax_base::Name;
use parallax_linalg::{Factor, is_nested};
use parallax_panel::Codes;

use crate::{ClusterScale, Repair, SmallSample, VcovError, VcovSpec};

/// A request with its groups on the estimation sample.
#[derive(Clone, Debug)]
pub struct VcovPlan {
    /// What was asked.
    pub spec: VcovSpec,
    /// How it is scaled.
    pub small_sample: SmallSample,
    /// What is done to a multi-way covariance that is not positive.
    pub repair: Option<Repair>,
    /// One set of codes for each cluster column, on the sample, every group used.
    pub groups: Vec<Codes>,
}

/// An absorbed effect, as far as degrees of freedom need it.
#[derive(Clone, Debug)]
pub struct AbsorbedEffect {
    /// Its name in the formula.
    pub name: Name,
    /// Levels with a row.
    pub levels: usize,
    /// Levels that earlier effects make redundant (reghdfe's pairwise rule); 0 for the first.
    pub redundant: usize,
    /// Codes on the sample, to see whether a cluster nests them.
    pub codes: Codes,
}

impl VcovPlan {
    /// Joins the request with its groups.
    ///
    /// # Errors
    /// [`VcovError::OneCluster`] when a cluster column has fewer than two groups.
    pub fn new(spec: VcovSpec, small_sample: SmallSample, groups: Vec<Codes>) -> Result<VcovPlan, VcovError> {
        for (name, codes) in spec.clusters().iter().zip(&groups) {
            if codes.n_groups() < 2 {
                return Err(VcovError::OneCluster { name: name.name(), groups: codes.n_groups() });
            }
        }
        Ok(VcovPlan { spec, small_sample, repair: None, groups })
    }

    /// With a program's repair of multi-way covariances.
    #[must_use]
    pub fn repaired(self, repair: Option<Repair>) -> VcovPlan {
        VcovPlan { repair, ..self }
    }

    /// The same request on some of the rows: `rows` are numbers of rows of the sample, in any order and number.
    ///
    /// # Errors
    /// As [`VcovPlan::new`].
    pub fn on_rows(&self, rows: &[usize]) -> Result<VcovPlan, VcovError> {
        let groups = self.groups.iter().map(|it| it.compact(rows.iter().copied())).collect();
        Ok(VcovPlan::new(self.spec.clone(), self.small_sample, groups)?.repaired(self.repair))
    }

    /// The first cluster column whose groups contain every group of `effect`, if there is one.
    pub fn nests(&self, effect: &Codes) -> Option<Name> {
        let by = self.spec.clusters().iter().zip(&self.groups);
        by.into_iter().find(|(_, groups)| is_nested(factor(effect), factor(groups))).map(|(by, _)| by.name())
    }

    /// The factor for few clusters of a term with that many groups.
    pub fn cluster_scale(&self, groups: usize) -> f64 {
        let ratio = |groups: usize| groups as f64 / (groups as f64 - 1.0);
        match self.small_sample.clusters {
            ClusterScale::None => 1.0,
            ClusterScale::Smallest => ratio(self.groups.iter().map(Codes::n_groups).min().unwrap_or(groups)),
            ClusterScale::Each => ratio(groups),
        }
    }

    /// The same request under other rules, for comparisons.
    pub fn under(&self, small_sample: SmallSample) -> VcovPlan {
        VcovPlan { small_sample, ..self.clone() }
    }
}

/// Codes as linear algebra takes them.
pub(crate) fn factor(codes: &Codes) -> Factor<'_> {
    Factor { codes: &codes.code, n_groups: codes.n_groups() }
}

//! What stands in the registry beside the code; documentation, help and checks read it.

use std::fmt;

use parallax_base::Name;
use serde::Serialize;

use crate::{VcovKind, VcovSpec};

/// An estimator's entry.
#[derive(Debug)]
pub struct Meta {
    /// Name, texts and status.
    pub plugin: PluginMeta,
    /// What a request may ask of it.
    pub capabilities: Capabilities,
}

/// What every plugin says of itself.
#[derive(Clone, Copy, Debug)]
pub struct PluginMeta {
    /// Name in study files and on the command line, in kebab-case.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The README beside the code.
    pub docs: &'static str,
    /// How settled it is.
    pub status: Status,
    /// Paper or manual, with equation or section.
    pub reference: &'static str,
}

/// How settled a plugin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// May change.
    Preview {
        /// First version.
        since: &'static str,
    },
    /// Numbers change only with an entry under "Numbers changed".
    Stable {
        /// First version.
        since: &'static str,
    },
    /// Will go.
    Deprecated {
        /// Version of the deprecation.
        since: &'static str,
        /// What to use.
        instead: &'static str,
    },
}

/// Checked before `fit`, so that no request is silently ignored.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Capabilities {
    /// Kinds of covariance.
    pub vcov: &'static [VcovKind],
    /// Analytic weights.
    pub weights: bool,
    /// Weights that count repeated rows.
    pub frequency_weights: bool,
    /// Absorbed effects in the formula: required, allowed or refused.
    pub effects: Support,
    /// Instruments in the formula.
    pub instruments: bool,
    /// Panels with holes.
    pub unbalanced: bool,
    /// Adoption at different times is part of the model, not only of the regressor.
    pub staggered: bool,
    /// Needs unit and time.
    pub needs_index: bool,
}

impl Capabilities {
    /// The covariance where a request names none: iid, or clusters of units for estimators that have no iid.
    pub fn usual_vcov(&self, unit: Option<&Name>) -> VcovSpec {
        match unit {
            Some(unit) if !self.vcov.contains(&VcovKind::Iid) && self.vcov.contains(&VcovKind::Cluster) => {
                VcovSpec::Cluster { by: vec![unit.clone().into()] }
            }
            _ => VcovSpec::Iid,
        }
    }
}

/// Whether a part of a request must, may or must not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Must be there.
    Required,
    /// May be there.
    Allowed,
    /// Must not be there.
    Refused,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Preview { since } => write!(f, "preview since {since}"),
            Status::Stable { since } => write!(f, "stable since {since}"),
            Status::Deprecated { since, instead } => write!(f, "deprecated since {since}, use {instead}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_of_units_stand_in_where_there_is_no_iid() {
        let able = |vcov| Capabilities {
            vcov,
            weights: true,
            frequency_weights: false,
            effects: Support::Refused,
            instruments: false,
            unbalanced: true,
            staggered: true,
            needs_index: true,
        };
        let (clusters, id) = (able(&[VcovKind::Cluster]), Name::from("id"));
        assert_eq!(clusters.usual_vcov(Some(&id)).to_string(), "cluster:id");
        assert_eq!(clusters.usual_vcov(None), VcovSpec::Iid);
        assert_eq!(able(&[VcovKind::Iid, VcovKind::Cluster]).usual_vcov(Some(&id)), VcovSpec::Iid);
        assert_eq!(able(&[VcovKind::Robust]).usual_vcov(Some(&id)), VcovSpec::Iid);
    }
}

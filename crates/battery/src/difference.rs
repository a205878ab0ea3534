//! How far an estimate is from two-way fixed effects, and how sure that is.

use parallax_base::Name;
use parallax_model::{Distribution, Panel};

use crate::{BatteryError, Member, REFERENCE};

/// An overall effect less that of two-way fixed effects.
///
/// Both are sums of influence functions over the same units, so the variance of their difference is the sum over
/// clusters of (psi - psi_0)^2: the test of Hausman (1978) in the robust form. No factor for small samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The member's name.
    pub name: &'static str,
    /// Its effect less the reference's.
    pub estimate: f64,
    /// `None` where one of the two has no influence functions.
    pub std_error: Option<f64>,
    /// Two-sided, from the normal distribution.
    pub p_value: Option<f64>,
}

/// One difference for each other member with an overall effect.
pub(crate) fn from_reference(
    members: &[Member],
    panel: &Panel,
    cluster: &Name,
) -> Result<Vec<Difference>, BatteryError> {
    let n_units = panel.units().n_groups();
    let of_unit = cluster_of_units(panel, cluster)?;
    let psi = |member: &Member| {
        let (at, estimate) = member.effect()?;
        Some(estimate.influence.as_ref()?.on_panel(at, n_units))
    };
    let Some(reference) = members.iter().find(|it| it.name == REFERENCE) else { return Ok(Vec::new()) };
    let Some((at, base)) = reference.effect() else { return Ok(Vec::new()) };
    let (base, psi_of_base) = (base.coef[at], psi(reference));
    let difference = |member: &Member| {
        let (at, own) = member.effect()?;
        let estimate = own.coef[at] - base;
        let std_error = match (&psi_of_base, psi(member)) {
            (Some(base), Some(own)) => Some(clustered_norm(&own, base, &of_unit)),
            _ => None,
        };
        let p_value = std_error.map(|it| Distribution::Normal.p_value(estimate / it));
        Some(Difference { name: member.name, estimate, std_error, p_value })
    };
    Ok(members.iter().filter(|it| it.name != REFERENCE).filter_map(difference).collect())
}

/// The cluster of each unit of the panel. Members have refused a unit in two clusters.
fn cluster_of_units(panel: &Panel, cluster: &Name) -> Result<Vec<usize>, BatteryError> {
    let codes = match panel.index() {
        Some((unit, _)) if unit == cluster => panel.units(),
        _ => panel.codes(cluster)?,
    };
    let mut of_unit = vec![0; panel.units().n_groups()];
    for (&unit, &group) in panel.units().code.iter().zip(codes.code.iter()) {
        of_unit[unit as usize] = group as usize;
    }
    Ok(of_unit)
}

/// Root of the sum over clusters of (sum of a - b)^2.
fn clustered_norm(a: &[f64], b: &[f64], of_unit: &[usize]) -> f64 {
    let mut sums = vec![0.0; of_unit.len()];
    for ((a, b), &group) in a.iter().zip(b).zip(of_unit) {
        if let Some(sum) = sums.get_mut(group) {
            *sum += a - b;
        }
    }
    sums.iter().map(|it| it * it).sum::<f64>().sqrt()
}

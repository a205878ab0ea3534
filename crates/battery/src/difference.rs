//! How far an estimate is from two-way fixed effects, and how sure that is.

use parallax_base::Name;
use parallax_model::{Distribution, Panel, linalg::rounding::or_zero};
use parallax_panel::MISSING;

use crate::{BatteryError, Member, REFERENCE};

/// An overall effect less that of two-way fixed effects.
///
/// Both are sums of influence functions over the same units, so the variance of their difference is the sum over
/// clusters of (psi - psi_0)^2: the test of Hausman (1978) in the robust form. No factor for small samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The member's name.
    pub name: &'static str,
    /// Its effect less the reference's; exactly zero where the two are the same up to rounding.
    pub estimate: f64,
    /// `None` where one of the two has no influence functions or no error; zero where the two are the same up to rounding.
    pub std_error: Option<f64>,
    /// Two-sided, from the normal distribution; `None` without an error or where it is zero.
    pub p_value: Option<f64>,
}

impl Difference {
    /// The two estimators are one on these data, as with a single cohort in a balanced panel.
    pub fn same(&self) -> bool {
        self.estimate == 0.0 && self.std_error == Some(0.0)
    }
}

/// One difference for each other member with an overall effect; `of_unit` is the cluster of each unit.
pub(crate) fn from_reference(members: &[Member], of_unit: &[usize]) -> Vec<Difference> {
    // Where one of the two has no error nothing is known of their difference.
    let psi = |member: &Member| {
        let (at, estimate) = member.effect()?;
        if estimate.vcov.std_errors()[at].is_nan() {
            return None;
        }
        Some(estimate.influence.as_ref()?.on_panel(at, of_unit.len()))
    };
    let Some(reference) = members.iter().find(|it| it.name == REFERENCE) else { return Vec::new() };
    let Some((at, base)) = reference.effect() else { return Vec::new() };
    let (base, psi_of_base) = (base.coef[at], psi(reference));
    let difference = |member: &Member| {
        let (at, own) = member.effect()?;
        let (name, own) = (member.name, own.coef[at]);
        Some(match (&psi_of_base, psi(member)) {
            (Some(psi_of_base), Some(psi)) => with_error(name, (own, &psi), (base, psi_of_base), of_unit),
            _ => Difference {
                name,
                estimate: or_zero(own - base, own.abs() + base.abs()),
                std_error: None,
                p_value: None,
            },
        })
    };
    members.iter().filter(|it| it.name != REFERENCE).filter_map(difference).collect()
}

/// Of errors, and of estimates beside them: less is rounding and iteration, not a difference.
const ROUNDING: f64 = 1e-6;
/// Of estimates: other estimators come as near only where they are the same.
const COINCIDENCE: f64 = 1e-10;

fn with_error(
    name: &'static str,
    (own, psi): (f64, &[f64]),
    (base, psi_of_base): (f64, &[f64]),
    of_unit: &[usize],
) -> Difference {
    let apart: Vec<f64> = psi.iter().zip(psi_of_base).map(|(a, b)| a - b).collect();
    let std_error = clustered_norm(&apart, of_unit);
    let scale = clustered_norm(psi, of_unit).max(clustered_norm(psi_of_base, of_unit));
    let nothing = ROUNDING * scale + 1e-10 * base.abs();
    let apart = own - base;
    // One estimate in two forms: their errors may follow other conventions, and that is no difference to test.
    if std_error <= nothing || apart.abs() <= COINCIDENCE * base.abs() {
        let estimate = if apart.abs() <= nothing { 0.0 } else { apart };
        return Difference { name, estimate, std_error: Some(0.0), p_value: None };
    }
    let p_value = Some(Distribution::Normal.p_value(apart / std_error));
    Difference { name, estimate: apart, std_error: Some(std_error), p_value }
}

/// The cluster of each unit of the panel, which every member and every difference uses.
///
/// # Errors
/// A unit in two clusters: estimators that see units as wholes cannot be clustered so.
pub(crate) fn cluster_of_units(panel: &Panel, cluster: &Name) -> Result<Vec<usize>, BatteryError> {
    let units = panel.units();
    let codes = match panel.index() {
        Some((unit, _)) if unit == cluster => units,
        _ => panel.codes(cluster)?,
    };
    let mut of_unit: Vec<Option<usize>> = vec![None; units.n_groups()];
    for (row, (&unit, &group)) in units.code.iter().zip(codes.code.iter()).enumerate() {
        // Rows without a cluster leave every sample.
        if group == MISSING {
            continue;
        }
        match &mut of_unit[unit as usize] {
            slot @ None => *slot = Some(group as usize),
            Some(known) if *known == group as usize => {}
            Some(_) => {
                return Err(BatteryError::Treatment(format!(
                    "cluster `{cluster}` changes within a unit at {}; a battery needs groups of whole units",
                    panel.place(row)
                )));
            }
        }
    }
    Ok(of_unit.into_iter().map(Option::unwrap_or_default).collect())
}

/// Root of the sum over clusters of squared sums.
fn clustered_norm(psi: &[f64], of_unit: &[usize]) -> f64 {
    let mut sums = vec![0.0; of_unit.iter().max().map_or(0, |it| it + 1)];
    for (psi, &group) in psi.iter().zip(of_unit) {
        sums[group] += psi;
    }
    sums.iter().map(|it| it * it).sum::<f64>().sqrt()
}

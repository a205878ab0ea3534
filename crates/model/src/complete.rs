//! What every estimate says of its sample, filled in once for all estimators.

use std::collections::HashSet;

use parallax_panel::{MISSING, Panel, Rows};

use crate::{Estimate, FitError, ModelSpec, WeightKind, WeightScale, WeightsUsed, design::cluster_codes};

/// Fills in periods, clusters, weights and observations from the rows that the estimate used.
pub(crate) fn complete(
    estimate: &mut Estimate,
    panel: &Panel,
    spec: &ModelSpec,
    scale: WeightScale,
) -> Result<(), FitError> {
    let sample = &mut estimate.sample;
    sample.periods = panel.index().map(|_| distinct(&sample.rows, |row| panel.periods()[row]));
    for (name, codes) in cluster_codes(panel, spec)? {
        let used: HashSet<u32> = sample.rows.iter().map(|row| codes.code[row]).collect();
        sample.clusters.push((name, used.iter().filter(|it| **it != MISSING).count()));
    }
    sample.observations = sample.rows_used as u64;
    let Some(column) = &spec.weights else { return Ok(()) };
    let counts = spec.weight_kind == WeightKind::Frequency;
    if counts {
        let weights = panel.real(column)?;
        sample.observations = sample.rows.iter().map(|row| weights[row]).sum::<f64>() as u64;
    }
    let scale = if counts { WeightScale::Counts } else { scale };
    sample.weights = Some(WeightsUsed { column: column.clone(), kind: spec.weight_kind, scale });
    Ok(())
}

/// How many periods the rows have. Rows of a unit follow each other in time, so that most repeat what is known.
fn distinct(rows: &Rows, period: impl Fn(usize) -> i32) -> usize {
    rows.iter().map(period).collect::<HashSet<i32>>().len()
}

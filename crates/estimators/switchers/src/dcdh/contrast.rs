//! One effect or one placebo: units that have changed `steps` periods ago against units of the same stratum that
//! have not changed yet, with the influence of each unit.
//!
//! de Chaisemartin and D'Haultfoeuille (2024, REStat 106), DID_l of section 3 and its placebo, and the variance of
//! their section on inference: outcomes' differences are centred within cohorts, with n/(n - 1) for each.

use super::{
    cells::Cells,
    covariates::Adjustment,
    paths::{NEVER, Paths},
};

/// What all contrasts of a design share.
pub struct Setting<'a> {
    pub cells: &'a Cells,
    pub paths: &'a Paths,
    pub adjustment: &'a Adjustment,
    /// Units in the order of their clusters.
    pub order: &'a [usize],
    /// Cluster of each unit.
    pub cluster: &'a [u32],
    /// Switchers that may be used.
    pub switchers: &'a [bool],
    /// Controls are units that never change.
    pub only_never: bool,
}

/// Which differences are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Y at t less Y `steps` periods before, the last period before the change.
    Effect,
    /// Y `2 steps` periods before t less Y `steps` periods before.
    Placebo,
}

/// An estimated contrast.
pub struct Contrast {
    /// The estimate, not normalised.
    pub estimate: f64,
    /// Its influence by unit; they add up to estimate less truth.
    pub psi: Vec<f64>,
    /// Units that have changed.
    pub switching: Vec<usize>,
    /// The sum of their weights.
    pub weight: f64,
    /// Rows of switchers and of their controls.
    pub rows: usize,
    /// Sum over switchers of weight times the distance of the treatment from the baseline.
    pub dose: f64,
    /// The same with the distances of all periods since the change.
    pub path_dose: f64,
}

/// A unit in a period, as a switcher or as a control.
struct Entry {
    unit: usize,
    cell: usize,
    slot: usize,
    weight: f64,
    difference: f64,
    switcher: bool,
}

/// A weighted mean, and of how many clusters.
#[derive(Clone, Copy, Default)]
struct Mean {
    weight: f64,
    sum: f64,
    clusters: usize,
    latest: Option<u32>,
}

impl Mean {
    /// Adds a value; values come in the order of clusters.
    fn add(&mut self, cluster: u32, weight: f64, value: f64) {
        self.weight += weight;
        self.sum += weight * value;
        self.clusters += usize::from(self.latest != Some(cluster));
        self.latest = Some(cluster);
    }

    fn value(&self) -> f64 {
        self.sum / self.weight
    }

    /// The difference from the mean of the cohort, or of cohort and controls together where the cohort is alone,
    /// with sqrt(n / (n - 1)); nothing is subtracted where both are one cluster.
    fn centred(&self, union: &Mean, value: f64) -> f64 {
        let by = |it: &Mean| (value - it.value()) * (it.clusters as f64 / (it.clusters as f64 - 1.0)).sqrt();
        match (self.clusters, union.clusters) {
            (2.., _) => by(self),
            (_, 2..) => by(union),
            _ => value,
        }
    }
}

/// Sums of a stratum in a period.
#[derive(Clone, Copy, Default)]
struct Cell {
    controls: Mean,
    /// Those whose treatment rises and falls.
    switchers: [Mean; 2],
    /// Controls with each of the two.
    union: [Mean; 2],
}

/// The contrast of units `steps` periods after the last period before their change; `None` without switchers that
/// have controls.
pub fn contrast(setting: &Setting<'_>, steps: usize, kind: Kind) -> Option<Contrast> {
    let (cells, paths) = (setting.cells, setting.paths);
    let (entries, n_cells) = entries(setting, steps, kind);
    let mut sums = vec![Cell::default(); n_cells];
    let mut cohorts = vec![Mean::default(); paths.cohorts];
    for it in &entries {
        let (cell, cluster) = (&mut sums[it.cell], setting.cluster[it.unit]);
        if it.switcher {
            let side = side(paths.sign[it.unit]);
            cell.switchers[side].add(cluster, it.weight, it.difference);
            cell.union[side].add(cluster, it.weight, it.difference);
            cohorts[paths.cohort[it.unit]].add(cluster, it.weight, it.difference);
        } else {
            cell.controls.add(cluster, it.weight, it.difference);
            cell.union.iter_mut().for_each(|union| union.add(cluster, it.weight, it.difference));
        }
    }
    let has_controls = |it: &&Entry| 0.0 < sums[it.cell].controls.weight;
    let kept: Vec<&Entry> = entries.iter().filter(has_controls).collect();
    let switchers: Vec<&Entry> = kept.iter().copied().filter(|it| it.switcher).collect();
    let weight: f64 = switchers.iter().map(|it| it.weight).sum();
    if switchers.is_empty() {
        return None;
    }
    let gain = |it: &&Entry| {
        paths.sign[it.unit] * it.weight * (it.difference - sums[it.cell].controls.value()) / weight
    };
    let mut psi = vec![0.0; cells.units()];
    for it in &kept {
        let (cell, value) = (&sums[it.cell], it.difference);
        psi[it.unit] += it.weight / weight
            * if it.switcher {
                let sign = paths.sign[it.unit];
                sign * cohorts[paths.cohort[it.unit]].centred(&cell.union[side(sign)], value)
            } else {
                let share = |side: usize| cell.switchers[side].weight / cell.controls.weight;
                share(1) * cell.controls.centred(&cell.union[1], value)
                    - share(0) * cell.controls.centred(&cell.union[0], value)
            };
    }
    subtract_slopes(setting, steps, kind, &kept, n_cells, &mut psi);
    let (dose, path_dose) = doses(setting, steps, &switchers);
    Some(Contrast {
        estimate: switchers.iter().map(gain).sum(),
        psi,
        switching: switchers.iter().map(|it| it.unit).collect(),
        weight,
        rows: kept.len(),
        dose,
        path_dose,
    })
}

/// 0 for units whose treatment rises, 1 for those whose treatment falls.
fn side(sign: f64) -> usize {
    usize::from(sign < 0.0)
}

/// Switchers and, in cells that have one, controls, in the order of clusters, with the number of such cells.
fn entries(setting: &Setting<'_>, steps: usize, kind: Kind) -> (Vec<Entry>, usize) {
    let (cells, paths) = (setting.cells, setting.paths);
    let periods = cells.n_periods();
    let entry = |unit: usize, period: usize, switcher: bool| {
        let slot = cells.slot(unit, period)?;
        let weight = cells.w[slot];
        let difference = setting.difference(unit, slot, steps, kind)?;
        let cell = paths.stratum[unit] * periods + period;
        (0.0 < weight).then_some(Entry { unit, cell, slot, weight, difference, switcher })
    };
    let switcher = |unit: usize| {
        let period = paths.first[unit].checked_add(steps - 1)?;
        let reached = setting.switchers[unit] && period <= paths.reach[paths.stratum[unit]];
        if reached { entry(unit, period, true) } else { None }
    };
    let (mut number, mut n_cells) = (vec![None; paths.strata * periods], 0);
    for it in setting.order.iter().filter_map(|&unit| switcher(unit)) {
        number[it.cell].get_or_insert_with(|| {
            n_cells += 1;
            n_cells - 1
        });
    }
    let mut entries = Vec::new();
    for &unit in setting.order.iter().filter(|it| paths.used[**it]) {
        let control = !setting.only_never || paths.first[unit] == NEVER;
        let of_stratum = paths.stratum[unit] * periods;
        for (_, period) in cells.of_unit(unit).filter(|it| control && it.1 < paths.first[unit]) {
            if number[of_stratum + period].is_some() {
                entries.extend(entry(unit, period, false));
            }
        }
        entries.extend(switcher(unit));
    }
    entries.iter_mut().for_each(|it: &mut Entry| it.cell = number[it.cell].unwrap_or_default());
    (entries, n_cells)
}

impl Setting<'_> {
    /// The outcome's difference less that of the covariates times their slopes; `None` where a part is missing.
    fn difference(&self, unit: usize, slot: usize, steps: usize, kind: Kind) -> Option<f64> {
        let [to, from] = self.ends(unit, slot, steps, kind)?;
        let y = &self.cells.y;
        let slopes = self.adjustment.slopes(self.paths.baseline[unit]);
        let of_covariates: f64 =
            slopes.iter().zip(&self.cells.x).map(|(slope, x)| slope * (x[to] - x[from])).sum();
        Some(y[to] - y[from] - of_covariates)
    }

    /// The slots whose difference is compared. A placebo uses a unit only where the effect can.
    fn ends(&self, unit: usize, slot: usize, steps: usize, kind: Kind) -> Option<[usize; 2]> {
        let there = |it: &usize| !self.cells.y[*it].is_nan();
        let before = self.cells.back(unit, slot, steps).filter(there)?;
        Some(slot).filter(there)?;
        match kind {
            Kind::Effect => Some([slot, before]),
            Kind::Placebo => Some([self.cells.back(unit, before, steps).filter(there)?, before]),
        }
    }
}

/// The slopes of covariates are estimated: the contrast of each covariate times the influence on its slope.
fn subtract_slopes(
    setting: &Setting<'_>,
    steps: usize,
    kind: Kind,
    kept: &[&Entry],
    n_cells: usize,
    psi: &mut [f64],
) {
    let (cells, paths) = (setting.cells, setting.paths);
    let weight: f64 = kept.iter().filter(|it| it.switcher).map(|it| it.weight).sum();
    for (at, x) in cells.x.iter().enumerate() {
        let mut controls = vec![Mean::default(); n_cells];
        let change = |it: &Entry| {
            setting.ends(it.unit, it.slot, steps, kind).map_or(0.0, |[to, from]| x[to] - x[from])
        };
        for it in kept.iter().filter(|it| !it.switcher) {
            controls[it.cell].add(0, it.weight, change(it));
        }
        let mut contrast = vec![0.0; paths.values.len()];
        for it in kept.iter().filter(|it| it.switcher) {
            contrast[paths.baseline[it.unit]] +=
                paths.sign[it.unit] * it.weight / weight * (change(it) - controls[it.cell].value());
        }
        for (unit, psi) in psi.iter_mut().enumerate().filter(|it| paths.used[it.0]) {
            *psi -= contrast[paths.baseline[unit]] * setting.adjustment.influence(unit, at);
        }
    }
}

/// Sums over switchers of weight times distance from the baseline: in the period of the contrast, and in all since
/// the change.
fn doses(setting: &Setting<'_>, steps: usize, switchers: &[&Entry]) -> (f64, f64) {
    let (mut dose, mut path_dose) = (0.0, 0.0);
    for it in switchers {
        let baseline = setting.paths.values[setting.paths.baseline[it.unit]];
        let distance = |slot: usize| {
            let d = setting.cells.d[slot];
            if d.is_nan() { 0.0 } else { setting.paths.sign[it.unit] * (d - baseline) }
        };
        dose += it.weight * distance(it.slot);
        let since = (0..steps).filter_map(|by| setting.cells.back(it.unit, it.slot, by));
        path_dose += it.weight * since.map(distance).sum::<f64>();
    }
    (dose, path_dose)
}

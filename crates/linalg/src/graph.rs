//! Grouping factors as graphs: components, nesting, singletons, redundant levels.

use crate::{LinalgError, check};

/// One grouping factor on the estimation sample: `codes[i]` in `0..n_groups`; some groups may be empty.
#[derive(Clone, Copy, Debug)]
pub struct Factor<'a> {
    /// Group of each row.
    pub codes: &'a [u32],
    /// Number of groups, at least one more than the largest code.
    pub n_groups: usize,
}

/// The rows that are left when no group of any factor holds a single row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Singletons {
    /// One flag a row: `true` for rows that stay.
    pub keep: Vec<bool>,
    /// Rows dropped because they were alone in a group of this factor; a row counts for the first factor that drops it.
    pub dropped_by: Vec<usize>,
    /// Rounds over the factors until nothing changed, the last one included.
    pub rounds: usize,
}

/// Finds, until none is left, rows that are alone in a group of some factor (Correia 2015, "Singletons, cluster-robust
/// standard errors and fixed effects"). Their residual is zero by construction.
///
/// Rows beyond the end of a factor's codes, and codes outside `n_groups`, are ignored.
pub fn singletons(factors: &[Factor<'_>], n_rows: usize) -> Singletons {
    let mut keep = vec![true; n_rows];
    let mut dropped_by = vec![0; factors.len()];
    let mut counts: Vec<Vec<u32>> = factors.iter().map(|f| counts_of(*f, n_rows)).collect();
    let mut rounds = 0;
    loop {
        let before: usize = dropped_by.iter().sum();
        rounds += 1;
        for k in 0..factors.len() {
            if counts[k].contains(&1) {
                dropped_by[k] += drop_alone(factors, k, &mut counts, &mut keep);
            }
        }
        if dropped_by.iter().sum::<usize>() == before {
            return Singletons { keep, dropped_by, rounds };
        }
    }
}

/// Number of connected components of the bipartite graph whose vertices are the non-empty groups of `a` and of `b`, and
/// whose edges are the rows (Abowd, Creecy and Kramarz 2002).
pub fn connected_components(a: Factor<'_>, b: Factor<'_>) -> usize {
    let labels = component_labels(a, b);
    labels.1
}

/// `true` if every group of `inner` lies in one group of `outer`, as firms in industries.
pub fn is_nested(inner: Factor<'_>, outer: Factor<'_>) -> bool {
    const UNSEEN: u32 = u32::MAX;
    let mut owner = vec![UNSEEN; inner.n_groups];
    inner.codes.iter().zip(outer.codes).all(|(&i, &o)| match owner.get_mut(i as usize) {
        Some(slot) if *slot == UNSEEN => {
            *slot = o;
            true
        }
        Some(slot) => *slot == o,
        None => false,
    })
}

/// How many parameters the effects are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectRanks {
    /// Non-empty groups of each factor.
    pub levels: Vec<usize>,
    /// Redundant levels of each factor by the pairwise rule of reghdfe: 0 for the first; for a later one the largest
    /// number of connected components with any earlier factor, at least 1.
    pub redundant: Vec<usize>,
    /// Rank of all dummies together where it can be computed: up to two factors after nested ones are set aside, or more
    /// when the Schur complement is small enough to factor.
    pub exact: Option<usize>,
}

impl EffectRanks {
    /// Levels less redundant levels, summed: the `df_a` of reghdfe before its adjustment for clustering.
    pub fn pairwise(&self) -> usize {
        self.levels.iter().sum::<usize>() - self.redundant.iter().sum::<usize>()
    }
}

/// Levels and pairwise redundancy; `exact` is left to the absorber.
pub(crate) fn pairwise_ranks(factors: &[Factor<'_>], n_rows: usize) -> EffectRanks {
    let levels = factors.iter().map(|f| counts_of(*f, n_rows).iter().filter(|&&c| c > 0).count()).collect();
    let redundant = (0..factors.len())
        .map(|k| (0..k).map(|j| connected_components(factors[j], factors[k]).max(1)).max().unwrap_or(0))
        .collect();
    EffectRanks { levels, redundant, exact: None }
}

/// Fails unless every factor has `n_rows` codes below its `n_groups`.
pub(crate) fn validate(factors: &[Factor<'_>], n_rows: usize) -> Result<(), LinalgError> {
    for (index, factor) in factors.iter().enumerate() {
        check::length("factor codes", n_rows, factor.codes.len())?;
        let largest = factor.codes.iter().copied().max().unwrap_or(0);
        if n_rows > 0 && largest as usize >= factor.n_groups {
            let row = factor.codes.iter().position(|&c| c as usize >= factor.n_groups).unwrap_or(0);
            let code = factor.codes[row];
            return Err(LinalgError::CodeOutOfRange { factor: index, row, code, n_groups: factor.n_groups });
        }
    }
    Ok(())
}

/// Component label of each group of `a` then of `b` (root vertex numbers), and the number of components.
pub(crate) fn component_labels(a: Factor<'_>, b: Factor<'_>) -> (Vec<u32>, usize) {
    let total = a.n_groups + b.n_groups;
    let mut parent: Vec<u32> = (0..total as u32).collect();
    let mut seen = vec![false; total];
    let mut components = 0usize;
    for (&i, &j) in a.codes.iter().zip(b.codes) {
        let (u, v) = (i as usize, a.n_groups + j as usize);
        if u >= a.n_groups || v >= total {
            continue;
        }
        components += usize::from(!seen[u]) + usize::from(!seen[v]);
        seen[u] = true;
        seen[v] = true;
        let (ru, rv) = (root(&mut parent, u as u32), root(&mut parent, v as u32));
        if ru != rv {
            // The smaller number becomes the root, so that labels do not depend on the order of the rows.
            parent[ru.max(rv) as usize] = ru.min(rv);
            components -= 1;
        }
    }
    for v in 0..total as u32 {
        parent[v as usize] = root(&mut parent, v);
    }
    (parent, components)
}

/// Root of `v`, halving the path on the way.
fn root(parent: &mut [u32], mut v: u32) -> u32 {
    while parent[v as usize] != v {
        let up = parent[parent[v as usize] as usize];
        parent[v as usize] = up;
        v = up;
    }
    v
}

fn counts_of(factor: Factor<'_>, n_rows: usize) -> Vec<u32> {
    let mut counts = vec![0u32; factor.n_groups];
    for &code in factor.codes.iter().take(n_rows) {
        if let Some(count) = counts.get_mut(code as usize) {
            *count += 1;
        }
    }
    counts
}

/// Drops the rows that are alone in their group of factor `k`, and takes them out of every factor's counts.
fn drop_alone(factors: &[Factor<'_>], k: usize, counts: &mut [Vec<u32>], keep: &mut [bool]) -> usize {
    let mut dropped = 0;
    for (row, (&code, kept)) in factors[k].codes.iter().zip(keep.iter_mut()).enumerate() {
        if !*kept || counts[k].get(code as usize) != Some(&1) {
            continue;
        }
        *kept = false;
        dropped += 1;
        for (factor, count) in factors.iter().zip(counts.iter_mut()) {
            if let Some(c) = factor.codes.get(row).and_then(|&code| count.get_mut(code as usize)) {
                *c = c.saturating_sub(1);
            }
        }
    }
    dropped
}

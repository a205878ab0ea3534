//! Which event times local projections are for.

use parallax_model::{Design, FitError};

use crate::{
    horizons::LongDifferences,
    lp_did::{NAME, Options},
    options::periods,
};

/// Event times of the regressions and of the pooled ones.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// Periods before adoption.
    pub leads: i32,
    /// Periods after the first treated one.
    pub lags: i32,
    /// Of the pooled estimate before adoption.
    pub pool_leads: i32,
    /// Of the pooled estimate.
    pub pool_lags: i32,
    /// Neither leads nor lags were chosen here.
    pub given: bool,
}

impl Windows {
    /// What is not given is as far as half of the adopters reach without a gap, and pooled rows with both kinds.
    ///
    /// # Errors
    /// Windows beyond the sample, and no adopter with a base.
    pub fn new(
        design: &Design<'_>,
        differences: &LongDifferences<'_, '_>,
        options: &Options,
    ) -> Result<Windows, FitError> {
        let span = design.periods.iter().max().zip(design.periods.iter().min());
        let span = span.map_or(0, |(last, first)| last.saturating_sub(*first));
        let read = |name: &str, value: Option<u32>| {
            let value = periods(NAME, name, value)?;
            match value.filter(|it| span < *it) {
                None => Ok(value),
                Some(it) => Err(FitError::Options {
                    plugin: NAME,
                    reason: format!("`{name}` is {it}, and the sample spans {span} periods after the first"),
                }),
            }
        };
        let (leads, lags) = (read("leads", options.leads)?, read("lags", options.lags)?);
        let (pool_leads, pool_lags) =
            (read("pool-leads", options.pool_leads)?, read("pool-lags", options.pool_lags)?);
        let given = leads.is_some() && lags.is_some();
        let reach = differences.reach();
        if reach.iter().all(|it| it[0] == 0) {
            return Err(FitError::Model(
                "no adopter has a row in its first treated period and an outcome before it to start from, or one in each \
                 period of its base; check the dates of adoption and `base`, and number periods consecutively"
                    .to_owned(),
            ));
        }
        let half = |side: usize| {
            let mut runs: Vec<i32> = reach.iter().map(|it| it[side]).collect();
            runs.sort_unstable_by_key(|it| std::cmp::Reverse(*it));
            runs.get(runs.len().div_ceil(2) - 1).copied().unwrap_or(0)
        };
        let identified = |targets: &[i32], clean: i32| differences.sample(targets, clean, None).identified();
        let pooled_lags = |it: &i32| identified(&horizons(0, *it), *it);
        let lags = lags.unwrap_or_else(|| (1..half(0)).rev().find(pooled_lags).unwrap_or(0));
        let pooled_leads = |it: &i32| identified(&horizons(-it, -2), 0);
        let leads = leads.unwrap_or_else(|| (2..half(1) + 2).rev().find(pooled_leads).unwrap_or(1));
        let (pool_leads, pool_lags) = (pool_leads.unwrap_or(leads), pool_lags.unwrap_or(lags));
        Ok(Windows { leads, lags, pool_leads, pool_lags, given })
    }
}

/// Event times from one to another.
pub fn horizons(from: i32, to: i32) -> Vec<i32> {
    (from..=to).collect()
}

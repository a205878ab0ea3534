//! [`Design`]: a request resolved against a panel, with every column on the estimation sample.

use std::sync::Arc;

use parallax_base::Name;
use parallax_linalg::{Factor, singletons};
use parallax_panel::{Codes, Dropped, Panel, Sample, SampleBuilder};
use parallax_vcov::{ClusterBy, VcovPlan};

use crate::{
    AbsorptionCache, FitError, ModelSpec, OptionColumns, SingletonPolicy, WeightKind,
    formula::{ModelColumns, NamedCodes, NamedColumn},
};

/// A request resolved against a panel.
///
/// Invariant: every column has `sample.n()` values, in panel order (unit, then period), and none
/// is missing.
pub struct Design<'p> {
    /// The panel the rows come from.
    pub panel: &'p Panel,
    /// Which rows, and why not the others.
    pub sample: Sample,
    /// The outcome.
    pub outcome: Regressor,
    /// Regressors in formula order, the constant not among them.
    pub regressors: Vec<Regressor>,
    /// The formula has a constant (never with absorbed effects).
    pub intercept: bool,
    /// Effects to absorb, in formula order.
    pub effects: Vec<Effect>,
    /// Weights, positive.
    pub weights: Option<Regressor>,
    /// The weights count repeated rows; they are whole.
    pub frequency: bool,
    /// Units on the sample, each with a row; one a row without an index.
    pub units: Codes,
    /// Periods on the sample.
    pub periods: Vec<i32>,
    /// The covariance request with its groups.
    pub vcov: VcovPlan,
    /// What was done about singletons.
    pub singletons: SingletonPolicy,
    /// Whether the estimate shall carry influence functions, which take memory.
    pub keep_influence: bool,
    pub(crate) cache: &'p AbsorptionCache,
}

/// A named column on the sample.
#[derive(Clone, Debug)]
pub struct Regressor {
    /// As the formula writes it.
    pub name: Name,
    /// One value a row of the sample.
    pub values: Arc<Vec<f64>>,
}

/// An effect on the sample.
#[derive(Clone, Debug)]
pub struct Effect {
    /// As the formula writes it.
    pub name: Name,
    /// Codes in which every group has a row.
    pub codes: Codes,
}

impl<'p> Design<'p> {
    /// Resolves names, takes out rows that cannot be used, and gathers what is left.
    ///
    /// # Errors
    /// Unknown or unsuitable columns, negative weights, an empty sample, a cluster with one group.
    pub fn new(
        panel: &'p Panel,
        spec: &ModelSpec,
        cache: &'p AbsorptionCache,
    ) -> Result<Design<'p>, FitError> {
        Design::with_columns(panel, spec, &OptionColumns::default(), cache)
    }

    /// As [`Design::new`], with columns that options name: rows without a required one leave the sample.
    ///
    /// # Errors
    /// As [`Design::new`], and frequency weights that are not whole.
    pub fn with_columns(
        panel: &'p Panel,
        spec: &ModelSpec,
        named: &OptionColumns,
        cache: &'p AbsorptionCache,
    ) -> Result<Design<'p>, FitError> {
        let frequency = spec.weights.is_some() && spec.weight_kind == WeightKind::Frequency;
        let weights = spec.weights.as_ref().map(|it| Ok::<_, FitError>((it, panel.real(it)?))).transpose()?;
        let clusters = cluster_codes(panel, spec)?;
        let columns = spec.formula.columns(panel, None)?;
        let mut builder = SampleBuilder::new(panel);
        require_columns(&mut builder, &columns);
        require_named(&mut builder, panel, named)?;
        if let Some((name, values)) = &weights {
            builder.weigh(name, values)?;
            if frequency {
                refuse_fractions(panel, name, values)?;
            }
        }
        for (name, codes) in &clusters {
            builder.require_codes(name, codes);
        }
        if spec.singletons == SingletonPolicy::Drop {
            let counts = if frequency { weights.as_ref().map(|it| it.1.as_slice()) } else { None };
            drop_singletons(&mut builder, &columns.effects, counts);
        }
        let rows = builder.rows();
        let sample = builder.finish()?;
        let columns = if rows.len() < panel.n_rows() && spec.formula.has_factors(panel) {
            spec.formula.columns(panel, Some(&rows))?
        } else {
            columns
        };
        refuse_constant(&columns.outcome, &sample)?;
        for it in std::iter::once(&columns.outcome).chain(&columns.regressors) {
            refuse_extremes(it)?;
        }
        let groups = clusters.iter().map(|(_, codes)| sample.pick_codes(codes)).collect();
        let on_sample =
            |it: &NamedColumn| Regressor { name: it.name.clone(), values: sample.pick_shared(&it.values) };
        let effect = |it: &NamedCodes| Effect { name: it.name.clone(), codes: sample.pick_codes(&it.codes) };
        Ok(Design {
            panel,
            outcome: on_sample(&columns.outcome),
            regressors: columns.regressors.iter().map(on_sample).collect(),
            intercept: columns.intercept,
            effects: columns.effects.iter().map(effect).collect(),
            weights: weights
                .map(|(name, values)| Regressor { name: name.clone(), values: sample.pick_shared(&values) }),
            frequency,
            units: sample.pick_codes(panel.units()),
            periods: sample.pick(panel.periods()).into_owned(),
            vcov: VcovPlan::new(spec.vcov.clone(), spec.small_sample, groups)?.repaired(spec.repair),
            singletons: spec.singletons,
            keep_influence: false,
            sample,
            cache,
        })
    }

    /// The design without the rows for which `out` says so, and the reason in its ledger; singletons that this makes
    /// follow the design's policy. For estimators whose comparisons some rows cannot enter.
    ///
    /// # Errors
    /// When nothing is left, or one cluster.
    pub fn without(&self, reason: Dropped, out: impl Fn(usize) -> bool) -> Result<Design<'p>, FitError> {
        let less = self.pick(|it| !out(it), reason)?;
        if less.singletons != SingletonPolicy::Drop || less.effects.is_empty() || less.frequency {
            return Ok(less);
        }
        let factor = |it: &'_ Effect| (Arc::clone(&it.codes.code), it.codes.n_groups());
        let codes: Vec<(Arc<Vec<u32>>, usize)> = less.effects.iter().map(factor).collect();
        let factors: Vec<Factor<'_>> =
            codes.iter().map(|(codes, n_groups)| Factor { codes, n_groups: *n_groups }).collect();
        let keep = singletons(&factors, less.n()).keep;
        if keep.iter().all(|it| *it) { Ok(less) } else { less.pick(|it| keep[it], Dropped::Singleton) }
    }

    fn pick(&self, keep: impl Fn(usize) -> bool, reason: Dropped) -> Result<Design<'p>, FitError> {
        let rows: Vec<usize> = (0..self.n()).filter(|&it| keep(it)).collect();
        let column = |it: &Regressor| Regressor {
            name: it.name.clone(),
            values: Arc::new(rows.iter().map(|&row| it.values[row]).collect()),
        };
        let codes = |it: &Codes| it.compact(rows.iter().copied());
        let effect = |it: &Effect| Effect { name: it.name.clone(), codes: codes(&it.codes) };
        Ok(Design {
            panel: self.panel,
            sample: self.sample.without(self.panel, reason, |it| !keep(it))?,
            outcome: column(&self.outcome),
            regressors: self.regressors.iter().map(column).collect(),
            intercept: self.intercept,
            effects: self.effects.iter().map(effect).collect(),
            weights: self.weights.as_ref().map(column),
            frequency: self.frequency,
            units: codes(&self.units),
            periods: rows.iter().map(|&row| self.periods[row]).collect(),
            vcov: self.vcov.on_rows(&rows)?,
            singletons: self.singletons,
            keep_influence: self.keep_influence,
            cache: self.cache,
        })
    }

    /// Rows of the sample.
    pub fn n(&self) -> usize {
        self.sample.n()
    }

    /// A column of numbers that an option names, on the sample.
    ///
    /// # Errors
    /// Unknown columns and columns of words.
    pub fn column(&self, name: &str) -> Result<Arc<Vec<f64>>, FitError> {
        Ok(self.sample.pick_shared(&self.panel.real(name)?))
    }

    /// A column of groups that an option names, on the sample.
    ///
    /// # Errors
    /// Unknown columns.
    pub fn codes(&self, name: &str) -> Result<Codes, FitError> {
        Ok(self.sample.pick_codes(self.panel.codes(name)?))
    }

    /// A period as people write it.
    pub fn code(&self, period: i32) -> i32 {
        self.panel.calendar().code(period)
    }

    /// Where a row of the sample stands, for messages.
    pub fn place(&self, row: usize) -> String {
        let found = self.sample.rows().iter().nth(row);
        found.map_or_else(|| format!("row {}", row + 1), |it| self.panel.place(it))
    }

    /// The weights as a slice.
    pub fn weight_values(&self) -> Option<&[f64]> {
        self.weights.as_ref().map(|it| it.values.as_slice())
    }
}

fn refuse_constant(outcome: &NamedColumn, sample: &Sample) -> Result<(), FitError> {
    let values = sample.pick_shared(&outcome.values);
    if 1 < values.len() && values.windows(2).all(|it| it[0] == it[1]) {
        let how = "is the same in every row of the sample";
        return Err(FitError::ConstantOutcome { outcome: outcome.name.clone(), how });
    }
    Ok(())
}

/// Squares of numbers beyond these sizes leave the range of `f64`: sums of squares would be infinite
/// or zero, and standard errors with them.
fn refuse_extremes(column: &NamedColumn) -> Result<(), FitError> {
    let largest = column.values.iter().fold(0.0_f64, |largest, it| largest.max(it.abs()));
    if largest == 0.0 || (1e-140..=1e140).contains(&largest) {
        return Ok(());
    }
    let name = &column.name;
    Err(FitError::Model(format!(
        "`{name}` reaches {largest:e}, too {} to square; rescale it",
        if largest < 1.0 { "small" } else { "large" }
    )))
}

/// Codes of each grouping on the whole panel.
pub(crate) fn cluster_codes(panel: &Panel, spec: &ModelSpec) -> Result<Vec<(Name, Codes)>, FitError> {
    let codes = |by: &ClusterBy| {
        let parts = by.columns().iter().map(|it| panel.codes(it).cloned());
        Ok((by.name(), Codes::combined(&parts.collect::<Result<Vec<_>, _>>()?)))
    };
    spec.vcov.clusters().iter().map(codes).collect()
}

/// Numbers are required to be there, and so are words.
fn require_named(
    builder: &mut SampleBuilder<'_>,
    panel: &Panel,
    named: &OptionColumns,
) -> Result<(), FitError> {
    for name in &named.required {
        match panel.real(name) {
            Ok(values) => builder.require(name, &values),
            Err(_) => builder.require_codes(name, panel.codes(name)?),
        }
    }
    for name in &named.optional {
        if panel.real(name).is_err() {
            panel.codes(name)?;
        }
    }
    Ok(())
}

fn refuse_fractions(panel: &Panel, name: &Name, weights: &[f64]) -> Result<(), FitError> {
    match weights.iter().position(|it| it.fract() != 0.0 && !it.is_nan()) {
        None => Ok(()),
        Some(row) => Err(FitError::Model(format!(
            "frequency weight `{name}` is {} at {}; frequencies are whole numbers, use weight-kind = \"analytic\"",
            weights[row],
            panel.place(row)
        ))),
    }
}

fn require_columns(builder: &mut SampleBuilder<'_>, columns: &ModelColumns) {
    let numbers = std::iter::once(&columns.outcome)
        .chain(&columns.regressors)
        .chain(&columns.endogenous)
        .chain(&columns.instruments);
    for it in numbers {
        builder.require(&it.name, &it.values);
    }
    for it in &columns.effects {
        builder.require_codes(&it.name, &it.codes);
    }
}

/// A row that counts more than once is not alone.
fn drop_singletons(builder: &mut SampleBuilder<'_>, effects: &[NamedCodes], counts: Option<&[f64]>) {
    if effects.is_empty() {
        return;
    }
    let times = |row: u32| counts.map_or(1, |it| 1 + usize::from(1.0 < it[row as usize]));
    let rows: Vec<u32> =
        builder.rows().into_iter().flat_map(|row| std::iter::repeat_n(row, times(row))).collect();
    let on_rows: Vec<Codes> =
        effects.iter().map(|it| it.codes.compact(rows.iter().map(|&row| row as usize))).collect();
    let factors: Vec<Factor<'_>> =
        on_rows.iter().map(|it| Factor { codes: &it.code, n_groups: it.n_groups() }).collect();
    let found = singletons(&factors, rows.len());
    let mut out: Vec<u32> = Vec::new();
    for (&row, keep) in rows.iter().zip(&found.keep) {
        if !keep {
            out.push(row);
        }
    }
    builder.drop_where(Dropped::Singleton, |row| out.binary_search(&(row as u32)).is_ok());
}

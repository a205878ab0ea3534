//! One treatment under every estimator and diagnostic that the registry has for it.
//!
//! [`run`] makes the columns of adoption, asks each plugin what it contributes
//! ([`parallax_model::Estimator::battery`]), fits all of it, measures how far each estimate is from two-way fixed
//! effects with the error of that difference, and says in words what follows. A plugin that joins the registry joins
//! the battery without a line written here.

mod adoption;
mod difference;
mod findings;
#[cfg(test)]
mod tests;

use parallax_base::Name;
use parallax_model::{
    AbsorptionCache, BatteryModel, BatteryPart, BatteryRequest, Entry, Estimate, FitError, ModelSpec, Panel,
    Registry, SingletonPolicy, SmallSample, Term, TreatedCount, VcovKind, VcovSpec, WeightKind, side_by_side,
};
use parallax_panel::PanelError;

pub use adoption::{AdoptionPattern, CohortRow, Hole, adoption_pattern};
pub use difference::Difference;
pub use findings::findings;

/// The treatment as the data have it.
#[derive(Clone, Debug, PartialEq)]
pub enum Treatment {
    /// A column of treatment by row.
    ByRow(Name),
    /// A column with each unit's first treated period; missing or 0 for never.
    Cohort(Name),
}

/// What the battery is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct BatterySpec {
    /// The outcome.
    pub outcome: Name,
    /// The treatment.
    pub treatment: Treatment,
    /// Covariates by row.
    pub covariates: Vec<Name>,
    /// Groups of whole units for standard errors; the unit without.
    pub cluster: Option<Name>,
    /// Column of analytic weights.
    pub weights: Option<Name>,
    /// Rules of the regressions among the members.
    pub small_sample: SmallSample,
    /// Level of intervals and tests, as 0.95.
    pub level: f64,
}

/// What the battery found.
#[derive(Debug)]
pub struct Battery {
    /// What was asked.
    pub spec: BatterySpec,
    /// What each member was given.
    pub request: BatteryRequest,
    /// Who adopts when.
    pub adoption: AdoptionPattern,
    /// Every plugin that had something to contribute, in the order of names.
    pub members: Vec<Member>,
    /// How far each overall effect is from the one of [`REFERENCE`], in the order of members.
    pub differences: Vec<Difference>,
}

/// One estimator or diagnostic.
#[derive(Debug)]
pub struct Member {
    /// The plugin's name.
    pub name: &'static str,
    /// The plugin's line.
    pub summary: &'static str,
    /// What it is there for.
    pub part: BatteryPart,
    /// The request it was fitted with.
    pub model: ModelSpec,
    /// The estimate, or the reason in words.
    pub estimate: Result<Estimate, String>,
}

/// The estimator that all others are compared with.
pub const REFERENCE: &str = "fixed-effects";

/// Why there is no battery.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatteryError {
    /// The panel.
    #[error(transparent)]
    Panel(#[from] PanelError),
    /// A treatment or clusters of which nothing can be estimated.
    #[error("{0}")]
    Treatment(String),
    /// Every member failed.
    #[error("no estimator gave an estimate: {0}")]
    AllFailed(String),
}

/// Fits every member on at most that many threads and compares them.
///
/// # Errors
/// Columns that are not there, a treatment that nobody or everybody has, clusters that cut units, and members that
/// all fail. One that fails is a result.
pub fn run(
    panel: &Panel,
    spec: BatterySpec,
    registry: &Registry,
    threads: usize,
) -> Result<Battery, BatteryError> {
    let (unit, time) = panel.require_index("a battery of estimators")?;
    let (unit, time) = (unit.clone(), time.clone());
    let (panel, columns, adoption) = adoption::prepare(panel, &spec.treatment)?;
    let request = BatteryRequest {
        outcome: spec.outcome.clone(),
        unit: unit.clone(),
        time,
        cohort: columns.cohort,
        treatment: columns.treatment,
        covariates: spec.covariates.clone(),
    };
    let cluster = spec.cluster.clone().unwrap_or(unit);
    let of_unit = difference::cluster_of_units(&panel, &cluster)?;
    let mut planned = Vec::new();
    for entry in registry.estimators() {
        if let Some(model) = entry.battery(&request) {
            let (part, model) = plan(entry, model, &spec, &cluster);
            planned.push((entry, part, model));
        }
    }
    let cache = AbsorptionCache::default();
    let fitted = side_by_side(&planned, threads, |(entry, _, model)| {
        entry.fit_with_influence(&panel, model, &cache).map_err(|it: FitError| it.to_string())
    });
    let member = |((entry, part, model), estimate): ((&Entry, BatteryPart, ModelSpec), _)| Member {
        name: entry.meta.plugin.name,
        summary: entry.meta.plugin.summary,
        part,
        model,
        estimate: Option::unwrap_or_else(estimate, || {
            Err("fitting it ended the thread; please report this as a bug".to_owned())
        }),
    };
    let members: Vec<Member> = planned.into_iter().zip(fitted).map(member).collect();
    refuse_nothing(&members)?;
    refuse_exact(&members, &request)?;
    let differences = difference::from_reference(&members, &of_unit);
    Ok(Battery { spec, request, adoption, members, differences })
}

/// The first reason stands for all: where everything fails it is the data or the request that are wrong.
fn refuse_nothing(members: &[Member]) -> Result<(), BatteryError> {
    if members.iter().any(|it| it.estimate.is_ok()) {
        return Ok(());
    }
    let reference = members.iter().find(|it| it.name == REFERENCE).or(members.first());
    let why = reference.and_then(|it| it.estimate.as_ref().err().cloned());
    Err(BatteryError::AllFailed(
        why.unwrap_or_else(|| "none is linked in that takes this treatment".to_owned()),
    ))
}

/// An outcome that covariates and effects make leaves rounding to every member, which no table may show as effects.
fn refuse_exact(members: &[Member], request: &BatteryRequest) -> Result<(), BatteryError> {
    const ROUNDING: f64 = 1e-10;
    let Some((at, estimate)) = members.iter().find(|it| it.name == REFERENCE).and_then(Member::effect) else {
        return Ok(());
    };
    let scale = estimate.vcov.matrix[(at, at)].sqrt().max(estimate.coef[at].abs());
    let largest = estimate.coef.iter().fold(0.0_f64, |most, it| most.max(it.abs()));
    if estimate.stats.get("r2_within") != Some(1.0) || ROUNDING * largest < scale {
        return Ok(());
    }
    Err(BatteryError::Treatment(format!(
        "`{}` is made of the covariates and of effects of units and periods, so that the treatment explains nothing; take \
         out the covariate that holds it ({})",
        request.outcome,
        request.covariates.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )))
}

/// The request of a member, which its own check may refuse when it is fitted. Where it has an option `level` this is
/// the battery's, so that every interval of a report has one level.
fn plan(
    entry: &'static Entry,
    model: BatteryModel<serde_json::Map<String, serde_json::Value>>,
    spec: &BatterySpec,
    cluster: &Name,
) -> (BatteryPart, ModelSpec) {
    let plugin = entry.meta.plugin.name;
    let mut options = model.options;
    if let Some(level) = options.get_mut("level") {
        *level = spec.level.into();
    }
    // A diagnostic that knows no clusters prints no error that is held against another.
    let clustered =
        model.part != BatteryPart::Diagnostic || entry.meta.capabilities.vcov.contains(&VcovKind::Cluster);
    let vcov = if clustered { VcovSpec::Cluster { by: vec![cluster.clone().into()] } } else { VcovSpec::Iid };
    let model_spec = ModelSpec {
        estimator: plugin.to_owned(),
        formula: model.formula,
        weights: spec.weights.clone(),
        weight_kind: WeightKind::Analytic,
        vcov,
        small_sample: spec.small_sample,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options,
    };
    (model.part, model_spec)
}

impl Member {
    /// The position of the overall effect in the estimate, if there is one.
    pub fn effect(&self) -> Option<(usize, &Estimate)> {
        let (BatteryPart::Effect(Some(term)), Ok(estimate)) = (&self.part, &self.estimate) else {
            return None;
        };
        let at = estimate.terms.iter().position(|it| it == term)?;
        estimate.coef[at].is_finite().then_some((at, estimate))
    }

    /// Treated units and clusters behind the overall effect are too few for errors, tests and intervals by formula.
    pub fn has_few_treated(&self) -> bool {
        self.effect().and_then(|(at, estimate)| estimate.treated_behind(at)).is_some_and(TreatedCount::few)
    }

    /// Why there is no overall effect where one is expected.
    pub fn missing_effect(&self) -> Option<String> {
        let term = self.term()?;
        match &self.estimate {
            Err(why) => Some(why.clone()),
            Ok(_) if self.effect().is_some() => None,
            Ok(estimate) => {
                let notes: Vec<String> = estimate.notes.iter().map(ToString::to_string).collect();
                Some(format!("the estimate has no term `{term}` ({})", notes.join("; ")))
            }
        }
    }

    /// True for members that say something of data or of other estimates.
    pub fn is_diagnostic(&self) -> bool {
        self.part == BatteryPart::Diagnostic
    }

    /// The overall effect's term, which two-way fixed effects name by the treatment.
    pub fn term(&self) -> Option<&Term> {
        match &self.part {
            BatteryPart::Effect(it) => it.as_ref(),
            BatteryPart::Diagnostic => None,
        }
    }
}

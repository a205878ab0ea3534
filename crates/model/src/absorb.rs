//! Absorption shared between models: each column is taken through the same effects once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock},
};

use parallax_base::Name;
use parallax_linalg::{AbsorbOptions, AbsorbReport, Absorber, Factor};
use parallax_panel::Codes;

use crate::{
    Design, Effect, FitError,
    fingerprint::{Fingerprint, fingerprints},
};

/// Absorbers and residualised columns, by what the effects, weights and columns hold. Names do not count: a
/// formula with a constant and one without absorb different things, and so do two samples under one name.
///
/// Results do not depend on which models ran before: every column is residualised on its own,
/// bit for bit (a promise of [`Absorber::residualize`]).
#[derive(Debug, Default)]
pub struct AbsorptionCache {
    absorbers: Mutex<HashMap<AbsorberKey, Arc<OnceLock<Arc<Shared>>>>>,
}

/// Rows, effects, weights and settings: what makes two absorptions the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct AbsorberKey {
    rows: usize,
    effects: AbsorbedKey,
    weights: Option<Fingerprint>,
    tolerance: u64,
    max_iterations: usize,
}

/// What is taken out of every column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum AbsorbedKey {
    Nothing,
    Constant,
    Effects(Vec<Fingerprint>),
}

/// A column with its effects taken out, and how.
type Residualized = (Arc<Vec<f64>>, AbsorbReport);

#[derive(Debug)]
struct Shared {
    absorber: Result<Absorber, String>,
    columns: Mutex<HashMap<Fingerprint, Residualized>>,
}

/// Outcome and regressors with the effects taken out.
#[derive(Debug)]
pub struct Absorbed {
    /// The outcome's residuals.
    pub outcome: Arc<Vec<f64>>,
    /// Each regressor's residuals, in the design's order.
    pub regressors: Vec<Arc<Vec<f64>>>,
    /// How it was done: most iterations and worst certificate over the columns.
    pub report: AbsorbReport,
    shared: Arc<Shared>,
}

impl Absorbed {
    /// The absorber, for ranks and leverages.
    ///
    /// # Errors
    /// Never after a successful [`Design::absorb`]; typed for completeness.
    pub fn absorber(&self) -> Result<&Absorber, FitError> {
        self.shared.absorber.as_ref().map_err(|it| FitError::Model(it.clone()))
    }
}

impl Design<'_> {
    /// Takes the effects out of outcome and regressors, sharing what other models have done.
    ///
    /// # Errors
    /// When iteration does not converge; never silently.
    pub fn absorb(&self, options: &AbsorbOptions) -> Result<Absorbed, FitError> {
        let shared = self.cache.shared(self, options);
        let wanted: Vec<&Arc<Vec<f64>>> = std::iter::once(&self.outcome.values)
            .chain(self.regressors.iter().map(|it| &it.values))
            .collect();
        let mut done = shared.residualized(&wanted)?;
        let report = worst(&done).ok_or_else(poisoned)?;
        let regressors = done.split_off(1).into_iter().map(|it| it.0).collect();
        let outcome = done.into_iter().next().map(|it| it.0).unwrap_or_default();
        Ok(Absorbed { outcome, regressors, report, shared })
    }
}

impl Design<'_> {
    /// The effects that absorption takes out: the formula's, or the constant of a formula without effects.
    pub fn absorbed_effects(&self) -> Vec<Effect> {
        if !self.effects.is_empty() || !self.intercept {
            return self.effects.clone();
        }
        let codes = Codes::from_integers(std::iter::repeat_n(Some(1), self.n()));
        vec![Effect { name: Name::from("(Intercept)"), codes }]
    }
}

impl AbsorptionCache {
    fn shared(&self, design: &Design<'_>, options: &AbsorbOptions) -> Arc<Shared> {
        let key = AbsorberKey {
            rows: design.sample.n(),
            effects: absorbed_key(design),
            weights: design.weight_values().map(Fingerprint::of_values),
            tolerance: options.tolerance.to_bits(),
            max_iterations: options.max_iterations,
        };
        let slot = match self.absorbers.lock() {
            Ok(mut it) => Arc::clone(it.entry(key).or_default()),
            Err(_) => Arc::default(),
        };
        Arc::clone(slot.get_or_init(|| Arc::new(Shared::new(design, options))))
    }
}

impl Shared {
    fn new(design: &Design<'_>, options: &AbsorbOptions) -> Shared {
        let effects = design.absorbed_effects();
        let factors: Vec<Factor<'_>> = effects
            .iter()
            .map(|it| Factor { codes: &it.codes.code, n_groups: it.codes.n_groups() })
            .collect();
        let weights = design.weights.as_ref().map(|it| it.values.as_slice());
        let absorber = Absorber::new(&factors, weights, design.sample.n(), options.clone());
        Shared { absorber: absorber.map_err(|it| it.to_string()), columns: Mutex::default() }
    }

    /// Residuals of each wanted column. Columns nobody has asked for yet are done together.
    fn residualized(&self, wanted: &[&Arc<Vec<f64>>]) -> Result<Vec<Residualized>, FitError> {
        let absorber = self.absorber.as_ref().map_err(|it| FitError::Model(it.clone()))?;
        let keys = fingerprints(wanted);
        let mut known = self.columns.lock().map_err(|_| poisoned())?;
        let missing: Vec<_> = keys.iter().zip(wanted).filter(|it| !known.contains_key(it.0)).collect();
        let mut columns: Vec<Vec<f64>> = missing.iter().map(|it| it.1.to_vec()).collect();
        if !columns.is_empty() {
            let report = absorber.residualize(&mut columns)?;
            for ((key, _), column) in missing.into_iter().zip(columns) {
                known.insert(key.clone(), (Arc::new(column), report));
            }
        }
        keys.iter().map(|it| known.get(it).cloned().ok_or_else(poisoned)).collect()
    }
}

/// As [`Design::absorbed_effects`] decides.
fn absorbed_key(design: &Design<'_>) -> AbsorbedKey {
    match (design.effects.is_empty(), design.intercept) {
        (true, true) => AbsorbedKey::Constant,
        (true, false) => AbsorbedKey::Nothing,
        (false, _) => {
            AbsorbedKey::Effects(design.effects.iter().map(|it| Fingerprint::of_codes(&it.codes)).collect())
        }
    }
}

fn poisoned() -> FitError {
    FitError::Model("a model that shared this absorption failed; run it alone to see why".to_owned())
}

fn worst(done: &[Residualized]) -> Option<AbsorbReport> {
    done.iter().map(|it| it.1).reduce(|worst, it| AbsorbReport {
        iterations: worst.iterations.max(it.iterations),
        certificate: worst.certificate.max(it.certificate),
        error_bound: worst.error_bound.max(it.error_bound),
        ..worst
    })
}

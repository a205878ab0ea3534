//! Which stored case is which request, and how the names of each program map to ours.

mod fixest;
mod linearmodels;
mod plm;
mod pyfixest;
mod statsmodels;

use parallax_model::{
    Estimate, SmallSample,
    vcov::{Arithmetic, ClusterScale, EffectCount, EffectDof, Preset, Repair, SampleScale},
};

use crate::{Request, Rules, Tolerance, request::SingletonPolicy};

/// Every program with a file of answers.
pub const PROGRAMS: &[Program] = &[
    fixest::PROGRAM,
    pyfixest::PROGRAM,
    linearmodels::PROGRAM,
    plm::PROGRAM,
    plm::PUBLISHED,
    statsmodels::PROGRAM,
];

/// A file of answers and how to read its names.
#[derive(Debug)]
pub struct Program {
    /// Its file.
    pub file: &'static str,
    /// What is compared.
    pub cases: &'static [Case],
    /// What is not, with the reason. `*` stands for any text.
    pub not_covered: &'static [(&'static str, &'static str)],
    /// Their name of a covariance.
    pub covariance: fn(&Case, &str) -> Option<Covariance>,
    /// Their name of any other number, as its path in the file.
    pub statistic: fn(&Case, &str) -> Option<Statistic>,
    /// Their name of a coefficient.
    pub term: fn(&str) -> String,
    /// How their p-values are made.
    pub p_value: PValue,
    /// The program says which columns it dropped.
    pub names_dropped: bool,
}

/// One stored case.
#[derive(Debug)]
pub struct Case {
    /// Its name in the file.
    pub id: &'static str,
    /// What it asks.
    pub request: Request,
    /// How near coefficients and standard errors have to be.
    pub tolerance: &'static Tolerance,
    /// Small-sample rules of the case.
    pub rules: SmallSample,
    /// The answer lists some of the coefficients only.
    pub some_terms: bool,
}

/// A covariance of another program.
pub enum Covariance {
    /// This is ours.
    Ours(Ours),
    /// Not compared, and why.
    NotCovered(&'static str),
}

/// Our covariance, and what theirs is multiplied with on top.
pub struct Ours {
    /// Ours.
    pub rules: Rules,
    /// Their variance over ours, where the programs differ by a known factor.
    pub factor: Option<Factor>,
    /// Fit without the case's options and leave out the terms that are then missing, and why.
    pub without_options: Option<&'static str>,
}

/// A known factor between two variances.
#[derive(Clone, Copy)]
pub struct Factor {
    /// Where it comes from.
    pub reason: &'static str,
    /// Its value.
    pub of: fn(&Arithmetic) -> f64,
}

/// A statistic of another program.
pub enum Statistic {
    /// This is ours, under this covariance.
    Ours(Rules, fn(&Estimate) -> Option<f64>),
    /// Not compared, and why.
    NotCompared(&'static str),
}

/// How a program's p-values are made.
#[derive(Clone, Copy, Debug)]
pub enum PValue {
    /// As ours, from the same distribution.
    Own,
    /// The same, as one minus a distribution function.
    OwnRounded,
    /// From the t distribution with residual degrees of freedom, whatever the covariance.
    ResidualT,
}

impl Program {
    /// The case of that name.
    pub fn case(&self, id: &str) -> Option<&Case> {
        self.cases.iter().find(|it| it.id == id)
    }
}

impl Case {
    const fn new(id: &'static str, request: Request, tolerance: &'static Tolerance) -> Case {
        Case { id, request, tolerance, rules: SmallSample::FIXEST, some_terms: false }
    }

    const fn rules(mut self, rules: SmallSample) -> Case {
        self.rules = rules;
        self
    }

    const fn some_terms(mut self) -> Case {
        self.some_terms = true;
        self
    }

    /// True when the data are not in the repository.
    pub fn is_private(&self) -> bool {
        !matches!(self.request.data, crate::DataSet::Open(..) | crate::DataSet::OpenRows(_))
    }

    /// True when rows alone in their group stay in.
    pub fn keeps_singletons(&self) -> bool {
        self.request.singletons == SingletonPolicy::Keep
    }
}

/// Rules written out.
const fn rules(
    sample: SampleScale,
    effects: EffectDof,
    count: EffectCount,
    clusters: ClusterScale,
) -> SmallSample {
    SmallSample { preset: Preset::Custom, sample, effects, count, clusters }
}

fn ours(spec: impl Into<String>, small_sample: SmallSample) -> Option<Covariance> {
    Some(Covariance::Ours(Ours {
        rules: Rules::new(spec, small_sample),
        factor: None,
        without_options: None,
    }))
}

/// The program's number where a multi-way covariance is not positive is that of its repair.
fn repaired(spec: impl Into<String>, small_sample: SmallSample, repair: Repair) -> Option<Covariance> {
    Some(Covariance::Ours(Ours {
        rules: Rules::new(spec, small_sample).repaired(repair),
        factor: None,
        without_options: None,
    }))
}

fn scaled(spec: impl Into<String>, small_sample: SmallSample, factor: Factor) -> Option<Covariance> {
    Some(Covariance::Ours(Ours {
        rules: Rules::new(spec, small_sample),
        factor: Some(factor),
        without_options: None,
    }))
}

fn not_covered(reason: &'static str) -> Option<Covariance> {
    Some(Covariance::NotCovered(reason))
}

fn statistic(spec: &str, small_sample: SmallSample, get: fn(&Estimate) -> Option<f64>) -> Option<Statistic> {
    Some(Statistic::Ours(Rules::new(spec, small_sample), get))
}

fn not_compared(reason: &'static str) -> Option<Statistic> {
    Some(Statistic::NotCompared(reason))
}

/// `(Intercept)` under the names of the Python programs; all others are the same.
fn term(name: &str) -> String {
    match name {
        "Intercept" | "const" => "(Intercept)".to_owned(),
        _ => name.to_owned(),
    }
}

const SERIAL: &str = "newey-west and driscoll-kraay are not built yet";
const SPATIAL: &str = "conley is not built yet";
const JACKKNIFE: &str = "crv3 (cluster jackknife) is not built yet";

/// fixest's rules with each multi-way term's own number of groups (Cameron, Gelbach and Miller 2011).
pub(crate) const fn conventional() -> SmallSample {
    rules(SampleScale::All, EffectDof::NonNested, EffectCount::Levels, ClusterScale::Each)
}

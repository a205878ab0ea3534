//! What a case asks of Parallax.

use parallax_model::{
    Formula, ModelSpec, Name, SmallSample,
    vcov::{Repair, VcovSpec},
};
use serde_json::{Map, Value};

pub use parallax_model::SingletonPolicy;

use crate::DataSet;

/// A model without its covariance.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The data set.
    pub data: DataSet,
    /// The estimator.
    pub estimator: &'static str,
    /// The formula.
    pub formula: &'static str,
    /// Weight column.
    pub weights: Option<&'static str>,
    /// What happens to singletons.
    pub singletons: SingletonPolicy,
    /// Options as after `--set`: numbers, true, false and lists are read as such, the rest is words.
    pub options: &'static [(&'static str, &'static str)],
}

/// A covariance with its small-sample rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// As after `--vcov`.
    pub spec: String,
    /// The rules.
    pub small_sample: SmallSample,
    /// The program's repair of a multi-way covariance that is not positive, where its number is one of a repair.
    pub repair: Option<Repair>,
}

impl Request {
    /// A model on a data set, singletons dropped.
    pub const fn new(data: DataSet, estimator: &'static str, formula: &'static str) -> Request {
        Request { data, estimator, formula, weights: None, singletons: SingletonPolicy::Drop, options: &[] }
    }

    /// With weights.
    pub const fn weights(mut self, column: &'static str) -> Request {
        self.weights = Some(column);
        self
    }

    /// With singletons kept.
    pub const fn keep(mut self) -> Request {
        self.singletons = SingletonPolicy::Keep;
        self
    }

    /// With options.
    pub const fn options(mut self, options: &'static [(&'static str, &'static str)]) -> Request {
        self.options = options;
        self
    }

    /// The request as the system takes it.
    ///
    /// # Errors
    /// What the formula and the covariance parser say.
    pub fn spec(&self, rules: &Rules) -> Result<ModelSpec, String> {
        let word = |it: &str| serde_json::from_str(it).unwrap_or_else(|_| Value::from(it));
        let options: Map<String, Value> =
            self.options.iter().map(|(key, value)| ((*key).to_owned(), word(value))).collect();
        Ok(ModelSpec {
            estimator: self.estimator.to_owned(),
            formula: Formula::parse(self.formula).map_err(|it| it.to_string())?,
            weights: self.weights.map(Name::from),
            weight_kind: parallax_model::WeightKind::Analytic,
            vcov: rules.spec.parse::<VcovSpec>().map_err(|it| it.to_string())?,
            small_sample: rules.small_sample,
            repair: rules.repair,
            singletons: self.singletons,
            options,
        })
    }
}

impl Rules {
    /// A covariance under rules.
    pub fn new(spec: impl Into<String>, small_sample: SmallSample) -> Rules {
        Rules { spec: spec.into(), small_sample, repair: None }
    }

    /// With a program's repair.
    #[must_use]
    pub fn repaired(self, repair: Repair) -> Rules {
        Rules { repair: Some(repair), ..self }
    }
}

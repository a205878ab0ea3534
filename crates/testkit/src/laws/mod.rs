//! The laws, the exceptions, and the request every law starts from.

mod contract;
mod data;
mod few;
mod machine;
mod rounding;

mod names;
mod noiseless;

pub use noiseless::{PATTERNS, Pattern, five_from_adoption_on, noiseless};
use parallax_model::{
    AbsorptionCache, Entry, Estimate, Formula, ModelSpec, SingletonPolicy, SmallSample, Support, VcovKind,
    WeightKind,
};

use crate::Table;

/// Something that holds for every estimator.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Its name, as a sentence.
    pub name: &'static str,
    /// Says what broke it.
    pub check: fn(&Entry) -> Result<(), String>,
}

/// An estimator that cannot keep a law.
#[derive(Clone, Copy, Debug)]
pub struct Exception {
    /// The estimator.
    pub estimator: &'static str,
    /// The law's name.
    pub law: &'static str,
    /// Why it cannot.
    pub reason: &'static str,
}

/// Every law.
pub const LAWS: &[Law] = &[
    Law { name: "the order of rows does not matter", check: data::order_of_rows },
    Law { name: "names of units do not matter", check: data::names_of_units },
    Law { name: "names of clusters do not matter", check: data::names_of_clusters },
    Law { name: "names of columns do not matter", check: names::names_of_columns },
    Law { name: "coefficients follow the scale of the outcome", check: data::scale_of_outcome },
    Law { name: "coefficients follow the scale of a regressor", check: data::scale_of_regressor },
    Law { name: "a constant added to a regressor moves the intercept only", check: data::shifted_regressor },
    Law { name: "what a noiseless outcome leaves is no evidence", check: rounding::noiseless },
    Law { name: "what has no error in one unit has none in another", check: rounding::units_and_origin },
    Law { name: "a constant added to the outcome moves the intercept only", check: data::shifted_outcome },
    Law { name: "data twice are the same with errors over root two", check: data::data_twice },
    Law { name: "equal weights are no weights", check: data::equal_weights },
    Law { name: "frequency weights count observations", check: data::frequency_counts },
    Law { name: "unknown options are refused by name", check: contract::unknown_option },
    Law { name: "what is not supported is refused before data are seen", check: contract::unsupported },
    Law { name: "defaults written out are the defaults", check: contract::defaults },
    Law { name: "intervals and p-values follow from the matrix", check: contract::rows_of_the_table },
    Law { name: "influence functions add up to the matrix", check: contract::influence_functions },
    Law { name: "the number of threads does not matter", check: machine::threads },
    Law { name: "models that ran before do not matter", check: machine::shared_cache },
    Law { name: "one treated unit is known and said", check: few::one_treated_unit },
    Law { name: "a constant effect without noise is found", check: noiseless::constant_effect },
];

/// Estimators that cannot keep a law. Each must really break it: a test sees to that.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        estimator: "random-effects",
        law: "data twice are the same with errors over root two",
        reason: "the variance components divide by degrees of freedom, which do not double with the data",
    },
    Exception {
        estimator: "mediation",
        law: "coefficients follow the scale of the outcome",
        reason: "the path from treatment to mediator is not in units of the outcome, and a proportion has no units",
    },
    Exception {
        estimator: "dcdh",
        law: "data twice are the same with errors over root two",
        reason: "influence functions are multiplied by the root of n/(n - 1), n the clusters of a cohort, as its command does",
    },
    Exception {
        estimator: "propensity-match",
        law: "data twice are the same with errors over root two",
        reason: "the twin of a control is not used, so that its weight is no smaller, and variances divide by n - 1",
    },
    Exception {
        estimator: "poisson",
        law: "coefficients follow the scale of the outcome",
        reason: "slopes are those of the logarithm of the mean, which a scale of the outcome moves by a constant",
    },
    Exception {
        estimator: "poisson",
        law: "a constant added to the outcome moves the intercept only",
        reason: "slopes are relative changes of the mean, which a constant makes smaller",
    },
    Exception {
        estimator: "poisson",
        law: "equal weights are no weights",
        reason: "weights multiply the likelihood, so that under iid they count rows, as in R fixest",
    },
];

/// The request of an estimator under one kind of covariance, on the columns of [`Table`].
///
/// # Errors
/// When the formula or the covariance does not parse.
pub fn request(entry: &Entry, kind: VcovKind, rules: SmallSample) -> Result<ModelSpec, String> {
    let effects = match entry.meta.capabilities.effects {
        Support::Required => " | unit + year",
        Support::Allowed | Support::Refused => "",
    };
    let vcov = match kind {
        VcovKind::Iid => "iid",
        VcovKind::Robust => "hc1",
        VcovKind::Leverage => "hc3",
        VcovKind::Cluster => "cluster:group",
        VcovKind::Multiway => "cluster:group+year",
    };
    let (formula, options) = entry.example();
    let formula = formula.map_or_else(|| format!("y ~ x1 + x2 + d{effects}"), str::to_owned);
    Ok(ModelSpec {
        estimator: entry.meta.plugin.name.to_owned(),
        formula: Formula::parse(&formula).map_err(|it| it.to_string())?,
        weights: None,
        weight_kind: WeightKind::Analytic,
        vcov: vcov.parse().map_err(|it: parallax_model::vcov::VcovError| it.to_string())?,
        small_sample: rules,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: match options {
            serde_json::Value::Object(it) => it,
            _ => serde_json::Map::new(),
        },
    })
}

/// Fits on a table with nothing shared.
///
/// # Errors
/// What panel and estimator say.
pub fn fit(entry: &Entry, table: &Table, spec: &ModelSpec) -> Result<Estimate, String> {
    let panel = table.panel().map_err(|it| it.to_string())?;
    entry.fit(&panel, spec, &AbsorptionCache::default()).map_err(|it| it.to_string())
}

/// The tables of the laws: balanced, and unbalanced where the estimator takes it.
pub fn tables(entry: &Entry) -> Vec<Table> {
    let mut tables = vec![Table::balanced(7)];
    if entry.meta.capabilities.unbalanced {
        tables.push(Table::unbalanced(8));
    }
    tables
}

/// Runs a check on every table and every supported kind of covariance.
fn everywhere(
    entry: &Entry,
    rules: SmallSample,
    check: impl Fn(&Table, &ModelSpec, &Estimate) -> Result<(), String>,
) -> Result<(), String> {
    for table in tables(entry) {
        for &kind in entry.meta.capabilities.vcov {
            let spec = request(entry, kind, rules)?;
            let estimate = fit(entry, &table, &spec)?;
            check(&table, &spec, &estimate)
                .map_err(|it| format!("{} rows, {}: {it}", table.len(), spec.vcov))?;
        }
    }
    Ok(())
}

#![doc = include_str!("../docs/dcdh.md")]

mod cells;
mod contrast;
mod covariates;
mod dynamic;
mod instantaneous;
mod paths;
mod result;

use parallax_model::{
    BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design, Estimate, Estimator, Example, FitError,
    Meta, Name, OptionColumns, PluginMeta, Status, Support, Term, VcovKind,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

parallax_model::estimator!(Dcdh);

/// Units whose treatment changes against units of the same baseline whose treatment has not changed yet.
pub struct Dcdh;

/// The name in the registry.
const NAME: &str = "dcdh";

/// Which estimator of the two papers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Effects by time since the first change (2024).
    #[default]
    Dynamic,
    /// The effect at the time of each change, DID_M (2020).
    Instantaneous,
}

/// Which units count as switchers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Switchers {
    /// All of them.
    #[default]
    All,
    /// Those whose treatment rises.
    In,
    /// Those whose treatment falls.
    Out,
}

/// Settings of `dcdh`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column of the treatment, by row; any numbers.
    pub treatment: Option<Name>,
    /// Effects by time since the first change, or the effect at each change.
    pub form: Form,
    /// Latest event time; as many as there are when not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub lags: Option<u32>,
    /// Earliest event time, as a number of periods before the first change; as many as there are when not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub leads: Option<u32>,
    /// Effects per unit of treatment received since the first change.
    pub normalized: bool,
    /// Units whose treatment rises, falls, or all.
    pub switchers: Switchers,
    /// Only switchers that have every effect asked for.
    pub same_switchers: bool,
    /// With `same-switchers`: placebos only with switchers that have every placebo asked for, too.
    pub same_switchers_placebos: bool,
    /// Only units that never change are controls.
    pub only_never_switchers: bool,
    /// Columns, fixed for a unit, within which trends are parallel.
    pub trends_nonparam: Vec<Name>,
    /// Level of both bands.
    pub level: f64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            treatment: None,
            form: Form::Dynamic,
            lags: None,
            leads: None,
            normalized: false,
            switchers: Switchers::All,
            same_switchers: false,
            same_switchers_placebos: false,
            only_never_switchers: false,
            trends_nonparam: Vec::new(),
            level: 0.95,
        }
    }
}

impl Estimator for Dcdh {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: NAME,
            summary: "Effects of a treatment that may switch off and take any value, by time since its first change",
            docs: include_str!("../docs/dcdh.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "de Chaisemartin and D'Haultfoeuille (2024), REStat 106, DID_l; (2020), AER 110, DID_M",
        },
        capabilities: Capabilities {
            vcov: &[VcovKind::Cluster],
            weights: true,
            frequency_weights: false,
            effects: Support::Refused,
            instruments: false,
            unbalanced: true,
            staggered: true,
            needs_index: true,
        },
    };
    type Options = Options;

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        let treatment = check(design, options)?;
        match options.form {
            Form::Dynamic => dynamic::fit(design, options, treatment),
            Form::Instantaneous => instantaneous::fit(design, options, treatment),
        }
    }

    fn columns(options: &Options) -> OptionColumns {
        OptionColumns {
            required: options.trends_nonparam.clone(),
            // A missing treatment between two others is filled in.
            optional: options.treatment.iter().cloned().collect(),
        }
    }

    fn battery(request: &BatteryRequest) -> Option<BatteryModel<Options>> {
        let options = Options { treatment: Some(request.treatment.clone()), ..Options::default() };
        let part = BatteryPart::Effect(Some(Term::Aggregate(None)));
        Some(BatteryModel { part, formula: request.formula(None, false), options })
    }

    fn example() -> Example<Options> {
        let treatment = Some(Name::from("d"));
        Example {
            formula: Some("y ~ x1"),
            options: Options { treatment, lags: Some(2), leads: Some(2), ..Options::default() },
        }
    }
}

fn refuse(reason: impl Into<String>) -> FitError {
    FitError::Options { plugin: NAME, reason: reason.into() }
}

/// The treatment's name, once the options fit each other.
fn check<'a>(design: &Design<'_>, options: &'a Options) -> Result<&'a Name, FitError> {
    let Some(treatment) = &options.treatment else {
        return Err(refuse("give `treatment`, the column of the treatment by row"));
    };
    if !(0.0 < options.level && options.level < 1.0) {
        return Err(refuse("`level` lies between 0 and 1, as 0.95"));
    }
    if options.same_switchers_placebos && !options.same_switchers {
        return Err(refuse("`same-switchers-placebos` goes with `same-switchers`"));
    }
    if options.same_switchers && options.lags.is_none() {
        return Err(refuse("`same-switchers` needs `lags`, the effects that every switcher shall have"));
    }
    if design.regressors.iter().any(|it| it.name == *treatment) {
        return Err(refuse(format!(
            "`{treatment}` is the treatment and stands in the formula too; covariates only go there, as in y ~ x1"
        )));
    }
    if !options.trends_nonparam.is_empty() && !design.regressors.is_empty() {
        return Err(refuse(
            "`trends-nonparam` and covariates together are not supported; put the columns into the formula as \
             dummies that vary over time, or leave the covariates out",
        ));
    }
    Ok(treatment)
}

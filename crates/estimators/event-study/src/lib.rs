#![doc = include_str!("../docs/event-study.md")]

mod layout;

use parallax_model::{
    Adoption, BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design, Distribution, Estimate,
    Estimator, EventStudy, Example, FitError, Meta, Name, Note, OptionColumns, PluginMeta, Status, Support,
    TreatedSupport, VcovKind, Within, counted, linalg::AbsorbOptions,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use layout::Layout;

parallax_model::estimator!(TwoWayEventStudy);

/// Leads and lags of adoption in a regression with absorbed effects.
pub struct TwoWayEventStudy;

/// Settings of `event-study`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column with each unit's first treated period; missing or 0 for never. Or give `treatment`.
    pub cohort: Option<Name>,
    /// Column of 0 and 1 that stays 1 once it is. Or give `cohort`.
    pub treatment: Option<Name>,
    /// Earliest event time, as a number of periods before adoption; it holds all earlier ones too.
    /// All of them apart when not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub leads: Option<u32>,
    /// Latest event time; it holds all later ones too. All of them apart when not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub lags: Option<u32>,
    /// Event times that are zero by choice.
    pub reference: Vec<i32>,
    /// Level of both bands.
    pub level: f64,
    /// Largest relative error of an absorbed column.
    pub tolerance: f64,
    /// Iterations of the slowest column before giving up with an error.
    #[schemars(range(min = 1, max = parallax_model::limits::ITERATIONS))]
    pub max_iterations: usize,
}

impl Default for Options {
    fn default() -> Options {
        let AbsorbOptions { tolerance, max_iterations, .. } = AbsorbOptions::default();
        Options {
            cohort: None,
            treatment: None,
            leads: None,
            lags: None,
            reference: vec![-1],
            level: 0.95,
            tolerance,
            max_iterations,
        }
    }
}

impl Estimator for TwoWayEventStudy {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "event-study",
            summary: "Effects by time since adoption: leads and lags in a two-way fixed-effects regression",
            docs: include_str!("../docs/event-study.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Schmidheiny and Siegloch (2023), J. Applied Econometrics 38; Montiel Olea and Plagborg-Moller (2019)",
        },
        capabilities: Capabilities {
            vcov: &[
                VcovKind::Iid,
                VcovKind::Robust,
                VcovKind::Leverage,
                VcovKind::Cluster,
                VcovKind::Multiway,
            ],
            weights: true,
            frequency_weights: true,
            effects: Support::Required,
            instruments: false,
            unbalanced: true,
            staggered: true,
            needs_index: true,
        },
    };
    type Options = Options;

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        check(options)?;
        let read = |it: &Design<'_>| {
            Adoption::read(it, Self::META.plugin.name, options.cohort.as_ref(), options.treatment.as_ref())
        };
        let all = read(design)?;
        let (dated, undated) = all.without_undated(design)?.unzip();
        let dated = dated.as_ref().unwrap_or(design);
        let adoption = read(dated)?;
        let (linked, unlinked) = layout::without_unlinked(dated, &adoption, options)?.unzip();
        let design = linked.as_ref().unwrap_or(dated);
        let adoption = if unlinked.is_some() { read(design)? } else { adoption };
        let layout = Layout::new(design, &adoption, options)?;
        let absorb = AbsorbOptions {
            tolerance: options.tolerance,
            max_iterations: options.max_iterations,
            method: None,
        };
        let within = Within::new(design, &absorb)?;
        let outcome = within.outcome();
        let mut variables = within.variables(layout.dummies(design))?;
        variables.extend(within.regressors());
        let fit = within.regress(&outcome, &variables, false)?;
        layout.refuse_dropped(&fit.terms, &adoption)?;
        let influence = within.influence(&variables, &fit)?;
        let stats = within.statistics(&outcome, &fit)?;
        let mut notes = fit.notes;
        notes.extend(undated.into_iter().chain(unlinked));
        notes.extend(within.iteration_note());
        notes.extend(remarks(&adoption, &layout));
        let mut estimate = Estimate {
            estimator: Self::META.plugin.name,
            outcome: design.outcome.name.clone(),
            distribution: Distribution::StudentT(fit.vcov.arithmetic.t_df),
            distributions: Vec::new(),
            terms: fit.terms,
            coef: fit.coef,
            vcov: fit.vcov,
            sample: within.sample(),
            effects: within.effects().iter().map(|it| (it.name.clone(), it.levels)).collect(),
            stats,
            event: Some(layout.window.clone()),
            treated: None,
            details: Vec::new(),
            influence,
            notes,
        };
        let support =
            TreatedSupport::of_adoption(design, &adoption, |_| true, &estimate.terms, &layout.window);
        estimate.stand_on(Some(support));
        if let Some(study) = EventStudy::of(&estimate) {
            study.add_tests(options.level, &mut estimate.stats)?;
            estimate.details.push(study.table(options.level));
        }
        Ok(estimate)
    }

    fn dated_by(options: &Options) -> Option<&Name> {
        options.treatment.as_ref()
    }

    fn columns(options: &Options) -> OptionColumns {
        OptionColumns {
            required: options.treatment.iter().cloned().collect(),
            optional: options.cohort.iter().cloned().collect(),
        }
    }

    fn battery(request: &BatteryRequest) -> Option<BatteryModel<Options>> {
        let options = Options { cohort: Some(request.cohort.clone()?), ..Options::default() };
        let part = BatteryPart::Effect(None);
        Some(BatteryModel { part, formula: request.formula(None, true), options })
    }

    fn example() -> Example<Options> {
        let cohort = Some(Name::from("cohort"));
        Example {
            formula: Some("y ~ x1 | unit + year"),
            options: Options { cohort, leads: Some(2), lags: Some(1), ..Options::default() },
        }
    }
}

fn check(options: &Options) -> Result<(), FitError> {
    let refuse = |reason: &str| Err(FitError::Options { plugin: "event-study", reason: reason.to_owned() });
    if !(0.0 < options.level && options.level < 1.0) {
        return refuse("`level` lies between 0 and 1, as 0.95");
    }
    let inside = |it: &i32| {
        options.leads.is_none_or(|leads| -i64::from(leads) <= i64::from(*it))
            && options.lags.is_none_or(|lags| i64::from(*it) <= i64::from(lags))
    };
    if options.reference.is_empty() || !options.reference.iter().all(inside) {
        return refuse("`reference` needs at least one event time, all within `leads` and `lags`");
    }
    Ok(())
}

fn remarks(adoption: &Adoption, layout: &Layout) -> Vec<Note> {
    let never = adoption.first.len() - adoption.adopters();
    let window = &layout.window;
    let references: Vec<String> = window.references.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "event time 0 is the first treated period, reference {}; units that adopt: {}, that never do: {never}",
        references.join(" and "),
        adoption.adopters()
    );
    if let Some(it) = window.binned_below {
        text.push_str(&format!("; {it} holds all earlier event times"));
    }
    if let Some(it) = window.binned_above {
        text.push_str(&format!("; {it} holds all later event times"));
    }
    let mut notes = vec![Note::remark(text)];
    if 0 < adoption.always {
        notes.push(Note::remark(format!(
            "treated in all their rows, and without one before adoption: {}",
            counted(adoption.always, "unit")
        )));
    }
    notes
}

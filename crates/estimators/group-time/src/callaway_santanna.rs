#![doc = include_str!("../docs/callaway-santanna.md")]

mod cells;
mod cross_sections;
mod details;
mod effects;
mod layout;
mod nuisance;
mod options;
mod two_periods;

use parallax_model::{
    AggregationRange, BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design, Distribution,
    Estimate, Estimator, EventStudy, Example, FitError, InfluenceFunctions, Meta, Name, OptionColumns,
    PluginMeta, Statistics, Status, Support, VcovKind, vcov::Vcov, wald,
};

pub use options::{BasePeriod, Control, Data, Method, Options};

use effects::Effects;
use layout::Layout;

parallax_model::estimator!(CallawaySantanna);

/// Effects by cohort and period, and their aggregates.
pub struct CallawaySantanna;

const PLUGIN: &str = "callaway-santanna";

impl Estimator for CallawaySantanna {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: PLUGIN,
            summary: "Effects by cohort and period from comparisons of two periods, doubly robust, and their aggregates",
            docs: include_str!("../docs/callaway-santanna.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Callaway and Sant'Anna (2021), J. Econometrics 225, theorem 1; Sant'Anna and Zhao (2020), J. Econometrics 219",
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
        options.check()?;
        if !design.intercept {
            return Err(FitError::Model(
                "scores and regressions of `callaway-santanna` have a constant; leave `0 +` out of the formula"
                    .to_owned(),
            ));
        }
        let layout = Layout::new(design, options)?;
        let cells = cells::estimate(design, &layout, options)?;
        let effects = Effects::new(design, &layout, &cells, options)?;
        let vcov = design.vcov.of_influence(effects.influence.as_ref(), &effects.sizes, &design.units)?;
        let mut estimate = Estimate {
            estimator: PLUGIN,
            outcome: design.outcome.name.clone(),
            stats: statistics(&effects, &vcov, &layout)?,
            terms: effects.terms.clone(),
            coef: effects.coef.clone(),
            vcov,
            distribution: Distribution::Normal,
            distributions: Vec::new(),
            sample: layout.sample(design)?,
            effects: Vec::new(),
            event: Some(effects.window(design, &layout, &cells)),
            treated: None,
            details: vec![details::cells(design, &cells, &effects)],
            influence: None,
            notes: details::notes(design, &layout, &cells, options),
        };
        estimate.stand_on(Some(effects.treated.clone()));
        if let Some(study) = EventStudy::of(&estimate) {
            study.add_tests(options.level, &mut estimate.stats)?;
            estimate.details.push(study.table(options.level));
        }
        estimate.details.extend(details::overlap(design, &cells));
        if 0 < options.draws {
            details::bootstrap(design, &effects, options, &mut estimate)?;
        }
        estimate.influence =
            design.keep_influence.then(|| InfluenceFunctions::new(design, effects.influence));
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

    /// With controls not yet treated, which there are also where every unit adopts.
    fn battery(request: &BatteryRequest) -> Option<BatteryModel<Options>> {
        let cohort = Some(request.cohort.clone()?);
        let options = Options { cohort, control: Control::NotYetTreated, ..Options::default() };
        let part = BatteryPart::Effect(Some(parallax_model::Term::Aggregate(None)));
        Some(BatteryModel { part, formula: request.formula(None, false), options })
    }

    fn example() -> Example<Options> {
        let cohort = Some(Name::from("cohort"));
        // Few event times: the critical value of their band is what takes longest on small panels.
        let range = AggregationRange { event: Some([-2, 2]), ..AggregationRange::default() };
        let options = Options { cohort, control: Control::NotYetTreated, range, ..Options::default() };
        Example { formula: Some("y ~ x1"), options }
    }
}

/// R did's test that all effects before adoption are zero, and sizes.
fn statistics(effects: &Effects, vcov: &Vcov, layout: &Layout) -> Result<Statistics, FitError> {
    let mut stats = Statistics::default();
    let before = effects.before_adoption();
    if !before.is_empty() {
        let (chi2, df, p) = wald(&effects.coef, vcov.matrix.as_ref(), &before)?;
        stats.set("pretest_chi2", chi2);
        stats.count("pretest_df", df);
        stats.set("pretest_p", p);
    }
    stats.count("cells", effects.estimated());
    stats.count("cohorts", layout.cohorts.len());
    stats.count("never_treated", layout.never.len());
    Ok(stats)
}

#[cfg(test)]
mod tests;

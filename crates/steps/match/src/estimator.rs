#![doc = include_str!("../docs/propensity-match.md")]

use parallax_model::{
    Capabilities, Design, Distribution, Estimate, Estimator, FitError, Mat, Meta, Name, Note, OptionColumns,
    PluginMeta, SampleReport, Statistics, Status, Support, Term, TreatedRows, TreatedSupport, Vcov, VcovKind,
    counted,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    effects::{Effects, Errors, effects},
    kernel::Kernel,
    matching::{Matching, Scores},
    nearest::Order,
    options::{MatchOptions, Method, Ties, with_match_options},
    run::{Data, Scored, SupportRow, balance_tables, matched, propensity, scored, support, variance},
    score::{Scale, ScoreModel},
    side::Side,
};

parallax_model::estimator!(PropensityMatch);

const NAME: &str = "propensity-match";

/// Effects of a binary treatment by matching on the propensity score.
pub struct PropensityMatch;

/// How errors are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// Equal variances within a group, weights fixed: psmatch2's default.
    #[default]
    Naive,
    /// Abadie and Imbens (2006), theorem 6.
    AiSample,
    /// Abadie and Imbens (2006), theorem 7.
    AiPopulation,
}

with_match_options! {
    /// How to match, and what to report.
    Options {
        /// Report `atu` and `ate` beside `att`.
        #[serde(default)]
        pub ate: bool,
        /// `naive`, `ai-sample` or `ai-population`.
        #[serde(default)]
        pub errors: ErrorKind,
        /// Neighbours of the own group for a row's variance under the ai errors; 0 for one variance for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = parallax_model::limits::NEIGHBOURS))]
        pub variance_matches: Option<usize>,
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            ate: false,
            errors: ErrorKind::Naive,
            variance_matches: None,
            method: Method::Nearest,
            score: None,
            score_column: None,
            distance: Scale::Probability,
            k: None,
            caliper: None,
            bandwidth: None,
            kernel: None,
            replacement: None,
            ties: None,
            tie_tolerance: None,
            order: None,
            strata: None,
            common: false,
            trim: None,
        }
    }
}

impl Estimator for PropensityMatch {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: NAME,
            summary: "Effects on the treated by propensity-score matching",
            docs: include_str!("../docs/propensity-match.md"),
            status: Status::Preview { since: "0.2.0" },
            reference: "Leuven and Sianesi (2003), psmatch2; Abadie and Imbens (2006), Econometrica 74",
        },
        capabilities: Capabilities {
            vcov: &[VcovKind::Iid],
            weights: false,
            frequency_weights: false,
            effects: Support::Refused,
            instruments: false,
            unbalanced: true,
            staggered: false,
            needs_index: false,
        },
    };
    type Options = Options;

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        let (matching, errors) = (options.matching(), errors(options)?);
        matching.plan(1.0).map_err(|reason| FitError::Options { plugin: NAME, reason })?;
        let Some((treatment, covariates)) = design.regressors.split_first() else {
            let reason = "the first regressor is the treatment, as in `y ~ d + x1 + x2`".to_owned();
            return Err(FitError::NoRegressor { reason });
        };
        if !design.intercept {
            let reason = "the score has a constant; take `0 +` or `- 1` out of the formula".to_owned();
            return Err(FitError::Model(reason));
        }
        refuse_other_values(design, &treatment.name, &treatment.values)?;
        let names: Vec<Name> = covariates.iter().map(|it| it.name.clone()).collect();
        let columns: Vec<&[f64]> = covariates.iter().map(|it| it.values.as_slice()).collect();
        let given = options.score_column.as_ref().map(|it| design.column(it)).transpose()?;
        let data = Data {
            treated: &treatment.values,
            names: &names,
            covariates: &columns,
            given: given.as_ref().map(|it| it.as_slice()),
        };
        let scored = scored(&data, &matching).map_err(FitError::Model)?;
        let found = matched(&data, &scored, Some(&design.outcome.values), &matching, options.ate)
            .map_err(FitError::Model)?;
        let plan = matching
            .plan(variance(&scored.distance))
            .map_err(|reason| FitError::Options { plugin: NAME, reason })?;
        let scores = Scores { probability: &scored.probability, distance: &scored.distance };
        let effects = effects(&found, &scores, &design.outcome.values, &plan, errors);
        if !effects.covariance.iter().flatten().all(|it| it.is_finite()) {
            let text = "standard errors do not exist: a group with one row on support has no variance";
            return Err(FitError::Model(text.to_owned()));
        }
        let mut estimate = report(design, &data, &scored, &found, effects, &matching);
        estimate.notes.push(Note::Remark { text: errors.words() });
        Ok(estimate)
    }

    fn columns(options: &Options) -> OptionColumns {
        OptionColumns { required: options.score_column.iter().cloned().collect(), optional: Vec::new() }
    }

    fn example() -> parallax_model::Example<Options> {
        parallax_model::Example { formula: Some("y ~ d + x1 + x2"), options: Options::default() }
    }
}

impl Errors {
    /// What the reader of a table has to know of the errors.
    fn words(self) -> String {
        let rows = |matches: usize| match matches {
            0 => "one variance for all rows".to_owned(),
            it => format!("variances from {it} of the own group"),
        };
        let kind = match self {
            Errors::Naive => "naive errors, one variance a group".to_owned(),
            Errors::Sample { matches } => format!("Abadie-Imbens errors for this sample, {}", rows(matches)),
            Errors::Population { matches } => {
                format!("Abadie-Imbens errors for the population, {}", rows(matches))
            }
        };
        format!("{kind}; none knows that the score is estimated, and no small-sample rule applies")
    }
}

/// Abadie-Imbens errors need squared weights, which windows do not keep.
fn errors(options: &Options) -> Result<Errors, FitError> {
    let refuse = |reason: &str| Err(FitError::Options { plugin: NAME, reason: reason.to_owned() });
    let matches = options.variance_matches.unwrap_or(1);
    let errors = match options.errors {
        ErrorKind::Naive if options.variance_matches.is_some() => {
            return refuse(
                "`variance-matches` is read by `errors` ai-sample and ai-population; leave it out",
            );
        }
        ErrorKind::Naive => Errors::Naive,
        ErrorKind::AiSample => Errors::Sample { matches },
        ErrorKind::AiPopulation => Errors::Population { matches },
    };
    if errors != Errors::Naive && options.method != Method::Nearest {
        return refuse("Abadie-Imbens errors are for `method = \"nearest\"`; use `errors = \"naive\"`");
    }
    Ok(errors)
}

fn refuse_other_values(design: &Design<'_>, name: &Name, values: &[f64]) -> Result<(), FitError> {
    let Some(at) = values.iter().position(|it| *it != 0.0 && *it != 1.0) else { return Ok(()) };
    let place = design.sample.rows().iter().nth(at).map_or(String::new(), |row| design.panel.place(row));
    Err(FitError::Model(format!(
        "the treatment `{name}`, the first regressor, is {} at {place}; a treatment is 0 or 1",
        values[at]
    )))
}

fn report(
    design: &Design<'_>,
    data: &Data<'_>,
    scored: &Scored,
    found: &Matching,
    effects: Effects,
    options: &MatchOptions,
) -> Estimate {
    let weight = found.weights(design.n());
    let row = SupportRow::of(String::new(), data.treated, &weight);
    let mut stats = Statistics::default();
    for (name, count) in
        ["n_treated_on", "n_treated_off", "n_control_on", "n_control_off"].into_iter().zip(row.counts)
    {
        stats.count(name, count);
    }
    let mut notes: Vec<Note> = Vec::new();
    let mut details = balance_tables(data, &weight, &mut notes);
    if let Some(fit) = &scored.fit {
        stats.set("pseudo_r2", fit.pseudo_r2());
        let dropped = fit.dropped.iter().filter_map(|it| data.names.get(it.checked_sub(1)?));
        notes.extend(dropped.map(|it| Note::DroppedCollinear { column: it.clone() }));
        details.push(propensity(&[(String::new(), fit.clone())], data.names, options.model().title()));
    }
    details.push(support(&[row]));
    let k = effects.estimate.len();
    notes.extend(broken_ties(found, &effects.estimate, &mut stats));
    let names = [None, Some("atu"), Some("ate")];
    let mut estimate = Estimate {
        estimator: NAME,
        outcome: design.outcome.name.clone(),
        terms: names.into_iter().take(k).map(term).collect(),
        coef: effects.estimate,
        vcov: Vcov::by_formula(
            Mat::from_fn(k, k, |a, b| effects.covariance[a][b]),
            &design.vcov.spec,
            design.n(),
        ),
        distribution: Distribution::Normal,
        distributions: Vec::new(),
        sample: SampleReport::of(
            &design.sample,
            design.panel.index().map(|_| design.units.n_groups()),
            design.singletons,
        ),
        effects: Vec::new(),
        stats,
        event: None,
        treated: None,
        details,
        influence: None,
        notes,
    };
    let matched = (0..design.n()).filter(|&it| data.treated[it] == 1.0 && 0.0 < weight[it]);
    let treated = TreatedRows::of(design, matched);
    estimate.stand_on(Some(TreatedSupport::new(&treated, &vec![Some(treated.clone()); k])));
    estimate
}

/// How many rows could have had another neighbour, and how far that moves the effect.
fn broken_ties(found: &Matching, effects: &[f64], stats: &mut Statistics) -> Vec<Note> {
    let count = |side: &Side| side.matched.iter().filter(|it| **it).count();
    let sides = [
        ("att", "treated row", "control", Some(&found.to_treated), -1.0),
        ("atu", "control", "treated row", found.to_controls.as_ref(), 1.0),
    ];
    let mut notes = Vec::new();
    for ((name, focal, donor, side, sign), effect) in sides.into_iter().zip(effects) {
        let Some((side, ties)) = side.map(|it| (it, it.ties)).filter(|it| 0 < it.1.rows) else { continue };
        let n = count(side);
        let moved = |change: f64| effect + sign * change / n as f64;
        let (one, other) = (moved(ties.change.low), moved(ties.change.high));
        let (low, high, all) = (one.min(other), one.max(other), moved(ties.change.all));
        if name == "att" {
            stats.count("tied_rows", ties.rows);
            stats.set("att_ties_low", low);
            stats.set("att_ties_high", high);
        }
        let others = match all.is_nan() {
            true => format!(
                "in the order of the rows and its reverse `{name}` is {} and {}",
                short(low),
                short(high)
            ),
            false => format!(
                "over all choices `{name}` lies between {} and {}, and with `ties` = all it is {}",
                short(low),
                short(high),
                short(all)
            ),
        };
        notes.push(Note::remark(format!(
            "ties: {} of {n} could have had another {donor} as near as the last one taken, which is the one of the lower \
             score, then the earlier row; {others}",
            counted(ties.rows, focal)
        )));
    }
    notes
}

/// Six significant digits.
fn short(value: f64) -> String {
    format!("{value:.5e}").parse::<f64>().map_or_else(|_| value.to_string(), |it| it.to_string())
}

/// `att`, and the two others under their own names.
fn term(name: Option<&str>) -> Term {
    match name {
        None => Term::Aggregate(None),
        Some(it) => Term::Slope(it.into()),
    }
}

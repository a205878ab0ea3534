//! Logit, probit, matching and weighting against R, psmatch2 and pstest.
//!
//! | file | compares |
//! |---|---|
//! | `mod.rs` | the answers of `psm.json`: which case is which request |
//! | `matchit.rs` | MatchIt's weights, balance and pairs |
//! | `stata.rs` | psmatch2, pstest, `logit` and `probit` of Stata 18 |

mod matchit;
mod stata;

use std::{collections::BTreeMap, path::Path, rc::Rc};

use parallax_model::{
    Estimate, Expr, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample,
    linalg::{BinaryResponse, Information, Link, binary_response},
    panel::Column,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Comparison, DataSet, LeftOut, OracleError, Report, Tolerance,
    data::{open_answers, private_data},
    run::Runner,
    tolerances::{CLOSED_FORM, EXACT, R_SCORING},
};

const FILE: &str = "psm.json";

/// Files of Stata's numbers that are compared here.
pub(crate) const STATA_FILES: [&str; 4] = ["psmatch2", "pstest", "57_logit", "48_probit"];

const CALIPER_IGNORED: &str = "MatchIt 4.5.1 did not apply the caliper: its answer on real_lalonde_matchit keeps 185 treated, one of whom has \
     no control within .05 (`radius_0.05` says so); compared without caliper";
const SAME_AGAIN: &str = "MatchIt 4.5.1 with replacement takes the nearest control three times (its sum of ids is three times that of \
     1:1); compared with k = 1. R Matching's M = 3 is compared with k = 3";
const MATCHED_PAIRS: &str =
    "error of the matched differences as if pairs were independent; there is no option for it";
const FROM_BELOW: &str = "MatchIt 4.5.1, given scores, takes the next control before the treated row in the order of scores, though one after it \
     may be nearer; all its pairs, sums and balance follow from that rule, which is not offered. Nearest neighbours of ours are \
     compared with R Matching, psmatch2, and loops over all pairs";

/// One data set of `psm.json`.
pub(crate) struct Set {
    prefix: &'static str,
    data: DataSet,
    outcome: &'static str,
    treatment: &'static str,
    /// Names of the program, and the column as an expression.
    covariates: &'static [(&'static str, &'static str)],
    /// Further columns of its balance table.
    more: &'static [(&'static str, &'static str)],
    /// Column with names of rows; the number of the row without.
    id: Option<&'static str>,
}

const SETS: [Set; 2] = [
    Set {
        prefix: "psm__",
        data: DataSet::OpenRows("psm"),
        outcome: "y",
        treatment: "treat",
        covariates: &[
            ("age", "age"),
            ("edu", "edu"),
            ("sex", "sex"),
            ("income", "income"),
            ("urban", "urban"),
            ("h", "h"),
        ],
        more: &[],
        id: None,
    },
    Set {
        prefix: "real_lalonde_matchit__",
        data: DataSet::Private("oracle/open/data/real_lalonde_matchit.csv"),
        outcome: "re78",
        treatment: "treat",
        covariates: &[
            ("age", "age"),
            ("educ", "educ"),
            ("racehispan", "race == 'hispan'"),
            ("racewhite", "race == 'white'"),
            ("married", "married"),
            ("nodegree", "nodegree"),
            ("re74", "re74"),
            ("re75", "re75"),
        ],
        more: &[("raceblack", "race == 'black'")],
        id: Some("id"),
    },
];

/// One case as it is stored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    id: String,
    #[serde(rename = "data")]
    _data: String,
    peer: String,
    #[serde(rename = "call")]
    _call: String,
    #[serde(default)]
    coef: BTreeMap<String, f64>,
    #[serde(default)]
    se: BTreeMap<String, f64>,
    loglik: Option<f64>,
    #[serde(default)]
    pscore_first20: BTreeMap<String, f64>,
    att: Option<f64>,
    ate: Option<f64>,
    n_treated_matched: Option<f64>,
    n_control_matched: Option<f64>,
    #[serde(default)]
    balance_before_smd: Value,
    #[serde(default)]
    balance_after_smd: Value,
    #[serde(default)]
    variance_ratio_after: Value,
    pairs_first30: Option<BTreeMap<String, String>>,
    sum_pair_control_ids: Option<f64>,
    se_abadie_imbens: Option<f64>,
    se_standard: Option<f64>,
    n_matched: Option<f64>,
    n_drops: Option<f64>,
    n_on_support: Option<f64>,
}

#[derive(Deserialize)]
struct File {
    cases: Vec<Value>,
}

/// What a case asks.
enum Ask {
    /// The model of the score.
    Model(Link),
    /// MatchIt: weights, balance and pairs, with what is different from the call.
    Weights(Value, Option<&'static str>),
    /// An effect.
    Effect(Value),
}

/// The request of a case, by what stands after the name of the data.
fn ask(case: &str) -> Option<Ask> {
    let ai = |k: u8| json!({"k": k, "ties": "all", "tie-tolerance": 1e-5, "errors": "ai-population", "variance-matches": 0});
    let with = |mut it: Value, key: &str, value: Value| {
        it[key] = value;
        it
    };
    Some(match case {
        "logit" => Ask::Model(Link::Logit),
        "probit" => Ask::Model(Link::Probit),
        "nearest_1to1_norep_largest" => Ask::Weights(json!({"replacement": false}), None),
        "nearest_1to1_norep_data" => Ask::Weights(json!({"replacement": false, "order": "data"}), None),
        "nearest_1to1_norep_smallest" => {
            Ask::Weights(json!({"replacement": false, "order": "smallest"}), None)
        }
        "nearest_1to1_rep" => Ask::Weights(json!({}), None),
        "nearest_1to3_rep" => Ask::Weights(json!({}), Some(SAME_AGAIN)),
        "nearest_1to2_norep" => Ask::Weights(json!({"replacement": false, "k": 2}), None),
        "nearest_caliper05_rep" => Ask::Weights(json!({}), Some(CALIPER_IGNORED)),
        "nearest_caliper_02sd_norep" => Ask::Weights(json!({"replacement": false}), Some(CALIPER_IGNORED)),
        "nearest_linear_logit_rep" => Ask::Weights(json!({}), None),
        "subclass_6" => Ask::Weights(json!({"method": "subclass", "strata": 6}), None),
        "AI_nearest_M1" => Ask::Effect(ai(1)),
        "AI_nearest_M3" => Ask::Effect(ai(3)),
        "AI_caliper_025sd" => Ask::Effect(with(ai(1), "caliper", json!("0.25 sd"))),
        "ipw_att_hajek" => Ask::Effect(json!({"method": "ipw"})),
        "ipw_ate_hajek" => Ask::Effect(json!({"method": "ipw", "ate": true})),
        _ => {
            let number = |text: &str| text.parse::<f64>().ok();
            if let Some(radius) = case.strip_prefix("radius_") {
                return Some(Ask::Effect(json!({"method": "radius", "caliper": number(radius)?})));
            }
            let (kernel, bandwidth) = case.strip_prefix("kernel_")?.split_once("_bw")?;
            let kernel = match kernel {
                "epan" => "epanechnikov",
                "normal" => "gaussian",
                it => it,
            };
            Ask::Effect(json!({"method": "kernel", "kernel": kernel, "bandwidth": number(bandwidth)?}))
        }
    })
}

/// Compares with every case there is on this machine.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn compare(runner: &Runner) -> Result<Report, OracleError> {
    let mut report = Report::default();
    let open = open_answers(FILE);
    if open.exists() {
        cases(runner, &open, &SETS[..1], None, &mut report)?;
    }
    match private_data() {
        Some(root) => {
            let path = root.join("oracle/open/expected").join(FILE);
            cases(runner, &path, &SETS, Some(SETS[0].prefix), &mut report)?;
            report.extend(stata::compare(runner, &root)?);
            report.extend(stata::fixest(runner, &root)?);
        }
        None => report
            .skipped
            .push(format!("{FILE}: real_lalonde_matchit, psmatch2 and pstest need PARALLAX_DATA")),
    }
    Ok(report)
}

/// The cases of a file; those of `done` were compared before and need only be known.
fn cases(
    runner: &Runner,
    path: &Path,
    sets: &[Set],
    done: Option<&str>,
    report: &mut Report,
) -> Result<(), OracleError> {
    let file: File = read(path)?;
    let mut prepared: Vec<Option<Rc<Prepared>>> = Vec::new();
    for set in sets {
        prepared.push(Prepared::new(runner, set)?.map(Rc::new));
    }
    for case in file.cases {
        let wrong =
            |it: serde_json::Error| OracleError::File { path: path.to_owned(), reason: it.to_string() };
        let answer: Answer = serde_json::from_value(case).map_err(wrong)?;
        let found = sets.iter().zip(&prepared).find_map(|(set, prepared)| {
            Some((set, prepared.as_ref()?, ask(answer.id.strip_prefix(set.prefix)?)))
        });
        match found {
            Some((set, _, Some(_))) if Some(set.prefix) == done => {}
            Some((set, prepared, Some(ask))) => {
                let mut work = Work { runner, set, prepared, answer: &answer, report };
                if let Err(it) = work.run(&ask) {
                    report.errors.push(format!("{}: {it}", answer.id));
                }
            }
            _ => report.errors.push(format!("{FILE}: case `{}` is not classified", answer.id)),
        }
    }
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, OracleError> {
    let wrong = |reason: String| OracleError::File { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|it| wrong(it.to_string()))?;
    serde_json::from_str(&text).map_err(|it| wrong(it.to_string()))
}

/// A data set with a column for each covariate, under the program's names.
pub(crate) struct Prepared {
    panel: Panel,
    /// Scores of the logit.
    score: Vec<f64>,
    treated: Vec<f64>,
}

impl Prepared {
    fn new(runner: &Runner, set: &Set) -> Result<Option<Prepared>, OracleError> {
        let Some(shared) = runner.store.panel(set.data)? else { return Ok(None) };
        let failed = |reason: String| OracleError::Fit { what: set.prefix.to_owned(), reason };
        let mut panel = shared.0.clone();
        for (name, expression) in set.covariates.iter().chain(set.more) {
            let expr = Expr::parse(expression).map_err(|it| failed(it.to_string()))?;
            let values = expr.eval(&panel).map_err(|it| failed(it.to_string()))?;
            let column = Column::real(values.to_vec());
            panel = panel.with((*name).into(), column).map_err(|it| failed(it.to_string()))?;
        }
        let treated = panel.real(set.treatment).map_err(|it| failed(it.to_string()))?.to_vec();
        let mut prepared = Prepared { panel, score: Vec::new(), treated };
        let names: Vec<&str> = set.covariates.iter().map(|it| it.0).collect();
        prepared.score = prepared.model(&names, Link::Logit).map_err(failed)?.probabilities;
        Ok(Some(prepared))
    }

    fn columns(&self, names: &[&str]) -> Result<Vec<Vec<f64>>, String> {
        names
            .iter()
            .map(|it| self.panel.real(it).map(|it| it.to_vec()).map_err(|it| it.to_string()))
            .collect()
    }

    /// R's `glm`: its covariance is from the expected information.
    fn model(&self, names: &[&str], link: Link) -> Result<BinaryResponse, String> {
        fit_binary(&self.columns(names)?, &self.treated, link, Information::Expected)
    }
}

/// A constant, then the columns.
fn fit_binary(
    columns: &[Vec<f64>],
    y: &[f64],
    link: Link,
    information: Information,
) -> Result<BinaryResponse, String> {
    let ones = vec![1.0; y.len()];
    let all: Vec<&[f64]> =
        std::iter::once(ones.as_slice()).chain(columns.iter().map(Vec::as_slice)).collect();
    binary_response(&all, y, None, link, information).map_err(|it| it.to_string())
}

/// One case at work.
pub(crate) struct Work<'a> {
    runner: &'a Runner,
    set: &'a Set,
    prepared: &'a Prepared,
    answer: &'a Answer,
    report: &'a mut Report,
}

impl Work<'_> {
    fn run(&mut self, ask: &Ask) -> Result<(), String> {
        match ask {
            Ask::Model(link) => self.model(*link),
            Ask::Weights(options, remark) => {
                if let Some(reason) = remark {
                    self.leave_out("the call", reason);
                }
                self.weights(options, remark.is_some_and(|it| it == SAME_AGAIN))
            }
            Ask::Effect(options) => self.effect(options.clone()),
        }
    }

    fn names(&self) -> Vec<&'static str> {
        self.set.covariates.iter().map(|it| it.0).collect()
    }

    fn model(&mut self, link: Link) -> Result<(), String> {
        let names = self.names();
        let fit = self.prepared.model(&names, link)?;
        let tolerance = if link == Link::Probit { &R_SCORING } else { &CLOSED_FORM };
        for (at, name) in std::iter::once("(Intercept)").chain(names).enumerate() {
            let lacks = || format!("no coefficient of `{name}`");
            let theirs = *self.answer.coef.get(name).ok_or_else(lacks)?;
            self.compare(format!("coef {name}"), fit.coef[at], theirs, tolerance);
            let theirs = *self.answer.se.get(name).ok_or_else(lacks)?;
            self.compare(format!("se {name}"), fit.covariance[(at, at)].sqrt(), theirs, &R_SCORING);
        }
        if let Some(theirs) = self.answer.loglik {
            self.compare("log likelihood".to_owned(), fit.log_likelihood, theirs, &CLOSED_FORM);
        }
        let rows = self.row_names()?;
        for (row, theirs) in &self.answer.pscore_first20 {
            let at = rows.iter().position(|it| it == row).ok_or(format!("no row `{row}`"))?;
            self.compare(format!("score {row}"), fit.probabilities[at], *theirs, &CLOSED_FORM);
        }
        Ok(())
    }

    fn estimate(&self, mut options: Value) -> Result<Estimate, String> {
        options["score"] = json!("logit");
        if options.get("caliper").is_some_and(Value::is_string) {
            options["caliper"] = json!(0.25 * parallax_match::run::variance(&self.prepared.score).sqrt());
        }
        let formula = format!("{} ~ {} + {}", self.set.outcome, self.set.treatment, self.names().join(" + "));
        fit_estimate(self.runner, &self.prepared.panel, &formula, &options)
    }

    fn effect(&mut self, options: Value) -> Result<(), String> {
        let estimate = self.estimate(options)?;
        let rows = estimate.rows(0.95);
        let find = |term: &str| rows.iter().find(|it| it.term == term).ok_or(format!("no term `{term}`"));
        if let Some(theirs) = self.answer.att {
            self.compare("att".to_owned(), find("att")?.estimate, theirs, &CLOSED_FORM);
        }
        if let Some(theirs) = self.answer.ate {
            self.compare("ate".to_owned(), find("ate")?.estimate, theirs, &CLOSED_FORM);
        }
        if let Some(theirs) = self.answer.se_abadie_imbens {
            self.compare("se att".to_owned(), find("att")?.std_error, theirs, &CLOSED_FORM);
        }
        let on = estimate.stats.get("n_treated_on").unwrap_or(f64::NAN);
        let off = estimate.stats.get("n_treated_off").unwrap_or(f64::NAN);
        for theirs in [self.answer.n_on_support, self.answer.n_matched].into_iter().flatten() {
            self.compare("treated on support".to_owned(), on, theirs, &EXACT);
        }
        if let Some(theirs) = self.answer.n_drops {
            self.compare("treated off support".to_owned(), off, theirs, &EXACT);
        }
        if self.answer.se_standard.is_some() {
            self.leave_out("se_standard", MATCHED_PAIRS);
        }
        Ok(())
    }

    fn compare(&mut self, quantity: String, ours: f64, theirs: f64, tolerance: &'static Tolerance) {
        self.report.comparisons.push(Comparison {
            program: self.answer.peer.clone(),
            case: self.answer.id.clone(),
            estimator: "propensity-match",
            covariance: "-".to_owned(),
            quantity,
            ours,
            theirs,
            tolerance,
            unit: 1.0,
        });
    }

    fn leave_out(&mut self, what: &str, reason: &str) {
        self.report.left_out.push(LeftOut {
            source: FILE.to_owned(),
            case: self.answer.id.clone(),
            what: what.to_owned(),
            reason: reason.to_owned(),
        });
    }
}

/// `propensity-match` with options, without small-sample rules.
fn fit_estimate(runner: &Runner, panel: &Panel, formula: &str, options: &Value) -> Result<Estimate, String> {
    let spec = ModelSpec {
        estimator: "propensity-match".to_owned(),
        formula: Formula::parse(formula).map_err(|it| it.to_string())?,
        weights: None,
        weight_kind: parallax_model::WeightKind::Analytic,
        vcov: "iid".parse().map_err(|it: parallax_model::vcov::VcovError| it.to_string())?,
        small_sample: SmallSample::NONE,
        repair: None,
        singletons: SingletonPolicy::Keep,
        options: object(options),
    };
    let entry = runner.registry.estimator(&spec.estimator).map_err(|it| it.to_string())?;
    let cache = parallax_model::AbsorptionCache::default();
    entry.fit(panel, &spec, &cache).map_err(|it| it.to_string())
}

/// The step `match`: weights in `w`, scores in `ps`.
fn apply_step(
    runner: &Runner,
    panel: &Panel,
    treatment: &str,
    covariates: &[&str],
    options: &Value,
) -> Result<parallax_model::Stepped, String> {
    let mut all = object(options);
    all.insert("treatment".to_owned(), json!(treatment));
    all.insert("covariates".to_owned(), json!(covariates));
    all.insert("into".to_owned(), json!("w"));
    all.insert("score-into".to_owned(), json!("ps"));
    let entry = runner.registry.step("match").map_err(|it| it.to_string())?;
    entry.apply(panel, &all).map_err(|it| it.to_string())
}

fn object(options: &Value) -> Map<String, Value> {
    options.as_object().cloned().unwrap_or_default()
}

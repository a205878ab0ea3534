//! Runs every case of every program and gathers what was found.

use std::{collections::BTreeMap, path::Path};

use parallax_model::{Distribution, Estimate, Note, Registry};
use serde_json::Value;

use crate::{
    Answer, AnswerFile, Comparison, LeftOut, OracleError, Report, Request, Rules, Store, Tolerance,
    data::{open_answers, private_data},
    matching,
    programs::{Case, Covariance, Ours, PROGRAMS, PValue, Program, Statistic},
    published, stata,
    tolerances::{EXACT, P_ROUNDED, P_VALUE, PRINTED, p_value_unit},
};

/// Compares everything there is on this machine.
///
/// # Errors
/// When a stored file or the registry cannot be read; disagreements are in the report.
pub fn compare_all() -> Result<Report, OracleError> {
    let runner = Runner::new()?;
    let mut report = Report::default();
    for program in PROGRAMS {
        report.extend(runner.program(program)?);
    }
    report.extend(stata::compare(&runner)?);
    report.extend(matching::compare(&runner)?);
    report.extend(published::compare(&runner)?);
    report.left_out.sort();
    report.left_out.dedup();
    Ok(report)
}

/// Panels that were read and the linked estimators.
pub struct Runner {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
}

impl Runner {
    /// With the registry of all plugins.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn new() -> Result<Runner, OracleError> {
        let fit = |it: parallax_model::RegistryError| OracleError::Fit {
            what: "registry".to_owned(),
            reason: it.to_string(),
        };
        Ok(Runner { store: Store::default(), registry: parallax_plugins::registry().map_err(fit)? })
    }

    /// Fits; `None` when the data are private and not on this machine.
    ///
    /// # Errors
    /// What reading and fitting say.
    pub fn fit(&self, request: &Request, rules: &Rules) -> Result<Option<Estimate>, OracleError> {
        let Some(shared) = self.store.panel(request.data)? else { return Ok(None) };
        let failed = |reason: String| OracleError::Fit {
            what: format!("{} `{}` with {}", request.estimator, request.formula, rules.spec),
            reason,
        };
        let entry = self.registry.estimator(request.estimator).map_err(|it| failed(it.to_string()))?;
        let spec = request.spec(rules).map_err(failed)?;
        let (panel, cache) = &*shared;
        entry.fit(panel, &spec, cache).map(Some).map_err(|it| failed(it.to_string()))
    }

    /// Every case of one program, those on real data only where `PARALLAX_DATA` is set.
    fn program(&self, program: &Program) -> Result<Report, OracleError> {
        let mut report = Report::default();
        let open = open_answers(program.file);
        if open.exists() {
            let file = AnswerFile::read(&open)?;
            for id in file.ids() {
                match program.case(&id) {
                    Some(case) => report.extend(self.case(program, case, &file.answer(&id)?)),
                    None => {
                        report.errors.push(format!("{}: case `{id}` is not in the case table", program.file));
                    }
                }
            }
            let known = file.ids();
            let absent =
                program.cases.iter().filter(|it| !it.is_private() && !known.iter().any(|id| id == it.id));
            report
                .errors
                .extend(absent.map(|it| format!("{}: case `{}` has no answer", program.file, it.id)));
        }
        match private_data() {
            Some(root) => {
                report.extend(self.whole(program, &root.join("oracle/open/expected").join(program.file))?);
            }
            None => report.skipped.push(format!(
                "{}: cases on real data and the check that every case is classified need PARALLAX_DATA",
                program.file
            )),
        }
        Ok(report)
    }

    /// The file with all cases: each must be in the case table or listed as not covered.
    fn whole(&self, program: &Program, path: &Path) -> Result<Report, OracleError> {
        let mut report = Report::default();
        let file = AnswerFile::read(path)?;
        let mut used = vec![false; program.not_covered.len()];
        for id in file.ids() {
            let listed = program.not_covered.iter().position(|(pattern, _)| matches(pattern, &id));
            match (program.case(&id), listed) {
                (Some(case), None) if case.is_private() => {
                    report.extend(self.case(program, case, &file.answer(&id)?));
                }
                (Some(_), None) => {}
                (None, Some(at)) => {
                    used[at] = true;
                    report.left_out.push(LeftOut {
                        source: program.file.to_owned(),
                        case: program.not_covered[at].0.to_owned(),
                        what: String::new(),
                        reason: program.not_covered[at].1.to_owned(),
                    });
                }
                (None, None) => {
                    report.errors.push(format!("{}: case `{id}` is not classified", program.file));
                }
                (Some(_), Some(_)) => {
                    report.errors.push(format!("{}: case `{id}` is both covered and not", program.file));
                }
            }
        }
        let unused = program.not_covered.iter().zip(used).filter(|(_, used)| !used);
        report.errors.extend(unused.map(|((it, _), _)| format!("{}: no case is `{it}`", program.file)));
        Ok(report)
    }

    fn case(&self, program: &Program, case: &Case, answer: &Answer) -> Report {
        let mut run = CaseRun { runner: self, program, case, answer, report: Report::default() };
        run.covariances();
        run.statistics();
        run.report
    }
}

/// `*` stands for any text at the beginning or the end.
fn matches(pattern: &str, id: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), None) => id.ends_with(end),
        (None, Some(start)) => id.starts_with(start),
        (Some(_), Some(_)) => id.contains(pattern.trim_matches('*')),
        (None, None) => id == pattern,
    }
}

type Options = &'static [(&'static str, &'static str)];

struct CaseRun<'a> {
    runner: &'a Runner,
    program: &'a Program,
    case: &'a Case,
    answer: &'a Answer,
    report: Report,
}

impl CaseRun<'_> {
    fn covariances(&mut self) {
        let mut first = true;
        for (name, errors) in self.answer.se.by_covariance() {
            let ours = match (self.program.covariance)(self.case, &name) {
                Some(Covariance::Ours(it)) => it,
                Some(Covariance::NotCovered(reason)) => {
                    self.leave_out(&name, reason);
                    continue;
                }
                None => {
                    self.error(&format!("covariance `{name}` is not classified"));
                    continue;
                }
            };
            let options = if ours.without_options.is_some() { &[] } else { self.case.request.options };
            let Some(estimate) = self.fit(&ours.rules, options) else { continue };
            if first && ours.without_options.is_none() {
                self.coefficients(&estimate);
                self.sample(&estimate);
                first = false;
            }
            self.errors(&estimate, &ours, &name, &errors);
        }
    }

    fn fit(&mut self, rules: &Rules, options: Options) -> Option<Estimate> {
        match self.runner.fit(&self.case.request.options(options), rules) {
            Ok(it) => it,
            Err(it) => {
                self.error(&it.to_string());
                None
            }
        }
    }

    fn coefficients(&mut self, estimate: &Estimate) {
        let ours: BTreeMap<String, f64> =
            estimate.terms.iter().map(ToString::to_string).zip(estimate.coef.iter().copied()).collect();
        let mut named = Vec::new();
        for (name, theirs) in &self.answer.coef {
            let term = (self.program.term)(name);
            match (ours.get(&term), theirs) {
                (Some(&ours), Some(theirs)) => {
                    self.compare("-", format!("coef {term}"), ours, *theirs, self.case.tolerance);
                }
                (None, Some(_)) => self.error(&format!("no term `{term}` in ours")),
                (_, None) => self.leave_out(&format!("coef {name}"), "the program gives no number"),
            }
            named.push(term);
        }
        if !self.case.some_terms {
            let more: Vec<&String> = ours.keys().filter(|it| !named.contains(it)).collect();
            if !more.is_empty() {
                self.error(&format!("terms that the program does not have: {more:?}"));
            }
        }
    }

    /// Rows, effects and dropped columns.
    fn sample(&mut self, estimate: &Estimate) {
        if let Some(nobs) = self.answer.nobs {
            let ours = observations(estimate);
            self.compare("-", "nobs".to_owned(), ours, nobs as f64, &EXACT);
        }
        for (name, levels) in self.answer.fixef_sizes.clone() {
            let ours = estimate.effects.iter().find(|it| *it.0 == *name).map(|it| it.1 as f64);
            match (ours, levels.as_f64()) {
                (Some(ours), Some(theirs)) => {
                    self.compare("-", format!("levels of {name}"), ours, theirs, &EXACT);
                }
                _ => self.error(&format!("levels of `{name}` cannot be compared")),
            }
        }
        let dropped: Vec<String> = estimate
            .notes
            .iter()
            .filter_map(|it| match it {
                Note::DroppedCollinear { column } => Some(column.to_string()),
                _ => None,
            })
            .collect();
        if self.program.names_dropped && dropped != self.answer.collin_dropped {
            self.error(&format!(
                "dropped as collinear: ours {dropped:?}, theirs {:?}",
                self.answer.collin_dropped
            ));
        } else if self.program.names_dropped {
            let n = dropped.len() as f64;
            self.compare(
                "-",
                "columns dropped, by name".to_owned(),
                n,
                self.answer.collin_dropped.len() as f64,
                &EXACT,
            );
        }
    }

    fn errors(
        &mut self,
        estimate: &Estimate,
        ours: &Ours,
        name: &str,
        errors: &BTreeMap<String, Option<f64>>,
    ) {
        let rows = estimate.rows(0.95);
        let factor = ours.factor.map_or(1.0, |it| (it.of)(&estimate.vcov.arithmetic)).sqrt();
        let spec = ours.rules.spec.clone();
        for (peer_term, theirs) in errors {
            let term = (self.program.term)(peer_term);
            let Some(row) = rows.iter().find(|it| it.term == term) else {
                match ours.without_options {
                    Some(reason) => self.leave_out(&format!("{name} {peer_term}"), reason),
                    None => self.error(&format!("no term `{term}` in ours")),
                }
                continue;
            };
            let Some(theirs) = theirs else {
                self.leave_out(&format!("{name} {peer_term}"), "the program gives no number");
                continue;
            };
            let std_error = row.std_error * factor;
            self.compare(&spec, format!("se {term}"), std_error, *theirs, self.case.tolerance);
            let p = self.answer.pvalue.get(name).and_then(|it| it.get(peer_term)).copied().flatten();
            if let Some(theirs) = p {
                let t = row.estimate / std_error;
                let ours = match self.program.p_value {
                    PValue::Own | PValue::OwnRounded if ours.factor.is_none() => row.p_value,
                    PValue::Own | PValue::OwnRounded => estimate.distribution.p_value(t),
                    PValue::ResidualT => {
                        Distribution::StudentT(self.answer.df_resid.unwrap_or(f64::NAN)).p_value(t)
                    }
                };
                let (tolerance, unit) = match self.program.p_value {
                    PValue::OwnRounded => (&P_ROUNDED, 1.0),
                    PValue::Own | PValue::ResidualT => {
                        (self.case.tolerance.of_p_values(), p_value_unit(theirs, t))
                    }
                };
                self.compare_in(&spec, format!("p {term}"), (ours, theirs), tolerance, unit);
            }
        }
        if let Some(Some(theirs)) = self.answer.df_t.get(name) {
            self.compare(&spec, "df of t".to_owned(), estimate.vcov.arithmetic.t_df, *theirs, &EXACT);
        }
    }

    /// Everything else that is a number in the answer, one by one.
    fn statistics(&mut self) {
        for (name, theirs) in numbers(self.answer) {
            match (self.program.statistic)(self.case, &name) {
                None => self.error(&format!("statistic `{name}` is not classified")),
                Some(Statistic::NotCompared(reason)) => self.leave_out(&name, reason),
                Some(Statistic::Ours(rules, get)) => {
                    let Some(estimate) = self.fit(&rules, self.case.request.options) else { continue };
                    let (tolerance, unit) = match name.rsplit('.').next() {
                        _ if *self.case.tolerance == PRINTED => (&PRINTED, last_digit(theirs)),
                        Some("p" | "p_value") => (&P_VALUE, 1.0),
                        Some("df" | "df1" | "df2" | "df_resid" | "df_residual" | "g") => (&EXACT, 1.0),
                        _ => (self.case.tolerance, 1.0),
                    };
                    match get(&estimate) {
                        Some(ours) => self.compare_in(&rules.spec, name, (ours, theirs), tolerance, unit),
                        None => self.error(&format!("we have no `{name}`")),
                    }
                }
            }
        }
    }

    fn compare(
        &mut self,
        covariance: &str,
        quantity: String,
        ours: f64,
        theirs: f64,
        tolerance: &'static Tolerance,
    ) {
        self.compare_in(covariance, quantity, (ours, theirs), tolerance, 1.0);
    }

    fn compare_in(
        &mut self,
        covariance: &str,
        quantity: String,
        (ours, theirs): (f64, f64),
        tolerance: &'static Tolerance,
        unit: f64,
    ) {
        self.report.comparisons.push(Comparison {
            program: self.answer.peer.clone(),
            case: self.case.id.to_owned(),
            estimator: self.case.request.estimator,
            covariance: covariance.to_owned(),
            quantity,
            ours,
            theirs,
            tolerance,
            unit,
        });
    }

    fn error(&mut self, text: &str) {
        self.report.errors.push(format!("{} `{}`: {text}", self.program.file, self.case.id));
    }

    fn leave_out(&mut self, what: &str, reason: &str) {
        self.report.left_out.push(LeftOut {
            source: self.program.file.to_owned(),
            case: self.case.id.to_owned(),
            what: what.to_owned(),
            reason: reason.to_owned(),
        });
    }
}

/// Observations as programs count them: means for the between estimator, changes for first differences.
pub fn observations(estimate: &Estimate) -> f64 {
    estimate.observations() as f64
}

/// Every other number of an answer under its path in the file.
fn numbers(answer: &Answer) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    let mut put = |name: &str, value: Option<f64>| found.extend(value.map(|it| (name.to_owned(), it)));
    put("df_resid", answer.df_resid);
    put("df_residual", answer.df_residual);
    put("stat", answer.stat);
    put("p_value", answer.p_value);
    put("df", answer.df);
    let maps = [
        ("rsquared", &answer.rsquared),
        ("r.squared", &answer.r_squared),
        ("theta", &answer.theta),
        ("variance_decomposition", &answer.variance_decomposition),
        ("df_satterthwaite_CR2", &answer.df_satterthwaite_cr2),
        ("within", &answer.within),
        ("random_swar", &answer.random_swar),
    ];
    for (name, map) in maps {
        map.iter().for_each(|(key, value)| put(&format!("{name}.{key}"), *value));
    }
    if let Some(it) = &answer.ercomp {
        it.sigma2.iter().for_each(|(key, value)| put(&format!("ercomp.sigma2.{key}"), *value));
        put("ercomp.theta.min", it.theta.iter().copied().reduce(f64::min));
        put("ercomp.theta.max", it.theta.iter().copied().reduce(f64::max));
    }
    let tests = [("test", &answer.test), ("f_pooled", &answer.f_pooled), ("hausman", &answer.hausman)];
    let tests = tests.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it.as_ref()?)));
    let by_covariance = answer.f_statistic.iter().map(|(key, it)| (format!("f_statistic.{key}"), it));
    for (name, test) in tests.chain(by_covariance) {
        put(&format!("{name}.stat"), Some(test.stat));
        put(&format!("{name}.p"), test.p);
        put(&format!("{name}.df"), test.df.as_ref().and_then(Value::as_f64));
        put(&format!("{name}.df1"), test.df1);
        put(&format!("{name}.df2"), test.df2);
    }
    answer.stats.iter().for_each(|(key, value)| flatten(&format!("stats.{key}"), value, &mut found));
    answer.extra.iter().for_each(|it| flatten("extra", it, &mut found));
    found
}

/// One unit of the last digit of a number as it is written.
pub fn last_digit(number: f64) -> f64 {
    let text = number.to_string();
    let decimals = text.split_once('.').map_or(0, |(_, it)| it.len());
    10_f64.powi(-(decimals as i32))
}

fn flatten(name: &str, value: &Value, found: &mut Vec<(String, f64)>) {
    match value {
        Value::Object(it) => {
            it.iter().for_each(|(key, value)| flatten(&format!("{name}.{key}"), value, found));
        }
        Value::Number(it) => found.extend(it.as_f64().map(|it| (name.to_owned(), it))),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => {}
    }
}

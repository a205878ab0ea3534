//! psmatch2, pstest, `logit` and `probit` as Stata 18 printed them, and fixest's, read where they lie.

use std::path::Path;

use parallax_model::{
    Detail,
    linalg::{Information, Link},
};
use serde_json::{Value, json};

use super::{apply_step, fit_binary, fit_estimate, read};
use crate::{
    Comparison, DataSet, OracleError, Report, Tolerance,
    run::Runner,
    tolerances::{CLOSED_FORM, EXACT, FIXEST_LIKELIHOOD, STATA_FLOAT, STATA_LIKELIHOOD},
};

const FOLDER: &str = "oracle/stata18";

pub(super) fn compare(runner: &Runner, root: &Path) -> Result<Report, OracleError> {
    let mut work = Stata { runner, report: Report::default() };
    let file = |name: &str| read::<Value>(&root.join(FOLDER).join(name));
    let effects = file("psmatch2.json")?;
    let balance = file("pstest.json")?;
    let models = [
        ("57_logit", Link::Logit, file("57_logit.json")?),
        ("48_probit", Link::Probit, file("48_probit.json")?),
    ];
    let done = work
        .effects(&effects)
        .and_then(|()| work.balance(&balance))
        .and_then(|()| models.iter().try_for_each(|(name, link, answer)| work.model(name, *link, answer)));
    if let Err(reason) = done {
        work.report.errors.push(format!("stata18, matching: {reason}"));
    }
    Ok(work.report)
}

/// fixest's logit and probit without effects; its variance is multiplied with (n - 1)/(n - K).
pub(super) fn fixest(runner: &Runner, root: &Path) -> Result<Report, OracleError> {
    let mut work = Stata { runner, report: Report::default() };
    let answer: Value = read(&root.join("oracle/open/expected/fixest.json"))?;
    for (id, link) in [("logit_nofe", Link::Logit), ("probit_nofe", Link::Probit)] {
        if let Err(reason) = work.fixest(id, link, &answer) {
            work.report.errors.push(format!("fixest.json, {id}: {reason}"));
        }
    }
    Ok(work.report)
}

struct Stata<'a> {
    runner: &'a Runner,
    report: Report,
}

impl Stata<'_> {
    fn panel(&self, file: &'static str) -> Result<parallax_model::Panel, String> {
        let shared = self.runner.store.panel(DataSet::Private(file)).map_err(|it| it.to_string())?;
        shared.map(|it| it.0.clone()).ok_or(format!("{file} is not there"))
    }

    fn effects(&mut self, answer: &Value) -> Result<(), String> {
        let nearest = self.panel("oracle/stata18/psmatch2_data.csv")?;
        let kernel = self.panel("oracle/stata18/psmatch2_kernel_data.csv")?;
        let cases = [
            ("neighbor", &nearest, json!({"score": "logit"})),
            (
                "kernel_epan_bw0.5",
                &kernel,
                json!({"score": "logit", "method": "kernel", "kernel": "epanechnikov", "bandwidth": 0.5}),
            ),
        ];
        for (name, panel, options) in cases {
            let theirs = |key: &str| number(answer, &format!("/{name}/{key}"));
            let estimate = fit_estimate(self.runner, panel, "y ~ d + x1 + x2", &options)?;
            let row = estimate.row("att", 0.95).ok_or("no term `att`")?;
            // Neighbours do not depend on the last digits of a score, kernel weights do.
            let near = if name == "neighbor" { &CLOSED_FORM } else { &STATA_LIKELIHOOD };
            self.add(name, "att", row.estimate, theirs("att")?, near);
            self.add(name, "se att", row.std_error, theirs("se_att")?, near);
            let done = apply_step(self.runner, panel, "d", &["x1", "x2"], &options)?;
            let column = |panel: &parallax_model::Panel, name: &str| {
                panel.real(name).map(|it| it.to_vec()).map_err(|it| it.to_string())
            };
            let pairs = [("_weight", "w", near), ("_pscore", "ps", &STATA_LIKELIHOOD)];
            for (stored, own, tolerance) in pairs {
                let (theirs, ours) = (column(panel, stored)?, column(&done.panel, own)?);
                for (at, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
                    let what = format!("{stored} of row {}", at + 1);
                    // Missing on both sides counts as zero on both.
                    let zero = |it: f64| if it.is_nan() { 0.0 } else { it };
                    self.add(name, &what, zero(*ours), zero(*theirs), tolerance);
                }
            }
            if name == "neighbor" {
                let stat = |it: &str| estimate.stats.get(it).unwrap_or(f64::NAN);
                self.add(name, "treated", stat("n_treated_on"), theirs("n_treated")?, &EXACT);
                self.add(name, "controls used", stat("n_control_on"), theirs("n_control_used")?, &EXACT);
                let controls = stat("n_control_on") + stat("n_control_off");
                self.add(name, "controls", controls, theirs("n_control")?, &EXACT);
                let (weights, treated) = (column(&done.panel, "w")?, column(panel, "d")?);
                let sum: f64 = weights
                    .iter()
                    .zip(&treated)
                    .filter(|it| *it.1 == 0.0 && !it.0.is_nan())
                    .map(|it| it.0)
                    .sum();
                self.add(
                    name,
                    "sum of weights of controls",
                    sum,
                    theirs("sum_control_weight")?,
                    &CLOSED_FORM,
                );
            }
        }
        Ok(())
    }

    fn balance(&mut self, answer: &Value) -> Result<(), String> {
        let panel = self.panel("oracle/stata18/pstest_data.csv")?;
        let done = apply_step(self.runner, &panel, "d", &["x1", "x2"], &json!({"score": "logit"}))?;
        let detail = |name: &str| -> Result<&Detail, String> {
            done.details.iter().find(|it| it.name == name).ok_or(format!("no detail `{name}`"))
        };
        let get = |it: &Detail, name: &str, at: usize| {
            it.numbers(name).and_then(|it| it.get(at)).copied().ok_or(format!("no column `{name}`"))
        };
        let (table, overall) = (detail("balance")?, detail("balance-summary")?);
        for (at, x) in ["x1", "x2"].into_iter().enumerate() {
            for (theirs, ours) in [
                ("mean_treated_unmatched", "treated_before"),
                ("mean_control_unmatched", "control_before"),
                ("mean_treated_matched", "treated_after"),
                ("mean_control_matched", "control_after"),
                ("pct_bias_unmatched", "bias_before"),
                ("pct_bias_matched", "bias_after"),
                ("pct_reduction_abs_bias", "reduction"),
                ("variance_ratio_unmatched", "ratio_before"),
                ("variance_ratio_matched", "ratio_after"),
            ] {
                let printed = number(answer, &format!("/per_covariate/{x}/{theirs}"))?;
                self.add("pstest", &format!("{theirs} {x}"), get(table, ours, at)?, printed, &CLOSED_FORM);
            }
        }
        for (at, sample) in ["unmatched", "matched"].into_iter().enumerate() {
            for (theirs, ours, tolerance) in [
                ("ps_r2", "pseudo_r2", &STATA_LIKELIHOOD),
                ("p_chi2", "p", &STATA_LIKELIHOOD),
                ("mean_bias", "mean_bias", &STATA_FLOAT),
                ("median_bias", "median_bias", &STATA_FLOAT),
                ("rubin_b", "rubin_b", &STATA_LIKELIHOOD),
                ("rubin_r", "rubin_r", &STATA_LIKELIHOOD),
            ] {
                let printed = number(answer, &format!("/summary/{sample}/{theirs}"))?;
                self.add(
                    "pstest",
                    &format!("{theirs} {sample}"),
                    get(overall, ours, at)?,
                    printed,
                    tolerance,
                );
            }
        }
        Ok(())
    }

    fn model(&mut self, name: &str, link: Link, answer: &Value) -> Result<(), String> {
        let file =
            if link == Link::Logit { "oracle/stata18/57_logit.csv" } else { "oracle/stata18/48_probit.csv" };
        let panel = self.panel(file)?;
        let column = |it: &str| panel.real(it).map(|it| it.to_vec()).map_err(|it| it.to_string());
        let fit = fit_binary(&[column("x1")?, column("x2")?], &column("y")?, link, Information::Observed)?;
        let rows = answer.get("rows").and_then(Value::as_array).ok_or("no rows")?;
        for row in rows {
            let at = match row.get("statistic").and_then(Value::as_str) {
                Some("beta_intercept") => 0,
                Some("beta_x1") => 1,
                Some("beta_x2") => 2,
                other => return Err(format!("{name}: row {other:?} is not classified")),
            };
            self.add(name, &format!("coef {at}"), fit.coef[at], number(row, "/estimate")?, &STATA_LIKELIHOOD);
            let se = fit.covariance[(at, at)].sqrt();
            self.add(name, &format!("se {at}"), se, number(row, "/se")?, &STATA_LIKELIHOOD);
        }
        Ok(())
    }

    fn fixest(&mut self, id: &str, link: Link, answer: &Value) -> Result<(), String> {
        let cases = answer.get("cases").and_then(Value::as_array).ok_or("no cases")?;
        let case =
            cases.iter().find(|it| it.get("id").and_then(Value::as_str) == Some(id)).ok_or("no such case")?;
        let shared = self.runner.store.panel(crate::data::PANEL_BAL).map_err(|it| it.to_string())?;
        let shared = shared.ok_or("no panel_bal")?;
        let column = |it: &str| shared.0.real(it).map(|it| it.to_vec()).map_err(|it| it.to_string());
        let columns = [column("treat")?, column("x1")?, column("x2")?];
        let y = column("bin")?;
        let fit = fit_binary(&columns, &y, link, Information::Expected)?;
        let (n, k) = (y.len() as f64, fit.coef.len() as f64);
        let factor = ((n - 1.0) / (n - k)).sqrt();
        for (at, term) in ["(Intercept)", "treat", "x1", "x2"].into_iter().enumerate() {
            let theirs = |path: &str| number(case, &format!("{path}/{term}"));
            let tolerance = &FIXEST_LIKELIHOOD;
            self.add(id, &format!("coef {term}"), fit.coef[at], theirs("/coef")?, tolerance);
            let se = fit.covariance[(at, at)].sqrt() * factor;
            self.add(id, &format!("se {term}"), se, theirs("/se/iid")?, tolerance);
        }
        let ll = number(case, "/stats/ll")?;
        self.add(id, "log likelihood", fit.log_likelihood, ll, &CLOSED_FORM);
        Ok(())
    }

    fn add(&mut self, case: &str, quantity: &str, ours: f64, theirs: f64, tolerance: &'static Tolerance) {
        self.report.comparisons.push(Comparison {
            program: if case.ends_with("_nofe") { "R fixest 0.14.2" } else { "Stata 18" }.to_owned(),
            case: case.to_owned(),
            estimator: "propensity-match",
            covariance: "-".to_owned(),
            quantity: quantity.to_owned(),
            ours,
            theirs,
            tolerance,
            unit: 1.0,
        });
    }
}

fn number(value: &Value, path: &str) -> Result<f64, String> {
    value.pointer(path).and_then(Value::as_f64).ok_or(format!("no number at {path}"))
}

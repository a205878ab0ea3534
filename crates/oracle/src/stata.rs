//! Numbers that Stata 18 printed, read where they lie below `PARALLAX_DATA`; never in the repository.

use std::path::Path;

use parallax_model::{Estimate, SmallSample};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Comparison, DataSet, LeftOut, OracleError, Report, Request, Rules, Tolerance,
    data::private_data,
    programs::conventional,
    run::{Runner, observations},
    tolerances::{CLOSED_FORM, EXACT, ITERATED, P_VALUE, UNCENTRED},
};

const FOLDER: &str = "oracle/stata18";

/// One file of Stata's numbers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "module")]
    _module: Value,
    #[serde(rename = "side")]
    _side: Value,
    rows: Vec<Row>,
    extra: Extra,
    #[serde(default, rename = "provenance")]
    _provenance: Value,
}

#[derive(Debug, Deserialize)]
struct Extra {
    stata_command: String,
}

#[derive(Debug, Deserialize)]
struct Row {
    statistic: String,
    estimate: f64,
    se: Option<f64>,
    ci_lo: Option<f64>,
    n: Option<f64>,
}

/// A file and the models whose coefficients its rows are, by the beginning of their names.
struct Case {
    name: &'static str,
    models: &'static [Model],
}

struct Model {
    prefix: &'static str,
    request: Request,
    covariance: &'static str,
    rules: SmallSample,
    tolerance: &'static Tolerance,
}

const fn data(file: &'static str) -> DataSet {
    DataSet::Private(file)
}

const PANEL: DataSet = DataSet::PrivatePanel("oracle/stata18/35_panel.csv", "unit", "year");

const CASES: &[Case] = &[
    Case {
        name: "01_ols",
        models: &[Model {
            prefix: "beta_",
            request: Request::new(
                data("oracle/stata18/01_ols.csv"),
                "pooled-ols",
                "lwage ~ educ + exper + expersq + black + south + smsa",
            ),
            covariance: "hc1",
            rules: SmallSample::XTREG,
            tolerance: &CLOSED_FORM,
        }],
    },
    Case {
        name: "03_hdfe",
        models: &[Model {
            prefix: "beta_",
            request: Request::new(
                data("oracle/stata18/03_hdfe.csv"),
                "fixed-effects",
                "y ~ x1 + x2 | firm + year",
            ),
            covariance: "iid",
            rules: SmallSample::REGHDFE,
            tolerance: &ITERATED,
        }],
    },
    Case {
        name: "14_ols_cluster",
        models: &[Model {
            prefix: "beta_",
            request: Request::new(
                data("oracle/stata18/14_ols_cluster.csv"),
                "pooled-ols",
                "lemp ~ treat + year",
            ),
            covariance: "cluster:countyreal",
            rules: SmallSample::XTREG,
            tolerance: &UNCENTRED,
        }],
    },
    Case {
        name: "35_panel",
        models: &[
            Model {
                prefix: "fe_beta_",
                request: Request::new(PANEL, "fixed-effects", "y ~ x1 + x2 | unit"),
                covariance: "iid",
                rules: SmallSample::XTREG,
                tolerance: &CLOSED_FORM,
            },
            Model {
                prefix: "re_beta_",
                request: Request::new(PANEL, "random-effects", "y ~ x1 + x2"),
                covariance: "iid",
                rules: SmallSample::XTREG,
                tolerance: &CLOSED_FORM,
            },
            Model {
                prefix: "hausman_",
                request: Request::new(PANEL, "random-effects", "y ~ x1 + x2"),
                covariance: "iid",
                rules: SmallSample::XTREG,
                tolerance: &CLOSED_FORM,
            },
        ],
    },
    Case {
        name: "36_mediation",
        models: &[Model {
            prefix: "",
            request: Request::new(data("oracle/stata18/36_mediation.csv"), "mediation", "y ~ treat")
                .options(&[("treatment", "treat"), ("mediator", "m")]),
            covariance: "iid",
            rules: SmallSample::XTREG,
            tolerance: &CLOSED_FORM,
        }],
    },
    Case {
        name: "54_twoway_cluster",
        models: &[
            Model {
                prefix: "beta_",
                request: Request::new(data("oracle/stata18/54_twoway_cluster.csv"), "pooled-ols", "y ~ x"),
                covariance: "cluster:g1+g2",
                rules: conventional(),
                tolerance: &CLOSED_FORM,
            },
            Model {
                prefix: "reghdfe_beta_",
                request: Request::new(data("oracle/stata18/54_twoway_cluster.csv"), "pooled-ols", "y ~ x"),
                covariance: "cluster:g1+g2",
                rules: SmallSample::REGHDFE,
                tolerance: &CLOSED_FORM,
            },
        ],
    },
];

const OTHER_FILES: &str = "belongs to a later issue: instruments, event studies, synthetic controls, matching, \
                           generalised linear models or sensitivity";

/// Compares with every number of the covered files.
///
/// # Errors
/// When a file cannot be read.
pub fn compare(runner: &Runner) -> Result<Report, OracleError> {
    let mut report = Report::default();
    let Some(folder) = private_data().map(|it| it.join(FOLDER)) else {
        report.skipped.push(format!("numbers of Stata 18 need PARALLAX_DATA with {FOLDER}"));
        return Ok(report);
    };
    for case in CASES {
        let file = read(&folder.join(format!("{}.json", case.name)))?;
        for row in &file.rows {
            compare_row(runner, case, &file.extra, row, &mut report)?;
        }
    }
    report.left_out.extend(other_files(&folder)?);
    Ok(report)
}

fn read(path: &Path) -> Result<File, OracleError> {
    let wrong = |reason: String| OracleError::File { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|it| wrong(it.to_string()))?;
    serde_json::from_str(&text).map_err(|it| wrong(it.to_string()))
}

fn other_files(folder: &Path) -> Result<Vec<LeftOut>, OracleError> {
    let wrong = |it: std::io::Error| OracleError::File { path: folder.to_owned(), reason: it.to_string() };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let name = entry.map_err(wrong)?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".json").map(str::to_owned));
    }
    names.retain(|it| {
        CASES.iter().all(|case| case.name != it) && !crate::matching::STATA_FILES.contains(&it.as_str())
    });
    names.sort();
    let left_out = |case| LeftOut {
        source: "stata18".to_owned(),
        case,
        what: String::new(),
        reason: OTHER_FILES.to_owned(),
    };
    Ok(names.into_iter().map(left_out).collect())
}

fn compare_row(
    runner: &Runner,
    case: &Case,
    extra: &Extra,
    row: &Row,
    report: &mut Report,
) -> Result<(), OracleError> {
    let of = |model: &&Model| row.statistic.starts_with(model.prefix);
    let Some(model) = case.models.iter().filter(of).max_by_key(|it| it.prefix.len()) else {
        report.errors.push(format!("{}: row `{}` is not classified", case.name, row.statistic));
        return Ok(());
    };
    let rules = Rules::new(model.covariance, model.rules);
    let Some(estimate) = runner.fit(&model.request, &rules)? else { return Ok(()) };
    let mut add = |quantity: String, ours: f64, theirs: f64, tolerance: &'static Tolerance| {
        report.comparisons.push(Comparison {
            program: "Stata 18".to_owned(),
            case: format!("{} ({})", case.name, extra.stata_command),
            estimator: model.request.estimator,
            covariance: model.covariance.to_owned(),
            quantity,
            ours,
            theirs,
            tolerance,
            unit: 1.0,
        });
    };
    if let Some(theirs) = row.n {
        add("nobs".to_owned(), observations(&estimate), theirs, &EXACT);
    }
    if let Some((ours, tolerance)) = hausman(&estimate, &row.statistic) {
        add(row.statistic.clone(), ours, row.estimate, tolerance);
        return Ok(());
    }
    let term = term(&row.statistic[model.prefix.len()..]);
    match estimate.row(term, 0.95) {
        Some(it) => {
            add(format!("coef {term}"), it.estimate, row.estimate, model.tolerance);
            if let Some(se) = row.se {
                add(format!("se {term}"), it.std_error, se, model.tolerance);
            }
        }
        None => report.errors.push(format!("{}: no term `{term}` in ours", case.name)),
    }
    if row.ci_lo.is_some() {
        report.left_out.push(LeftOut {
            source: "stata18".to_owned(),
            case: case.name.to_owned(),
            what: "ci_lo, ci_hi".to_owned(),
            reason: "made from Stata's numbers with the normal quantile, not printed by Stata".to_owned(),
        });
    }
    Ok(())
}

/// The names of paramed are those of effects.
fn term(name: &str) -> &str {
    match name {
        "acme" => "indirect",
        "ade" => "direct",
        "total_effect" => "total",
        "prop_mediated" => "proportion",
        it => it,
    }
}

fn hausman(estimate: &Estimate, statistic: &str) -> Option<(f64, &'static Tolerance)> {
    match statistic {
        "hausman_chi2_stata_sigmamore" => {
            estimate.stats.get("hausman_sigmamore_chi2").map(|it| (it, &CLOSED_FORM))
        }
        "hausman_pvalue_stata_sigmamore" => {
            estimate.stats.get("hausman_sigmamore_p").map(|it| (it, &P_VALUE))
        }
        _ => None,
    }
}

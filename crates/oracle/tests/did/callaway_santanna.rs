//! Callaway and Sant'Anna's estimator against R did, csdid, differences, moderndid, diff-diff and Stata.

use parallax_model::{Estimate, Panel};
use parallax_oracle::private_data;
use serde_json::{Value, json};

use crate::support::{answer, near_as, numbers, open_panel, private_json, private_panel, request};

/// A stored case and where it was stored.
struct Case {
    panel: Panel,
    outcome: &'static str,
    covariates: &'static str,
    unit: &'static str,
    answer: Value,
}

impl Case {
    fn fit(&self, options: &Value, weights: Option<&str>) -> Estimate {
        let formula = format!("{} ~ {}", self.outcome, self.covariates);
        let mut request = request("callaway-santanna", &formula, &format!("cluster:{}", self.unit));
        request.0.weights = weights.map(Into::into);
        request.options(options).fit(&self.panel)
    }

    /// Cells, and aggregates in the layout of R did, as the ports of it have it too.
    fn compare(&self, tolerance: &str, options: &Value, weights: Option<&str>) -> usize {
        let estimate = self.fit(options, weights);
        let answer = &self.answer;
        let mut compared = 0;
        let list = |of: &Value, name: &str| -> Vec<f64> {
            of[name].as_array().unwrap().iter().map(|it| it.as_f64().unwrap_or(f64::NAN)).collect()
        };
        let (groups, times) = (list(answer, "group"), list(answer, "t"));
        for (at, (att, se)) in list(answer, "att").iter().zip(list(answer, "se")).enumerate() {
            let term = format!("att({},{})", groups[at], times[at]);
            compared += self.near(&estimate, &term, *att, se, tolerance);
        }
        for (kind, aggregate) in answer["aggte"].as_object().unwrap() {
            let mut options = options.clone();
            let estimate = match kind.as_str() {
                "dynamic_min_e_m3_max_e_3" => {
                    options["range"] = json!({ "event": [-3, 3] });
                    self.fit(&options, weights)
                }
                "dynamic_balance_e_1" => {
                    options["range"] = json!({ "balance": 1 });
                    self.fit(&options, weights)
                }
                _ => estimate.clone(),
            };
            let kind = kind.split('_').next().unwrap();
            let overall = if kind == "simple" { "att".to_owned() } else { format!("att:{kind}") };
            let value = |name: &str| aggregate[name].as_f64().unwrap();
            compared += self.near(&estimate, &overall, value("overall_att"), value("overall_se"), tolerance);
            if kind == "simple" {
                continue;
            }
            let (egt, att) = (list(aggregate, "egt"), list(aggregate, "att_egt"));
            for (at, se) in list(aggregate, "se_egt").iter().enumerate() {
                let term = if kind == "dynamic" {
                    format!("event:{}", egt[at])
                } else {
                    format!("att:{kind}:{}", egt[at])
                };
                compared += self.near(&estimate, &term, att[at], *se, tolerance);
            }
        }
        if let Some(test) = answer["W_pretest"].pointer("/0/0") {
            let stat = |name: &str| estimate.stats.get(name).unwrap();
            near_as(tolerance, stat("pretest_chi2"), test.as_f64().unwrap(), "W");
            let p = answer["Wpval"].pointer("/0/0").and_then(Value::as_f64).unwrap();
            near_as("printed digits", 1e5 * stat("pretest_p"), 1e5 * p, "p of W");
            compared += 2;
        }
        compared
    }

    /// A reference is zero in R did, and has no error; ours has no term for it.
    fn near(&self, estimate: &Estimate, term: &str, att: f64, se: f64, tolerance: &str) -> usize {
        let what = format!("{} {term}", self.answer["id"]);
        let Some(row) = estimate.row(term, 0.95) else {
            assert!(att == 0.0 && se.is_nan(), "{what} is not estimated, and {att} there");
            return 0;
        };
        near_as(tolerance, row.estimate, att, &what);
        near_as(tolerance, row.std_error, se, &format!("error of {what}"));
        2
    }
}

/// A case on `panel_bal`.
fn open(file: &str, id: &str, covariates: &'static str) -> Case {
    let answer = answer(file, id);
    Case { panel: open_panel("panel_bal"), outcome: "y", covariates, unit: "unit", answer }
}

/// A case on the counties of Callaway and Sant'Anna, which are not in the repository.
fn counties(file: &str, id: &str, covariates: &'static str) -> Option<Case> {
    let panel = private_panel("oracle/open/data/real_mpdta.csv", "countyreal", "year")?;
    let all = private_json(&format!("oracle/open/expected/{file}"))?;
    let answer = all["cases"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap().clone();
    Some(Case { panel, outcome: "lemp", covariates, unit: "countyreal", answer })
}

fn options(control: &str, method: &str, more: &[(&str, Value)]) -> Value {
    let control = if control.starts_with("never") { "never-treated" } else { "not-yet-treated" };
    let mut options = json!({ "cohort": "first_treat", "control": control, "method": method });
    more.iter().for_each(|(name, value)| options[*name] = value.clone());
    options
}

/// The cases that R did and its ports have alike: both controls, with covariates by three methods, and without.
fn variants() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    let mut all = Vec::new();
    for control in ["nevertreated", "notyettreated"] {
        for (method, name) in [("dr", "dr_cov"), ("ipw", "ipw_cov"), ("reg", "reg_cov"), ("dr", "nocov")] {
            // Least squares is solved; likelihoods are climbed.
            let tolerance =
                if ["reg_cov", "nocov"].contains(&name) { "closed form" } else { "R's logit in did" };
            all.push((control, method, name, tolerance));
        }
    }
    all
}

fn covariates(name: &str, all: &'static str) -> &'static str {
    if name == "nocov" { "1" } else { all }
}

#[test]
fn r_did_on_the_balanced_panel() {
    let mut compared = 0;
    for (control, method, name, tolerance) in variants() {
        let id = format!("cs_panel_bal_{control}_{name}");
        let case = open("did.json", &id, covariates(name, "x1 + xinv"));
        compared += case.compare(tolerance, &options(control, method, &[]), None);
    }
    for control in ["nevertreated", "notyettreated"] {
        let case = open("did.json", &format!("cs_panel_bal_{control}_nocov_universal"), "1");
        let universal = options(control, "dr", &[("base-period", json!("universal"))]);
        compared += case.compare("closed form", &universal, None);
    }
    let case = open("did.json", "cs_panel_bal_antic1", "x1 + xinv");
    let anticipation = options("notyettreated", "dr", &[("anticipation", json!(1))]);
    compared += case.compare("R's logit in did", &anticipation, None);
    let case = open("did.json", "cs_panel_bal_weights", "x1");
    compared += case.compare("R's logit in did", &options("nevertreated", "dr", &[]), Some("w"));
    assert_eq!(compared, 2300);
}

#[test]
fn r_did_on_counties() {
    for (control, method, name, tolerance) in variants() {
        let id = format!("cs_real_mpdta_{control}_{name}");
        let Some(case) = counties("did.json", &id, covariates(name, "lpop")) else { return };
        case.compare(tolerance, &options(control, method, &[]), None);
        if name == "nocov" {
            let Some(case) = counties("did.json", &format!("{id}_universal"), "1") else { return };
            let universal = options(control, method, &[("base-period", json!("universal"))]);
            case.compare(tolerance, &universal, None);
        }
    }
    let Some(case) = counties("did.json", "cs_real_mpdta_antic1", "lpop") else { return };
    let anticipation = options("notyettreated", "dr", &[("anticipation", json!(1))]);
    case.compare("R's logit in did", &anticipation, None);
}

/// The rows of the unbalanced panel that other programs were given.
fn with_y_and_x1() -> Panel {
    let whole = open_panel("panel_unbal");
    let (y, x1) = (whole.real("y").unwrap(), whole.real("x1").unwrap());
    let mask: Vec<bool> = y.iter().zip(x1.iter()).map(|(y, x)| !y.is_nan() && !x.is_nan()).collect();
    whole.keep(&mask).unwrap()
}

/// R was given the rows with `y` and `x1`.
#[test]
fn r_did_on_rows_of_an_unbalanced_panel() {
    let panel = with_y_and_x1();
    for method in ["reg", "dr"] {
        let answer = answer("did.json", &format!("cs_panel_unbal_allow_unbalanced_{method}"));
        let case = Case { panel: panel.clone(), outcome: "y", covariates: "1", unit: "unit", answer };
        let sections = options("notyettreated", method, &[("data", json!("repeated-cross-sections"))]);
        assert_eq!(case.compare("closed form", &sections, None), 90);
    }
}

#[test]
fn ports_of_did_to_python() {
    let mut compared = 0;
    for (control, method, name, tolerance) in variants() {
        let name = if name == "nocov" { "dr_nocov" } else { name };
        let x = covariates(name.trim_start_matches("dr_no"), "x1 + xinv");
        let x = if name == "dr_nocov" { "1" } else { x };
        for (file, peer) in [("did_python.json", "md_cs"), ("csdid_differences.json", "csdid")] {
            let case = open(file, &format!("panel_bal__{peer}_{control}_{name}"), x);
            compared += case.compare(tolerance, &options(control, method, &[]), None);
        }
    }
    assert_eq!(compared, 2464);
}

/// Cells, and the simple aggregate. Its doubly robust form with covariates divides the weighted sum over controls by the
/// number of treated units and not by the sum of weights, which moves cells by up to 5e-4; that is another estimator,
/// and left out.
#[test]
fn diff_diff_on_the_balanced_panel() {
    let mut compared = 0;
    for (control, method, name, tolerance) in variants().into_iter().filter(|it| it.2 != "dr_cov") {
        let name = if name == "nocov" { "dr_nocov" } else { name };
        let x = if name == "dr_nocov" { "1" } else { "x1 + xinv" };
        let case = open("did_python.json", &format!("panel_bal__dd_cs_{control}_{name}"), x);
        let estimate = case.fit(&options(control, method, &[]), None);
        for (cell, values) in case.answer["att_gt"].as_object().unwrap() {
            let values = numbers(values);
            let term = format!("att({cell})");
            compared += case.near(&estimate, &term, values["att"], values["se"], tolerance);
        }
        let simple = numbers(&case.answer["simple"]);
        compared += case.near(&estimate, "att", simple["att"], simple["se"], tolerance);
    }
    assert_eq!(compared, 6 * 2 * 45);
}

/// Comparisons of units that have both periods. Its aggregates weigh cells by their own treated units, so that only cells
/// are compared.
#[test]
fn diff_diff_on_an_unbalanced_panel() {
    for (name, covariates) in [("nocov", "1"), ("cov", "x1")] {
        let mut answer =
            answer("callaway_santanna.json", &format!("panel_unbal__dd_nevertreated_reg_{name}"));
        answer["aggte"] = json!({});
        let case = Case { panel: with_y_and_x1(), outcome: "y", covariates, unit: "unit", answer };
        assert_eq!(case.compare("closed form", &options("never", "reg", &[]), None), 60);
    }
}

#[test]
fn differences_on_the_balanced_panel() {
    let mut compared = 0;
    for control in ["never_treated", "not_yet_treated"] {
        for (method, name) in [("dr", "dr_cov"), ("dr", "dr_nocov"), ("reg", "reg_cov")] {
            let tolerance = if name == "dr_cov" { "logit of differences" } else { "closed form" };
            let x = if name == "dr_nocov" { "1" } else { "x1 + xinv" };
            let case = open("csdid_differences.json", &format!("panel_bal__differences_{control}_{name}"), x);
            let estimate = case.fit(&options(control, method, &[]), None);
            for (family, start, key, title) in [
                ("simple", "att", "", "Simple"),
                ("cohort", "att:group:", "cohort", "Cohort"),
                ("event", "event:", "relative_period", "Event"),
                ("time", "att:calendar:", "time", "Time"),
            ] {
                for row in case.answer[family].as_array().unwrap() {
                    let term = if key.is_empty() { start.to_owned() } else { format!("{start}{}", row[key]) };
                    let value = |what: &str| row[format!("{title}Aggregation|{what}")].as_f64().unwrap();
                    let (att, se) = (value("ATT"), value("analytic|std_error"));
                    compared += case.near(&estimate, &term, att, se, tolerance);
                }
            }
        }
    }
    assert_eq!(compared, 6 * 60);
}

#[test]
fn r_did_on_the_packages_own_data() {
    let Some(root) = private_data() else { return };
    let Some(panel) = private_panel("data/reference/mpdta.csv", "countyreal", "year") else { return };
    let read = |file: &str| std::fs::read_to_string(root.join("data/reference").join(file)).unwrap();
    let lines = |text: &str| -> Vec<Vec<String>> {
        text.lines()
            .skip(1)
            .map(|it| it.split(',').map(|it| it.trim_matches('"').to_owned()).collect())
            .collect()
    };
    for (scenario, control, method, x) in [
        ("mpdta_nev_dr", "never", "dr", "1"),
        ("mpdta_nyt_dr", "notyet", "dr", "1"),
        ("mpdta_nev_reg_cov", "never", "reg", "lpop"),
        ("mpdta_nev_ipw", "never", "ipw", "1"),
    ] {
        let case = Case {
            panel: panel.clone(),
            outcome: "lemp",
            covariates: x,
            unit: "countyreal",
            answer: json!({ "id": scenario }),
        };
        let mut options = options(control, method, &[]);
        options["cohort"] = json!("first.treat");
        let estimate = case.fit(&options, None);
        let number = |it: &String| it.parse::<f64>().unwrap_or(f64::NAN);
        for line in lines(&read("did_R_ref_attgt.csv")).iter().filter(|it| it[0] == scenario) {
            let term = format!("att({},{})", line[1], line[2]);
            assert_eq!(case.near(&estimate, &term, number(&line[3]), number(&line[4]), "closed form"), 2);
        }
        for line in lines(&read("did_R_ref_aggte.csv")).iter().filter(|it| it[0] == scenario) {
            let kind = &line[1];
            let overall = if kind == "simple" { "att".to_owned() } else { format!("att:{kind}") };
            case.near(&estimate, &overall, number(&line[5]), number(&line[6]), "closed form");
            if kind != "simple" {
                let term = match kind.as_str() {
                    "dynamic" => format!("event:{}", line[2]),
                    kind => format!("att:{kind}:{}", line[2]),
                };
                case.near(&estimate, &term, number(&line[3]), number(&line[4]), "closed form");
            }
        }
        for line in lines(&read("did_R_ref_pretest.csv")).iter().filter(|it| it[0] == scenario) {
            near_as("closed form", estimate.stats.get("pretest_chi2").unwrap(), number(&line[1]), "W");
            let p = estimate.stats.get("pretest_p").unwrap();
            near_as("printed digits", 1e5 * p, 1e5 * number(&line[2]), "p of W");
        }
    }
}

#[test]
fn stata_csdid_and_drdid() {
    let Some(panel) = private_panel("oracle/stata18/04_csdid.csv", "countyreal", "year") else { return };
    let Some(answer) = private_json("oracle/stata18/04_csdid.json") else { return };
    let case = Case {
        panel,
        outcome: "lemp",
        covariates: "1",
        unit: "countyreal",
        answer: answer["rows"][0].clone(),
    };
    let estimate = case.fit(&options("never", "reg", &[]), None);
    let value = |row: &Value, name: &str| row[name].as_f64().unwrap();
    let row = &answer["rows"][0];
    case.near(&estimate, "att", value(row, "estimate"), value(row, "se"), "closed form");

    let Some(panel) = private_panel("oracle/stata18/38_drdid.csv", "id", "post") else { return };
    let Some(answer) = private_json("oracle/stata18/38_drdid.json") else { return };
    let row = &answer["rows"][0];
    let case = Case { panel, outcome: "y", covariates: "x", unit: "id", answer: row.clone() };
    let options = json!({ "cohort": "treated", "method": "dr-improved" });
    let estimate = case.fit(&options, None);
    case.near(&estimate, "att(1,1)", value(row, "estimate"), value(row, "se"), "drdid's tilting");
}

/// The improved form, and every form on cross-sections with covariates, whose rows of a unit are summed. moderndid copies
/// R DRDID's sign of the regression among controls before adoption, so that its doubly robust errors on cross-sections are
/// others; drdid 1.1.7 has the sign of the derivative.
#[test]
fn functions_of_drdid_on_every_cell() {
    let mut compared = 0;
    let sections = ("data", json!("repeated-cross-sections"));
    for (suffix, weights) in [("", None), ("_weights", Some("w"))] {
        let answer_of = |id: String| answer("callaway_santanna.json", &format!("{id}{suffix}"));
        let case = Case {
            panel: open_panel("panel_bal"),
            outcome: "y",
            covariates: "x1 + xinv",
            unit: "unit",
            answer: answer_of("panel_bal__md_improved".to_owned()),
        };
        compared += case.compare("moderndid's tilting", &options("never", "dr-improved", &[]), weights);
        for (peer, method, name, tolerance) in [
            ("md", "reg", "reg", "closed form"),
            ("py", "reg", "reg", "closed form"),
            ("md", "ipw", "ipw", "R's logit in did"),
            ("py", "ipw", "ipw", "R's logit in did"),
            ("py", "dr", "dr", "R's logit in did"),
            ("md", "dr-improved", "improved", "moderndid's tilting"),
        ] {
            let answer = answer_of(format!("panel_unbal__{peer}_{name}_rc"));
            let panel = open_panel("panel_unbal");
            let case = Case { panel, outcome: "y", covariates: "x1 + x2", unit: "unit", answer };
            compared +=
                case.compare(tolerance, &options("never", method, std::slice::from_ref(&sections)), weights);
        }
        let answer = answer_of("panel_unbal__md_dr_rc".to_owned());
        let estimate = Case {
            panel: open_panel("panel_unbal"),
            outcome: "y",
            covariates: "x1 + x2",
            unit: "unit",
            answer: answer.clone(),
        }
        .fit(&options("never", "dr", std::slice::from_ref(&sections)), weights);
        for (at, att) in answer["att"].as_array().unwrap().iter().enumerate() {
            let row =
                estimate.row(&format!("att({},{})", answer["group"][at], answer["t"][at]), 0.95).unwrap();
            near_as("R's logit in did", row.estimate, att.as_f64().unwrap(), "effect of moderndid");
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * (2 * 44 + 6 * 2 * 30 + 30));
}

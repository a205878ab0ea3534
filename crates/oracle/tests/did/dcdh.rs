//! Treatments that switch against Stata's and Python's `did_multiplegt_dyn`, moderndid and diff-diff.

use parallax_model::{Estimate, Panel, panel::Column};
use serde_json::{Value, json};

use crate::support::{near_as, open_panel, private_json, private_panel, request};

/// The treatments of the stored cases, made of units and dates: `onoff` lasts four years and starts at one for every
/// fourth unit, `levels` has two baselines, rises and falls, by one or two, and twice as much from the third year on.
fn panel(name: &str) -> Panel {
    let panel = open_panel(name);
    let (units, dates) = (panel.units().clone(), panel.real("first_treat").unwrap());
    let (mut onoff, mut levels) = (Vec::new(), Vec::new());
    for (row, &year) in panel.periods().iter().enumerate() {
        let unit = units.labels.number(units.code[row] as usize).unwrap() as i64;
        let since = f64::from(year) - dates[row];
        let after = |from: f64| f64::from(u8::from(0.0 < dates[row] && from <= since));
        let change = [1.0, 2.0, -1.0][(unit % 3) as usize];
        let baseline = f64::from(u8::from(unit % 4 == 0));
        onoff.push(baseline + (1.0 - 2.0 * baseline) * (after(0.0) - after(4.0)));
        levels.push((2 * (unit % 2)) as f64 + change * (after(0.0) + after(2.0)));
    }
    panel.with("onoff".into(), Column::real(onoff)).unwrap().with("levels".into(), Column::real(levels)).unwrap()
}

/// `Effect_l` and `Placebo_l` as our terms.
fn term(theirs: &str) -> String {
    let steps = |it: &str| it.parse::<i32>().unwrap();
    match theirs.split_once('_') {
        Some(("Effect", it)) => format!("event:{}", steps(it) - 1),
        Some(("Placebo", it)) => format!("event:{}", -steps(it) - 1),
        _ => "att".to_owned(),
    }
}

fn near(ours: f64, theirs: f64, what: &str) {
    near_as("closed form", ours, theirs, what);
}

fn fit_stata(file: &str, options: &Value) -> Option<Estimate> {
    let panel = private_panel(&format!("oracle/stata18/{file}"), "id", "t")?;
    let options = options.as_object().unwrap().clone();
    let mut ask = request("dcdh", "y ~ 1", "cluster:id");
    ask.0.options = options;
    Some(ask.fit(&panel))
}

/// Every row of the file, estimates and errors. The `n` of an effect is its number of switchers; that of the average is
/// the number of rows of the data.
#[test]
fn stata_18() {
    let Some(stored) = private_json("oracle/stata18/78_multiplegt_dyn.json") else { return };
    let on = fit_stata("78_multiplegt_dyn.csv", &json!({ "treatment": "d", "lags": 3, "leads": 3 })).unwrap();
    let off =
        fit_stata("78_multiplegt_dyn_off.csv", &json!({ "treatment": "d", "lags": 1, "leads": 2 })).unwrap();
    let mut compared = 0;
    for row in stored["rows"].as_array().unwrap() {
        let name = row["statistic"].as_str().unwrap();
        let (estimate, name) = match name.strip_prefix("off_") {
            Some(name) => (&off, name),
            None => (&on, name),
        };
        let ours = estimate.row(&term(name), 0.95).unwrap();
        near(ours.estimate, row["estimate"].as_f64().unwrap(), name);
        near(ours.std_error, row["se"].as_f64().unwrap(), name);
        let n = row["n"].as_f64().unwrap();
        if name == "Av_tot_eff" {
            assert_eq!(n, estimate.sample.rows_used as f64);
        } else {
            assert_eq!(n, switchers(estimate, name)[0], "{name}");
        }
        compared += 3;
    }
    assert_eq!(compared, 30);
}

/// Switchers, their weight, and rows behind a number.
fn switchers(estimate: &Estimate, theirs: &str) -> [f64; 3] {
    let detail = estimate.detail("switchers").unwrap();
    let at = detail.words("command").unwrap().iter().position(|it| it == theirs).unwrap();
    ["switchers", "weight", "rows"].map(|it| detail.numbers(it).unwrap()[at])
}

#[test]
fn print_all() {
    let text = std::fs::read_to_string(std::env::var("DCDH_CASES").unwrap()).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    for case in &cases {
        let options = &case["options"];
        let mut ours = json!({ "treatment": case["treatment"] });
        ours["lags"] = json!(options["effects"].as_u64().unwrap() - 1);
        ours["leads"] = json!(options["placebo"].as_u64().unwrap() + 1);
        for (theirs, name) in [("normalized", "normalized"), ("same_switchers", "same-switchers"), ("same_switchers_pl", "same-switchers-placebos"), ("only_never_switchers", "only-never-switchers"), ("trends_nonparam", "trends-nonparam"), ("switchers", "switchers")] {
            if !options[theirs].is_null() { ours[name] = options[theirs].clone(); }
        }
        let formula = if options["controls"].is_null() { "y ~ 1" } else { "y ~ x1 + x2" };
        let vcov = if options["cluster"].is_null() { "cluster:unit" } else { "cluster:province" };
        let mut ask = request("dcdh", formula, vcov).options(&ours);
        if !options["weight"].is_null() { ask.0.weights = Some("w".into()); }
        let estimate = ask.fit(&panel(case["data"].as_str().unwrap()));
        println!("== {}", case["id"]);
        for group in ["effects", "placebos", "att"] {
            for (name, row) in case[group].as_object().unwrap() {
                let Some(o) = estimate.row(&term(name), 0.95) else { println!("{name}: none, {row}"); continue };
                let (e, s) = (row["Estimate"].as_f64().unwrap(), row["SE"].as_f64().unwrap());
                let ns = if name.starts_with("Av") { [0.0; 3] } else { switchers(&estimate, name) };
                println!("{name} {:.8} {:.2e} | {:.8} {:.2e} | {ns:?} {} {} {} {}", e, o.estimate - e, s, o.std_error - s, row["Switchers"], row["Switchers.w"], row["N"], row["N.w"]);
            }
        }
        println!("{:?} {:?} {:?} {}", estimate.stats.get("leads_chi2_p"), estimate.stats.get("lags_chi2_p"), estimate.stats.get("equality_p"), case["tests"]);
    }
}

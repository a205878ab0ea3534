//! Treatments that switch against Stata's and Python's `did_multiplegt_dyn`, moderndid and diff-diff.

use parallax_model::{AbsorptionCache, Estimate, Formula, Panel, panel::Column};
use parallax_oracle::open_answers;
use serde_json::{Value, json};

use crate::support::{Request, near_as, numbers, open_panel, private_json, private_panel, request};

/// The treatments of the stored cases, made of units and dates: `onoff` lasts four years and starts at one for every
/// fourth unit, `levels` has two baselines, rises and falls, by one or two, and twice as much from the third year on;
/// `gaps` is `levels` with one row of eleven missing.
fn panel(name: &str) -> Panel {
    let panel = open_panel(name);
    let (units, dates) = (panel.units().clone(), panel.real("first_treat").unwrap());
    let (mut onoff, mut levels, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
    for (row, &year) in panel.periods().iter().enumerate() {
        let unit = units.labels.number(units.code[row] as usize).unwrap() as i64;
        let since = f64::from(year) - dates[row];
        let after = |from: f64| f64::from(u8::from(0.0 < dates[row] && from <= since));
        let change = [1.0, 2.0, -1.0][(unit % 3) as usize];
        let baseline = f64::from(u8::from(unit % 4 == 0));
        onoff.push(baseline + (1.0 - 2.0 * baseline) * (after(0.0) - after(4.0)));
        let level = (2 * (unit % 2)) as f64 + change * (after(0.0) + after(2.0));
        levels.push(level);
        gaps.push(if (7 * unit + i64::from(year)) % 11 == 0 { f64::NAN } else { level });
    }
    let columns = [("onoff", onoff), ("levels", levels), ("gaps", gaps)];
    columns.into_iter().fold(panel, |panel, (name, it)| panel.with(name.into(), Column::real(it)).unwrap())
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
    Some(request("dcdh", "y ~ 1", "cluster:id").options(options).fit(&panel))
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

/// The request of a stored case in our words.
fn ask(case: &Value) -> Request {
    let theirs = &case["options"];
    let less = |name: &str, by: i64| theirs[name].as_i64().unwrap() + by;
    let mut options = json!({
        "treatment": case["treatment"], "lags": less("effects", -1), "leads": less("placebo", 1),
    });
    for (name, ours) in [
        ("normalized", "normalized"),
        ("same_switchers", "same-switchers"),
        ("same_switchers_pl", "same-switchers-placebos"),
        ("only_never_switchers", "only-never-switchers"),
        ("trends_nonparam", "trends-nonparam"),
        ("switchers", "switchers"),
    ] {
        if !theirs[name].is_null() {
            options[ours] = theirs[name].clone();
        }
    }
    let formula = if theirs["controls"].is_null() { "y ~ 1" } else { "y ~ x1 + x2" };
    let vcov = if theirs["cluster"].is_null() { "cluster:unit" } else { "cluster:province" };
    let mut ask = request("dcdh", formula, vcov).options(&options);
    ask.0.weights = theirs["weight"].as_str().map(Into::into);
    ask
}

fn cases(peer: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(open_answers("dcdh.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let of_peer = |it: &&Value| it["peer"].as_str().unwrap().starts_with(peer);
    all["cases"].as_array().unwrap().iter().filter(of_peer).cloned().collect()
}

/// The authors' own port: estimates, errors, numbers of switchers and rows, the whole covariance and the tests.
#[test]
fn the_authors_package() {
    let mut compared = 0;
    for case in cases("py-did-multiplegt-dyn").iter().filter(|it| it["options"]["controls"].is_null()) {
        let estimate = ask(case).fit(&panel(case["data"].as_str().unwrap()));
        let id = case["id"].as_str().unwrap();
        for (name, row) in ["effects", "placebos", "att"].iter().flat_map(|it| case[it].as_object().unwrap())
        {
            let (what, number) = (format!("{id} {name}"), |it: &str| row[it].as_f64().unwrap());
            let ours = estimate.row(&term(name), 0.95).unwrap();
            near(ours.estimate, number("Estimate"), &what);
            near(ours.std_error, number("SE"), &what);
            compared += 2;
            if term(name) != "att" {
                let [units, weight, rows] = switchers(&estimate, name);
                assert_eq!([units, rows], [number("Switchers"), number("N")], "{what}");
                near(weight, number("Switchers.w"), &what);
                compared += 3;
            }
        }
        compared += covariance(&estimate, case, id) + tests(&estimate, case, id);
    }
    assert_eq!(compared, 3743);
}

/// Their matrix has no average; a normalised one is that of the effects before the division.
fn covariance(estimate: &Estimate, case: &Value, id: &str) -> usize {
    let theirs = case["vcov"]["matrix"].as_array().unwrap();
    let names = case["vcov"]["terms"].as_array().unwrap();
    let place = |it: &Value| {
        let wanted = term(it.as_str().unwrap());
        estimate.terms.iter().position(|it| it.to_string() == wanted).unwrap()
    };
    let places: Vec<usize> = names.iter().map(place).collect();
    for (i, row) in theirs.iter().enumerate() {
        for (j, value) in row.as_array().unwrap().iter().enumerate() {
            let v = &estimate.vcov.matrix;
            let scale = (v[(places[i], places[i])] * v[(places[j], places[j])]).sqrt();
            near(
                v[(places[i], places[j])] / scale,
                value.as_f64().unwrap() / scale,
                &format!("{id} ({i}, {j})"),
            );
        }
    }
    places.len() * places.len()
}

fn tests(estimate: &Estimate, case: &Value, id: &str) -> usize {
    let names = [
        ("p_jointplacebo", "leads_chi2_p"),
        ("p_jointeffects", "lags_chi2_p"),
        ("p_equality_effects", "equality_p"),
    ];
    let found = names.iter().filter_map(|(theirs, ours)| Some((ours, case["tests"][theirs].as_f64()?)));
    // Their p is one less the distribution function, which is rounded to multiples of 1e-16.
    found
        .map(|(ours, p)| {
            near_as("p-value by 1 - F", estimate.stats.get(ours).unwrap(), p, &format!("{id} {ours}"));
        })
        .count()
}

/// With covariates the authors add to the influence of each of the G units the contrast of covariates times their
/// slopes over G, which is the estimate without covariates less that with them. It is no part of an influence
/// function, whose values add up to zero; added here, their errors come out. Of two more kinds of cases only estimates
/// are compared: with two baselines they divide the scores of one by the number of its own cells and multiply by that
/// of all (`rsum`); with clusters they count the missing cluster of other rows as one more in n/(n - 1) of the
/// slopes' scores.
#[test]
fn the_authors_package_with_covariates() {
    let mut compared = 0;
    for case in cases("py-did-multiplegt-dyn").iter().filter(|it| !it["options"]["controls"].is_null()) {
        let (panel, ask) = (panel("panel_bal"), ask(case));
        let id = case["id"].as_str().unwrap();
        let estimate = fit_with_influence(&ask, &panel);
        let mut plain = ask;
        plain.0.formula = Formula::parse("y ~ 1").unwrap();
        let plain = plain.fit(&panel);
        let clusters = panel.codes(plain.vcov.spec.clusters()[0].name().as_str()).unwrap();
        for (name, row) in ["effects", "placebos", "att"].iter().flat_map(|it| case[it].as_object().unwrap())
        {
            let (term, what) = (term(name), format!("{id} {name}"));
            let at = estimate.terms.iter().position(|it| it.to_string() == term).unwrap();
            near(estimate.coef[at], row["Estimate"].as_f64().unwrap(), &what);
            compared += 1;
            if case["treatment"] != "treat" || !case["options"]["cluster"].is_null() {
                continue;
            }
            let units = panel.units().n_groups();
            let constant = (plain.coef[at] - estimate.coef[at]) / units as f64;
            let psi = estimate.influence.as_ref().unwrap().on_panel(at, units);
            let mut sums = vec![0.0; clusters.n_groups()];
            let mut seen = vec![false; units];
            for (&unit, &cluster) in panel.units().code.iter().zip(clusters.code.iter()) {
                if !std::mem::replace(&mut seen[unit as usize], true) {
                    sums[cluster as usize] += psi[unit as usize] + constant;
                }
            }
            let error = sums.iter().map(|it| it * it).sum::<f64>().sqrt();
            near(error, row["SE"].as_f64().unwrap(), &what);
            compared += 1;
        }
    }
    assert_eq!(compared, 110);
}

fn fit_with_influence(ask: &Request, panel: &Panel) -> Estimate {
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator("dcdh").unwrap();
    entry.fit_with_influence(panel, &ask.0, &AbsorptionCache::default()).unwrap()
}

/// moderndid, where it does what the command does. Left out, with the reason: units whose treatment falls (it does not
/// turn the sign of their effects, as paper and Stata do, see `stata_18`); clusters (it counts the missing cluster of
/// other rows as one more, and squares the average's influence by unit); covariates (slopes from long differences
/// of units that never change, without periods); complete placebos (it restricts effects, too); the unbalanced panel
/// (its average divides by increases of the mean cumulative dose, whose switchers differ between event times; estimates
/// and errors of effects agree there).
#[test]
fn moderndid() {
    let mut compared = 0;
    for case in cases("moderndid") {
        let estimate = ask(&case).fit(&panel(case["data"].as_str().unwrap()));
        for (name, row) in case["rows"].as_object().unwrap() {
            let ours = estimate.row(&term(name), 0.95).unwrap();
            near(ours.estimate, row["Estimate"].as_f64().unwrap(), name);
            near(ours.std_error, row["SE"].as_f64().unwrap(), name);
            compared += 2;
        }
    }
    assert_eq!(compared, 126);
}

/// DID_M of diff-diff, which has it for binary treatments. Its error is left out: it centres within cohorts, as for the
/// dynamic form, while ours is the influence function of DID_M itself, held against its derivatives in testkit.
#[test]
fn diff_diff_instantaneous() {
    for case in cases("diff-diff") {
        let options = json!({ "treatment": case["treatment"], "form": "instantaneous" });
        let estimate = request("dcdh", "y ~ 1", "cluster:unit").options(&options).fit(&panel("panel_bal"));
        let theirs = numbers(&case["numbers"]);
        let ours = |term: &str| estimate.row(term, 0.95).unwrap().estimate;
        near(ours("att"), theirs["overall_att"], "DID_M");
        near(ours("event:0"), theirs["overall_att"], "DID_M");
        near(ours("event:-2"), theirs["placebo_effect"], "placebo");
        let detail = estimate.detail("switchers").unwrap();
        let counts = detail.numbers("switchers").unwrap();
        assert_eq!(counts[0], theirs["n_switcher_cells"]);
        if theirs.contains_key("leavers_att") {
            near(ours("att:joiners"), theirs["joiners_att"], "joiners");
            near(ours("att:leavers"), theirs["leavers_att"], "leavers");
            assert_eq!(counts[1..3], [theirs["n_joiner_cells"], theirs["n_leaver_cells"]]);
        }
    }
}

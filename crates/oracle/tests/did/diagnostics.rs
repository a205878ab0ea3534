//! The comparisons and weights of two-way fixed effects against bacondecomp, diff-diff, twowayfeweights and Stata.

use std::collections::BTreeMap;

use parallax_ingest::{ReadRequest, read};
use parallax_model::{
    Estimate, Panel, SingletonPolicy,
    panel::{Codes, Column},
};
use parallax_oracle::private_data;
use serde_json::{Value, json};

use crate::support::{answer, near_as, open_panel, private_json, private_panel, request};

fn near(ours: f64, theirs: f64, what: &str) {
    near_as("closed form", ours, theirs, what);
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// By treated and control group: weight and estimate.
fn comparisons(estimate: &Estimate) -> BTreeMap<(String, String), (f64, f64)> {
    let table = estimate.detail("decomposition").unwrap();
    let words = |name| table.words(name).unwrap().iter().cloned();
    let numbers = |name| table.numbers(name).unwrap().iter().copied();
    words("treated").zip(words("control")).zip(numbers("weight").zip(numbers("estimate"))).collect()
}

fn bacon(panel: &Panel, formula: &str) -> Estimate {
    request("bacon", formula, "iid").fit(panel)
}

/// Their control group: a year, `never_treated` or none at all.
fn date(value: &Value) -> String {
    value.as_i64().map_or_else(|| "never".to_owned(), |it| it.to_string())
}

fn compare(estimate: &Estimate, theirs: &Value, control: &str, factor: f64) -> usize {
    let ours = comparisons(estimate);
    for it in theirs.as_array().unwrap() {
        let pair = (date(&it["treated"]), date(&it[control]));
        let (weight, effect) = ours[&pair];
        near(weight, factor * number(&it["weight"]), &format!("weight of {pair:?}"));
        near(effect, number(&it["estimate"]), &format!("estimate of {pair:?}"));
    }
    theirs.as_array().unwrap().len()
}

#[test]
fn comparisons_are_bacondecomps_and_diff_diffs() {
    let estimate = bacon(&open_panel("panel_bal"), "y ~ treat | unit + year");
    let case = answer("did.json", "bacon_panel_bal");
    near(estimate.coef[0], number(&case["twfe_direct"]), "coefficient");
    assert_eq!(compare(&estimate, &case["decomposition"], "untreated", 1.0), 16);
    let case = answer("did_python.json", "panel_bal__dd_bacon");
    near(estimate.coef[0], number(&case["twfe"]), "coefficient");
    assert_eq!(compare(&estimate, &case["comparisons"], "control", 1.0), 16);
    assert_eq!(comparisons(&estimate).len(), 16);
}

/// bacondecomp's way with covariates, through what group means of covariates leave of the treatment, worked out by numpy.
#[test]
fn comparisons_with_covariates_are_bacondecomps() {
    for id in ["bacon_x1_x2", "bacon_x3"] {
        let case = answer("bacon_covariates.json", id);
        let covariates: Vec<&str> =
            case["covariates"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        let formula = format!("y ~ treat + {} | unit + year", covariates.join(" + "));
        let estimate = bacon(&open_panel("panel_bal"), &formula);
        let stat = |name| estimate.stats.get(name).unwrap();
        near(estimate.coef[0], number(&case["beta"]), "coefficient");
        near(stat("omega"), number(&case["Omega"]), "Omega");
        near(stat("estimate_within"), number(&case["beta_hat_w"]), "estimate within groups");
        let pairs = compare(&estimate, &case["two_by_twos"], "untreated", 1.0 - stat("omega"));
        assert_eq!((pairs, comparisons(&estimate).len()), (10, 11));
    }
}

#[test]
fn comparisons_of_counties_are_those_of_r_python_and_stata() {
    let Some(panel) = private_panel("oracle/open/data/real_mpdta.csv", "countyreal", "year") else { return };
    let first = panel.real("first_treat").unwrap();
    let on = first
        .iter()
        .zip(panel.periods())
        .map(|(first, year)| f64::from(u8::from(0.0 < *first && *first <= f64::from(*year))));
    let panel = panel.clone().with("on".into(), Column::real(on.collect())).unwrap();
    let estimate = bacon(&panel, "lemp ~ on | countyreal + year");
    let find = |file: &str, id: &str| {
        let all = private_json(file).unwrap();
        all["cases"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap().clone()
    };
    let case = find("oracle/open/expected/did.json", "bacon_real_mpdta");
    assert_eq!(compare(&estimate, &case["decomposition"], "untreated", 1.0), 9);
    let case = find("oracle/open/expected/did_python.json", "real_mpdta__dd_bacon");
    assert_eq!(compare(&estimate, &case["comparisons"], "control", 1.0), 9);
    assert_eq!(comparisons(&estimate).len(), 9);

    let panel = private_panel("oracle/stata18/20_bacon.csv", "countyreal", "year").unwrap();
    let estimate = bacon(&panel, "lemp ~ treat | countyreal + year");
    let ours = comparisons(&estimate);
    let answers = private_json("oracle/stata18/20_bacon.json").unwrap();
    let mut compared = 0;
    for row in answers["rows"].as_array().unwrap() {
        let (name, theirs) = (row["statistic"].as_str().unwrap(), number(&row["estimate"]));
        let words: Vec<&str> = name.split('_').collect();
        let value = match words.as_slice() {
            ["beta", "twfe"] => estimate.coef[0],
            ["weighted", "sum"] => ours.values().map(|it| it.0 * it.1).sum(),
            ["negative", ..] => ours.values().map(|it| it.0.min(0.0)).sum(),
            ["pair", treated, "vs", control, "est"] => {
                ours[&((*treated).to_owned(), (*control).to_owned())].1
            }
            _ => panic!("{name}"),
        };
        near_as("stored as float", value, theirs, name);
        compared += 1;
    }
    assert_eq!(compared, 9);
}

/// Printed numbers of bacondecomp: `facts/reference_estimates.csv`.
#[test]
fn comparisons_of_bacondecomps_examples_are_the_printed_ones() {
    let Some(root) = private_data() else { return };
    let printed =
        |file: &str, unit: &str, time: &str, treatment: &str, formula: &str, rows: &[(&str, f64, f64)]| {
            let panel = private_panel(&format!("data/reference/{file}"), unit, time).unwrap();
            let d = panel.real(treatment).unwrap();
            let panel = panel.clone().with("on".into(), Column::real(d.to_vec())).unwrap();
            let estimate = bacon(&panel, formula);
            let table = estimate.detail("decomposition-by-kind").unwrap();
            let kinds = table.words("kind").unwrap();
            assert_eq!(kinds.len(), rows.len());
            for (kind, weight, effect) in rows {
                let at = kinds.iter().position(|it| it == kind).unwrap();
                // In units of the fifth decimal.
                near_as("printed digits", 1e5 * table.numbers("weight").unwrap()[at], 1e5 * weight, kind);
                near_as("printed digits", 1e5 * table.numbers("estimate").unwrap()[at], 1e5 * effect, kind);
            }
            estimate.coef[0]
        };
    let castle = printed(
        "castle_bacondecomp.csv",
        "state",
        "year",
        "post",
        "l_homicide ~ on | state + year",
        &[
            ("Earlier vs later treated", 0.05976, -0.00554),
            ("Later vs earlier treated", 0.03190, 0.07032),
            ("Treated vs untreated", 0.90834, 0.08796),
        ],
    );
    near(castle, 0.081_811_616_930_647_41, "castle");
    printed(
        "math_reform.csv",
        "state",
        "class",
        "reform_math",
        "incearn_ln ~ on | state + class",
        &[
            ("Earlier vs later treated", 0.06353, 0.02868),
            ("Later vs earlier treated", 0.05265, 0.03375),
            ("Treated vs untreated", 0.88382, -0.00129),
        ],
    );
    assert!(root.is_dir());
}

/// A case of `twfe_weights.json` by ours.
fn weigh(case: &Value) -> Estimate {
    let text = |name: &str| case[name].as_str().unwrap().to_owned();
    let covariates = case["controls"].as_array().into_iter().flatten().map(|it| it.as_str().unwrap());
    let right: Vec<String> =
        std::iter::once(text("treatment")).chain(covariates.map(str::to_owned)).collect();
    let formula = format!("{} ~ {} | unit + year", text("outcome"), right.join(" + "));
    let options = json!({ "type": case["type"].as_str().unwrap_or("feTR") });
    let mut request = request("twfe-weights", &formula, "iid").options(&options);
    request.0.weights = case["weights_column"].as_str().map(Into::into);
    // They keep singletons, whose weights are zero and whose treatment counts in shares.
    request.0.singletons = SingletonPolicy::Keep;
    request.fit(&open_panel(case["data"].as_str().unwrap()))
}

/// Weights by unit and year, those that count as zero left out.
fn cells(estimate: &Estimate) -> BTreeMap<(i64, i64), f64> {
    let table = estimate.detail("weights").unwrap();
    let units = table.words("group").unwrap().iter().map(|it| it.parse().unwrap());
    let years = table.numbers("period").unwrap().iter().map(|it| *it as i64);
    let weights = table.numbers("weight").unwrap().iter().copied();
    units.zip(years).zip(weights).filter(|it| 1e-10 <= it.1.abs()).collect()
}

fn compare_cells(ours: &BTreeMap<(i64, i64), f64>, theirs: &Value) {
    assert_eq!(ours.len() as u64, theirs["count"].as_u64().unwrap());
    let squares: f64 = ours.values().map(|it| it * it).sum();
    near_as("iterated", squares, number(&theirs["sum_of_squares"]), "sum of squared weights");
    let some = &theirs["every_seventh"];
    let list = |name: &str| some[name].as_array().unwrap().clone();
    for ((unit, year), weight) in list("unit").iter().zip(list("year")).zip(list("weight")) {
        let cell = (unit.as_i64().unwrap(), year.as_i64().unwrap());
        near_as("iterated", ours[&cell], number(&weight), &format!("weight of {cell:?}"));
    }
}

#[test]
fn weights_are_those_of_twowayfeweights() {
    let ids = ["bal", "bal_controls", "bal_weights", "bal_continuous"].iter();
    let ids = ids.flat_map(|it| ["feTR", "fdTR", "fdS"].map(|kind| format!("{it}_{kind}")));
    let uneven = ["unbal_feTR", "unbal_fdTR", "unbal_fdS", "unbal_weights_feTR"].map(str::to_owned);
    for id in ids.chain(uneven) {
        let case = answer("twfe_weights.json", &id);
        let estimate = weigh(&case);
        let near = |ours: f64, theirs: &str| {
            near_as("iterated", ours, number(&case[theirs]), &format!("{id}: {theirs}"));
        };
        let stat = |name| estimate.stats.get(name).unwrap();
        near(estimate.coef[0], "beta");
        assert_eq!(stat("weights_positive"), number(&case["nr_plus"]), "{id}");
        assert_eq!(stat("weights_negative"), number(&case["nr_minus"]), "{id}");
        near(stat("sum_positive"), "sum_plus");
        near(stat("sum_negative"), "sum_minus");
        compare_cells(&cells(&estimate), &case["weights"]);
        // Theirs has M - 1 in place of M.
        let m = estimate.detail("weights").unwrap().n_rows() as f64;
        near(stat("sigma") * ((m - 1.0) / m).sqrt(), "sensibility");
        // Theirs leaves out cells whose weight is zero, though their effects may differ from zero too: it is not the least
        // deviation then, which the test `the_second_deviation_is_the_least_one` of the crate shows ours to be.
        match (case["sensibility2"].as_f64(), estimate.stats.get("sigma_opposite")) {
            (Some(theirs), Some(ours)) => {
                near(opposite_signs_without_zeros(&estimate), "sensibility2");
                assert!(ours <= theirs * (1.0 + 1e-8), "{id}: {ours} is above {theirs}");
                if stat("weights_zero") == 0.0 {
                    near(ours, "sensibility2");
                }
            }
            it => assert_eq!(it, (None, None), "{id}"),
        }
    }
}

/// Corollary 1 over the cells with a weight, as they have it.
fn opposite_signs_without_zeros(estimate: &Estimate) -> f64 {
    let table = estimate.detail("weights").unwrap();
    let pairs = table.numbers("weight").unwrap().iter().zip(table.numbers("share").unwrap());
    let mut pairs: Vec<(f64, f64)> =
        pairs.filter(|it| 1e-10 <= it.0.abs()).map(|(weight, share)| (weight / share, *share)).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut p, mut s, mut t, mut found) = (0.0, 0.0, 0.0, f64::NAN);
    for (ratio, share) in &pairs[..pairs.len() - 1] {
        (p, s, t) = (p + share, s + share * ratio, t + share * ratio * ratio);
        if *ratio < -s / (1.0 - p) {
            found = estimate.coef[0].abs() / (t + s * s / (1.0 - p)).sqrt();
        }
    }
    found
}

/// Theirs of type feS take the mean of later residuals where the theorem has the sum: the test
/// `weights_give_back_the_coefficient` of the crate shows that only the sum gives the coefficient. Sums over numbers of
/// periods left are means, which are theirs.
#[test]
fn stable_weights_are_those_of_twowayfeweights_once_sums_are_means() {
    for it in ["bal", "bal_controls", "bal_weights", "bal_continuous"] {
        let case = answer("twfe_weights.json", &format!("{it}_feS"));
        let estimate = weigh(&case);
        near_as("iterated", estimate.coef[0], number(&case["beta"]), "beta");
        let panel = open_panel("panel_bal");
        let weights = case["weights_column"].as_str().map(|it| panel.real(it).unwrap());
        let mut left: BTreeMap<(i64, i64), f64> = BTreeMap::new();
        let mut sum = 0.0;
        let units: &Codes = panel.units();
        for row in (0..panel.n_rows()).rev() {
            if row + 1 == panel.n_rows() || units.code[row] != units.code[row + 1] {
                sum = 0.0;
            }
            sum += weights.as_ref().map_or(1.0, |it| it[row]);
            let unit = units.labels.text(units.code[row] as usize).parse().unwrap();
            left.insert((unit, i64::from(panel.periods()[row])), sum);
        }
        let means: BTreeMap<(i64, i64), f64> =
            cells(&estimate).into_iter().map(|(cell, weight)| (cell, weight / left[&cell])).collect();
        let total: f64 = means.values().sum();
        let means = means.into_iter().map(|(cell, weight)| (cell, weight / total)).collect();
        compare_cells(&means, &case["weights"]);
    }
}

#[test]
fn weights_and_the_deviation_are_those_of_diff_diff() {
    let case = answer("twfe_weights.json", "bal_feTR_diff_diff");
    let estimate = weigh(&case);
    near(estimate.coef[0], number(&case["beta"]), "beta");
    near_as("iterated", estimate.stats.get("sigma").unwrap(), number(&case["sigma_fe"]), "sigma");
    assert_eq!(estimate.stats.get("weights_negative").unwrap(), number(&case["fraction_negative"]));
    compare_cells(&cells(&estimate), &case["weights"]);
}

/// The example of the paper (section V.C), as the tests of the R package TwoWayFEWeights have it: a single year in or out of
/// a union between two years out or in is taken for an error of measurement.
#[test]
fn weights_of_the_wage_panel_are_those_that_r_is_tested_with() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../datasets/wage-panel/wage_panel.parquet");
    let panel = read(&ReadRequest::file(path).indexed("nr", "year")).unwrap().panel;
    let mut union = panel.real("union").unwrap().to_vec();
    for years in union.chunks_mut(8) {
        for at in 1..7 {
            if years[at - 1] == years[at + 1] {
                years[at] = years[at - 1];
            }
        }
    }
    let panel = panel.clone().with("member".into(), Column::real(union)).unwrap();
    let known = [
        ("feTR", [820.0, 147.0, 49.0], [0.106_627, 1.010_529, -0.010_529, 0.096_869, 3.175_859]),
        ("fdTR", [611.0, 405.0, 0.0], [0.060_096, 1.047_636, -0.047_636, 0.032_095, 0.579_914]),
    ];
    for (kind, counts, numbers) in known {
        let options = json!({ "type": kind });
        let estimate =
            request("twfe-weights", "lwage ~ member | nr + year", "iid").options(&options).fit(&panel);
        let stat = |name| estimate.stats.get(name).unwrap();
        let ours = ["weights_positive", "weights_negative", "weights_zero"].map(stat);
        assert_eq!(ours, counts, "{kind}");
        let m = 1016.0_f64;
        let ours = [
            estimate.coef[0],
            stat("sum_positive"),
            stat("sum_negative"),
            stat("sigma") * ((m - 1.0) / m).sqrt(),
            opposite_signs_without_zeros(&estimate),
        ];
        for (ours, theirs) in ours.iter().zip(numbers) {
            near_as("printed digits", 1e6 * ours, 1e6 * theirs, kind);
        }
    }
}

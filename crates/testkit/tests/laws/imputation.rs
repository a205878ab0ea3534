//! Imputation and two stages: their definitions written out with dummies, what they collapse to, what they refuse.

use std::collections::BTreeMap;

use parallax_model::{
    AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, WeightKind,
    linalg::{LeastSquaresOptions, Mat, least_squares},
    panel::{Column, Dropped},
};
use parallax_testkit::{NEAR, REORDERED, Table, compare};
use serde_json::{Value, json};

fn fit(
    panel: &Panel,
    estimator: &str,
    formula: &str,
    weights: Option<&str>,
    options: &Value,
) -> Result<Estimate, String> {
    let spec = ModelSpec {
        estimator: estimator.to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: weights.map(Into::into),
        weight_kind: WeightKind::Analytic,
        vcov: "cluster:unit".parse().unwrap(),
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Keep,
        options: options.as_object().unwrap().clone(),
    };
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator(estimator).unwrap();
    entry.fit(panel, &spec, &AbsorptionCache::default()).map_err(|it| it.to_string())
}

/// Dummies of all units and years, and `x1`: a dense regression on untreated rows of a table.
struct Dense<'a> {
    table: &'a Table,
    weights: Vec<f64>,
    untreated: Vec<usize>,
    /// One column of all rows a kept coefficient.
    z: Vec<Vec<f64>>,
    bread: Mat<f64>,
    residual: Vec<f64>,
}

impl<'a> Dense<'a> {
    fn new(table: &'a Table, weights: Vec<f64>) -> Dense<'a> {
        let untreated: Vec<usize> = (0..table.len()).filter(|&it| table.column("d")[it] == 0.0).collect();
        let mut units = table.unit.clone();
        units.sort();
        units.dedup();
        let dummy = |is: &dyn Fn(usize) -> bool| -> Vec<f64> {
            (0..table.len()).map(|it| f64::from(u8::from(is(it)))).collect()
        };
        let mut z = vec![table.column("x1").to_vec()];
        z.extend(units.iter().map(|unit| dummy(&|it| table.unit[it] == *unit)));
        z.extend((2001..2011).map(|year| dummy(&|it| table.year[it] == year)));
        let on = |column: &Vec<f64>| -> Vec<f64> { untreated.iter().map(|&it| column[it]).collect() };
        let columns: Vec<Vec<f64>> = z.iter().map(on).collect();
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let (y, w) = (table.column("y").to_vec(), on(&weights));
        let fit = least_squares(&slices, &on(&y), Some(&w), None, &LeastSquaresOptions::default()).unwrap();
        let z: Vec<Vec<f64>> = fit.kept.iter().map(|&it| z[it].clone()).collect();
        let predict = |row: usize| z.iter().zip(&fit.coef).map(|(z, b)| z[row] * b).sum::<f64>();
        let residual = (0..table.len()).map(|it| y[it] - predict(it)).collect();
        Dense { table, weights, untreated, z, bread: fit.bread, residual }
    }

    /// Rows that can be imputed: their unit and year have untreated rows. The graph of these panels is connected.
    fn treated(&self) -> Vec<usize> {
        let known = |row: usize| {
            let seen = |same: &dyn Fn(usize) -> bool| self.untreated.iter().any(|&it| same(it));
            seen(&|it| self.table.unit[it] == self.table.unit[row])
                && seen(&|it| self.table.year[it] == self.table.year[row])
        };
        (0..self.table.len()).filter(|&it| self.table.column("d")[it] == 1.0 && known(it)).collect()
    }

    /// Estimate and error of the average over some rows, the deviation of each row as `centre` has it.
    fn average(&self, rows: &[usize], centre: impl Fn(f64, &[(usize, f64)], usize) -> f64) -> [f64; 2] {
        let total: f64 = rows.iter().map(|&it| self.weights[it]).sum();
        let v: Vec<(usize, f64)> = rows.iter().map(|&it| (it, self.weights[it] / total)).collect();
        let estimate: f64 = v.iter().map(|&(row, v)| v * self.residual[row]).sum();
        let wanted: Vec<f64> = self.z.iter().map(|z| v.iter().map(|&(row, v)| v * z[row]).sum()).collect();
        let mut psi: BTreeMap<&str, f64> = BTreeMap::new();
        for &row in &self.untreated {
            let p: f64 = (0..self.z.len())
                .flat_map(|i| (0..self.z.len()).map(move |j| (i, j)))
                .map(|(i, j)| self.z[i][row] * self.bread[(i, j)] * wanted[j])
                .sum();
            *psi.entry(&self.table.unit[row]).or_default() -= self.weights[row] * p * self.residual[row];
        }
        for &(row, a) in &v {
            let gap = self.residual[row] - centre(estimate, &v, row);
            *psi.entry(&self.table.unit[row]).or_default() += a * gap;
        }
        [estimate, psi.values().map(|it| it * it).sum::<f64>().sqrt()]
    }

    /// The average effect of a row's cohort and year, with one row a unit: sum v^2 tau / sum v^2.
    fn of_cell(&self, v: &[(usize, f64)], row: usize) -> f64 {
        let cohort = self.table.column("cohort");
        let cell = v
            .iter()
            .filter(|it| cohort[it.0] == cohort[row] && self.table.year[it.0] == self.table.year[row]);
        let (mut above, mut below) = (0.0, 0.0);
        cell.for_each(|&(it, v)| {
            above += v * v * self.residual[it];
            below += v * v;
        });
        above / below
    }

    fn some(&self, is: impl Fn(usize) -> bool) -> Vec<usize> {
        self.treated().into_iter().filter(|&it| is(it)).collect()
    }
}

fn near(estimate: &Estimate, term: &str, [value, error]: [f64; 2]) {
    let row = estimate.row(term, 0.95).unwrap();
    compare(term, row.estimate, value, &NEAR).unwrap();
    compare(&format!("error of {term}"), row.std_error, error, &NEAR).unwrap();
}

#[test]
fn both_are_their_definitions_with_dummies() {
    let table = Table::unbalanced(61);
    let panel = table.panel().unwrap();
    let options = json!({ "cohort": "cohort", "leads": 0 });
    for weights in [None, Some("w")] {
        let ones = vec![1.0; table.len()];
        let dense = Dense::new(&table, weights.map_or(ones, |it| table.column(it).to_vec()));
        let event = |row: usize| table.year[row] - table.column("cohort")[row] as i32;
        let cohort = table.column("cohort");
        let first = dense.treated().iter().map(|&it| cohort[it]).fold(f64::INFINITY, f64::min);
        let group = format!("att:group:{first}");
        let averages = [
            ("att", dense.treated()),
            ("event:1", dense.some(|it| event(it) == 1)),
            ("att:calendar:2006", dense.some(|it| table.year[it] == 2006)),
            (group.as_str(), dense.some(|it| cohort[it] == first)),
        ];
        let imputed = fit(&panel, "imputation", "y ~ x1 | unit + year", weights, &options).unwrap();
        let two = fit(&panel, "two-stage", "y ~ x1 | unit + year", weights, &options).unwrap();
        for (term, rows) in averages {
            near(&imputed, term, dense.average(&rows, |_, v, row| dense.of_cell(v, row)));
            near(&two, term, dense.average(&rows, |mean, _, _| mean));
        }
    }
}

/// On a balanced panel without controls the rows of a cohort are alike, so that a dummy for each cohort in each treated
/// period (Wooldridge 2021) leaves effects to untreated rows.
#[test]
fn effects_by_cohort_and_period_are_those_of_a_saturated_regression() {
    let mut panel = Table::balanced(62).panel().unwrap();
    let options = json!({ "cohort": "cohort" });
    let imputed = fit(&panel, "imputation", "y ~ 1 | unit + year", None, &options).unwrap();
    let (dates, years) = (panel.real("cohort").unwrap(), panel.periods().to_vec());
    let mut names = Vec::new();
    for g in 2002..2011 {
        for t in g..2011 {
            let is: Vec<f64> = dates
                .iter()
                .zip(&years)
                .map(|(date, year)| f64::from(u8::from(*date == f64::from(g) && *year == t)))
                .collect();
            if is.contains(&1.0) {
                names.push((format!("c{g}_{t}"), format!("att({g},{t})")));
                panel = panel.with(format!("c{g}_{t}").into(), Column::real(is)).unwrap();
            }
        }
    }
    let dummies: Vec<&str> = names.iter().map(|it| it.0.as_str()).collect();
    let formula = format!("y ~ {} | unit + year", dummies.join(" + "));
    let saturated = fit(&panel, "fixed-effects", &formula, None, &json!({})).unwrap();
    let mut compared = 0;
    for (dummy, term) in &names {
        let (Some(a), Some(b)) = (imputed.row(term, 0.95), saturated.row(dummy, 0.95)) else { continue };
        compare(term, a.estimate, b.estimate, &NEAR).unwrap();
        compared += 1;
    }
    assert!(10 < compared, "{compared}");
}

/// Four years, three units that adopt in the last, three that never do.
fn two_by_two() -> Table {
    let mut table = Table::balanced(64);
    let keep: Vec<usize> = (0..table.len()).filter(|&it| it / 9 < 6 && table.year[it] <= 2004).collect();
    table = table.rows(&keep);
    let (cohort, d): (Vec<f64>, Vec<f64>) = (0..table.len())
        .map(|it| if it / 4 < 3 { (2004.0, f64::from(u8::from(table.year[it] == 2004))) } else { (0.0, 0.0) })
        .unzip();
    for (name, values) in &mut table.numbers {
        match *name {
            "cohort" => *values = cohort.clone(),
            "d" => *values = d.clone(),
            _ => {}
        }
    }
    table
}

#[test]
fn one_cohort_and_one_period_are_two_by_two() {
    let table = two_by_two();
    let y = table.column("y");
    let change = |unit: usize| y[4 * unit + 3] - (y[4 * unit] + y[4 * unit + 1] + y[4 * unit + 2]) / 3.0;
    let by_hand = (0..3).map(change).sum::<f64>() / 3.0 - (3..6).map(change).sum::<f64>() / 3.0;
    let panel = table.panel().unwrap();
    for estimator in ["imputation", "two-stage"] {
        let estimate =
            fit(&panel, estimator, "y ~ 1 | unit + year", None, &json!({ "treatment": "d" })).unwrap();
        for term in ["att", "event:0", "att:group:2004", "att:calendar:2004"] {
            compare(term, estimate.row(term, 0.95).unwrap().estimate, by_hand, &REORDERED).unwrap();
        }
    }
}

/// The leads are those of a regression without treated rows, errors included.
#[test]
fn leads_are_an_event_study_without_treated_rows() {
    let table = Table::unbalanced(65);
    let panel = table.panel().unwrap();
    let imputed = fit(
        &panel,
        "imputation",
        "y ~ x1 | unit + year",
        Some("w"),
        &json!({ "cohort": "cohort", "leads": 2 }),
    )
    .unwrap();
    let untreated: Vec<bool> = panel.real("d").unwrap().iter().map(|it| *it == 0.0).collect();
    let event = |time: f64| -> Vec<f64> {
        let rows = panel.real("cohort").unwrap();
        let is = |(g, t): (&f64, &i32)| f64::from(u8::from(0.0 < *g && f64::from(*t) - g == time));
        rows.iter().zip(panel.periods()).map(is).collect()
    };
    let with = panel.clone().with("l1".into(), Column::real(event(-1.0))).unwrap();
    let with = with.with("l2".into(), Column::real(event(-2.0))).unwrap().keep(&untreated).unwrap();
    let plain = fit(&with, "fixed-effects", "y ~ x1 + l1 + l2 | unit + year", Some("w"), &json!({})).unwrap();
    for (term, lead) in [("event:-1", "l1"), ("event:-2", "l2")] {
        let row = plain.row(lead, 0.95).unwrap();
        near(&imputed, term, [row.estimate, row.std_error]);
    }
    let window = imputed.event.clone().unwrap();
    assert!(window.references.iter().all(|it| *it < -2) && !window.references.is_empty());
    assert_eq!(imputed.stats.get("pretrend_df1"), Some(2.0));
}

fn refused(panel: &Panel, estimator: &str, formula: &str, options: &Value, says: &str) {
    let error = fit(panel, estimator, formula, None, options).unwrap_err();
    assert!(error.contains(says), "{error}");
}

#[test]
fn what_cannot_be_imputed_is_said() {
    let table = two_by_two();
    let panel = table.panel().unwrap();
    let model = "y ~ 1 | unit + year";
    for estimator in ["imputation", "two-stage"] {
        let dated = json!({ "cohort": "cohort" });
        refused(&panel, estimator, model, &json!({}), "give either `cohort`");
        refused(&panel, estimator, "y ~ d | unit + year", &dated, "`d` cannot be told from effects");
        let nobody = table.clone().with("cohort", |_| 0.0).panel().unwrap();
        refused(&nobody, estimator, model, &dated, "no unit of the sample ever adopts");
        let late = table.clone().with("cohort", |_| 2010.0).panel().unwrap();
        refused(&late, estimator, model, &dated, "no row is treated");
        let all = table.clone().with("cohort", |_| 2001.0).panel().unwrap();
        refused(&all, estimator, model, &dated, "every row is treated");
        let always = table.clone().with("cohort", |it| if it == 0.0 { 2003.0 } else { 2001.0 });
        refused(&always.panel().unwrap(), estimator, model, &dated, "no treated row can be imputed");
        refused(&panel, estimator, model, &json!({ "cohort": "cohort", "level": 1.5 }), "between 0 and 1");
    }
    let undated = table.rows(&[3, 4, 5, 6, 7, 12, 13, 14, 15]);
    for estimator in ["imputation", "two-stage"] {
        let by_year = json!({ "treatment": "d" });
        refused(
            &undated.panel().unwrap(),
            estimator,
            "y ~ 1 | year",
            &by_year,
            "date of adoption is not known",
        );
    }
    let leads = json!({ "cohort": "cohort", "leads": 3 });
    refused(&panel, "imputation", model, &leads, "take fewer `leads`");
    let reference = json!({ "cohort": "cohort", "reference": [0] });
    refused(&panel, "two-stage", model, &reference, "before adoption");
    let few = json!({ "cohort": "cohort", "min-effective": 30.0 });
    refused(&panel, "imputation", model, &few, "lower `min-effective`");
}

/// A unit that is treated in all rows is named and left out; with `autosample = false` it is an error.
#[test]
fn units_without_untreated_rows_are_left_out_aloud() {
    let mut table = two_by_two();
    let first: Vec<bool> = (0..table.len()).map(|it| it < 4).collect();
    let (_, dates) = table.numbers.iter_mut().find(|it| it.0 == "cohort").unwrap();
    dates.iter_mut().zip(&first).filter(|it| *it.1).for_each(|it| *it.0 = 2001.0);
    let with = table.panel().unwrap();
    let without = with.keep(&first.iter().map(|it| !it).collect::<Vec<bool>>()).unwrap();
    let model = "y ~ 1 | unit + year";
    for estimator in ["imputation", "two-stage"] {
        let all = fit(&with, estimator, model, None, &json!({ "cohort": "cohort" })).unwrap();
        let others = fit(&without, estimator, model, None, &json!({ "cohort": "cohort" })).unwrap();
        let (a, b) = (all.row("att", 0.95).unwrap(), others.row("att", 0.95).unwrap());
        compare("att", a.estimate, b.estimate, &REORDERED).unwrap();
        compare("error", a.std_error, b.std_error, &REORDERED).unwrap();
        let notes: Vec<String> = all.notes.iter().map(ToString::to_string).collect();
        assert!(notes.iter().any(|it| it.contains("treated rows that cannot be imputed: 4")), "{notes:?}");
        assert!(notes.iter().any(|it| it.contains("u0000")), "{notes:?}");
        assert_eq!(all.sample.rows_used + 4, with.n_rows());
        assert_eq!(all.sample.dropped, [(Dropped::Other("treated that cannot be imputed".to_owned()), 4)]);
        refused(&with, estimator, model, &json!({ "cohort": "cohort", "autosample": false }), "autosample");
    }
}

/// Two parts of a panel that share no untreated row of a unit: effects of the years of one do not hold in the other.
#[test]
fn parts_that_are_not_connected_impute_nothing_for_each_other() {
    let table = Table::balanced(66);
    let part = |unit: usize| unit % 2;
    let years = [2001..=2003, 2006..=2008];
    let keep: Vec<usize> = (0..table.len())
        .filter(|&it| {
            let own = years[part(it / 9)].contains(&table.year[it]);
            // The first unit adopts in 2003 and has a row among the years of the others.
            own || (it / 9 == 0 && table.year[it] == 2007)
        })
        .collect();
    let mut table = table.rows(&keep);
    let dates: Vec<f64> = table
        .unit
        .iter()
        .map(|it| match it.as_str() {
            "u0000" | "u0002" => 2003.0,
            "u0001" | "u0003" => 2008.0,
            _ => 0.0,
        })
        .collect();
    if let Some((_, values)) = table.numbers.iter_mut().find(|it| it.0 == "cohort") {
        *values = dates;
    }
    let panel = table.panel().unwrap();
    for estimator in ["imputation", "two-stage"] {
        let estimate =
            fit(&panel, estimator, "y ~ 1 | unit + year", None, &json!({ "cohort": "cohort" })).unwrap();
        let notes: Vec<String> = estimate.notes.iter().map(ToString::to_string).collect();
        assert!(
            notes.iter().any(|it| it.contains("rows not tied to the effects of their groups: 1 ")),
            "{notes:?}"
        );
        assert!(estimate.row("event:4", 0.95).is_none());
        assert_eq!(estimate.stats.get("imputed_rows"), Some(4.0));
    }
}

/// Averages over all rows need no group of `average-by` with two clusters: leaving one out says so.
#[test]
fn leaving_out_the_only_cluster_is_refused() {
    let panel = Table::unbalanced(67).panel().unwrap();
    let by =
        |by: &str| json!({ "cohort": "cohort", "leave-out": true, "average-by": by, "group-time": false });
    refused(&panel, "imputation", "y ~ 1 | unit + year", &by("cohort-period"), "average-by");
}

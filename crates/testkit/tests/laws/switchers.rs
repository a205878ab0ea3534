//! `dcdh`: its definitions written naively, its influence functions as derivatives, and what it refuses.

use std::collections::BTreeMap;

use parallax_model::{
    AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, WeightKind,
    panel::Column,
};
use parallax_testkit::{REORDERED, Shape, Table, compare};
use serde_json::{Value, json};

fn ask(panel: &Panel, formula: &str, weights: Option<&str>, options: &Value) -> Result<Estimate, String> {
    let spec = ModelSpec {
        estimator: "dcdh".to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: weights.map(Into::into),
        weight_kind: WeightKind::Analytic,
        vcov: "cluster:unit".parse().unwrap(),
        small_sample: SmallSample::NONE,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: options.as_object().unwrap().clone(),
    };
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator("dcdh").unwrap();
    entry.fit_with_influence(panel, &spec, &AbsorptionCache::default()).map_err(|it| it.to_string())
}

fn value(estimate: &Estimate, term: &str) -> f64 {
    estimate.row(term, 0.95).unwrap().estimate
}

/// Outcome, treatment and weight of each unit by year.
type Rows = BTreeMap<String, BTreeMap<i32, [f64; 3]>>;

fn rows(table: &Table, treatment: &[f64]) -> Rows {
    let mut rows = Rows::new();
    for (row, &treatment) in treatment.iter().enumerate() {
        let numbers = [table.column("y")[row], treatment, table.column("w")[row]];
        rows.entry(table.unit[row].clone()).or_default().insert(table.year[row], numbers);
    }
    rows
}

/// A treatment of three values that rises, falls and comes back: `d` plus what the unit's number says.
fn switching(table: &Table) -> Vec<f64> {
    let of = |row: usize| {
        let unit: usize = table.unit[row][1..5].parse().unwrap();
        let (d, since) = (table.column("d")[row], f64::from(table.year[row]) - table.column("cohort")[row]);
        let (baseline, change) = ((unit % 2) as f64, [1.0, -1.0, 2.0][unit % 3]);
        if 3.0 <= since && unit.is_multiple_of(5) { baseline } else { baseline + change * d }
    };
    (0..table.len()).map(of).collect()
}

/// A binary treatment that stays: Callaway and Sant'Anna's ATT(g,t) against the not yet treated, with the last period
/// before treatment as base, and their mean by the number of switchers.
#[test]
fn a_treatment_that_stays_is_callaway_santanna() {
    let table = Table::balanced(71);
    let rows = rows(&table, table.column("cohort"));
    let estimate = ask(&table.panel().unwrap(), "y ~ 1", None, &json!({ "treatment": "d" })).unwrap();
    let (mut total, mut count) = (0.0, 0.0);
    for event in [-4, -3, -2, 0, 1, 2, 3] {
        let (mut sum, mut switchers) = (0.0, 0.0);
        for cohort in 2002..=2009 {
            let far = if event < 0 { cohort - event - 2 } else { cohort + event };
            let change = |it: &BTreeMap<i32, [f64; 3]>| {
                it.contains_key(&far).then_some(())?;
                Some(it.get(&(cohort + event))?[0] - it.get(&(cohort - 1))?[0])
            };
            let mean = |of: &dyn Fn(f64) -> bool| {
                let own = rows.values().filter(|it| of(it.values().next().unwrap()[1])).filter_map(change);
                let own: Vec<f64> = own.collect();
                (own.iter().sum::<f64>() / own.len() as f64, own.len() as f64)
            };
            let (treated, n) = mean(&|g| g == f64::from(cohort));
            let (controls, n_controls) = mean(&|g| g == 0.0 || f64::from(far) < g);
            if 0.0 < n && 0.0 < n_controls {
                sum += n * (treated - controls);
                switchers += n;
            }
        }
        compare("event", value(&estimate, &format!("event:{event}")), sum / switchers, &REORDERED).unwrap();
        if 0 <= event {
            total += sum;
            count += switchers;
        }
    }
    let short = ask(&table.panel().unwrap(), "y ~ 1", None, &json!({ "treatment": "d", "lags": 3 })).unwrap();
    compare("att", value(&short, "att"), total / count, &REORDERED).unwrap();
}

/// DID_{g,l} of the paper, equation by equation, for a treatment that rises, falls and comes back.
#[test]
fn effects_are_the_papers_on_any_path() {
    for table in [Table::balanced(72), Table::unbalanced(73)] {
        let treatment = switching(&table);
        let rows = rows(&table, &treatment);
        let panel = table.panel().unwrap().with("dose".into(), Column::real(treatment)).unwrap();
        let options = json!({ "treatment": "dose", "lags": 2, "leads": 2 });
        let estimate = ask(&panel, "y ~ 1", Some("w"), &options).unwrap();
        let (mut total, mut dose) = (0.0, 0.0);
        for steps in 1..=3 {
            let (sum, weight, own) = naive(&rows, steps, [0, -steps]);
            compare("event", value(&estimate, &format!("event:{}", steps - 1)), sum / weight, &REORDERED)
                .unwrap();
            total += sum;
            dose += own;
        }
        compare("att", value(&estimate, "att"), total / dose, &REORDERED).unwrap();
        let (sum, weight, _) = naive(&rows, 1, [-2, -1]);
        compare("placebo", value(&estimate, "event:-2"), sum / weight, &REORDERED).unwrap();
    }
}

/// Sum over switchers of weight, sign and difference in differences, of weights, and of doses. A unit whose
/// change lies behind a missing period is a control up to there.
fn naive(rows: &Rows, steps: i32, ends: [i32; 2]) -> (f64, f64, f64) {
    let path = |it: &BTreeMap<i32, [f64; 3]>| {
        let baseline = it.values().next().unwrap()[1];
        let first = it.iter().find(|it| it.1[1] != baseline).map(|it| *it.0);
        let known = first.is_none_or(|first| it.contains_key(&(first - 1)));
        let last = if known { i32::MAX } else { *it.range(..first.unwrap()).next_back().unwrap().0 };
        (baseline, if known { first.unwrap_or(i32::MAX) } else { i32::MAX }, last)
    };
    let (mut sum, mut weights, mut doses) = (0.0, 0.0, 0.0);
    for unit in rows.values() {
        let (baseline, first, _) = path(unit);
        if first == i32::MAX {
            continue;
        }
        let t = first - 1 + steps;
        let change = |it: &BTreeMap<i32, [f64; 3]>| {
            it.get(&(t - steps))?;
            let change = it.get(&(t + ends[0]))?[0] - it.get(&(t + ends[1]))?[0];
            Some((change, it.get(&t)?[2]))
        };
        let control = |it: &&BTreeMap<i32, [f64; 3]>| {
            let (other, first, last) = path(it);
            other == baseline && t < first && t <= last
        };
        let controls: Vec<(f64, f64)> = rows.values().filter(control).filter_map(change).collect();
        let all: f64 = controls.iter().map(|it| it.1).sum();
        let Some((own, weight)) = change(unit).filter(|_| !controls.is_empty()) else { continue };
        let sign = (unit[&first][1] - baseline).signum();
        let trend: f64 = controls.iter().map(|it| it.0 * it.1 / all).sum();
        sum += weight * sign * (own - trend);
        weights += weight;
        doses += weight * sign * (unit[&t][1] - baseline);
    }
    (sum, weights, doses)
}

/// The influence of a unit that is only a control is the derivative of the estimate in the logarithm of its weight,
/// with the slopes of covariates estimated again, up to n/(n - 1): here with many units.
#[test]
fn influence_of_controls_is_a_derivative() {
    let table = Table::seeded(Shape { units: 800, periods: 6, holes: 0.0, seed: 74 });
    let never: Vec<usize> = (0..table.len()).filter(|row| table.column("cohort")[*row] == 0.0).collect();
    let options = json!({ "treatment": "d", "lags": 2, "leads": 2 });
    let panel = |unit: &str, by: f64| {
        let mut table = table.clone();
        let column = &mut table.numbers.iter_mut().find(|it| it.0 == "w").unwrap().1;
        (0..column.len()).filter(|row| table.unit[*row] == unit).for_each(|row| column[row] *= 1.0 + by);
        table.panel().unwrap()
    };
    for formula in ["y ~ 1", "y ~ x1 + x2"] {
        let base = panel("", 0.0);
        let estimate = ask(&base, formula, Some("w"), &options).unwrap();
        let influence = estimate.influence.as_ref().unwrap();
        for unit in [&table.unit[never[0]], &table.unit[never[100]], &table.unit[never[200]]] {
            let step = 1e-4;
            let up = ask(&panel(unit, step), formula, Some("w"), &options).unwrap();
            let down = ask(&panel(unit, -step), formula, Some("w"), &options).unwrap();
            let code = code_of(&base, &table, unit);
            for term in 0..estimate.terms.len() {
                let psi = influence.on_panel(term, base.units().n_groups());
                let slope = (up.coef[term] - down.coef[term]) / (2.0 * step);
                let largest = psi.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
                let gap = (psi[code] - slope).abs();
                assert!(
                    gap < 0.01 * largest,
                    "{formula} {unit} {}: {} {slope}",
                    estimate.terms[term],
                    psi[code]
                );
            }
        }
    }
}

fn code_of(panel: &Panel, table: &Table, unit: &str) -> usize {
    let mut names: Vec<&String> = table.unit.iter().collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), panel.units().n_groups());
    names.iter().position(|it| *it == unit).unwrap()
}

/// DID_M by its definition, with joiners, leavers and placebo, and its influence functions as exact derivatives.
#[test]
fn did_m_is_the_papers_and_its_influence_a_derivative() {
    let options = json!({ "treatment": "dose", "form": "instantaneous" });
    for table in [Table::balanced(75), Table::unbalanced(76)] {
        let treatment = switching(&table);
        let panel = |unit: &str, by: f64| {
            let mut table = table.clone();
            let column = &mut table.numbers.iter_mut().find(|it| it.0 == "w").unwrap().1;
            (0..column.len()).filter(|row| table.unit[*row] == unit).for_each(|row| column[row] *= 1.0 + by);
            table.panel().unwrap().with("dose".into(), Column::real(treatment.clone())).unwrap()
        };
        let rows = rows(&table, &treatment);
        let base = panel("", 0.0);
        let estimate = ask(&base, "y ~ 1", Some("w"), &options).unwrap();
        for (term, placebo, wanted) in [
            ("att", false, [true, true]),
            ("att:joiners", false, [true, false]),
            ("att:leavers", false, [false, true]),
            ("event:-2", true, [true, true]),
        ] {
            let sign = if placebo { -1.0 } else { 1.0 };
            let by_hand = sign * naive_did_m(&rows, placebo, wanted);
            compare(term, value(&estimate, term), by_hand, &REORDERED).unwrap();
        }
        let influence = estimate.influence.as_ref().unwrap();
        for unit in rows.keys().step_by(7) {
            let step = 1e-4;
            let [up, down] =
                [step, -step].map(|it| ask(&panel(unit, it), "y ~ 1", Some("w"), &options).unwrap());
            let code = code_of(&base, &table, unit);
            for term in 0..estimate.terms.len() {
                let psi = influence.on_panel(term, base.units().n_groups())[code];
                let slope = (up.coef[term] - down.coef[term]) / (2.0 * step);
                assert!((psi - slope).abs() < 1e-8, "{unit} {}: {psi} {slope}", estimate.terms[term]);
            }
        }
    }
}

fn naive_did_m(rows: &Rows, placebo: bool, wanted: [bool; 2]) -> f64 {
    let (mut sum, mut dose) = (0.0, 0.0);
    for year in 2002..=2010 {
        for baseline in -1..=3 {
            let baseline = f64::from(baseline);
            let step = |it: &BTreeMap<i32, [f64; 3]>| {
                let ([y, d, w], before) = (it.get(&year)?, it.get(&(year - 1))?);
                let mut change = y - before[0];
                if placebo {
                    let earlier = it.get(&(year - 2)).filter(|it| it[1] == before[1])?;
                    change = before[0] - earlier[0];
                }
                (before[1] == baseline).then_some((change, d - before[1], *w))
            };
            let steps: Vec<(f64, f64, f64)> = rows.values().filter_map(step).collect();
            let stayers: Vec<&(f64, f64, f64)> = steps.iter().filter(|it| it.1 == 0.0).collect();
            if stayers.is_empty() {
                continue;
            }
            let weight: f64 = stayers.iter().map(|it| it.2).sum();
            let trend = stayers.iter().map(|it| it.0 * it.2).sum::<f64>() / weight;
            for (change, by, weight) in steps.iter().filter(|it| it.1 != 0.0) {
                if wanted[usize::from(*by < 0.0)] {
                    sum += weight * by.signum() * (change - trend);
                    dose += weight * by.abs();
                }
            }
        }
    }
    sum / dose
}

#[test]
fn what_cannot_be_done_is_refused_with_advice() {
    let table = Table::seeded(Shape { units: 40, periods: 6, holes: 0.0, seed: 77 });
    let constant = vec![1.0; table.len()];
    let own: Vec<f64> = (0..table.len()).map(|row| table.column("d")[row] + row as f64 / 1e3).collect();
    let endless: Vec<f64> =
        table.column("d").iter().map(|it| if *it == 1.0 { f64::INFINITY } else { 0.0 }).collect();
    let mut panel = table.panel().unwrap();
    for (name, column) in [("constant", constant), ("own", own), ("endless", endless)] {
        panel = panel.with(name.into(), Column::real(column)).unwrap();
    }
    for (formula, options, why) in [
        ("y ~ 1", json!({}), "give `treatment`"),
        ("y ~ 1", json!({ "treatment": "nothing" }), "nothing"),
        ("y ~ 1", json!({ "treatment": "constant" }), "no unit changes its treatment"),
        ("y ~ 1", json!({ "treatment": "own" }), "a first treatment of its own"),
        ("y ~ 1", json!({ "treatment": "endless" }), "infinite"),
        ("y ~ 1", json!({ "treatment": "d", "switchers": "out" }), "in the direction asked for"),
        ("y ~ 1", json!({ "treatment": "d", "level": 95.0 }), "between 0 and 1"),
        ("y ~ d", json!({ "treatment": "d" }), "covariates only"),
        ("y ~ 1", json!({ "treatment": "d", "same-switchers": true }), "needs `lags`"),
        ("y ~ 1", json!({ "treatment": "d", "same-switchers": true, "lags": 20 }), "fewer `lags`"),
        ("y ~ 1", json!({ "treatment": "d", "same-switchers-placebos": true }), "goes with"),
        ("y ~ 1", json!({ "treatment": "d", "trends-nonparam": ["x1"] }), "fixed for a unit"),
        ("y ~ x1", json!({ "treatment": "d", "trends-nonparam": ["kind"] }), "not supported"),
        ("y ~ x1", json!({ "treatment": "d", "form": "instantaneous" }), "no covariates"),
        ("y ~ 1", json!({ "treatment": "d", "form": "instantaneous", "lags": 1 }), "dynamic"),
        ("y ~ 1", json!({ "treatment": "constant", "form": "instantaneous" }), "no effect of `constant`"),
    ] {
        let found = ask(&panel, formula, None, &options);
        assert!(matches!(&found, Err(it) if it.contains(why)), "{options}: {found:?}");
    }
}

#[test]
fn more_than_there_is_ends_with_a_note() {
    let panel = Table::balanced(78).panel().unwrap();
    let all = ask(&panel, "y ~ 1", None, &json!({ "treatment": "d" })).unwrap();
    let far = json!({ "treatment": "d", "lags": 100_000, "leads": 100_000 });
    let more = ask(&panel, "y ~ 1", None, &far).unwrap();
    assert_eq!((&all.terms, &all.coef), (&more.terms, &more.coef));
    let says = |it: &Estimate| it.notes.iter().any(|it| it.to_string().contains("event times end at"));
    assert!(says(&more) && !says(&all));
}

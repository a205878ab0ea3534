//! MatchIt's weights, balance and pairs, with its own definitions of balance.

use std::collections::BTreeMap;

use parallax_match::nearest::{Nearest, Order, nearest};
use parallax_model::Panel;
use serde_json::{Value, json};

use super::{FROM_BELOW, Work, apply_step};
use crate::tolerances::{CLOSED_FORM, EXACT};

/// Values of one group with their weights, those without left out.
struct Group {
    values: Vec<f64>,
    weights: Vec<f64>,
}

impl Group {
    fn new(values: &[f64], weights: &[f64], treated: &[f64], group: f64) -> Group {
        let rows: Vec<usize> =
            (0..values.len()).filter(|&it| treated[it] == group && !weights[it].is_nan()).collect();
        let pick = |from: &[f64]| rows.iter().map(|&it| from[it]).collect();
        Group { values: pick(values), weights: pick(weights) }
    }

    fn mean(&self) -> f64 {
        let total: f64 = self.weights.iter().sum();
        self.values.iter().zip(&self.weights).map(|(x, w)| x * w).sum::<f64>() / total
    }

    /// cobalt's and MatchIt's weighted variance, sum w (x - m)^2 / (W - sum w^2 / W).
    fn variance(&self) -> f64 {
        let total: f64 = self.weights.iter().sum();
        let squares: f64 = self.weights.iter().map(|w| w * w).sum();
        let mean = self.mean();
        let spread: f64 = self.values.iter().zip(&self.weights).map(|(x, w)| w * (x - mean).powi(2)).sum();
        spread / (total - squares / total)
    }

    fn binary(&self) -> bool {
        self.values.iter().all(|it| *it == 0.0 || *it == 1.0)
    }

    /// The treated's, of a proportion where values are 0 and 1.
    fn deviation(&self) -> f64 {
        let mean = self.mean();
        if self.binary() { (mean * (1.0 - mean)).sqrt() } else { self.variance().sqrt() }
    }
}

impl Work<'_> {
    /// Everything MatchIt says of a matching; `thrice` where it took the same control three times.
    ///
    /// Its neighbours are compared with its own rule, which is not ours (see [`FROM_BELOW`]): what is ours in them is the
    /// score; and ours have to be at least as near. Its strata are compared with the step's weights and the effect.
    pub(super) fn weights(&mut self, options: &Value, thrice: bool) -> Result<(), String> {
        let theirs = |it: Option<f64>, what: &str| it.ok_or(format!("no `{what}`"));
        let att = theirs(self.answer.att, "att")?;
        let (panel, weights) = if self.answer.pairs_first30.is_some() {
            let found = self.next_below(options);
            self.pairs(&found, thrice)?;
            self.nearness(options, &found);
            self.leave_out("att of the estimator", FROM_BELOW);
            (self.prepared.panel.clone(), self.weights_of(&found))
        } else {
            let estimate = self.estimate(options.clone())?;
            self.compare("att".to_owned(), estimate.coef[0], att, &CLOSED_FORM);
            let mut asked = options.clone();
            asked["score"] = json!("logit");
            let names = self.names();
            let done = apply_step(self.runner, &self.prepared.panel, self.set.treatment, &names, &asked)?;
            let weights = done.panel.real("w").map_err(|it| it.to_string())?.to_vec();
            (done.panel, weights)
        };
        let outcome = panel.real(self.set.outcome).map_err(|it| it.to_string())?;
        let treated = self.prepared.treated.clone();
        let group = |of: f64| Group::new(&outcome, &weights, &treated, of);
        let (one, zero) = (group(1.0), group(0.0));
        self.compare("att by weights".to_owned(), one.mean() - zero.mean(), att, &CLOSED_FORM);
        let matched = theirs(self.answer.n_treated_matched, "n_treated_matched")?;
        self.compare("treated matched".to_owned(), one.values.len() as f64, matched, &EXACT);
        let used = theirs(self.answer.n_control_matched, "n_control_matched")?;
        self.compare("controls used".to_owned(), zero.values.len() as f64, used, &EXACT);
        self.balance(&panel, &weights)
    }

    /// Rows of a group, in row order.
    fn rows(&self, group: f64) -> Vec<usize> {
        (0..self.prepared.treated.len()).filter(|&it| self.prepared.treated[it] == group).collect()
    }

    /// MatchIt 4.5.1's neighbours: in the order of scores, rows of one score in their own order, the first free control
    /// before the treated row, or after it where there is none before.
    fn next_below(&self, options: &Value) -> BTreeMap<usize, Vec<usize>> {
        let score = |row: usize| self.prepared.score[row];
        let mut turns = self.rows(1.0);
        match options.get("order").and_then(Value::as_str) {
            Some("data") => {}
            Some("smallest") => turns.sort_by(|&a, &b| score(a).total_cmp(&score(b))),
            _ => turns.sort_by(|&a, &b| score(b).total_cmp(&score(a))),
        }
        let once = options.get("replacement") == Some(&Value::Bool(false));
        let mut free = self.rows(0.0);
        let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for _ in 0..options.get("k").and_then(Value::as_u64).unwrap_or(1) {
            for &turn in &turns {
                let order = |a: usize, b: usize| score(a).total_cmp(&score(b)).then(a.cmp(&b));
                let below = free.iter().copied().filter(|&it| order(it, turn).is_lt());
                let best = below
                    .max_by(|&a, &b| order(a, b))
                    .or_else(|| free.iter().copied().min_by(|&a, &b| order(a, b)));
                if let Some(best) = best {
                    found.entry(turn).or_default().push(best);
                    free.retain(|&it| !once || it != best);
                }
            }
        }
        found
    }

    fn weights_of(&self, found: &BTreeMap<usize, Vec<usize>>) -> Vec<f64> {
        let mut weights = vec![f64::NAN; self.prepared.treated.len()];
        for (&turn, list) in found {
            weights[turn] = 1.0;
            for &it in list {
                weights[it] = if weights[it].is_nan() { 0.0 } else { weights[it] } + 1.0 / list.len() as f64;
            }
        }
        weights
    }

    /// With replacement nobody can be nearer than ours.
    fn nearness(&mut self, options: &Value, theirs: &BTreeMap<usize, Vec<usize>>) {
        if options.get("replacement").is_some() {
            return;
        }
        let (treated, controls) = (self.rows(1.0), self.rows(0.0));
        let scores = |rows: &[usize]| rows.iter().map(|&it| self.prepared.score[it]).collect::<Vec<f64>>();
        let (focal, donors) = (scores(&treated), scores(&controls));
        let asked =
            Nearest { k: 1, caliper: f64::INFINITY, replacement: true, ties: None, order: Order::Largest };
        let ours = nearest(&focal, &donors, &asked);
        let as_near = treated.iter().enumerate().filter(|(at, row)| {
            let gap = |score: f64| (score - focal[*at]).abs();
            let own = ours.of(*at).first().map(|&it| gap(donors[it as usize]));
            let other = theirs.get(row).and_then(|it| it.first()).map(|&it| gap(self.prepared.score[it]));
            own.is_some() && own <= other
        });
        let n = as_near.count() as f64;
        self.compare("ours at least as near".to_owned(), n, treated.len() as f64, &EXACT);
    }

    fn balance(&mut self, panel: &Panel, weights: &[f64]) -> Result<(), String> {
        let treated = self.prepared.treated.clone();
        let equal = vec![1.0; treated.len()];
        let linear = self.answer.id.ends_with("linear_logit_rep");
        let (before, after, ratios) = (
            self.answer.balance_before_smd.clone(),
            self.answer.balance_after_smd.clone(),
            self.answer.variance_ratio_after.clone(),
        );
        let names: Vec<String> =
            before.as_object().map(|it| it.keys().cloned().collect()).unwrap_or_default();
        for name in names {
            let values: Vec<f64> = match name.as_str() {
                "distance" if linear => self.prepared.score.iter().map(|p| (p / (1.0 - p)).ln()).collect(),
                "distance" => self.prepared.score.clone(),
                it => panel.real(it).map_err(|it| it.to_string())?.to_vec(),
            };
            let of = |weights: &[f64], group: f64| Group::new(&values, weights, &treated, group);
            let scale = of(&equal, 1.0).deviation();
            for (when, weights, table) in [("before", &equal[..], &before), ("after", weights, &after)] {
                if let Some(theirs) = table.get(&name).and_then(Value::as_f64) {
                    let ours = (of(weights, 1.0).mean() - of(weights, 0.0).mean()) / scale;
                    self.compare(format!("smd {when} {name}"), ours, theirs, &CLOSED_FORM);
                }
            }
            if let Some(theirs) = ratios.get(&name).and_then(Value::as_f64) {
                let ours = of(weights, 1.0).variance() / of(weights, 0.0).variance();
                self.compare(format!("variance ratio {name}"), ours, theirs, &CLOSED_FORM);
            }
        }
        Ok(())
    }

    fn pairs(&mut self, found: &BTreeMap<usize, Vec<usize>>, thrice: bool) -> Result<(), String> {
        let theirs = self.answer.pairs_first30.clone().unwrap_or_default();
        let names = self.row_names()?;
        let ours: BTreeMap<&str, &str> = found
            .iter()
            .filter_map(|(&row, list)| Some((names[row].as_str(), names[*list.first()?].as_str())))
            .collect();
        let same = theirs.iter().filter(|(a, b)| ours.get(a.as_str()) == Some(&b.as_str())).count();
        self.compare("pairs, by name".to_owned(), same as f64, theirs.len() as f64, &EXACT);
        if let Some(total) = self.answer.sum_pair_control_ids {
            // Rows are named by a number, with or without letters before it.
            let number =
                |row: &usize| names[*row].trim_start_matches(char::is_alphabetic).parse::<usize>().ok();
            let sum: usize = found.values().flatten().filter_map(number).sum();
            let times = if thrice { 3.0 } else { 1.0 };
            self.compare("sum of names of controls".to_owned(), times * sum as f64, total, &EXACT);
        }
        Ok(())
    }

    pub(super) fn row_names(&self) -> Result<Vec<String>, String> {
        let n = self.prepared.treated.len();
        let Some(id) = self.set.id else { return Ok((1..=n).map(|it| it.to_string()).collect()) };
        let codes = self.prepared.panel.codes(id).map_err(|it| it.to_string())?;
        Ok(codes.code.iter().map(|&it| codes.labels.text(it as usize)).collect())
    }
}

//! Definitions written out naively on small panels, and refusals.

use parallax_model::{
    AbsorptionCache, Entry, Estimate, Estimator, FitError, Formula, ModelSpec, Panel, SingletonPolicy,
    SmallSample, WeightKind,
    panel::{Codes, Column, PanelBuilder},
};
use serde_json::{Map, Value, json};

use crate::{
    bacon::Bacon,
    sigma::{Ratio, opposite_signs, zero_average},
    twfe_weights::TwfeWeights,
};

/// Numbers between -1 and 1 without a pattern that effects could span.
fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Units by periods 2000, 2002, ..., complete unless rows are taken out.
struct Data {
    units: usize,
    periods: usize,
    out: Vec<usize>,
    columns: Vec<(&'static str, Vec<f64>)>,
}

impl Data {
    fn new(units: usize, periods: usize) -> Data {
        Data { units, periods, out: Vec::new(), columns: Vec::new() }
    }

    fn with(mut self, name: &'static str, values: Vec<f64>) -> Data {
        self.columns.push((name, values));
        self
    }

    /// A treatment with these first treated periods, counted from 0.
    fn adopting(self, first: &[usize]) -> Data {
        let periods = self.periods;
        let d = first.iter().flat_map(|it| (0..periods).map(|t| f64::from(u8::from(*it <= t)))).collect();
        self.with("d", d)
    }

    fn rows(&self) -> Vec<usize> {
        (0..self.units * self.periods).filter(|it| !self.out.contains(it)).collect()
    }

    fn panel(&self) -> Panel {
        let rows = self.rows();
        let unit = |row: &usize| Some((row / self.periods) as i64);
        let period = |row: &usize| 2000 + 2 * (row % self.periods) as i32;
        let codes = Codes::from_integers(rows.iter().map(unit));
        let half = Codes::from_integers(rows.iter().map(|row| Some((row / self.periods / 2) as i64)));
        let mut builder = PanelBuilder::new(rows.len())
            .index("id".into(), codes, "t".into(), rows.iter().map(period).collect())
            .column("half".into(), Column::Codes(half));
        for (name, values) in &self.columns {
            builder =
                builder.column((*name).into(), Column::real(rows.iter().map(|&it| values[it]).collect()));
        }
        builder.build().unwrap()
    }
}

fn fit<E: Estimator>(
    panel: &Panel,
    formula: &str,
    weights: Option<&str>,
    options: &Value,
) -> Result<Estimate, FitError> {
    let spec = ModelSpec {
        estimator: E::META.plugin.name.to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: weights.map(Into::into),
        weight_kind: WeightKind::Analytic,
        vcov: "iid".parse().unwrap(),
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Keep,
        options: options.as_object().cloned().unwrap_or_else(Map::new),
    };
    Entry::of::<E>(file!(), line!()).fit(panel, &spec, &AbsorptionCache::default())
}

fn bacon(panel: &Panel, formula: &str) -> Result<Estimate, FitError> {
    fit::<Bacon>(panel, formula, None, &json!({}))
}

fn weigh(panel: &Panel, formula: &str, weights: Option<&str>, kind: &str) -> Result<Estimate, FitError> {
    fit::<TwfeWeights>(panel, formula, weights, &json!({ "type": kind }))
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-10 * (1.0 + b.abs()), "{a} is not {b}");
}

fn numbers<'e>(estimate: &'e Estimate, detail: &str, column: &str) -> &'e [f64] {
    estimate.detail(detail).unwrap().numbers(column).unwrap()
}

/// Units 0 always, 1 and 2 from the third period, 3 from the fourth, 4 to 6 from the last, 7 and 8 never.
const FIRST: [usize; 9] = [0, 2, 2, 3, 5, 5, 5, 9, 9];

fn staggered() -> Data {
    Data::new(9, 6).adopting(&FIRST).with("y", noise(3, 54)).with("x", noise(4, 54)).with("z", noise(5, 54))
}

/// Weight (not scaled) and estimate as Goodman-Bacon's theorem 1 writes them.
fn by_definition(y: &[f64], treated: usize, control: usize) -> (f64, f64) {
    let periods = 6;
    let of = |first: usize| (0..9).filter(move |unit| FIRST[*unit] == first);
    let mean = |first: usize, from: usize, to: usize| {
        let rows: Vec<f64> =
            of(first).flat_map(|unit| (from..to).map(move |t| y[unit * periods + t])).collect();
        rows.iter().sum::<f64>() / rows.len() as f64
    };
    let did = |from: usize, at: usize, to: usize| {
        (mean(treated, at, to) - mean(treated, from, at)) - (mean(control, at, to) - mean(control, from, at))
    };
    let n = |first: usize| of(first).count() as f64 / 9.0;
    let bar = |first: usize| periods.saturating_sub(first) as f64 / periods as f64;
    let share = n(treated) / (n(treated) + n(control));
    let both = (n(treated) + n(control)).powi(2) * share * (1.0 - share);
    if control == 9 {
        (both * bar(treated) * (1.0 - bar(treated)), did(0, treated, periods))
    } else if treated < control {
        let (k, l) = (bar(treated), bar(control));
        let weight = both * (1.0 - l).powi(2) * ((k - l) / (1.0 - l)) * ((1.0 - k) / (1.0 - l));
        (weight, did(0, treated, control))
    } else {
        let (k, l) = (bar(control), bar(treated));
        (both * k.powi(2) * (l / k) * ((k - l) / k), did(control, treated, periods))
    }
}

#[test]
fn comparisons_are_those_of_the_theorem() {
    let data = staggered();
    let estimate = bacon(&data.panel(), "y ~ d | id + t").unwrap();
    let y = &data.columns[1].1;
    let mut expected = Vec::new();
    for treated in [2, 3, 5] {
        for control in [0, 2, 3, 5, 9] {
            if control != treated {
                expected.push(by_definition(y, treated, control));
            }
        }
    }
    let total: f64 = expected.iter().map(|it| it.0).sum();
    let (weights, estimates) =
        (numbers(&estimate, "decomposition", "weight"), numbers(&estimate, "decomposition", "estimate"));
    assert_eq!(weights.len(), expected.len());
    for ((weight, value), expected) in weights.iter().zip(estimates).zip(&expected) {
        near(*weight, expected.0 / total);
        near(*value, expected.1);
    }
    near(weights.iter().zip(estimates).map(|it| it.0 * it.1).sum(), estimate.coef[0]);
    let table = estimate.detail("decomposition").unwrap();
    assert_eq!(table.words("control").unwrap()[..4], ["always", "2006", "2010", "never"].map(str::to_owned));
    assert_eq!(table.words("kind").unwrap()[0], "Treated vs always treated");
    let notes: Vec<String> = estimate.notes.iter().map(ToString::to_string).collect();
    assert!(notes.iter().any(|it| it.contains("controls are treated already")), "{notes:?}");
}

/// Frisch and Waugh by hand: demean, project, and add up group means.
#[test]
fn with_covariates_pairs_and_groups_add_up() {
    let data = staggered();
    let panel = data.panel();
    let estimate = bacon(&panel, "y ~ d + x + z | id + t").unwrap();
    let demean = |values: &[f64]| -> Vec<f64> {
        let unit = |row: usize| (0..6).map(|t| values[row / 6 * 6 + t]).sum::<f64>() / 6.0;
        let period = |row: usize| (0..9).map(|u| values[u * 6 + row % 6]).sum::<f64>() / 9.0;
        let mean = values.iter().sum::<f64>() / 54.0;
        (0..54).map(|row| values[row] - unit(row) - period(row) + mean).collect()
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let [d, y, x, z] = [0, 1, 2, 3].map(|it| demean(&data.columns[it].1));
    let minus = |a: &[f64], b: &[f64]| -> Vec<f64> {
        let slope = dot(a, b) / dot(b, b);
        a.iter().zip(b).map(|(a, b)| a - slope * b).collect()
    };
    let residual = minus(&minus(&d, &x), &minus(&z, &x));
    near(estimate.coef[0], dot(&residual, &y) / dot(&residual, &residual));
    let mean = |first: usize, t: usize, of: &[f64]| {
        let units: Vec<usize> = (0..9).filter(|it| FIRST[*it] == first).collect();
        units.iter().map(|it| of[it * 6 + t]).sum::<f64>() / units.len() as f64
    };
    let within: Vec<f64> =
        (0..54).map(|row| residual[row] - mean(FIRST[row / 6], row % 6, &residual)).collect();
    let omega = dot(&within, &within) / dot(&residual, &residual);
    near(estimate.stats.get("omega").unwrap(), omega);
    // A pair is one comparison over all periods here, so that controls already treated cannot be counted.
    assert_eq!(estimate.stats.get("weight_already_treated"), None);
    assert!(bacon(&panel, "y ~ d | id + t").unwrap().stats.get("weight_already_treated").is_some());
    near(estimate.stats.get("estimate_within").unwrap(), dot(&within, &y) / dot(&within, &within));
    let mut expected = Vec::new();
    for (k, l) in [(0, 2), (0, 3), (0, 5), (0, 9), (2, 3), (2, 5), (2, 9), (3, 5), (3, 9), (5, 9)] {
        let count = |first: usize| FIRST.iter().filter(|it| **it == first).count() as f64;
        let gap = |of: &[f64]| (0..6).map(|t| mean(k, t, of) - mean(l, t, of)).collect::<Vec<f64>>();
        let (d, y) = (gap(&residual), gap(&y));
        expected.push((count(k) * count(l) * dot(&d, &d), dot(&d, &y) / dot(&d, &d)));
    }
    let total: f64 = expected.iter().map(|it| it.0).sum();
    let ours: Vec<(f64, f64)> = numbers(&estimate, "decomposition", "weight")
        .iter()
        .copied()
        .zip(numbers(&estimate, "decomposition", "estimate").iter().copied())
        .collect();
    assert_eq!(ours.len(), 11);
    for (weight, value) in expected {
        let found = ours.iter().find(|it| (it.1 - value).abs() < 1e-9).unwrap();
        near(found.0, (1.0 - omega) * weight / total);
    }
    near(ours.iter().map(|it| it.0 * it.1).sum(), estimate.coef[0]);
}

/// A covariate of groups moves nothing within them.
#[test]
fn covariates_of_timing_groups_leave_no_variation_within() {
    let mut data = staggered();
    let of_group = noise(9, 60);
    let w = (0..54).map(|row| of_group[FIRST[row / 6] * 6 + row % 6]).collect();
    data = data.with("w", w);
    let estimate = bacon(&data.panel(), "y ~ d + w | id + t").unwrap();
    let kinds = estimate.detail("decomposition").unwrap().words("kind").unwrap();
    assert!(!kinds.contains(&"Within groups".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"Always treated vs untreated".to_owned()));
}

#[test]
fn what_has_no_decomposition_is_refused() {
    let says = |panel: &Panel, formula: &str, words: &str| {
        let error = bacon(panel, formula).err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    };
    let mut holes = staggered();
    holes.out = vec![7];
    says(&holes.panel(), "y ~ d | id + t", "1 of 9 units lack periods, the first with 5 of 6 (id 1, t 2000)");
    let panel = staggered().panel();
    says(&panel, "y ~ d | half + t", "effects of units, not of `half`");
    says(&panel, "y ~ d | id", "write `| GROUP + t`");
    says(&panel, "y ~ x | id + t", "takes a treatment of 0 and 1");
    let ends = Data::new(3, 3).with("d", vec![0., 1., 0., 0., 0., 1., 0., 0., 0.]).with("y", noise(1, 9));
    says(&ends.panel(), "y ~ d | id + t", "`d` is 1 at id 0, t 2002, and the unit's treatment ends");
    let together = Data::new(3, 3).adopting(&[1, 1, 1]).with("y", noise(1, 9)).with("x", noise(2, 9));
    says(&together.panel(), "y ~ d + x | id + t", "collinear");
    let error = fit::<Bacon>(&panel, "y ~ d | id + t", None, &json!({ "treatment": "q" })).err().unwrap();
    assert!(error.to_string().contains("no regressor `q`"));
}

/// Outcomes made of effects give a coefficient that is the weighted sum of these effects: the meaning of the weights.
#[test]
fn weights_give_back_the_coefficient() {
    let n = 8 * 5;
    let levels: Vec<f64> = noise(11, n).iter().map(|it| (2.0 * it).round().abs()).collect();
    let (effects, x, w) = (noise(12, n), noise(13, n), noise(14, n));
    let weights: Vec<f64> = w.iter().map(|it| 1.5 + it).collect();
    for (kind, stable) in [("feTR", false), ("fdTR", false), ("feS", true), ("fdS", true)] {
        for (formula, weight) in
            [("y ~ d | id + t", None), ("y ~ d + x | id + t", None), ("y ~ d + x | id + t", Some("w"))]
        {
            let effect = |row: usize| if stable { effects[row / 5 * 5] } else { effects[row] };
            let y = (0..n).map(|row| {
                let (unit, period) = ((row / 5) as f64, (row % 5) as f64);
                unit * unit
                    + period.powi(3)
                    + 0.7 * x[row] * f64::from(u8::from(formula.contains('x')))
                    + effect(row) * levels[row]
            });
            let mut data = Data::new(8, 5)
                .with("d", levels.clone())
                .with("y", y.collect())
                .with("x", x.clone())
                .with("w", weights.clone());
            // Unbalanced, but without gaps within units for first differences, whose changes they would hide.
            data.out = if kind.starts_with("fd") { vec![0, 39] } else { vec![0, 12, 39] };
            let estimate = weigh(&data.panel(), formula, weight, kind).unwrap();
            let table = estimate.detail("weights").unwrap();
            let sum: f64 = (table.words("group").unwrap().iter())
                .zip(table.numbers("period").unwrap())
                .zip(table.numbers("weight").unwrap())
                .map(|((group, period), weight)| {
                    let row = group.parse::<usize>().unwrap() * 5 + (*period as usize - 2000) / 2;
                    weight * effect(row)
                })
                .sum();
            near(sum, estimate.coef[0]);
            near(table.numbers("weight").unwrap().iter().sum(), 1.0);
            near(table.numbers("share").unwrap().iter().sum(), 1.0);
        }
    }
}

/// Cells of several rows are what their collapse is.
#[test]
fn rows_of_a_cell_count_together() {
    let levels = noise(21, 3 * 4);
    let y = noise(22, 6 * 4);
    let d = (0..24).map(|row| levels[row / 8 * 4 + row % 4]).collect();
    let rows = Data::new(6, 4).with("d", d).with("y", y.clone());
    let by_rows = weigh(&rows.panel(), "y ~ d | half + t", None, "feTR").unwrap();
    let mean = |cell: usize| (y[cell / 4 * 8 + cell % 4] + y[cell / 4 * 8 + 4 + cell % 4]) / 2.0;
    let cells = Data::new(3, 4).with("d", levels).with("y", (0..12).map(mean).collect());
    let by_cells = weigh(&cells.panel(), "y ~ d | id + t", None, "feTR").unwrap();
    near(by_rows.coef[0], by_cells.coef[0]);
    for (a, b) in numbers(&by_rows, "weights", "weight").iter().zip(numbers(&by_cells, "weights", "weight")) {
        near(*a, *b);
    }
    assert!(
        by_rows.notes.iter().any(|it| it.to_string().contains("negative values")),
        "levels are negative too"
    );
    assert_eq!(by_rows.stats.get("sigma"), None);
}

/// Effects of at most zero that give a coefficient of one, with the least variance: over every set of effects that are
/// not zero, the best of those with no effect above zero.
#[test]
fn the_second_deviation_is_the_least_one() {
    let shares = [0.3, 0.25, 0.2, 0.15, 0.1];
    for seed in 1..20 {
        let raw = noise(seed, 5);
        let total: f64 = shares.iter().zip(&raw).map(|(share, it)| share * (it + 0.4)).sum();
        let ratios: Vec<Ratio> =
            shares.iter().zip(&raw).map(|(&share, it)| Ratio { share, ratio: (it + 0.4) / total }).collect();
        // A cell without weight may have an effect as well.
        let ratios: Vec<Ratio> = ratios
            .iter()
            .map(|it| Ratio { share: 0.8 * it.share, ratio: it.ratio / 0.8 })
            .chain([Ratio { share: 0.2, ratio: 0.0 }])
            .collect();
        let mut least = f64::INFINITY;
        for set in 1..63_usize {
            let free = |at: &usize| 0 < set & (1 << at);
            let sum = |of: &dyn Fn(&Ratio) -> f64| (0..6).filter(free).map(|it| of(&ratios[it])).sum::<f64>();
            let (p, s, t) =
                (sum(&|it| it.share), sum(&|it| it.share * it.ratio), sum(&|it| it.share * it.ratio.powi(2)));
            let slope = 1.0 / (t + s * s / (1.0 - p));
            let highest = (0..6).filter(free).map(|it| slope * (ratios[it].ratio + s / (1.0 - p)));
            if highest.fold(f64::MIN, f64::max) <= 0.0 {
                least = least.min(slope.sqrt());
            }
        }
        match opposite_signs(1.0, &ratios) {
            None => assert!(least.is_infinite(), "{seed}: {least}"),
            Some(it) => near(it, least),
        }
    }
    let ratios = [Ratio { share: 0.5, ratio: 3.0 }, Ratio { share: 0.5, ratio: -1.0 }];
    near(zero_average(2.0, &ratios).unwrap(), 1.0);
    assert_eq!(zero_average(2.0, &[Ratio { share: 1.0, ratio: 1.0 }]), None);
}

#[test]
fn what_has_no_weights_is_refused() {
    let says = |panel: &Panel, formula: &str, kind: &str, words: &str| {
        let error = weigh(panel, formula, None, kind).err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    };
    let panel = staggered().panel();
    says(&panel, "y ~ d | half + t", "feTR", "d differs within a cell of half and t at id 1, t 2000");
    says(&panel, "y ~ d | half + t", "fdTR", "`half` is no unit");
    says(&panel, "y ~ d | id + t + half", "feTR", "with nothing else behind the bar");
    let error = weigh(&panel, "y ~ d | id + t", None, "fe").err().unwrap().to_string();
    assert!(error.contains("feTR"), "{error}");
    let one = Data::new(4, 1).with("d", vec![0., 1., 0., 1.]).with("y", noise(1, 4)).panel();
    says(&one, "y ~ d | id + t", "fdTR", "no unit has two consecutive periods");
    let mut same =
        staggered().with("g", (0..54).map(|row| f64::from(FIRST[row / 6 / 2 * 2] as u32)).collect());
    same.columns[0].1 = (0..54).map(|row| f64::from(u8::from(FIRST[row / 12 * 2] <= row % 6))).collect();
    says(&same.panel(), "y ~ d + x | half + t", "feTR", "a covariate differs within a cell");
}

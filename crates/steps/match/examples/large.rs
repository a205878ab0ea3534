//! How long matching takes: `cargo run --release -p parallax-match --example large [ROWS]`.
//!
//! Half a million scores a group by default, drawn from two overlapping distributions; processor seconds for each method.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use parallax_match::{
    balance::{Sample, balance},
    kernel::Kernel,
    nearest::{Nearest, Order, own_group_means},
    score::ScoreModel,
    side::{Outcomes, Rule, match_side},
};

/// Numbers between 0 and 1 from a counter (SplitMix64).
fn uniform(at: u64) -> f64 {
    let mut z = at.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// User and system seconds of this process; NaN where the system does not say.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    ticks.map(|it| it.parse::<f64>().unwrap_or(f64::NAN)).sum::<f64>() / 100.0
}

fn timed<T>(what: &str, f: impl FnOnce() -> T) -> T {
    let before = processor_seconds();
    let result = f();
    println!("{what:28} {:6.2} s", processor_seconds() - before);
    result
}

fn main() {
    let rows: usize = std::env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(1_000_000);
    let x: Vec<f64> = (0..rows as u64).map(|it| uniform(3 * it) + uniform(3 * it + 1) - 1.0).collect();
    let z: Vec<f64> = (0..rows as u64).map(|it| uniform(5 * it + 7_000_003)).collect();
    let treated: Vec<f64> = (0..rows)
        .map(|it| {
            f64::from(u8::from(
                uniform(11 * it as u64 + 5) < 1.0 / (1.0 + (-1.5 * x[it] - z[it] + 0.5).exp()),
            ))
        })
        .collect();
    println!("{rows} rows, {} treated", treated.iter().sum::<f64>());
    let mut probabilities = Vec::new();
    for model in [ScoreModel::Logit, ScoreModel::Probit] {
        let fit = timed(model.title(), || model.fit(&treated, &[&x, &z], None));
        probabilities = fit.map_or(Vec::new(), |it| it.probabilities);
    }
    let pick = |of: &[f64], group: f64| -> Vec<f64> {
        of.iter().zip(&treated).filter(|it| *it.1 == group).map(|it| *it.0).collect()
    };
    let (focal, donors) = (pick(&probabilities, 1.0), pick(&probabilities, 0.0));
    let (y1, y0) = (pick(&x, 1.0), pick(&x, 0.0));
    let outcomes = Some(Outcomes { focal: &y1, donors: &y0 });
    let nearest = |k, replacement, ties, order| {
        Rule::Nearest(Nearest { k, caliper: f64::INFINITY, replacement, ties, order })
    };
    let bandwidth = 0.06;
    let mut rules = vec![
        ("1:1".to_owned(), nearest(1, true, None, Order::Largest)),
        ("1:5".to_owned(), nearest(5, true, None, Order::Largest)),
        ("1:1 with ties".to_owned(), nearest(1, true, Some(0.0), Order::Largest)),
        ("1:1 without replacement".to_owned(), nearest(1, false, None, Order::Largest)),
        ("1:1 sweep".to_owned(), nearest(1, false, None, Order::SweepAscending)),
        ("radius .01".to_owned(), Rule::Kernel { kernel: Kernel::Uniform, bandwidth: 0.01 }),
        ("6 strata".to_owned(), Rule::Strata(6)),
    ];
    for kernel in [Kernel::Epanechnikov, Kernel::Uniform, Kernel::Biweight, Kernel::Tricube, Kernel::Gaussian]
    {
        rules.push((format!("{kernel:?}"), Rule::Kernel { kernel, bandwidth }));
        rules.push((format!("{kernel:?}, local line"), Rule::LocalLinear { kernel, bandwidth }));
    }
    for (name, rule) in rules {
        timed(&name, || match_side(&focal, &donors, outcomes, &rule));
    }
    timed("own-group variances, M = 3", || own_group_means(&donors, &y0, 3));
    let sample = Sample { treated: &treated, weight: None };
    timed("balance of one covariate", || balance(&x, &sample, &sample));
}

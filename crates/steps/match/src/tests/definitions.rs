//! Neighbours and windows against loops over all pairs.

use proptest::prelude::*;

use crate::{
    kernel::Kernel,
    nearest::{Nearest, Order, nearest, own_group_means},
    side::{Outcomes, Rule, Side, match_side},
    ties::Ties,
};

const KERNELS: [Kernel; 5] =
    [Kernel::Epanechnikov, Kernel::Gaussian, Kernel::Uniform, Kernel::Biweight, Kernel::Tricube];

/// All pairs, by the formulas of the page.
fn slowly(focal: &[f64], donors: &[f64], y: &[f64], kernel: Kernel, h: f64, linear: bool) -> Side {
    let mut side = Side {
        matched: vec![false; focal.len()],
        outcome: vec![f64::NAN; focal.len()],
        weight: vec![0.0; donors.len()],
        squares: None,
        ties: Ties::default(),
        pairs: None,
    };
    for (i, p) in focal.iter().enumerate() {
        let u: Vec<f64> = donors.iter().map(|s| (s - p) / h).collect();
        let inside = |j: usize| kernel == Kernel::Gaussian || (donors[j] - p).abs() <= h;
        let k: Vec<f64> =
            (0..donors.len()).map(|j| if inside(j) { kernel.weight(u[j]) } else { 0.0 }).collect();
        let total: f64 = k.iter().sum();
        if total <= 0.0 {
            continue;
        }
        let mean = k.iter().zip(&u).map(|(k, u)| k * u).sum::<f64>() / total;
        let v = k.iter().zip(&u).map(|(k, u)| k * (u - mean) * (u - mean)).sum::<f64>() / total;
        if linear && v <= 1e-14 * mean * mean {
            continue;
        }
        side.matched[i] = true;
        side.outcome[i] = 0.0;
        for j in 0..donors.len() {
            let lean = if linear { (v + mean * mean - mean * u[j]) / v } else { 1.0 };
            let w = k[j] / total * lean;
            side.weight[j] += w;
            side.outcome[i] += w * y[j];
        }
    }
    side
}

/// Scores in clumps and tails, as fitted probabilities are.
fn scores(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..n)
        .map(|_| {
            let u = next();
            if next() < 0.3 { 0.1 + 0.01 * u } else { u * u }
        })
        .collect()
}

#[test]
fn windows_agree_with_all_pairs() {
    for (n1, n0, seed) in [(300, 2000, 1), (2000, 300, 2), (40, 60, 3)] {
        let (focal, donors) = (scores(n1, seed), scores(n0, seed + 10));
        let y: Vec<f64> = donors.iter().map(|p| 3.0 + (20.0 * p).sin()).collect();
        let zero = vec![0.0; n1];
        for kernel in KERNELS {
            for h in [0.001, 0.02, 0.06, 0.7] {
                for linear in [false, true] {
                    // Far from all donors a Gaussian line extrapolates by thousands of bandwidths.
                    if linear && kernel == Kernel::Gaussian && h < 0.02 {
                        continue;
                    }
                    let rule = if linear {
                        Rule::LocalLinear { kernel, bandwidth: h }
                    } else {
                        Rule::Kernel { kernel, bandwidth: h }
                    };
                    let fast =
                        match_side(&focal, &donors, Some(Outcomes { focal: &zero, donors: &y }), &rule);
                    let slow = slowly(&focal, &donors, &y, kernel, h, linear);
                    compare(&fast, &slow, &format!("{kernel:?} {h} {linear} {n1}"));
                }
            }
        }
    }
}

fn compare(fast: &Side, slow: &Side, what: &str) {
    assert_eq!(fast.matched, slow.matched, "{what}");
    for (a, b) in fast.outcome.iter().zip(&slow.outcome).filter(|it| !it.1.is_nan()) {
        assert!((a - b).abs() <= 1e-10 * (1.0 + b.abs()), "{what}: outcome {a} and {b}");
    }
    for (a, b) in fast.weight.iter().zip(&slow.weight) {
        assert!((a - b).abs() <= 1e-10 * (1.0 + b.abs()), "{what}: weight {a} and {b}");
    }
}

#[test]
fn a_straight_line_is_met_exactly_by_local_lines() {
    let (focal, donors) = (scores(100, 5), scores(900, 6));
    let y: Vec<f64> = donors.iter().map(|p| 2.0 - 7.0 * p).collect();
    for kernel in KERNELS {
        let rule = Rule::LocalLinear { kernel, bandwidth: 0.1 };
        let side = match_side(&focal, &donors, Some(Outcomes { focal: &focal, donors: &y }), &rule);
        for (p, got) in focal.iter().zip(&side.outcome).filter(|it| !it.1.is_nan()) {
            assert!((got - (2.0 - 7.0 * p)).abs() < 1e-9, "{kernel:?} {got} at {p}");
        }
        let total: f64 = side.weight.iter().sum();
        let matched = side.matched.iter().filter(|it| **it).count() as f64;
        assert!((total - matched).abs() < 1e-8 * matched, "{kernel:?}");
    }
}

fn options(k: usize, replacement: bool) -> Nearest {
    Nearest { k, caliper: f64::INFINITY, replacement, ties: None, order: Order::Largest }
}

/// Donors sorted by distance, then by score, then by row.
fn ranked(p: f64, donors: &[f64]) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..donors.len() as u32).collect();
    let key = |it: u32| donors[it as usize];
    rows.sort_by(|&a, &b| {
        let near = (key(a) - p).abs().total_cmp(&(key(b) - p).abs());
        near.then(key(a).total_cmp(&key(b))).then(a.cmp(&b))
    });
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Scores on a coarse grid, so that ties are common.
    #[test]
    fn neighbours_agree_with_all_pairs(
        focal in prop::collection::vec(0_u8..30, 1..25),
        donors in prop::collection::vec(0_u8..30, 1..25),
        k in 1_usize..4,
        caliper in 1_u8..10,
    ) {
        let on = |it: &[u8]| it.iter().map(|it| f64::from(*it)).collect::<Vec<f64>>();
        let (focal, donors) = (on(&focal), on(&donors));
        let caliper = f64::from(caliper);
        let one = nearest(&focal, &donors, &Nearest { caliper, ..options(1, true) });
        let many = nearest(&focal, &donors, &Nearest { caliper, ..options(k, true) });
        let ties = nearest(&focal, &donors, &Nearest { caliper, ties: Some(0.0), ..options(k, true) });
        for (at, p) in focal.iter().enumerate() {
            let all = ranked(*p, &donors);
            let gap = |it: &u32| (donors[*it as usize] - p).abs();
            let near: Vec<u32> = all.iter().copied().filter(|it| gap(it) < caliper).collect();
            prop_assert_eq!(one.of(at), &near[..near.len().min(1)]);
            let gaps = |it: &[u32]| it.iter().map(gap).collect::<Vec<f64>>();
            prop_assert_eq!(gaps(many.of(at)), gaps(&near[..near.len().min(k)]));
            let limit = near.get(k - 1).or(near.last()).map(gap);
            let mut tied: Vec<u32> = near.iter().copied().filter(|it| Some(gap(it)) <= limit).collect();
            let mut got = ties.of(at).to_vec();
            tied.sort_unstable();
            got.sort_unstable();
            prop_assert_eq!(got, tied);
        }
    }

    #[test]
    fn greedy_choice_without_replacement_agrees_with_a_loop(
        focal in prop::collection::vec(0_u8..40, 1..25),
        donors in prop::collection::vec(0_u8..40, 1..25),
        k in 1_usize..3,
        caliper in 1_u8..12,
    ) {
        let on = |it: &[u8]| it.iter().map(|it| f64::from(*it)).collect::<Vec<f64>>();
        let (focal, donors) = (on(&focal), on(&donors));
        for order in [Order::Largest, Order::Smallest, Order::Data] {
            let asked = Nearest { caliper: f64::from(caliper), order, ..options(k, false) };
            let found = nearest(&focal, &donors, &asked);
            let mut turns: Vec<usize> = (0..focal.len()).collect();
            match order {
                Order::Largest => turns.sort_by(|&a, &b| focal[b].total_cmp(&focal[a])),
                Order::Smallest => turns.sort_by(|&a, &b| focal[a].total_cmp(&focal[b])),
                _ => {}
            }
            let mut free = vec![true; donors.len()];
            let mut expected = vec![Vec::new(); focal.len()];
            for _ in 0..k {
                for &turn in &turns {
                    let best = ranked(focal[turn], &donors).into_iter().find(|it| free[*it as usize]);
                    if let Some(it) = best && (donors[it as usize] - focal[turn]).abs() < f64::from(caliper) {
                        free[it as usize] = false;
                        expected[turn].push(it);
                    }
                }
            }
            for (at, list) in expected.iter().enumerate() {
                prop_assert_eq!(found.of(at), list.as_slice());
            }
        }
    }

    #[test]
    fn means_of_the_own_group_agree_with_a_loop(scores in prop::collection::vec(0_u32..1000, 2..30), m in 1_usize..4) {
        let mut distinct = scores.clone();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assume!(distinct.len() == scores.len());
        let scores: Vec<f64> = scores.iter().map(|it| f64::from(*it) + 1e-4 * f64::from(*it).powi(2)).collect();
        let y: Vec<f64> = scores.iter().map(|it| (it * 1.7).sin()).collect();
        let means = own_group_means(&scores, &y, m);
        for (at, p) in scores.iter().enumerate() {
            let all: Vec<u32> = ranked(*p, &scores).into_iter().filter(|it| *it as usize != at).collect();
            let near = &all[..all.len().min(m)];
            let mean = near.iter().map(|it| y[*it as usize]).sum::<f64>() / near.len() as f64;
            prop_assert!((means[at] - mean).abs() < 1e-12);
        }
    }
}

#[test]
fn a_sweep_does_not_come_back_to_donors_it_passed() {
    // Worked by hand from psmatch2's rule: .5 takes .52; .51 goes on upwards to .6 although .47 is nearer and free.
    let (focal, donors) = ([0.51, 0.5], [0.45, 0.6, 0.47, 0.52]);
    let swept = nearest(&focal, &donors, &Nearest { order: Order::SweepAscending, ..options(1, false) });
    assert_eq!((swept.of(0), swept.of(1)), (&[1][..], &[3][..]));
    // Downwards .51 comes first and takes .52, then .5 the nearest below.
    let swept = nearest(&focal, &donors, &Nearest { order: Order::SweepDescending, ..options(1, false) });
    assert_eq!((swept.of(0), swept.of(1)), (&[3][..], &[2][..]));
    // At the end of the donors the search turns once.
    let swept = nearest(&[0.7, 0.8], &donors, &Nearest { order: Order::SweepAscending, ..options(1, false) });
    assert_eq!((swept.of(0), swept.of(1)), (&[1][..], &[3][..]));
}

/// Decimals that are equally far on paper are equally far here, from either side and at a caliper.
#[test]
fn decimals_tie() {
    let asked = Nearest { ties: Some(0.0), ..options(1, true) };
    let both = |p: f64, low: f64, high: f64, caliper: f64| {
        nearest(&[p], &[high, low], &Nearest { caliper, ..asked }).of(0).to_vec()
    };
    for (p, low, high) in
        [(0.2, 0.19, 0.21), (0.3, 0.2, 0.4), (0.7, 0.6, 0.8), (1.1, 1.0, 1.2), (0.3, 0.1, 0.5)]
    {
        assert_eq!(both(p, low, high, f64::INFINITY), [1, 0], "{p}");
        assert_eq!(both(p, low, high, 1.01 * (high - p)), [1, 0], "{p}");
        // A distance equal to the caliper is not below it, whichever way it was rounded.
        let caliper = ((high - p) * 100.0).round() / 100.0;
        assert!(both(p, low, high, caliper).is_empty(), "{p}");
        let radius = Rule::Kernel { kernel: Kernel::Uniform, bandwidth: caliper };
        assert_eq!(match_side(&[p], &[high, low], None, &radius).weight, [0.5, 0.5], "{p}");
        assert_eq!(nearest(&[p], &[high, low], &options(1, true)).of(0), [1], "the lower score of {p}");
    }
    // A hundred units in the last place are a distance.
    let apart = 0.21 * (1.0 + 50.0 * f64::EPSILON);
    assert_eq!(both(0.2, 0.19, apart, f64::INFINITY), [1]);
}

/// Every way to break the ties of a small sample, against the range that a matching says.
#[test]
fn ranges_of_ties_are_those_of_all_choices() {
    let focal = [0.5, 0.52, 0.7];
    let donors = [0.4, 0.5, 0.5, 0.5, 0.54, 0.9];
    let (y1, y0) = ([10.0, 11.0, 12.0], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]);
    let outcomes = Some(Outcomes { focal: &y1, donors: &y0 });
    for k in [1, 2, 4] {
        let side = match_side(&focal, &donors, outcomes, &Rule::Nearest(options(k, true)));
        let all = nearest(&focal, &donors, &Nearest { ties: Some(0.0), ..options(k, true) });
        let (mut low, mut high, mut whole, mut tied) = (0.0, 0.0, 0.0, 0);
        for (at, &p) in focal.iter().enumerate() {
            let list = all.of(at);
            whole += list.iter().map(|it| y0[*it as usize]).sum::<f64>() / list.len() as f64;
            let distance = |it: u32| ((p - donors[it as usize]).abs() * 1e6).round();
            let total = |set: &[u32]| -> f64 { set.iter().map(|it| distance(*it)).sum() };
            let sets: Vec<Vec<u32>> = (0_u32..1 << list.len())
                .map(|mask| (0..list.len()).filter(|bit| mask >> bit & 1 == 1).map(|bit| list[bit]).collect())
                .filter(|it: &Vec<u32>| it.len() == k)
                .collect();
            let least = sets.iter().map(|it| total(it)).fold(f64::INFINITY, f64::min);
            let means: Vec<f64> = (sets.iter().filter(|it| total(it) == least))
                .map(|it| it.iter().map(|it| y0[*it as usize]).sum::<f64>() / k as f64)
                .collect();
            low += means.iter().copied().fold(f64::INFINITY, f64::min);
            high += means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            tied += usize::from(k < list.len());
        }
        let own: f64 = side.outcome.iter().sum();
        let change = side.ties.change;
        assert_eq!(side.ties.rows, tied, "{k}");
        for (ours, theirs) in [(change.low, low), (change.high, high), (change.all, whole)] {
            assert!((own + ours - theirs).abs() < 1e-12, "{k}: {} and {theirs}", own + ours);
        }
    }
    // Without replacement the reverse of the rows is the other order.
    let alone = match_side(&focal, &donors, outcomes, &Rule::Nearest(options(1, false)));
    let backwards: Vec<f64> = donors.iter().rev().copied().collect();
    let reversed: Vec<f64> = y0.iter().rev().copied().collect();
    let other = Outcomes { focal: &y1, donors: &reversed };
    let other = match_side(&focal, &backwards, Some(other), &Rule::Nearest(options(1, false)));
    let [own, other] = [alone, other.clone()].map(|it| (it.outcome.iter().sum::<f64>(), it.ties));
    assert_eq!(own.1.rows, 2);
    assert_eq!(
        [own.0 + own.1.change.low, own.0 + own.1.change.high],
        [own.0.min(other.0), own.0.max(other.0)]
    );
    assert!(own.0 != other.0);
}

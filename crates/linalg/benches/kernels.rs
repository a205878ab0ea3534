//! Criterion benchmarks: the Gram matrix, both least-squares paths, and absorption of fixest's benchmark designs.
//!
//! Sizes are those of a coffee break: 10^5 rows. `examples/designs.rs` runs the designs at 10^6.
#![allow(missing_docs, reason = "criterion_group! generates public items")]

use criterion::{Criterion, criterion_group, criterion_main};
use parallax_linalg::{AbsorbOptions, Absorber, Factor, LeastSquaresOptions, gram, least_squares};
use std::hint::black_box;

const ROWS: usize = 100_000;

fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn noise(seed: u64) -> Vec<f64> {
    (0..ROWS as u64).map(|i| mix(i ^ (seed << 40)) as f64 / u64::MAX as f64).collect()
}

fn linear_algebra(c: &mut Criterion) {
    let data: Vec<Vec<f64>> = (0..11).map(noise).collect();
    let columns: Vec<&[f64]> = data.iter().map(Vec::as_slice).collect();
    c.bench_function("gram/11 columns", |b| b.iter(|| black_box(gram(&columns, None))));
    for (name, limit) in [("gram", 1e3), ("twice the precision", 0.0)] {
        let options = LeastSquaresOptions { gram_condition_limit: limit, ..LeastSquaresOptions::default() };
        c.bench_function(&format!("least squares/{name}"), |b| {
            b.iter(|| black_box(least_squares(&columns[1..], columns[0], None, None, &options)));
        });
    }
}

fn absorption(c: &mut Criterion) {
    let random = |groups: u64, seed: u64| -> Vec<u32> {
        (0..ROWS as u64).map(|i| (mix(i ^ (seed << 40)) % groups) as u32).collect()
    };
    let simple = [random(10_000, 1), random(434, 2), random(10, 3)];
    let difficult = [
        (0..ROWS).map(|i| (i / 10) as u32).collect::<Vec<u32>>(),
        (0..ROWS).map(|i| (i % 434) as u32).collect(),
        (0..ROWS).map(|i| (i % 10) as u32).collect(),
    ];
    let columns: Vec<Vec<f64>> = (0..2).map(noise).collect();
    for (name, codes) in [("simple", &simple), ("difficult", &difficult)] {
        for effects in [2, 3] {
            let factors: Vec<Factor<'_>> =
                codes[..effects].iter().map(|c| Factor { codes: c, n_groups: 10_000 }).collect();
            c.bench_function(&format!("absorb/{name}, {effects} effects, 2 columns"), |b| {
                b.iter(|| {
                    let absorber = Absorber::new(&factors, None, ROWS, AbsorbOptions::default());
                    let mut data = columns.clone();
                    black_box(absorber.map(|a| a.residualize(&mut data)))
                });
            });
        }
    }
}

criterion_group! { name = kernels; config = Criterion::default().sample_size(10); targets = linear_algebra, absorption }
criterion_main!(kernels);

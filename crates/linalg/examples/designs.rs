//! Times absorption on the designs of fixest's benchmark: `cargo run --release -p parallax-linalg --example designs`.
//!
//! Arguments: rows (default 1000000) and number of columns (default 11: an outcome and ten regressors).
#![allow(clippy::print_stdout, reason = "an example reports on standard output")]

use parallax_linalg::{
    AbsorbOptions, Absorber, Factor, LeastSquaresOptions, LinalgError, gram, least_squares,
};
use std::time::Instant;

fn main() -> Result<(), LinalgError> {
    let argument =
        |k: usize, default: usize| std::env::args().nth(k).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (n, k) = (argument(1, 1_000_000), argument(2, 11));
    for (name, codes) in designs(n) {
        let factors: Vec<Factor<'_>> = codes.iter().map(|(c, g)| Factor { codes: c, n_groups: *g }).collect();
        let start = Instant::now();
        let absorber = Absorber::new(&factors, None, n, AbsorbOptions::default())?;
        let built = start.elapsed();
        let mut columns = columns(n, k, &codes);
        let start = Instant::now();
        let report = absorber.residualize(&mut columns)?;
        let absorbed = start.elapsed();
        println!("{name}: build {built:.2?}, {k} columns {absorbed:.2?}, {report:?}");
    }
    let data = columns(n, k, &[]);
    let slices: Vec<&[f64]> = data.iter().map(Vec::as_slice).collect();
    let start = Instant::now();
    gram(&slices, None)?;
    println!("gram of {k} columns: {:.2?}", start.elapsed());
    for (name, limit) in [("gram", 1e3), ("twice the precision", 0.0)] {
        let options = LeastSquaresOptions { gram_condition_limit: limit, ..LeastSquaresOptions::default() };
        let start = Instant::now();
        let fit = least_squares(&slices[1..], slices[0], None, None, &options)?;
        println!("least squares by {name}: {:.2?} {:?}", start.elapsed(), fit.method);
    }
    Ok(())
}

type Codes = Vec<(Vec<u32>, usize)>;

/// The `simple` and `difficult` designs, with two and three effects.
fn designs(n: usize) -> Vec<(&'static str, Codes)> {
    let years = 10;
    let individuals = (n / years).max(1);
    let firms = (individuals / 23).max(1);
    let random = |groups: usize, seed: u64| -> (Vec<u32>, usize) {
        ((0..n as u64).map(|i| (mix(i ^ (seed << 40)) % groups as u64) as u32).collect(), groups)
    };
    let simple = vec![random(individuals, 1), random(firms, 2), random(years, 3)];
    let akm = vec![random(n / 20, 1), random((n / 20) * 43 / 50, 2), random(years, 3)];
    let difficult = vec![
        ((0..n).map(|i| (i / years) as u32).collect(), individuals + 1),
        ((0..n).map(|i| (i % firms) as u32).collect(), firms),
        ((0..n).map(|i| (i % years) as u32).collect(), years),
    ];
    let two = |c: &Codes| c[..2].to_vec();
    vec![
        ("simple, 2 effects", two(&simple)),
        ("simple, 3 effects", simple),
        ("random 50k x 43k, 2 effects", two(&akm)),
        ("random 50k x 43k x 10, 3 effects", akm),
        ("difficult, 2 effects", two(&difficult)),
        ("difficult, 3 effects", difficult),
        ("low mobility, 2 effects", two(&low_mobility(n))),
        ("low mobility, 3 effects", low_mobility(n)),
        ("chain, 2 effects", chain(n)),
        ("grid, 2 effects", grid(n)),
    ]
}

/// Workers of ten years who move, three times in a hundred, to one of forty firms near their own: an employer-employee
/// panel with local labour markets.
fn low_mobility(n: usize) -> Codes {
    let workers = n / 10 + 1;
    let firms = (workers / 10).max(1);
    let mut firm = vec![0u32; n];
    for i in 0..n {
        let draw = mix(i as u64 ^ (7 << 40));
        firm[i] = if i % 10 == 0 {
            (draw % firms as u64) as u32
        } else if draw % 100 < 3 {
            ((firm[i - 1] as usize + 1 + (draw >> 32) as usize % 40) % firms) as u32
        } else {
            firm[i - 1]
        };
    }
    vec![
        ((0..n).map(|i| (i / 10) as u32).collect(), workers),
        (firm, firms),
        ((0..n).map(|i| (i % 10) as u32).collect(), 10),
    ]
}

/// Every group meets the next one once: the worst connected graph there is.
fn chain(n: usize) -> Codes {
    let groups = n / 2 + 2;
    vec![
        ((0..n).map(|i| (i / 2) as u32).collect(), groups),
        ((0..n).map(|i| i.div_ceil(2) as u32).collect(), groups),
    ]
}

/// Groups of two rows are the edges of a square grid.
fn grid(n: usize) -> Codes {
    let side = (n / 4).isqrt();
    let end = |i: usize| -> u32 {
        let (edge, far) = (i / 2, i % 2);
        let vertex = (edge / 2) % (side * side);
        let (row, column) = (vertex / side, vertex % side);
        let to = if far == 0 {
            vertex
        } else if edge % 2 == 0 {
            row * side + (column + 1) % side
        } else {
            (row + 1) % side * side + column
        };
        to as u32
    };
    vec![((0..n).map(|i| (i / 2) as u32).collect(), n / 2 + 1), ((0..n).map(end).collect(), side * side)]
}

fn columns(n: usize, k: usize, codes: &[(Vec<u32>, usize)]) -> Vec<Vec<f64>> {
    let value = |seed: u64, i: u64| mix(i.wrapping_add(seed << 33)) as f64 / u64::MAX as f64;
    (0..k as u64)
        .map(|c| {
            (0..n)
                .map(|i| {
                    let effects: f64 = codes.iter().zip(9..).map(|(f, s)| value(s, u64::from(f.0[i]))).sum();
                    value(c + 100, i as u64) + effects
                })
                .collect()
        })
        .collect()
}

/// SplitMix64.
fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

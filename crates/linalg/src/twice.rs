//! Arithmetic in twice the working precision, and cross-products in it.
//!
//! A number is an unevaluated sum of two doubles (Dekker 1971). Cross-products follow Dot2 of Ogita, Rump and Oishi
//! (2005, algorithm 5.3): the result is as accurate as if computed with a unit roundoff of 2^-106. Cholesky on such a
//! Gram matrix loses cond(X)^2 of 2^-106, while Householder QR loses cond(X) of 2^-53; below cond(X) = 2^53, where
//! doubles can tell columns apart at all, the former is never worse. Fused multiply-add is not used: products are split by
//! Veltkamp's method, so that every processor gives the same bits.

use crate::gram;

/// hi + lo with |lo| at most half an ulp of hi.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Twice {
    pub(crate) hi: f64,
    pub(crate) lo: f64,
}

impl Twice {
    pub(crate) const ZERO: Self = Self { hi: 0.0, lo: 0.0 };

    pub(crate) fn new(x: f64) -> Self {
        Self { hi: x, lo: 0.0 }
    }

    pub(crate) fn value(self) -> f64 {
        self.hi + self.lo
    }

    pub(crate) fn add(self, other: Self) -> Self {
        let (s, e) = two_sum(self.hi, other.hi);
        let (t, f) = two_sum(self.lo, other.lo);
        let (s, e) = fast_two_sum(s, e + t);
        let (hi, lo) = fast_two_sum(s, e + f);
        Self { hi, lo }
    }

    pub(crate) fn neg(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo }
    }

    pub(crate) fn sub(self, other: Self) -> Self {
        self.add(other.neg())
    }

    pub(crate) fn mul(self, other: Self) -> Self {
        let (p, e) = two_product(self.hi, other.hi);
        let (hi, lo) = fast_two_sum(p, e + (self.hi * other.lo + self.lo * other.hi));
        Self { hi, lo }
    }

    pub(crate) fn div(self, other: Self) -> Self {
        // Two Newton corrections of the quotient of the leading parts.
        let q1 = self.hi / other.hi;
        let r = self.sub(other.mul(Self::new(q1)));
        let q2 = r.hi / other.hi;
        let r = r.sub(other.mul(Self::new(q2)));
        let q3 = r.hi / other.hi;
        let (hi, lo) = fast_two_sum(q1, q2);
        Self { hi, lo }.add(Self::new(q3))
    }

    pub(crate) fn sqrt(self) -> Self {
        if self.hi <= 0.0 {
            return Self::ZERO;
        }
        let root = self.hi.sqrt();
        let rest = self.sub(Self::new(root).mul(Self::new(root)));
        Self::new(root).add(Self::new(rest.value() / (2.0 * root)))
    }
}

/// X'WX in twice the precision, column-major k x k, full. Columns must be of moderate size (see [`power_of_two`]).
pub(crate) fn gram_twice(
    columns: &[&[f64]],
    scale: &[f64],
    weights: Option<&[f64]>,
    rows: usize,
) -> Vec<Twice> {
    let k = columns.len();
    let mut total = vec![Twice::ZERO; k * k];
    gram::in_row_order(
        rows,
        |start, end| block(columns, scale, weights, start, end),
        |part: Vec<Twice>| {
            for (t, p) in total.iter_mut().zip(part) {
                *t = t.add(p);
            }
        },
    );
    for j in 0..k {
        for i in 0..j {
            total[i + j * k] = total[j + i * k];
        }
    }
    total
}

/// The power of two that brings the largest magnitude of `x` to about one: scaling by it is exact, and keeps the splitting
/// of products from overflowing.
pub(crate) fn power_of_two(x: &[f64]) -> f64 {
    let top = x.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    if top == 0.0 || !top.is_finite() {
        1.0
    } else {
        2f64.powi(-(top.log2().floor().clamp(-1000.0, 1000.0) as i32))
    }
}

/// target -= X b in twice the precision, rounded once; columns have the length of the target, at most 1024 rows.
pub(crate) fn subtract_twice(target: &mut [f64], columns: &[&[f64]], coef: &[Twice]) {
    let mut low = vec![0.0f64; target.len()];
    for (column, b) in columns.iter().zip(coef) {
        let (bh, bl) = split(b.hi);
        for ((t, low), &x) in target.iter_mut().zip(&mut low).zip(*column) {
            let (xh, xl) = split(x);
            let p = x * b.hi;
            let e = ((xh * bh - p) + xh * bl + xl * bh) + xl * bl;
            let (s, lost) = two_sum(*t, -p);
            *low += (lost - e) - x * b.lo;
            *t = s;
        }
    }
    for (t, low) in target.iter_mut().zip(&low) {
        *t += low;
    }
}

/// Rows split together: the leading and trailing halves of all columns stay in the second-level cache.
const SPLIT_ROWS: usize = 1024;

/// A column chunk with its products prepared: value, leading half, trailing half, and the rounding error of w x.
#[derive(Default)]
struct Split {
    value: Vec<f64>,
    head: Vec<f64>,
    tail: Vec<f64>,
    error: Vec<f64>,
}

impl Split {
    fn fill(&mut self, x: &[f64], scale: f64, weights: Option<&[f64]>) {
        self.value.clear();
        self.error.clear();
        self.head.clear();
        self.tail.clear();
        match weights {
            None => self.value.extend(x.iter().map(|v| v * scale)),
            Some(weights) => {
                for (v, w) in x.iter().zip(weights) {
                    let (p, e) = two_product(v * scale, *w);
                    self.value.push(p);
                    self.error.push(e);
                }
            }
        }
        for &v in &self.value {
            let (head, tail) = split(v);
            self.head.push(head);
            self.tail.push(tail);
        }
    }
}

fn block(columns: &[&[f64]], scale: &[f64], weights: Option<&[f64]>, start: usize, end: usize) -> Vec<Twice> {
    let k = columns.len();
    let mut total = vec![Twice::ZERO; k * k];
    let mut plain: Vec<Split> = columns.iter().map(|_| Split::default()).collect();
    let mut weighted = Split::default();
    let mut from = start;
    while from < end {
        let to = (from + SPLIT_ROWS).min(end);
        for ((split, column), &s) in plain.iter_mut().zip(columns).zip(scale) {
            split.fill(&column[from..to], s, None);
        }
        for j in 0..k {
            if let Some(w) = weights {
                weighted.fill(&columns[j][from..to], scale[j], Some(&w[from..to]));
            }
            let left = if weights.is_some() { &weighted } else { &plain[j] };
            for i in j..k {
                total[i + j * k] = total[i + j * k].add(dot(left, &plain[i]));
            }
        }
        from = to;
    }
    total
}

/// Dot2 in lanes.
fn dot(a: &Split, b: &Split) -> Twice {
    let n = a.value.len();
    let mut sum = [0.0f64; LANES];
    let mut low = [0.0f64; LANES];
    let whole = n / LANES * LANES;
    let (av, _) = a.value.as_chunks::<LANES>();
    let (ah, _) = a.head.as_chunks::<LANES>();
    let (at, _) = a.tail.as_chunks::<LANES>();
    let (bv, _) = b.value.as_chunks::<LANES>();
    let (bh, _) = b.head.as_chunks::<LANES>();
    let (bt, _) = b.tail.as_chunks::<LANES>();
    for (((((av, ah), at), bv), bh), bt) in av.iter().zip(ah).zip(at).zip(bv).zip(bh).zip(bt) {
        for l in 0..LANES {
            let p = av[l] * bv[l];
            // Dekker's order of the terms: every sum but the last is exact.
            let e = ((ah[l] * bh[l] - p) + ah[l] * bt[l] + at[l] * bh[l]) + at[l] * bt[l];
            let s = sum[l] + p;
            let back = s - sum[l];
            low[l] += ((sum[l] - (s - back)) + (p - back)) + e;
            sum[l] = s;
        }
    }
    let mut total = Twice::ZERO;
    for l in 0..LANES {
        total = total.add(Twice::new(sum[l])).add(Twice::new(low[l]));
    }
    for i in whole..n {
        let (p, e) = two_product(a.value[i], b.value[i]);
        total = total.add(Twice { hi: p, lo: e });
    }
    let correction: f64 = a.error.iter().zip(&b.value).map(|(e, v)| e * v).sum();
    total.add(Twice::new(correction))
}

/// Number of lanes of [`dot`]: so many that the compiler keeps them in the first-level cache as vectors, instead of
/// unrolling them into scalars.
const LANES: usize = 64;

fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let back = s - a;
    (s, (a - (s - back)) + (b - back))
}

fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    (s, b - (s - a))
}

fn split(a: f64) -> (f64, f64) {
    let c = 134_217_729.0 * a;
    let head = c - (c - a);
    (head, a - head)
}

fn two_product(a: f64, b: f64) -> (f64, f64) {
    let p = a * b;
    let (ah, al) = split(a);
    let (bh, bl) = split(b);
    (p, ((ah * bh - p) + ah * bl + al * bh) + al * bl)
}

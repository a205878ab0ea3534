//! Kernel sums at many points: a tree of blocks, each with the moments of its sources about its own centre.
//!
//! A window is cut into O(log n) blocks. Within a block a polynomial kernel is exact in the moments, and the Gaussian is
//! a series that ends below rounding because blocks are narrow (the expansion of the fast Gauss transform, Greengard and
//! Strain 1991). Every block is expanded about its own centre and nothing is ever subtracted, so sums keep their digits.

use crate::kernel::Kernel;

/// Sources in the smallest block.
const LEAF: usize = 32;

/// Terms of the Gaussian series, and the largest |t v| for which it is used: 3.3^33 / 33! is below 1e-19.
const SERIES: usize = 33;
const CONVERGES: f64 = 3.3;

/// sum_j mass_j K(u_j) u_j^k for two masses and k = 0, 1, 2, with u_j = (source_j - p)/h.
pub type Sums = [[f64; 3]; 2];

/// Sources in ascending order with two masses each.
pub struct Tree<'a> {
    points: &'a [f64],
    masses: [&'a [f64]; 2],
    kernel: Kernel,
    bandwidth: f64,
    /// Powers of u wanted beyond 0.
    powers: usize,
    /// Moments a block and mass.
    terms: usize,
    /// Moments of each block, level by level from the leaves up.
    levels: Vec<Vec<f64>>,
}

impl<'a> Tree<'a> {
    /// A tree over `points` (ascending); `powers` is 0 or 2.
    pub fn new(
        points: &'a [f64],
        masses: [&'a [f64]; 2],
        kernel: Kernel,
        bandwidth: f64,
        powers: usize,
    ) -> Self {
        let terms = kernel.polynomial().map_or(SERIES + 2, |it| it.len() + powers);
        let mut tree = Tree { points, masses, kernel, bandwidth, powers, terms, levels: Vec::new() };
        let mut width = LEAF;
        loop {
            let blocks = points.len().div_ceil(width);
            let mut level = vec![0.0; blocks * 2 * terms];
            let mut any = false;
            for (block, moments) in level.chunks_mut(2 * terms).enumerate() {
                any |= tree.fill(block * width, width, moments);
            }
            tree.levels.push(level);
            if blocks <= 1 || !any {
                break;
            }
            width *= 2;
        }
        tree
    }

    /// Moments of one block; false when it is too wide to be used.
    fn fill(&self, from: usize, width: usize, moments: &mut [f64]) -> bool {
        let to = (from + width).min(self.points.len());
        if !self.narrow(from, to) {
            return false;
        }
        let centre = self.centre(from, to);
        for row in from..to {
            let v = (self.points[row] - centre) / self.bandwidth;
            let shade = if self.kernel == Kernel::Gaussian { self.kernel.weight(v) } else { 1.0 };
            for (mass, moments) in self.masses.iter().zip(moments.chunks_mut(self.terms)) {
                let mut power = shade * mass[row];
                for it in moments {
                    *it += power;
                    power *= v;
                }
            }
        }
        true
    }

    fn narrow(&self, from: usize, to: usize) -> bool {
        let limit = if self.kernel == Kernel::Gaussian { 0.5 } else { 2.0 };
        self.points[to - 1] - self.points[from] <= limit * self.bandwidth
    }

    fn centre(&self, from: usize, to: usize) -> f64 {
        0.5 * (self.points[from] + self.points[to - 1])
    }

    /// The sums at `p` over the sources `from..to`.
    pub fn at(&self, p: f64, from: usize, to: usize) -> Sums {
        let mut sums = [[0.0; 3]; 2];
        // Odd powers of |u| are two polynomials, one on each side of p.
        let split = match self.kernel {
            Kernel::Tricube => from + self.points[from..to].partition_point(|it| *it < p),
            _ => from,
        };
        let top = self.levels.len() - 1;
        let width = LEAF << top;
        for (from, to, side) in [(from, split, -1.0), (split, to, 1.0)] {
            if from < to {
                for block in from / width..to.div_ceil(width) {
                    self.visit(top, block, (from, to), p, side, &mut sums);
                }
            }
        }
        sums
    }

    fn visit(&self, level: usize, block: usize, range: (usize, usize), p: f64, side: f64, sums: &mut Sums) {
        let width = LEAF << level;
        let first = block * width;
        let last = (first + width).min(self.points.len());
        let (from, to) = (first.max(range.0), last.min(range.1));
        if to <= from {
            return;
        }
        let t = (self.centre(first, last) - p) / self.bandwidth;
        let half = 0.5 * (self.points[last - 1] - self.points[first]) / self.bandwidth;
        let converges = self.kernel != Kernel::Gaussian || t.abs() * half <= CONVERGES;
        if (from, to) == (first, last) && converges && self.narrow(first, last) {
            let moments = &self.levels[level][block * 2 * self.terms..(block + 1) * 2 * self.terms];
            match self.kernel.polynomial() {
                Some(coefficients) => self.polynomial(coefficients, t, side, moments, sums),
                None => self.series(t, half, moments, sums),
            }
        } else if level == 0 {
            direct(self.kernel, self.bandwidth, self.powers, p, from..to, self.points, self.masses, sums);
        } else {
            for half in [2 * block, 2 * block + 1] {
                self.visit(level - 1, half, range, p, side, sums);
            }
        }
    }

    /// K(u) u^k is a polynomial in u = t + v; its Taylor coefficients at t meet the moments of v.
    fn polynomial(&self, coefficients: &[f64], t: f64, side: f64, moments: &[f64], sums: &mut Sums) {
        for power in 0..=self.powers {
            let mut taylor = [0.0; 12];
            let degree = coefficients.len() - 1 + power;
            let mut sign = 1.0;
            for (at, c) in coefficients.iter().enumerate() {
                taylor[at + power] = sign * c;
                sign *= side;
            }
            for done in 0..degree {
                for at in (done..degree).rev() {
                    taylor[at] += t * taylor[at + 1];
                }
            }
            for (sums, moments) in sums.iter_mut().zip(moments.chunks(self.terms)) {
                sums[power] += taylor[..=degree].iter().zip(moments).map(|(a, m)| a * m).sum::<f64>();
            }
        }
    }

    /// exp(-(t+v)^2/2) = exp(-t^2/2) exp(-v^2/2) sum_r (-t v)^r / r!.
    fn series(&self, t: f64, half: f64, moments: &[f64], sums: &mut Sums) {
        let scale = (-0.5 * t * t).exp();
        for (sums, moments) in sums.iter_mut().zip(moments.chunks(self.terms)) {
            // sum of mass K v^k for k = 0, 1, 2.
            let mut of_v = [0.0; 3];
            let (mut factor, mut size) = (scale, 1.0);
            for r in 0..SERIES {
                for (k, it) in of_v.iter_mut().enumerate().take(self.powers + 1) {
                    *it += factor * moments[r + k];
                }
                factor *= -t / (r + 1) as f64;
                size *= t.abs() * half / (r + 1) as f64;
                if size < 1e-20 {
                    break;
                }
            }
            sums[0] += of_v[0];
            sums[1] += t * of_v[0] + of_v[1];
            sums[2] += t * t * of_v[0] + 2.0 * t * of_v[1] + of_v[2];
        }
    }
}

/// The sums at `p`, source by source.
#[expect(clippy::too_many_arguments, reason = "the inner loop of the tree and of small windows")]
pub fn direct(
    kernel: Kernel,
    bandwidth: f64,
    powers: usize,
    p: f64,
    range: std::ops::Range<usize>,
    points: &[f64],
    masses: [&[f64]; 2],
    sums: &mut Sums,
) {
    for row in range {
        let u = (points[row] - p) / bandwidth;
        let mut weight = kernel.weight(u);
        let [ones, others] = &mut *sums;
        for (one, other) in ones.iter_mut().zip(others).take(powers + 1) {
            *one += weight * masses[0][row];
            *other += weight * masses[1][row];
            weight *= u;
        }
    }
}

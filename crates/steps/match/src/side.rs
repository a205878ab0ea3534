//! One direction of matching: every focal unit gets donors, every donor the weight it received.

use crate::{
    kernel::Kernel,
    nearest::{Nearest, nearest, rounding},
    strata::by_strata,
    sums::{Sums, Tree, direct},
    ties::{Ties, broken},
};

/// How donors are weighed for a focal unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// The nearest ones, equally.
    Nearest(Nearest),
    /// Within a window, by a kernel, to a sum of one.
    Kernel {
        /// The kernel; uniform is radius matching.
        kernel: Kernel,
        /// Half the window; distances equal to it count.
        bandwidth: f64,
    },
    /// The intercept of a kernel-weighted line through the donors (Heckman, Ichimura and Todd 1997).
    LocalLinear {
        /// The kernel.
        kernel: Kernel,
        /// Half the window.
        bandwidth: f64,
    },
    /// All donors of the stratum, equally; so many strata of equally many focal units.
    Strata(usize),
}

/// What matching one group to another gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// Whether a focal unit found donors, one value a focal unit.
    pub matched: Vec<bool>,
    /// Mean outcome of its donors; NaN where there are none, or no outcome was given.
    pub outcome: Vec<f64>,
    /// sum_i w_ij, one value a donor; zero for those nobody needs.
    pub weight: Vec<f64>,
    /// sum_i w_ij^2, one value a donor; known for neighbours and strata.
    pub squares: Option<Vec<f64>>,
    /// sum_ij w_ij (y_i - y_j), and sum_ij w_ij (y_i - y_j)^2 with the focal outcomes; for neighbours and
    /// strata.
    pub pairs: Option<[f64; 2]>,
    /// Ties between neighbours that were broken.
    pub ties: Ties,
}

/// Outcomes of the two groups.
#[derive(Clone, Copy, Debug)]
pub struct Outcomes<'a> {
    /// One value a focal unit.
    pub focal: &'a [f64],
    /// One value a donor.
    pub donors: &'a [f64],
}

/// Matches `donors` to `focal` by score; scores are finite, a bandwidth is positive.
pub fn match_side(focal: &[f64], donors: &[f64], outcomes: Option<Outcomes<'_>>, rule: &Rule) -> Side {
    match *rule {
        Rule::Nearest(options) => by_neighbours(focal, donors, outcomes, &options),
        Rule::Kernel { kernel, bandwidth } => Window::new(focal, donors, kernel, bandwidth, 0).side(outcomes),
        Rule::LocalLinear { kernel, bandwidth } => {
            Window::new(focal, donors, kernel, bandwidth, 2).side(outcomes)
        }
        Rule::Strata(strata) => by_strata(focal, donors, outcomes, strata),
    }
}

/// sum_j K((donor_j - focal_i)/h), one value a focal unit.
pub fn window_sums(focal: &[f64], donors: &[f64], kernel: Kernel, bandwidth: f64) -> Vec<f64> {
    let window = Window::new(focal, donors, kernel, bandwidth, 0);
    let ones = vec![1.0; donors.len()];
    let tree = Tree::new(&window.donors, [&ones, &ones], kernel, bandwidth, 0);
    let mut totals = vec![0.0; focal.len()];
    for (&p, &row) in window.focal.iter().zip(&window.focal_rows) {
        totals[row as usize] = window.sums(&tree, p, [&ones, &ones]).0[0][0];
    }
    totals
}

fn by_neighbours(focal: &[f64], donors: &[f64], outcomes: Option<Outcomes<'_>>, options: &Nearest) -> Side {
    let found = nearest(focal, donors, options);
    let mut side = Side {
        matched: vec![false; focal.len()],
        outcome: vec![f64::NAN; focal.len()],
        weight: vec![0.0; donors.len()],
        squares: None,
        pairs: None,
        ties: broken(&found, focal, donors, outcomes, options),
    };
    let mut squares = vec![0.0; donors.len()];
    let mut pairs = [0.0; 2];
    for at in 0..focal.len() {
        let list = found.of(at);
        if list.is_empty() {
            continue;
        }
        let share = 1.0 / list.len() as f64;
        let mut mean = 0.0;
        for &donor in list {
            let donor = donor as usize;
            side.weight[donor] += share;
            squares[donor] += share * share;
            if let Some(it) = outcomes {
                mean += it.donors[donor] * share;
                let gap = it.focal[at] - it.donors[donor];
                pairs[0] += share * gap;
                pairs[1] += share * gap * gap;
            }
        }
        side.matched[at] = true;
        side.outcome[at] = if outcomes.is_some() { mean } else { f64::NAN };
    }
    side.squares = Some(squares);
    side.pairs = outcomes.map(|_| pairs);
    side
}

/// Below this many donors in a window they are summed one by one.
const FEW: usize = 64;

/// A mean kernel weight, or a spread of donors, below which sums are taken one by one.
const THIN: f64 = 1e-5;

/// Gaussian weights below exp(-REACH/2) of the largest are left out: a million of them, each multiplied by what a
/// focal unit at [`ISOLATED`] bandwidths hands out, stay below rounding.
const REACH: f64 = 160.0;

/// Focal units beyond this many bandwidths from every donor give large shares; they are summed one by one.
const ISOLATED: f64 = 6.0;

/// Both groups sorted by score, with the request.
struct Window {
    focal: Vec<f64>,
    focal_rows: Vec<u32>,
    donors: Vec<f64>,
    donor_rows: Vec<u32>,
    kernel: Kernel,
    bandwidth: f64,
    powers: usize,
}

/// w_ij = K(u_ij) (constant + slope u_ij), for one focal unit.
#[derive(Clone, Copy, Default)]
struct Share {
    constant: f64,
    slope: f64,
    /// Its donors are visited one by one.
    direct: bool,
}

impl Window {
    fn new(focal: &[f64], donors: &[f64], kernel: Kernel, bandwidth: f64, powers: usize) -> Window {
        let sorted = |it: &[f64]| {
            let mut rows: Vec<u32> = (0..it.len() as u32).collect();
            rows.sort_by(|&a, &b| it[a as usize].total_cmp(&it[b as usize]).then(a.cmp(&b)));
            (rows.iter().map(|&row| it[row as usize]).collect(), rows)
        };
        let (focal, focal_rows) = sorted(focal);
        let (donors, donor_rows) = sorted(donors);
        Window { focal, focal_rows, donors, donor_rows, kernel, bandwidth, powers }
    }

    /// The points that count at `p`, as positions, and whether `p` is far from all of them.
    fn range(&self, p: f64, points: &[f64]) -> (usize, usize, bool) {
        let mut isolated = false;
        let reach = match self.kernel {
            Kernel::Gaussian => {
                let at = points.partition_point(|it| *it < p);
                let beside = [at.checked_sub(1), Some(at)];
                let gaps = beside.into_iter().flatten().filter_map(|it| points.get(it));
                let nearest = gaps.map(|it| (it - p).abs()).fold(f64::INFINITY, f64::min) / self.bandwidth;
                isolated = ISOLATED < nearest;
                (nearest * nearest + REACH).sqrt() * self.bandwidth
            }
            _ => self.bandwidth,
        };
        // The same subtraction as in the other direction, so that both agree on the edge.
        // At the edge other kernels have no weight, and rounding may not make it negative.
        let slack = |it: f64| if self.kernel == Kernel::Uniform { rounding(p, it) } else { 0.0 };
        let from = points.partition_point(|it| *it < p && reach + slack(*it) < (it - p).abs());
        let to = points.partition_point(|it| *it <= p || (it - p).abs() <= reach + slack(*it));
        (from, to, isolated)
    }

    fn side(&self, outcomes: Option<Outcomes<'_>>) -> Side {
        let ones = vec![1.0; self.donors.len()];
        let values: Vec<f64> = match outcomes {
            Some(it) => self.donor_rows.iter().map(|&row| it.donors[row as usize]).collect(),
            None => vec![0.0; self.donors.len()],
        };
        let tree = Tree::new(&self.donors, [&ones, &values], self.kernel, self.bandwidth, self.powers);
        let mut side = Side {
            matched: vec![false; self.focal.len()],
            outcome: vec![f64::NAN; self.focal.len()],
            weight: vec![0.0; self.donors.len()],
            squares: None,
            pairs: None,
            ties: Ties::default(),
        };
        let mut shares = vec![Share::default(); self.focal.len()];
        for (at, &p) in self.focal.iter().enumerate() {
            let (sums, direct) = self.sums(&tree, p, [&ones, &values]);
            if let Some(share) = self.share(&sums, p) {
                let row = self.focal_rows[at] as usize;
                side.matched[row] = true;
                if outcomes.is_some() {
                    side.outcome[row] = share.constant * sums[1][0] + share.slope * sums[1][1];
                }
                shares[at] = Share { direct, ..share };
            }
        }
        self.weigh(&shares, &mut side.weight);
        side
    }

    /// Sums over the donors at `p`; true when they were taken one by one.
    fn sums(&self, tree: &Tree<'_>, p: f64, masses: [&[f64]; 2]) -> (Sums, bool) {
        let (from, to, isolated) = self.range(p, &self.donors);
        if FEW < to - from && !isolated {
            let sums = tree.at(p, from, to);
            let thin = sums[0][0] < THIN * (to - from) as f64 && self.kernel != Kernel::Gaussian;
            let spread = sums[0][2] * sums[0][0] - sums[0][1] * sums[0][1];
            let narrow = self.powers == 2 && spread < THIN * sums[0][2] * sums[0][0];
            if !thin && !narrow {
                return (sums, false);
            }
        }
        let mut sums = Sums::default();
        let range = from..to;
        direct(self.kernel, self.bandwidth, self.powers, p, range, &self.donors, masses, &mut sums);
        (sums, true)
    }

    /// `None` where no weights exist: an empty window, or a line through donors of one score.
    fn share(&self, sums: &Sums, p: f64) -> Option<Share> {
        let total = sums[0][0];
        if total <= 0.0 || !total.is_finite() {
            return None;
        }
        if self.powers == 0 {
            return Some(Share { constant: 1.0 / total, slope: 0.0, direct: false });
        }
        let mean = sums[0][1] / total;
        let variance = self.variance(sums, mean, p);
        if variance <= 1e-14 * mean * mean || variance <= 0.0 {
            return None;
        }
        let scale = 1.0 / (variance * total);
        Some(Share { constant: scale * (variance + mean * mean), slope: -scale * mean, direct: false })
    }

    /// Weighted variance of u in the window; in two passes where the sums would cancel.
    fn variance(&self, sums: &Sums, mean: f64, p: f64) -> f64 {
        let variance = sums[0][2] / sums[0][0] - mean * mean;
        if THIN * sums[0][2] < variance * sums[0][0] {
            return variance;
        }
        let (from, to, _) = self.range(p, &self.donors);
        let squares = self.donors[from..to].iter().map(|it| {
            let u = (it - p) / self.bandwidth;
            self.kernel.weight(u) * (u - mean) * (u - mean)
        });
        squares.sum::<f64>() / sums[0][0]
    }

    /// What each donor received: the same sums with the groups exchanged, u with the opposite sign.
    fn weigh(&self, shares: &[Share], weight: &mut [f64]) {
        let pick = |of: fn(&Share) -> f64| -> Vec<f64> {
            shares.iter().map(|it| if it.direct { 0.0 } else { of(it) }).collect()
        };
        let (constants, slopes) = (pick(|it| it.constant), pick(|it| it.slope));
        let masses = [constants.as_slice(), slopes.as_slice()];
        let tree = Tree::new(&self.focal, masses, self.kernel, self.bandwidth, self.powers);
        for (&p, &row) in self.donors.iter().zip(&self.donor_rows) {
            let (from, to, _) = self.range(p, &self.focal);
            let sums = tree.at(p, from, to);
            weight[row as usize] += sums[0][0] - sums[1][1];
        }
        for (&p, share) in self.focal.iter().zip(shares).filter(|it| it.1.direct) {
            let (from, to, _) = self.range(p, &self.donors);
            for (donor, &row) in self.donors[from..to].iter().zip(&self.donor_rows[from..to]) {
                let u = (donor - p) / self.bandwidth;
                weight[row as usize] += self.kernel.weight(u) * (share.constant + share.slope * u);
            }
        }
    }
}

//! Sparse elimination of one factor's block of the Schur complement.
//!
//! For one large factor the block is the Laplacian of a graph: its levels are vertices, and two levels are joined by
//! sum_g w_ga w_gb / W_g over the groups g of the largest factor where they meet. Vertices are eliminated by smallest
//! degree. Elimination of a vertex joins its neighbours in a clique; while the fill stays within a budget the clique is
//! exact, and the factor is a direct solution for chains, bands and tree-like parts, which is where plain iterations fail.
//! Beyond the budget the clique is replaced by a random tree with the same expectation (Kyng and Sachdeva 2016; Gao,
//! Kyng and Spielman 2023, algorithm 3), drawn from a counter-based generator, so that the factor is reproducible.

use super::layout::Layout;
use super::pcg::Lanes;
use super::precondition::pseudo_random;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

/// Cliques of at most this many vertices may be exact.
const EXACT_DEGREE: usize = 256;
/// Entries of exact elimination, in multiples of the edges and of the cells.
const FILL_BUDGET: usize = 8;

/// L D L' of a graph Laplacian, by columns in the order of elimination.
#[derive(Debug)]
pub(super) struct SparseFactor {
    first: usize,
    order: Vec<u32>,
    starts: Vec<usize>,
    neighbours: Vec<u32>,
    /// Share of the eliminated vertex that goes to each neighbour.
    shares: Vec<f64>,
    /// 1 / pivot; zero for the last vertex of a component.
    inverse_pivot: Vec<f64>,
}

impl SparseFactor {
    /// Factor of the block of factor `k`, whose unknowns are `range`; `None` when more than `pairs_per_cell` pairs of
    /// levels meet per cell, so that forming the graph would cost more than it saves.
    pub(super) fn new(layout: &Layout, k: usize, range: Range<usize>, pairs_per_cell: usize) -> Option<Self> {
        let cells = layout.cells();
        let count = cells.codes.first()?.len();
        let pairs: usize = (0..layout.groups()).map(|g| cells.group(g).len().pow(2)).sum();
        if pairs > pairs_per_cell.saturating_mul(count) {
            return None;
        }
        let graph = build_graph(layout, k, &range);
        let edges: usize = graph.iter().map(Vec::len).sum();
        Some(Elimination::new(graph, FILL_BUDGET * (edges + count)).run(range.start))
    }

    /// Writes M^{-1} r into the unknowns of this factor.
    pub(super) fn solve<const L: usize>(&self, r: &Lanes<L>, z: &mut Lanes<L>) {
        let range = self.first..self.first + self.order.len();
        let z = &mut z[range.clone()];
        z.copy_from_slice(&r[range]);
        for (step, &v) in self.order.iter().enumerate() {
            let x = z[v as usize];
            for e in self.starts[step]..self.starts[step + 1] {
                let (u, share) = (&mut z[self.neighbours[e] as usize], self.shares[e]);
                for l in 0..L {
                    u[l] += share * x[l];
                }
            }
            let d = self.inverse_pivot[step];
            z[v as usize] = x.map(|x| x * d);
        }
        for (step, &v) in self.order.iter().enumerate().rev() {
            let mut x = z[v as usize];
            for e in self.starts[step]..self.starts[step + 1] {
                let (u, share) = (&z[self.neighbours[e] as usize], self.shares[e]);
                for l in 0..L {
                    x[l] += share * u[l];
                }
            }
            z[v as usize] = x;
        }
    }
}

/// Neighbours and edge weights of each level, merged, in ascending order of neighbours.
fn build_graph(layout: &Layout, k: usize, range: &Range<usize>) -> Vec<Vec<(u32, f64)>> {
    let cells = layout.cells();
    let codes = &cells.codes[k];
    let levels = range.len();
    // Cells by level: the groups a level appears in.
    let mut starts = vec![0usize; levels + 1];
    for &c in codes {
        starts[c as usize - range.start + 1] += 1;
    }
    for u in 0..levels {
        starts[u + 1] += starts[u];
    }
    let mut next = starts.clone();
    let mut visits = vec![(0u32, 0.0f64); codes.len()];
    for g in 0..layout.groups() {
        for i in cells.group(g) {
            let slot = &mut next[codes[i] as usize - range.start];
            visits[*slot] = (g as u32, cells.weight(i));
            *slot += 1;
        }
    }
    let mut weight = vec![0.0; levels];
    let mut touched: Vec<u32> = Vec::new();
    (0..levels)
        .map(|u| {
            for &(g, w) in &visits[starts[u]..starts[u + 1]] {
                let share = w / layout.group_weight[g as usize];
                for i in cells.group(g as usize) {
                    let v = codes[i] as usize - range.start;
                    if v != u {
                        if weight[v] == 0.0 {
                            touched.push(v as u32);
                        }
                        weight[v] += share * cells.weight(i);
                    }
                }
            }
            touched.sort_unstable();
            touched.drain(..).map(|v| (v, std::mem::take(&mut weight[v as usize]))).collect()
        })
        .collect()
}

/// The graph while it is being eliminated.
struct Elimination {
    graph: Vec<Vec<(u32, f64)>>,
    eliminated: Vec<bool>,
    queue: BinaryHeap<Reverse<(usize, u32)>>,
    /// Scratch for merging parallel edges.
    weight: Vec<f64>,
    /// Exact clique edges that may still be made.
    budget: usize,
}

impl Elimination {
    fn new(graph: Vec<Vec<(u32, f64)>>, budget: usize) -> Self {
        let queue = graph.iter().enumerate().map(|(v, edges)| Reverse((edges.len(), v as u32))).collect();
        Self { eliminated: vec![false; graph.len()], weight: vec![0.0; graph.len()], graph, queue, budget }
    }

    fn run(mut self, first: usize) -> SparseFactor {
        let n = self.graph.len();
        let mut factor = SparseFactor {
            first,
            order: Vec::with_capacity(n),
            starts: vec![0],
            neighbours: Vec::new(),
            shares: Vec::new(),
            inverse_pivot: Vec::with_capacity(n),
        };
        while let Some(Reverse((expected, v))) = self.queue.pop() {
            let edges = self.merged_edges(v);
            if edges.len() > expected {
                // The degree grew since it was queued: wait for its turn.
                self.queue.push(Reverse((edges.len(), v)));
                self.graph[v as usize] = edges;
                continue;
            }
            let pivot: f64 = edges.iter().map(|e| e.1).sum();
            for &(u, w) in &edges {
                factor.neighbours.push(u);
                factor.shares.push(w / pivot);
            }
            factor.order.push(v);
            factor.starts.push(factor.neighbours.len());
            factor.inverse_pivot.push(if pivot > 0.0 { 1.0 / pivot } else { 0.0 });
            self.eliminated[v as usize] = true;
            self.join(v, edges, pivot);
        }
        factor
    }

    /// Edges of `v` to vertices that are left, parallel ones merged, ascending.
    fn merged_edges(&mut self, v: u32) -> Vec<(u32, f64)> {
        let mut list = std::mem::take(&mut self.graph[v as usize]);
        list.retain(|&(u, w)| {
            let merge = !self.eliminated[u as usize];
            let slot = &mut self.weight[u as usize];
            let first = merge && *slot == 0.0;
            if merge {
                *slot += w;
            }
            first
        });
        for (u, w) in &mut list {
            *w = std::mem::take(&mut self.weight[*u as usize]);
        }
        list.sort_unstable_by_key(|e| e.0);
        list
    }

    /// Joins the neighbours of an eliminated vertex.
    fn join(&mut self, v: u32, mut edges: Vec<(u32, f64)>, pivot: f64) {
        let d = edges.len();
        let clique = d * d.saturating_sub(1) / 2;
        if d <= EXACT_DEGREE && clique <= self.budget {
            self.budget -= clique;
            for (i, &(a, wa)) in edges.iter().enumerate() {
                for &(b, wb) in &edges[i + 1..] {
                    self.add_edge(a, b, wa * wb / pivot);
                }
            }
            return;
        }
        edges.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut tails: Vec<f64> = edges.iter().map(|e| e.1).collect();
        for i in (0..d.saturating_sub(1)).rev() {
            tails[i] += tails[i + 1];
        }
        for i in 0..d.saturating_sub(1) {
            let draw = pseudo_random((u64::from(v) << 32) | i as u64) * tails[i + 1];
            // tails descend: the partner is the last one whose tail is still above the draw.
            let j = (i + 1 + tails[i + 1..].partition_point(|&t| t > draw)).saturating_sub(1).max(i + 1);
            self.add_edge(edges[i].0, edges[j].0, edges[i].1 * tails[i + 1] / pivot);
        }
    }

    fn add_edge(&mut self, a: u32, b: u32, weight: f64) {
        if weight > 0.0 {
            self.graph[a as usize].push((b, weight));
            self.graph[b as usize].push((a, weight));
        }
    }
}

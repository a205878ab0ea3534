//! Cells of group and period, and the weight of each cell's effect in a coefficient.

use parallax_model::{Design, FitError};

use crate::sigma::Ratio;

/// Rows of one group in one period.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Code of the group.
    pub group: u32,
    /// Position of the period among all periods.
    pub period: usize,
    /// Sum of weights, rows where there are none.
    pub weight: f64,
    /// Treatment, the same in all rows.
    pub treatment: f64,
    /// What effects and covariates leave of the treatment, or of its change.
    pub residual: f64,
}

/// What a coefficient is a sum of (de Chaisemartin and D'Haultfoeuille 2020).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effects {
    /// Effects of treated cells, fixed effects (theorem 1).
    OfCells,
    /// Effects of treated cells, first differences (theorem S2).
    OfCellsByChanges,
    /// Effects of changes of treatment that stay the same in time, fixed effects.
    Stable,
    /// Effects of changes of treatment that stay the same in time, first differences.
    StableByChanges,
}

/// The weight of a cell's effect.
#[derive(Clone, Copy, Debug)]
pub struct CellWeight {
    /// Position of the cell.
    pub cell: usize,
    /// Treatment, or its change.
    pub treatment: f64,
    /// Weight in the coefficient.
    pub weight: f64,
    /// Weight in the average effect.
    pub share: f64,
}

impl CellWeight {
    /// Weight over share.
    pub fn ratio(&self) -> Ratio {
        Ratio { share: self.share, ratio: self.weight / self.share }
    }
}

/// Collects rows into cells, by group, then period. `residual` has zeros where a row has none.
///
/// # Errors
/// When the treatment, or what covariates leave of it, differs within a cell.
pub fn collect(
    design: &Design<'_>,
    group: usize,
    ranks: &[usize],
    treatment: usize,
    residual: &[f64],
) -> Result<Vec<Cell>, FitError> {
    let codes = &design.effects[group].codes.code;
    let column = &design.regressors[treatment];
    let mut rows: Vec<usize> = (0..design.n()).collect();
    rows.sort_by_key(|&row| (codes[row], ranks[row], row));
    let largest = residual.iter().fold(0.0_f64, |largest, it| largest.max(it.abs()));
    let mut cells: Vec<Cell> = Vec::new();
    for row in rows {
        let weight = design.weight_values().map_or(1.0, |it| it[row]);
        let value = column.values[row];
        match cells.last_mut() {
            Some(cell) if cell.group == codes[row] && cell.period == ranks[row] => {
                if value != cell.treatment || SAME * largest < (residual[row] - cell.residual).abs() {
                    let what = if value == cell.treatment { "a covariate" } else { column.name.as_str() };
                    let effects: Vec<&str> = design.effects.iter().map(|it| it.name.as_str()).collect();
                    return Err(FitError::Model(format!(
                        "{what} differs within a cell of {} at {}; weights are of cells with one treatment and one \
                         value of covariates: average them by cell, or use effects of units",
                        effects.join(" and "),
                        design.place(row),
                    )));
                }
                cell.weight += weight;
            }
            _ => cells.push(Cell {
                group: codes[row],
                period: ranks[row],
                weight,
                treatment: value,
                residual: residual[row],
            }),
        }
    }
    Ok(cells)
}

/// Residuals of equal rows differ by rounding, or by the error that iterative absorption may leave.
const SAME: f64 = 1e-8;

/// The weight of every cell with a treatment, or a change of it; they sum to one, and shares do.
pub fn weights(cells: &[Cell], effects: Effects) -> Vec<CellWeight> {
    let mut found: Vec<CellWeight> = match effects {
        Effects::OfCells => of_cells(cells, |at| cells[at].weight * cells[at].residual),
        Effects::OfCellsByChanges => of_cells(cells, |at| {
            let own = cells[at].weight * cells[at].residual;
            let next = cells.get(at + 1).filter(|it| follows(it, &cells[at]));
            own - next.map_or(0.0, |it| it.weight * it.residual)
        }),
        Effects::Stable => of_changes(cells, &later_sums(cells), |cell, before| cell.group == before.group),
        Effects::StableByChanges => {
            let own: Vec<f64> = cells.iter().map(|it| it.weight * it.residual).collect();
            of_changes(cells, &own, follows)
        }
    };
    found.retain(|it| it.treatment != 0.0);
    let total: f64 = found.iter().map(|it| it.weight).sum();
    let shares: f64 = found.iter().map(|it| it.share).sum();
    for it in &mut found {
        it.weight /= total;
        // A treatment with positive and negative values may have an average of zero, and no shares in it.
        it.share = if shares == 0.0 { f64::NAN } else { it.share / shares };
    }
    found
}

fn of_cells(cells: &[Cell], numerator: impl Fn(usize) -> f64) -> Vec<CellWeight> {
    let weigh = |(at, cell): (usize, &Cell)| CellWeight {
        cell: at,
        treatment: cell.treatment,
        weight: numerator(at) * cell.treatment,
        share: cell.weight * cell.treatment,
    };
    cells.iter().enumerate().map(weigh).collect()
}

/// The change since the cell before counts where that cell qualifies.
fn of_changes(cells: &[Cell], numerators: &[f64], qualifies: fn(&Cell, &Cell) -> bool) -> Vec<CellWeight> {
    let weigh = |at: usize| {
        let (before, cell) = (&cells[at - 1], &cells[at]);
        let change = cell.treatment - before.treatment;
        qualifies(cell, before).then(|| CellWeight {
            cell: at,
            treatment: change,
            weight: numerators[at] * change,
            share: cell.weight * change.abs(),
        })
    };
    (1..cells.len()).filter_map(weigh).collect()
}

/// Weighted residuals of a cell and all later ones of its group: a change of treatment stays in all of them.
fn later_sums(cells: &[Cell]) -> Vec<f64> {
    let mut sums = vec![0.0; cells.len()];
    for at in (0..cells.len()).rev() {
        let later = cells.get(at + 1).filter(|it| it.group == cells[at].group).map_or(0.0, |_| sums[at + 1]);
        sums[at] = later + cells[at].weight * cells[at].residual;
    }
    sums
}

/// The cell is its group's next period.
fn follows(cell: &Cell, before: &Cell) -> bool {
    cell.group == before.group && cell.period == before.period + 1
}

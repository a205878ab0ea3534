//! Which rows a saturated regression can use, and the cohort and period of each treated row.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::{
    Adoption, Design, EventWindow, FitError, Note, counted,
    linalg::{Factor, is_nested},
    panel::{Codes, Dropped},
};

/// What an estimator asks of the rows it compares.
pub struct Rules<'a> {
    /// Event time from which there may be an effect.
    pub start: i32,
    /// Event times that effects are relative to.
    pub at_reference: &'a dyn Fn(i32) -> bool,
    /// Rows that the model cannot use for other reasons.
    pub unusable: Unusable,
}

/// A reason and the rows that leave for it, if there are any.
pub type Unusable = fn(&Design<'_>) -> Option<(String, Vec<bool>)>;

/// A design on the rows that can be compared, with its cells.
pub struct Comparison<'d, 'p> {
    narrowed: Option<Design<'p>>,
    whole: &'d Design<'p>,
    /// Cohort of each row; `None` for those who are not seen treated.
    pub cohort: Vec<Option<i32>>,
    /// What the reader has to know of who is compared.
    pub notes: Vec<Note>,
}

/// Cells of cohort and period, ascending, with the cell of each row.
#[derive(Clone, Debug)]
pub struct Cells {
    /// (cohort, period).
    pub cells: Vec<(i32, i32)>,
    /// Position of each row's cell; `None` for controls and rows at a reference.
    pub of_row: Vec<Option<usize>>,
}

impl<'d, 'p> Comparison<'d, 'p> {
    /// Takes out what cannot be compared: where every unit is treated in the end, the periods from the last adoption
    /// on; treated rows that no chain of rows of their units links to a reference period.
    ///
    /// # Errors
    /// When nobody adopts, or nobody is left to compare with.
    pub fn new(
        design: &'d Design<'p>,
        read: impl Fn(&Design<'_>) -> Result<Adoption, FitError>,
        rules: &Rules<'_>,
    ) -> Result<Comparison<'d, 'p>, FitError> {
        let mut narrowed: Option<Design<'p>> = None;
        let mut notes = Vec::new();
        let cohort = loop {
            let now = narrowed.as_ref().unwrap_or(design);
            let adoption = read(now).map_err(|it| if narrowed.is_none() { it } else { nobody_left() })?;
            let cohort = seen_treated(now, &adoption, rules.start);
            let (reason, out) = match (rules.unusable)(now) {
                Some(it) => it,
                None => match incomparable(now, &cohort, rules)? {
                    Some((reason, out, note)) => {
                        notes.extend(note);
                        (reason, out)
                    }
                    None => break cohort,
                },
            };
            let next = now.without(Dropped::Other(reason), |row| out[row])?;
            narrowed = Some(next);
        };
        Ok(Comparison { narrowed, whole: design, cohort, notes })
    }

    /// The design on the rows that are left.
    pub fn design(&self) -> &Design<'p> {
        self.narrowed.as_ref().unwrap_or(self.whole)
    }

    /// Cells of treated rows for which `estimated` holds of (cohort, period).
    pub fn cells(&self, estimated: impl Fn(i32, i32) -> bool) -> Cells {
        let of = |(cohort, &period): (&Option<i32>, &i32)| {
            cohort.map(|it| (it, period)).filter(|&(g, t)| estimated(g, t))
        };
        let own: Vec<Option<(i32, i32)>> = self.cohort.iter().zip(&self.design().periods).map(of).collect();
        let all: BTreeSet<(i32, i32)> = own.iter().flatten().copied().collect();
        let at: BTreeMap<(i32, i32), usize> = all.iter().enumerate().map(|(at, &it)| (it, at)).collect();
        let of_row = own.iter().map(|it| it.and_then(|it| at.get(&it).copied())).collect();
        Cells { cells: all.into_iter().collect(), of_row }
    }

    /// How event times are laid out, with the treated rows at each.
    pub fn window(&self, references: Vec<i32>) -> EventWindow {
        let mut rows: BTreeMap<i32, usize> = BTreeMap::new();
        for (cohort, period) in self.cohort.iter().zip(&self.design().periods) {
            if let Some(cohort) = cohort {
                *rows.entry(period - cohort).or_default() += 1;
            }
        }
        EventWindow { references, rows: rows.into_iter().collect(), ..EventWindow::default() }
    }

    /// Units by what they are here.
    pub fn remark(&self) -> Note {
        let mut adopt = BTreeSet::new();
        let mut cohorts = BTreeSet::new();
        for (unit, cohort) in self.design().units.code.iter().zip(&self.cohort) {
            if let Some(cohort) = cohort {
                adopt.insert(unit);
                cohorts.insert(cohort);
            }
        }
        Note::remark(format!(
            "{} in {}; controls, not seen treated: {}",
            counted(adopt.len(), "adopter"),
            counted(cohorts.len(), "cohort"),
            counted(self.design().units.n_groups() - adopt.len(), "unit")
        ))
    }
}

impl Cells {
    /// A dummy for each cell.
    pub fn dummies(&self) -> Vec<Vec<f64>> {
        let mut columns = vec![vec![0.0; self.of_row.len()]; self.cells.len()];
        for (row, cell) in self.of_row.iter().enumerate() {
            if let Some(cell) = cell {
                columns[*cell][row] = 1.0;
            }
        }
        columns
    }

    /// Rows of each cell, or the sum of their weights.
    pub fn sizes(&self, weights: Option<&[f64]>) -> Vec<f64> {
        let mut sizes = vec![0.0; self.cells.len()];
        for (row, cell) in self.of_row.iter().enumerate() {
            if let Some(cell) = cell {
                sizes[*cell] += weights.map_or(1.0, |it| it[row]);
            }
        }
        sizes
    }
}

/// Dates were read before rows left, so that what is amiss is who is left.
fn nobody_left() -> FitError {
    FitError::Model(
        "no adopter has rows that can be compared, in a reference period and from adoption on, tied together by its \
         units; add periods before adoption, number periods consecutively, or look at the dates"
            .to_owned(),
    )
}

/// The cohort of each row; a cohort with no row from its adoption on is a control, as R fixest's `sunab` has it.
fn seen_treated(design: &Design<'_>, adoption: &Adoption, start: i32) -> Vec<Option<i32>> {
    let own = |&unit: &u32| adoption.first[unit as usize];
    let cohort: Vec<Option<i32>> = design.units.code.iter().map(own).collect();
    let treated: BTreeSet<i32> = (cohort.iter().zip(&design.periods))
        .filter_map(|(cohort, period)| cohort.filter(|it| start <= *period - it))
        .collect();
    cohort.into_iter().map(|it| it.filter(|it| treated.contains(it))).collect()
}

/// The next rows that have to leave, with the reason for the ledger and what to tell the reader.
type Incomparable = (String, Vec<bool>, Option<Note>);

fn incomparable(
    design: &Design<'_>,
    cohort: &[Option<i32>],
    rules: &Rules<'_>,
) -> Result<Option<Incomparable>, FitError> {
    let dates: BTreeSet<i32> = cohort.iter().flatten().copied().collect();
    let Some(&last) = dates.last() else {
        return Err(FitError::Model(
            "no unit of the sample is seen before and after it adopts the treatment; add periods, or look at the dates"
                .to_owned(),
        ));
    };
    if cohort.iter().all(Option::is_some) {
        let last = last.saturating_add(rules.start);
        let code = design.code(last);
        let before = |row: usize| design.periods[row] < last;
        if dates.len() < 2 || !(0..design.n()).any(|row| before(row) && cohort[row] == dates.last().copied())
        {
            return Err(FitError::Model(format!(
                "every unit adopts, and the last has no row before {code} to compare with: \
                 controls are units without a date, or with a later one; add some"
            )));
        }
        let note = Note::remark(format!(
            "no unit is never treated: the last cohort is the control, and periods from {code} on are left out"
        ));
        let out = (0..design.n()).map(|row| !before(row)).collect();
        return Ok(Some((format!("from {code} on, when the last unit adopts"), out, Some(note))));
    }
    let linked = linked_to_reference(design, cohort, rules.at_reference);
    if linked.iter().all(|it| *it) {
        return Ok(None);
    }
    let reason = "of adopters, without a link to a reference period of the cohort".to_owned();
    let note = cohorts_that_leave(design, cohort, &linked);
    Ok(Some((reason, linked.into_iter().map(|it| !it).collect(), note)))
}

/// Cohorts of which no row is left: averages are then about the others, which a reader would not guess from a count of rows.
fn cohorts_that_leave(design: &Design<'_>, cohort: &[Option<i32>], linked: &[bool]) -> Option<Note> {
    let stay: BTreeSet<i32> = cohort.iter().zip(linked).filter(|it| *it.1).filter_map(|it| *it.0).collect();
    let leave: BTreeSet<i32> = cohort.iter().flatten().filter(|it| !stay.contains(it)).copied().collect();
    if leave.is_empty() {
        return None;
    }
    let names: Vec<String> = leave.iter().map(|it| design.code(*it).to_string()).collect();
    Some(Note::remark(format!(
        "cohorts left out whole, because they have no row at a reference period: {}; averages are of the other cohorts",
        names.join(", ")
    )))
}

/// Whether a row is a control's, or its cell can be compared with its cohort's reference: units and cells are the two
/// sides of a graph whose edges are rows. Where no effect tells units apart, the cohort is all there is to link.
fn linked_to_reference(
    design: &Design<'_>,
    cohort: &[Option<i32>],
    at_reference: &dyn Fn(i32) -> bool,
) -> Vec<bool> {
    let units = Factor { codes: &design.units.code, n_groups: design.units.n_groups() };
    let by_unit = (design.effects.iter())
        .any(|it| is_nested(Factor { codes: &it.codes.code, n_groups: it.codes.n_groups() }, units));
    let number = |it: Option<i32>| it.map(i64::from);
    let cohorts = Codes::from_integers(cohort.iter().map(|it| number(Some(it.unwrap_or(i32::MIN)))));
    let periods = Codes::from_integers(design.periods.iter().map(|it| number(Some(*it))));
    let cells = Codes::combined(&[cohorts.clone(), periods]);
    let groups = if by_unit { &design.units } else { &cohorts };
    let is_reference = |row: usize| cohort[row].is_none_or(|it| at_reference(design.periods[row] - it));
    let mut linked: Vec<bool> = (0..design.n()).map(is_reference).collect();
    let (mut group_linked, mut cell_linked) = (vec![false; groups.n_groups()], vec![false; cells.n_groups()]);
    loop {
        let mut grown = false;
        for (row, linked) in linked.iter_mut().enumerate() {
            let (group, cell) = (groups.code[row] as usize, cells.code[row] as usize);
            *linked = *linked || group_linked[group] || cell_linked[cell];
            if *linked && !(group_linked[group] && cell_linked[cell]) {
                (group_linked[group], cell_linked[cell]) = (true, true);
                grown = true;
            }
        }
        if !grown {
            return linked;
        }
    }
}

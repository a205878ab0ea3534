//! How many treated units, and clusters of them, stand behind each number.
//!
//! Errors by formula average over treated clusters. With a handful of them they are far too small, however many controls
//! there are (Conley and Taber 2011, Review of Economics and Statistics 93; MacKinnon and Webb 2018, Econometrics
//! Journal 21).

use std::collections::BTreeMap;

use parallax_base::{Note, counted};
use parallax_panel::Codes;
use serde::Serialize;

use crate::{Adoption, Aggregate, Design, Estimate, EventWindow, Term};

/// Fewer treated units or treated clusters than these say too little for an error by formula.
pub const FEW_TREATED: usize = 5;

/// Treated units and treated clusters behind one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TreatedCount {
    /// Different units.
    pub units: usize,
    /// Different clusters of the covariance in use, the fewest of several ways; units where it has none.
    pub clusters: usize,
}

impl TreatedCount {
    /// Those on the rarer side of a column that takes two values, among the rows that its coefficient lives on; `None` for
    /// other columns.
    pub fn of_column(design: &Design<'_>, values: &[f64], variation: Variation) -> Option<TreatedCount> {
        rarer_side(design, values, variation)
    }

    /// Errors, tests and intervals by formula have too little behind them.
    pub fn few(self) -> bool {
        self.units.min(self.clusters) < FEW_TREATED
    }
}

/// What stands behind an estimate and each of its terms.
#[derive(Clone, Debug, PartialEq)]
pub struct TreatedSupport {
    /// Behind the effect of the treatment as a whole; `None` where there are several treatments.
    pub overall: Option<TreatedCount>,
    /// One a term of the estimate; `None` for terms that are not effects of a treatment.
    pub by_term: Vec<Option<TreatedCount>>,
}

/// Which rows of a design a regressor's coefficient lives on, besides groups of absorbed effects in which it varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variation {
    /// All.
    Rows,
    /// Units in which it varies.
    WithinUnits,
}

/// A set of rows of a design, by their units and clusters.
#[derive(Clone, Debug)]
pub struct TreatedRows {
    units: Bits,
    /// One a way of clustering.
    clusters: Vec<Bits>,
}

impl TreatedRows {
    /// No row.
    pub fn none(design: &Design<'_>) -> TreatedRows {
        TreatedRows {
            units: Bits::new(design.units.n_groups()),
            clusters: design.vcov.groups.iter().map(|it| Bits::new(it.n_groups())).collect(),
        }
    }

    /// These rows.
    pub fn of(design: &Design<'_>, rows: impl IntoIterator<Item = usize>) -> TreatedRows {
        let mut own = TreatedRows::none(design);
        rows.into_iter().for_each(|it| own.insert(design, it));
        own
    }

    /// Every row of these units.
    pub fn of_units(design: &Design<'_>, units: impl IntoIterator<Item = usize>) -> TreatedRows {
        let mut wanted = vec![false; design.units.n_groups()];
        units.into_iter().for_each(|it| wanted[it] = true);
        TreatedRows::of(design, (0..design.n()).filter(|it| wanted[design.units.code[*it] as usize]))
    }

    /// The rows of each of so many cells.
    pub fn of_cells(design: &Design<'_>, of_row: &[Option<usize>], cells: usize) -> Vec<TreatedRows> {
        let mut all = vec![TreatedRows::none(design); cells];
        for (row, cell) in of_row.iter().enumerate() {
            if let Some(cell) = cell {
                all[*cell].insert(design, row);
            }
        }
        all
    }

    /// Adds a row.
    pub fn insert(&mut self, design: &Design<'_>, row: usize) {
        self.units.insert(design.units.code[row]);
        for (own, groups) in self.clusters.iter_mut().zip(&design.vcov.groups) {
            own.insert(groups.code[row]);
        }
    }

    /// Adds the rows of another set.
    pub fn extend(&mut self, other: &TreatedRows) {
        self.units.extend(&other.units);
        self.clusters.iter_mut().zip(&other.clusters).for_each(|(own, other)| own.extend(other));
    }

    /// How many units and clusters.
    pub fn count(&self) -> TreatedCount {
        let units = self.units.len();
        let clusters = self.clusters.iter().map(Bits::len).min().unwrap_or(units);
        TreatedCount { units, clusters }
    }
}

impl TreatedSupport {
    /// From dates of adoption: an event time stands on the adopters that have a used row then, ends of the window on all
    /// that they hold; a cohort in a period on its units with a row there; the overall effect on adopters with a row from
    /// adoption on. Named aggregates are left to the caller.
    pub fn of_adoption(
        design: &Design<'_>,
        adoption: &Adoption,
        used: impl Fn(usize) -> bool,
        terms: &[Term],
        window: &EventWindow,
    ) -> TreatedSupport {
        let mut places: BTreeMap<(u8, i32, i32), usize> = BTreeMap::new();
        for (at, term) in terms.iter().enumerate() {
            match term {
                Term::EventTime(it) => places.insert((0, *it, 0), at),
                Term::GroupTime { cohort, period } => places.insert((1, *cohort, *period), at),
                _ => None,
            };
        }
        let bin = |event: i32| {
            let event = window.binned_below.map_or(event, |it| event.max(it));
            window.binned_above.map_or(event, |it| event.min(it))
        };
        let mut overall = TreatedRows::none(design);
        let mut by_term: Vec<Option<TreatedRows>> = vec![None; terms.len()];
        for row in (0..design.n()).filter(|it| used(*it)) {
            let Some(first) = adoption.first[design.units.code[row] as usize] else { continue };
            let period = design.periods[row];
            let event = period.saturating_sub(first);
            if 0 <= event {
                overall.insert(design, row);
            }
            for key in [(0, bin(event), 0), (1, first, period)] {
                if let Some(&at) = places.get(&key) {
                    by_term[at].get_or_insert_with(|| TreatedRows::none(design)).insert(design, row);
                }
            }
        }
        for (own, term) in by_term.iter_mut().zip(terms) {
            if *term == Term::Aggregate(None) {
                *own = Some(overall.clone());
            }
        }
        TreatedSupport::new(&overall, &by_term)
    }

    /// From sets of rows: all that an effect from adoption on stands on, and those of each term.
    pub fn new(overall: &TreatedRows, by_term: &[Option<TreatedRows>]) -> TreatedSupport {
        TreatedSupport {
            overall: Some(overall.count()),
            by_term: by_term.iter().map(|it| it.as_ref().map(TreatedRows::count)).collect(),
        }
    }

    /// From the sets of rows of cells, and averages of them: an average stands on the cells that it weighs. Averages that
    /// weigh none are slopes.
    pub fn of_averages(design: &Design<'_>, cells: &[TreatedRows], averages: &[Aggregate]) -> TreatedSupport {
        let of = |it: &Aggregate| {
            let mut own = TreatedRows::none(design);
            let used = it.effects.iter().zip(cells).filter(|it| *it.0 != 0.0);
            let used = used.map(|it| own.extend(it.1)).count();
            (0 < used).then_some(own)
        };
        let by_term: Vec<Option<TreatedRows>> = averages.iter().map(of).collect();
        let overall = averages.iter().position(|it| it.term == Term::Aggregate(None));
        let overall = overall.and_then(|it| by_term[it].as_ref()).map(TreatedRows::count);
        TreatedSupport {
            overall,
            by_term: by_term.iter().map(|it| it.as_ref().map(TreatedRows::count)).collect(),
        }
    }

    /// From regressors that take two values: a coefficient stands on the rarer of them, among the rows that it lives on.
    /// `None` where there is none.
    pub fn of_regressors(
        design: &Design<'_>,
        terms: &[Term],
        variation: Variation,
    ) -> Option<TreatedSupport> {
        let of = |term: &Term| {
            let Term::Slope(name) = term else { return None };
            let own = design.regressors.iter().find(|it| it.name == *name)?;
            TreatedCount::of_column(design, &own.values, variation)
        };
        let by_term: Vec<Option<TreatedCount>> = terms.iter().map(of).collect();
        let mut known = by_term.iter().flatten();
        let overall = known.next().copied().filter(|_| known.next().is_none());
        by_term.iter().any(Option::is_some).then_some(TreatedSupport { overall, by_term })
    }

    /// What the reader has to know of terms with few treated units or clusters behind them.
    fn note(&self, terms: &[Term]) -> Option<Note> {
        let known = self.by_term.iter().flatten().count();
        let few: Vec<String> = (terms.iter().zip(&self.by_term))
            .filter_map(|(term, it)| it.filter(|it| it.few()).map(|it| format!("{term} ({})", words(it))))
            .collect();
        if few.is_empty() {
            return None;
        }
        let more = if NAMED < few.len() { ", ..." } else { "" };
        let named = few.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let which = match few.len() == known {
            true => "every effect".to_owned(),
            false => format!("{} of {}", few.len(), counted(known, "effect")),
        };
        Some(Note::FewTreated {
            terms: few.len(),
            text: format!(
                "fewer than {FEW_TREATED} treated units or treated clusters stand behind {which}: {named}{more}; standard \
                 errors, tests and intervals by formula are not valid there; permute the treatment instead, as `placebo` \
                 does"
            ),
        })
    }
}

impl Estimate {
    /// Sets what stands behind the terms; the registry says where it is little.
    pub fn stand_on(&mut self, support: Option<TreatedSupport>) {
        self.treated = support;
    }

    /// Says where little stands behind the terms, as they are written.
    pub(crate) fn say_few_treated(&mut self) {
        let note = self.treated.as_ref().and_then(|it| it.note(&self.terms));
        self.notes.extend(note);
    }

    /// What stands behind a term, where it is known.
    pub fn treated_behind(&self, term: usize) -> Option<TreatedCount> {
        self.treated.as_ref().and_then(|it| it.by_term.get(term).copied().flatten())
    }
}

/// Terms that a note names.
const NAMED: usize = 6;

fn words(it: TreatedCount) -> String {
    let units = counted(it.units, "unit");
    if it.clusters < it.units { format!("{units} in {}", counted(it.clusters, "cluster")) } else { units }
}

/// The two values of a column that takes no third.
fn two_values(values: &[f64]) -> Option<[f64; 2]> {
    let first = *values.first()?;
    let second = *values.iter().find(|it| **it != first)?;
    values.iter().all(|it| *it == first || *it == second).then_some([first, second])
}

/// The value with fewer clusters and units, the larger one of equals, counted where it can tell something: in groups in
/// which the column varies, for each absorbed effect and for units where changes are regressed. The fewest of
/// these counts.
fn rarer_side(design: &Design<'_>, values: &[f64], variation: Variation) -> Option<TreatedCount> {
    let [first, second] = two_values(values)?;
    let everywhere =
        |wanted: f64| TreatedRows::of(design, (0..values.len()).filter(|it| values[*it] == wanted)).count();
    let size = |it: TreatedCount| (it.units.min(it.clusters), it.units);
    let [low, high] = if first < second { [first, second] } else { [second, first] };
    let rare = if size(everywhere(low)) < size(everywhere(high)) { low } else { high };
    let within = |codes: &Codes, varies: bool| {
        let mut seen = vec![[false; 2]; codes.n_groups()];
        let side = |row: usize| usize::from(values[row] == rare);
        (0..values.len()).for_each(|row| seen[codes.code[row] as usize][side(row)] = true);
        let own =
            |row: &usize| values[*row] == rare && (seen[codes.code[*row] as usize] == [true; 2]) == varies;
        TreatedRows::of(design, (0..values.len()).filter(own)).count()
    };
    let by_effect = design.effects.iter().map(|it| within(&it.codes, true));
    let by_unit = match variation {
        Variation::Rows => None,
        Variation::WithinUnits => Some(within(&design.units, true)),
    };
    by_effect.chain(by_unit).chain([everywhere(rare)]).min_by_key(|it| size(*it))
}

/// A set of codes.
#[derive(Clone, Debug)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(codes: usize) -> Bits {
        Bits(vec![0; codes.div_ceil(64)])
    }

    fn insert(&mut self, code: u32) {
        self.0[code as usize / 64] |= 1 << (code % 64);
    }

    fn extend(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
    }

    fn len(&self) -> usize {
        self.0.iter().map(|it| it.count_ones() as usize).sum()
    }
}

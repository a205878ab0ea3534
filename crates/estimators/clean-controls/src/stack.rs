//! The stack: for each cohort its rows and those of its clean controls within the event window.

use std::collections::BTreeMap;

use parallax_model::{Adoption, Design, FitError, panel::Codes};

use crate::window::{Cells, Comparison, Window};

/// How many units of sub-experiments change over event time in what they bring to the stack; a unit counts in each
/// sub-experiment that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// All of them.
    pub units: usize,
    /// Those that lack an event time of the stack.
    pub with_holes: usize,
    /// Those whose weight is not the same in all their rows.
    pub with_varying_weights: usize,
}

/// Sub-experiments one after the other.
pub struct Stack {
    /// Cohorts with a sub-experiment, ascending.
    pub cohorts: Vec<i32>,
    /// Cohorts without one and why.
    pub left_out: Vec<(i32, String)>,
    /// Row of the design.
    pub rows: Vec<usize>,
    /// Position of its cohort.
    pub cohort: Vec<u32>,
    /// Periods since the cohort adopted.
    pub event: Vec<i32>,
    /// The unit is of the cohort, not a control.
    pub treated: Vec<bool>,
}

impl Stack {
    /// Stacks the cohorts that fit the window; without `trim` those that have the reference and one other event time.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(
        design: &Design<'_>,
        adoption: &Adoption,
        cells: &Cells,
        window: Window,
        comparison: Comparison,
        trim: bool,
    ) -> Result<Stack, FitError> {
        let mut stack = Stack {
            cohorts: Vec::new(),
            left_out: Vec::new(),
            rows: Vec::new(),
            cohort: Vec::new(),
            event: Vec::new(),
            treated: Vec::new(),
        };
        for (at, &first) in cells.cohorts.iter().enumerate() {
            let compared = |event: &i32| cells.compared(at, *event, window.lags, comparison).is_ok();
            let events: Vec<i32> = (-window.leads..=window.lags).filter(compared).collect();
            let reference = comparison.reference();
            let obstacle = match trim {
                true => cells.obstacle(at, window, comparison),
                false if !events.contains(&reference) => {
                    Some(format!("nothing to compare at event time {reference}, the reference"))
                }
                false if events.len() < 2 => Some("nothing to compare but the reference".to_owned()),
                false => None,
            };
            match obstacle {
                Some(why) => stack.left_out.push((first, why)),
                None => stack.add(
                    design,
                    adoption,
                    first,
                    &events,
                    comparison.last(first, window.lags),
                    comparison,
                ),
            }
        }
        if stack.cohorts.is_empty() {
            let why: Vec<String> = (stack.left_out.iter().take(5))
                .map(|(cohort, why)| format!("{}: {why}", design.code(*cohort)))
                .collect();
            return Err(FitError::Model(format!(
                "no cohort fits the event window {} to {} ({}); shorten it with `leads` and `lags`",
                -window.leads,
                window.lags,
                why.join("; ")
            )));
        }
        Ok(stack)
    }

    fn add(
        &mut self,
        design: &Design<'_>,
        adoption: &Adoption,
        first: i32,
        events: &[i32],
        last: i32,
        comparison: Comparison,
    ) {
        let position = self.cohorts.len() as u32;
        self.cohorts.push(first);
        for (row, (&unit, &period)) in design.units.code.iter().zip(&design.periods).enumerate() {
            let own = adoption.first[unit as usize];
            let treated = own == Some(first);
            let event = i64::from(period) - i64::from(first);
            let wanted = treated || comparison.control.clean(own, last);
            if let Some(at) = events.iter().position(|it| wanted && i64::from(*it) == event) {
                self.rows.push(row);
                self.cohort.push(position);
                self.event.push(events[at]);
                self.treated.push(treated);
            }
        }
    }

    /// Event times of the stack with their rows, ascending.
    pub fn events(&self) -> Vec<(i32, usize)> {
        let mut counts = BTreeMap::new();
        self.event.iter().for_each(|it| *counts.entry(*it).or_insert(0) += 1);
        counts.into_iter().collect()
    }

    /// Different units that are treated, and that are controls, in some sub-experiment.
    pub fn units(&self, design: &Design<'_>) -> [usize; 2] {
        [true, false].map(|treated| {
            let mut seen = vec![false; design.units.n_groups()];
            for (&row, _) in self.rows.iter().zip(&self.treated).filter(|it| *it.1 == treated) {
                seen[design.units.code[row] as usize] = true;
            }
            seen.into_iter().filter(|it| *it).count()
        })
    }

    /// Whether every unit of a sub-experiment has every event time of the stack, with one weight.
    pub fn balance(&self, design: &Design<'_>) -> Balance {
        let events = self.events().len();
        let given = design.weight_values();
        let mut seen: BTreeMap<(u32, u32), (usize, f64, bool)> = BTreeMap::new();
        for (at, &row) in self.rows.iter().enumerate() {
            let weight = given.map_or(1.0, |it| it[row]);
            let of = seen.entry((self.cohort[at], design.units.code[row])).or_insert((0, weight, false));
            of.0 += 1;
            of.2 |= of.1 != weight;
        }
        Balance {
            units: seen.len(),
            with_holes: seen.values().filter(|it| it.0 < events).count(),
            with_varying_weights: seen.values().filter(|it| it.2).count(),
        }
    }

    /// Cohort crossed with a group of each row.
    pub fn crossed(&self, of: impl Fn(usize) -> u32, groups: usize) -> Codes {
        let code = (0..self.rows.len())
            .map(|it| Some(i64::from(self.cohort[it]) * groups as i64 + i64::from(of(it))));
        Codes::from_integers(code)
    }
}

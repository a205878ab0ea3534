//! Placebo dates of adoption: permuted between units, drawn anew, or given.

use parallax_model::{Adoption, Design, FitError, Note, counted, vcov::Keyed};

use crate::{Options, Scheme};

/// The dates of every draw, made one draw at a time.
pub struct Assignments {
    scheme: Scheme,
    /// Number of draws.
    pub draws: usize,
    keyed: Keyed,
    seed: u64,
    /// Unit codes of each stratum; one stratum without strata.
    strata: Vec<Vec<usize>>,
    /// Actual dates by unit.
    actual: Vec<Option<i32>>,
    /// Periods after the first, for new dates.
    periods: Vec<i32>,
    /// Given dates, by draw and unit.
    given: Vec<Vec<Option<i32>>>,
}

impl Assignments {
    /// Prepares the draws.
    ///
    /// # Errors
    /// Nobody or everybody adopts at one date, so that all draws are the actual one; strata that change within a
    /// unit; given columns that are no dates.
    pub fn new(design: &Design<'_>, adoption: &Adoption, options: &Options) -> Result<Assignments, FitError> {
        let mut periods = design.periods.clone();
        periods.sort_unstable();
        periods.dedup();
        periods.remove(0);
        let given = (options.assignments.iter())
            .map(|it| Ok(Adoption::from_cohorts(design, it)?.first))
            .collect::<Result<Vec<_>, FitError>>()?;
        let strata = strata(design, options)?;
        let changes =
            |units: &Vec<usize>| units.windows(2).any(|it| adoption.first[it[0]] != adoption.first[it[1]]);
        if options.scheme != Scheme::Given && !strata.iter().any(changes) {
            return Err(FitError::Model(
                "all units of a stratum adopt at the same time, so every draw is the actual assignment"
                    .to_owned(),
            ));
        }
        if options.scheme == Scheme::Redraw && periods.is_empty() {
            return Err(FitError::Model("dates cannot be drawn from one period".to_owned()));
        }
        Ok(Assignments {
            scheme: options.scheme,
            draws: if given.is_empty() { options.draws } else { given.len() },
            keyed: Keyed::new(options.seed),
            seed: options.seed,
            strata,
            actual: adoption.first.clone(),
            periods,
            given,
        })
    }

    /// Dates by unit of one draw: a function of seed and draw alone.
    pub fn dates(&self, draw: usize) -> Vec<Option<i32>> {
        if self.scheme == Scheme::Given {
            return self.given[draw].clone();
        }
        let mut random = self.keyed.sequence("placebo", draw as u64);
        let mut dates = vec![None; self.actual.len()];
        for units in &self.strata {
            let mut drawn: Vec<Option<i32>> = units.iter().map(|&it| self.actual[it]).collect();
            if self.scheme == Scheme::Redraw {
                for date in drawn.iter_mut().flatten() {
                    *date = self.periods[random.below(self.periods.len())];
                }
            }
            random.shuffle(&mut drawn);
            for (&unit, date) in units.iter().zip(drawn) {
                dates[unit] = date;
            }
        }
        dates
    }

    /// What was drawn, in words.
    pub fn remarks(&self, adoption: &Adoption) -> Vec<Note> {
        let how = match self.scheme {
            Scheme::Permute => "the actual dates of adoption permuted between units",
            Scheme::Redraw => {
                "as many units as adopt drawn, with dates drawn among the periods after the first"
            }
            Scheme::Given => "the given dates of adoption",
        };
        let within = if 1 < self.strata.len() {
            format!(" within {} strata", self.strata.len())
        } else {
            String::new()
        };
        let seed = if self.scheme == Scheme::Given { String::new() } else { format!(", seed {}", self.seed) };
        vec![Note::remark(format!(
            "{}{seed}: {how}{within}; adopters: {} of {}; p = (1 + draws at least as extreme) / (1 + draws)",
            counted(self.draws, "placebo draw"),
            adoption.adopters(),
            counted(adoption.first.len(), "unit")
        ))]
    }
}

/// Units by stratum.
fn strata(design: &Design<'_>, options: &Options) -> Result<Vec<Vec<usize>>, FitError> {
    let n_units = design.units.n_groups();
    let Some(name) = &options.strata else { return Ok(vec![(0..n_units).collect()]) };
    let codes = design.codes(name)?;
    let mut of_unit: Vec<Option<u32>> = vec![None; n_units];
    for (row, (&unit, &stratum)) in design.units.code.iter().zip(codes.code.iter()).enumerate() {
        match &mut of_unit[unit as usize] {
            slot @ None => *slot = Some(stratum),
            Some(known) if *known == stratum => {}
            Some(_) => {
                return Err(FitError::Model(format!(
                    "`{name}` changes within a unit at {}; strata hold whole units",
                    design.place(row)
                )));
            }
        }
    }
    let mut strata = vec![Vec::new(); codes.n_groups()];
    for (unit, stratum) in of_unit.iter().enumerate() {
        if let Some(it) = stratum {
            strata[*it as usize].push(unit);
        }
    }
    Ok(strata)
}

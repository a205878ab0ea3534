//! Who belongs to which group, and who is treated there.

use std::collections::BTreeSet;
use std::sync::Arc;

use parallax_model::{Design, Detail, FitError, Name, panel::Codes};

use crate::group_effects::{Options, refuse};

/// Groups on the sample.
pub(crate) struct Groups {
    /// The treatment's name and its values.
    pub treatment: Name,
    pub treated: Arc<Vec<f64>>,
    pub by: Name,
    /// Group of each row.
    pub codes: Codes,
}

impl Groups {
    /// # Errors
    /// Missing options, an unknown treatment, fewer than two groups, a group in which the treatment does not vary.
    pub fn new(design: &Design<'_>, options: &Options) -> Result<Groups, FitError> {
        let there: Vec<&str> = design.regressors.iter().map(|it| it.name.as_str()).collect();
        let there = there.join(", ");
        let Some(treatment) = &options.treatment else {
            return Err(refuse(format!("`treatment` is missing; name one of {there}")));
        };
        let Some(by) = &options.by else {
            return Err(refuse("`by` is missing; name the column of groups"));
        };
        let Some(treated) = design.regressors.iter().find(|it| it.name == *treatment) else {
            return Err(refuse(format!(
                "the treatment `{treatment}` is no regressor of the formula, which has {there}"
            )));
        };
        let codes = design.codes(by)?;
        let groups = Groups {
            treatment: treatment.clone(),
            treated: Arc::clone(&treated.values),
            by: by.clone(),
            codes,
        };
        if groups.n() < 2 {
            return Err(refuse(format!("`{by}` has one group on the sample; effects by group need two")));
        }
        groups.refuse_untreated()?;
        Ok(groups)
    }

    /// How many.
    pub fn n(&self) -> usize {
        self.codes.n_groups()
    }

    /// What a group is called.
    pub fn label(&self, group: usize) -> String {
        self.codes.labels.text(group)
    }

    /// The name of its effect.
    pub fn term(&self, group: usize) -> Name {
        Name::from(format!("{}:{}", self.treatment, self.label(group)))
    }

    /// The treatment in one group, zero elsewhere.
    pub fn treatment_of(&self, group: usize) -> Vec<f64> {
        let one = |(value, code): (&f64, &u32)| if *code as usize == group { *value } else { 0.0 };
        self.treated.iter().zip(self.codes.code.iter()).map(one).collect()
    }

    /// Units and rows of each group, and how many of them the treatment reaches.
    pub fn table(&self, design: &Design<'_>) -> Detail {
        let mut units = vec![(BTreeSet::new(), BTreeSet::new()); self.n()];
        let mut rows = vec![(0.0, 0.0); self.n()];
        let all = self.codes.code.iter().zip(design.units.code.iter()).zip(self.treated.iter());
        for ((&group, &unit), &treated) in all {
            let (units, rows) = (&mut units[group as usize], &mut rows[group as usize]);
            units.0.insert(unit);
            rows.0 += 1.0;
            if treated != 0.0 {
                units.1.insert(unit);
                rows.1 += 1.0;
            }
        }
        Detail::new("groups", format!("Groups of `{}`", self.by))
            .text("group", "Group", (0..self.n()).map(|it| self.label(it)).collect())
            .count("units", "Units", units.iter().map(|it| it.0.len() as f64).collect())
            .count("treated_units", "Treated units", units.iter().map(|it| it.1.len() as f64).collect())
            .count("rows", "Rows", rows.iter().map(|it| it.0).collect())
            .count("treated_rows", "Treated rows", rows.iter().map(|it| it.1).collect())
    }

    /// Group of each unit.
    ///
    /// # Errors
    /// When a unit is in two groups.
    pub fn of_units(&self, design: &Design<'_>) -> Result<Vec<u32>, FitError> {
        let mut of: Vec<Option<u32>> = vec![None; design.units.n_groups()];
        for (&unit, &group) in design.units.code.iter().zip(self.codes.code.iter()) {
            let slot = &mut of[unit as usize];
            if slot.is_some_and(|it| it != group) {
                return Err(refuse(format!(
                    "`permutations` gives groups of units to other units, and {} is in several groups of `{}`; fix \
                     groups within units, as those of a base period, or set `permutations = 0`",
                    design.units.labels.text(unit as usize),
                    self.by
                )));
            }
            *slot = Some(group);
        }
        Ok(of.into_iter().flatten().collect())
    }

    fn refuse_untreated(&self) -> Result<(), FitError> {
        for group in 0..self.n() {
            let values = self.treatment_of(group);
            if values.iter().all(|it| *it == 0.0) {
                return Err(FitError::Model(format!(
                    "`{}` is zero in the whole group {} of `{}`, so that it has no effect there; merge groups or leave \
                     it out with `restrict`",
                    self.treatment,
                    self.label(group),
                    self.by
                )));
            }
        }
        Ok(())
    }
}

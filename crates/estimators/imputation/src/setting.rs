//! Which rows are treated, and how long they have been.

use parallax_model::{Adoption, Design, FitError, Name, counted};

/// The treatment of a design, by row.
pub struct Setting {
    /// First treated period of the row's unit.
    pub cohort: Vec<Option<i32>>,
    /// Not a row of the untreated regression: treated, or within `anticipation` periods before.
    pub imputed: Vec<bool>,
    /// Periods before adoption in which units may react already.
    pub anticipation: i32,
    /// Units that adopt, and those that never do.
    pub units: [usize; 2],
    /// Rows of units that are treated from their first row of the panel on, where dates come from the treatment.
    undated: Vec<bool>,
}

impl Setting {
    /// Reads dates of adoption.
    ///
    /// # Errors
    /// What [`Adoption::read`] says; nobody is treated; nobody is untreated.
    pub fn read(
        design: &Design<'_>,
        plugin: &'static str,
        cohort: Option<&Name>,
        treatment: Option<&Name>,
        anticipation: u32,
    ) -> Result<Setting, FitError> {
        let adoption = Adoption::read(design, plugin, cohort, treatment)?;
        let anticipation = i32::try_from(anticipation).unwrap_or(i32::MAX);
        let cohort: Vec<Option<i32>> =
            design.units.code.iter().map(|&unit| adoption.first[unit as usize]).collect();
        let on = |(cohort, &period): (&Option<i32>, &i32)| {
            cohort.is_some_and(|it| it.saturating_sub(anticipation) <= period)
        };
        let imputed: Vec<bool> = cohort.iter().zip(&design.periods).map(on).collect();
        let treated = cohort.iter().zip(&design.periods).any(|(g, &t)| g.is_some_and(|g| g <= t));
        if !treated {
            return Err(FitError::Model(
                "every date of adoption is after the unit's last row, so that no row is treated; add later periods, or \
                 look at the column of dates"
                    .to_owned(),
            ));
        }
        if imputed.iter().all(|it| *it) {
            return Err(FitError::Model(
                "every row is treated: there is no untreated row from which to impute; add rows before adoption or \
                 units that are not treated"
                    .to_owned(),
            ));
        }
        let units = [adoption.adopters(), adoption.first.len() - adoption.adopters()];
        let undated = design.units.code.iter().map(|&unit| adoption.undated[unit as usize]).collect();
        Ok(Setting { cohort, imputed, anticipation, units, undated })
    }

    /// Effects of units whose date is not known have no time since adoption.
    ///
    /// # Errors
    /// When such a row can be imputed: effects that do not name units see it.
    pub fn refuse_undated(&self, determined: &[bool], treatment: Option<&Name>) -> Result<(), FitError> {
        let rows = self.undated.iter().zip(determined).filter(|it| *it.0 && *it.1).count();
        match treatment {
            Some(name) if 0 < rows => Err(FitError::Model(format!(
                "the date of adoption is not known for {} of units with `{name}` = 1 from their first row on; give dates \
                 with `cohort`, or take these units out with a step `restrict`",
                counted(rows, "row")
            ))),
            _ => Ok(()),
        }
    }

    /// Periods since adoption.
    pub fn event_time(&self, design: &Design<'_>, row: usize) -> Option<i32> {
        self.cohort[row].map(|it| design.periods[row].saturating_sub(it))
    }
}

/// Refuses a level outside (0, 1).
pub fn check_level(plugin: &'static str, level: f64) -> Result<(), FitError> {
    if 0.0 < level && level < 1.0 {
        return Ok(());
    }
    Err(FitError::Options { plugin, reason: "`level` lies between 0 and 1, as 0.95".to_owned() })
}

//! Terms with their influence functions as an estimate.

use parallax_model::{
    Design, Detail, Distribution, Estimate, EventStudy, EventWindow, FitError, InfluenceFunctions, Mat, Note,
    SampleReport, Statistics, Term, TreatedRows, TreatedSupport, settle,
};

use super::NAME;

/// One term.
pub struct Column {
    /// What it is.
    pub term: Term,
    /// Its value.
    pub estimate: f64,
    /// Its influence function by unit.
    pub psi: Vec<f64>,
    /// Sum of the absolute weights that outcomes have in it.
    pub weights: f64,
    /// Units whose changes it is made of.
    pub switching: Vec<usize>,
}

/// What an estimator of this family has found.
pub struct Found {
    /// Terms in the order of the estimate.
    pub columns: Vec<Column>,
    /// Event times.
    pub window: EventWindow,
    /// Tables beside the table of event times.
    pub details: Vec<Detail>,
    /// Named numbers beside the tests.
    pub stats: Statistics,
    /// Conventions and what was left out.
    pub notes: Vec<Note>,
}

impl Found {
    /// The estimate with the covariance of the influence functions, tests and tables.
    ///
    /// # Errors
    /// What the covariance and the tests say.
    pub fn estimate(self, design: &Design<'_>, level: f64) -> Result<Estimate, FitError> {
        let columns = &self.columns;
        let units = design.units.n_groups();
        let mut values = Mat::from_fn(units, columns.len(), |unit, at| columns[at].psi[unit]);
        let mut coef: Vec<f64> = columns.iter().map(|it| it.estimate).collect();
        let outcome = design.outcome_size();
        let sizes: Vec<f64> = columns.iter().map(|it| it.weights * outcome).collect();
        settle(&mut coef, &mut values, &sizes);
        let vcov = design.vcov.of_influence(values.as_ref(), &sizes, &design.units)?;
        let influence = design.keep_influence.then(|| InfluenceFunctions::new(design, values));
        let mut estimate = Estimate {
            estimator: NAME,
            outcome: design.outcome.name.clone(),
            terms: columns.iter().map(|it| it.term.clone()).collect(),
            coef,
            vcov,
            distribution: Distribution::Normal,
            distributions: Vec::new(),
            sample: SampleReport::of(&design.sample, Some(units), design.singletons),
            effects: Vec::new(),
            stats: self.stats,
            event: Some(self.window),
            treated: None,
            details: self.details,
            influence,
            notes: self.notes,
        };
        let all = columns.iter().flat_map(|it| it.switching.iter().copied());
        let by_term: Vec<Option<TreatedRows>> = (columns.iter())
            .map(|it| Some(TreatedRows::of_units(design, it.switching.iter().copied())))
            .collect();
        estimate.stand_on(Some(TreatedSupport::new(&TreatedRows::of_units(design, all), &by_term)));
        if let Some(study) = EventStudy::of(&estimate) {
            study.add_tests(level, &mut estimate.stats)?;
            estimate.details.push(study.table(level));
        }
        Ok(estimate)
    }
}

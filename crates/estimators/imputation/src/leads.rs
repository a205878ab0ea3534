//! The test of parallel trends by a regression on untreated rows alone.
//!
//! Borusyak, Jaravel and Spiess (2024), section 4.4: outcome on dummies of the last periods before adoption, effects
//! and controls. No treated row enters, so that passing the test does not select on estimated effects.

use std::collections::BTreeMap;

use parallax_model::{
    Before, Design, FitError, Mat, Regression, RegressionInput, SingletonPolicy, Term, f_upper,
    linalg::{AbsorbOptions, Absorber, Factor, singletons},
    panel::Codes,
    regress,
    vcov::AbsorbedEffect,
    wald,
};

use crate::{setting::Setting, untreated::pick};

/// Leads without a request: what papers show, where the panel has them.
const LEADS: u32 = 5;

/// Coefficients of leads with what joins them to the effects.
pub struct Leads {
    /// Event times, ascending.
    pub times: Vec<i32>,
    /// One coefficient an event time.
    pub coef: Vec<f64>,
    /// Units x leads; their products are the covariance of the regression with the factor of its rules.
    pub psi: Mat<f64>,
    /// Event times before the leads: the leads are relative to them.
    pub references: Vec<i32>,
    /// Rows of leads and references.
    pub rows: Vec<(i32, usize)>,
    /// F, both degrees of freedom, p.
    pub test: [f64; 4],
    /// The factor for small samples.
    pub factor: f64,
}

/// Rows and columns of the regression.
struct Frame<'d, 'p> {
    design: &'d Design<'p>,
    rows: Vec<usize>,
    weights: Option<Vec<f64>>,
    absorber: Absorber,
    effects: Vec<AbsorbedEffect>,
    /// Event time of each row.
    times: Vec<Option<i32>>,
    /// Outcome and controls, effects taken out.
    outcome: Vec<f64>,
    controls: Vec<Vec<f64>>,
    /// Controls with the effects still in.
    before: Vec<Vec<f64>>,
    before_outcome: Vec<f64>,
}

/// Columns, effects taken out, and their regression.
type Fitted = (Vec<Vec<f64>>, Regression);

impl Leads {
    /// Fits the leads: as many as asked for, or up to five that the panel tells apart; `None` when there is none.
    ///
    /// # Errors
    /// Leads that were asked for and are collinear; what the covariance says.
    pub fn fit(
        design: &Design<'_>,
        setting: &Setting,
        leads: Option<u32>,
        options: &AbsorbOptions,
    ) -> Result<Option<Leads>, FitError> {
        if leads == Some(0) {
            return Ok(None);
        }
        let frame = Frame::new(design, setting, options)?;
        let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
        frame.times.iter().flatten().for_each(|it| *counts.entry(*it).or_default() += 1);
        let Some((&first, _)) = counts.first_key_value() else { return no_row(leads, setting) };
        let last = -1 - setting.anticipation;
        let available = u32::try_from(last - first).unwrap_or(0);
        let mut wanted = leads.unwrap_or(LEADS.min(available));
        while 0 < wanted {
            let lowest = last.saturating_sub(i32::try_from(wanted).unwrap_or(i32::MAX).saturating_sub(1));
            let times: Vec<i32> = counts.keys().copied().filter(|it| lowest <= *it).collect();
            if times.is_empty() {
                return no_row(leads, setting);
            }
            let fit = frame.regress(&times)?;
            if let Some(fit) = fit {
                return frame.finish(times, fit, counts).map(Some);
            }
            if leads.is_some() {
                return Err(FitError::Model(format!(
                    "{wanted} leads are collinear with the effects; the first event time among untreated rows is \
                     {first}, and at least one before the leads has to stay: take fewer `leads`"
                )));
            }
            wanted -= 1;
        }
        Ok(None)
    }
}

fn no_row(leads: Option<u32>, setting: &Setting) -> Result<Option<Leads>, FitError> {
    match leads {
        None => Ok(None),
        Some(it) => Err(FitError::Model(format!(
            "no untreated row lies within {it} periods before adoption{}; set `leads` to 0",
            if 0 < setting.anticipation { " and its anticipation" } else { "" }
        ))),
    }
}

impl<'d, 'p> Frame<'d, 'p> {
    fn new(
        design: &'d Design<'p>,
        setting: &Setting,
        options: &AbsorbOptions,
    ) -> Result<Frame<'d, 'p>, FitError> {
        let rows = rows(design, setting);
        let weights: Option<Vec<f64>> = design.weight_values().map(|it| pick(it, &rows));
        let codes: Vec<Codes> =
            design.effects.iter().map(|it| it.codes.compact(rows.iter().copied())).collect();
        let factors: Vec<Factor<'_>> =
            codes.iter().map(|it| Factor { codes: &it.code, n_groups: it.n_groups() }).collect();
        let absorber = Absorber::new(&factors, weights.as_deref(), rows.len(), options.clone())?;
        let ranks = absorber.ranks();
        let counts = ranks.levels.iter().zip(&ranks.redundant);
        let effects = design
            .effects
            .iter()
            .zip(&codes)
            .zip(counts)
            .map(|((it, codes), (&levels, &redundant))| AbsorbedEffect {
                name: it.name.clone(),
                levels,
                redundant,
                codes: codes.clone(),
            })
            .collect();
        let mut controls: Vec<Vec<f64>> =
            design.regressors.iter().map(|it| pick(&it.values, &rows)).collect();
        let before = controls.clone();
        let before_outcome = pick(&design.outcome.values, &rows);
        controls.push(before_outcome.clone());
        absorber.residualize(&mut controls)?;
        let outcome = controls.pop().unwrap_or_default();
        let times = rows.iter().map(|&it| setting.event_time(design, it)).collect();
        Ok(Frame {
            design,
            rows,
            weights,
            absorber,
            effects,
            times,
            outcome,
            controls,
            before,
            before_outcome,
        })
    }

    /// Controls before leads, so that leads are what falls out; `None` when one does.
    fn regress(&self, times: &[i32]) -> Result<Option<Fitted>, FitError> {
        let dummy = |time: &i32| -> Vec<f64> {
            self.times.iter().map(|it| f64::from(u8::from(*it == Some(*time)))).collect()
        };
        let dummies: Vec<Vec<f64>> = times.iter().map(dummy).collect();
        let raw: Vec<&[f64]> = dummies.iter().map(Vec::as_slice).collect();
        let controls = self.before.iter().map(Vec::as_slice);
        let before: Vec<&[f64]> = controls.chain(raw).collect();
        let mut after = dummies.clone();
        self.absorber.residualize(&mut after)?;
        let mut columns = self.controls.clone();
        columns.extend(after);
        let names = self.design.regressors.iter().map(|it| Term::Slope(it.name.clone()));
        let terms: Vec<Term> = names.chain(times.iter().map(|&it| Term::EventTime(it))).collect();
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let plan = self.design.vcov.on_rows(&self.rows)?;
        let input = RegressionInput {
            terms: &terms,
            columns: &slices,
            outcome: &self.outcome,
            weights: self.weights.as_deref(),
            frequency: false,
            before: Some(Before { outcome: &self.before_outcome, columns: &before }),
            absorbed: &self.effects,
            leverages: None,
            constant: None,
        };
        let fit = regress(&input, &plan);
        let fit = match fit {
            Err(FitError::NoRegressor { .. }) => return Ok(None),
            it => it?,
        };
        let kept = times.iter().all(|it| fit.terms.contains(&Term::EventTime(*it)));
        Ok(kept.then_some((columns, fit)))
    }

    /// Coefficients, test and influence functions of the leads among the kept columns.
    fn finish(
        &self,
        times: Vec<i32>,
        (columns, fit): Fitted,
        counts: BTreeMap<i32, usize>,
    ) -> Result<Leads, FitError> {
        let k = fit.kept.len();
        let leads: Vec<usize> = (k - times.len()..k).collect();
        let arithmetic = &fit.vcov.arithmetic;
        let factor = arithmetic.factor * arithmetic.terms.first().map_or(1.0, |it| it.scale);
        let mut scores = Mat::<f64>::zeros(self.design.units.n_groups(), k);
        for (at, &kept) in fit.kept.iter().enumerate() {
            for (i, &row) in self.rows.iter().enumerate() {
                let weight = self.weights.as_ref().map_or(1.0, |it| it[i]);
                let unit = self.design.units.code[row] as usize;
                scores[(unit, at)] += weight * columns[kept][i] * fit.residuals[i];
            }
        }
        let mut psi = scores * fit.bread.transpose();
        fit.clear_unknown(&mut psi);
        let psi = Mat::from_fn(psi.nrows(), leads.len(), |unit, at| factor.sqrt() * psi[(unit, leads[at])]);
        let (chi2, rank, _) = wald(&fit.coef, fit.vcov.matrix.as_ref(), &leads)?;
        let (f, df1, df2) = (chi2 / rank as f64, rank as f64, arithmetic.t_df);
        let lowest = times.first().copied().unwrap_or_default();
        Ok(Leads {
            coef: leads.iter().map(|&it| fit.coef[it]).collect(),
            psi,
            references: counts.keys().copied().filter(|it| *it < lowest).collect(),
            rows: counts.into_iter().collect(),
            test: [f, df1, df2, f_upper(f, df1, df2)],
            factor,
            times,
        })
    }
}

/// Untreated rows, without those alone in a group of an effect where the design drops them.
fn rows(design: &Design<'_>, setting: &Setting) -> Vec<usize> {
    let rows: Vec<usize> = (0..design.n()).filter(|&it| !setting.imputed[it]).collect();
    if design.singletons == SingletonPolicy::Keep {
        return rows;
    }
    let codes: Vec<Codes> = design.effects.iter().map(|it| it.codes.compact(rows.iter().copied())).collect();
    let factors: Vec<Factor<'_>> =
        codes.iter().map(|it| Factor { codes: &it.code, n_groups: it.n_groups() }).collect();
    let keep = singletons(&factors, rows.len()).keep;
    rows.into_iter().zip(keep).filter(|it| it.1).map(|it| it.0).collect()
}

//! Effects by time since the first change, placebos, and the average total effect.

use parallax_model::{
    Design, Detail, Estimate, EventWindow, FitError, Name, Note, Statistics, Term, counted, wald_equal,
};

use super::{
    Options, Switchers,
    cells::Cells,
    contrast::{Contrast, Kind, Setting, contrast},
    covariates::Adjustment,
    paths::{NEVER, Paths},
    result::{Column, Found},
};

/// Sum of absolute weights of the outcomes in a contrast of switchers with controls in two periods.
pub(super) const CONTRAST: f64 = 4.0;

/// Contrasts with the number of periods since the last one before the change.
type Contrasts = Vec<(usize, Contrast)>;

/// Fits the estimator of 2024.
///
/// # Errors
/// When no effect can be estimated, and what cells, paths and the covariance say.
pub fn fit(design: &Design<'_>, options: &Options, treatment: &Name) -> Result<Estimate, FitError> {
    let mut cells = Cells::read(design, treatment)?;
    let paths = Paths::read(design, &mut cells, &options.trends_nonparam)?;
    let cluster = design.vcov.cluster_of_units(&design.units)?;
    let mut order: Vec<usize> = (0..cells.units()).collect();
    order.sort_by_key(|&unit| (cluster[unit], unit));
    let names: Vec<Name> = design.regressors.iter().map(|it| it.name.clone()).collect();
    let adjustment = Adjustment::new(&cells, &paths, &order, &cluster, &names)?;
    let longest = longest(&paths, options);
    let effects = options.lags.map_or(longest, |it| it as usize + 1);
    let placebos = options.leads.map_or(longest, |it| (it as usize).saturating_sub(1));
    let all = |most: usize, kind: Kind, back: usize| -> Contrasts {
        let setting = Setting {
            cells: &cells,
            paths: &paths,
            adjustment: &adjustment,
            order: &order,
            cluster: &cluster,
            switchers: &switchers(&cells, &paths, options, effects, back),
            only_never: options.only_never_switchers,
        };
        (1..=most.min(longest)).filter_map(|it| Some((it, contrast(&setting, it, kind)?))).collect()
    };
    let back = if options.same_switchers_placebos { placebos } else { 0 };
    let (effects, placebos) = (all(effects, Kind::Effect, 0), all(placebos, Kind::Placebo, back));
    if effects.is_empty() {
        return Err(nothing(treatment, &paths, options));
    }
    let mut notes = remarks(&paths, options, treatment);
    notes.extend(shortfall(options, longest, &effects, &placebos));
    notes.extend(adjustment.notes);
    let mut found = collect(options, effects, placebos, &mut notes)?;
    found.notes = notes;
    let mut estimate = found.estimate(design, options.level)?;
    equality(&mut estimate)?;
    Ok(estimate)
}

/// The largest number of periods that a switcher is followed for.
fn longest(paths: &Paths, options: &Options) -> usize {
    let followed = |unit: usize| (paths.reach[paths.stratum[unit]] + 1).saturating_sub(paths.first[unit]);
    (0..paths.first.len()).filter(|&it| wanted(paths, options, it)).map(followed).max().unwrap_or(0)
}

fn wanted(paths: &Paths, options: &Options, unit: usize) -> bool {
    let direction = match options.switchers {
        Switchers::All => true,
        Switchers::In => 0.0 < paths.sign[unit],
        Switchers::Out => paths.sign[unit] < 0.0,
    };
    paths.used[unit] && paths.first[unit] != NEVER && direction
}

/// Units that may be switchers; under `same-switchers` those with all outcomes from `placebos` periods before the
/// last one without change to the last effect.
fn switchers(cells: &Cells, paths: &Paths, options: &Options, effects: usize, placebos: usize) -> Vec<bool> {
    let complete = |unit: usize| {
        let Some(from) = paths.first[unit].checked_sub(placebos + 1) else { return false };
        let to = paths.first[unit] + effects - 1;
        let there = |period: usize| cells.slot(unit, period).is_some_and(|it| !cells.y[it].is_nan());
        to <= paths.reach[paths.stratum[unit]] && (from..=to).all(there)
    };
    (0..cells.units())
        .map(|unit| wanted(paths, options, unit) && (!options.same_switchers || complete(unit)))
        .collect()
}

/// Terms with their influence functions.
fn collect(
    options: &Options,
    effects: Contrasts,
    placebos: Contrasts,
    notes: &mut Vec<Note>,
) -> Result<Found, FitError> {
    let dose: f64 = effects.iter().map(|it| it.1.dose).sum();
    let mut total = vec![0.0; effects.first().map_or(0, |it| it.1.psi.len())];
    let mut estimate = 0.0;
    let weights = CONTRAST * effects.iter().map(|it| it.1.weight / dose).sum::<f64>().abs();
    for (_, it) in &effects {
        estimate += it.weight * it.estimate / dose;
        total.iter_mut().zip(&it.psi).for_each(|(sum, psi)| *sum += it.weight * psi / dose);
    }
    let detail = detail(&effects, &placebos);
    let rows = placebos.iter().rev().map(|(steps, it)| (-(*steps as i32) - 1, it.switching.len()));
    let rows: Vec<(i32, usize)> =
        rows.chain(effects.iter().map(|(steps, it)| (*steps as i32 - 1, it.switching.len()))).collect();
    let mut columns = Vec::new();
    if 0.0 < dose {
        let switching = effects.iter().flat_map(|it| it.1.switching.iter().copied()).collect();
        columns.push(Column { term: Term::Aggregate(None), estimate, psi: total, weights, switching });
    } else {
        let text =
            "no att: all switchers are back at their baseline in the event times that can be estimated";
        notes.push(Note::remark(text));
    }
    let earlier = placebos.into_iter().rev().map(|(steps, it)| (-(steps as i32) - 1, it));
    let later = effects.into_iter().map(|(steps, it)| (steps as i32 - 1, it));
    for (time, it) in earlier.chain(later) {
        let divisor = if options.normalized { it.path_dose / it.weight } else { 1.0 };
        if divisor == 0.0 {
            notes.push(Note::remark(format!(
                "event time {time} is left out: its switchers received no treatment beyond the baseline"
            )));
            continue;
        }
        let psi = it.psi.into_iter().map(|it| it / divisor).collect();
        let (term, estimate, weights) =
            (Term::EventTime(time), it.estimate / divisor, CONTRAST / divisor.abs());
        columns.push(Column { term, estimate, psi, weights, switching: it.switching });
    }
    let window = EventWindow { references: vec![-1], binned_below: None, binned_above: None, rows };
    Ok(Found { columns, window, details: vec![detail], stats: Statistics::default(), notes: Vec::new() })
}

/// How many units and rows stand behind each number.
fn detail(effects: &Contrasts, placebos: &Contrasts) -> Detail {
    let placebos =
        placebos.iter().rev().map(|(steps, it)| (-(*steps as f64) - 1.0, format!("Placebo_{steps}"), it));
    let effects = effects.iter().map(|(steps, it)| (*steps as f64 - 1.0, format!("Effect_{steps}"), it));
    let all: Vec<(f64, String, &Contrast)> = placebos.chain(effects).collect();
    let numbers = |of: fn(&Contrast) -> f64| all.iter().map(|it| of(it.2)).collect::<Vec<f64>>();
    Detail::new("switchers", "Units that have changed and their controls, by event time")
        .text("command", "In did_multiplegt_dyn", all.iter().map(|it| it.1.clone()).collect())
        .label("time", "Event time", all.iter().map(|it| it.0).collect())
        .count("switchers", "Switchers", numbers(|it| it.switching.len() as f64))
        .number("weight", "Weight of switchers", numbers(|it| it.weight))
        .count("rows", "Rows of switchers and controls", numbers(|it| it.rows as f64))
        .number("dose", "Treatment beyond the baseline, mean", numbers(|it| it.dose / it.weight))
        .number("path_dose", "Sum of it since the change, mean", numbers(|it| it.path_dose / it.weight))
}

/// Tests that all effects are equal: `equality_chi2`, `equality_df`, `equality_p`.
fn equality(estimate: &mut Estimate) -> Result<(), FitError> {
    let later = |it: &usize| matches!(estimate.terms[*it], Term::EventTime(time) if 0 <= time);
    let at: Vec<usize> = (0..estimate.terms.len()).filter(later).collect();
    let Some((&first, others)) = at.split_first() else { return Ok(()) };
    if others.is_empty() {
        return Ok(());
    }
    let (chi2, df, p) = wald_equal(&estimate.coef, estimate.vcov.matrix.as_ref(), first, others)?;
    estimate.stats.set("equality_chi2", chi2);
    estimate.stats.count("equality_df", df);
    estimate.stats.set("equality_p", p);
    Ok(())
}

fn nothing(treatment: &Name, paths: &Paths, options: &Options) -> FitError {
    let change = (0..paths.first.len()).filter(|&it| wanted(paths, options, it)).count();
    let advice = if change == 0 && paths.first.len() < 2 * paths.values.len() {
        "nearly every unit has a first treatment of its own, and only units that share it are compared; group its \
         values into few with a step `derive`"
    } else if change == 0 {
        "no unit changes its treatment in the direction asked for while another unit of the same baseline has not"
    } else if options.same_switchers {
        "no switcher has every effect asked for: give fewer `lags`"
    } else {
        "no switcher has a control of the same baseline with outcomes in the same two periods"
    };
    FitError::Model(format!("no effect of `{treatment}` can be estimated: {advice}"))
}

/// What was asked for and is not there.
fn shortfall(options: &Options, longest: usize, effects: &Contrasts, placebos: &Contrasts) -> Vec<Note> {
    let missing = |asked: usize, found: &Contrasts| -> Vec<usize> {
        (1..=asked.min(longest)).filter(|steps| found.iter().all(|it| it.0 != *steps)).collect()
    };
    let asked_effects = options.lags.map_or(0, |it| it as usize + 1);
    let asked_placebos = options.leads.map_or(0, |it| (it as usize).saturating_sub(1));
    let effects = missing(asked_effects, effects).into_iter().map(|it| it as i64 - 1);
    let placebos = missing(asked_placebos, placebos).into_iter().map(|it| -(it as i64) - 1);
    let times: Vec<String> = effects.chain(placebos).map(|it| it.to_string()).collect();
    let mut notes = Vec::new();
    if !times.is_empty() {
        notes.push(Note::remark(format!(
            "event times {} have no switcher with a control, and are left out",
            times.join(", ")
        )));
    }
    if longest < asked_effects.max(asked_placebos) {
        notes.push(Note::remark(format!(
            "no switcher has controls for more than {} from its change on, so that event times end at {} and begin at {}",
            counted(longest, "period"),
            longest - 1,
            -(longest as i64) - 1
        )));
    }
    notes
}

/// The conventions that numbers depend on, and what is not used.
fn remarks(paths: &Paths, options: &Options, treatment: &Name) -> Vec<Note> {
    let count =
        |is: &dyn Fn(usize) -> bool| (0..paths.first.len()).filter(|it| paths.used[*it] && is(*it)).count();
    let rising = count(&|it| 0.0 < paths.sign[it]);
    let falling = count(&|it| paths.sign[it] < 0.0);
    let never = count(&|it| paths.first[it] == NEVER);
    let controls = if options.only_never_switchers { "never change" } else { "have not changed yet" };
    let per_unit = if options.normalized {
        "effects are divided by the treatment received beyond the baseline since the change"
    } else {
        "effects are not divided by the size of the change"
    };
    let mut texts = vec![
        format!(
            "event time 0 is the first period in which `{treatment}` differs from its first value (Effect_1 of \
             did_multiplegt_dyn), event time -2 is its Placebo_1, reference -1; units that rise: {rising}, that fall: \
             {falling}, that never change: {never}; controls have the same baseline and {controls}"
        ),
        format!(
            "att is the average total effect per unit of treatment: effects summed over switchers and event times, \
             divided by the treatment beyond the baseline; for a binary treatment that stays it is the mean of the \
             event times weighted by switchers, comparable with other estimators; {per_unit}"
        ),
        "errors come from influence functions centred within cohorts (baseline, date and size of the first change; \
         controls by baseline and period; a cohort of one cluster with its controls) times sqrt(n/(n-1)) for n \
         clusters; no further factor, normal distribution"
            .to_owned(),
    ];
    let mut left_out = |n: usize, text: &str| {
        if 0 < n {
            texts.push(format!("{n} {text}"));
        }
    };
    left_out(paths.unmatched, "units are not used: no unit of their baseline changes at another time");
    left_out(paths.unread, "units are not used: their treatment is always missing");
    left_out(
        paths.mixed_rows,
        "rows are not used: the treatment has been above and below its baseline by then",
    );
    left_out(
        paths.undated,
        "units count as controls up to the gap in their treatment before its first change",
    );
    texts.into_iter().map(Note::remark).collect()
}

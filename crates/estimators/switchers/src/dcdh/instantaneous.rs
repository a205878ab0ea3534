//! DID_M: the effect in the period of each change, of units that change between two periods against units that do
//! not and had the same treatment before.
//!
//! de Chaisemartin and D'Haultfoeuille (2020, AER 110), theorem 3 with equations for DID_+,t and DID_-,t, its placebo
//! DID_M^pl, and web appendix section 4 for treatments of more than two values.

use parallax_model::{Design, Detail, Estimate, EventWindow, FitError, Name, Note, Statistics, Term};

use super::{
    Options, Switchers,
    cells::Cells,
    dynamic::CONTRAST,
    refuse,
    result::{Column, Found},
};

/// A unit in two periods that follow each other.
struct Step {
    unit: usize,
    /// Treatment before and period, as one number.
    cell: usize,
    weight: f64,
    /// Change of the outcome; for placebos that of the period before.
    outcome: f64,
    /// Change of the treatment.
    treatment: f64,
}

/// Sums of a cell.
#[derive(Clone, Copy, Default)]
struct Stayers {
    weight: f64,
    sum: f64,
}

/// A mean of DID_+,t and DID_-,t.
struct Switch {
    estimate: f64,
    psi: Vec<f64>,
    /// Units of the changes, each as often as it changes.
    switching: Vec<usize>,
    rows: usize,
    /// Sum of weights of the switchers.
    weight: f64,
    dose: f64,
}

/// Fits the estimator of 2020.
///
/// # Errors
/// Options of the other form, covariates, and no switcher with a stayer.
pub fn fit(design: &Design<'_>, options: &Options, treatment: &Name) -> Result<Estimate, FitError> {
    refuse_others(design, options)?;
    let cells = Cells::read(design, treatment)?;
    let mut values: Vec<f64> = cells.d.iter().copied().filter(|it| !it.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let (now, before) = (steps(&cells, &values, false), steps(&cells, &values, true));
    let units = cells.units();
    let all = |change: f64| match options.switchers {
        Switchers::All => true,
        Switchers::In => 0.0 < change,
        Switchers::Out => change < 0.0,
    };
    let Some(main) = switch(&now, units, all) else {
        return Err(FitError::Model(format!(
            "no effect of `{treatment}` can be estimated: no unit changes its treatment between two periods while \
             another unit with the same treatment before keeps it"
        )));
    };
    let parts = match options.switchers {
        Switchers::All => [switch(&now, units, |it| 0.0 < it), switch(&now, units, |it| it < 0.0)],
        _ => [None, None],
    };
    let placebo = if options.leads.is_none_or(|it| 2 <= it) { switch(&before, units, all) } else { None };
    let notes = remarks(treatment, &main, placebo.as_ref(), options);
    let [joiners, leavers] = parts;
    let detail = detail(&main, joiners.as_ref(), leavers.as_ref(), placebo.as_ref());
    let column = |term: Term, it: &Switch, sign: f64| Column {
        term,
        estimate: sign * it.estimate,
        psi: it.psi.iter().map(|psi| sign * psi).collect(),
        weights: CONTRAST * it.weight / it.dose,
        switching: it.switching.clone(),
    };
    let mut columns = vec![column(Term::Aggregate(None), &main, 1.0)];
    if let (Some(joiners), Some(leavers)) = (&joiners, &leavers) {
        columns.push(column(Term::Aggregate(Some("joiners".into())), joiners, 1.0));
        columns.push(column(Term::Aggregate(Some("leavers".into())), leavers, 1.0));
    }
    // The level in the period before last less that in the last, as in the other event studies.
    columns.extend(placebo.as_ref().map(|it| column(Term::EventTime(-2), it, -1.0)));
    columns.push(column(Term::EventTime(0), &main, 1.0));
    let rows = placebo.iter().map(|it| (-2, it.switching.len())).chain([(0, main.switching.len())]).collect();
    let window = EventWindow { references: vec![-1], rows, ..EventWindow::default() };
    Found { columns, window, details: vec![detail], stats: Statistics::default(), notes }
        .estimate(design, options.level)
}

fn refuse_others(design: &Design<'_>, options: &Options) -> Result<(), FitError> {
    let others = [
        ("lags", options.lags.is_some()),
        ("normalized", options.normalized),
        ("same-switchers", options.same_switchers),
        ("only-never-switchers", options.only_never_switchers),
        ("trends-nonparam", !options.trends_nonparam.is_empty()),
    ];
    if let Some((name, _)) = others.iter().find(|it| it.1) {
        return Err(refuse(format!("`{name}` goes with form = \"dynamic\" only; leave it out, or the form")));
    }
    if design.regressors.is_empty() {
        return Ok(());
    }
    Err(refuse("form = \"instantaneous\" takes no covariates; write y ~ 1, or use form = \"dynamic\""))
}

/// Every unit in every two periods that follow each other; for placebos in three, with the treatment of the first two
/// equal and the outcome's change between them.
fn steps(cells: &Cells, values: &[f64], placebo: bool) -> Vec<Step> {
    let mut found = Vec::new();
    for unit in 0..cells.units() {
        for (slot, period) in cells.of_unit(unit) {
            let Some(one) = cells.back(unit, slot, 1) else { continue };
            let two = if placebo { cells.back(unit, slot, 2) } else { Some(one) };
            let Some(two) = two.filter(|it| !placebo || cells.d[*it] == cells.d[one]) else { continue };
            let [to, from] = if placebo { [one, two] } else { [slot, one] };
            let (weight, outcome) = (cells.w[slot], cells.y[to] - cells.y[from]);
            let treatment = cells.d[slot] - cells.d[one];
            if weight <= 0.0 || outcome.is_nan() || treatment.is_nan() {
                continue;
            }
            let cell = values.partition_point(|it| *it < cells.d[one]) * cells.n_periods() + period;
            found.push(Step { unit, cell, weight, outcome, treatment });
        }
    }
    // A continuous treatment has more values times periods than rows.
    let mut used: Vec<usize> = found.iter().map(|it| it.cell).collect();
    used.sort_unstable();
    used.dedup();
    found.iter_mut().for_each(|it| it.cell = used.partition_point(|cell| *cell < it.cell));
    found
}

/// The mean over the switchers that `wanted` takes and that have stayers, per unit of treatment.
fn switch(steps: &[Step], units: usize, wanted: impl Fn(f64) -> bool) -> Option<Switch> {
    let cells = steps.iter().map(|it| it.cell + 1).max()?;
    let mut stayers = vec![Stayers::default(); cells];
    for it in steps.iter().filter(|it| it.treatment == 0.0) {
        stayers[it.cell].weight += it.weight;
        stayers[it.cell].sum += it.weight * it.outcome;
    }
    let moves = |it: &&Step| it.treatment != 0.0 && wanted(it.treatment) && 0.0 < stayers[it.cell].weight;
    let switchers: Vec<&Step> = steps.iter().filter(moves).collect();
    if switchers.is_empty() {
        return None;
    }
    let dose: f64 = switchers.iter().map(|it| it.weight * it.treatment.abs()).sum();
    let centred = |it: &Step| it.outcome - stayers[it.cell].sum / stayers[it.cell].weight;
    let signed = |it: &Step| it.weight * it.treatment.signum();
    let estimate = switchers.iter().map(|it| signed(it) * centred(it)).sum::<f64>() / dose;
    let (mut psi, mut balance) = (vec![0.0; units], vec![None; cells]);
    for it in &switchers {
        psi[it.unit] += (signed(it) * centred(it) - estimate * it.weight * it.treatment.abs()) / dose;
        *balance[it.cell].get_or_insert(0.0) += signed(it);
    }
    let mut rows = switchers.len();
    for it in steps.iter().filter(|it| it.treatment == 0.0) {
        if let Some(balance) = balance[it.cell] {
            psi[it.unit] -= balance / stayers[it.cell].weight * it.weight * centred(it) / dose;
            rows += 1;
        }
    }
    let weight = switchers.iter().map(|it| it.weight).sum();
    let switching = switchers.iter().map(|it| it.unit).collect();
    Some(Switch { estimate, psi, switching, rows, weight, dose })
}

fn detail(
    main: &Switch,
    joiners: Option<&Switch>,
    leavers: Option<&Switch>,
    placebo: Option<&Switch>,
) -> Detail {
    let all = [("all", Some(main)), ("joiners", joiners), ("leavers", leavers), ("placebo", placebo)];
    let all: Vec<(&str, &Switch)> = all.into_iter().filter_map(|(name, it)| Some((name, it?))).collect();
    let numbers = |of: fn(&Switch) -> f64| all.iter().map(|it| of(it.1)).collect::<Vec<f64>>();
    Detail::new("switchers", "Changes of the treatment and their stayers")
        .text("part", "Part", all.iter().map(|it| it.0.to_owned()).collect())
        .count("switchers", "Switchers", numbers(|it| it.switching.len() as f64))
        .count("rows", "Rows of switchers and stayers", numbers(|it| it.rows as f64))
        .number("dose", "Change of the treatment, sum", numbers(|it| it.dose))
}

fn remarks(treatment: &Name, main: &Switch, placebo: Option<&Switch>, options: &Options) -> Vec<Note> {
    let mut texts = vec![
        format!(
            "att is DID_M: {} changes of `{treatment}` between two periods, each against the units that had the same \
             treatment before and keep it, per unit of change",
            main.switching.len()
        ),
        "errors come from influence functions of all means, switchers and stayers drawn with their units; no factor \
         for small samples, normal distribution"
            .to_owned(),
    ];
    match placebo {
        Some(_) => texts.push(
            "event:-2 is minus the placebo DID_M^pl: the level two periods before the change less that one period \
             before, as in other event studies"
                .to_owned(),
        ),
        None if options.leads.is_none_or(|it| 2 <= it) => texts.push(
            "no placebo: no unit that changes had the same treatment in the two periods before, beside a unit that \
             keeps it"
                .to_owned(),
        ),
        None => {}
    }
    texts.into_iter().map(Note::remark).collect()
}

//! Averages of what is left of treated rows: the effects that are reported, each as weights on rows.

use std::collections::BTreeMap;

use parallax_model::{Design, FitError, Mat, Note, Term, TreatedRows, TreatedSupport};

use crate::{setting::Setting, untreated::Untreated};

/// An average of residuals: its weights a on rows add up to one.
pub struct Target {
    /// What it stands for.
    pub term: Term,
    /// Rows with their weights, ascending.
    pub rows: Vec<(u32, f64)>,
}

impl Target {
    /// sum a (y - prediction).
    pub fn estimate(&self, residual: &[f64]) -> f64 {
        self.rows.iter().map(|&(row, a)| a * residual[row as usize]).sum()
    }

    /// 1 / sum a^2, the number of rows that an equally weighted average would need to be as spread out.
    pub fn effective_rows(&self) -> f64 {
        1.0 / self.rows.iter().map(|it| it.1 * it.1).sum::<f64>()
    }
}

/// What to average.
pub struct Wanted<'a> {
    /// Latest event time of its own; all without.
    pub lags: Option<u32>,
    /// Event times of untreated rows with a term of their own.
    pub leads: &'a dyn Fn(i32) -> bool,
    /// A term for every cohort in every period.
    pub group_time: bool,
}

/// All averages: overall, by cohort, by event time, by period, by cohort and period.
///
/// # Errors
/// When no treated row can be imputed.
pub fn targets(
    design: &Design<'_>,
    setting: &Setting,
    untreated: &Untreated<'_, '_>,
    wanted: &Wanted<'_>,
) -> Result<Vec<Target>, FitError> {
    let mut all: BTreeMap<(u8, i32, i32), Vec<u32>> = BTreeMap::new();
    for row in (0..design.n()).filter(|&it| untreated.determined[it]) {
        let (Some(cohort), Some(event)) = (setting.cohort[row], setting.event_time(design, row)) else {
            continue;
        };
        let period = design.periods[row];
        let within = wanted.lags.is_none_or(|lags| i64::from(event) <= i64::from(lags));
        let mut add = |kind: u8, a: i32, b: i32| all.entry((kind, a, b)).or_default().push(row as u32);
        if if setting.imputed[row] { within } else { (wanted.leads)(event) } {
            add(2, event, 0);
        }
        if 0 <= event {
            add(0, 0, 0);
            add(1, cohort, 0);
            add(3, period, 0);
            if wanted.group_time {
                add(4, cohort, period);
            }
        }
    }
    if !all.contains_key(&(0, 0, 0)) {
        return Err(nothing(untreated));
    }
    Ok(all.into_iter().map(|((kind, a, b), rows)| weighted(design, term(kind, a, b), rows)).collect())
}

/// Treated units and clusters behind averages, and behind leads that other rows of adopters give.
pub fn support(design: &Design<'_>, setting: &Setting, all: &[Target], leads: &[i32]) -> TreatedSupport {
    let rows = |it: &Target| TreatedRows::of(design, it.rows.iter().map(|it| it.0 as usize));
    let at = |time: i32| {
        let own = |row: &usize| !setting.imputed[*row] && setting.event_time(design, *row) == Some(time);
        TreatedRows::of(design, (0..design.n()).filter(own))
    };
    let overall = all.iter().find(|it| it.term == Term::Aggregate(None)).map(rows);
    let by_term: Vec<Option<TreatedRows>> =
        all.iter().map(|it| Some(rows(it))).chain(leads.iter().map(|it| Some(at(*it)))).collect();
    TreatedSupport::new(&overall.unwrap_or_else(|| TreatedRows::none(design)), &by_term)
}

fn term(kind: u8, a: i32, b: i32) -> Term {
    match kind {
        0 => Term::Aggregate(None),
        1 => Term::Cohort(a),
        2 => Term::EventTime(a),
        3 => Term::Period(a),
        _ => Term::GroupTime { cohort: a, period: b },
    }
}

fn weighted(design: &Design<'_>, term: Term, rows: Vec<u32>) -> Target {
    let weight = |row: u32| design.weight_values().map_or(1.0, |it| it[row as usize]);
    let total: f64 = rows.iter().map(|&it| weight(it)).sum();
    Target { term, rows: rows.into_iter().map(|it| (it, weight(it) / total)).collect() }
}

fn nothing(untreated: &Untreated<'_, '_>) -> FitError {
    let dropped = untreated.dropped_names();
    let why = if dropped.is_empty() {
        "each lies in a unit, a period or a part of the panel without untreated rows; add untreated rows, or take \
         effects out of the formula"
            .to_owned()
    } else {
        format!(
            "among untreated rows {} cannot be told from effects and other controls; take the treatment and what \
             moves with it out of the formula",
            dropped.join(", ")
        )
    };
    FitError::Model(format!("no treated row can be imputed: {why}"))
}

/// Adds to `psi` (units x targets) the deviations of rows from a centre: a (residual - centre).
pub fn add_deviations(
    design: &Design<'_>,
    residual: &[f64],
    (at, target): (usize, &Target),
    centre: impl Fn(usize) -> f64,
    psi: &mut Mat<f64>,
) {
    for (position, &(row, a)) in target.rows.iter().enumerate() {
        let unit = design.units.code[row as usize] as usize;
        psi[(unit, at)] += a * (residual[row as usize] - centre(position));
    }
}

/// What the reader has to know of treated rows that could not be imputed.
///
/// # Errors
/// When there are some and `autosample` is off.
pub fn left_out(
    design: &Design<'_>,
    setting: &Setting,
    untreated: &Untreated<'_, '_>,
    autosample: bool,
) -> Result<Option<Note>, FitError> {
    let rows: Vec<usize> =
        (0..design.n()).filter(|&it| setting.imputed[it] && !untreated.determined[it]).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let mut parts: Vec<String> = Vec::new();
    let mut explained = vec![false; design.n()];
    for effect in &design.effects {
        let mut seen = vec![false; effect.codes.n_groups()];
        untreated.rows.iter().for_each(|&row| seen[effect.codes.code[row] as usize] = true);
        let mut missing: Vec<u32> = Vec::new();
        for &row in &rows {
            let group = effect.codes.code[row];
            if !seen[group as usize] {
                explained[row] = true;
                missing.push(group);
            }
        }
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let names: Vec<String> =
                missing.iter().take(NAMED).map(|&it| effect.codes.labels.text(it as usize)).collect();
            let more = if NAMED < missing.len() { ", ..." } else { "" };
            parts.push(format!(
                "groups of `{}` without an untreated row: {} ({}{more})",
                effect.name,
                missing.len(),
                names.join(", ")
            ));
        }
    }
    let others = rows.iter().filter(|&&it| !explained[it]).count();
    if 0 < others {
        let first = rows.iter().find(|&&it| !explained[it]).map_or(String::new(), |&it| design.place(it));
        parts.push(format!("rows not tied to the effects of their groups: {others} ({first} first)"));
    }
    let text = format!("treated rows that cannot be imputed: {}; {}", rows.len(), parts.join("; "));
    match autosample {
        true => Ok(Some(Note::remark(format!("{text}; they are in no average")))),
        false => Err(FitError::Model(format!("{text}; leave them out with `autosample = true`"))),
    }
}

/// Groups that a note names.
const NAMED: usize = 5;

//! Laws about periods: what codes they are written in does not matter, and dates come from what is observed.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::{AbsorptionCache, Entry, Estimate, ModelSpec, SmallSample, Term, panel::TimeFormat};
use serde_json::Value;

use super::{contract::first_kind, fit, request, tables};
use crate::{Random, Table, close};

/// October of a year, so that most panels cross into the next.
const START: i32 = 2010 * 12 + 9;

fn month(year: i32) -> i32 {
    let count = START + year - 2001;
    100 * count.div_euclid(12) + count.rem_euclid(12) + 1
}

fn quarter(year: i32) -> i32 {
    let count = 2010 * 4 + 2 + year - 2001;
    10 * count.div_euclid(4) + count.rem_euclid(4) + 1
}

fn second_year(year: i32) -> i32 {
    2 * year - 2001
}

/// The table with other codes for its years, in the column of dates too.
fn coded(table: &Table, code: fn(i32) -> i32) -> Table {
    let mut coded =
        table.clone().with("cohort", |it| if it == 0.0 { it } else { f64::from(code(it as i32)) });
    coded.year.iter_mut().for_each(|it| *it = code(*it));
    coded
}

fn fit_as(
    entry: &Entry,
    table: &Table,
    spec: &ModelSpec,
    format: Option<TimeFormat>,
) -> Result<Estimate, String> {
    let panel = table.panel_as(format).map_err(|it| it.to_string())?;
    entry.fit(&panel, spec, &AbsorptionCache::default()).map_err(|it| it.to_string())
}

fn written(term: &Term, code: fn(i32) -> i32) -> Term {
    match term {
        Term::GroupTime { cohort, period } => {
            Term::GroupTime { cohort: code(*cohort), period: code(*period) }
        }
        Term::Cohort(it) => Term::Cohort(code(*it)),
        Term::Period(it) => Term::Period(code(*it)),
        it => it.clone(),
    }
}

/// How a period is written.
type OfPeriod = fn(i32) -> i32;

/// Declared codes give the numbers of consecutive periods under terms in codes; codes that nobody declared are refused.
pub fn codes(entry: &Entry) -> Result<(), String> {
    let spec = request(entry, first_kind(entry)?, SmallSample::FIXEST)?;
    for table in tables(entry) {
        let mut before = fit(entry, &table, &spec)?;
        let known = before.terms.clone();
        let forms: [(OfPeriod, Option<TimeFormat>); 3] = [
            (month, Some(TimeFormat::YearMonth)),
            (quarter, Some(TimeFormat::YearQuarter)),
            (second_year, None),
        ];
        for (code, format) in forms {
            let other = coded(&table, code);
            before.terms = known.iter().map(|it| written(it, code)).collect();
            close::matrices(&before, &fit_as(entry, &other, &spec, format)?, &close::SAME)
                .map_err(|it| format!("{format:?}: {it}"))?;
            match (format, fit_as(entry, &other, &spec, None)) {
                (Some(_), Ok(_)) => return Err(format!("codes of {format:?} pass for numbers")),
                (Some(_), Err(it)) if !it.contains("time-format") => return Err(it),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Where dates come from a treatment of zeros and ones with random holes, the numbers are those of the true dates on the
/// units whose date the holes leave alone, and the others are named. A value that is missing is a row that is absent.
pub fn holes(entry: &Entry) -> Result<(), String> {
    let mut spec = request(entry, first_kind(entry)?, SmallSample::FIXEST)?;
    let has = |it: &str| entry.schema().pointer(&format!("/properties/{it}")).is_some();
    if !(has("cohort") && has("treatment") && spec.options.contains_key("cohort")) {
        return Ok(());
    }
    let by_cohort = spec.clone();
    spec.options.remove("cohort");
    spec.options.insert("treatment".to_owned(), Value::from("d"));
    let whole = Table::balanced(19);
    let mut random = Random::new(20);
    let gone: Vec<bool> = (0..whole.len()).map(|_| random.uniform() < 0.12).collect();
    let there: Vec<usize> = (0..whole.len()).filter(|it| !gone[*it]).collect();
    let seen = seen(&whole.rows(&there));
    let fate = |table: &Table, row: usize| seen.get(&table.unit[row]).copied().unwrap_or(Fate::Unknown);
    let keep = |table: &Table, wanted: &dyn Fn(Fate) -> bool| -> Table {
        table.rows(&(0..table.len()).filter(|&row| wanted(fate(table, row))).collect::<Vec<_>>())
    };
    let absent = keep(&whole.rows(&there), &|it| it != Fate::Unknown);
    let mut missing = whole.clone();
    if let Some((_, d)) = missing.numbers.iter_mut().find(|it| it.0 == "d") {
        d.iter_mut().zip(&gone).filter(|it| *it.1).for_each(|it| *it.0 = f64::NAN);
    }
    let missing = keep(&missing, &|it| it != Fate::Unknown);
    let sure = keep(&absent, &|it| it == Fate::Dated);
    let found = fit(entry, &absent, &spec)?;
    close::matrices(&fit(entry, &sure, &by_cohort)?, &found, &close::REORDERED)?;
    close::matrices(&found, &fit(entry, &missing, &spec)?, &close::REORDERED)
        .map_err(|it| format!("a missing value is not an absent row: {it}"))?;
    let left = seen.values().filter(|it| **it == Fate::Hole).count();
    let said = found.notes.iter().any(|it| it.to_string().contains(&format!("{left} unit")));
    if left == 0 || !said {
        return Err(format!("{left} units with a hole, and notes say {:?}", found.notes));
    }
    Ok(())
}

/// What is seen of a unit's date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Its date, or that it has none.
    Dated,
    /// A window.
    Hole,
    /// Treated from the first row on, or never again seen: dates say more than the treatment.
    Unknown,
}

fn seen(table: &Table) -> BTreeMap<String, Fate> {
    let units: BTreeSet<&String> = table.unit.iter().collect();
    let of = |unit: &String| {
        let mut rows: Vec<usize> = (0..table.len()).filter(|&it| table.unit[it] == *unit).collect();
        rows.sort_by_key(|&it| table.year[it]);
        let first = rows.iter().position(|&it| table.column("d")[it] == 1.0);
        let fate = match first {
            None if table.column("cohort")[rows[0]] == 0.0 => Fate::Dated,
            None | Some(0) => Fate::Unknown,
            Some(at) if table.year[rows[at - 1]] + 1 == table.year[rows[at]] => Fate::Dated,
            Some(_) => Fate::Hole,
        };
        (unit.clone(), fate)
    };
    units.into_iter().map(of).collect()
}

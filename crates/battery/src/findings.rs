//! What a battery says, in words: which estimates disagree with two-way fixed effects, and what could be why.

mod words;

use std::collections::BTreeSet;

use parallax_base::{Note, counted};
use parallax_model::{
    Estimate, EventStudy, FEW_TREATED, Term, TreatedCount, linalg::rounding, vcov::std_error,
};

use crate::{Battery, BatteryPart, Difference, Member, REFERENCE};
use words::{p_text, percent, short};

/// Sentences with their numbers, the most important first.
pub fn findings(battery: &Battery) -> Vec<String> {
    let mut said: Vec<String> = battery.adoption.undated.iter().map(|it| undated(it)).collect();
    said.extend(effects(battery));
    said.extend(few_treated(battery));
    said.extend(disagreement(battery));
    said.extend(samples(battery));
    said.extend(adoption(battery));
    said.extend(diagnostics(battery));
    said.extend(path(battery));
    said.extend(pre_trends(battery));
    said.extend(placebo(battery));
    said.extend(failures(battery));
    said
}

fn undated(why: &str) -> String {
    format!("{why}. Estimators that need dates of adoption are not in the battery.")
}

/// The reference and the range of the others.
fn effects(battery: &Battery) -> Option<String> {
    let reference = battery.members.iter().find(|it| it.name == REFERENCE).and_then(Member::effect);
    let reference = reference.and_then(|(at, estimate)| {
        let row = estimate.rows(battery.spec.level).into_iter().nth(at)?;
        if row.treated.is_some_and(TreatedCount::few) {
            return Some(format!("Two-way fixed effects give {}", short(row.estimate)));
        }
        Some(format!(
            "Two-way fixed effects give {} ({})",
            short(row.estimate),
            match row.std_error.is_nan() {
                true => "without a standard error".to_owned(),
                false => format!(
                    "standard error {}, {}% interval {} to {}",
                    short(row.std_error),
                    percent(battery.spec.level),
                    short(row.conf_low),
                    short(row.conf_high)
                ),
            }
        ))
    });
    let others = battery.members.iter().filter(|it| it.name != REFERENCE);
    let mut others: Vec<(f64, &str)> =
        others.filter_map(|it| Some((it.effect().map(|(at, own)| own.coef[at])?, it.name))).collect();
    others.sort_by(|a, b| a.0.total_cmp(&b.0));
    let others = match others.as_slice() {
        [] => None,
        [(value, name)] => Some(format!("{name} gives {}", short(*value))),
        [(low, lowest), .., (high, highest)] => Some(format!(
            "the {} other estimators give {} ({lowest}) to {} ({highest})",
            others.len(),
            short(*low),
            short(*high)
        )),
    };
    let parts: Vec<String> = reference.into_iter().chain(others).collect();
    if parts.is_empty() { None } else { Some(capital(&parts.join("; ")) + ".") }
}

/// What stands on few treated units, which makes no finding of errors by formula.
fn few_treated(battery: &Battery) -> Option<String> {
    let counts = battery.members.iter().filter_map(|it| {
        let (at, estimate) = it.effect()?;
        estimate.treated_behind(at)
    });
    let fewest = counts.filter(|it| it.few()).min_by_key(|it| (it.clusters, it.units));
    let times = event_studies(battery).flat_map(|(_, study)| {
        let all: Vec<usize> = (0..study.times.len()).collect();
        let supported = study.supported(&all);
        all.into_iter().filter(|it| !supported.contains(it)).map(|it| study.times[it]).collect::<Vec<i32>>()
    });
    let times: BTreeSet<i32> = times.collect();
    let why = format!(
        "Standard errors, tests and intervals by formula are not valid with fewer than {FEW_TREATED} treated units or \
         treated clusters"
    );
    match (fewest, times.is_empty()) {
        (None, true) => None,
        (Some(it), _) => Some(format!(
            "{} {} behind an overall effect{}. {why}, and none of them is a finding here; a permutation test of random \
             adoption is valid.",
            counted(it.units, "treated unit"),
            if it.units == 1 { "stands" } else { "stand" },
            if it.clusters < it.units {
                format!(", in {}", counted(it.clusters, "treated cluster"))
            } else {
                String::new()
            }
        )),
        (None, false) => {
            let times: Vec<String> = times.iter().map(ToString::to_string).collect();
            Some(format!(
                "{why}. Effects at these event times have so few, and are in no finding: {}.",
                times.join(", ")
            ))
        }
    }
}

/// Differences beyond sampling error.
fn disagreement(battery: &Battery) -> Option<String> {
    let same: Vec<&str> = battery.differences.iter().filter(|it| it.same()).map(|it| it.name).collect();
    let few = |name: &str| battery.members.iter().any(|it| it.name == name && it.has_few_treated());
    let supported = |it: &&Difference| !few(it.name) && !few(REFERENCE);
    let tested: Vec<(&Difference, f64)> =
        battery.differences.iter().filter(supported).filter_map(|it| Some((it, it.p_value?))).collect();
    let size = 1.0 - battery.spec.level;
    let at = percent(size);
    let apart: Vec<String> = tested
        .iter()
        .filter(|it| it.1 < size)
        .map(|(it, p)| {
            let error = it.std_error.map_or(String::new(), |it| format!(", standard error {}", short(it)));
            format!("{} by {}{error}, {}", it.name, short(it.estimate), p_text(*p))
        })
        .collect();
    let mut text = match (tested.len(), apart.as_slice()) {
        (0, _) => String::new(),
        (n, []) => format!(
            "The effect of {} from that of two-way fixed effects by more than sampling error explains, at {at} \
             per cent.",
            if n == 1 {
                format!("{} does not differ", tested[0].0.name)
            } else {
                format!("none of {n} estimators differs")
            }
        ),
        (n, apart) => format!(
            "{} of {} {} from two-way fixed effects at {at} per cent: {}. Estimators weigh cohorts and \
             periods in their own ways, so a difference says that effects are not the same everywhere, or that \
             comparisons with units already treated count.",
            apart.len(),
            counted(n, "estimator"),
            if apart.len() == 1 { "differs" } else { "differ" },
            apart.join("; ")
        ),
    };
    if !same.is_empty() {
        let verb = if same.len() == 1 { "is" } else { "are" };
        let space = if text.is_empty() { "" } else { " " };
        text.push_str(&format!(
            "{space}On these data {} {verb} the same as two-way fixed effects.",
            same.join(", ")
        ));
    }
    if text.is_empty() { None } else { Some(text) }
}

/// Estimates from other rows than the reference's.
fn samples(battery: &Battery) -> Option<String> {
    let (_, reference) = battery.members.iter().find(|it| it.name == REFERENCE)?.effect()?;
    let other = |it: &Member| {
        let sample = &it.effect()?.1.sample;
        (sample.hash != reference.sample.hash).then(|| format!("{} {}", it.name, sample.rows_used))
    };
    let others: Vec<String> = battery.members.iter().filter_map(other).collect();
    if others.is_empty() {
        return None;
    }
    Some(format!(
        "Two-way fixed effects use {} rows; others use other rows, which is a part of their difference: {}.",
        reference.sample.rows_used,
        others.join(", ")
    ))
}

/// Who adopts, and who is left to compare with.
fn adoption(battery: &Battery) -> Vec<String> {
    let pattern = &battery.adoption;
    let mut said = Vec::new();
    if 0 < pattern.without_treatment {
        let rows = counted(pattern.without_treatment, "row");
        said.push(format!("{rows} without a value of the treatment are left out of every estimate."));
    }
    if let Some(first) = pattern.holes.first() {
        let [before, after] = first.window;
        said.push(format!(
            "{} left out of every estimate: the treatment is 0, then not observed, then 1, and adoption may lie anywhere \
             between, as that of {} after {before} and up to {after}; give dates with --cohort to use them.",
            match pattern.holes.len() {
                1 => "1 unit is".to_owned(),
                n => format!("{n} units are"),
            },
            first.unit
        ));
    }
    if pattern.undated.is_some() {
        return said;
    }
    let dates: Vec<i32> = pattern.adopting().map(|it| it.0).collect();
    let when = match dates.as_slice() {
        [] => "No adoption is seen between the first period and the last".to_owned(),
        [only] => format!("One cohort adopts, in {only}"),
        [first, .., last] => format!("{} cohorts adopt, from {first} to {last}", dates.len()),
    };
    said.push(match (pattern.untreated(), dates.last()) {
        (0, None) => format!("{when}."),
        (0, Some(last)) => format!(
            "{when}, and no unit stays untreated: from {last} on there is nobody untreated to compare with."
        ),
        (n, _) => format!("{when}; {} untreated as long as the panel lasts.", {
            let verb = if n == 1 { "stays" } else { "stay" };
            format!("{} {verb}", counted(n, "unit"))
        }),
    });
    if 0 < pattern.always {
        let (units, are) = (counted(pattern.always, "unit"), if pattern.always == 1 { "is" } else { "are" });
        said.push(format!(
            "{units} {are} treated from the first row on: there is no row before, and estimators that compare with \
             such rows leave them out."
        ));
    }
    said
}

/// What diagnostics remark.
fn diagnostics(battery: &Battery) -> Vec<String> {
    let found = battery.members.iter().filter(|it| it.is_diagnostic());
    let found = found.filter_map(|it| Some((it.name, &it.estimate.as_ref().ok()?.notes)));
    let remarks = |(name, notes): (&'static str, &Vec<Note>)| {
        let remarks = notes.iter().filter(|it| matches!(it, Note::Remark { .. }));
        remarks.map(|it| format!("{name}: {it}.")).collect::<Vec<_>>()
    };
    found.flat_map(remarks).collect()
}

/// Whether effects change with time since adoption, from the first estimator that has an overall effect and a path.
fn path(battery: &Battery) -> Option<String> {
    // Effects of a dose or of a treatment that ends follow the treatment, which changes by itself.
    if battery.adoption.undated.is_some() {
        return None;
    }
    let (member, study) = event_studies(battery).find(|it| it.0.effect().is_some())?;
    let lags = study.supported(&study.lags());
    let (&first, &last) = (lags.first()?, lags.last()?);
    let change = study.coef[last] - study.coef[first];
    if lags.len() < 2 {
        return None;
    }
    let mut weights = vec![0.0; study.coef.len()];
    (weights[first], weights[last]) = (-1.0, 1.0);
    let error = std_error(rounding::quadratic(&weights, study.vcov.as_ref()));
    let unknown = |at: usize| std_error(study.vcov[(at, at)]).is_nan();
    if unknown(first) || unknown(last) || error.is_nan() {
        return None;
    }
    let p = study.distribution_over(&[first, last]).p_value(change / error);
    let staggered = battery.adoption.staggered();
    let words = match (p < 1.0 - battery.spec.level, staggered) {
        (true, true) => {
            "Effects change with time since adoption: units treated earlier are then no valid controls for later \
             ones, and two-way fixed effects use them"
        }
        (true, false) => "Effects change with time since adoption",
        (false, _) => "No change of effects with time since adoption is seen",
    };
    Some(format!(
        "{words}: {} finds {} at event time {} and {} at {}, a change of {} ({}){}.",
        member.name,
        short(study.coef[first]),
        study.times[first],
        short(study.coef[last]),
        study.times[last],
        short(change),
        p_text(p),
        if staggered { "; fewer cohorts are seen at late event times" } else { "" }
    ))
}

/// Joint tests of leads.
fn pre_trends(battery: &Battery) -> Option<String> {
    let size = 1.0 - battery.spec.level;
    let tests: Vec<(&Member, f64)> = event_studies(battery)
        .filter_map(|(member, study)| {
            let leads = study.supported(&study.leads());
            if leads.is_empty() { None } else { Some((member, study.joint_test(&leads).ok()?.p_f)) }
        })
        .filter(|it| !it.1.is_nan())
        .collect();
    if tests.is_empty() {
        return None;
    }
    let rejected: Vec<&(&Member, f64)> = tests.iter().filter(|it| it.1 < size).collect();
    let at = percent(size);
    if rejected.is_empty() {
        let smallest = tests.iter().map(|it| it.1).fold(f64::INFINITY, f64::min);
        return Some(format!(
            "Leads do not reject parallel trends before adoption at {at} per cent ({}, smallest {}). That is no \
             proof: a test may have little power.",
            counted(tests.len(), "joint test"),
            p_text(smallest)
        ));
    }
    let named: Vec<String> = rejected.iter().map(|(it, p)| format!("{} ({})", it.name, p_text(*p))).collect();
    let mut text = format!(
        "Leads reject parallel trends before adoption at {at} per cent in {} of {}: {}. Where trends differ the \
         estimates are not of the treatment alone.",
        rejected.len(),
        counted(tests.len(), "joint test"),
        named.join(", ")
    );
    // A member with event times and no overall effect is the dynamic two-way regression.
    let mixed = rejected.iter().find(|it| it.0.part == BatteryPart::Effect(None));
    if let Some((member, _)) = mixed
        && battery.adoption.staggered()
    {
        text.push_str(&format!(
            " Leads of {} also mix in effects of other times where cohorts differ (Sun and Abraham 2021).",
            member.name
        ));
    }
    Some(text)
}

fn placebo(battery: &Battery) -> Option<String> {
    let stats = battery.members.iter().filter_map(|it| Some(&it.estimate.as_ref().ok()?.stats));
    let (p, draws) = stats.into_iter().find_map(|it| Some((it.get("p_permutation")?, it.get("draws")?)))?;
    Some(format!(
        "Held against {draws} draws of random adoption, the effect of two-way fixed effects has a permutation \
         p-value of {}.",
        short(p)
    ))
}

/// Members without the effect they are there for.
fn failures(battery: &Battery) -> Vec<String> {
    let why = |it: &Member| it.missing_effect().or_else(|| it.estimate.as_ref().err().cloned());
    let failed = battery.members.iter().filter_map(|it| Some((it.name, why(it)?)));
    failed.map(|(name, why)| format!("{name} gives no estimate: {}.", why.trim_end_matches('.'))).collect()
}

/// Members with event times.
fn event_studies(battery: &Battery) -> impl Iterator<Item = (&Member, EventStudy)> {
    let study = |it: &Estimate| {
        it.terms.iter().any(|it| matches!(it, Term::EventTime(_))).then(|| EventStudy::of(it))?
    };
    let members = battery.members.iter().filter(|it| !it.is_diagnostic());
    members.filter_map(move |it| Some((it, study(it.estimate.as_ref().ok()?)?)))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |it| it.to_uppercase().chain(letters).collect())
}

//! What a battery says, in words: which estimates disagree with two-way fixed effects, and what could be why.

use parallax_model::{Estimate, EventStudy, Term};

use crate::{Battery, Difference, Member, REFERENCE};

/// Sentences with their numbers, the most important first.
pub fn findings(battery: &Battery) -> Vec<String> {
    let mut said: Vec<String> = battery.adoption.undated.iter().map(|it| undated(it)).collect();
    said.extend(effects(battery));
    said.extend(disagreement(battery));
    said.extend(reasons(battery));
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
    let reference = battery.members.iter().find(|it| it.name == REFERENCE)?;
    let (at, estimate) = reference.effect()?;
    let row = estimate.rows(battery.spec.level).into_iter().nth(at)?;
    let mut text = format!(
        "Two-way fixed effects give {} (standard error {}, {}% interval {} to {})",
        short(row.estimate),
        short(row.std_error),
        100.0 * battery.spec.level,
        short(row.conf_low),
        short(row.conf_high)
    );
    let mut others: Vec<(f64, &str)> = battery
        .members
        .iter()
        .filter(|it| it.name != REFERENCE)
        .filter_map(|it| Some((it.effect().map(|(at, own)| own.coef[at])?, it.name)))
        .collect();
    others.sort_by(|a, b| a.0.total_cmp(&b.0));
    match others.as_slice() {
        [] => {}
        [(value, name)] => text.push_str(&format!("; {name} gives {}", short(*value))),
        [(low, lowest), .., (high, highest)] => text.push_str(&format!(
            "; the {} estimators that let effects differ between cohorts and periods give {} ({lowest}) to {} ({highest})",
            others.len(),
            short(*low),
            short(*high)
        )),
    }
    Some(text + ".")
}

/// Differences beyond sampling error.
fn disagreement(battery: &Battery) -> Option<String> {
    let tested: Vec<(&Difference, f64)> =
        battery.differences.iter().filter_map(|it| Some((it, it.p_value?))).collect();
    if tested.is_empty() {
        return None;
    }
    let size = 1.0 - battery.spec.level;
    let apart: Vec<String> = tested
        .iter()
        .filter(|it| it.1 < size)
        .map(|(it, p)| {
            let error = it.std_error.map_or(String::new(), |it| format!(", standard error {}", short(it)));
            format!("{} by {}{error}, p {}", it.name, short(it.estimate), short(*p))
        })
        .collect();
    let percent = round_percent(size);
    Some(if apart.is_empty() {
        format!(
            "None of {} estimators differs from two-way fixed effects by more than sampling error explains \
             (tests of the difference at {percent} per cent, with both estimates' influence functions on the same units).",
            tested.len()
        )
    } else {
        format!(
            "{} of {} estimators differ from two-way fixed effects at {percent} per cent: {}.",
            apart.len(),
            tested.len(),
            apart.join("; ")
        )
    })
}

/// What the diagnostics and the path of effects offer as an explanation.
fn reasons(battery: &Battery) -> Vec<String> {
    let mut said = Vec::new();
    if battery.adoption.undated.is_none() {
        let cohorts = battery.adoption.cohorts.iter().filter(|it| it.cohort.is_some()).count();
        let never = battery
            .adoption
            .cohorts
            .iter()
            .filter(|it| it.cohort.is_none())
            .map(|it| it.units)
            .sum::<usize>();
        said.push(format!(
            "{cohorts} {} and {never} units that are never treated{}.",
            if cohorts == 1 {
                "cohort adopts, all of it at once,"
            } else {
                "cohorts adopt at different times"
            },
            if never == 0 {
                ": every comparison in the last periods is with units already treated"
            } else {
                ""
            }
        ));
    }
    let diagnostics = battery.members.iter().filter(|it| it.is_diagnostic());
    for (member, estimate) in diagnostics.filter_map(|it| Some((it, it.estimate.as_ref().ok()?))) {
        said.extend(
            estimate
                .notes
                .iter()
                .map(ToString::to_string)
                .filter(|it| !it.starts_with("effects absorbed"))
                .map(|it| format!("{}: {it}.", member.name)),
        );
    }
    said.extend(path(battery));
    said
}

/// Whether effects change with time since adoption, from the first robust estimator that has a path.
fn path(battery: &Battery) -> Option<String> {
    let (member, study) = event_studies(battery).find(|it| it.0.effect().is_some())?;
    let lags = study.lags();
    let (&first, &last) = (lags.first()?, lags.last()?);
    if lags.len() < 2 {
        return None;
    }
    let change = study.coef[last] - study.coef[first];
    let variance = study.vcov[(first, first)] + study.vcov[(last, last)] - 2.0 * study.vcov[(first, last)];
    let p = study.distribution.p_value(change / variance.max(0.0).sqrt());
    let words = if p < 1.0 - battery.spec.level {
        "Effects change with time since adoption, so units treated earlier are no valid controls for later ones, and \
         two-way fixed effects, which use them, are biased by the change"
    } else {
        "No change of effects with time since adoption is seen, the case in which two-way fixed effects lose least"
    };
    Some(format!(
        "{words}: {} finds {} at event time {} and {} at {}, a change of {} (p {}).",
        member.name,
        short(study.coef[first]),
        study.times[first],
        short(study.coef[last]),
        study.times[last],
        short(change),
        short(p)
    ))
}

/// Joint tests of leads.
fn pre_trends(battery: &Battery) -> Option<String> {
    let size = 1.0 - battery.spec.level;
    let tests: Vec<(&str, f64)> = event_studies(battery)
        .filter_map(|(member, study)| {
            let leads = study.leads();
            if leads.is_empty() { None } else { Some((member.name, study.joint_test(&leads).ok()?.p_f)) }
        })
        .collect();
    if tests.is_empty() {
        return None;
    }
    let rejected: Vec<String> =
        tests.iter().filter(|it| it.1 < size).map(|(name, p)| format!("{name} (p {})", short(*p))).collect();
    let percent = round_percent(size);
    Some(if rejected.is_empty() {
        format!(
            "No joint test of leads rejects parallel trends before adoption at {percent} per cent ({} tests, smallest p {}). \
             That is no proof: a test may have little power.",
            tests.len(),
            short(tests.iter().map(|it| it.1).fold(f64::INFINITY, f64::min))
        )
    } else {
        format!(
            "Leads reject parallel trends before adoption at {percent} per cent in {} of {} tests: {}. The effects below \
             are then not of the treatment alone.",
            rejected.len(),
            tests.len(),
            rejected.join(", ")
        )
    })
}

fn placebo(battery: &Battery) -> Option<String> {
    let stats = battery.members.iter().filter_map(|it| it.estimate.as_ref().ok()).map(|it| &it.stats);
    let (p, draws) = stats.clone().find_map(|it| Some((it.get("p_permutation")?, it.get("draws")?)))?;
    Some(format!(
        "With adoption drawn at random {draws} times, a share of {} of the placebo estimates is at least as far from \
         zero as the actual one.",
        short(p)
    ))
}

fn failures(battery: &Battery) -> Vec<String> {
    let failed = battery.members.iter().filter_map(|it| Some((it.name, it.estimate.as_ref().err()?)));
    failed.map(|(name, why)| format!("{name} gave no estimate: {why}.")).collect()
}

/// Members with event times.
fn event_studies(battery: &Battery) -> impl Iterator<Item = (&Member, EventStudy)> {
    let study = |it: &Estimate| {
        it.terms.iter().any(|it| matches!(it, Term::EventTime(_))).then(|| EventStudy::of(it))?
    };
    battery.members.iter().filter_map(move |it| Some((it, study(it.estimate.as_ref().ok()?)?)))
}

fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    let magnitude = value.abs();
    if value == 0.0 || (0.01..1000.0).contains(&magnitude) {
        return if text == "-0.000" { "0.000".to_owned() } else { text };
    }
    if magnitude < 1e-4 && value != 0.0 { format!("{value:.1e}") } else { format!("{value:.4}") }
}

fn round_percent(share: f64) -> f64 {
    (1e6 * share).round() / 1e4
}

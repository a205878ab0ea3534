//! What the reader of the index should know.

use std::collections::BTreeSet;

use parallax_model::{Note, Panel};

use crate::{
    Benchmark, DeflatorKind, Denominator, NAME, Options, OutputKind, national::GrowthByPeriod, output::Output,
};

/// Names listed in a note; the rest is counted.
const NAMED: usize = 5;

pub(crate) fn of(panel: &Panel, options: &Options, nation: &GrowthByPeriod, output: &Output) -> Vec<Note> {
    let periods: BTreeSet<i32> = panel.dates().into_iter().collect();
    let mut texts = vec![definition(options, nation, &periods)];
    if !output.without_base.is_empty() {
        texts.push(format!(
            "{} of {} units have no score, because they have no `{}` in {}: {}",
            output.without_base.len(),
            panel.units().n_groups(),
            options.output,
            options.base,
            listed(&output.without_base)
        ));
    }
    texts.extend(unscored_periods(options, nation, &periods));
    if let Some(&first) = output.missing.first() {
        let deflator =
            options.deflator.as_ref().map(|it| format!(" or its deflator `{it}`")).unwrap_or_default();
        texts.push(format!(
            "{} rows have no score, because `{}`{deflator} is missing, the first one {}",
            output.missing.len(),
            options.output,
            panel.place(first)
        ));
    }
    if options.denominator == Denominator::Signed {
        texts.extend(negative_growth(nation, &periods));
    }
    texts.into_iter().map(|text| Note::Step { step: NAME.into(), text }).collect()
}

/// What was divided by what, with the range of the divisor: small ones make large scores.
fn definition(options: &Options, nation: &GrowthByPeriod, periods: &BTreeSet<i32>) -> String {
    let Options { output, national, base, .. } = options;
    let chained = match options.output_kind {
        OutputKind::Level => "",
        OutputKind::GrowthPercent | OutputKind::PreviousYear100 => " (annual growth, chained)",
    };
    let prices = match (&options.deflator, options.deflator_kind) {
        (None, _) => "taken as real".to_owned(),
        (Some(it), DeflatorKind::Level) => format!("deflated by the price level `{it}`"),
        (Some(it), DeflatorKind::InflationPercent) => format!("deflated by `{it}`, chained from {base}"),
    };
    let benchmark = match options.benchmark {
        Benchmark::SinceBase => format!("national growth since {base}"),
        Benchmark::Annual => "national growth of the year".to_owned(),
    };
    let mut text = format!(
        "growth of `{output}`{chained} since {base}, {prices}, against {benchmark} from `{national}`"
    );
    let used = || nation.iter().filter(|it| periods.contains(&it.0));
    let (low, high) = (used().min_by(|a, b| a.1.total_cmp(&b.1)), used().max_by(|a, b| a.1.total_cmp(&b.1)));
    if let (Some((low, least)), Some((high, most))) = (low, high) {
        text.push_str(&format!(", {:.2} % ({low}) to {:.2} % ({high})", 100.0 * least, 100.0 * most));
    }
    text
}

fn unscored_periods(options: &Options, nation: &GrowthByPeriod, periods: &BTreeSet<i32>) -> Vec<String> {
    let without: Vec<i32> = periods.iter().copied().filter(|&it| nation.at(it).is_none()).collect();
    let (early, unknown): (Vec<i32>, Vec<i32>) =
        without.into_iter().partition(|&it| match options.benchmark {
            Benchmark::SinceBase => it <= options.base,
            Benchmark::Annual => it < options.base,
        });
    let mut texts = Vec::new();
    if !early.is_empty() {
        let end = if options.benchmark == Benchmark::SinceBase { "up to" } else { "before" };
        texts.push(format!("no score {end} the base year {}: {}", options.base, listed(&early)));
    }
    if !unknown.is_empty() {
        let years = listed(&unknown);
        texts.push(format!(
            "no score in {years}, because `{}` does not give national growth there",
            options.national
        ));
    }
    texts
}

/// The formula has no absolute value in its denominator, so that the order of units turns over.
fn negative_growth(nation: &GrowthByPeriod, periods: &BTreeSet<i32>) -> Option<String> {
    let negative: Vec<i32> =
        nation.iter().filter(|it| it.1 < 0.0 && periods.contains(&it.0)).map(|it| it.0).collect();
    let years = listed(&negative);
    (!negative.is_empty()).then(|| {
        format!("national growth is negative in {years}, where higher scores mean less growth of the unit")
    })
}

fn listed<T: ToString>(items: &[T]) -> String {
    let mut text = items.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if NAMED < items.len() {
        text.push_str(&format!(" and {} more", items.len() - NAMED));
    }
    text
}

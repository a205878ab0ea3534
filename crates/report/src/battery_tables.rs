//! Tables of a battery: overall effects, effects by time since adoption, tests of leads, cohorts.

use std::collections::BTreeSet;

use parallax_battery::{Battery, Difference, Member, REFERENCE, Treatment};
use parallax_model::{BatteryPart, EventStudy, FEW_TREATED};

use crate::{
    Digits,
    table::{Cell, HeaderRow, Row, Table},
};

/// One line an estimator: the overall effect, and how far it is from two-way fixed effects.
pub fn effects_table(battery: &Battery, simulated: bool) -> Table {
    let mut table =
        Table::new("effects", format!("Effect of {} on {}", treatment(battery), battery.spec.outcome));
    table.simulated = simulated;
    let percent = (1e6 * battery.spec.level).round() / 1e4;
    table.header.push(HeaderRow::new([
        "Estimator",
        "Effect",
        "Std. error",
        &format!("{percent}% low"),
        &format!("{percent}% high"),
        "p",
        "Less TWFE",
        "Its error",
        "p",
        "Rows",
    ]));
    for member in reference_first(battery) {
        let difference = battery.differences.iter().find(|it| it.name == member.name);
        table.body.push(effect_row(battery, member, difference));
        if let Some(why) = member.missing_effect() {
            table.notes.push(format!("{}: {}.", member.name, why.trim_end_matches('.')));
        }
    }
    if !battery.differences.is_empty() {
        table.notes.push(
            "Less TWFE: the effect less that of two-way fixed effects. Its error comes from the influence functions of \
             both, summed within clusters, without a factor for small samples, and is held against the normal \
             distribution; the errors of the effects themselves have the factors of their own rules. 0 with error 0 \
             is the same estimate up to rounding."
                .to_owned(),
        );
    }
    table.notes.push(format!("Standard errors are clustered by {}.", cluster(battery)));
    table.notes.extend(weights(battery).map(|it| format!("Weights: {it}")));
    if battery.members.iter().any(Member::has_few_treated) {
        table.notes.push(few_note());
    }
    table
}

/// How rows were weighted, in a sentence; members that take no weights are in it.
pub(crate) fn weights(battery: &Battery) -> Option<String> {
    let column = battery.spec.weights.as_ref()?;
    let mut texts: Vec<String> = Vec::new();
    for member in &battery.members {
        let used = member.estimate.as_ref().ok().and_then(|it| it.sample.weights.as_ref());
        texts.extend(used.map(ToString::to_string).filter(|it| !texts.contains(it)));
    }
    if texts.is_empty() {
        texts.push(format!("weights {column}"));
    }
    Some(format!("{}.", texts.join("; ")))
}

/// Members with an overall effect, two-way fixed effects before the others.
pub(crate) fn reference_first(battery: &Battery) -> Vec<&Member> {
    let effects = battery.members.iter().filter(|it| matches!(it.part, BatteryPart::Effect(Some(_))));
    let (mut all, others): (Vec<_>, Vec<_>) = effects.partition(|it| it.name == REFERENCE);
    all.extend(others);
    all
}

/// The column that standard errors are clustered by.
pub(crate) fn cluster(battery: &Battery) -> &str {
    battery.spec.cluster.as_ref().unwrap_or(&battery.request.unit).as_str()
}

fn effect_row(battery: &Battery, member: &Member, difference: Option<&Difference>) -> Row {
    let found = member.effect().and_then(|(at, estimate)| {
        Some((estimate.rows(battery.spec.level).into_iter().nth(at)?, estimate.sample.rows_used))
    });
    let Some((row, rows)) = found else {
        let failed = std::iter::once(Cell::text("no estimate"));
        return Row::cells(member.name, failed.chain(std::iter::repeat_n(Cell::Empty, 8)));
    };
    let name =
        if member.has_few_treated() { format!("{} {FEW}", member.name) } else { member.name.to_owned() };
    let numbers = [row.estimate, row.std_error, row.conf_low, row.conf_high, row.p_value].map(significant);
    let away = match difference {
        None => [Cell::Empty, Cell::Empty, Cell::Empty],
        Some(it) => [
            significant(it.estimate),
            it.std_error.map_or(Cell::Empty, significant),
            it.p_value.map_or(Cell::Empty, significant),
        ],
    };
    let cells = numbers.into_iter().chain(away).chain([Cell::Count(rows as u64)]);
    Row::cells(name, cells)
}

/// Marks what has too few treated units or clusters behind it.
const FEW: &str = "\u{2020}";

fn few_note() -> String {
    format!(
        "{FEW} Fewer than {FEW_TREATED} treated units or treated clusters: standard errors, tests and intervals by formula \
         are not valid."
    )
}

/// Coefficients with their errors, a column an estimator.
pub(crate) fn event_table(battery: &Battery, simulated: bool) -> Option<Table> {
    let studies = event_studies(battery);
    if studies.is_empty() {
        return None;
    }
    let mut table = Table::new("event-times", "Effects by time since adoption");
    table.simulated = simulated;
    table.header.push(HeaderRow::new(std::iter::once("Time").chain(studies.iter().map(|it| it.0))));
    let times: BTreeSet<i32> =
        studies.iter().flat_map(|it| it.1.times.iter().chain(&it.1.window.references).copied()).collect();
    for time in times {
        let cells = studies.iter().map(|(_, study)| match study.times.iter().position(|it| *it == time) {
            Some(at) => coefficient(study, at),
            None if study.window.references.contains(&time) => Cell::text("0"),
            None => Cell::Empty,
        });
        table.body.push(Row::cells(time.to_string(), cells));
    }
    table.notes.extend(few_times(&studies));
    table.notes.push(
        "0 is a reference: an effect that is zero by choice. Estimators choose other references, so leads are not the same \
         quantity in every column; each estimator's page says which."
            .to_owned(),
    );
    for (name, study) in &studies {
        let window = &study.window;
        let binned = [(window.binned_below, "earlier"), (window.binned_above, "later")];
        let binned = binned.iter().filter_map(|(it, what)| Some(format!("{} all {what} ones", (*it)?)));
        let binned: Vec<String> = binned.collect();
        if !binned.is_empty() {
            table.notes.push(format!("Event times of {name} that hold others too: {}.", binned.join(", ")));
        }
    }
    Some(table)
}

/// Event times that rest on few treated units in some column, with the columns.
fn few_times(studies: &[(&'static str, EventStudy)]) -> Option<String> {
    let few = |(name, study): &(&'static str, EventStudy)| {
        let all: Vec<usize> = (0..study.times.len()).collect();
        let supported = study.supported(&all);
        let times: Vec<String> =
            all.iter().filter(|it| !supported.contains(it)).map(|it| study.times[*it].to_string()).collect();
        (!times.is_empty()).then(|| format!("{name} {}", times.join(", ")))
    };
    let named: Vec<String> = studies.iter().filter_map(few).collect();
    (!named.is_empty()).then(|| {
        format!(
            "Errors by formula are not valid where fewer than {FEW_TREATED} treated units or treated clusters stand behind an \
             effect: {}.",
            named.join("; ")
        )
    })
}

fn coefficient(study: &EventStudy, at: usize) -> Cell {
    let std_error = parallax_model::vcov::std_error(study.vcov[(at, at)]);
    Cell::Coefficient {
        estimate: study.coef[at],
        std_error,
        stars: 0,
        p_value: study.distributions[at].p_value(study.coef[at] / std_error),
        digits: Digits::Significant(4),
    }
}

/// Joint tests that leads are zero, and critical values of bands.
pub(crate) fn leads_table(battery: &Battery, simulated: bool) -> Option<Table> {
    let studies: Vec<_> = event_studies(battery).into_iter().filter(|it| !it.1.leads().is_empty()).collect();
    if studies.is_empty() {
        return None;
    }
    let mut table = Table::new("pre-trends", "Joint tests of leads");
    table.simulated = simulated;
    table.header.push(HeaderRow::new(["Estimator", "Leads", "chi2", "p", "F", "p of F", "Simultaneous"]));
    for (name, study) in &studies {
        let leads = study.leads();
        let cells = match study.joint_test(&leads) {
            Ok(it) => [it.chi2, it.p_chi2, it.f, it.p_f].map(significant),
            Err(_) => [const { Cell::Empty }; 4],
        };
        let critical = significant(study.simultaneous_critical(battery.spec.level));
        let all = std::iter::once(Cell::Count(leads.len() as u64)).chain(cells).chain([critical]);
        table.body.push(Row::cells(*name, all));
    }
    table.notes.push(
        "Simultaneous: the critical value of the band over all event times. A test that does not reject is no proof of \
         parallel trends."
            .to_owned(),
    );
    Some(table)
}

/// Sizes of cohorts.
pub(crate) fn cohorts_table(battery: &Battery, simulated: bool) -> Option<Table> {
    let pattern = &battery.adoption;
    if pattern.cohorts.is_empty() {
        return None;
    }
    let mut table = Table::new("cohorts", "Cohorts");
    table.simulated = simulated;
    table.header.push(HeaderRow::new(["First treated", "Units", "Rows", "Treated rows"]));
    for cohort in &pattern.cohorts {
        let treated = |at: usize| cohort.cohort.is_some_and(|it| it <= pattern.periods[at]);
        let of_treated: usize =
            cohort.rows.iter().enumerate().filter(|it| treated(it.0)).map(|it| it.1).sum();
        let counts = [cohort.units, cohort.rows.iter().sum(), of_treated].map(|it| Cell::Count(it as u64));
        let label = cohort.cohort.map_or("never".to_owned(), |it| it.to_string());
        table.body.push(Row::cells(label, counts));
    }
    if 0 < pattern.always {
        table.notes.push(format!("Treated from their first row on: {} units.", pattern.always));
    }
    if !pattern.holes.is_empty() {
        let text = "Left out, because the treatment is not observed where it begins";
        table.notes.push(format!("{text}: {} units.", pattern.holes.len()));
    }
    if 0 < pattern.without_treatment {
        table
            .notes
            .push(format!("Left out, because the treatment is missing: {} rows.", pattern.without_treatment));
    }
    Some(table)
}

/// Members with event times, two-way fixed effects' among them.
pub(crate) fn event_studies(battery: &Battery) -> Vec<(&'static str, EventStudy)> {
    let study = |it: &Member| Some((it.name, EventStudy::of(it.estimate.as_ref().ok()?)?));
    battery.members.iter().filter(|it| !it.is_diagnostic()).filter_map(study).collect()
}

/// The treatment as titles call it.
pub(crate) fn treatment(battery: &Battery) -> String {
    match &battery.spec.treatment {
        Treatment::ByRow(it) => it.to_string(),
        Treatment::Cohort(it) => format!("adoption ({it})"),
    }
}

fn significant(value: f64) -> Cell {
    Cell::Number { value, digits: Digits::Significant(4) }
}

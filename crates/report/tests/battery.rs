//! The report of a battery: every member in table, figure, document and JSON, whatever became of it.
#![allow(clippy::unwrap_used, reason = "helpers of tests stand outside the functions the lint exempts")]

use parallax_base::{Name, Note};
use parallax_battery::{
    AdoptionPattern, Battery, BatterySpec, CohortRow, Difference, Member, REFERENCE, Treatment,
};
use parallax_model::panel::Rows;
use parallax_model::{
    BatteryPart, BatteryRequest, Detail, Distribution, Estimate, EventWindow, Formula, Mat, ModelSpec,
    SampleReport, SingletonPolicy, SmallSample, Statistics, Term, Vcov, VcovSpec, WeightKind,
};
use parallax_report::{Format, Item, battery_document, battery_json, effects_table, render};

fn estimate(terms: Vec<(Term, f64)>) -> Estimate {
    let k = terms.len();
    let mut stats = Statistics::default();
    stats.set("level", 0.95);
    Estimate {
        estimator: "test",
        outcome: "y".into(),
        coef: terms.iter().map(|it| it.1).collect(),
        terms: terms.into_iter().map(|it| it.0).collect(),
        vcov: Vcov::by_formula(
            Mat::from_fn(k, k, |i, j| if i == j { 0.04 } else { 0.0 }),
            &VcovSpec::Cluster { by: vec!["id".into()] },
            60,
        ),
        distribution: Distribution::Normal,
        distributions: Vec::new(),
        sample: SampleReport {
            rows_in: 60,
            rows_used: 60,
            units: Some(10),
            dropped: Vec::new(),
            hash: "all".to_owned(),
            singletons: SingletonPolicy::Drop,
            rows: Rows::All(60),
            observations: 60,
            periods: None,
            clusters: Vec::new(),
            weights: None,
        },
        effects: Vec::new(),
        stats,
        event: None,
        treated: None,
        details: Vec::new(),
        influence: None,
        notes: vec![Note::remark("never treated units are the controls")],
    }
}

fn path(effect: f64) -> Estimate {
    let times = [(-2, 0.1), (0, effect), (1, effect + 0.5)];
    let mut terms = vec![(Term::Aggregate(None), effect)];
    terms.extend(times.map(|it| (Term::EventTime(it.0), it.1)));
    let event = Some(EventWindow { references: vec![-1], ..EventWindow::default() });
    Estimate { event, ..estimate(terms) }
}

fn member(name: &'static str, part: BatteryPart, estimate: Result<Estimate, String>) -> Member {
    let model = ModelSpec {
        estimator: name.to_owned(),
        formula: Formula::parse("y ~ 1").unwrap(),
        weights: None,
        weight_kind: WeightKind::Analytic,
        vcov: "cluster:id".parse().unwrap(),
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: serde_json::Map::new(),
    };
    Member { name, summary: "A line", part, model, estimate }
}

fn decomposition() -> Estimate {
    let kinds = ["treated v never", "later v earlier", "treated v never"].map(str::to_owned).to_vec();
    let detail = Detail::new("decomposition", "Comparisons")
        .text("kind", "Kind", kinds)
        .number("weight", "Weight", vec![0.5, 0.2, 0.3])
        .number("estimate", "Estimate", vec![1.0, -1.0, 2.0]);
    let long = Detail::new("long", "Long table").number("a", "A", vec![1.0; 61]);
    Estimate { details: vec![detail, long], ..estimate(vec![(Term::Slope("d".into()), 0.9)]) }
}

/// Two-way fixed effects, members that agree, are the same, failed or lack their effect, and a diagnostic.
fn battery() -> Battery {
    let att = || BatteryPart::Effect(Some(Term::Aggregate(None)));
    let slope = BatteryPart::Effect(Some(Term::Slope("d".into())));
    let name = |it: &str| Name::from(it);
    let differences =
        [("agrees", 0.1, Some(0.2), Some(0.6)), ("bare", 0.3, None, None), ("same", 0.0, Some(0.0), None)]
            .map(|(name, estimate, std_error, p_value)| Difference { name, estimate, std_error, p_value });
    Battery {
        spec: BatterySpec {
            outcome: name("y"),
            treatment: Treatment::Cohort(name("first")),
            covariates: vec![name("x")],
            cluster: None,
            weights: None,
            small_sample: SmallSample::FIXEST,
            level: 0.9,
        },
        request: BatteryRequest {
            outcome: name("y"),
            unit: name("id"),
            time: name("t"),
            cohort: Some(name("first")),
            treatment: name("treated"),
            covariates: vec![name("x")],
        },
        adoption: AdoptionPattern {
            periods: vec![1, 2, 3],
            cohorts: vec![
                CohortRow { cohort: Some(2), units: 4, rows: vec![4, 4, 2] },
                CohortRow { cohort: None, units: 6, rows: vec![6, 6, 6] },
            ],
            undated: None,
            always: 0,
            without_treatment: 0,
            holes: Vec::new(),
        },
        members: vec![
            member("agrees", att(), Ok(path(1.0))),
            member("bare", att(), Ok(path(1.2))),
            member("comparisons", BatteryPart::Diagnostic, Ok(decomposition())),
            member("dynamic", BatteryPart::Effect(None), Ok(path(0.8))),
            member("failed", att(), Err("no unit is never treated; use other controls".to_owned())),
            member(REFERENCE, slope, Ok(estimate(vec![(Term::Slope("d".into()), 0.9)]))),
            member("lacking", att(), Ok(estimate(vec![(Term::EventTime(0), 0.9)]))),
            member("same", att(), Ok(path(0.9))),
        ],
        differences: differences.to_vec(),
    }
}

#[test]
fn the_table_has_two_way_fixed_effects_first_and_every_reason() {
    let text = render(&effects_table(&battery(), true), Format::Csv);
    let rows: Vec<&str> = text.lines().map(|it| it.split(',').next().unwrap()).collect();
    assert_eq!(rows[2..8], [REFERENCE, "agrees", "bare", "failed", "lacking", "same"]);
    let line = |name: &str| text.lines().find(|it| it.starts_with(name)).unwrap();
    assert_eq!(line("agrees"), "agrees,1,0.2,0.671,1.329,5.733e-7,0.1,0.2,0.6,60");
    assert!(line("bare").ends_with(",0.3,,,60"), "{}", line("bare"));
    assert!(line("same").ends_with(",0,0,,60"), "{}", line("same"));
    assert!(line("failed").starts_with("failed,no estimate,,"));
    let notes = render(&effects_table(&battery(), true), Format::Text).replace('\n', " ");
    assert!(notes.contains("failed: no unit is never treated; use other controls."), "{notes}");
    assert!(notes.contains("lacking: the estimate has no term `att`"), "{notes}");
    assert!(!text.contains("NaN"));
}

#[test]
fn the_document_has_every_part() {
    let document = battery_document(&battery(), &[], true, &["simulated".to_owned()]);
    let titles: Vec<&str> = document.sections.iter().map(|it| it.title.as_str()).collect();
    assert_eq!(titles, ["Findings", "Effects", "Event studies", "Adoption", "Diagnostics", "Estimators"]);
    let id = |it: &Item| match it {
        Item::Table(it) => format!("table {}", it.id),
        Item::Figure(it) => format!("figure {}", it.id),
        Item::Comparison(it) => format!("comparison {}", it.table),
    };
    let items: Vec<String> = document.sections.iter().flat_map(|it| it.items.iter().map(id)).collect();
    assert_eq!(
        items,
        [
            "table effects",
            "figure effects-figure",
            "figure event-studies-figure",
            "table event-times",
            "table pre-trends",
            "figure adoption-figure",
            "table cohorts",
            "figure comparisons-figure",
            "table comparisons-decomposition",
        ]
    );
    let long = document.sections[4].paragraphs.join(" ");
    assert!(long.contains("Long table: 61 rows, in the JSON file."), "{long}");
    let outputs = document.outputs("did").unwrap();
    for ending in ["did.html", "did.docx", "did.tex", "effects-figure.png", "comparisons-figure.png"] {
        assert!(outputs.iter().any(|it| it.path.ends_with(ending)), "no {ending}");
    }
    let page = String::from_utf8(outputs[0].bytes.clone()).unwrap();
    for part in ["failed", "lacking", "treated is 1 from first on", "simulated"] {
        assert!(page.contains(part), "no `{part}` in the page");
    }
}

#[test]
fn intervals_of_the_event_studies_have_the_level_that_was_asked_for() {
    let document = battery_document(&battery(), &[], false, &[]);
    let figure = document.sections[2].items.iter().find_map(|it| match it {
        Item::Figure(it) => Some(it),
        _ => None,
    });
    let text = render(&figure.unwrap().table(), Format::Csv);
    let half = 0.2 * Distribution::Normal.critical(0.9);
    let expected = format!("0,1.0000,{:.4},{:.4}", 1.0 - half, 1.0 + half);
    assert!(text.lines().any(|it| it.starts_with(&expected)), "no {expected} in {text}");
}

#[test]
fn json_has_every_member_with_its_fate() {
    let json = battery_json(&battery(), true, &[]);
    let members = json["members"].as_array().unwrap();
    let names: Vec<&str> = members.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["agrees", "bare", "comparisons", "dynamic", "failed", REFERENCE, "lacking", "same"]);
    for it in members {
        let (name, failed) = (it["name"].as_str().unwrap(), !it["failed"].is_null());
        assert_eq!(failed, ["failed", "lacking"].contains(&name), "{name}");
        assert_eq!(it["estimate"].is_null(), name == "failed", "{name}");
        assert_eq!(it["part"] == "diagnostic", name == "comparisons", "{name}");
    }
    assert_eq!(json["treatment"], "first");
    assert_eq!(json["level"], 0.9);
    assert_eq!(json["differences"][2]["same"], true);
    assert!(json["differences"][1]["std_error"].is_null());
    assert_eq!(json["cohorts"][0]["rows"][2], 2);
}

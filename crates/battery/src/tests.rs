//! Differences against their definition, and each sentence against its condition.

use parallax_base::{Name, Note};
use parallax_linear as _;
use parallax_model::{
    AbsorptionCache, BatteryPart, BatteryRequest, Distribution, Entry, Estimate, Formula, InfluenceFunctions,
    Mat, ModelSpec, Panel, SampleReport, SingletonPolicy, SmallSample, Statistics, Term, Vcov, VcovSpec,
    WeightKind, inventory,
};
use parallax_panel::{Codes, Column, PanelBuilder, Rows};
use serde_json::Map;

use crate::{
    AdoptionPattern, Battery, BatterySpec, CohortRow, Difference, Member, REFERENCE, Treatment,
    difference::{cluster_of_units, from_reference},
    findings,
};

fn spec(formula: &str) -> ModelSpec {
    ModelSpec {
        estimator: "fixed-effects".to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: None,
        weight_kind: WeightKind::Analytic,
        vcov: "cluster:g".parse().unwrap(),
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: Map::new(),
    }
}

/// Terms with coefficients and variances, without anything else.
fn estimate(terms: &[(Term, f64, f64)]) -> Estimate {
    let k = terms.len();
    let matrix = Mat::from_fn(k, k, |i, j| if i == j { terms[i].2 } else { 0.0 });
    Estimate {
        estimator: "test",
        outcome: "y".into(),
        terms: terms.iter().map(|it| it.0.clone()).collect(),
        coef: terms.iter().map(|it| it.1).collect(),
        vcov: Vcov::by_formula(matrix, &VcovSpec::Cluster { by: vec!["id".into()] }, 100),
        distribution: Distribution::Normal,
        distributions: Vec::new(),
        sample: SampleReport {
            rows_in: 100,
            rows_used: 100,
            units: Some(10),
            dropped: Vec::new(),
            hash: "all".to_owned(),
            singletons: SingletonPolicy::Drop,
            rows: Rows::All(100),
            observations: 100,
            periods: None,
            clusters: Vec::new(),
            weights: None,
        },
        effects: Vec::new(),
        stats: Statistics::default(),
        event: None,
        treated: None,
        details: Vec::new(),
        influence: None,
        notes: Vec::new(),
    }
}

fn att(effect: f64) -> Estimate {
    estimate(&[(Term::Aggregate(None), effect, 0.01)])
}

/// An outcome that covariates and effects make is refused; an exact fit that the treatment has a part in is not.
#[test]
fn an_outcome_made_of_covariates_is_refused() {
    let own = battery(Vec::new(), &TWO);
    let refused = |effect: f64, variance: f64, within: f64| {
        let terms = [(Term::Slope("d".into()), effect, variance), (Term::Slope("x".into()), 1.0, 1e-32)];
        let mut estimate = estimate(&terms);
        estimate.stats.set("r2_within", within);
        let part = BatteryPart::Effect(Some(Term::Slope("d".into())));
        let member = Member { part, ..member(REFERENCE, Ok(estimate)) };
        crate::refuse_exact(&[member], &own.request).is_err()
    };
    assert!(refused(1e-17, 1e-34, 1.0));
    assert!(!refused(2.0, 1e-34, 1.0) && !refused(1e-17, 1e-34, 0.9));
}

/// An overall effect with effects at event times -2, 0 and 3.
fn path(leads: f64, first: f64, last: f64) -> Estimate {
    let at = |time, effect| (Term::EventTime(time), effect, 0.01);
    estimate(&[(Term::Aggregate(None), 1.0, 0.01), at(-2, leads), at(0, first), at(3, last)])
}

fn member(name: &'static str, estimate: Result<Estimate, String>) -> Member {
    let part = BatteryPart::Effect(Some(Term::Aggregate(None)));
    Member { name, summary: "one", part, model: spec("y ~ d | id + t"), estimate }
}

fn battery(members: Vec<Member>, dates: &[Option<i32>]) -> Battery {
    let cohorts = dates.iter().map(|it| CohortRow { cohort: *it, units: 5, rows: vec![5; 6] }).collect();
    let name = |it: &str| Name::from(it);
    Battery {
        spec: BatterySpec {
            outcome: name("y"),
            treatment: Treatment::ByRow(name("d")),
            covariates: Vec::new(),
            cluster: None,
            weights: None,
            small_sample: SmallSample::FIXEST,
            level: 0.95,
        },
        request: BatteryRequest {
            outcome: name("y"),
            unit: name("id"),
            time: name("t"),
            cohort: Some(name("cohort")),
            treatment: name("d"),
            covariates: Vec::new(),
        },
        adoption: AdoptionPattern {
            periods: (1..=6).collect(),
            cohorts,
            undated: None,
            always: 0,
            without_treatment: 0,
            holes: Vec::new(),
        },
        differences: Vec::new(),
        members,
    }
}

fn difference(name: &'static str, estimate: f64, std_error: f64, p_value: Option<f64>) -> Difference {
    Difference { name, estimate, std_error: Some(std_error), p_value }
}

const TWO: [Option<i32>; 3] = [Some(3), Some(5), None];

#[test]
fn the_error_of_a_difference_is_that_of_both_regressions_at_once() {
    let panel = irregular_panel();
    let (with, without) = ("y ~ d + x | id + t", "y ~ d | id + t");
    let entry = inventory::iter::<Entry>().find(|it| it.meta.plugin.name == REFERENCE).unwrap();
    let cache = AbsorptionCache::default();
    let of = |name, formula: &str| {
        let part = BatteryPart::Effect(Some(Term::Slope("d".into())));
        let estimate = entry.fit_with_influence(&panel, &spec(formula), &cache).unwrap();
        Member { part, ..member(name, Ok(estimate)) }
    };
    let members = [of(REFERENCE, with), of("without", without)];
    for cluster in ["id", "g"] {
        let of_unit = cluster_of_units(&panel, &cluster.into()).unwrap();
        let found = from_reference(&members, &of_unit).remove(0);
        let (a, psi_a) = by_dummies(&panel, true);
        let (b, psi_b) = by_dummies(&panel, false);
        let mut sums = [0.0; 12];
        for (unit, (own, base)) in psi_b.iter().zip(&psi_a).enumerate() {
            sums[of_unit[unit]] += own - base;
        }
        let error = sums.iter().map(|it| it * it).sum::<f64>().sqrt();
        assert!((found.estimate - (b - a)).abs() < 1e-10, "{found:?}");
        assert!((found.std_error.unwrap() / error - 1.0).abs() < 1e-8, "{found:?} against {error}");
        let p = Distribution::Normal.p_value(found.estimate / error);
        assert!((found.p_value.unwrap() - p).abs() < 1e-8);
    }
    let cut = cluster_of_units(&panel, &"t".into()).unwrap_err().to_string();
    assert!(cut.contains("cluster `t` changes within a unit at id 1, t 2"), "{cut}");
}

/// As an estimator gives it whose errors are only rounding.
fn without_error(mut member: Member) -> Member {
    if let Ok(it) = &mut member.estimate {
        it.vcov.matrix = Mat::zeros(1, 1);
    }
    member
}

#[test]
fn equal_estimates_differ_by_exactly_nothing() {
    let with_psi = |name, effect: f64, psi: [f64; 3]| {
        let values = Mat::from_fn(3, 1, |unit, _| psi[unit]);
        let influence = Some(InfluenceFunctions { values, units: vec![0, 1, 2] });
        member(name, Ok(Estimate { influence, ..att(effect) }))
    };
    let of_unit = [0, 1, 1];
    let members = [
        with_psi(REFERENCE, 2.0, [0.1, -0.2, 0.1]),
        with_psi("rounding", 2.0 + 1e-12, [0.1, -0.2 + 1e-15, 0.1]),
        with_psi("shifted", 2.5, [0.1, -0.2, 0.1]),
        with_psi("same-in-clusters", 2.1, [0.1, 0.2, -0.3]),
        with_psi("other", 2.1, [0.2, -0.2, 0.1]),
        // Two forms of one estimate whose errors follow other conventions, and a fit without a residual, which has no error.
        with_psi("coincident", 2.0, [0.15, -0.2, 0.1]),
        without_error(with_psi("exact", 2.3, [0.0, 1e-16, 0.0])),
        member("without", Ok(att(2.1))),
        member("failed", Err("no".to_owned())),
        member("not-a-number", Ok(att(f64::NAN))),
    ];
    let found = from_reference(&members, &of_unit);
    let at = |name: &str| found.iter().find(|it| it.name == name).unwrap();
    assert!(at("rounding").same() && at("rounding").p_value.is_none());
    assert!(!at("shifted").same());
    assert_eq!((at("shifted").std_error, at("shifted").p_value), (Some(0.0), None));
    assert_eq!((at("same-in-clusters").std_error, at("same-in-clusters").p_value), (Some(0.0), None));
    assert!((at("other").std_error.unwrap() - 0.1).abs() < 1e-15);
    assert_eq!((at("without").std_error, at("without").p_value), (None, None));
    assert!((at("without").estimate - 0.1).abs() < 1e-12);
    assert!(at("coincident").same());
    assert_eq!((at("exact").std_error, at("exact").p_value), (None, None));
    assert_eq!(found.len(), 7);
}

#[test]
fn effects_are_given_as_a_range() {
    let twfe = || member(REFERENCE, Ok(att(1.0)));
    let first = |members| findings(&battery(members, &TWO)).remove(0);
    assert_eq!(
        first(vec![twfe()]),
        "Two-way fixed effects give 1.000 (standard error 0.100, 95% interval 0.804 to 1.196)."
    );
    assert!(first(vec![twfe(), member("a", Ok(att(2.0)))]).ends_with("; a gives 2.000."));
    let three = vec![twfe(), member("a", Ok(att(2.0))), member("b", Ok(att(-1.0)))];
    assert!(first(three).ends_with("the 2 other estimators give -1.000 (b) to 2.000 (a)."));
    let failed = vec![member(REFERENCE, Err("why.".to_owned())), member("a", Ok(att(2.0)))];
    let said = findings(&battery(failed, &TWO));
    assert_eq!(said[0], "A gives 2.000.");
    assert_eq!(said.last().unwrap(), "fixed-effects gives no estimate: why.");
}

#[test]
fn differences_are_told_from_identity() {
    let mut own = battery(vec![member(REFERENCE, Ok(att(1.0)))], &TWO);
    let says = |own: &Battery, part: &str| findings(own).iter().any(|it| it.contains(part));
    assert!(!says(&own, "differ"));
    own.differences = vec![difference("a", 0.1, 0.1, Some(0.3))];
    assert!(says(&own, "The effect of a does not differ"));
    own.differences.push(difference("b", 0.3, 0.1, Some(0.0027)));
    assert!(says(&own, "1 of 2 estimators differs from two-way fixed effects at 5 per cent: b by 0.300"));
    own.differences = vec![difference("c", 0.0, 0.0, None)];
    assert!(says(&own, "On these data c is the same as two-way fixed effects."));
    assert!(!says(&own, "NaN"));
    own.spec.level = 0.999;
    own.differences = vec![difference("b", 0.3, 0.1, Some(0.0027)), difference("a", 0.1, 0.1, Some(0.3))];
    assert!(says(&own, "of none of 2 estimators differs"));
}

#[test]
fn other_rows_are_said() {
    let mut other = att(1.0);
    other.sample.hash = "less".to_owned();
    other.sample.rows_used = 90;
    let said = findings(&battery(vec![member(REFERENCE, Ok(att(1.0))), member("a", Ok(other))], &TWO));
    assert!(
        said.iter().any(|it| it.starts_with("Two-way fixed effects use 100 rows") && it.contains("a 90"))
    );
    let same = findings(&battery(vec![member(REFERENCE, Ok(att(1.0))), member("a", Ok(att(1.0)))], &TWO));
    assert!(!same.iter().any(|it| it.contains("other rows")));
}

#[test]
fn adoption_is_described_as_it_is() {
    let about = |dates: &[Option<i32>]| findings(&battery(Vec::new(), dates)).join(" ");
    let late = about(&[Some(3), Some(9), None]);
    assert!(late.contains("One cohort adopts, in 3; 10 units stay untreated as long as the panel lasts."));
    assert!(about(&[Some(2), Some(4)]).contains("no unit stays untreated: from 4 on there is nobody"));
    let mut own = battery(Vec::new(), &TWO);
    own.adoption.always = 1;
    own.adoption.without_treatment = 2;
    let said = findings(&own).join(" ");
    assert!(said.contains("2 rows without a value of the treatment are left out"), "{said}");
    assert!(said.contains("1 unit is treated from the first row on"), "{said}");
    own.adoption.undated = Some("`d` is 2".to_owned());
    let said = findings(&own);
    assert_eq!(said[0], "`d` is 2. Estimators that need dates of adoption are not in the battery.");
    assert!(!said.join(" ").contains("cohorts adopt"));
}

#[test]
fn a_path_is_a_reason_only_where_adoption_is_staggered() {
    let about = |estimate, dates: &[Option<i32>]| findings(&battery(vec![member("a", Ok(estimate))], dates));
    let has = |said: &[String], part: &str| said.iter().any(|it| it.contains(part));
    let staggered = about(path(0.0, 1.0, 3.0), &TWO);
    assert!(has(&staggered, "no valid controls for later ones"), "{staggered:?}");
    assert!(has(&staggered, "a finds 1.000 at event time 0 and 3.000 at 3, a change of 2.000 (p < 0.0001)"));
    let once = about(path(0.0, 1.0, 3.0), &[Some(3), None]);
    assert!(has(&once, "Effects change with time since adoption: a finds") && !has(&once, "valid controls"));
    assert!(has(&about(path(0.0, 1.0, 1.1), &TWO), "No change of effects"));
    // An effect without a known error says nothing of a change, nor do effects that follow a dose.
    let change = "change with time since adoption";
    let mut uncertain = path(0.0, 1.0, 3.0);
    uncertain.vcov.matrix[(3, 3)] = 0.0;
    assert!(!about(uncertain, &TWO).iter().any(|it| it.contains(change)));
    let mut dose = battery(vec![member("a", Ok(path(0.0, 1.0, 3.0)))], &TWO);
    dose.adoption.undated = Some("`d` is 2".to_owned());
    assert!(!findings(&dose).iter().any(|it| it.contains(change)));
    let mut certain = path(0.0, 1.0, 1.0);
    certain.vcov.matrix = Mat::zeros(4, 4);
    assert!(!has(&about(certain, &TWO), "NaN"));
}

#[test]
fn leads_are_tested_and_those_of_the_dynamic_regression_are_doubted() {
    let said = |members, dates: &[Option<i32>]| findings(&battery(members, dates)).join(" ");
    let flat = said(vec![member("a", Ok(path(0.05, 1.0, 1.0)))], &TWO);
    assert!(
        flat.contains("Leads do not reject") && flat.contains("(1 joint test, smallest p 0.617)"),
        "{flat}"
    );
    let dynamic = || Member { part: BatteryPart::Effect(None), ..member("d", Ok(path(0.9, 1.0, 1.0))) };
    let bent = said(vec![member("a", Ok(path(0.05, 1.0, 1.0))), dynamic()], &TWO);
    assert!(bent.contains("in 1 of 2 joint tests: d (p < 0.0001)"), "{bent}");
    assert!(bent.contains("Leads of d also mix in effects"), "{bent}");
    assert!(!said(vec![dynamic()], &[Some(3), None]).contains("mix in"));
}

#[test]
fn diagnostics_and_what_is_missing_are_said() {
    let mut drawn = att(1.0);
    drawn.stats.set("p_permutation", 0.002);
    drawn.stats.set("draws", 500.0);
    drawn.notes = vec![
        Note::remark("a remark"),
        Note::Absorbed { method: "sweeps".to_owned(), iterations: 3, certificate: 1e-9 },
    ];
    let diagnostic = Member { part: BatteryPart::Diagnostic, ..member("placebo", Ok(drawn)) };
    let lacking = Member {
        part: BatteryPart::Effect(Some(Term::Slope("d".into()))),
        ..member(REFERENCE, Ok(att(1.0)))
    };
    let said = findings(&battery(vec![diagnostic, lacking], &TWO)).join(" ");
    assert!(said.contains("placebo: a remark.") && !said.contains("sweeps"), "{said}");
    assert!(said.contains("against 500 draws") && said.contains("p-value of 0.0020"), "{said}");
    assert!(said.contains("fixed-effects gives no estimate: the estimate has no term `d`"), "{said}");
}

/// Twelve units of three or four periods, treated from different dates, in five groups of units.
fn irregular_panel() -> Panel {
    let (mut id, mut t) = (Vec::new(), Vec::new());
    let [mut y, mut d, mut x, mut g] = [const { Vec::new() }; 4];
    for unit in 1..=12_i64 {
        for period in 1..=4_i32 {
            if unit % 5 == 0 && period == 3 {
                continue;
            }
            let noise = ((unit * 37 + i64::from(period) * 101) % 23) as f64 / 7.0;
            let treated = f64::from(u8::from(unit % 3 != 0 && unit % 3 + 1 < i64::from(period)));
            id.push(Some(unit));
            t.push(period);
            x.push(((unit * 13 + i64::from(period) * 29) % 17) as f64 / 5.0);
            d.push(treated);
            y.push(unit as f64 / 3.0 + treated * f64::from(period) + noise + x.last().unwrap() * 0.4);
            g.push((unit % 5) as f64);
        }
    }
    PanelBuilder::new(y.len())
        .index("id".into(), Codes::from_integers(id), "t".into(), t)
        .column("y".into(), Column::real(y))
        .column("d".into(), Column::real(d))
        .column("x".into(), Column::real(x))
        .column("g".into(), Column::real(g))
        .build()
        .unwrap()
}

/// The coefficient of `d` and its influence functions by unit, from least squares with a dummy for everything.
fn by_dummies(panel: &Panel, with_x: bool) -> (f64, Vec<f64>) {
    let [y, d, x] = ["y", "d", "x"].map(|it| panel.real(it).unwrap());
    let units = panel.units();
    let rows: Vec<Vec<f64>> = (0..panel.n_rows())
        .map(|row| {
            let mut z = vec![d[row], if with_x { x[row] } else { 0.0 }];
            z.extend((0..12).map(|it| f64::from(u8::from(units.code[row] == it))));
            z.extend((2..=4).map(|it| f64::from(u8::from(panel.periods()[row] == it))));
            if !with_x {
                z.remove(1);
            }
            z
        })
        .collect();
    let k = rows[0].len();
    let cross = |a: usize, b: usize| rows.iter().map(|it| it[a] * it[b]).sum::<f64>();
    let matrix: Vec<Vec<f64>> = (0..k).map(|a| (0..k).map(|b| cross(a, b)).collect()).collect();
    let right: Vec<f64> = (0..k).map(|a| rows.iter().zip(y.iter()).map(|(z, y)| z[a] * y).sum()).collect();
    let beta = solve(matrix.clone(), right);
    let mut first = vec![0.0; k];
    first[0] = 1.0;
    let bread = solve(matrix, first);
    let mut psi = vec![0.0; 12];
    for (row, z) in rows.iter().enumerate() {
        let residual = y[row] - z.iter().zip(&beta).map(|(z, b)| z * b).sum::<f64>();
        psi[units.code[row] as usize] += residual * z.iter().zip(&bread).map(|(z, b)| z * b).sum::<f64>();
    }
    (beta[0], psi)
}

/// Gauss and Jordan, with the largest pivot.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|i, j| a[*i][column].abs().total_cmp(&a[*j][column].abs())).unwrap();
        a.swap(column, pivot);
        b.swap(column, pivot);
        let (line, right) = (a[column].clone(), b[column]);
        for row in (0..n).filter(|it| *it != column) {
            let factor = a[row][column] / line[column];
            a[row].iter_mut().zip(&line).for_each(|(cell, it)| *cell -= factor * it);
            b[row] -= factor * right;
        }
    }
    (0..n).map(|it| b[it] / a[it][it]).collect()
}

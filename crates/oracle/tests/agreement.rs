//! Every stored number of another program against ours.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside the functions the lint exempts"
)]

use std::sync::OnceLock;

use parallax_oracle::{Report, TOLERANCES, compare_all, left_out, private_data, summary};

fn report() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| compare_all().unwrap_or_else(|it| panic!("{it}")))
}

#[test]
fn every_number_agrees() {
    let report = report();
    let apart: Vec<String> = report.disagreements().iter().map(ToString::to_string).collect();
    assert!(apart.is_empty(), "{} of {}:\n{}", apart.len(), report.comparisons.len(), apart.join("\n"));
}

#[test]
fn every_case_covariance_and_statistic_is_classified() {
    assert!(report().errors.is_empty(), "{}", report().errors.join("\n"));
}

/// Comparisons that vanish are as bad as comparisons that fail.
#[test]
fn nothing_is_lost() {
    let least = if private_data().is_some() { 5_900 } else { 4_600 };
    let found = report().comparisons.len();
    assert!(least < found, "{found} numbers compared, at least {least} expected");
}

#[test]
fn every_tolerance_is_used() {
    // Stata's and published numbers are not in the repository.
    let private =
        ["printed digits", "uncentred year", "Stata's logit and probit", "stored as float", "fixest's feglm"];
    let expected = |it: &str| private_data().is_some() || !private.contains(&it);
    let tests = tests_of_difference_in_differences();
    for tolerance in TOLERANCES.iter().filter(|it| expected(it.name)) {
        let used = report().comparisons.iter().any(|it| it.tolerance == tolerance);
        let named = tests.contains(&format!("\"{}\"", tolerance.name));
        assert!(used || named, "no comparison uses `{}`", tolerance.name);
    }
}

/// The sources of `tests/did`, which name their tolerances and compare outside of the report.
fn tests_of_difference_in_differences() -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/did");
    let files = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    files.filter(|it| it.is_file()).map(|it| std::fs::read_to_string(it).unwrap()).collect()
}

#[test]
fn the_summary_is_printed() {
    let report = report();
    println!("{}", summary(report));
    println!("{}", left_out(report));
    report.skipped.iter().for_each(|it| println!("skipped: {it}"));
    assert_eq!(report.skipped.is_empty(), private_data().is_some());
}

/// Numbers from which the report has no program to compare with: evidence for the wider tolerances and for
/// what is left out.
mod evidence {
    use parallax_model::{
        AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SmallSample, panel::Column, wald,
    };
    use parallax_oracle::{AnswerFile, DataSet, Store, open_answers, private_data};

    fn fit(panel: &Panel, estimator: &str, formula: &str, vcov: &str) -> Estimate {
        let spec = ModelSpec {
            estimator: estimator.to_owned(),
            formula: Formula::parse(formula).unwrap(),
            weights: None,
            weight_kind: parallax_model::WeightKind::Analytic,
            vcov: vcov.parse().unwrap(),
            small_sample: SmallSample::PLM,
            repair: None,
            singletons: parallax_model::SingletonPolicy::Keep,
            options: if estimator == "random-effects" {
                [("variance".to_owned(), "baltagi-chang".into())].into_iter().collect()
            } else {
                serde_json::Map::new()
            },
        };
        let registry = parallax_plugins::registry().unwrap();
        let entry = registry.estimator(estimator).unwrap();
        entry.fit(panel, &spec, &AbsorptionCache::default()).unwrap_or_else(|it| panic!("{it}"))
    }

    fn assert_near(ours: f64, theirs: f64, relative: f64, what: &str) {
        assert!((ours - theirs).abs() <= relative * theirs.abs(), "{what}: {ours} is not {theirs}");
    }

    /// Firm dummies and one absorbed effect need no iteration. The bound is the promise of the absorption, 1e-10.
    #[test]
    fn iterated_effects_are_those_of_a_direct_solution() {
        let shared = Store::default().panel(DataSet::Open("akm", "worker", "year")).unwrap().unwrap();
        for vcov in ["hc0", "cluster:firm", "cluster:worker", "cluster:worker+firm"] {
            let iterated = fit(&shared.0, "fixed-effects", "y ~ x1 + x2 | worker + firm", vcov);
            let direct = fit(&shared.0, "fixed-effects", "y ~ x1 + x2 + i(firm) | worker", vcov);
            for term in ["x1", "x2"] {
                let (a, b) = (iterated.row(term, 0.95).unwrap(), direct.row(term, 0.95).unwrap());
                assert_near(a.estimate, b.estimate, 1e-10, term);
                // Repairing a matrix of 88 terms is not repairing its corner, so two-way errors are compared
                // only where nothing was repaired.
                if direct.vcov.clamped == 0 {
                    assert_near(a.std_error, b.std_error, 1e-10, &format!("{vcov} {term}"));
                }
            }
        }
    }

    #[test]
    fn a_calendar_year_need_not_be_centred() {
        let Some(_) = private_data() else {
            println!("skipped: needs PARALLAX_DATA with oracle/stata18/14_ols_cluster.csv");
            return;
        };
        let data = DataSet::Private("oracle/stata18/14_ols_cluster.csv");
        let shared = Store::default().panel(data).unwrap().unwrap();
        let as_is = fit(&shared.0, "pooled-ols", "lemp ~ treat + year", "cluster:countyreal");
        let centred = fit(&shared.0, "pooled-ols", "lemp ~ treat + I(year - 2005)", "cluster:countyreal");
        for (a, b) in [("treat", "treat"), ("year", "I(year - 2005)")] {
            let (a, b) = (as_is.row(a, 0.95).unwrap(), centred.row(b, 0.95).unwrap());
            assert_near(a.std_error, b.std_error, 1e-11, &a.term);
        }
    }

    /// plm's `phtest(method = "aux")` rebuilt: the random-effects outcome on the random-effects regressors, a
    /// constant of ones and the demeaned regressors, then a Wald test of the coefficients at positions
    /// nvars + 2 to 2 nvars + 1, which are the demeaned ones only when none was dropped.
    #[test]
    fn plm_auxiliary_regressions() {
        let file = AnswerFile::read(&open_answers("plm_sandwich.json")).unwrap();
        for (data, regressors, within) in [
            ("panel_bal", &["treat", "x1", "x2", "xinv"][..], 3),
            ("panel_unbal", &["treat", "x1", "x2", "x3"][..], 4),
        ] {
            let shared = Store::default().panel(DataSet::Open(data, "unit", "year")).unwrap().unwrap();
            let formula = auxiliary(&shared.0, regressors, within);
            for (case, vcov) in [("hausman_aux", "iid"), ("hausman_aux_robust", "cluster:unit")] {
                let estimate = fit(&formula.0, "pooled-ols", &formula.1, vcov);
                let tested: Vec<usize> = (within + 1..=2 * within).collect();
                let (chi2, _, _) = wald(&estimate.coef, estimate.vcov.matrix.as_ref(), &tested).unwrap();
                let theirs = file.answer(&format!("{data}__{case}")).unwrap().test.unwrap().stat;
                assert_near(chi2, theirs, 1e-10, &format!("{data} {case}"));
            }
        }
    }

    /// The panel with `q_` columns (quasi-demeaned) and `w_` columns (demeaned), and plm's formula on them.
    fn auxiliary(panel: &Panel, regressors: &[&str], within: usize) -> (Panel, String) {
        let random = fit(panel, "random-effects", &format!("y ~ {}", regressors.join(" + ")), "iid");
        let columns: Vec<_> = std::iter::once("y").chain(regressors.iter().copied()).collect();
        let values: Vec<_> = columns.iter().map(|it| panel.real(it).unwrap()).collect();
        let complete: Vec<bool> =
            (0..panel.n_rows()).map(|row| values.iter().all(|it| !it[row].is_nan())).collect();
        let mut panel = panel.keep(&complete).unwrap();
        let unit = panel.units().clone();
        let mut counts = vec![0.0; unit.n_groups()];
        unit.code.iter().for_each(|&it| counts[it as usize] += 1.0);
        let (sigma_u, sigma_e) = (random.stats.get("sigma_u").unwrap(), random.stats.get("sigma_e").unwrap());
        let theta = |t: f64| 1.0 - (sigma_e.powi(2) / (t * sigma_u.powi(2) + sigma_e.powi(2))).sqrt();
        for name in &columns {
            let values = panel.real(name).unwrap();
            let mut means = vec![0.0; counts.len()];
            unit.code
                .iter()
                .zip(values.iter())
                .for_each(|(&u, x)| means[u as usize] += x / counts[u as usize]);
            let less = |share: &dyn Fn(f64) -> f64| -> Column {
                let one = |(&u, x): (&u32, &f64)| x - share(counts[u as usize]) * means[u as usize];
                Column::real(unit.code.iter().zip(values.iter()).map(one).collect())
            };
            let (quasi, within) = (less(&theta), less(&|_| 1.0));
            panel = panel.with(format!("q_{name}").into(), quasi).unwrap();
            panel = panel.with(format!("w_{name}").into(), within).unwrap();
        }
        let quasi: Vec<String> = regressors.iter().map(|it| format!("q_{it}")).collect();
        let demeaned: Vec<String> = regressors[..within].iter().map(|it| format!("w_{it}")).collect();
        (panel, format!("q_y ~ {} + {}", quasi.join(" + "), demeaned.join(" + ")))
    }
}

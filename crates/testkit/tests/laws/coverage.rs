//! Monte Carlo: intervals contain the truth about as often as they say.

use parallax_model::{AbsorptionCache, Formula, ModelSpec, SingletonPolicy, SmallSample};
use parallax_testkit::{Random, Table};

const REPETITIONS: u64 = 200;
const SLOPE: f64 = 0.7;

/// Regressor and error both persist within units, so that independent errors would be too small, and the
/// regressor is correlated with the effect of the unit.
fn persistent(seed: u64) -> Table {
    let (units, periods) = (50, 6);
    let mut random = Random::new(seed);
    let mut table = Table {
        unit: Vec::new(),
        group: Vec::new(),
        year: Vec::new(),
        numbers: vec![("y", Vec::new()), ("x", Vec::new())],
    };
    for unit in 0..units {
        let (effect, mut x, mut error) = (random.normal(), random.normal(), random.normal());
        for period in 0..periods {
            x = 0.8 * x + 0.6 * random.normal();
            error = 0.8 * error + 0.6 * random.normal();
            table.unit.push(format!("u{unit:02}"));
            table.group.push(format!("u{unit:02}"));
            table.year.push(period);
            table.numbers[0].1.push(SLOPE * x + effect + 0.3 * f64::from(period) + error);
            table.numbers[1].1.push(x + 0.5 * effect);
        }
    }
    table
}

fn coverage(vcov: &str) -> f64 {
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator("fixed-effects").unwrap();
    let spec = ModelSpec {
        estimator: "fixed-effects".to_owned(),
        formula: Formula::parse("y ~ x | unit + year").unwrap(),
        weights: None,
        weight_kind: parallax_model::WeightKind::Analytic,
        vcov: vcov.parse().unwrap(),
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: serde_json::Map::new(),
    };
    let covers = |seed: &u64| {
        let panel = persistent(*seed).panel().unwrap();
        let estimate = entry.fit(&panel, &spec, &AbsorptionCache::default()).unwrap();
        let row = estimate.row("x", 0.95).unwrap();
        row.conf_low <= SLOPE && SLOPE <= row.conf_high
    };
    (1..=REPETITIONS).filter(covers).count() as f64 / REPETITIONS as f64
}

/// Two standard errors of a share of 0.95 in 200 draws are 3.1 points.
#[test]
fn clustered_intervals_cover_and_independent_ones_do_not() {
    let (clustered, independent) = (coverage("cluster:unit"), coverage("iid"));
    assert!((0.92..=0.98).contains(&clustered), "clustered by unit: {clustered}");
    assert!(independent < 0.90, "independent: {independent}, the design is too easy to tell");
}

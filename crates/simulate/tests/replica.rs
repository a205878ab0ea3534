//! The replica against the moments the paper prints, and against its own truth.
#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside the functions the lint exempts")]

mod support;

use parallax_simulate::{Control, RawSeries, ReplicaOptions, SimulateError, replica};
use support::{KINDS, Panel, cities, mean_sd, national, two_way_estimate, two_way_fit};

/// Mean and standard deviation of Table 1.
const TABLE_1: [(&str, f64, f64); 12] = [
    ("treated", 0.136, 0.343),
    ("resilience", 24.2, 24.8),
    ("govern", 0.467, 0.214),
    ("consume", 0.388, 0.107),
    ("market", 0.462, 0.441),
    ("finance", 0.703, 0.226),
    ("structure", 1.063, 0.586),
    ("education", 0.176, 0.039),
    ("science", 0.018, 0.018),
    ("aggregate", 195.1, 76.1),
    ("breadth", 189.4, 80.4),
    ("digitization", 226.5, 83.76),
];

fn default_panel() -> Panel {
    Panel::build(&replica(&cities(), &national(), &ReplicaOptions::default()).unwrap())
}

#[test]
fn the_sample_is_that_of_the_paper() {
    let panel = default_panel();
    assert_eq!(panel.cities(), 259);
    assert_eq!(panel.rows(), 3_108);
    assert_eq!(panel.column("treated").iter().sum::<f64>(), 423.0);
}

#[test]
fn moments_are_within_five_per_cent_of_table_1() {
    let panel = default_panel();
    for (name, mean, sd) in TABLE_1 {
        let (ours, spread) = mean_sd(panel.column(name));
        // Printed to three decimals: allow half a unit of the last one beside the five per cent.
        assert!((ours - mean).abs() <= 0.05 * mean + 5e-4, "{name}: mean {ours}, printed {mean}");
        assert!((spread - sd).abs() <= 0.05 * sd + 5e-4, "{name}: sd {spread}, printed {sd}");
    }
}

#[test]
fn table_2_comes_near_the_printed_one() {
    let panel = default_panel();
    let without = two_way_estimate(&panel, "resilience", &["treated"]);
    assert!((without[0] - 4.967).abs() < 0.6, "{without:?}");
    let with = two_way_estimate(&panel, "resilience", &panel.with_controls(&["treated"]));
    assert!((with[0] - 3.710).abs() < 0.4, "{with:?}");
}

#[test]
fn the_index_recovers_the_outcome_it_was_made_from() {
    let options =
        ReplicaOptions { missing_rate: 0.0, recording_errors: Vec::new(), ..ReplicaOptions::default() };
    let data = replica(&cities(), &national(), &options).unwrap();
    let panel = Panel::build(&data);
    let truth: Vec<f64> = data
        .truth
        .outcome
        .iter()
        .zip(&data.truth.kept)
        .zip(&data.year)
        .filter(|((_, kept), year)| **kept && **year >= 2011)
        .map(|((value, _), _)| *value)
        .collect();
    let gap = panel.column("resilience").iter().zip(&truth).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(gap < 1e-4, "{gap}");
    let lift = data.truth.outcome.iter().zip(&data.truth.untreated).zip(&data.truth.effects);
    assert!(lift.filter(|((a, _), _)| a.is_finite()).all(|((a, b), effect)| (a - b - effect).abs() < 1e-9));
    let treated = data.truth.effects.iter().zip(&data.truth.treated);
    assert!(treated.clone().any(|(effect, d)| *d == 1.0 && *effect < 0.0));
    assert!(treated.clone().all(|(effect, d)| *effect == 0.0 || *d == 1.0));
}

/// Estimates less what they estimate, each with its standard error, over panels.
#[derive(Default)]
struct Trials(Vec<(f64, f64)>);

impl Trials {
    /// The mean error is within two Monte Carlo errors, and intervals of 95 % hold the truth in 92 to 98 %.
    #[expect(clippy::print_stdout, reason = "the figures that the documents quote")]
    fn assert_honest(&self, what: &str) {
        let n = self.0.len() as f64;
        let (bias, sd) = mean_sd(&self.0.iter().map(|it| it.0).collect::<Vec<_>>());
        let monte_carlo = sd / n.sqrt();
        // The 97.5 % quantile of the t distribution with 258 degrees of freedom.
        let covered = self.0.iter().filter(|(error, se)| error.abs() <= 1.9692 * se).count() as f64 / n;
        println!(
            "{what}: bias {bias:.3}, Monte Carlo error {monte_carlo:.3}, coverage {covered:.3}, {n} panels"
        );
        assert!(bias.abs() < 2.0 * monte_carlo, "{what}: bias {bias}, Monte Carlo error {monte_carlo}");
        assert!((0.92..=0.98).contains(&covered), "{what}: {covered} of the intervals hold the truth");
    }
}

#[test]
fn known_effects_are_recovered_over_two_hundred_panels() {
    let (facts, nation) = (cities(), national());
    let [mut two_way, mut average, mut mediator, mut outcome_of_mediator] =
        [(); 4].map(|()| Trials::default());
    let mut gaps = Vec::new();
    let mut refused = 0;
    for seed in 1000.. {
        if two_way.0.len() == 200 {
            break;
        }
        let options = ReplicaOptions { seed, ..ReplicaOptions::default() };
        // A few seeds in a hundred imply an impossible economy, which is refused and skipped.
        let Ok(data) = replica(&facts, &nation, &options) else {
            refused += 1;
            continue;
        };
        let panel = Panel::build(&data);
        let treated = panel.with_controls(&["treated"]);
        let (estimate, se) = two_way_fit(&panel, "resilience", &treated).sum(&[1.0]);
        // What two-way fixed effects make of the true effects with the very same regressors.
        two_way.0.push((estimate - two_way_estimate(&panel, "effect", &treated)[0], se));
        gaps.push(two_way_estimate(&panel, "resilience", &["treated"])[0] - estimate);
        let fit = two_way_fit(&panel, "resilience", &panel.with_controls(&KINDS));
        let (estimate, se) = fit.sum(&KINDS.map(|kind| mean_among_treated(&panel, kind)));
        average.0.push((estimate - data.truth.effect.average, se));
        let (estimate, se) = two_way_fit(&panel, "aggregate", &treated).sum(&[1.0]);
        mediator.0.push((estimate - data.truth.mediator_effect, se));
        let both = panel.with_controls(&["aggregate"]).into_iter().chain(KINDS).collect::<Vec<_>>();
        let (estimate, se) = two_way_fit(&panel, "resilience", &both).sum(&[1.0]);
        outcome_of_mediator.0.push((estimate - options.digital.coefficient, se));
    }
    assert!(refused < 25, "{refused} seeds refused for 200 that worked");
    two_way.assert_honest("two-way fixed effects");
    average.assert_honest("average effect");
    mediator.assert_honest("effect on digital finance");
    outcome_of_mediator.assert_honest("effect of digital finance");
    // The controls matter: larger cities were chosen, and their controls rose faster.
    let (gap, gap_sd) = mean_sd(&gaps);
    assert!(gap > 2.0 * gap_sd / (gaps.len() as f64).sqrt(), "gap {gap}");
}

fn mean_among_treated(panel: &Panel, kind: &str) -> f64 {
    let treated = panel.column("treated");
    panel.column(kind).iter().sum::<f64>() / treated.iter().sum::<f64>()
}

#[test]
fn the_known_numbers_are_what_the_documents_say() {
    let effect = replica(&cities(), &national(), &ReplicaOptions::default()).unwrap().truth.effect;
    assert_eq!(format!("{:.1} {:.1}", effect.average, effect.two_way), "4.6 3.9");
}

#[test]
fn the_same_options_give_the_same_bits_and_the_order_of_cities_does_not_matter() {
    let options = ReplicaOptions::default();
    let first = replica(&cities(), &national(), &options).unwrap();
    let mut shuffled = cities();
    shuffled.reverse();
    let second = replica(&shuffled, &national(), &options).unwrap();
    for (a, b) in first.series.iter().zip(&second.series) {
        let same = a.values.iter().zip(&b.values).all(|(x, y)| x.to_bits() == y.to_bits());
        assert!(same, "{}", a.series.name());
    }
    let other = replica(&cities(), &national(), &ReplicaOptions { seed: 2, ..options }).unwrap();
    assert_ne!(first.values(RawSeries::Gdp)[..15], other.values(RawSeries::Gdp)[..15]);
}

#[test]
fn a_switched_off_part_leaves_the_others_alone() {
    // Streams are independent: without holes, every value that was there before is still the same.
    let full = replica(&cities(), &national(), &ReplicaOptions::default()).unwrap();
    let options = ReplicaOptions { missing_rate: 0.0, ..ReplicaOptions::default() };
    let filled = replica(&cities(), &national(), &options).unwrap();
    let (mut holes, mut cells) = (0_u32, 0_u32);
    for (a, b) in full.series.iter().zip(&filled.series) {
        for ((x, y), kept) in a.values.iter().zip(&b.values).zip(&full.truth.kept) {
            assert!(x.is_nan() || x.to_bits() == y.to_bits());
            if *kept && !y.is_nan() {
                cells += 1;
                holes += u32::from(x.is_nan());
            }
        }
    }
    let share = f64::from(holes) / f64::from(cells);
    assert!((0.010..0.016).contains(&share), "{share}");
}

#[test]
fn options_survive_json_and_wrong_ones_are_refused() {
    let options = ReplicaOptions::default();
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(serde_json::from_str::<ReplicaOptions>(&text).unwrap(), options);
    assert_eq!(options.controls.len(), Control::ALL.len());
    let mut short = options.clone();
    short.controls.pop();
    let refused = replica(&cities(), &national(), &short);
    assert!(matches!(refused, Err(SimulateError::BadOption { option: "controls", .. })));
    let gap = replica(&cities(), &national()[1..], &options);
    assert_eq!(gap.unwrap_err(), SimulateError::MissingYear { year: 2008 });
}

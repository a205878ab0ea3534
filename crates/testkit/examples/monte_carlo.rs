//! Writes the table of `MONTE_CARLO.md`: bias, coverage and size of every estimator of staggered adoption.
//!
//! `cargo run --release -p parallax-testkit --example monte_carlo -- 1000 > crates/testkit/MONTE_CARLO.md`
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use parallax_testkit::{Performance, Scenario, monte_carlo, scenarios};

fn main() -> Result<(), String> {
    let draws =
        std::env::args().nth(1).map_or(Ok(100), |it| it.parse::<u64>()).map_err(|it| it.to_string())?;
    let registry = parallax_plugins::registry().map_err(|it| it.to_string())?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    print!("{}", head(draws));
    for scenario in scenarios() {
        let found = monte_carlo(&registry, &scenario, draws, threads)?;
        print!("{}", section(&scenario, &found));
    }
    Ok(())
}

fn head(draws: u64) -> String {
    format!(
        "# Bias, coverage and size of the estimators\n\n\
         Simulated data: nothing here is a finding. {draws} panels a scenario from `parallax-simulate`'s `staggered_panel`, seeds 1 to \
         {draws}; every estimator as `parallax did` runs it, errors clustered by unit. Written by\n\n\
         ```sh\ncargo run --release -p parallax-testkit --example monte_carlo -- {draws} > crates/testkit/MONTE_CARLO.md\n```\n\n\
         *Bias* is the mean of estimate less truth, with its Monte Carlo standard error; *spread* the standard deviation of \
         estimate less truth, beside the mean of the standard errors; *coverage* the share of 95 per cent intervals that hold the truth; \
         *rejected* the share of panels on which \"no effect\" is rejected at 5 per cent. The truth is the mean of the true effects over \
         treated rows, or over the rows at an event time; of `stacked` over the cohorts that fit its window, and of `lp-did`'s overall effect over \
         the adopters that are seen at all its event times. A covariate that does not vary within units is absorbed by unit effects: \
         estimators that only add covariates to a regression with unit effects cannot use it. A share of .95 in {draws} panels has a standard error of {:.4}.\n",
        (0.95 * 0.05 / draws as f64).sqrt()
    )
}

fn section(scenario: &Scenario, found: &[Performance]) -> String {
    let mut text = format!(
        "\n## {}\n\n{}; {} units, {} periods.\n\n\
         | estimator | term | truth | bias | (error) | spread | std. error | coverage | rejected | failed |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
        capital(scenario.name),
        capital(scenario.about),
        scenario.options.units,
        scenario.options.periods
    );
    for it in found {
        text.push_str(&format!(
            "| {} | {} | {:.3} | {:.4} | ({:.4}) | {:.4} | {:.4} | {:.3} | {:.3} | {} |\n",
            it.estimator,
            it.term,
            it.truth,
            it.bias + 0.0,
            it.bias_error,
            it.spread,
            it.std_error,
            it.coverage,
            it.rejected,
            it.failures
        ));
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |it| it.to_uppercase().chain(letters).collect())
}

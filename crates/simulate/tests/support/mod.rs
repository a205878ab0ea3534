//! A pipeline and an estimator small enough to be checked by eye: the tests must not lean on the crates they serve.

use std::collections::BTreeMap;

use parallax_simulate::{CityClass, CityFact, NationalFact, RawSeries, Replica};

const CITIES: &str = include_str!("../../../../datasets/cbec-resilience/cities.csv");
const NATIONAL: &str = include_str!("../../../../datasets/cbec-resilience/national.csv");

fn table(text: &str) -> impl Iterator<Item = BTreeMap<&str, &str>> {
    let header: Vec<&str> = text.lines().next().unwrap_or_default().split(',').collect();
    text.lines().skip(1).map(move |line| header.iter().copied().zip(line.split(',')).collect())
}

/// The cities of the study.
pub fn cities() -> Vec<CityFact> {
    let class = |row: &BTreeMap<&str, &str>| match (row["municipality"], row["subprovincial"], row["capital"])
    {
        ("1", _, _) => CityClass::Municipality,
        (_, "1", _) => CityClass::SubProvincial,
        (_, _, "1") => CityClass::Capital,
        _ => CityClass::Ordinary,
    };
    table(CITIES)
        .map(|row| CityFact {
            code: row["code"].parse().unwrap(),
            name_zh: row["city_zh"].to_owned(),
            name_en: row["city_en"].to_owned(),
            province: row["province"].to_owned(),
            class: class(&row),
            approval_year: row["cbec_approval_year"].parse().ok(),
        })
        .collect()
}

/// National growth and consumer prices.
pub fn national() -> Vec<NationalFact> {
    table(NATIONAL)
        .map(|row| NationalFact {
            year: row["year"].parse().unwrap(),
            real_growth: row["real_growth"].parse().unwrap(),
            deflator: row["cpi_index"].parse().unwrap(),
        })
        .collect()
}

/// The estimation sample, one vector a column, rows by city and year.
pub struct Panel {
    columns: BTreeMap<&'static str, Vec<f64>>,
}

const YEARS: usize = 15;
const SAMPLE: usize = 12;

impl Panel {
    /// Interpolates, builds index and ratios, keeps cities that are complete from 2011 on.
    pub fn build(data: &Replica) -> Self {
        let facts = national();
        let filled: Vec<Vec<f64>> = RawSeries::ALL.iter().map(|s| interpolated(data.values(*s))).collect();
        let raw = |series: RawSeries| &filled[series as usize];
        let ratio = |a: RawSeries, b: RawSeries| -> Vec<f64> {
            raw(a).iter().zip(raw(b)).map(|(x, y)| x / y).collect()
        };
        let real: Vec<f64> =
            raw(RawSeries::Gdp).iter().enumerate().map(|(i, v)| v / facts[i % YEARS].deflator).collect();
        let resilience: Vec<f64> = (0..real.len())
            .map(|i| {
                let growth = facts[i % YEARS].real_growth / 100.0;
                (real[i] / real[i - i % YEARS] - 1.0 - growth) / growth
            })
            .collect();
        let mut columns = BTreeMap::from([
            ("treated", data.truth.treated.clone()),
            ("resilience", resilience),
            ("govern", ratio(RawSeries::FiscalRevenue, RawSeries::FiscalExp)),
            ("consume", ratio(RawSeries::RetailSales, RawSeries::Gdp)),
            ("market", ratio(RawSeries::WholesaleRetailSales, RawSeries::Gdp)),
            ("finance", ratio(RawSeries::BankLoans, RawSeries::BankDeposits)),
            ("structure", ratio(RawSeries::VaTertiary, RawSeries::VaSecondary)),
            ("education", ratio(RawSeries::EduExp, RawSeries::FiscalExp)),
            ("science", ratio(RawSeries::SciExp, RawSeries::FiscalExp)),
            ("aggregate", raw(RawSeries::IndexAggregate).clone()),
            ("breadth", raw(RawSeries::CoverageBreadth).clone()),
            ("digitization", raw(RawSeries::DigitizationLevel).clone()),
        ]);
        let units = data.code.len() / YEARS;
        let complete = |unit: usize| {
            let rows = unit * YEARS + YEARS - SAMPLE..(unit + 1) * YEARS;
            columns.values().all(|column| column[rows.clone()].iter().all(|v| v.is_finite()))
        };
        let keep: Vec<bool> = (0..units).map(complete).collect();
        for column in columns.values_mut() {
            let kept =
                column.iter().enumerate().filter(|(i, _)| keep[i / YEARS] && i % YEARS >= YEARS - SAMPLE);
            *column = kept.map(|(_, v)| *v).collect();
        }
        Self { columns }
    }

    pub fn column(&self, name: &str) -> &[f64] {
        &self.columns[name]
    }

    pub fn rows(&self) -> usize {
        self.columns["treated"].len()
    }

    pub fn cities(&self) -> usize {
        self.rows() / SAMPLE
    }

    pub fn with_controls(&self) -> [&'static str; 8] {
        ["treated", "govern", "consume", "market", "finance", "structure", "education", "science"]
    }
}

/// Linear interpolation inside each city, none beyond its first and last value.
fn interpolated(values: &[f64]) -> Vec<f64> {
    let mut filled = values.to_vec();
    for row in filled.chunks_mut(YEARS) {
        let known: Vec<usize> = (0..YEARS).filter(|&t| !row[t].is_nan()).collect();
        for pair in known.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let step = (row[to] - row[from]) / (to - from) as f64;
            for t in from + 1..to {
                row[t] = row[from] + step * (t - from) as f64;
            }
        }
    }
    filled
}

/// Mean and standard deviation.
pub fn mean_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

/// Two-way fixed effects of a balanced panel: demean both ways, then solve the normal equations.
pub fn two_way_estimate(panel: &Panel, outcome: &str, regressors: &[&str]) -> Vec<f64> {
    let y = demeaned(panel.column(outcome));
    let x: Vec<Vec<f64>> = regressors.iter().map(|name| demeaned(panel.column(name))).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(p, q)| p * q).sum::<f64>();
    let mut system: Vec<Vec<f64>> =
        x.iter().map(|a| x.iter().map(|b| dot(a, b)).chain([dot(a, &y)]).collect()).collect();
    let k = x.len();
    for pivot in 0..k {
        let lead = system[pivot].clone();
        for (r, row) in system.iter_mut().enumerate().filter(|(r, _)| *r != pivot) {
            let factor = row[pivot] / lead[pivot];
            assert!(factor.is_finite(), "singular at {pivot}, row {r}");
            row.iter_mut().zip(&lead).for_each(|(a, b)| *a -= factor * b);
        }
    }
    (0..k).map(|i| system[i][k] / system[i][i]).collect()
}

fn demeaned(values: &[f64]) -> Vec<f64> {
    let units = values.len() / SAMPLE;
    let overall = values.iter().sum::<f64>() / values.len() as f64;
    let own: Vec<f64> = values.chunks(SAMPLE).map(|row| row.iter().sum::<f64>() / SAMPLE as f64).collect();
    let year: Vec<f64> =
        (0..SAMPLE).map(|t| values.iter().skip(t).step_by(SAMPLE).sum::<f64>() / units as f64).collect();
    values.iter().enumerate().map(|(i, v)| v - own[i / SAMPLE] - year[i % SAMPLE] + overall).collect()
}

//! A pipeline and an estimator small enough to be checked by eye: the tests must not lean on the crates they serve.

use std::collections::BTreeMap;

use parallax_simulate::{CityClass, CityFact, CityKind, NationalFact, RawSeries, Replica, ReplicaOptions};

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
            kind: CityKind {
                large_medium: row["large_medium"] == "1",
                outflow: row["population_inflow"] == "0",
                resource: !row["resource_stage"].is_empty(),
                growing: row["resource_stage"] == "growing",
                capital: row["capital"] == "1",
            },
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
            ("depth", raw(RawSeries::UsageDepth).clone()),
            ("digitization", raw(RawSeries::DigitizationLevel).clone()),
            ("effect", data.truth.effects.clone()),
        ]);
        columns.extend(in_kinds(data));
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

    /// The names, and those of the controls behind them.
    pub fn with_controls(&self, names: &[&'static str]) -> Vec<&'static str> {
        let controls = ["govern", "consume", "market", "finance", "structure", "education", "science"];
        names.iter().copied().chain(controls).collect()
    }
}

/// The parts that the effect is the sum of, each as the multiple reached in cities of the kind: with them as regressors the
/// coefficients are the options.
pub const KINDS: [&str; 7] = ["every", "large_medium", "outflow", "resource", "growing", "capital", "center"];

fn in_kinds(data: &Replica) -> Vec<(&'static str, Vec<f64>)> {
    let options = ReplicaOptions::default().effect;
    let steps = &options.steps;
    let growth: BTreeMap<i32, f64> = national().iter().map(|it| (it.year, it.real_growth)).collect();
    let usual = growth.range(2011..).map(|it| it.1).sum::<f64>() / SAMPLE as f64;
    let facts: BTreeMap<i64, CityFact> = cities().into_iter().map(|it| (it.code, it)).collect();
    let column = |name: &'static str| {
        let value = |row: usize| {
            let fact = &facts[&data.code[row]];
            let member = match name {
                "every" => true,
                "large_medium" => fact.kind.large_medium,
                "outflow" => fact.kind.outflow,
                "resource" => fact.kind.resource,
                "growing" => fact.kind.growing,
                "capital" => fact.kind.capital,
                _ => fact.class < CityClass::Ordinary,
            };
            match fact.approval_year {
                Some(first) if member && first <= data.year[row] => {
                    let reached = steps[(data.year[row] - first).min(steps.len() as i32 - 1) as usize];
                    reached * (usual / growth[&data.year[row]]).powf(options.spike)
                }
                _ => 0.0,
            }
        };
        (name, (0..data.code.len()).map(value).collect())
    };
    KINDS.map(column).to_vec()
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

/// Estimates and their covariance, clustered by city.
pub struct Fit {
    pub coef: Vec<f64>,
    pub vcov: Vec<Vec<f64>>,
}

impl Fit {
    /// A weighted sum of the first coefficients, and its standard error.
    pub fn sum(&self, weights: &[f64]) -> (f64, f64) {
        let estimate = weights.iter().zip(&self.coef).map(|(w, b)| w * b).sum();
        let variance: f64 = (0..weights.len())
            .map(|i| (0..weights.len()).map(|j| weights[i] * self.vcov[i][j] * weights[j]).sum::<f64>())
            .sum();
        (estimate, variance.sqrt())
    }
}

/// Two-way fixed effects of a balanced panel with errors clustered by city: the sandwich of the demeaned
/// columns, times G / (G - 1) and (N - 1) / (N - K), K counting regressors, years and the constant.
pub fn two_way_fit(panel: &Panel, outcome: &str, regressors: &[&str]) -> Fit {
    let y = demeaned(panel.column(outcome));
    let x: Vec<Vec<f64>> = regressors.iter().map(|name| demeaned(panel.column(name))).collect();
    let (k, n, groups) = (x.len(), y.len() as f64, panel.cities() as f64);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(p, q)| p * q).sum::<f64>();
    let bread = inverse(x.iter().map(|a| x.iter().map(|b| dot(a, b)).collect()).collect());
    let moments: Vec<f64> = x.iter().map(|a| dot(a, &y)).collect();
    let coef: Vec<f64> = bread.iter().map(|row| dot(row, &moments)).collect();
    let residual: Vec<f64> =
        (0..y.len()).map(|i| y[i] - (0..k).map(|j| coef[j] * x[j][i]).sum::<f64>()).collect();
    let score = |city: usize, j: usize| {
        let rows = city * SAMPLE..(city + 1) * SAMPLE;
        dot(&x[j][rows.clone()], &residual[rows])
    };
    // Each city's part of the estimate; their squares add up to the covariance.
    let parts: Vec<Vec<f64>> = (0..panel.cities())
        .map(|city| {
            let scores: Vec<f64> = (0..k).map(|j| score(city, j)).collect();
            bread.iter().map(|row| dot(row, &scores)).collect()
        })
        .collect();
    let factor = groups / (groups - 1.0) * (n - 1.0) / (n - (k + SAMPLE) as f64);
    let cell = |i: usize, j: usize| factor * parts.iter().map(|it| it[i] * it[j]).sum::<f64>();
    Fit { coef, vcov: (0..k).map(|i| (0..k).map(|j| cell(i, j)).collect()).collect() }
}

/// By Gauss and Jordan, which does for a positive definite matrix of twenty rows.
fn inverse(mut matrix: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let k = matrix.len();
    for (i, row) in matrix.iter_mut().enumerate() {
        row.extend((0..k).map(|j| f64::from(u8::from(i == j))));
    }
    for pivot in 0..k {
        let scale = matrix[pivot][pivot];
        matrix[pivot].iter_mut().for_each(|it| *it /= scale);
        let lead = matrix[pivot].clone();
        for (_, row) in matrix.iter_mut().enumerate().filter(|(r, _)| *r != pivot) {
            let factor = row[pivot];
            row.iter_mut().zip(&lead).for_each(|(a, b)| *a -= factor * b);
        }
    }
    matrix.into_iter().map(|row| row[k..].to_vec()).collect()
}

/// The estimates alone.
pub fn two_way_estimate(panel: &Panel, outcome: &str, regressors: &[&str]) -> Vec<f64> {
    two_way_fit(panel, outcome, regressors).coef
}

fn demeaned(values: &[f64]) -> Vec<f64> {
    let units = values.len() / SAMPLE;
    let overall = values.iter().sum::<f64>() / values.len() as f64;
    let own: Vec<f64> = values.chunks(SAMPLE).map(|row| row.iter().sum::<f64>() / SAMPLE as f64).collect();
    let year: Vec<f64> =
        (0..SAMPLE).map(|t| values.iter().skip(t).step_by(SAMPLE).sum::<f64>() / units as f64).collect();
    values.iter().enumerate().map(|(i, v)| v - own[i / SAMPLE] - year[i % SAMPLE] + overall).collect()
}

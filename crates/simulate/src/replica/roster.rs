//! Which cities are simulated, which of them are kept, and how large they are.

use super::facts::{CityClass, CityFact, CityKind, FIRST_YEAR, YEARS};
use super::options::ReplicaOptions;
use crate::error::SimulateError;
use crate::scores::normal_scores;
use parallax_vcov::Keyed;

/// Fewer kept cities than this leave nothing to demean.
const LEAST_CITIES: usize = 10;

/// One simulated city.
#[derive(Debug, Clone)]
pub(crate) struct City {
    pub code: i64,
    /// Whether the series are complete enough to be kept.
    pub kept: bool,
    /// Treatment by raw year.
    pub treated: [f64; YEARS],
    /// Size, a standard normal score.
    pub size: f64,
    /// Kinds in which effects differ.
    pub kind: CityKind,
    /// Municipality, sub-provincial city or provincial capital.
    pub center: bool,
}

/// The simulated cities, ascending by code.
pub(crate) fn roster(
    facts: &[CityFact],
    options: &ReplicaOptions,
    draws: Keyed,
) -> Result<Vec<City>, SimulateError> {
    let mut known: Vec<&CityFact> = facts.iter().filter(|fact| fact.class != CityClass::NotACity).collect();
    known.sort_by_key(|fact| fact.code);
    if let Some(pair) = known.windows(2).find(|pair| pair[0].code == pair[1].code) {
        return Err(SimulateError::DuplicateCity { code: pair[0].code });
    }
    let kept: Vec<bool> = known.iter().map(|fact| !options.sparse.contains(&fact.code)).collect();
    let complete = kept.iter().filter(|k| **k).count();
    if complete < LEAST_CITIES {
        return Err(SimulateError::TooFewCities { complete, needed: LEAST_CITIES });
    }
    let latent: Vec<f64> =
        known.iter().map(|fact| advantage(fact, options) + draws.normal("size", fact.code, 0)).collect();
    let size = group_scores(&latent, &kept);
    Ok(known
        .iter()
        .zip(&kept)
        .zip(size)
        .map(|((fact, &kept), size)| City {
            code: fact.code,
            kept,
            treated: treatment(fact),
            size,
            kind: fact.kind,
            center: fact.class < CityClass::Ordinary,
        })
        .collect())
}

/// Cities of higher rank and cities that were approved are larger, before luck.
fn advantage(fact: &CityFact, options: &ReplicaOptions) -> f64 {
    let [municipality, sub_provincial, capital] = options.size.class_advantage;
    let rank = match fact.class {
        CityClass::Municipality => municipality,
        CityClass::SubProvincial => sub_provincial,
        CityClass::Capital => capital,
        CityClass::Ordinary | CityClass::NotACity => 0.0,
    };
    let pilot = fact.approval_year.is_some_and(|year| year < FIRST_YEAR + YEARS as i32);
    rank + if pilot { options.size.pilot_advantage } else { 0.0 }
}

/// The year of approval is the first treated year.
fn treatment(fact: &CityFact) -> [f64; YEARS] {
    let mut treated = [0.0; YEARS];
    for (year, slot) in (FIRST_YEAR..).zip(&mut treated) {
        *slot = f64::from(u8::from(fact.approval_year.is_some_and(|first| year >= first)));
    }
    treated
}

/// Normal scores within the kept cities and within the others, so that dropping the others changes no moment.
pub(crate) fn group_scores(values: &[f64], kept: &[bool]) -> Vec<f64> {
    let mut scores = vec![0.0; values.len()];
    for group in [true, false] {
        let members: Vec<usize> = (0..values.len()).filter(|&i| kept[i] == group).collect();
        let drawn: Vec<f64> = members.iter().map(|&i| values[i]).collect();
        for (member, score) in members.into_iter().zip(normal_scores(&drawn)) {
            scores[member] = score;
        }
    }
    scores
}

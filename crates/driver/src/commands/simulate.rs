//! `parallax simulate`: data from a seed, written with the mark that they are simulated.

use std::{io::Write, path::Path};

use parallax_base::Name;
use parallax_ingest::{ReadRequest, WriteOptions, read, write_table};
use parallax_panel::{Codes, Column, Panel};
use parallax_simulate::{
    CityClass, CityFact, CityKind, KnownEffect, NationalFact, RawSeries, ReplicaOptions, replica,
};

use crate::{
    DriverError, Outcome,
    args::{Simulate, Simulation},
};

/// Simulates and writes.
pub fn run(arguments: &Simulate, out: &mut dyn Write) -> Result<Outcome, DriverError> {
    match arguments.what {
        Simulation::CbecReplica => cbec_replica(arguments, out),
    }
}

fn cbec_replica(arguments: &Simulate, out: &mut dyn Write) -> Result<Outcome, DriverError> {
    let cities = cities(&arguments.dir.join("cities.csv"))?;
    let national = national(&arguments.dir.join("national.csv"))?;
    let mut options = ReplicaOptions::default();
    if let Some(seed) = arguments.seed {
        options.seed = seed;
    }
    let made = replica(&cities, &national, &options).map_err(|it| DriverError::Request(it.to_string()))?;
    let mut columns: Vec<(Name, Column)> = vec![
        ("code".into(), Column::Codes(Codes::from_integers(made.code.iter().map(|it| Some(*it))))),
        ("year".into(), Column::real(made.year.iter().map(|it| f64::from(*it)).collect())),
    ];
    for series in RawSeries::ALL {
        columns.push((series.name().into(), Column::real(made.values(series).to_vec())));
    }
    let path = arguments.dir.join("replica.parquet");
    let metadata = vec![("parallax.seed".to_owned(), options.seed.to_string())];
    let KnownEffect { average, two_way } = made.truth.effect;
    let options = WriteOptions { simulated: true, metadata, ..WriteOptions::default() };
    write_table(&columns, &path, &options)?;
    writeln!(out, "{}: {} rows, simulated", path.display(), made.year.len())?;
    writeln!(
        out,
        "known effect: {average:.3} on average over treated city-years, {two_way:.3} as two-way fixed effects weigh them"
    )?;
    Ok(Outcome::Done)
}

fn cities(path: &Path) -> Result<Vec<CityFact>, DriverError> {
    let panel = table(path)?;
    let (code, approval) = (panel.real("code")?, panel.real("cbec_approval_year")?);
    let (municipality, subprovincial, capital) =
        (panel.real("municipality")?, panel.real("subprovincial")?, panel.real("capital")?);
    let (large_medium, inflow) = (panel.real("large_medium")?, panel.real("population_inflow")?);
    let text = |name: &str, row: usize| -> Result<String, DriverError> {
        let codes = panel.codes(name)?;
        Ok(codes.labels.text(codes.code[row] as usize))
    };
    let city = |row: usize| {
        let stage = text("resource_stage", row)?;
        let class = match (municipality[row], subprovincial[row], capital[row]) {
            (1.0, _, _) => CityClass::Municipality,
            (_, 1.0, _) => CityClass::SubProvincial,
            (_, _, 1.0) => CityClass::Capital,
            _ => CityClass::Ordinary,
        };
        Ok(CityFact {
            code: code[row] as i64,
            name_zh: text("city_zh", row)?,
            name_en: text("city_en", row)?,
            province: text("province", row)?,
            class,
            approval_year: (!approval[row].is_nan()).then_some(approval[row] as i32),
            kind: CityKind {
                large_medium: large_medium[row] == 1.0,
                outflow: inflow[row] == 0.0,
                resource: !stage.is_empty(),
                growing: stage == "growing",
                capital: capital[row] == 1.0,
            },
        })
    };
    (0..panel.n_rows()).map(city).collect()
}

fn national(path: &Path) -> Result<Vec<NationalFact>, DriverError> {
    let panel = table(path)?;
    let (year, growth, deflator) =
        (panel.real("year")?, panel.real("real_growth")?, panel.real("cpi_index")?);
    let fact = |row: usize| NationalFact {
        year: year[row] as i32,
        real_growth: growth[row],
        deflator: deflator[row],
    };
    Ok((0..panel.n_rows()).map(fact).collect())
}

fn table(path: &Path) -> Result<Panel, DriverError> {
    Ok(read(&ReadRequest::file(path))?.panel)
}

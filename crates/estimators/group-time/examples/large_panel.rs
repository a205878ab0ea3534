//! A seeded panel of 100,000 units and 10 periods with two covariates and five cohorts, doubly robust, with 999 draws:
//! what it takes. With a path the panel is written there as CSV, for other programs.
#![expect(clippy::print_stdout, reason = "a program")]

use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Write},
    time::Instant,
};

use parallax_group_time::callaway_santanna::CallawaySantanna;
use parallax_model::{
    AbsorptionCache, Entry, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, WeightKind,
    panel::{Codes, Column, PanelBuilder},
    vcov::Keyed,
};
use serde_json::{Map, json};

const UNITS: usize = 100_000;
const PERIODS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let columns = columns();
    if let Some(path) = std::env::args().nth(1) {
        write(&columns, &path)?;
    }
    let panel = panel(columns)?;
    let entry = Entry::of::<CallawaySantanna>(file!(), line!());
    for draws in [0, 999] {
        let options = json!({ "cohort": "cohort", "draws": draws });
        let spec = ModelSpec {
            estimator: entry.meta.plugin.name.to_owned(),
            formula: Formula::parse("y ~ x1 + x2")?,
            weights: None,
            weight_kind: WeightKind::Analytic,
            vcov: "cluster:unit".parse()?,
            small_sample: SmallSample::NONE,
            repair: None,
            singletons: SingletonPolicy::Drop,
            options: options.as_object().cloned().unwrap_or_else(Map::new),
        };
        let (before, clock) = (processor_seconds(), Instant::now());
        let estimate = entry.fit(&panel, &spec, &AbsorptionCache::default())?;
        let (seconds, clock) = (processor_seconds() - before, clock.elapsed().as_secs_f64());
        println!("{draws} draws: {seconds:.2} processor seconds, {clock:.2} by the clock");
        for term in ["att", "event:0", "att:group:2004"] {
            if let Some(row) = estimate.row(term, 0.95) {
                println!("  {term}: {} ({})", row.estimate, row.std_error);
            }
        }
    }
    println!("peak memory: {}", status("VmHWM:"));
    Ok(())
}

/// unit, year, cohort, y, x1, x2.
type Columns = [Vec<f64>; 6];

fn columns() -> Columns {
    let keyed = Keyed::new(20);
    let mut columns: Columns = std::array::from_fn(|_| Vec::with_capacity(UNITS * PERIODS));
    for unit in 0..UNITS {
        let draw = |stream: &str| keyed.normal(stream, unit as i64, 0);
        let (x1, x2, effect) = (draw("x1"), draw("x2"), draw("effect"));
        let place = keyed.uniform("cohort", unit as i64, 0) + 0.04 * x1;
        let cohort = if place < 0.4 { 0 } else { 2004 + ((place - 0.4) / 0.12).floor().min(4.0) as i32 };
        for period in 0..PERIODS {
            let year = 2001 + period as i32;
            let since = if cohort == 0 { -1 } else { year - cohort };
            let treated = if since < 0 { 0.0 } else { 1.0 + 0.2 * f64::from(since) };
            let trend = 0.1 * period as f64 * (1.0 + x1 - 0.5 * x2);
            let y = effect + trend + treated + keyed.normal("error", unit as i64, period as i64);
            let row = [unit as f64, f64::from(year), f64::from(cohort), y, x1, x2];
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
    }
    columns
}

fn panel([unit, year, cohort, y, x1, x2]: Columns) -> Result<Panel, Box<dyn Error>> {
    let codes = Codes::from_integers(unit.iter().map(|it| Some(*it as i64)));
    let periods = year.iter().map(|it| *it as i32).collect();
    let panel = PanelBuilder::new(unit.len())
        .index("unit".into(), codes, "year".into(), periods)
        .column("cohort".into(), Column::real(cohort))
        .column("y".into(), Column::real(y))
        .column("x1".into(), Column::real(x1))
        .column("x2".into(), Column::real(x2))
        .build()?;
    Ok(panel)
}

fn write(columns: &Columns, path: &str) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "unit,year,cohort,y,x1,x2")?;
    for row in 0..columns[0].len() {
        let values: Vec<String> = columns.iter().map(|it| it[row].to_string()).collect();
        writeln!(file, "{}", values.join(","))?;
    }
    Ok(())
}

/// User and system time of this process so far, from Linux; NaN elsewhere.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|it| it.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (ticks(11) + ticks(12)) / 100.0
}

fn status(name: &str) -> String {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|it| it.strip_prefix(name));
    line.map_or_else(|| "not known".to_owned(), |it| it.trim().to_owned())
}

//! `parallax did`: the battery of one treatment.

use std::{collections::BTreeSet, io::Write, time::Instant};

use parallax_base::Name;
use parallax_battery::{Battery, BatterySpec, Treatment, findings, run as run_battery};
use parallax_ingest::{FileRequest, Loaded, ReadRequest, Select, read};
use parallax_report::{
    FileRecord, Format, InputRecord, InputRole, Output, OutputRun, Provenance, battery_document,
    battery_json, effects_table, render,
};

use crate::{
    DriverError, Outcome,
    args::{Did, ListFormat},
    columns::ColumnList,
    commands::{
        fit::{data_notes, explained},
        study_report::record,
    },
};

/// Fits everything, writes the report and says what was found.
pub fn run(
    arguments: &Did,
    quiet: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome, DriverError> {
    let started = Instant::now();
    let registry = parallax_plugins::registry()?;
    let spec = spec(arguments)?;
    if !arguments.no_report && arguments.out.exists() && !arguments.out.is_dir() {
        let out = arguments.out.display();
        return Err(DriverError::Request(format!("--out {out} is a file; name a folder for the report")));
    }
    let mut held = None;
    if !arguments.no_report {
        let run = OutputRun::begin(std::slice::from_ref(&arguments.out))?;
        if !quiet {
            run.notes().try_for_each(|it| writeln!(err, "note: {it}"))?;
        }
        held = Some(run);
    }
    let loaded = load(arguments)?;
    refuse_text(&spec, &loaded)?;
    let notes = data_notes(&loaded);
    let threads = rayon::current_num_threads();
    let battery = run_battery(&loaded.panel, spec, &registry, threads)?;
    let outputs = if arguments.no_report { Vec::new() } else { outputs(&battery, &loaded, &notes)? };
    if let Some(run) = held {
        let inputs: Vec<_> = loaded.files.iter().map(|it| it.path.clone()).collect();
        run.publish(std::slice::from_ref(&outputs), &provenance(&loaded)?, &inputs)?;
    }
    match arguments.format {
        ListFormat::Json => writeln!(out, "{:#}", battery_json(&battery, loaded.simulated(), &notes))?,
        ListFormat::Text => text(&battery, &loaded, out)?,
    }
    if !outputs.is_empty() && !quiet {
        let (files, seconds) = (outputs.len(), started.elapsed().as_secs_f64());
        writeln!(err, "{files} files in {}, {seconds:.1} s", arguments.out.display())?;
    }
    Ok(Outcome::Done)
}

/// Which data the report was made from.
fn provenance(loaded: &Loaded) -> Result<Provenance, DriverError> {
    let mut inputs = Vec::new();
    for it in &loaded.files {
        let name = it.path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        inputs.push(InputRecord { role: InputRole::Data, name, sha256: it.sha256()? });
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Ok(Provenance { version, made_by: "did".to_owned(), simulated: loaded.simulated(), inputs })
}

fn spec(arguments: &Did) -> Result<BatterySpec, DriverError> {
    let treatment = match (&arguments.treatment, &arguments.cohort) {
        (Some(it), None) => Treatment::ByRow(Name::from(it)),
        (None, Some(it)) => Treatment::Cohort(Name::from(it)),
        _ => return Err(DriverError::Request("give either --treatment or --cohort".to_owned())),
    };
    let (Treatment::ByRow(name) | Treatment::Cohort(name)) = &treatment;
    let mut seen = BTreeSet::from([arguments.unit.as_str(), arguments.time.as_str()]);
    let covariates = ColumnList::names(&arguments.covariates);
    let roles = [arguments.outcome.as_str(), name];
    if let Some(twice) =
        roles.into_iter().chain(covariates.iter().map(Name::as_str)).find(|it| !seen.insert(it))
    {
        return Err(DriverError::Request(format!(
            "`{twice}` is named twice; outcome, treatment, unit, time and covariates are columns of their own"
        )));
    }
    Ok(BatterySpec {
        outcome: Name::from(&arguments.outcome),
        treatment,
        covariates,
        cluster: arguments.cluster.as_ref().map(Name::from),
        weights: arguments.weights.as_ref().map(Name::from),
        small_sample: arguments.small_sample,
        level: arguments.level,
    })
}

/// Reads the columns that are named, and no others.
fn load(arguments: &Did) -> Result<Loaded, DriverError> {
    let index = [arguments.unit.as_str(), arguments.time.as_str()];
    let named = [Some(&arguments.outcome), arguments.treatment.as_ref(), arguments.cohort.as_ref()]
        .into_iter()
        .chain([arguments.cluster.as_ref(), arguments.weights.as_ref()])
        .flatten()
        .map(Name::from)
        .chain(ColumnList::names(&arguments.covariates))
        .filter(|it| !index.contains(&it.as_str()));
    let names: BTreeSet<Name> = named.collect();
    let request = ReadRequest {
        files: arguments.data.iter().map(FileRequest::new).collect(),
        unit: Some(Name::from(&arguments.unit)),
        time: Some(Name::from(&arguments.time)),
        time_format: arguments.time_format,
        select: Select::Only(names.into_iter().collect()),
        reading: arguments.reading.options(),
    };
    Ok(read(&request)?)
}

/// Text where numbers are needed is said before anything is fitted, with the value that is in the way.
fn refuse_text(spec: &BatterySpec, loaded: &Loaded) -> Result<(), DriverError> {
    let (Treatment::ByRow(treatment) | Treatment::Cohort(treatment)) = &spec.treatment;
    let numbers = [&spec.outcome, treatment].into_iter().chain(&spec.covariates).chain(&spec.weights);
    for name in numbers {
        loaded.panel.real(name).map_err(|it| explained(loaded, it.into()))?;
    }
    Ok(())
}

fn outputs(battery: &Battery, loaded: &Loaded, notes: &[String]) -> Result<Vec<Output>, DriverError> {
    let files: Vec<FileRecord> =
        loaded.files.iter().map(|it| record(it, &[])).collect::<Result<_, DriverError>>()?;
    let document = battery_document(battery, &files, loaded.simulated(), notes);
    let mut outputs = document.outputs("did")?;
    let json = format!("{:#}\n", battery_json(battery, loaded.simulated(), notes));
    outputs.push(Output::new("did.json", json.into_bytes()));
    Ok(outputs)
}

fn text(battery: &Battery, loaded: &Loaded, out: &mut dyn Write) -> Result<(), DriverError> {
    let mut table = effects_table(battery, loaded.simulated());
    table.notes.extend(loaded.notes.iter().map(|it| format!("{}.", it.to_string().trim_end_matches('.'))));
    write!(out, "{}", render(&table, Format::Text))?;
    writeln!(out)?;
    for finding in findings(battery) {
        writeln!(out, "- {finding}")?;
    }
    Ok(())
}

//! `parallax reproduce`: studies in, tables out, printed against ours.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use parallax_base::Note;
use parallax_ingest::{FileRequest, JoinOn, Loaded, ReadRequest, Select, read};
use parallax_report::{
    Output, check_outputs, compare_study,
    published::{Comparison, Published, Summary, Verdict},
    study_outputs, study_problems, write_outputs,
};
use parallax_study::{DataFile, JoinKey, Root, Source, Study, StudyError, StudyFile, StudyResult};

use crate::{
    DriverError, Outcome,
    args::Reproduce,
    commands::{fit::refuse_mixed, study_report},
    progress::Progress,
};

/// Runs each study, then writes or checks its files.
pub fn run(
    arguments: &Reproduce,
    quiet: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome, DriverError> {
    let named = !arguments.studies.is_empty();
    let mut outcome = Outcome::Done;
    let mut run_any = false;
    for path in study_files(&arguments.studies)? {
        let file = read_study(&path)?;
        let sources = match choose_sources(&file, arguments, &path) {
            Ok(it) => it,
            Err(reason) if named => return Err(DriverError::Request(reason)),
            Err(reason) => {
                if !quiet {
                    writeln!(err, "skipped {}: {reason}", file.name)?;
                }
                continue;
            }
        };
        run_any = true;
        for source in sources {
            outcome = worse(outcome, one(arguments, quiet, &path, file.clone(), &source, (out, err))?);
        }
    }
    if !run_any {
        return Err(DriverError::Request("no study has a source that fits --data or --source".to_owned()));
    }
    Ok(outcome)
}

/// A study that is incomplete is worse than one that differs.
fn worse(a: Outcome, b: Outcome) -> Outcome {
    let worst = [Outcome::Incomplete, Outcome::Different].into_iter().find(|it| *it == a || *it == b);
    worst.unwrap_or(Outcome::Done)
}

/// Says on standard error what the study asked for and did not get.
fn complain(result: &StudyResult, outcome: Outcome, err: &mut dyn Write) -> Result<Outcome, DriverError> {
    let problems = study_problems(result);
    for it in &problems {
        writeln!(err, "error: {}, source {}: {it}", result.study.file.name, result.study.source.name)?;
    }
    Ok(if problems.is_empty() { outcome } else { Outcome::Incomplete })
}

fn one(
    arguments: &Reproduce,
    quiet: bool,
    path: &Path,
    file: StudyFile,
    source: &str,
    (out, err): (&mut dyn Write, &mut dyn Write),
) -> Result<Outcome, DriverError> {
    let started = Instant::now();
    let in_study = |source| DriverError::Study { path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    let study = Study::plan(file, source, parallax_plugins::registry()?).map_err(in_study)?;
    let loaded = load(&study, folder, arguments.data.as_deref()).map_err(|it| place(it, path))?;
    refuse_unmarked_simulation(&study, &loaded, path)?;
    for model in &study.models {
        refuse_mixed(&loaded, &model.spec.formula)?;
    }
    let progress = Progress::new(quiet, &study.file.name, study.models.len());
    let result = study.run(&loaded.panel, &|name| progress.done(name)).map_err(in_study)?;
    drop(progress);
    let comparisons = compare(&result, folder)?;
    let flow = sample_flow(&result, &loaded);
    let mut outputs = study_outputs(&result, &comparisons);
    outputs.push(Output::new("sample-flow.txt", flow.clone().into_bytes()));
    let [tables, report] = targets(arguments, folder, &result);
    if arguments.check {
        if !quiet {
            summarize(&result, &comparisons, started, out)?;
        }
        return complain(&result, check(&tables, &outputs, out)?, err);
    }
    // The report is made before anything is written: an error leaves all old results.
    let reports = match arguments.no_report {
        true => Vec::new(),
        false => study_report::outputs(&result, &loaded, &comparisons, &flow, folder)?,
    };
    if !quiet {
        summarize(&result, &comparisons, started, out)?;
    }
    write(&tables, &outputs, quiet, out)?;
    if !reports.is_empty() {
        write(&report, &reports, quiet, out)?;
    }
    complain(&result, Outcome::Done, err)
}

/// Study files named, or every `datasets/*/study.toml`.
fn study_files(named: &[PathBuf]) -> Result<Vec<PathBuf>, DriverError> {
    if !named.is_empty() {
        return Ok(named
            .iter()
            .map(|it| if it.is_dir() { it.join("study.toml") } else { it.clone() })
            .collect());
    }
    let root = Path::new("datasets");
    let none = || {
        DriverError::Request("no ./datasets with studies here; name a study file or its folder".to_owned())
    };
    let mut found: Vec<PathBuf> = fs::read_dir(root)
        .map_err(|_| none())?
        .filter_map(|it| it.ok().map(|it| it.path().join("study.toml")))
        .filter(|it| it.is_file())
        .collect();
    found.sort();
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

fn read_study(path: &Path) -> Result<StudyFile, DriverError> {
    let text =
        fs::read_to_string(path).map_err(|source| DriverError::Read { path: path.to_owned(), source })?;
    StudyFile::parse(&text).map_err(|source| DriverError::Study { path: path.to_owned(), source })
}

/// `--source` by name, or all that can be read; else with `--data` the first source all of whose files
/// are there; else the first one that needs no `--data`.
fn choose_sources(file: &StudyFile, arguments: &Reproduce, path: &Path) -> Result<Vec<String>, String> {
    let sources = &file.data.sources;
    let data = arguments.data.as_deref();
    match arguments.source.as_deref() {
        Some(ALL) => {
            let here = sources.iter().filter(|it| lacks(it, data).is_none());
            let names: Vec<String> = here.map(|it| it.name.clone()).collect();
            return if names.is_empty() {
                Err(format!("{}: every source needs --data", path.display()))
            } else {
                Ok(names)
            };
        }
        Some(name) => {
            let known = sources.iter().map(|it| it.name.as_str());
            return match sources.iter().find(|it| it.name == *name) {
                Some(it) => Ok(vec![it.name.clone()]),
                None => Err(format!(
                    "{}: no source `{name}`{}",
                    path.display(),
                    parallax_base::with_suggestion(name, known)
                )),
            };
        }
        None => {}
    }
    let candidates = sources.iter().filter(|it| is_outside(it) == data.is_some());
    let mut reason = match data {
        None => format!("{}: every source needs --data", path.display()),
        Some(_) => format!("{}: no source reads from --data", path.display()),
    };
    for source in candidates {
        match lacks(source, data) {
            None => return Ok(vec![source.name.clone()]),
            Some(file) => reason = format!("source `{}` needs {file}, which is not there", source.name),
        }
    }
    Err(reason)
}

/// `--source all`.
const ALL: &str = "all";

fn is_outside(source: &Source) -> bool {
    source.files.iter().any(|it| it.root == Root::Data)
}

/// The first file of a source below `--data` that is not there.
fn lacks(source: &Source, data: Option<&Path>) -> Option<String> {
    let outside = source.files.iter().filter(|it| it.root == Root::Data);
    let path = |it: &DataFile| data.map(|root| root.join(&it.path));
    outside
        .map(|it| (path(it), &it.path))
        .find(|(path, _)| !path.as_ref().is_some_and(|it| it.exists()))
        .map(|(path, name)| path.map_or_else(|| name.clone(), |it| it.display().to_string()))
}

fn load(study: &Study, folder: &Path, data: Option<&Path>) -> Result<Loaded, DriverError> {
    let needs =
        study.needs().map_err(|source| DriverError::Study { path: folder.join("study.toml"), source })?;
    let files =
        study.source.files.iter().map(|it| file_request(it, folder, data)).collect::<Result<_, _>>()?;
    Ok(read(&ReadRequest {
        files,
        unit: study.file.data.unit.clone(),
        time: study.file.data.time.clone(),
        time_format: study.file.data.time_format,
        select: Select::Only(needs),
    })?)
}

fn file_request(file: &DataFile, folder: &Path, data: Option<&Path>) -> Result<FileRequest, DriverError> {
    let root = match (file.root, data) {
        (Root::Study, _) => folder,
        (Root::Data, Some(it)) => it,
        (Root::Data, None) => {
            return Err(DriverError::Request(format!("{} lies under --data; say where", file.path)));
        }
    };
    let on = match file.on {
        JoinKey::UnitTime => JoinOn::UnitTime,
        JoinKey::Unit => JoinOn::Unit,
        JoinKey::Time => JoinOn::Time,
    };
    let mut request = FileRequest::new(root.join(&file.path)).on(on);
    for (in_panel, in_file) in &file.columns {
        request = request.rename(in_file.clone(), in_panel.clone());
    }
    Ok(request)
}

/// Errors of a study's data name the study too.
fn place(error: DriverError, path: &Path) -> DriverError {
    match error {
        DriverError::Ingest(it) => DriverError::Request(format!("{}: {it}", path.display())),
        other => other,
    }
}

/// A file that says it is simulated must not pass for real data.
fn refuse_unmarked_simulation(study: &Study, loaded: &Loaded, path: &Path) -> Result<(), DriverError> {
    if loaded.simulated() && !study.source.simulated {
        let source = StudyError::Entry {
            place: format!("source `{}`", study.source.name),
            message: "a file says its numbers are simulated; write `simulated = true`".to_owned(),
        };
        return Err(DriverError::Study { path: path.to_owned(), source });
    }
    Ok(())
}

fn compare(result: &StudyResult, folder: &Path) -> Result<Vec<Comparison>, DriverError> {
    let path = folder.join("published.toml");
    if !result.study.source.compare {
        return Ok(Vec::new());
    }
    let text = match fs::read_to_string(&path) {
        Ok(it) => it,
        Err(it) if it.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(DriverError::Read { path, source }),
    };
    let published: Published = text.parse().map_err(|source| DriverError::Published { path, source })?;
    Ok(compare_study(&published, result))
}

/// Where tables go, and the report.
fn targets(arguments: &Reproduce, folder: &Path, result: &StudyResult) -> [PathBuf; 2] {
    let (study, source) = (&result.study.file.name, &result.study.source.name);
    match &arguments.out {
        Some(it) => [it.join(study).join(source), it.join(study).join(source).join("report")],
        None => ["tables", "report"].map(|it| folder.join(it).join(source)),
    }
}

fn summarize(
    result: &StudyResult,
    comparisons: &[Comparison],
    started: Instant,
    out: &mut dyn Write,
) -> Result<(), DriverError> {
    let study = &result.study;
    let simulated = if study.source.simulated { ", simulated data" } else { "" };
    writeln!(out, "{}: source {}{simulated}", study.file.title, study.source.name)?;
    for it in comparisons {
        writeln!(out, "  {}: {}", it.table, it.summary())?;
        let stale = it.cells.iter().filter(|cell| cell.verdict == Verdict::StaleExplanation);
        for cell in stale {
            writeln!(
                out,
                "    {} {}: explained, but it matches; remove the explanation",
                cell.column, cell.row
            )?;
        }
    }
    let total: Summary = comparisons.iter().map(Comparison::summary).sum();
    if !comparisons.is_empty() {
        writeln!(out, "  printed against ours: {total}")?;
    }
    let seconds = started.elapsed().as_secs_f64();
    writeln!(out, "  {} rows, {} models, {seconds:.2} s", result.panel.n_rows(), result.models.len())?;
    Ok(())
}

/// What reading and the pipeline did to rows and columns, as a file beside the tables.
fn sample_flow(result: &StudyResult, loaded: &Loaded) -> String {
    let simulated = if result.study.source.simulated { " (simulated data)" } else { "" };
    let mut text = format!("How the sample of {} came to be{simulated}\n\n", result.study.file.name);
    for file in &loaded.files {
        let name = file.path.file_name().map(|it| it.to_string_lossy()).unwrap_or_default();
        text.push_str(&format!(
            "{name}: {}, {} rows, {} columns read\n",
            file.format, file.rows, file.columns_read
        ));
    }
    for note in &loaded.notes {
        text.push_str(&format!("{}\n", without_folder(note)));
    }
    for note in &result.notes {
        text.push_str(&format!("{note}\n"));
    }
    let (rows, units) = (result.panel.n_rows(), result.panel.units().n_groups());
    text.push_str(&match result.panel.index() {
        Some(_) => format!("panel: {rows} rows, {units} units\n"),
        None => format!("cross-section: {rows} rows\n"),
    });
    if result.study.source.simulated {
        text.push_str("All data here are simulated; no number is a finding.\n");
    }
    text
}

/// Notes name files as they were found; where the files lie is not part of the result.
fn without_folder(note: &Note) -> String {
    match note {
        Note::Ingest { file, text } => {
            let name = Path::new(file).file_name().map_or(file.as_str().into(), |it| it.to_string_lossy());
            format!("{name}: {text}")
        }
        other => other.to_string(),
    }
}

fn check(target: &Path, outputs: &[Output], out: &mut dyn Write) -> Result<Outcome, DriverError> {
    let differences = check_outputs(target, outputs)?;
    for it in &differences {
        writeln!(out, "  differs: {}: {it}", target.display())?;
    }
    if !differences.is_empty() {
        return Ok(Outcome::Different);
    }
    writeln!(out, "  {} files in {} are as they would be written", outputs.len(), target.display())?;
    Ok(Outcome::Done)
}

fn write(target: &Path, outputs: &[Output], quiet: bool, out: &mut dyn Write) -> Result<(), DriverError> {
    let written = write_outputs(target, outputs)?;
    if !quiet {
        writeln!(
            out,
            "  {} files in {}, {} changed",
            outputs.len(),
            target.display(),
            written.changed.len()
        )?;
    }
    Ok(())
}

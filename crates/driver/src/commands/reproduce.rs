//! `parallax reproduce`: studies in, tables out, printed against ours.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

use parallax_base::Note;
use parallax_ingest::{FileRequest, JoinOn, Loaded, ReadOptions, ReadRequest, Select, read};
use parallax_report::{
    InputRecord, InputRole, Output, OutputRun, Provenance, Written, check_outputs, provenance_of,
    published::{Comparison, Summary, Verdict},
    sha256, study_outputs, study_problems,
};
use parallax_study::{DataFile, JoinKey, Root, Source, Study, StudyError, StudyFile, StudyResult};

use crate::{
    DriverError, Outcome,
    args::Reproduce,
    commands::{
        fit::refuse_mixed,
        printed::{Judgement, Printed},
        sample_flow::{sample_flow, without_folder},
        study_report,
    },
    progress::Progress,
    reach::Reach,
    text_file::{read_regular, read_text},
};

/// A study file as it was read.
struct Opened {
    path: PathBuf,
    sha256: String,
    file: StudyFile,
    reach: Reach,
    printed: Printed,
}

/// How a run is asked for, and where it speaks.
struct Asked<'a> {
    arguments: &'a Reproduce,
    quiet: bool,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

/// What a source gave, ready to be written.
struct Made {
    result: StudyResult,
    comparisons: Vec<Comparison>,
    tables: Vec<Output>,
    report: Vec<Output>,
    /// Every file that was read.
    inputs: Vec<PathBuf>,
    /// What reading them took for granted.
    notes: Vec<Note>,
    provenance: Provenance,
}

/// Runs each study, then writes or checks its files.
pub fn run(
    arguments: &Reproduce,
    quiet: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome, DriverError> {
    let named = !arguments.studies.is_empty();
    let mut asked = Asked { arguments, quiet, out, err };
    let mut outcome = Outcome::Done;
    let mut run_any = false;
    let mut seen = BTreeMap::new();
    for (path, found) in study_files(&arguments.studies)? {
        let opened = open(path, found, arguments)?;
        if let (Some(other), Some(out)) =
            (seen.insert(opened.file.name.folded(), opened.path.clone()), &arguments.out)
        {
            let (name, path, out) = (&opened.file.name, opened.path.display(), out.display());
            return Err(DriverError::Request(format!(
                "{path} and {} are both called `{name}`, and both would be written to {out}/{name}; run one of them \
                 with another --out",
                other.display()
            )));
        }
        let sources = match choose_sources(&opened.file, arguments, &opened.path) {
            Ok(it) => it,
            Err(reason) if named => return Err(DriverError::Request(reason)),
            Err(reason) => {
                if !quiet {
                    writeln!(asked.err, "skipped {}: {reason}", opened.file.name)?;
                }
                continue;
            }
        };
        run_any = true;
        let mut judgement = Judgement::default();
        for source in sources {
            outcome = outcome.worse(one(&mut asked, &opened, &source, &mut judgement)?);
        }
        if arguments.strict {
            let rest = judgement.rest(&opened.printed);
            rest.iter().try_for_each(|it| writeln!(asked.err, "error: {}: {it}", opened.file.name))?;
            outcome = outcome.worse(if rest.is_empty() { Outcome::Done } else { Outcome::Unmatched });
        }
    }
    if !run_any {
        return Err(DriverError::Request("no study has a source that fits --data or --source".to_owned()));
    }
    Ok(outcome)
}

/// Says on standard error what the study asked for and did not get.
fn complain(result: &StudyResult, err: &mut dyn Write) -> Result<Outcome, DriverError> {
    let problems = study_problems(result);
    say(result, &problems, err)?;
    Ok(if problems.is_empty() { Outcome::Done } else { Outcome::Incomplete })
}

fn say(result: &StudyResult, problems: &[String], err: &mut dyn Write) -> Result<(), DriverError> {
    for it in problems {
        writeln!(err, "error: {}, source {}: {it}", result.study.file.name, result.study.source.name)?;
    }
    Ok(())
}

fn one(
    asked: &mut Asked<'_>,
    opened: &Opened,
    source: &str,
    judgement: &mut Judgement,
) -> Result<Outcome, DriverError> {
    let started = Instant::now();
    let arguments = asked.arguments;
    let study = Study::plan(opened.file.clone(), source, parallax_plugins::registry()?)
        .map_err(|source| DriverError::Study { path: opened.path.clone(), source })?;
    let [tables, report] = targets(arguments, folder(&opened.path), &study);
    if arguments.out.is_none() {
        [&tables, &report].into_iter().try_for_each(|it| opened.reach.check_target(it))?;
    }
    // A second run would be refused before it has done its work.
    let dirs = if arguments.no_report { vec![tables.clone()] } else { vec![tables.clone(), report.clone()] };
    let run = if arguments.check { None } else { Some(OutputRun::begin(&dirs)?) };
    if !asked.quiet {
        let notes = run.iter().flat_map(OutputRun::notes);
        notes.into_iter().try_for_each(|it| writeln!(asked.err, "note: {it}"))?;
    }
    let made = make(asked, opened, study)?;
    let mut outcome = Outcome::Done;
    match run {
        None => {
            summarize(&made, &opened.printed, started, asked)?;
            outcome = outcome.worse(check(&tables, &made, asked)?);
        }
        Some(run) => {
            let results = [made.tables.clone(), made.report.clone()];
            let written = run.publish(&results, &made.provenance, &made.inputs)?;
            summarize(&made, &opened.printed, started, asked)?;
            dirs.iter().zip(&written).try_for_each(|(dir, it)| tell(dir, it, asked))?;
            if arguments.no_report {
                tell_other_run(&report, &made.provenance, asked)?;
            }
        }
    }
    outcome = outcome.worse(complain(&made.result, asked.err)?);
    if arguments.strict {
        let found = judgement.of(&made.result, &opened.printed, &made.comparisons);
        say(&made.result, &found, asked.err)?;
        outcome = outcome.worse(if found.is_empty() { Outcome::Done } else { Outcome::Unmatched });
    }
    Ok(outcome)
}

/// Reads, runs and compares; nothing is written.
fn make(asked: &Asked<'_>, opened: &Opened, study: Study) -> Result<Made, DriverError> {
    let (arguments, path) = (asked.arguments, opened.path.as_path());
    let in_study = |source| DriverError::Study { path: path.to_owned(), source };
    let folder = folder(path);
    let reading = arguments.reading.options();
    let loaded = load(&study, folder, arguments.data.as_deref(), reading, &opened.reach)
        .map_err(|it| place(it, path))?;
    refuse_unmarked_simulation(&study, &loaded, path)?;
    for model in &study.models {
        refuse_mixed(&loaded, &model.spec.formula)?;
    }
    let progress = Progress::new(asked.quiet, &study.file.name, study.models.len());
    let result = study.run(&loaded.panel, &|name| progress.done(name)).map_err(in_study)?;
    drop(progress);
    let comparisons = opened.printed.compare(&result)?;
    let flow = sample_flow(&result, &loaded);
    let data: Vec<String> = loaded.notes.iter().map(without_folder).collect();
    let mut tables = study_outputs(&result, &comparisons, &data);
    tables.push(Output::new("sample-flow.txt", flow.clone().into_bytes()));
    let report = match arguments.no_report || arguments.check {
        true => Vec::new(),
        false => study_report::outputs(&result, &loaded, &comparisons, &flow, folder)?,
    };
    let provenance = provenance(opened, &result, &loaded)?;
    let printed = if let Printed::Here(it) = &opened.printed { Some(it.path.clone()) } else { None };
    let data = loaded.files.iter().map(|it| it.path.clone());
    let inputs = [path.to_owned()].into_iter().chain(printed).chain(data).collect();
    Ok(Made { result, comparisons, tables, report, inputs, notes: loaded.notes, provenance })
}

/// Which run the results are of: the program, what was asked, and every file that was read.
fn provenance(opened: &Opened, result: &StudyResult, loaded: &Loaded) -> Result<Provenance, DriverError> {
    let name = |it: &Path| it.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let study = (InputRole::Study, name(&opened.path), opened.sha256.clone());
    let mut inputs = vec![study];
    if let Printed::Here(it) = &opened.printed {
        inputs.push((InputRole::Published, name(&it.path), it.sha256.clone()));
    }
    for it in &loaded.files {
        inputs.push((InputRole::Data, name(&it.path), it.sha256()?));
    }
    let record = |(role, name, sha256)| InputRecord { role, name, sha256 };
    Ok(Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_by: format!("reproduce, study {}, source {}", result.study.file.name, result.study.source.name),
        simulated: result.study.source.simulated,
        inputs: inputs.into_iter().map(record).collect(),
    })
}

/// Study files named, or every `datasets/*/study.toml`; `true` for those found in a folder.
fn study_files(named: &[PathBuf]) -> Result<Vec<(PathBuf, bool)>, DriverError> {
    if !named.is_empty() {
        let file =
            |it: &PathBuf| if it.is_dir() { (it.join("study.toml"), true) } else { (it.clone(), false) };
        return Ok(named.iter().map(file).collect());
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
    if found.is_empty() { Err(none()) } else { Ok(found.into_iter().map(|it| (it, true)).collect()) }
}

/// Reads a study file and what is printed. A file that was found in a folder must not be a link out of it: messages show
/// lines of it.
fn open(path: PathBuf, found: bool, arguments: &Reproduce) -> Result<Opened, DriverError> {
    let reach = Reach::of(folder(&path), &path, arguments);
    if found {
        reach.check(&path, "the study file")?;
    }
    // What the user names may come through a pipe; what lies in a folder is a file.
    let text = if found { read_regular(&path) } else { read_text(&path) };
    let text = text.map_err(|source| DriverError::Read { path: path.clone(), source })?;
    let file = StudyFile::parse(&text).map_err(|source| DriverError::Study { path: path.clone(), source })?;
    let printed = Printed::read(&file, folder(&path), &reach)?;
    Ok(Opened { sha256: sha256(text.as_bytes()), path, file, reach, printed })
}

fn folder(study: &Path) -> &Path {
    study.parent().unwrap_or(Path::new("."))
}

/// `--source` by name, or all that can be read; else with `--data` the first source all of whose files
/// are there; else the first one that needs no `--data`.
fn choose_sources(file: &StudyFile, arguments: &Reproduce, path: &Path) -> Result<Vec<String>, String> {
    let sources = &file.data.sources;
    let data = arguments.data.as_deref();
    match arguments.source.as_deref() {
        Some(ALL) => {
            let here = sources.iter().filter(|it| lacks(it, data).is_none());
            let names: Vec<String> = here.map(|it| it.name.to_string()).collect();
            return if names.is_empty() {
                Err(format!("{}: every source needs --data", path.display()))
            } else {
                Ok(names)
            };
        }
        Some(name) => {
            let known = sources.iter().map(|it| it.name.as_str());
            return match sources.iter().find(|it| it.name == *name) {
                Some(it) => Ok(vec![it.name.to_string()]),
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
            None => return Ok(vec![source.name.to_string()]),
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

fn load(
    study: &Study,
    folder: &Path,
    data: Option<&Path>,
    reading: ReadOptions,
    reach: &Reach,
) -> Result<Loaded, DriverError> {
    let needs =
        study.needs().map_err(|source| DriverError::Study { path: folder.join("study.toml"), source })?;
    let files =
        study.source.files.iter().map(|it| file_request(it, folder, data)).collect::<Result<Vec<_>, _>>()?;
    let what = format!("a file of source `{}`", study.source.name);
    files.iter().try_for_each(|it| reach.check(&it.path, &what))?;
    Ok(read(&ReadRequest {
        files,
        unit: study.file.data.unit.clone(),
        time: study.file.data.time.clone(),
        time_format: study.file.data.time_format,
        select: Select::Only(needs),
        reading,
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

/// Where tables go, and the report.
fn targets(arguments: &Reproduce, folder: &Path, study: &Study) -> [PathBuf; 2] {
    let (name, source) = (&study.file.name, &study.source.name);
    match &arguments.out {
        Some(it) => [it.join(name).join(source), it.join(name).join(source).join("report")],
        None => ["tables", "report"].map(|it| folder.join(it).join(source)),
    }
}

fn summarize(
    made: &Made,
    printed: &Printed,
    started: Instant,
    asked: &mut Asked<'_>,
) -> Result<(), DriverError> {
    if asked.quiet {
        return Ok(());
    }
    let (study, out) = (&made.result.study, &mut *asked.out);
    let simulated = if study.source.simulated { ", simulated data" } else { "" };
    writeln!(out, "{}: source {}{simulated}", study.file.title, study.source.name)?;
    for note in &made.notes {
        writeln!(out, "  note: {}", without_folder(note))?;
    }
    for it in &made.comparisons {
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
    match made.comparisons.is_empty() {
        true => writeln!(out, "  printed against ours: {}", printed.why_nothing())?,
        false => {
            let total: Summary = made.comparisons.iter().map(Comparison::summary).sum();
            writeln!(out, "  printed against ours: {total}")?;
        }
    }
    let patterns = &study.source.patterns;
    if !patterns.is_empty() {
        let hold = patterns.iter().filter(|it| it.fault(&made.result).is_none()).count();
        writeln!(out, "  patterns: {hold} of {} hold", patterns.len())?;
    }
    let (rows, models) = (made.result.panel.n_rows(), made.result.models.len());
    writeln!(out, "  {rows} rows, {models} models, {:.2} s", started.elapsed().as_secs_f64())?;
    Ok(())
}

fn check(target: &Path, made: &Made, asked: &mut Asked<'_>) -> Result<Outcome, DriverError> {
    tell_other_run(target, &made.provenance, asked)?;
    let differences = check_outputs(target, &made.tables)?;
    for it in &differences {
        writeln!(asked.out, "  differs: {}: {it}", target.display())?;
    }
    if !differences.is_empty() {
        return Ok(Outcome::Different);
    }
    let files = made.tables.len();
    writeln!(asked.out, "  {files} files in {} are as they would be written", target.display())?;
    Ok(Outcome::Done)
}

/// What was written, what was removed, and what lies there besides.
fn tell(dir: &Path, written: &Written, asked: &mut Asked<'_>) -> Result<(), DriverError> {
    if asked.quiet {
        return Ok(());
    }
    let (files, changed) = (written.changed.len() + written.unchanged.len(), written.changed.len());
    writeln!(asked.out, "  {files} files in {}, {changed} changed", dir.display())?;
    for it in &written.removed {
        writeln!(asked.out, "    removed {}, which the run before made and this one does not", it.display())?;
    }
    for it in &written.left {
        writeln!(asked.out, "    left {}, which is not of this run", it.display())?;
    }
    Ok(())
}

/// Results that a run with other files or another version has made are named.
fn tell_other_run(dir: &Path, run: &Provenance, asked: &mut Asked<'_>) -> Result<(), DriverError> {
    let Some(other) = provenance_of(dir)?.filter(|it| it != run) else { return Ok(()) };
    let changed = run.inputs.iter().filter(|it| !other.inputs.contains(it)).map(|it| it.name.as_str());
    let mut changed: Vec<&str> = changed.collect();
    if other.version != run.version {
        changed.push("the program");
    }
    if !asked.quiet {
        let what = if changed.is_empty() { "the files that are read".to_owned() } else { changed.join(", ") };
        writeln!(
            asked.err,
            "note: the results in {} are of another run; since then changed: {what}",
            dir.display()
        )?;
    }
    Ok(())
}

//! `parallax fit`: one model on one file.

use std::io::Write;

use parallax_base::Name;
use parallax_ingest::{FileRequest, Loaded, ReadRequest, Select, read};
use parallax_model::{
    AbsorptionCache, Entry, Estimate, FitError, Formula, FormulaError, ModelSpec, OptionColumns, Registry,
    Support, VcovSpec, formula::Part,
};
use parallax_panel::PanelError;
use parallax_report::{Format, estimate_json, estimate_table, plain_table, render};
use serde_json::{Map, Value};

use crate::{
    DriverError, Outcome,
    args::{Fit, FitFormat, ModelArguments},
    columns::ColumnList,
};

/// Fits and prints.
pub fn run(arguments: &Fit, out: &mut dyn Write) -> Result<Outcome, DriverError> {
    let request = Request::new(&arguments.model)?;
    let loaded = request.load()?;
    let estimate = request.fit(&loaded, &request.spec)?;
    let mut notes = data_notes(&loaded);
    notes.extend(request.note.clone());
    match table_format(arguments.format) {
        None => {
            let json = estimate_json(&estimate, &request.spec.formula, arguments.level, &notes);
            writeln!(out, "{json:#}")?;
        }
        Some(format) => {
            let table = estimate_table(&estimate, arguments.level, loaded.simulated(), &notes);
            write!(out, "{}", render(&table, format))?;
            if format != Format::Csv {
                write_details(&estimate, loaded.simulated(), format, out)?;
            }
        }
    }
    Ok(Outcome::Done)
}

/// Tables that go with the coefficients. Draws fill screens, so the long ones are left to JSON.
fn write_details(
    estimate: &Estimate,
    simulated: bool,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), DriverError> {
    const LONGEST: usize = 60;
    for detail in &estimate.details {
        match detail.n_rows() {
            rows if rows <= LONGEST => {
                write!(out, "\n{}", render(&plain_table(detail, simulated), format))?;
            }
            rows => writeln!(out, "\n{}: {rows} rows, shown by --format json", detail.title)?,
        }
    }
    Ok(())
}

fn table_format(format: FitFormat) -> Option<Format> {
    match format {
        FitFormat::Json => None,
        FitFormat::Text => Some(Format::Text),
        FitFormat::Markdown => Some(Format::Markdown),
        FitFormat::Latex => Some(Format::Latex),
        FitFormat::Csv => Some(Format::Csv),
    }
}

/// What a reader should know of the data themselves.
pub fn data_notes(loaded: &Loaded) -> Vec<String> {
    let mut notes = Vec::new();
    if loaded.simulated() {
        notes.push("the data are simulated; no number is a finding".to_owned());
    }
    notes.extend(loaded.notes.iter().map(ToString::to_string));
    notes
}

/// A model request from the command line, checked against the registry before any data is read.
pub struct Request<'a> {
    arguments: &'a ModelArguments,
    /// What to fit.
    pub spec: ModelSpec,
    /// What was chosen because it was not said.
    pub note: Option<String>,
    registry: Registry,
}

impl<'a> Request<'a> {
    /// Checks names and options.
    pub fn new(arguments: &'a ModelArguments) -> Result<Request<'a>, DriverError> {
        let registry = parallax_plugins::registry()?;
        let entry = registry.estimator(&arguments.estimator)?;
        let unit = arguments.unit.as_ref().map(Name::from);
        let vcov =
            arguments.vcov.clone().unwrap_or_else(|| entry.meta.capabilities.usual_vcov(unit.as_ref()));
        let note = (arguments.vcov.is_none() && vcov != VcovSpec::Iid)
            .then(|| format!("no covariance was asked for and `{}` has no iid: {vcov}", arguments.estimator));
        let (formula, options) = formula_and_options(arguments, entry)?;
        let spec = ModelSpec {
            estimator: arguments.estimator.clone(),
            formula,
            weights: arguments.weights.as_ref().map(Name::from),
            weight_kind: arguments.weight_kind,
            vcov,
            small_sample: arguments.small_sample,
            repair: arguments.repair,
            singletons: arguments.singletons,
            options,
        };
        entry.check(&spec)?;
        Ok(Request { arguments, spec, note, registry })
    }

    /// Reads the columns the model names, and no others.
    pub fn load(&self) -> Result<Loaded, DriverError> {
        let mut names = self.registry.estimator(&self.spec.estimator)?.variables(&self.spec)?;
        names.retain(|it| {
            ![&self.arguments.unit, &self.arguments.time].iter().any(|key| key.as_deref() == Some(it))
        });
        let mut request = ReadRequest {
            files: self.arguments.data.iter().map(FileRequest::new).collect(),
            unit: None,
            time: None,
            time_format: self.arguments.time_format,
            select: Select::Only(names),
            reading: self.arguments.reading.options(),
        };
        request.unit = self.arguments.unit.as_ref().map(Name::from);
        request.time = self.arguments.time.as_ref().map(Name::from);
        let loaded = read(&request)?;
        refuse_mixed(&loaded, &self.spec.formula)?;
        Ok(loaded)
    }

    /// Fits `spec`, which may be the request under other rules.
    pub fn fit(&self, loaded: &Loaded, spec: &ModelSpec) -> Result<Estimate, DriverError> {
        let entry = self.registry.estimator(&spec.estimator)?;
        let cache = AbsorptionCache::default();
        entry.fit(&loaded.panel, spec, &cache).map_err(|it| explained(loaded, it))
    }
}

/// A column of numbers with a few stray texts must not turn into dummies behind the user's back;
/// `i(column)` says that dummies are meant.
pub fn refuse_mixed(loaded: &Loaded, formula: &Formula) -> Result<(), DriverError> {
    let values = formula.regressors.iter().flat_map(|it| &it.parts).filter_map(|it| match it {
        Part::Value(expr) => Some(expr.variables()),
        Part::Factor(_) => None,
    });
    let used: Vec<Name> = values.flatten().collect();
    match loaded.mixed.iter().find(|it| used.contains(&it.column)) {
        Some(it) => Err(DriverError::NotNumeric(format!("{it}; or write i({}) for dummies", it.column))),
        None => Ok(()),
    }
}

/// Says which value of a file makes a column text, where that is the trouble.
pub fn explained(loaded: &Loaded, error: FitError) -> DriverError {
    let column = match &error {
        FitError::Panel(PanelError::NotNumeric { name })
        | FitError::Formula(FormulaError::Panel(PanelError::NotNumeric { name })) => name.clone(),
        FitError::Formula(FormulaError::TextNumbers { column, .. }) => {
            // A text file knows the line of the value that is in the way.
            return match loaded.mixed.iter().find(|it| it.column == *column) {
                Some(it) => DriverError::NotNumeric(format!("{it}; or write i({column}) for dummies")),
                None => error.into(),
            };
        }
        FitError::Formula(FormulaError::Text { expr }) => Name::from(expr.to_string()),
        _ => return error.into(),
    };
    match loaded.explain_not_numeric(&column) {
        Some(reason) => DriverError::NotNumeric(reason),
        None => error.into(),
    }
}

/// The formula as it was given, or made of the columns --outcome, --treatment and --covariates; the options with
/// --cohort and, where the estimator reads a column there, --treatment.
fn formula_and_options(
    arguments: &ModelArguments,
    entry: &Entry,
) -> Result<(Formula, Map<String, Value>), DriverError> {
    let mut options = options(&arguments.options, &entry.schema().to_value())?;
    if let Some(cohort) = &arguments.cohort {
        set(&mut options, "cohort", cohort, entry)?;
    }
    let mut regressors: Vec<Name> = ColumnList::names(&arguments.covariates);
    if let Some(treatment) = &arguments.treatment {
        if reads_treatment(entry, &options, treatment) {
            set(&mut options, "treatment", treatment, entry)?;
        } else {
            regressors.insert(0, Name::from(treatment));
        }
    }
    if let Some(formula) = &arguments.formula {
        return Ok((formula.clone(), options));
    }
    let outcome = Name::from(arguments.outcome.as_deref().unwrap_or_default());
    let effects = match (entry.meta.capabilities.effects, &arguments.unit, &arguments.time) {
        (Support::Required, Some(unit), Some(time)) => vec![Name::from(unit), Name::from(time)],
        _ => Vec::new(),
    };
    Ok((Formula::of_columns(&outcome, &regressors, &effects), options))
}

/// An option that has an argument of its own.
fn set(options: &mut Map<String, Value>, key: &str, column: &str, entry: &Entry) -> Result<(), DriverError> {
    let plugin = entry.meta.plugin.name;
    if entry.schema().get("properties").and_then(|it| it.get(key)).is_none() {
        return Err(DriverError::Request(format!(
            "--{key}: `{plugin}` has no option `{key}`; `parallax explain {plugin}` lists those it has"
        )));
    }
    match options.insert(key.to_owned(), Value::String(column.to_owned())) {
        None => Ok(()),
        Some(other) => Err(DriverError::Request(format!(
            "--{key} {column} and --set {key}={} are the same option; give one of them",
            other.as_str().map_or(other.to_string(), str::to_owned)
        ))),
    }
}

/// True where the option `treatment` names a column that is read for itself, not a regressor of the formula.
fn reads_treatment(entry: &Entry, options: &Map<String, Value>, treatment: &str) -> bool {
    let mut with = options.clone();
    with.insert("treatment".to_owned(), Value::String(treatment.to_owned()));
    let named =
        |it: &OptionColumns| it.required.iter().chain(&it.optional).any(|it| it.as_str() == treatment);
    entry.columns(&with).is_ok_and(|it| named(&it))
}

/// `key=value` pairs as JSON: numbers, true, false and lists are read as such, the rest is text. An option that is
/// text alone, as those are that name a column, takes everything as text: there are columns named `2004`.
fn options(pairs: &[String], schema: &Value) -> Result<Map<String, Value>, DriverError> {
    let mut options = Map::new();
    for pair in pairs {
        let Some((key, text)) = pair.split_once('=') else {
            return Err(DriverError::Request(format!("--set {pair}: write key=value")));
        };
        let key = key.trim();
        let as_text = || Value::String(text.to_owned());
        let property = schema.get("properties").and_then(|it| it.get(key));
        let value = match serde_json::from_str(text) {
            Ok(Value::Number(_) | Value::Bool(_)) if property.is_some_and(|it| text_alone(it, schema)) => {
                as_text()
            }
            Ok(it) => it,
            Err(_) => as_text(),
        };
        if options.insert(key.to_owned(), value).is_some() {
            return Err(DriverError::Request(format!("--set {key}: given twice")));
        }
    }
    Ok(options)
}

/// True where a property of a schema takes text or nothing.
fn text_alone(property: &Value, schema: &Value) -> bool {
    let is_text = |it: &Value| matches!(it.as_str(), Some("string" | "null"));
    if let Some(name) =
        property.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/$defs/"))
    {
        return schema.get("$defs").and_then(|it| it.get(name)).is_some_and(|it| text_alone(it, schema));
    }
    match (property.get("type"), property.get("anyOf").and_then(Value::as_array)) {
        (Some(Value::Array(several)), _) => several.iter().all(is_text),
        (Some(one), _) => is_text(one),
        (None, Some(alternatives)) => alternatives.iter().all(|it| text_alone(it, schema)),
        (None, None) => false,
    }
}

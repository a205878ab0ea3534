//! Every plugin linked into this program, in name order, each name once.

use std::collections::BTreeMap;

use parallax_base::{Name, with_suggestion};
use parallax_panel::Panel;
use schemars::{Schema, schema_for};
use serde_json::{Map, Value};

use crate::{
    AbsorptionCache, Adoption, BatteryModel, BatteryRequest, Design, Estimate, Estimator, Example, FitError,
    IndexMethod, IndexResult, Meta, ModelSpec, OptionColumns, PluginMeta, Step, StepError, Stepped, Support,
    Term, WeightKind, WeightScale, complete::complete, options, time_remarks,
};

/// A plugin's options as a study file or the command line writes them.
type Options = Map<String, Value>;

/// The columns that options make a plugin read.
type ReadColumns = fn(&Options) -> Result<Vec<Name>, String>;

/// An estimator behind function pointers, so that a list of them can be made.
#[derive(Debug)]
pub struct Entry {
    /// Name, documentation, capabilities.
    pub meta: &'static Meta,
    /// Where it is registered.
    pub file: &'static str,
    /// Where it is registered.
    pub line: u32,
    schema: fn() -> Schema,
    defaults: fn() -> Value,
    example: fn() -> (Option<&'static str>, Value),
    columns: fn(&Options) -> Result<OptionColumns, String>,
    battery: fn(&BatteryRequest) -> Option<BatteryModel<Options>>,
    fit: fn(&Design<'_>, &Options) -> Result<Estimate, FitError>,
    weights: fn(&Options) -> WeightScale,
}

/// A step behind function pointers.
#[derive(Debug)]
pub struct StepEntry {
    /// Name and documentation.
    pub meta: PluginMeta,
    /// Where it is registered.
    pub file: &'static str,
    /// Where it is registered.
    pub line: u32,
    schema: fn() -> Schema,
    columns: fn(&Options) -> Result<ColumnUse, String>,
    apply: fn(&Panel, &Options) -> Result<Stepped, StepError>,
}

/// An index method behind function pointers.
#[derive(Debug)]
pub struct IndexEntry {
    /// Name and documentation.
    pub meta: PluginMeta,
    /// Where it is registered.
    pub file: &'static str,
    /// Where it is registered.
    pub line: u32,
    schema: fn() -> Schema,
    reads: ReadColumns,
    build: fn(&Panel, &Options) -> Result<IndexResult, StepError>,
}

/// Columns a step reads and makes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnUse {
    /// Read from the panel.
    pub reads: Vec<Name>,
    /// Made or replaced.
    pub writes: Vec<Name>,
}

inventory::collect!(Entry);
inventory::collect!(StepEntry);
inventory::collect!(IndexEntry);

/// All linked plugins.
#[derive(Clone, Debug)]
pub struct Registry {
    estimators: BTreeMap<&'static str, &'static Entry>,
    steps: BTreeMap<&'static str, &'static StepEntry>,
    indices: BTreeMap<&'static str, &'static IndexEntry>,
}

/// Why the registry or a name in it is not usable.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two plugins with one name.
    #[error("`{name}` is registered twice: {first} and {second}")]
    Duplicate {
        /// The name.
        name: &'static str,
        /// One file.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// Nothing is linked.
    #[error("no {0} is linked in: the program must call parallax_plugins::registry()")]
    Empty(&'static str),
    /// No such name.
    #[error("no {kind} `{name}`{hint}")]
    Unknown {
        /// estimator, step or index method.
        kind: &'static str,
        /// What was asked.
        name: String,
        /// "did you mean" or a list.
        hint: String,
    },
}

impl Entry {
    /// Erases an estimator's types.
    pub const fn of<E: Estimator>(file: &'static str, line: u32) -> Entry {
        Entry {
            meta: &E::META,
            file,
            line,
            schema: || schema_for!(E::Options),
            defaults: || serde_json::to_value(E::Options::default()).unwrap_or_default(),
            example: || {
                let Example { formula, options } = E::example();
                (formula, serde_json::to_value(options).unwrap_or_default())
            },
            columns: |options| Ok(E::columns(&options::read(options)?)),
            battery: |request| {
                let BatteryModel { part, formula, options } = E::battery(request)?;
                let options = match serde_json::to_value(options) {
                    Ok(Value::Object(it)) => it,
                    _ => Options::new(),
                };
                Some(BatteryModel { part, formula, options })
            },
            fit: |design, options| {
                let plugin = E::META.plugin.name;
                let options =
                    options::read(options).map_err(|reason| FitError::Options { plugin, reason })?;
                let certain = match E::dated_by(&options) {
                    Some(treatment) => Adoption::certain(design, treatment, &design.column(treatment)?)?,
                    None => None,
                };
                let (design, note) = match &certain {
                    Some((less, note)) => (less, Some(note.clone())),
                    None => (design, None),
                };
                let mut estimate = E::fit(design, &options)?;
                estimate.notes.extend(note);
                Ok(estimate)
            },
            weights: |options| options::read(options).map(|it| E::weights(&it)).unwrap_or_default(),
        }
    }

    /// JSON schema of the options.
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// The options as they are when nothing is set.
    pub fn defaults(&self) -> Value {
        (self.defaults)()
    }

    /// Formula and options with which every entry is tried; see [`Example`].
    pub fn example(&self) -> (Option<&'static str>, Value) {
        (self.example)()
    }

    /// What the estimator contributes to a battery on one treatment.
    pub fn battery(&self, request: &BatteryRequest) -> Option<BatteryModel<Options>> {
        (self.battery)(request)
    }

    /// Columns that options name; also checks the options.
    ///
    /// # Errors
    /// [`FitError::Options`].
    pub fn columns(&self, options: &Options) -> Result<OptionColumns, FitError> {
        (self.columns)(options).map_err(|reason| FitError::Options { plugin: self.meta.plugin.name, reason })
    }

    /// Every column a request names: formula, weights, clusters and options.
    ///
    /// # Errors
    /// [`FitError::Options`].
    pub fn variables(&self, spec: &ModelSpec) -> Result<Vec<Name>, FitError> {
        let OptionColumns { required, optional } = self.columns(&spec.options)?;
        let clusters = spec.vcov.clusters().iter().flat_map(|it| it.columns().iter().cloned());
        let mut names: Vec<Name> = spec.formula.variables();
        names.extend(spec.weights.clone());
        names.extend(clusters);
        names.extend(required.into_iter().chain(optional));
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Checks a request without data: options and capabilities.
    ///
    /// # Errors
    /// [`FitError::Unsupported`] or [`FitError::Options`].
    pub fn check(&self, spec: &ModelSpec) -> Result<(), FitError> {
        let plugin = self.meta.plugin.name;
        self.columns(&spec.options)?;
        let able = &self.meta.capabilities;
        let refuse =
            |what: String, advice: String| Err(FitError::Unsupported { estimator: plugin, what, advice });
        if !able.vcov.contains(&spec.vcov.kind()) {
            let kinds: Vec<String> = able.vcov.iter().map(ToString::to_string).collect();
            return refuse(
                format!("covariance `{}`", spec.vcov),
                format!("it supports {}", kinds.join(", ")),
            );
        }
        if spec.weights.is_some() && !able.weights {
            return refuse("weights".to_owned(), "remove them or use another estimator".to_owned());
        }
        if spec.weights.is_some() && spec.weight_kind == WeightKind::Frequency && !able.frequency_weights {
            return refuse(
                "frequency weights".to_owned(),
                "use weight-kind = \"analytic\" or repeat the rows".to_owned(),
            );
        }
        if spec.formula.instruments.is_some() && !able.instruments {
            return refuse("instruments".to_owned(), "remove the part after the second `|`".to_owned());
        }
        match (able.effects, !spec.formula.effects.is_empty()) {
            (Support::Refused, true) => refuse(
                "absorbed effects".to_owned(),
                "remove the part after `|`; units come from --unit".to_owned(),
            ),
            (Support::Required, false) => refuse(
                "a formula without effects".to_owned(),
                "write `| unit + year`, or use pooled-ols".to_owned(),
            ),
            _ => Ok(()),
        }
    }

    /// Checks the request, resolves it on the panel and fits.
    ///
    /// # Errors
    /// What [`Entry::check`], [`Design::new`] and the estimator say.
    pub fn fit(
        &self,
        panel: &Panel,
        spec: &ModelSpec,
        cache: &AbsorptionCache,
    ) -> Result<Estimate, FitError> {
        self.fit_design(panel, spec, cache, false)
    }

    /// As [`Entry::fit`], with influence functions where the estimator has them.
    ///
    /// # Errors
    /// As [`Entry::fit`].
    pub fn fit_with_influence(
        &self,
        panel: &Panel,
        spec: &ModelSpec,
        cache: &AbsorptionCache,
    ) -> Result<Estimate, FitError> {
        self.fit_design(panel, spec, cache, true)
    }

    fn fit_design(
        &self,
        panel: &Panel,
        spec: &ModelSpec,
        cache: &AbsorptionCache,
        keep_influence: bool,
    ) -> Result<Estimate, FitError> {
        self.check(spec)?;
        if self.meta.capabilities.needs_index {
            panel.require_index(&format!("`{}`", self.meta.plugin.name))?;
        }
        let mut design = Design::with_columns(panel, spec, &self.columns(&spec.options)?, cache)?;
        design.keep_influence = keep_influence;
        let mut estimate = (self.fit)(&design, &spec.options)?;
        estimate.write_periods(panel.calendar());
        estimate.say_few_treated();
        let event = |it: &Term| matches!(it, Term::EventTime(_) | Term::GroupTime { .. });
        if self.meta.capabilities.staggered || spec.formula.shifts() || estimate.terms.iter().any(event) {
            estimate.notes.extend(time_remarks(panel));
        }
        estimate.notes.extend(spec.formula.text_notes(panel));
        estimate.say_what_has_no_error();
        complete(&mut estimate, panel, spec, (self.weights)(&spec.options))?;
        Ok(estimate)
    }
}

impl StepEntry {
    /// Erases a step's types.
    pub const fn of<S: Step>(file: &'static str, line: u32) -> StepEntry {
        StepEntry {
            meta: S::META,
            file,
            line,
            schema: || schema_for!(S::Options),
            columns: |options| {
                let options = options::read(options)?;
                Ok(ColumnUse { reads: S::reads(&options), writes: S::writes(&options) })
            },
            apply: |panel, options| {
                let plugin = S::META.name;
                let options =
                    options::read(options).map_err(|reason| StepError::Options { plugin, reason })?;
                S::apply(panel, &options)
            },
        }
    }

    /// JSON schema of the options.
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// Which columns the step reads and makes; also checks the options.
    ///
    /// # Errors
    /// [`StepError::Options`].
    pub fn columns(&self, options: &Options) -> Result<ColumnUse, StepError> {
        (self.columns)(options).map_err(|reason| StepError::Options { plugin: self.meta.name, reason })
    }

    /// Applies the step.
    ///
    /// # Errors
    /// What the step says.
    pub fn apply(&self, panel: &Panel, options: &Options) -> Result<Stepped, StepError> {
        (self.apply)(panel, options)
    }
}

impl IndexEntry {
    /// Erases an index method's types.
    pub const fn of<I: IndexMethod>(file: &'static str, line: u32) -> IndexEntry {
        IndexEntry {
            meta: I::META,
            file,
            line,
            schema: || schema_for!(I::Options),
            reads: |options| Ok(I::reads(&options::read(options)?)),
            build: |panel, options| {
                let plugin = I::META.name;
                let options =
                    options::read(options).map_err(|reason| StepError::Options { plugin, reason })?;
                I::build(panel, &options)
            },
        }
    }

    /// JSON schema of the options.
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// Which columns the method reads; also checks the options.
    ///
    /// # Errors
    /// [`StepError::Options`].
    pub fn reads(&self, options: &Options) -> Result<Vec<Name>, StepError> {
        (self.reads)(options).map_err(|reason| StepError::Options { plugin: self.meta.name, reason })
    }

    /// Builds the score.
    ///
    /// # Errors
    /// What the method says.
    pub fn build(&self, panel: &Panel, options: &Options) -> Result<IndexResult, StepError> {
        (self.build)(panel, options)
    }
}

impl Registry {
    /// Collects what is linked in.
    ///
    /// # Errors
    /// [`RegistryError::Duplicate`] and [`RegistryError::Empty`].
    pub fn linked() -> Result<Registry, RegistryError> {
        let estimators =
            collect("estimator", inventory::iter::<Entry>(), |it| (it.meta.plugin.name, it.file))?;
        let steps = collect("step", inventory::iter::<StepEntry>(), |it| (it.meta.name, it.file))?;
        let indices = collect("index method", inventory::iter::<IndexEntry>(), |it| (it.meta.name, it.file))?;
        Ok(Registry { estimators, steps, indices })
    }

    /// The estimator of that name.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`] with the nearest name.
    pub fn estimator(&self, name: &str) -> Result<&'static Entry, RegistryError> {
        find(&self.estimators, "estimator", name)
    }

    /// The step of that name.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`] with the nearest name.
    pub fn step(&self, name: &str) -> Result<&'static StepEntry, RegistryError> {
        find(&self.steps, "step", name)
    }

    /// The index method of that name.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`] with the nearest name.
    pub fn index_method(&self, name: &str) -> Result<&'static IndexEntry, RegistryError> {
        find(&self.indices, "index method", name)
    }

    /// Estimators by name.
    pub fn estimators(&self) -> impl Iterator<Item = &'static Entry> + '_ {
        self.estimators.values().copied()
    }

    /// Steps by name.
    pub fn steps(&self) -> impl Iterator<Item = &'static StepEntry> + '_ {
        self.steps.values().copied()
    }

    /// Index methods by name.
    pub fn indices(&self) -> impl Iterator<Item = &'static IndexEntry> + '_ {
        self.indices.values().copied()
    }
}

fn collect<T>(
    kind: &'static str,
    entries: impl Iterator<Item = &'static T>,
    key: impl Fn(&T) -> (&'static str, &'static str),
) -> Result<BTreeMap<&'static str, &'static T>, RegistryError> {
    let mut by_name: BTreeMap<&'static str, &'static T> = BTreeMap::new();
    for entry in entries {
        let (name, second) = key(entry);
        if let Some(other) = by_name.insert(name, entry) {
            return Err(RegistryError::Duplicate { name, first: key(other).1, second });
        }
    }
    if by_name.is_empty() { Err(RegistryError::Empty(kind)) } else { Ok(by_name) }
}

fn find<T>(
    all: &BTreeMap<&'static str, &'static T>,
    kind: &'static str,
    name: &str,
) -> Result<&'static T, RegistryError> {
    all.get(name).copied().ok_or_else(|| RegistryError::Unknown {
        kind,
        name: name.to_owned(),
        hint: with_suggestion(name, all.keys().copied()),
    })
}

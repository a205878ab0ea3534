//! [`Study`]: a study file checked against the registry, for one data source.

use std::collections::{BTreeMap, BTreeSet};

use parallax_base::{Name, with_suggestion};
use parallax_model::{ColumnUse, Formula, ModelSpec, Registry, VcovSpec};

use crate::{
    FigureKindEntry, OneOrEach, PipelineEntry, Source, StudyError, StudyFile, TableEntry, TableKind,
    file::{DataSection, ModelEntry, is_for},
    like,
    names::check_names,
    substitute::substitute,
};

/// A study for one source.
///
/// Invariant: every plugin it names is in the registry with options that parse, every formula
/// parses, every table column names a model.
#[derive(Clone, Debug)]
pub struct Study {
    /// The file, with entries of other sources removed.
    pub file: StudyFile,
    /// The source.
    pub source: Source,
    /// The models, in file order.
    pub models: Vec<PlannedModel>,
    pub(crate) registry: Registry,
    /// Where each model stands.
    pub(crate) places: BTreeMap<String, usize>,
}

/// A model with its request resolved.
#[derive(Clone, Debug)]
pub struct PlannedModel {
    /// Name that tables use.
    pub name: String,
    /// The request.
    pub spec: ModelSpec,
    /// Steps for this model alone.
    pub pipeline: Vec<PipelineEntry>,
}

impl Study {
    /// Checks a file for one of its sources.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place in the file.
    pub fn plan(mut file: StudyFile, source: &str, registry: Registry) -> Result<Study, StudyError> {
        check_sources(&file)?;
        check_names(&file)?;
        check_marks(&file)?;
        check_index(&file.data)?;
        let known: Vec<&str> = file.data.sources.iter().map(|it| it.name.as_str()).collect();
        let hint = with_suggestion(source, known);
        let source = file
            .data
            .sources
            .iter()
            .find(|it| it.name == *source)
            .cloned()
            .ok_or_else(|| StudyError::entry("[data]", format!("no source `{source}`{hint}")))?;
        keep_only(&mut file, &source.name);
        like::resolve(&mut file.models)?;
        for entry in &file.pipeline {
            check_entry(entry, &registry, "[[pipeline]]")?;
        }
        let places = places(&file.models)?;
        let models = file
            .models
            .iter()
            .map(|it| plan_model(it, &file, &source, &registry))
            .collect::<Result<Vec<_>, _>>()?;
        let study = Study { file, source, models, registry, places };
        study.check_tables()?;
        study.check_figures()?;
        study.check_patterns()?;
        Ok(study)
    }

    /// The model of that name.
    pub fn model(&self, name: &str) -> Option<&PlannedModel> {
        self.places.get(name).and_then(|it| self.models.get(*it))
    }

    /// Columns the files must have, unit and time left out: nothing else needs to be read.
    ///
    /// # Errors
    /// Never after a successful plan; typed for completeness.
    pub fn needs(&self) -> Result<Vec<Name>, StudyError> {
        let mut needed: BTreeSet<Name> = BTreeSet::new();
        for model in &self.models {
            let place = || format!("model `{}`", model.name);
            let entry = self
                .registry
                .estimator(&model.spec.estimator)
                .map_err(|source| StudyError::Registry { place: place(), source })?;
            let named = entry.variables(&model.spec);
            let named = named.map_err(|it| StudyError::entry(place(), it.to_string()))?;
            let mut of_model: BTreeSet<Name> = named.into_iter().collect();
            self.before(&mut of_model, &model.pipeline)?;
            needed.extend(of_model);
        }
        for table in &self.file.tables {
            if let TableKind::Descriptive { variables, .. } = &table.kind {
                needed.extend(variables.iter().map(|it| it.variable.clone()));
            }
        }
        needed.extend(self.file.figures.iter().flat_map(crate::FigureEntry::variables));
        self.before(&mut needed, &self.file.pipeline)?;
        let data = &self.file.data;
        needed.retain(|it| ![&data.unit, &data.time].iter().any(|key| key.as_ref() == Some(it)));
        Ok(needed.into_iter().collect())
    }

    /// What must be there before a pipeline for `needed` to be there after it.
    fn before(&self, needed: &mut BTreeSet<Name>, pipeline: &[PipelineEntry]) -> Result<(), StudyError> {
        for entry in pipeline.iter().rev() {
            let used = column_use(entry, &self.registry, "[[pipeline]]")?;
            for name in &used.writes {
                needed.remove(name);
            }
            needed.extend(used.reads);
        }
        Ok(())
    }

    fn check_tables(&self) -> Result<(), StudyError> {
        let mut ids = BTreeSet::new();
        for table in &self.file.tables {
            let place = format!("table `{}`", table.id);
            if !ids.insert(&table.id) {
                return Err(StudyError::entry(place, "the id is used twice"));
            }
            match &table.kind {
                TableKind::Descriptive { columns, .. } => {
                    for it in columns {
                        if !DESCRIPTIVES.contains(&it.as_str()) {
                            let hint = with_suggestion(it, DESCRIPTIVES);
                            return Err(StudyError::entry(place, format!("no statistic `{it}`{hint}")));
                        }
                    }
                }
                TableKind::Detail { model: Some(it), .. } => self.check_model(it, &place)?,
                TableKind::Detail { model: None, .. } => {}
                TableKind::Effects { rows, level } => {
                    if rows.is_empty() || !(0.0 < *level && *level < 1.0) {
                        let what = if rows.is_empty() {
                            "`rows` names no estimate"
                        } else {
                            "`level` lies between 0 and 1, as 0.95"
                        };
                        return Err(StudyError::entry(place, what));
                    }
                    rows.iter().try_for_each(|it| self.check_model(&it.model, &place))?;
                }
                TableKind::Regression { .. } => self.check_regression(table, &place)?,
            }
        }
        Ok(())
    }

    fn check_figures(&self) -> Result<(), StudyError> {
        let mut ids: BTreeSet<&str> = self.file.tables.iter().map(|it| it.id.as_str()).collect();
        for figure in &self.file.figures {
            let place = format!("figure `{}`", figure.id);
            if !ids.insert(figure.id.as_str()) {
                return Err(StudyError::entry(place, "the id is used twice"));
            }
            for model in figure.models() {
                self.check_model(model, &place)?;
            }
            figure.check(&self.source.name).map_err(|it| StudyError::entry(place, it))?;
        }
        Ok(())
    }

    fn check_patterns(&self) -> Result<(), StudyError> {
        let place = format!("source `{}`, pattern", self.source.name);
        for pattern in &self.source.patterns {
            self.check_model(&pattern.model, &place)?;
            pattern.check().map_err(|it| StudyError::entry(place.clone(), it))?;
        }
        Ok(())
    }

    fn check_model(&self, name: &str, place: &str) -> Result<(), StudyError> {
        if self.model(name).is_some() {
            return Ok(());
        }
        let hint = with_suggestion(name, self.models.iter().map(|it| it.name.as_str()));
        Err(StudyError::entry(place, format!("no model `{name}`{hint}")))
    }

    fn check_regression(&self, table: &TableEntry, place: &str) -> Result<(), StudyError> {
        let TableKind::Regression { models, groups, marks, stars, .. } = &table.kind else {
            return Ok(());
        };
        if models.is_empty() {
            return Err(StudyError::entry(place, "`models` names none; a column is a model"));
        }
        for name in models {
            self.check_model(name, place)?;
        }
        let grouped = groups.iter().map(|it| it.columns).fold(0, usize::saturating_add);
        if !groups.is_empty() && grouped != models.len() {
            let message = format!("groups cover {grouped} columns, models are {}", models.len());
            return Err(StudyError::entry(place, message));
        }
        for mark in marks {
            if mark.values.len() != models.len() {
                let message = format!(
                    "row `{}` has {} values for {} models",
                    mark.label,
                    mark.values.len(),
                    models.len()
                );
                return Err(StudyError::entry(place, message));
            }
        }
        check_lengths(table, models.len()).map_err(|it| StudyError::entry(place, it))?;
        let descending = stars.windows(2).all(|it| it[1] < it[0]);
        if !descending || stars.iter().any(|it| !(0.0..1.0).contains(it)) {
            return Err(StudyError::entry(
                place,
                "stars must be falling levels between 0 and 1, as [0.1, 0.05, 0.01]",
            ));
        }
        Ok(())
    }
}

/// Rows that name something for each column name as many as there are columns.
fn check_lengths(table: &TableEntry, models: usize) -> Result<(), String> {
    let TableKind::Regression { outcome, terms, statistics, .. } = &table.kind else {
        return Ok(());
    };
    let lists = (statistics.iter().map(|it| (&it.label, &it.statistic)))
        .chain(terms.iter().map(|it| (&it.label, &it.term)))
        .chain(outcome.iter().map(|it| (&table.title, it)));
    for (label, named) in lists {
        if let OneOrEach::Each(names) = named
            && names.len() != models
        {
            return Err(format!("row `{label}` names {} for {models} models", names.len()));
        }
    }
    Ok(())
}

/// Statistics a descriptive table can show.
const DESCRIPTIVES: [&str; 8] = ["n", "mean", "sd", "min", "p25", "median", "p75", "max"];

fn check_sources(file: &StudyFile) -> Result<(), StudyError> {
    let names: BTreeSet<&str> = file.data.sources.iter().map(|it| it.name.as_str()).collect();
    if names.len() != file.data.sources.len() || names.is_empty() {
        return Err(StudyError::entry(
            "[data]",
            "give at least one [[data.source]], each with a name of its own",
        ));
    }
    if names.iter().any(|it| it.eq_ignore_ascii_case("all")) {
        return Err(StudyError::entry("[data]", "no source can be called `all`, which means every one"));
    }
    let lists = (file.pipeline.iter().map(|it| (it.title(), &it.sources)))
        .chain(file.models.iter().map(|it| (format!("model `{}`", it.name), &it.sources)))
        .chain(file.tables.iter().map(|it| (format!("table `{}`", it.id), &it.sources)))
        .chain(file.figures.iter().map(|it| (format!("figure `{}`", it.id), &it.sources)));
    for (place, sources) in lists {
        for it in sources {
            if !names.contains(it.as_str()) {
                let hint = with_suggestion(it, names.iter().copied());
                return Err(StudyError::entry(place, format!("no source `{it}`{hint}")));
            }
        }
    }
    Ok(())
}

/// A mark of a source that is not there would be drawn nowhere.
fn check_marks(file: &StudyFile) -> Result<(), StudyError> {
    let names = || file.data.sources.iter().map(|it| it.name.as_str());
    for figure in &file.figures {
        let FigureKindEntry::Forest { marks, .. } = &figure.kind else { continue };
        for it in marks.iter().filter_map(|it| it.source.as_deref()) {
            if !names().any(|name| name == it) {
                let message = format!("a mark names no source `{it}`{}", with_suggestion(it, names()));
                return Err(StudyError::entry(format!("figure `{}`", figure.id), message));
            }
        }
    }
    Ok(())
}

/// Rows are identified by unit and time, or, in a cross-section, by neither.
fn check_index(data: &DataSection) -> Result<(), StudyError> {
    let (given, absent) = match (&data.unit, &data.time) {
        (Some(_), None) => ("unit", "time"),
        (None, Some(_)) => ("time", "unit"),
        (Some(_), Some(_)) | (None, None) => return Ok(()),
    };
    let message =
        format!("`{given}` without `{absent}`; name both, or neither where the rows are a cross-section");
    Err(StudyError::entry("[data]", message))
}

fn keep_only(file: &mut StudyFile, source: &str) {
    file.pipeline.retain(|it| is_for(&it.sources, source));
    file.models.retain(|it| is_for(&it.sources, source));
    file.tables.retain(|it| is_for(&it.sources, source));
    file.figures.retain(|it| is_for(&it.sources, source));
    for table in &mut file.tables {
        if let TableKind::Descriptive { variables, .. } = &mut table.kind {
            variables.retain(|it| is_for(&it.sources, source));
        }
    }
}

/// Where each model stands, by its name.
fn places(models: &[ModelEntry]) -> Result<BTreeMap<String, usize>, StudyError> {
    let mut places = BTreeMap::new();
    for (at, model) in models.iter().enumerate() {
        if places.insert(model.name.clone(), at).is_some() {
            let place = format!("model `{}`", model.name);
            return Err(StudyError::entry(place, "the name is used twice for this source"));
        }
    }
    Ok(places)
}

fn plan_model(
    entry: &ModelEntry,
    file: &StudyFile,
    source: &Source,
    registry: &Registry,
) -> Result<PlannedModel, StudyError> {
    let place = format!("model `{}`", entry.name);
    let plugin = registry
        .estimator(&entry.estimator)
        .map_err(|source| StudyError::Registry { place: place.clone(), source })?;
    let text = substitute(&entry.formula, &source.sets, &file.sets)
        .map_err(|message| StudyError::entry(place.clone(), message))?;
    let formula =
        Formula::parse(&text).map_err(|source| StudyError::Formula { place: place.clone(), source })?;
    let usual = Some(plugin.meta.capabilities.usual_vcov(file.data.unit.as_ref()));
    let vcov = (entry.vcov.clone())
        .or_else(|| file.defaults.vcov.clone())
        .or_else(|| usual.filter(|it| *it != VcovSpec::Iid))
        .ok_or_else(|| StudyError::entry(place.clone(), "no `vcov`, here or under [defaults]"))?;
    let spec = ModelSpec {
        estimator: entry.estimator.clone(),
        formula,
        weights: entry.weights.clone(),
        weight_kind: entry.weight_kind.unwrap_or_default(),
        vcov,
        small_sample: entry.small_sample.or(file.defaults.small_sample).unwrap_or_default(),
        repair: entry.repair.or(file.defaults.repair),
        singletons: entry.singletons.or(file.defaults.singletons).unwrap_or_default(),
        options: entry.options.clone(),
    };
    plugin.check(&spec).map_err(|it| StudyError::entry(place.clone(), it.to_string()))?;
    let pipeline: Vec<PipelineEntry> =
        entry.pipeline.iter().filter(|it| is_for(&it.sources, &source.name)).cloned().collect();
    for step in &pipeline {
        check_entry(step, registry, &place)?;
    }
    Ok(PlannedModel { name: entry.name.clone(), spec, pipeline })
}

fn check_entry(entry: &PipelineEntry, registry: &Registry, place: &str) -> Result<(), StudyError> {
    column_use(entry, registry, place).map(|_| ())
}

/// Columns an entry reads and makes; checks name and options on the way.
pub(crate) fn column_use(
    entry: &PipelineEntry,
    registry: &Registry,
    place: &str,
) -> Result<ColumnUse, StudyError> {
    let place = format!("{place}, {}", entry.title());
    match (&entry.step, &entry.index, &entry.into) {
        (Some(step), None, None) => registry
            .step(step)
            .map_err(|source| StudyError::Registry { place: place.clone(), source })?
            .columns(&entry.options)
            .map_err(|source| StudyError::Step { place, source }),
        (None, Some(index), Some(into)) => {
            let reads = registry
                .index_method(index)
                .map_err(|source| StudyError::Registry { place: place.clone(), source })?
                .reads(&entry.options)
                .map_err(|source| StudyError::Step { place, source })?;
            Ok(ColumnUse { reads, writes: vec![into.clone()] })
        }
        // `into` is a key of the pipeline for an index and an option for a step that has one.
        (Some(step), None, Some(into)) => {
            let mut options = entry.options.clone();
            options.insert("into".to_owned(), serde_json::Value::String(into.to_string()));
            registry
                .step(step)
                .map_err(|source| StudyError::Registry { place: place.clone(), source })?
                .columns(&options)
                .map_err(|source| StudyError::Step { place, source })
        }
        _ => Err(StudyError::entry(place, "give either `step`, or `index` together with `into`")),
    }
}

/// Pipelines of models, each once, by what they say.
pub(crate) fn by_pipeline(models: &[PlannedModel]) -> BTreeMap<String, &[PipelineEntry]> {
    models.iter().map(|it| (pipeline_key(&it.pipeline), it.pipeline.as_slice())).collect()
}

/// Equal for pipelines that say the same in the same order.
pub(crate) fn pipeline_key(pipeline: &[PipelineEntry]) -> String {
    // Entries come from a file of texts, numbers and lists, which always have a JSON form.
    serde_json::to_string(pipeline).unwrap_or_else(|it| it.to_string())
}

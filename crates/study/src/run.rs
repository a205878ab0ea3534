//! Running a study: the pipeline once, models in parallel, failures as results.

use std::collections::BTreeMap;

use parallax_base::Note;
use parallax_model::{AbsorptionCache, Detail, Estimate, Panel, Registry, Stepped, side_by_side};
use parallax_panel::Column;

use crate::{
    PipelineEntry, PlannedModel, Study, StudyError,
    plan::{by_pipeline, pipeline_key},
};

/// What a study found.
#[derive(Debug)]
pub struct StudyResult {
    /// The study it belongs to.
    pub study: Study,
    /// The panel after the pipeline, for descriptive tables.
    pub panel: Panel,
    /// What the pipeline did.
    pub notes: Vec<Note>,
    /// Tables that steps and indices of the pipeline made, by the place of the entry in the file.
    pub details: Vec<(usize, Detail)>,
    /// One result a model, in file order.
    pub models: Vec<ModelResult>,
}

/// A model's estimate, or why there is none.
#[derive(Debug)]
pub struct ModelResult {
    /// The model.
    pub model: PlannedModel,
    /// The estimate, or the reason in words.
    pub estimate: Result<Estimate, String>,
    /// What its own steps did.
    pub notes: Vec<Note>,
    /// Tables that its own steps made, by the place of the step.
    pub details: Vec<(usize, Detail)>,
}

/// A panel after steps, with what they said and made.
#[derive(Clone, Debug)]
struct Applied {
    panel: Panel,
    notes: Vec<Note>,
    details: Vec<(usize, Detail)>,
}

/// A panel after some steps, with what has been absorbed on it.
struct Prepared {
    applied: Result<Applied, String>,
    cache: AbsorptionCache,
}

impl Study {
    /// Runs the study on a panel. `done` is called after each model, from any thread.
    ///
    /// # Errors
    /// When a step of the common pipeline fails; a failing model is a failed result.
    pub fn run(self, panel: &Panel, done: &(dyn Fn(&str) + Sync)) -> Result<StudyResult, StudyError> {
        let Applied { panel, notes, details } = apply(&self.file.pipeline, panel, &self.registry)?;
        let prepare = |pipeline: &[PipelineEntry]| Prepared {
            applied: apply(pipeline, &panel, &self.registry).map_err(|it| it.to_string()),
            cache: AbsorptionCache::default(),
        };
        let prepared: BTreeMap<String, Prepared> =
            by_pipeline(&self.models).into_iter().map(|(key, it)| (key, prepare(it))).collect();
        let fit = |model: &PlannedModel| {
            let result = fit(model, &prepared, &self.registry);
            tracing::debug!(model = model.name, ok = result.estimate.is_ok(), "fitted");
            done(&model.name);
            result
        };
        let fitted = side_by_side(&self.models, rayon::current_num_threads(), fit);
        let found = |(model, result): (&PlannedModel, Option<ModelResult>)| {
            result.unwrap_or_else(|| {
                failed(model, "fitting it ended the thread; please report this as a bug".to_owned())
            })
        };
        let models = self.models.iter().zip(fitted).map(found).collect();
        drop(prepared);
        Ok(StudyResult { study: self, panel, notes, details, models })
    }
}

fn failed(model: &PlannedModel, reason: String) -> ModelResult {
    ModelResult { model: model.clone(), estimate: Err(reason), notes: Vec::new(), details: Vec::new() }
}

impl StudyResult {
    /// A table that a model, its steps or (without a model) the pipeline made.
    ///
    /// # Errors
    /// That there is none, with the names there are; or why the model failed.
    pub fn detail(&self, model: Option<&str>, name: &str) -> Result<&Detail, String> {
        let (own, steps) = match model {
            None => (&[][..], &self.details),
            Some(model) => {
                let found = self.model(model).ok_or_else(|| format!("no model `{model}`"))?;
                let own = match &found.estimate {
                    Ok(it) => it.details.as_slice(),
                    Err(reason) if found.details.is_empty() => return Err(reason.clone()),
                    Err(_) => &[],
                };
                (own, &found.details)
            }
        };
        let all = || own.iter().chain(steps.iter().map(|it| &it.1));
        all().find(|it| it.name == name).ok_or_else(|| {
            let known = all().map(|it| it.name);
            format!("no table `{name}` among those made{}", parallax_base::with_suggestion(name, known))
        })
    }

    /// The result of a model by name.
    pub fn model(&self, name: &str) -> Option<&ModelResult> {
        self.study.places.get(name).and_then(|it| self.models.get(*it))
    }
}

fn fit(model: &PlannedModel, prepared: &BTreeMap<String, Prepared>, registry: &Registry) -> ModelResult {
    let Some(ready) = prepared.get(&pipeline_key(&model.pipeline)) else {
        return failed(model, "its pipeline was not run".to_owned());
    };
    let Applied { panel, notes, details } = match &ready.applied {
        Ok(it) => it,
        Err(reason) => return failed(model, reason.clone()),
    };
    let estimate = registry
        .estimator(&model.spec.estimator)
        .map_err(|it| it.to_string())
        .and_then(|it| it.fit(panel, &model.spec, &ready.cache).map_err(|it| it.to_string()));
    ModelResult { model: model.clone(), estimate, notes: notes.clone(), details: details.clone() }
}

fn apply(pipeline: &[PipelineEntry], panel: &Panel, registry: &Registry) -> Result<Applied, StudyError> {
    let mut applied = Applied { panel: panel.clone(), notes: Vec::new(), details: Vec::new() };
    for (at, entry) in pipeline.iter().enumerate() {
        let place = format!("pipeline entry {}, {}", at + 1, entry.title());
        let stepped = apply_one(entry, &applied.panel, registry, &place)?;
        applied.panel = stepped.panel;
        applied.notes.extend(stepped.notes);
        applied.details.extend(stepped.details.into_iter().map(|it| (at, it)));
    }
    Ok(applied)
}

fn apply_one(
    entry: &PipelineEntry,
    panel: &Panel,
    registry: &Registry,
    place: &str,
) -> Result<Stepped, StudyError> {
    let unknown = |source| StudyError::Registry { place: place.to_owned(), source };
    let failed = |source| StudyError::Step { place: place.to_owned(), source };
    if let Some(step) = &entry.step {
        let mut options = entry.options.clone();
        if let Some(into) = &entry.into {
            options.insert("into".to_owned(), serde_json::Value::String(into.to_string()));
        }
        return registry.step(step).map_err(unknown)?.apply(panel, &options).map_err(failed);
    }
    let (Some(index), Some(into)) = (&entry.index, &entry.into) else {
        return Err(StudyError::entry(place, "give either `step`, or `index` together with `into`"));
    };
    let built =
        registry.index_method(index).map_err(unknown)?.build(panel, &entry.options).map_err(failed)?;
    let panel =
        panel.clone().with(into.clone(), Column::real(built.score)).map_err(|it| failed(it.into()))?;
    Ok(Stepped { panel, details: built.details, notes: built.notes })
}

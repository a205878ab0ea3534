//! The study file as written: TOML with unknown keys refused.

use std::{borrow::Cow, collections::BTreeMap};

use parallax_base::Name;
use parallax_model::{SingletonPolicy, SmallSample, VcovSpec, WeightKind, options, vcov::Repair};
use parallax_panel::TimeFormat;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{FigureEntry, FileStem, PatternEntry, StudyError};

/// A whole study file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StudyFile {
    /// Short name; the folder of its outputs and the name of the report.
    pub name: FileStem,
    /// Title of the report.
    pub title: String,
    /// The paper whose tables these are.
    #[serde(default)]
    pub reference: String,
    /// The file of printed numbers, below the folder of the study file: it must be there, and every number in it is
    /// compared. `false` says that nothing is printed. Without the key, `published.toml` is read where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PrintedFile>,
    /// Where data come from and what identifies a row.
    pub data: DataSection,
    /// Named sets of terms, used as `{name}` in formulas.
    #[serde(default)]
    pub sets: BTreeMap<String, String>,
    /// Steps and indices, in order, before every model.
    #[serde(default)]
    pub pipeline: Vec<PipelineEntry>,
    /// What models say when they do not say it themselves.
    #[serde(default)]
    pub defaults: ModelDefaults,
    /// Models; columns of tables name them.
    #[serde(default, rename = "model")]
    pub models: Vec<ModelEntry>,
    /// Tables, in order.
    #[serde(default, rename = "table")]
    pub tables: Vec<TableEntry>,
    /// Figures, in order.
    #[serde(default, rename = "figure")]
    pub figures: Vec<FigureEntry>,
}

/// The file of printed numbers, or that there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "the name of a file in quotes, or false where nothing is printed")]
pub enum PrintedFile {
    /// Its path below the folder of the study file.
    Named(String),
    /// `false`: nothing is printed that could be compared.
    Nothing(NothingPrinted),
}

/// `false`, and no other value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "bool", into = "bool")]
pub struct NothingPrinted(bool);

impl JsonSchema for NothingPrinted {
    fn schema_name() -> Cow<'static, str> {
        "NothingPrinted".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "const": false, "description": "Nothing is printed." })
    }
}

impl TryFrom<bool> for NothingPrinted {
    type Error = &'static str;

    fn try_from(it: bool) -> Result<NothingPrinted, &'static str> {
        if it { Err("`published` is the name of a file, or false") } else { Ok(NothingPrinted(it)) }
    }
}

impl From<NothingPrinted> for bool {
    fn from(it: NothingPrinted) -> bool {
        it.0
    }
}

/// Where data come from and what identifies a row.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DataSection {
    /// Column of units; left out together with `time` where rows are a cross-section.
    #[serde(default)]
    pub unit: Option<Name>,
    /// Column of periods.
    #[serde(default)]
    pub time: Option<Name>,
    /// What whole numbers of `time` are; without, codes of months and quarters are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_format: Option<TimeFormat>,
    /// Data sources; the first one is used unless `--data` leads to another.
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
}

/// One set of files with what is particular to it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Source {
    /// Name, for messages and the folder of outputs.
    pub name: FileStem,
    /// One line for table notes: what these data are.
    pub description: String,
    /// Every table made from this source says so.
    #[serde(default)]
    pub simulated: bool,
    /// Sets that differ for this source.
    #[serde(default)]
    pub sets: BTreeMap<String, String>,
    /// Compare with `published.toml`; off when the numbers cannot be the same.
    #[serde(default = "yes")]
    pub compare: bool,
    /// What has to hold of its estimates: with `--strict`, simulated sources are judged by it.
    #[serde(default, rename = "pattern")]
    pub patterns: Vec<PatternEntry>,
    /// Files; the first is the spine, the others are joined to it.
    #[serde(rename = "file")]
    pub files: Vec<DataFile>,
}

fn yes() -> bool {
    true
}

/// One file of a source.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DataFile {
    /// Path below its root.
    pub path: String,
    /// Where the path starts.
    #[serde(default)]
    pub root: Root,
    /// What the file is joined on.
    #[serde(default)]
    pub on: JoinKey,
    /// Name in the panel = name in the file.
    #[serde(default)]
    pub columns: BTreeMap<Name, Name>,
}

/// Where a path starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Root {
    /// The folder of the study file.
    #[default]
    Study,
    /// The folder given with `--data`.
    Data,
}

/// What a file is joined on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JoinKey {
    /// Unit and period.
    #[default]
    UnitTime,
    /// Unit alone.
    Unit,
    /// Period alone.
    Time,
}

/// One step or index of a pipeline; the remaining keys are the plugin's options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PipelineEntry {
    /// A step of `parallax estimators`; or give `index`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// An index method; needs `into`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// Column the index is written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<Name>,
    /// Only for these sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The plugin's options.
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

/// What models say when they do not say it themselves.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelDefaults {
    /// Covariance. A model that has none is clustered by unit if its estimator has no `iid`, and refused otherwise.
    pub vcov: Option<VcovSpec>,
    /// Small-sample rules.
    pub small_sample: Option<SmallSample>,
    /// Program whose repair a multi-way covariance gets that is not positive; none without.
    pub repair: Option<Repair>,
    /// Singletons.
    pub singletons: Option<SingletonPolicy>,
}

/// One model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelEntry {
    /// Name that tables use.
    pub name: String,
    /// A model above this one, which it is like but for what it says itself.
    #[serde(default)]
    pub like: Option<String>,
    /// Names to exchange in the formula of that model, old = new.
    #[serde(default)]
    pub instead: BTreeMap<String, String>,
    /// A name of `parallax estimators`; needed without `like`.
    #[serde(default)]
    pub estimator: String,
    /// Formula; `{set}` stands for a set of terms. Needed without `like`.
    #[serde(default)]
    pub formula: String,
    /// Column of weights.
    pub weights: Option<Name>,
    /// What the weights mean: `analytic` (Stata's aweight) or `frequency` (fweight).
    pub weight_kind: Option<WeightKind>,
    /// Covariance.
    pub vcov: Option<VcovSpec>,
    /// Small-sample rules.
    pub small_sample: Option<SmallSample>,
    /// Program whose repair a multi-way covariance gets that is not positive; none without.
    pub repair: Option<Repair>,
    /// Singletons.
    pub singletons: Option<SingletonPolicy>,
    /// The estimator's options.
    #[serde(default)]
    pub options: Map<String, Value>,
    /// Further steps for this model alone; equal steps of several models run once.
    #[serde(default)]
    pub pipeline: Vec<PipelineEntry>,
    /// Only for these sources.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// One table. Unknown keys are refused by [`TableKind`], which takes what is left.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct TableEntry {
    /// Identifier: file name and key in `published.toml`.
    pub id: FileStem,
    /// Title.
    pub title: String,
    /// What it shows.
    #[serde(flatten)]
    pub kind: TableKind,
    /// Sentences for the note.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Decimals of numbers.
    #[serde(default = "three")]
    #[schemars(range(max = 15))]
    pub decimals: u8,
    /// Only for these sources.
    #[serde(default)]
    pub sources: Vec<String>,
}

fn three() -> u8 {
    3
}

/// What a table shows.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum TableKind {
    /// Variables by statistics.
    Descriptive {
        /// Statistics: n, mean, sd, min, p25, median, p75, max.
        columns: Vec<String>,
        /// Variables.
        variables: Vec<VariableRow>,
    },
    /// A table that a model, its steps or the pipeline made, such as `balance` or `weights`.
    Detail {
        /// Model whose table it is; without one the table is of the pipeline.
        #[serde(default)]
        model: Option<String>,
        /// Name of the table.
        detail: String,
        /// Columns to show, in order; all of them where there is none.
        #[serde(default)]
        columns: Vec<DetailColumnSpec>,
    },
    /// Estimates with intervals, one a line, such as one effect under several estimators.
    Effects {
        /// Estimates.
        rows: Vec<EffectRow>,
        /// Level of intervals.
        #[serde(default = "usual_level")]
        level: f64,
    },
    /// Terms by models.
    Regression {
        /// Models, one a column.
        models: Vec<String>,
        /// Labels over several columns.
        #[serde(default)]
        groups: Vec<GroupLabel>,
        /// Label of the dependent variable, or one a column; its name where there is none.
        #[serde(default)]
        outcome: Option<OneOrEach>,
        /// Terms.
        terms: Vec<TermRowSpec>,
        /// Rows of words, such as Controls YES/NO.
        #[serde(default)]
        marks: Vec<MarkRow>,
        /// Rows of statistics.
        #[serde(default)]
        statistics: Vec<StatisticRow>,
        /// Significance levels of one, two and three stars.
        #[serde(default = "usual_levels")]
        stars: Vec<f64>,
    },
}

fn usual_levels() -> Vec<f64> {
    vec![0.1, 0.05, 0.01]
}

/// Level of intervals where a table or figure names none.
pub(crate) fn usual_level() -> f64 {
    0.95
}

/// A line of a table of effects.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EffectRow {
    /// Model.
    pub model: String,
    /// Term as estimates print it: a regressor, or `att` for an overall effect.
    pub term: String,
    /// Label of the line.
    pub label: String,
}

/// A variable of a descriptive table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VariableRow {
    /// Column of the panel.
    pub variable: Name,
    /// Label; the key in `published.toml`.
    pub label: String,
    /// Only for these sources.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// A column of a detail table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DetailColumnSpec {
    /// Name of the column.
    pub column: Name,
    /// What stands over it; the label it comes with where there is none.
    #[serde(default)]
    pub label: Option<String>,
}

/// A label over several columns.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GroupLabel {
    /// Label.
    pub label: String,
    /// How many columns.
    pub columns: usize,
}

/// A term of a regression table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TermRowSpec {
    /// Term as estimates print it; a list names one a column, with an empty name for none.
    pub term: OneOrEach,
    /// Label; the key in `published.toml`.
    pub label: String,
}

/// A row of words.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MarkRow {
    /// Label.
    pub label: String,
    /// Key in `published.toml`.
    #[serde(default)]
    pub key: Option<String>,
    /// One word a column.
    pub values: Vec<String>,
}

/// A row of statistics.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StatisticRow {
    /// `observations`, `units`, or a statistic; a list names one a column.
    pub statistic: OneOrEach,
    /// Label.
    pub label: String,
    /// Key in `published.toml`.
    #[serde(default)]
    pub key: Option<String>,
}

/// One name for all columns, or one a column.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrEach {
    /// The same for all.
    One(String),
    /// One a column.
    Each(Vec<String>),
}

impl OneOrEach {
    /// The name for a column.
    pub fn at(&self, column: usize) -> Option<&str> {
        match self {
            OneOrEach::One(it) => Some(it),
            OneOrEach::Each(it) => it.get(column).map(String::as_str),
        }
    }
}

impl StudyFile {
    /// Reads the text of a study file.
    ///
    /// # Errors
    /// [`StudyError::Toml`] with line and column.
    pub fn parse(text: &str) -> Result<StudyFile, StudyError> {
        let schema = || schema_for!(StudyFile).to_value();
        let value = || text.parse::<toml::Table>().ok().and_then(|it| serde_json::to_value(it).ok());
        match toml::from_str(text) {
            Ok(it) => match value().and_then(|it| options::out_of_bounds(&it, &schema())) {
                None => Ok(it),
                Some(why) => Err(StudyError::Toml(why)),
            },
            Err(it) => {
                let line = |at: usize| 1 + text.get(..at).map_or(0, |it| it.matches('\n').count());
                let place = it.span().map_or(String::new(), |it| format!("line {}: ", line(it.start)));
                let why = value().and_then(|it| options::fault(&it, &schema()));
                Err(StudyError::Toml(why.map_or_else(|| it.to_string(), |why| format!("{place}{why}"))))
            }
        }
    }
}

impl PipelineEntry {
    /// How messages call the entry.
    pub fn title(&self) -> String {
        match (&self.step, &self.index) {
            (Some(it), _) => format!("step `{it}`"),
            (None, Some(it)) => format!("index `{it}`"),
            (None, None) => "pipeline entry".to_owned(),
        }
    }
}

/// True when an entry with this list of sources is for `source`.
pub(crate) fn is_for(sources: &[String], source: &str) -> bool {
    sources.is_empty() || sources.iter().any(|it| it == source)
}

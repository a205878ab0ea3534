//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use parallax_ingest::{MemorySize, ReadOptions};
use parallax_model::{Formula, SingletonPolicy, SmallSample, VcovSpec, WeightKind, vcov::Repair};
use parallax_panel::TimeFormat;

use crate::columns::ColumnList;

/// Evaluate policies with panel data: rebuild a study's tables from one file, and prove each number.
#[derive(Debug, Parser)]
#[command(name = "parallax", version, max_term_width = 100)]
pub struct Arguments {
    /// No progress and no summary on standard error.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Log what is being done on standard error.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// Number of threads; results do not depend on it.
    #[arg(long, global = true, value_name = "N", value_parser = threads)]
    pub threads: Option<usize>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Rebuild every table of a study and compare it with what was printed.
    Reproduce(Reproduce),
    /// Fit one model.
    Fit(Fit),
    /// One treatment under every estimator and diagnostic of difference-in-differences, as a report.
    Did(Did),
    /// The arithmetic behind one standard error, under every program's rules.
    ExplainSe(ExplainSe),
    /// The panel as it is: units, periods, balance, gaps, adoption, variables.
    Describe(Describe),
    /// Read a data file and write it in another format.
    Convert(Convert),
    /// Make simulated data from a seed.
    Simulate(Simulate),
    /// List estimators, steps and index methods.
    Estimators(Estimators),
    /// The page of one estimator, step or index method.
    Explain(Explain),
    /// JSON schema of study files.
    Schema,
    /// The registry as JSON, for code generation.
    #[command(hide = true)]
    Registry,
}

#[derive(Debug, Args)]
pub struct Reproduce {
    /// Study files or their folders; without any, every study under ./datasets.
    #[arg(value_name = "STUDY")]
    pub studies: Vec<PathBuf>,
    /// Folder with data; selects the study's source whose files lie there.
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Source by name, where a study has several; `all` for every one whose files are there.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Write nothing; exit with code 3 when a table differs from the file that is there.
    #[arg(long)]
    pub check: bool,
    /// Exit with code 4 when a printed number differs without an explanation, is absent or is not compared. A source with
    /// simulated data is judged by the patterns that the study declares for it.
    #[arg(long)]
    pub strict: bool,
    /// Read data that the study takes from outside its folder, also through links.
    #[arg(long)]
    pub allow_outside: bool,
    /// Folder for tables; without it they lie beside the study file, in tables/SOURCE and report/SOURCE.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Tables alone, without the report as a page, a Word file and a LaTeX file.
    #[arg(long)]
    pub no_report: bool,
    #[command(flatten)]
    pub reading: Reading,
}

/// What every command that reads data files is told about them.
#[derive(Debug, Args)]
pub struct Reading {
    /// Words that mean a missing value, separated by commas, beside NA, null, None, a single point and their kind;
    /// a number as -999 is found however it is written.
    #[arg(long, value_name = "WORDS", value_delimiter = ',', allow_hyphen_values = true)]
    pub missing: Vec<String>,
    /// Memory that data may take, as 2GB; three quarters of what the process may use without.
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<MemorySize>,
}

impl Reading {
    /// The same for the reader.
    pub fn options(&self) -> ReadOptions {
        ReadOptions { missing: self.missing.clone(), memory: self.memory }
    }
}

/// What `fit` and `explain-se` share: data and request.
#[derive(Debug, Args)]
pub struct ModelArguments {
    /// A name of `parallax estimators`.
    pub estimator: String,
    #[command(flatten)]
    pub reading: Reading,
    /// Parquet, Arrow or CSV file, or a folder of such files; further ones are joined on unit and time.
    #[arg(long, value_name = "FILE", required = true)]
    pub data: Vec<PathBuf>,
    /// Column of units.
    #[arg(long, value_name = "COLUMN")]
    pub unit: Option<String>,
    /// Column of periods.
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// What whole numbers of --time are: year-month (201101), year-quarter (20111), number.
    #[arg(long, value_name = "FORMAT", requires = "time")]
    pub time_format: Option<TimeFormat>,
    /// "y ~ x1 + x2 | effect1 + effect2", as fixest reads it.
    #[arg(long, value_name = "FORMULA", required_unless_present = "outcome")]
    pub formula: Option<Formula>,
    /// With --treatment and --covariates a short way to write --formula "OUTCOME ~ TREATMENT + COVARIATES",
    /// followed by "| UNIT + TIME" for estimators that need effects. Each of them names a column; nothing is computed.
    #[arg(long, value_name = "COLUMN", conflicts_with = "formula")]
    pub outcome: Option<String>,
    /// The option `treatment` of estimators that read a column there; the first regressor of all others.
    #[arg(long, value_name = "COLUMN", requires = "outcome", conflicts_with = "cohort")]
    pub treatment: Option<String>,
    /// Column with each unit's first treated period, 0 or missing for never: the option `cohort`.
    #[arg(long, value_name = "COLUMN")]
    pub cohort: Option<String>,
    /// Further regressors: columns, separated by commas; a comma within a name is written `\,`.
    #[arg(long, value_name = "COLUMNS", requires = "outcome")]
    pub covariates: Vec<ColumnList>,
    /// iid, hc0, hc1, hc2, hc3, cluster:A, cluster:A+B; without it iid, or cluster:UNIT where an estimator has no iid.
    #[arg(long, value_name = "VCOV")]
    pub vcov: Option<VcovSpec>,
    /// Rules for small samples: fixest, reghdfe, xtreg, plm, none.
    #[arg(long, value_name = "RULES", default_value = "fixest")]
    pub small_sample: SmallSample,
    /// Repair of multi-way covariances that are not positive, as a program has it: fixest, stata, plm; without it there is
    /// none, and a coefficient whose variance is not positive has no error.
    #[arg(long, value_name = "PROGRAM")]
    pub repair: Option<Repair>,
    /// Rows alone in a group of an effect: drop or keep.
    #[arg(long, value_name = "POLICY", default_value = "drop")]
    pub singletons: SingletonPolicy,
    /// Column of weights.
    #[arg(long, value_name = "COLUMN")]
    pub weights: Option<String>,
    /// What weights mean: analytic (Stata's aweight) or frequency (fweight).
    #[arg(long, value_name = "KIND", default_value = "analytic", requires = "weights")]
    pub weight_kind: WeightKind,
    /// An option of the estimator, as key=value; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub options: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Fit {
    #[command(flatten)]
    pub model: ModelArguments,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: FitFormat,
    /// Level of intervals.
    #[arg(long, default_value = "0.95", value_parser = level)]
    pub level: f64,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("adoption").required(true).args(["treatment", "cohort"])))]
pub struct Did {
    /// Parquet, Arrow or CSV file, or a folder of such files; further ones are joined on unit and time.
    #[arg(value_name = "FILE", required = true)]
    pub data: Vec<PathBuf>,
    /// Column of the outcome.
    #[arg(long, value_name = "COLUMN")]
    pub outcome: String,
    /// Column of units.
    #[arg(long, value_name = "COLUMN")]
    pub unit: String,
    /// Column of periods.
    #[arg(long, value_name = "COLUMN")]
    pub time: String,
    /// What whole numbers of --time are: year-month (201101), year-quarter (20111), number.
    #[arg(long, value_name = "FORMAT", requires = "time")]
    pub time_format: Option<TimeFormat>,
    /// Column of treatment by row, 0 and 1.
    #[arg(long, value_name = "COLUMN")]
    pub treatment: Option<String>,
    /// Column with each unit's first treated period, 0 or missing for never.
    #[arg(long, value_name = "COLUMN")]
    pub cohort: Option<String>,
    /// Covariates, separated by commas; a comma within a name is written `\,`.
    #[arg(long, value_name = "COLUMNS")]
    pub covariates: Vec<ColumnList>,
    /// Groups of whole units for standard errors; the unit without.
    #[arg(long, value_name = "COLUMN")]
    pub cluster: Option<String>,
    /// Column of analytic weights.
    #[arg(long, value_name = "COLUMN")]
    pub weights: Option<String>,
    /// Rules for small samples of the regressions: fixest, reghdfe, xtreg, plm, none.
    #[arg(long, value_name = "RULES", default_value = "fixest")]
    pub small_sample: SmallSample,
    /// Level of intervals and tests.
    #[arg(long, default_value = "0.95", value_parser = level)]
    pub level: f64,
    /// Folder for did.html, did.docx, did.tex with its pictures, and did.json.
    #[arg(long, value_name = "DIR", default_value = "did")]
    pub out: PathBuf,
    /// Write no files: text or JSON on standard output alone.
    #[arg(long, conflicts_with = "out")]
    pub no_report: bool,
    /// What is written on standard output.
    #[arg(long, value_enum, default_value = "text")]
    pub format: ListFormat,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FitFormat {
    Text,
    Json,
    Markdown,
    Latex,
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub struct ExplainSe {
    #[command(flatten)]
    pub model: ModelArguments,
    /// Term whose error is explained; the first one without it.
    #[arg(long, value_name = "TERM")]
    pub term: Option<String>,
}

#[derive(Debug, Args)]
pub struct Describe {
    /// Parquet, Arrow or CSV file, or a folder of such files.
    pub file: PathBuf,
    /// Column of units.
    #[arg(long, value_name = "COLUMN")]
    pub unit: Option<String>,
    /// Column of periods.
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// What whole numbers of --time are: year-month (201101), year-quarter (20111), number.
    #[arg(long, value_name = "FORMAT", requires = "time")]
    pub time_format: Option<TimeFormat>,
    /// Column of treatment, 0 and 1, for adoption cohorts.
    #[arg(long, value_name = "COLUMN")]
    pub treatment: Option<String>,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: ListFormat,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Debug, Args)]
pub struct Convert {
    /// Parquet, Arrow or CSV file, or a folder of such files.
    pub from: PathBuf,
    /// File to write; its ending says the format.
    pub to: PathBuf,
    /// Column of units; with --time, rows are sorted and checked.
    #[arg(long, value_name = "COLUMN")]
    pub unit: Option<String>,
    /// Column of periods.
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// What whole numbers of --time are: year-month (201101), year-quarter (20111), number.
    #[arg(long, value_name = "FORMAT", requires = "time")]
    pub time_format: Option<TimeFormat>,
    /// Columns to keep, separated by commas; a comma within a name is written `\,`.
    #[arg(long, value_name = "COLUMNS")]
    pub columns: Vec<ColumnList>,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Debug, Args)]
pub struct Simulate {
    /// What to simulate.
    #[arg(value_enum)]
    pub what: Simulation,
    /// Folder with cities.csv and national.csv; the data are written there too.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Seed, instead of the committed one.
    #[arg(long)]
    pub seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Simulation {
    /// The replica of the seed paper's panel.
    CbecReplica,
}

#[derive(Debug, Args)]
pub struct Estimators {
    /// How the result is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: ListFormat,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// A name of `parallax estimators`.
    pub name: String,
}

/// More threads than any machine at hand has processors cost memory and give nothing.
fn threads(text: &str) -> Result<usize, String> {
    const MOST: usize = 1024;
    match text.parse() {
        Ok(it) if (1..=MOST).contains(&it) => Ok(it),
        _ => Err(format!("write a whole number from 1 to {MOST}")),
    }
}

fn level(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(it) if 0.0 < it && it < 1.0 => Ok(it),
        _ => Err("a level lies between 0 and 1, as 0.95".to_owned()),
    }
}

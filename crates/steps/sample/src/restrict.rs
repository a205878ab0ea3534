#![doc = include_str!("../docs/restrict.md")]

use std::{borrow::Cow, sync::Arc};

use parallax_model::{
    Expr, Name, Note, Panel, PluginMeta, Status, Step, StepError, Stepped,
    formula::{FormulaError, Operator},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

parallax_model::step!(Restrict);

const NAME: &str = "restrict";

/// Keeps the rows for which a condition is true.
pub struct Restrict;

/// Which rows to keep.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Condition on the columns, such as `year >= 2011 & region != 'west'`; missing is not true.
    #[serde(rename = "where")]
    pub condition: Condition,
}

/// A condition, read when options are, so that a slip in it is found before data are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Condition {
    text: String,
    expr: Expr,
}

impl Step for Restrict {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Keep the rows for which a condition is true",
        docs: include_str!("../docs/restrict.md"),
        status: Status::Stable { since: "0.1.0" },
        reference: "Stata 18 Data Management Reference Manual, [D] drop (keep if)",
    };
    type Options = Options;

    fn apply(panel: &Panel, options: &Options) -> Result<Stepped, StepError> {
        let mut keep = vec![true; panel.n_rows()];
        let mut reasons = Vec::new();
        // A conjunction is true where every part of it is, and its parts tell the reader what cost how many rows.
        for part in parts(&options.condition.expr) {
            let truth = evaluated(panel, part)?;
            reasons.extend(take_out(&mut keep, &truth).in_words(part));
        }
        let kept = panel.keep(&keep)?;
        let reasons =
            if reasons.is_empty() { "it is true everywhere".to_owned() } else { reasons.join(", ") };
        let text = &options.condition.text;
        if kept.n_rows() == 0 {
            let reason = format!("no row is left of {} where `{text}`: {reasons}", panel.n_rows());
            return Err(StepError::Step(format!("`{NAME}`: {reason}; widen the condition")));
        }
        let text = format!("kept {} where `{text}`: {reasons}", remaining(panel, &kept));
        Ok(Stepped { panel: kept, details: Vec::new(), notes: vec![Note::Step { step: NAME.into(), text }] })
    }

    fn reads(options: &Options) -> Vec<Name> {
        options.condition.expr.variables()
    }
}

impl TryFrom<String> for Condition {
    type Error = FormulaError;

    fn try_from(text: String) -> Result<Condition, FormulaError> {
        let expr = Expr::parse(&text)?;
        Ok(Condition { text, expr })
    }
}

impl From<Condition> for String {
    fn from(it: Condition) -> String {
        it.text
    }
}

/// The parts of a conjunction, left to right; parentheses round a whole part do not matter.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Binary(Operator::And, left, right) => [parts(left), parts(right)].concat(),
        Expr::Group(it) => parts(it),
        it => vec![it],
    }
}

/// A part's truth a row; a number that is neither 0 nor 1 was not meant as a condition.
fn evaluated(panel: &Panel, part: &Expr) -> Result<Arc<Vec<f64>>, StepError> {
    let truth = part.eval(panel)?;
    match truth.iter().enumerate().find(|(_, it)| !it.is_nan() && **it != 0.0 && **it != 1.0) {
        None => Ok(truth),
        Some((row, value)) => Err(StepError::Options {
            plugin: NAME,
            reason: format!(
                "`{part}` in `where` is {value} for {}, and a condition is 1 or 0; compare it with something, as in \
                 `{part} > 0`",
                panel.place(row)
            ),
        }),
    }
}

/// Rows a part of the condition took out.
#[derive(Default)]
struct Loss {
    untrue: usize,
    unknown: usize,
}

/// Takes out rows that are not true; a row counts for the first part it fails.
fn take_out(keep: &mut [bool], truth: &[f64]) -> Loss {
    let mut loss = Loss::default();
    for (keep, &truth) in keep.iter_mut().zip(truth) {
        if *keep && truth != 1.0 {
            *keep = false;
            if truth.is_nan() { loss.unknown += 1 } else { loss.untrue += 1 }
        }
    }
    loss
}

impl Loss {
    fn in_words(&self, part: &Expr) -> Option<String> {
        let missing = || {
            let names: Vec<String> = part.variables().iter().map(|it| format!("`{it}`")).collect();
            match &names[..] {
                [only] => Cow::from(format!("{only} is missing")),
                _ => Cow::from("a value is missing"),
            }
        };
        match (self.untrue, self.unknown) {
            (0, 0) => None,
            (n, 0) => Some(format!("`{part}` is false in {}", rows(n))),
            (0, n) => Some(format!("`{part}` is unknown in {} because {}", rows(n), missing())),
            (n, m) => Some(format!(
                "`{part}` is false in {} and unknown in {} because {}",
                rows(n),
                rows(m),
                missing()
            )),
        }
    }
}

fn rows(n: usize) -> String {
    if n == 1 { "1 row".to_owned() } else { format!("{n} rows") }
}

/// "8 of 10 rows, 4 of 5 units".
fn remaining(before: &Panel, after: &Panel) -> String {
    let rows = format!("{} of {} rows", after.n_rows(), before.n_rows());
    match before.index() {
        None => rows,
        Some(_) => format!("{rows}, {} of {} units,", after.units().n_groups(), before.units().n_groups()),
    }
}

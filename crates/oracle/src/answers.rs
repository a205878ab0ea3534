//! The stored answers, typed as they are in the files.
//!
//! Every field is known: a file with a field that this module does not name is refused, so that no number
//! of a covered case can be overlooked.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::OracleError;

/// Numbers by name; `None` where the program gives none.
pub type Numbers = BTreeMap<String, Option<f64>>;

/// One file of answers. Cases are typed when asked for, since a file may hold cases of other kinds.
#[derive(Clone, Debug)]
pub struct AnswerFile {
    path: PathBuf,
    cases: Vec<Value>,
}

/// What one program printed for one model or test.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Name of the case.
    pub id: String,
    /// The data set, in words.
    pub data: String,
    /// Program and version.
    pub peer: String,
    /// The call that gave the numbers.
    pub call: String,
    /// Covariance requests as the program takes them.
    #[serde(default)]
    pub vcov_args: BTreeMap<String, String>,
    /// Rows used.
    #[serde(default)]
    pub nobs: Option<usize>,
    /// Coefficients.
    #[serde(default)]
    pub coef: Numbers,
    /// Standard errors.
    #[serde(default)]
    pub se: Errors,
    /// p-values by covariance.
    #[serde(default)]
    pub pvalue: BTreeMap<String, Numbers>,
    /// Degrees of freedom of the t distribution by covariance.
    #[serde(default)]
    pub df_t: Numbers,
    /// Fit statistics.
    #[serde(default, deserialize_with = "object_or_empty")]
    pub stats: BTreeMap<String, Value>,
    /// Regressors dropped as collinear.
    #[serde(default)]
    pub collin_dropped: Vec<String>,
    /// Levels of absorbed effects.
    #[serde(default, deserialize_with = "object_or_empty")]
    pub fixef_sizes: BTreeMap<String, Value>,
    /// Results that only this case has.
    #[serde(default)]
    pub extra: Option<Value>,
    /// What the author of the case says.
    #[serde(default)]
    pub notes: Option<String>,
    /// linearmodels: R-squared by kind.
    #[serde(default)]
    pub rsquared: Numbers,
    /// plm: R-squared and its adjusted version.
    #[serde(default, rename = "r.squared")]
    pub r_squared: Numbers,
    /// linearmodels: residual degrees of freedom.
    #[serde(default)]
    pub df_resid: Option<f64>,
    /// plm: residual degrees of freedom.
    #[serde(default)]
    pub df_residual: Option<f64>,
    /// linearmodels: F statistics by covariance.
    #[serde(default)]
    pub f_statistic: BTreeMap<String, Test>,
    /// linearmodels: F test of the effects.
    #[serde(default)]
    pub f_pooled: Option<Test>,
    /// linearmodels: smallest and largest share of the unit mean that is taken out.
    #[serde(default)]
    pub theta: Numbers,
    /// linearmodels: variance components.
    #[serde(default)]
    pub variance_decomposition: Numbers,
    /// plm: variance components.
    #[serde(default)]
    pub ercomp: Option<ErrorComponents>,
    /// plm: a test.
    #[serde(default)]
    pub test: Option<Test>,
    /// clubSandwich: degrees of freedom under CR2.
    #[serde(default, rename = "df_satterthwaite_CR2")]
    pub df_satterthwaite_cr2: Numbers,
    /// A test statistic at the top of a case.
    #[serde(default)]
    pub stat: Option<f64>,
    /// Its p-value.
    #[serde(default)]
    pub p_value: Option<f64>,
    /// Its degrees of freedom.
    #[serde(default)]
    pub df: Option<f64>,
    /// Published within estimates.
    #[serde(default)]
    pub within: Numbers,
    /// Published random-effects estimates.
    #[serde(default)]
    pub random_swar: Numbers,
    /// A published Hausman test.
    #[serde(default)]
    pub hausman: Option<Test>,
}

/// Standard errors: by covariance, or of the one covariance there is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Errors {
    /// By covariance, then by coefficient.
    ByCovariance(BTreeMap<String, Numbers>),
    /// By coefficient.
    One(Numbers),
}

impl Default for Errors {
    fn default() -> Errors {
        Errors::ByCovariance(BTreeMap::new())
    }
}

impl Errors {
    /// By covariance; the only one is called `only`.
    pub fn by_covariance(&self) -> BTreeMap<String, Numbers> {
        match self {
            Errors::ByCovariance(it) => it.clone(),
            Errors::One(it) => BTreeMap::from([("only".to_owned(), it.clone())]),
        }
    }
}

/// A test statistic.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The statistic.
    pub stat: f64,
    /// Its p-value.
    #[serde(default)]
    pub p: Option<f64>,
    /// One or two numbers of degrees of freedom.
    #[serde(default)]
    pub df: Option<Value>,
    /// Numerator degrees of freedom.
    #[serde(default)]
    pub df1: Option<f64>,
    /// Denominator degrees of freedom.
    #[serde(default)]
    pub df2: Option<f64>,
}

/// plm's `ercomp`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorComponents {
    /// Variances: `idios`, `id`.
    pub sigma2: Numbers,
    /// Distinct shares of the unit means, rounded to twelve digits.
    pub theta: Vec<f64>,
}

#[derive(Deserialize)]
struct Whole {
    cases: Vec<Value>,
}

impl AnswerFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`OracleError::File`].
    pub fn read(path: &Path) -> Result<AnswerFile, OracleError> {
        let wrong = |reason: String| OracleError::File { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|it| wrong(it.to_string()))?;
        let whole: Whole = serde_json::from_str(&text).map_err(|it| wrong(it.to_string()))?;
        Ok(AnswerFile { path: path.to_owned(), cases: whole.cases })
    }

    /// Names of the cases, in file order.
    pub fn ids(&self) -> Vec<String> {
        self.cases.iter().map(id).collect()
    }

    /// One case.
    ///
    /// # Errors
    /// [`OracleError::NoCase`]; [`OracleError::File`] for a case with a field that [`Answer`] does not have.
    pub fn answer(&self, wanted: &str) -> Result<Answer, OracleError> {
        let case = self.cases.iter().find(|it| id(it) == wanted);
        let case =
            case.ok_or_else(|| OracleError::NoCase { path: self.path.clone(), id: wanted.to_owned() })?;
        serde_json::from_value(case.clone()).map_err(|it| OracleError::File {
            path: self.path.clone(),
            reason: format!("case `{wanted}`: {it}"),
        })
    }
}

fn id(case: &Value) -> String {
    case.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// R writes an empty named list as `[]`.
fn object_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Object(it) => Ok(it.into_iter().collect()),
        Value::Array(it) if it.is_empty() => Ok(BTreeMap::new()),
        Value::Null => Ok(BTreeMap::new()),
        it => Err(serde::de::Error::custom(format!("neither an object nor empty: {it}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(pairs: &[(&str, f64)]) -> Numbers {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Some(*value))).collect()
    }

    /// Every field has a value of its own, so that a field read into another one is seen.
    #[test]
    fn every_field_is_read_into_its_own_place() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/all_fields.json");
        let file = AnswerFile::read(&path).unwrap();
        assert_eq!(file.ids(), ["all", "flat"]);
        let it = file.answer("all").unwrap();
        assert_eq!((it.id.as_str(), it.data.as_str()), ("all", "data 1"));
        assert_eq!((it.peer.as_str(), it.call.as_str()), ("peer 2", "call 3"));
        assert_eq!(it.vcov_args["iid"], "arg 4");
        assert_eq!(it.nobs, Some(5));
        assert_eq!(it.coef, numbers(&[("a", 6.5)]));
        assert_eq!(it.se.by_covariance()["iid"], numbers(&[("a", 7.5)]));
        assert_eq!(it.pvalue["iid"], numbers(&[("a", 8.5)]));
        assert_eq!(it.df_t, numbers(&[("iid", 9.5)]));
        assert_eq!(it.stats["r2"], 10.5);
        assert_eq!(it.collin_dropped, ["name 11"]);
        assert_eq!(it.fixef_sizes["unit"], 12);
        assert_eq!(it.extra, Some(Value::from("extra 13")));
        assert_eq!(it.notes.as_deref(), Some("note 14"));
        assert_eq!((it.rsquared, it.r_squared), (numbers(&[("within", 15.5)]), numbers(&[("rsq", 16.5)])));
        assert_eq!((it.df_resid, it.df_residual), (Some(17.5), Some(18.5)));
        assert_eq!((it.f_statistic["iid"].stat, it.f_statistic["iid"].p), (19.5, Some(20.5)));
        assert_eq!(it.f_pooled.unwrap().stat, 21.5);
        assert_eq!(
            (it.theta, it.variance_decomposition),
            (numbers(&[("min", 22.5)]), numbers(&[("Effects", 23.5)]))
        );
        let ercomp = it.ercomp.unwrap();
        assert_eq!((ercomp.sigma2, ercomp.theta), (numbers(&[("id", 24.5)]), vec![25.5]));
        let test = it.test.unwrap();
        assert_eq!((test.stat, test.df, test.df1, test.df2), (26.5, Some(27.into()), Some(28.5), Some(29.5)));
        assert_eq!(it.df_satterthwaite_cr2, numbers(&[("a", 30.5)]));
    }

    #[test]
    fn flat_errors_empty_lists_and_published_numbers_are_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/all_fields.json");
        let it = AnswerFile::read(&path).unwrap().answer("flat").unwrap();
        let expected: Numbers = [("a".to_owned(), Some(31.5)), ("b".to_owned(), None)].into();
        assert_eq!(it.se.by_covariance()["only"], expected);
        assert!(it.stats.is_empty() && it.fixef_sizes.is_empty());
        assert_eq!((it.stat, it.p_value, it.df), (Some(32.5), Some(33.5), Some(34.5)));
        assert_eq!((it.within, it.random_swar), (numbers(&[("value", 35.5)]), numbers(&[("const", 36.5)])));
        assert_eq!(it.hausman.unwrap().stat, 37.5);
    }

    #[test]
    fn unknown_fields_and_cases_are_refused() {
        let refused = serde_json::from_str::<Answer>(r#"{"id":"a","data":"","peer":"","call":"","new":1}"#);
        assert!(refused.unwrap_err().to_string().contains("unknown field `new`"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/all_fields.json");
        assert!(matches!(AnswerFile::read(&path).unwrap().answer("x"), Err(OracleError::NoCase { .. })));
    }
}

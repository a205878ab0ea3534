//! Published numbers on real data: `facts/reference_estimates.csv` below `PARALLAX_DATA`.
//!
//! Every row is either compared or listed with the reason why it is not.

use std::path::Path;

use parallax_model::{
    SmallSample,
    vcov::{ClusterScale, EffectCount, EffectDof, Preset, SampleScale},
};
use serde::Deserialize;

use crate::{
    Comparison, DataSet, LeftOut, OracleError, Report, Request, Rules, Tolerance,
    data::private_data,
    programs::conventional,
    run::{Runner, observations},
    tolerances::{CLOSED_FORM, EXACT, PRINTED},
};

const FILE: &str = "facts/reference_estimates.csv";

/// A row of the file. Numbers stay text, because their digits are counted.
#[derive(Debug, Deserialize)]
struct Row {
    dataset: String,
    estimator: String,
    quantity: String,
    value: String,
    se: String,
    n: String,
}

/// Rows with these words, and what they are here.
struct Check {
    dataset: &'static str,
    estimator: &'static str,
    quantity: &'static str,
    request: Request,
    covariance: &'static str,
    rules: SmallSample,
    /// linearmodels scales clustered variances by n / (n - k), ours by (n - 1) / (n - k).
    n_over_n_minus_1: bool,
    /// The beginning of our term's name.
    term: &'static str,
}

const fn check(words: [&'static str; 3], request: Request, term: &'static str) -> Check {
    let [dataset, estimator, quantity] = words;
    Check {
        dataset,
        estimator,
        quantity,
        request,
        covariance: "iid",
        rules: SmallSample::FIXEST,
        n_over_n_minus_1: false,
        term,
    }
}

impl Check {
    const fn with(mut self, covariance: &'static str, rules: SmallSample) -> Check {
        self.covariance = covariance;
        self.rules = rules;
        self
    }

    const fn with_linearmodels(mut self, covariance: &'static str) -> Check {
        self.n_over_n_minus_1 = true;
        self.with(covariance, LINEARMODELS)
    }
}

/// clubSandwich's CR1.
const CR1: SmallSample = SmallSample {
    preset: Preset::Custom,
    sample: SampleScale::Never,
    effects: EffectDof::Full,
    count: EffectCount::Levels,
    clusters: ClusterScale::Smallest,
};
/// linearmodels, without its n/(n-1): all effects count, no factor for the number of clusters.
const LINEARMODELS: SmallSample =
    SmallSample { sample: SampleScale::All, clusters: ClusterScale::None, ..CR1 };
const FIXEST: SmallSample = SmallSample::FIXEST;
const XTREG: SmallSample = SmallSample::XTREG;
const PLM: SmallSample = SmallSample::PLM;

const CASTLE: DataSet = DataSet::Private("data/reference/castle_bacondecomp.csv");
const BASE_DID: DataSet = DataSet::Private("data/reference/base_did.csv");
const EHEC: DataSet =
    DataSet::PrivateRows("data/reference/ehec_data.csv", "year < 2016 & (is_missing(yexp2) | yexp2 != 2015)");
const WAGEPAN: DataSet = DataSet::PrivatePanel("data/reference/wagepan.csv", "nr", "year");
const GRUNFELD: DataSet = DataSet::PrivatePanel("data/reference/grunfeld.csv", "firm", "year");
const PETERSEN: DataSet = DataSet::Private("data/reference/petersen_cl.csv");
const MLDA: DataSet = DataSet::Private("data/reference/mlda_mv_deaths.csv");
const ORGANS: DataSet = DataSet::Private("data/reference/organ_donation.csv");
const KIELMC: DataSet = DataSet::Private("data/reference/kielmc.csv");
const INJURY: DataSet = DataSet::PrivateRows("data/reference/injury.csv", "ky == 1");
const JTRAIN: DataSet = DataSet::Private("data/reference/jtrain.csv");
const PROP99: DataSet = DataSet::Private("data/reference/california_prop99.csv");

const DID_STUDY: Request =
    Request::new(BASE_DID, "fixed-effects", "y ~ x1 + i(period, treat, ref = 5) | id + period");
const WAGES: &str = "lwage ~ educ + black + hisp + exper + expersq + married + union + i(year)";
const WAGES_TWOWAY: Request =
    Request::new(WAGEPAN, "fixed-effects", "lwage ~ expersq + married + union | nr + year");
const WITHIN: Request = Request::new(GRUNFELD, "fixed-effects", "inv ~ value + capital | firm");
const GRUNFELD_TWOWAY: Request = Request::new(GRUNFELD, "fixed-effects", "inv ~ capital | firm + year");
const TEST_PAGE: Request = Request::new(PETERSEN, "pooled-ols", "y ~ x");
const SCRAP: Request = Request::new(JTRAIN, "fixed-effects", "lscrap ~ d88 + d89 + grant + grant_1 | fcode");

const CHECKS: &[Check] = &[
    check(
        ["castle (bacondecomp)", "TWFE l_homicide~post", "coef"],
        Request::new(CASTLE, "fixed-effects", "l_homicide ~ post | state + year"),
        "post",
    ),
    check(["base_did", "TWFE event study y~x1*", "x1"], DID_STUDY, "x1").with("cluster:id", FIXEST),
    check(["base_did", "TWFE event study", "period10:treat"], DID_STUDY, "period::10:treat")
        .with("cluster:id", FIXEST),
    check(
        ["ehec", "TWFE event study*", "2014"],
        Request::new(
            EHEC,
            "fixed-effects",
            "dins ~ i(year, ifelse(is_missing(yexp2), 0, ifelse(yexp2 == 2014, 1, 0)), ref = 2013) | stfips + year",
        ),
        "year::2014:",
    )
    .with_linearmodels("cluster:stfips"),
    check(["wagepan", "pooled OLS with year dummies", "union"], Request::new(WAGEPAN, "pooled-ols", WAGES), "union"),
    check(
        ["wagepan", "random effects with year dummies", "educ"],
        Request::new(WAGEPAN, "random-effects", WAGES),
        "educ",
    ),
    check(
        ["wagepan", "random effects with year dummies", "union"],
        Request::new(WAGEPAN, "random-effects", WAGES),
        "union",
    ),
    check(["wagepan", "two-way fixed effects", "union"], WAGES_TWOWAY, "union"),
    check(["wagepan", "two-way fixed effects", "married"], WAGES_TWOWAY, "married"),
    check(["wagepan", "two-way fixed effects", "expersq"], WAGES_TWOWAY, "expersq"),
    check(["grunfeld", "pooled OLS", "value"], Request::new(GRUNFELD, "pooled-ols", "inv ~ value + capital"), "value"),
    check(["grunfeld", "within", "value"], WITHIN, "value").with("iid", PLM),
    check(["grunfeld", "within", "capital"], WITHIN, "capital").with("iid", PLM),
    check(
        ["grunfeld", "random effects Swamy-Arora", "value"],
        Request::new(GRUNFELD, "random-effects", "inv ~ value + capital"),
        "value",
    ),
    check(
        ["grunfeld", "two-way within", "value"],
        Request::new(GRUNFELD, "fixed-effects", "inv ~ value + capital | firm + year"),
        "value",
    ),
    check(["grunfeld", "two-way within inv~capital cluster firm*", "capital se"], GRUNFELD_TWOWAY, "capital")
        .with("cluster:firm", FIXEST),
    check(["grunfeld", "two-way within inv~capital two-way cluster*", "capital se"], GRUNFELD_TWOWAY, "capital")
        .with("cluster:firm+year", FIXEST),
    check(["petersen", "OLS", "x"], TEST_PAGE, "x"),
    check(["petersen", "White HC1", "x se"], TEST_PAGE, "x").with("hc1", FIXEST),
    check(["petersen", "cluster firm", "x se"], TEST_PAGE, "x").with("cluster:firm", FIXEST),
    check(["petersen", "cluster year", "x se"], TEST_PAGE, "x").with("cluster:year", FIXEST),
    check(["petersen", "cluster firm+year", "x se"], TEST_PAGE, "x").with("cluster:firm+year", conventional()),
    check(
        ["mlda", "TWFE mrate~legal+beertaxa CR1*", "legal"],
        Request::new(MLDA, "fixed-effects", "mrate ~ legal + beertaxa | state + year"),
        "legal",
    )
    .with("cluster:state", CR1),
    check(
        ["mlda", "population-weighted CR1", "legal"],
        Request::new(MLDA, "fixed-effects", "mrate ~ legal + beertaxa | state + year").weights("pop"),
        "legal",
    )
    .with("cluster:state", CR1),
    check(
        ["organ donations", "TWFE DiD Kessler-Roth", "ATT"],
        Request::new(
            ORGANS,
            "fixed-effects",
            "Rate ~ I(State == 'California' & Quarter %in% c('Q32011', 'Q42011', 'Q12012')) | State + Quarter",
        ),
        "I(",
    )
    .with_linearmodels("cluster:State"),
    check(
        ["Prop 99", "2x2 DiD", "ATT"],
        Request::new(PROP99, "fixed-effects", "PacksPerCapita ~ treated | State + Year"),
        "treated",
    ),
    check(["kielmc", "2x2 DiD rprice/1000", "*"], Request::new(KIELMC, "pooled-ols", "I(rprice/1000) ~ y81*nearinc"), "y81:nearinc"),
    check(["injury (ky==1)", "2x2 DiD log durat", "*"], Request::new(INJURY, "pooled-ols", "log(durat) ~ afchnge*highearn"), "afchnge:highearn"),
    check(["jtrain", "one-way FE lscrap*", "grant"], SCRAP, "grant").with("iid", XTREG),
    check(["jtrain", "one-way FE lscrap", "grant_1"], SCRAP, "grant_1").with("iid", XTREG),
];

const COMPARISONS: &str = "compared by `tests/did/diagnostics.rs`, with `bacon`";
const STAGGERED: &str = "estimators of staggered adoption belong to a later issue";
const NOT_COVERED: &[(&str, &str, &str)] = &[
    ("mpdta", "*", STAGGERED),
    ("castle (bacondecomp)", "Goodman-Bacon", COMPARISONS),
    ("math_reform", "Goodman-Bacon", COMPARISONS),
    ("base_stagg", "*", STAGGERED),
    ("ehec", "HonestDiD*", "sensitivity analysis belongs to a later issue"),
    ("mlda", "CR2*", "cr2 is not built yet"),
    ("mlda", "population-weighted CR2*", "cr2 is not built yet"),
    ("lalonde (MatchIt)", "*", "matching belongs to a later issue"),
    (
        "NSW Dehejia-Wahba",
        "experimental difference",
        "the stored 1794.3423 is off in its last digit: exact arithmetic on the file gives 1794.34240",
    ),
    ("JOBS II", "*", "mediation belongs to a later issue"),
    ("Prop 99", "synthetic*", "synthetic controls belong to a later issue"),
];

/// Compares with every published row.
///
/// # Errors
/// When the file cannot be read.
pub fn compare(runner: &Runner) -> Result<Report, OracleError> {
    let mut report = Report::default();
    let Some(path) = private_data().map(|it| it.join(FILE)) else {
        report.skipped.push(format!(
            "published numbers on real data need PARALLAX_DATA with {FILE} and data/reference"
        ));
        return Ok(report);
    };
    let mut used = vec![false; CHECKS.len()];
    for row in read(&path)? {
        let is = |it: &&(usize, &Check)| {
            let Check { dataset, estimator, quantity, .. } = it.1;
            row.dataset == *dataset && fits(estimator, &row.estimator) && fits(quantity, &row.quantity)
        };
        let excluded = NOT_COVERED.iter().find(|it| it.0 == row.dataset && fits(it.1, &row.estimator));
        let found: Vec<(usize, &Check)> = CHECKS.iter().enumerate().collect();
        match (found.iter().find(is), excluded) {
            (Some((at, check)), None) => {
                used[*at] = true;
                compare_row(runner, check, &row, &mut report)?;
            }
            (None, Some((_, _, reason))) => report.left_out.push(LeftOut {
                source: FILE.to_owned(),
                case: format!("{}: {}", row.dataset, row.estimator),
                what: String::new(),
                reason: (*reason).to_owned(),
            }),
            _ => report.errors.push(format!("{FILE}: row {row:?} is not classified, or twice")),
        }
    }
    let unused = CHECKS.iter().zip(used).filter(|(_, used)| !used);
    report.errors.extend(unused.map(|(it, _)| format!("{FILE}: no row {} {}", it.dataset, it.estimator)));
    Ok(report)
}

fn fits(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == text, |it| text.starts_with(it))
}

fn read(path: &Path) -> Result<Vec<Row>, OracleError> {
    let wrong = |it: csv::Error| OracleError::File { path: path.to_owned(), reason: it.to_string() };
    let mut reader = csv::Reader::from_path(path).map_err(wrong)?;
    reader.deserialize().collect::<Result<Vec<Row>, _>>().map_err(wrong)
}

fn compare_row(runner: &Runner, check: &Check, row: &Row, report: &mut Report) -> Result<(), OracleError> {
    let rules = Rules::new(check.covariance, check.rules);
    let Some(estimate) = runner.fit(&check.request, &rules)? else { return Ok(()) };
    let ours: Vec<_> = estimate.rows(0.95).into_iter().filter(|it| starts(&it.term, check.term)).collect();
    let [ours] = ours.as_slice() else {
        report.errors.push(format!("{FILE}: {} has {} terms `{}`", row.dataset, ours.len(), check.term));
        return Ok(());
    };
    let mut add = |quantity: &str, ours: f64, printed: &str, exact: bool| {
        let Ok(theirs) = printed.parse::<f64>() else { return };
        let (tolerance, unit) = if exact { (&EXACT, 1.0) } else { printed_as(printed) };
        report.comparisons.push(Comparison {
            program: "published".to_owned(),
            case: format!("{}: {}", row.dataset, row.estimator),
            estimator: check.request.estimator,
            covariance: check.covariance.to_owned(),
            quantity: format!("{quantity} {}", check.term),
            ours,
            theirs,
            tolerance,
            unit,
        });
    };
    add("coef", ours.estimate, &row.value, false);
    let n = observations(&estimate);
    let factor = if check.n_over_n_minus_1 { (n / (n - 1.0)).sqrt() } else { 1.0 };
    add("se", ours.std_error * factor, &row.se, false);
    add("nobs", n, &row.n, true);
    Ok(())
}

/// A term's whole name, or its beginning where that ends with a bracket or a colon.
fn starts(term: &str, wanted: &str) -> bool {
    term == wanted || (wanted.ends_with(['(', ':']) && term.starts_with(wanted))
}

/// Half a unit of the last digit, or our own precision where all digits were given.
fn printed_as(printed: &str) -> (&'static Tolerance, f64) {
    let digits = printed.chars().filter(char::is_ascii_digit).collect::<String>();
    if 12 < digits.trim_start_matches('0').len() {
        return (&CLOSED_FORM, 1.0);
    }
    let decimals = printed.split_once('.').map_or(0, |(_, it)| it.len());
    (&PRINTED, 10_f64.powi(-(decimals as i32)))
}

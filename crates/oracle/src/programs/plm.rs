//! R plm, with sandwich, clubSandwich and estimatr for sandwiches of `lm`.

use parallax_model::{
    SmallSample,
    vcov::{ClusterScale, EffectCount, EffectDof, SampleScale},
};

use super::{
    Case, Covariance, JACKKNIFE, PValue, Program, SERIAL, Statistic, not_compared, not_covered, ours, rules,
    statistic,
};
use crate::{
    DataSet, Request,
    data::{GRUNFELD, GRUNFELD_TEN, PANEL_BAL, PANEL_UNBAL},
    tolerances::{CLOSED_FORM, PRINTED, SLOW_PLM},
};

/// The file of plm.
pub const PROGRAM: Program = Program {
    file: "plm_sandwich.json",
    cases: CASES,
    not_covered: &[
        ("*__random_twoways_*", "random effects of units and periods together are not built"),
        ("*__random_time_swar", "random effects of periods are not built"),
        ("*__random_amemiya", "Amemiya's variance components are not built"),
        ("*__random_walhus", "Wallace and Hussain's variance components are not built"),
        ("*__random_nerlove", "Nerlove's variance components are not built"),
        ("*__hausman_twoways", "random effects of units and periods together are not built"),
        ("*__F_*", "F tests of the effects are not reported"),
        ("*__lm_*", "Lagrange multiplier tests of the effects are not built"),
        ("*__pbg", "tests of serial correlation are not built"),
        ("*__wooldridge_*", "tests of serial correlation are not built"),
        ("*__pwtest", "tests for unobserved effects are not built"),
        ("*__pcd", "tests of cross-sectional dependence are not built"),
        ("*__pbsy", "tests of serial correlation are not built"),
    ],
    covariance,
    statistic: stat,
    term: str::to_owned,
    p_value: PValue::Own,
    names_dropped: false,
};

/// Grunfeld's data with ten firms, and what was published for them.
pub const PUBLISHED: Program = Program {
    file: "published_and_extra.json",
    cases: PUBLISHED_CASES,
    not_covered: &[
        ("published_mpdta_cs", "the printed numbers of datasets/mpdta, met there"),
        ("published_prop99_sdid", "synthetic difference-in-differences belongs to a later issue"),
    ],
    covariance,
    statistic: stat,
    term: str::to_owned,
    p_value: PValue::Own,
    names_dropped: false,
};

const AUX_OTHER: &str = "plm's auxiliary regression has a constant of ones where the random-effects \
                              regression has 1 - theta_i; and where a regressor does not vary within units it tests the coefficients one place too early; both are \
                         rebuilt in the test `plm_auxiliary_regressions`";

const BAL: &str = "y ~ treat + x1 + x2 + xinv";
const UNBAL: &str = "y ~ treat + x1 + x2 + x3";
const GRUN: &str = "invest ~ value + capital";
const SWAR: &[(&str, &str)] = &[("variance", "baltagi-chang")];
const BRIDGE: &[(&str, &str)] = &[("gaps", "bridge")];

const fn case(id: &'static str, data: DataSet, estimator: &'static str, formula: &'static str) -> Case {
    Case::new(id, Request::new(data, estimator, formula).keep(), &CLOSED_FORM).rules(SmallSample::PLM)
}

const fn random(id: &'static str, data: DataSet, formula: &'static str) -> Case {
    let mut it = case(id, data, "random-effects", formula);
    it.request = it.request.options(SWAR);
    it
}

const fn slow(mut case: Case) -> Case {
    case.tolerance = &SLOW_PLM;
    case
}

const fn printed(mut case: Case) -> Case {
    case.tolerance = &PRINTED;
    case
}

const fn difference(id: &'static str, data: DataSet, formula: &'static str) -> Case {
    let mut it = case(id, data, "first-difference", formula);
    it.request = it.request.options(BRIDGE);
    it
}

const CASES: &[Case] = &[
    case("panel_bal__pooling", PANEL_BAL, "pooled-ols", BAL),
    case("panel_bal__within_ind", PANEL_BAL, "fixed-effects", "y ~ treat + x1 + x2 + xinv | unit"),
    case("panel_bal__within_time", PANEL_BAL, "fixed-effects", "y ~ treat + x1 + x2 + xinv | year"),
    case("panel_bal__within_twoways", PANEL_BAL, "fixed-effects", "y ~ treat + x1 + x2 + xinv | unit + year"),
    case("panel_bal__between", PANEL_BAL, "between", BAL),
    difference("panel_bal__fd", PANEL_BAL, BAL),
    difference("panel_bal__fd_noconst", PANEL_BAL, "y ~ 0 + treat + x1 + x2 + xinv"),
    random("panel_bal__random_swar", PANEL_BAL, BAL),
    random("panel_bal__hausman", PANEL_BAL, BAL),
    random("panel_bal__hausman_aux", PANEL_BAL, BAL),
    random("panel_bal__hausman_aux_robust", PANEL_BAL, BAL),
    case("panel_unbal__pooling", PANEL_UNBAL, "pooled-ols", UNBAL),
    case("panel_unbal__within_ind", PANEL_UNBAL, "fixed-effects", "y ~ treat + x1 + x2 + x3 | unit"),
    case("panel_unbal__within_time", PANEL_UNBAL, "fixed-effects", "y ~ treat + x1 + x2 + x3 | year"),
    slow(case(
        "panel_unbal__within_twoways",
        PANEL_UNBAL,
        "fixed-effects",
        "y ~ treat + x1 + x2 + x3 | unit + year",
    )),
    case("panel_unbal__between", PANEL_UNBAL, "between", UNBAL),
    difference("panel_unbal__fd", PANEL_UNBAL, UNBAL),
    difference("panel_unbal__fd_noconst", PANEL_UNBAL, "y ~ 0 + treat + x1 + x2 + x3"),
    random("panel_unbal__random_swar", PANEL_UNBAL, UNBAL),
    random("panel_unbal__hausman", PANEL_UNBAL, UNBAL),
    random("panel_unbal__hausman_aux", PANEL_UNBAL, UNBAL),
    random("panel_unbal__hausman_aux_robust", PANEL_UNBAL, UNBAL),
    case("real_grunfeld__pooling", GRUNFELD, "pooled-ols", GRUN),
    case("real_grunfeld__within_ind", GRUNFELD, "fixed-effects", "invest ~ value + capital | firm"),
    case("real_grunfeld__within_time", GRUNFELD, "fixed-effects", "invest ~ value + capital | year"),
    case(
        "real_grunfeld__within_twoways",
        GRUNFELD,
        "fixed-effects",
        "invest ~ value + capital | firm + year",
    ),
    case("real_grunfeld__between", GRUNFELD, "between", GRUN),
    difference("real_grunfeld__fd", GRUNFELD, GRUN),
    difference("real_grunfeld__fd_noconst", GRUNFELD, "invest ~ 0 + value + capital"),
    random("real_grunfeld__random_swar", GRUNFELD, GRUN),
    random("real_grunfeld__hausman", GRUNFELD, GRUN),
    random("real_grunfeld__hausman_aux", GRUNFELD, GRUN),
    random("real_grunfeld__hausman_aux_robust", GRUNFELD, GRUN),
    case("cr_pooled_province", PANEL_BAL, "pooled-ols", "y ~ treat + x1 + x2"),
    case("cr_pooled_region", PANEL_BAL, "pooled-ols", "y ~ treat + x1 + x2"),
    case("cr_year_fe_region", PANEL_BAL, "pooled-ols", "y ~ treat + x1 + x2 + i(year)").some_terms(),
    case(
        "cr_twfe_region_dummies_province",
        PANEL_BAL,
        "pooled-ols",
        "y ~ treat + x1 + x2 + i(region) + i(year)",
    )
    .some_terms(),
];

const PUBLISHED_CASES: &[Case] = &[
    case("grunfeld10_pooling", GRUNFELD_TEN, "pooled-ols", GRUN),
    case("grunfeld10_within", GRUNFELD_TEN, "fixed-effects", "invest ~ value + capital | firm"),
    case("grunfeld10_between", GRUNFELD_TEN, "between", GRUN),
    random("grunfeld10_random_swar", GRUNFELD_TEN, GRUN),
    random("grunfeld10_hausman", GRUNFELD_TEN, GRUN),
    printed(random("published_baltagi_grunfeld", GRUNFELD_TEN, GRUN)),
];

/// plm's `sss`: G/(G-1) (n-1)/(n-k), effects not counted.
const SSS: SmallSample =
    rules(SampleScale::All, EffectDof::None, EffectCount::Levels, ClusterScale::Smallest);
/// clubSandwich's CR1: G/(G-1) alone.
const CR1: SmallSample =
    rules(SampleScale::Never, EffectDof::Full, EffectCount::Levels, ClusterScale::Smallest);
const BIAS_REDUCED: &str =
    "cluster sandwiches with leverages (cr2, cr3, vcovCL HC2 and HC3) are not built yet";

fn covariance(case: &Case, name: &str) -> Option<Covariance> {
    let (unit, time) = match case.request.data {
        DataSet::Open(_, unit, time)
        | DataSet::PrivatePanel(_, unit, time)
        | DataSet::PrivateSubset(_, unit, time, _) => (unit, time),
        DataSet::OpenRows(_) | DataSet::Private(_) | DataSet::PrivateRows(..) => return None,
    };
    match name {
        "DC_twoway" if case.id == "real_grunfeld__fd" => not_covered(
            "the matrix is not positive semi-definite: ours sets the negative eigenvalue to zero as fixest does, \
             plm leaves it",
        ),
        "iid" | "only" => ours("iid", SmallSample::PLM),
        "arellano_HC0_group" => ours(format!("cluster:{unit}"), SmallSample::PLM),
        "arellano_sss_group" => ours(format!("cluster:{unit}"), SSS),
        "white1_HC0" => ours("hc0", SmallSample::PLM),
        "arellano_HC0_time" => ours(format!("cluster:{time}"), SmallSample::PLM),
        "DC_twoway" => ours(format!("cluster:{unit}+{time}"), SmallSample::PLM),
        "SCC_DK" | "SCC_DK_lag2" => not_covered(SERIAL),
        "arellano_HC3_group" => not_covered(BIAS_REDUCED),
        _ => of_lm(case, name),
    }
}

/// Covariances of `lm` by sandwich, clubSandwich and estimatr; the case's name ends with its clusters.
fn of_lm(case: &Case, name: &str) -> Option<Covariance> {
    let by = case.id.rsplit('_').next()?;
    let cluster = format!("cluster:{by}");
    match name.strip_suffix(&format!("_{by}")).unwrap_or(name) {
        "sandwich_HC0" => ours("hc0", SmallSample::NONE),
        "sandwich_HC1" => ours("hc1", SmallSample::FIXEST),
        "sandwich_HC2" => ours("hc2", SmallSample::FIXEST),
        "sandwich_HC3" => ours("hc3", SmallSample::FIXEST),
        "sandwich_HC4" => not_covered("hc4 is not built"),
        "clubSandwich_CR0" => ours(cluster, SmallSample::NONE),
        "clubSandwich_CR1" | "sandwich_vcovCL_HC0" => ours(cluster, CR1),
        "clubSandwich_CR1S" | "estimatr_stata" | "sandwich_vcovCL_HC1" => ours(cluster, SmallSample::FIXEST),
        "clubSandwich_CR3" => not_covered(JACKKNIFE),
        "clubSandwich_CR2" | "estimatr_CR2" | "sandwich_vcovCL_HC2" | "sandwich_vcovCL_HC3" => {
            not_covered(BIAS_REDUCED)
        }
        _ => None,
    }
}

fn stat(case: &Case, name: &str) -> Option<Statistic> {
    let iid = |get| statistic("iid", SmallSample::PLM, get);
    match (name, case.request.estimator) {
        ("r.squared.rsq", "fixed-effects") => iid(|it| it.stats.get("r2_within")),
        ("r.squared.rsq", "first-difference") if case.request.formula.contains("~ 0 +") => {
            not_compared("plm centres R-squared though the model has no constant")
        }
        ("r.squared.rsq", "pooled-ols" | "between" | "first-difference") => iid(|it| it.stats.get("r2")),
        ("r.squared.adjrsq", "pooled-ols" | "between") => iid(|it| it.stats.get("r2_adjusted")),
        ("r.squared.adjrsq", "first-difference") if !case.request.formula.contains("~ 0 +") => {
            iid(|it| it.stats.get("r2_adjusted"))
        }
        ("r.squared.adjrsq", "fixed-effects" | "first-difference") => not_compared(
            "plm adjusts by (n - 1) / df, ours (as fixest) by the degrees of freedom of the demeaned outcome",
        ),
        ("r.squared.rsq" | "r.squared.adjrsq", "random-effects") => {
            not_compared("R-squared of the quasi-demeaned regression is not reported")
        }
        ("df_residual", _) => iid(|it| Some(it.vcov.arithmetic.residual_df as f64)),
        ("ercomp.sigma2.idios", _) => iid(|it| it.stats.get("sigma_e").map(|it| it * it)),
        ("ercomp.sigma2.id", _) => iid(|it| it.stats.get("sigma_u").map(|it| it * it)),
        ("ercomp.theta.min", _) => iid(|it| it.stats.get("theta_min")),
        ("ercomp.theta.max", _) => iid(|it| it.stats.get("theta_max")),
        _ if name.starts_with("df_satterthwaite_CR2.") => not_compared("cr2 is not built yet"),
        _ => hausman(case, name),
    }
}

fn hausman(case: &Case, name: &str) -> Option<Statistic> {
    let unit = match case.request.data {
        DataSet::Open(_, unit, _) | DataSet::PrivatePanel(_, unit, _) => unit,
        _ => "firm",
    };
    let robust = format!("cluster:{unit}");
    let of_mundlak = if case.id.ends_with("_robust") { robust.as_str() } else { "iid" };
    let mundlak = |get| statistic(of_mundlak, SmallSample::PLM, get);
    let classical = |get| statistic("iid", SmallSample::PLM, get);
    let auxiliary = case.id.contains("hausman_aux");
    if auxiliary && !case.id.starts_with("real_grunfeld") {
        return not_compared(AUX_OTHER);
    }
    match (name, auxiliary) {
        ("test.stat", true) => mundlak(|it| it.stats.get("mundlak_chi2")),
        ("test.df", true) => mundlak(|it| it.stats.get("mundlak_df")),
        ("test.p", true) => mundlak(|it| it.stats.get("mundlak_p")),
        ("test.stat" | "stat" | "hausman.stat", false) => classical(|it| it.stats.get("hausman_chi2")),
        ("test.df" | "df", false) => classical(|it| it.stats.get("hausman_df")),
        ("test.p" | "p_value" | "hausman.p", false) => classical(|it| it.stats.get("hausman_p")),
        ("within.value" | "within.capital", _) => {
            not_compared("the case of the same name with all digits, grunfeld10_within, is compared")
        }
        ("random_swar.value", _) => classical(|it| it.row("value", 0.95).map(|it| it.estimate)),
        ("random_swar.capital", _) => classical(|it| it.row("capital", 0.95).map(|it| it.estimate)),
        ("random_swar.const", _) => classical(|it| it.row("(Intercept)", 0.95).map(|it| it.estimate)),
        _ => None,
    }
}

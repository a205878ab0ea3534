//! R fixest: least squares with absorbed effects under its small-sample rules.

use parallax_model::{
    Estimate, SmallSample, f_upper,
    vcov::{ClusterScale, EffectCount, EffectDof, Repair, SampleScale},
    wald,
};

use super::{
    Case, Covariance, Factor, PValue, Program, SERIAL, SPATIAL, Statistic, conventional, not_compared,
    not_covered, ours, repaired, rules, scaled, statistic,
};
use crate::{
    Request, Tolerance,
    data::{AKM, PANEL_BAL, PANEL_UNBAL},
    tolerances::{CLOSED_FORM, ITERATED, LOOSE_FIXEST, NEAR_BANDED},
};

const GLM: &str = "generalised linear models belong to a later issue";
const POISSON: &str = "compared in tests/did/poisson.rs";
const BINARY: &str =
    "no estimator; coefficients, iid errors and likelihood are compared with `binary_response` in `matching`";
const INSTRUMENTS: &str = "instruments belong to a later issue";
const SUN_ABRAHAM: &str = "compared in tests/did/sun_abraham.rs";

/// The file of R fixest.
pub const PROGRAM: Program = Program {
    file: "fixest.json",
    cases: CASES,
    not_covered: &[
        ("fe_unit_slopes", "unit-specific slopes, unit[year], are not in the formula language"),
        ("akm_fepois_3fe", POISSON),
        ("fepois_*", POISSON),
        ("felogit_unit_year", GLM),
        ("logit_nofe", BINARY),
        ("probit_nofe", BINARY),
        ("sunab*", SUN_ABRAHAM),
        ("iv_*", INSTRUMENTS),
        ("fixef_values", "estimates of the absorbed effects themselves are not reported"),
        ("placebo_given_permutations", "many regressions in one case; compared in tests/did/event_study.rs"),
    ],
    covariance,
    statistic: stat,
    term: str::to_owned,
    p_value: PValue::Own,
    names_dropped: true,
};

const ALL_CONTROLS: &str = "y ~ treat + x1 + x2 + x3 + x4 + x5 + x6 + x7";
const TWFE: &str = "y ~ treat + x1 + x2 + x3 + x4 + x5 + x6 + x7 | unit + year";
const TWFE_SHORT: &str = "y ~ treat + x1 + x2 | unit + year";
const UNBAL_2: &str = "y ~ treat + x1 + x2 + x3 | unit + year";
const UNBAL_3: &str = "y ~ treat + x1 + x2 + x3 | unit + year + industry";
const BINNED: &str = "y ~ i(pmax(pmin(ifelse(rel == -1000, -1000, rel), 5), ifelse(rel == -1000, -1000, -4)), \
                      ref = c(-1, -1000)) + x1 | unit + year";

const FULL: SmallSample =
    rules(SampleScale::All, EffectDof::Full, EffectCount::Levels, ClusterScale::Smallest);
const FULL_EXACT: SmallSample = SmallSample { count: EffectCount::Components, ..FULL };
const UNCOUNTED: SmallSample = SmallSample { effects: EffectDof::None, ..FULL };
const UNADJUSTED: SmallSample =
    rules(SampleScale::Never, EffectDof::NonNested, EffectCount::Levels, ClusterScale::None);
const CONVENTIONAL: SmallSample = conventional();

const fn fixed(id: &'static str, formula: &'static str) -> Case {
    Case::new(id, Request::new(PANEL_BAL, "fixed-effects", formula), &ITERATED)
}

const fn unbalanced(id: &'static str, formula: &'static str) -> Case {
    Case::new(id, Request::new(PANEL_UNBAL, "fixed-effects", formula), &ITERATED)
}

const fn akm(id: &'static str, formula: &'static str) -> Case {
    Case::new(id, Request::new(AKM, "fixed-effects", formula), &ITERATED)
}

const fn keep(mut case: Case) -> Case {
    case.request = case.request.keep();
    case
}

const fn weighted(mut case: Case) -> Case {
    case.request = case.request.weights("w");
    case
}

const fn within(tolerance: &'static Tolerance, mut case: Case) -> Case {
    case.tolerance = tolerance;
    case
}

const CASES: &[Case] = &[
    Case::new("ols_pooled", Request::new(PANEL_BAL, "pooled-ols", ALL_CONTROLS), &CLOSED_FORM),
    weighted(Case::new(
        "ols_pooled_weighted",
        Request::new(PANEL_BAL, "pooled-ols", ALL_CONTROLS),
        &CLOSED_FORM,
    )),
    fixed("fe_unit", "y ~ treat + x1 + x2 + x3 + x4 + x5 + x6 + x7 | unit"),
    fixed("fe_year", "y ~ treat + x1 + x2 + x3 + x4 + x5 + x6 + x7 | year"),
    fixed("twfe", TWFE),
    fixed("twfe_notreat_controls_only_treat", "y ~ treat | unit + year"),
    weighted(fixed("twfe_weighted", TWFE)),
    fixed("twfe_collinear", "y ~ treat + xinv + x1 + I(2*x1 + x2) + x2 | unit + year"),
    fixed("fe_unit_province_year", "y ~ treat + x1 + x2 | unit + province^year"),
    fixed("twfe_ssc_KfixefFull", TWFE_SHORT).rules(FULL),
    fixed("twfe_ssc_KfixefNone", TWFE_SHORT).rules(UNCOUNTED),
    fixed("twfe_ssc_noadj", TWFE_SHORT).rules(UNADJUSTED),
    fixed("twfe_ssc_KexactFull", TWFE_SHORT).rules(FULL_EXACT),
    fixed("twfe_ssc_Gdf_conv", TWFE_SHORT).rules(CONVENTIONAL),
    fixed("twfe_multi_y_log", "log(x3) ~ treat + x1 + x1^2 + x1:x4 | unit + year"),
    fixed("twfe_lag", "y ~ l(y, 1) + x1 + f(x2, 1) + d(x3) | unit + year"),
    keep(unbalanced("unbal_twfe_keep", UNBAL_2)),
    keep(unbalanced("unbal_3fe_keep", UNBAL_3)),
    weighted(keep(unbalanced("unbal_twfe_keep_weighted", UNBAL_2))),
    weighted(keep(unbalanced("unbal_3fe_keep_weighted", UNBAL_3))),
    unbalanced("unbal_twfe_dropsingle", UNBAL_2),
    unbalanced("unbal_3fe_dropsingle", UNBAL_3),
    weighted(unbalanced("unbal_twfe_dropsingle_weighted", UNBAL_2)),
    weighted(unbalanced("unbal_3fe_dropsingle_weighted", UNBAL_3)),
    Case::new(
        "unbal_pooled",
        Request::new(PANEL_UNBAL, "pooled-ols", "y ~ treat + x1 + x2 + x3"),
        &CLOSED_FORM,
    ),
    unbalanced("unbal_default_fixefrm", UNBAL_2),
    within(&NEAR_BANDED, akm("akm_2fe", "y ~ x1 + x2 | worker + firm")),
    akm("akm_3fe", "y ~ x1 + x2 | worker + firm + year"),
    within(&LOOSE_FIXEST, akm("akm_3fe_defaulttol", "y ~ x1 + x2 | worker + firm + year")),
    fixed("event_study_ref_m1", "y ~ i(rel, ref = c(-1, -1000)) + x1 + x2 | unit + year"),
    fixed("event_study_binned", BINNED),
];

/// `ssc(K.adj = FALSE)` still divides the residual sum of squares by n - 1.
const RSS_OVER_N_MINUS_1: Factor = Factor {
    reason: "fixest without K.adj divides by n - 1, ours under `never` by n",
    of: |it| it.n as f64 / (it.n as f64 - 1.0),
};

fn covariance(case: &Case, name: &str) -> Option<Covariance> {
    let unadjusted = case.rules.sample == SampleScale::Never;
    match name {
        "iid" if unadjusted => return scaled("iid", case.rules, RSS_OVER_N_MINUS_1),
        "iid" => return ours("iid", case.rules),
        "HC1" => return ours("hc1", case.rules),
        "threeway" => return repaired("cluster:worker+firm+year", case.rules, Repair::Fixest),
        "NW_lag2" | "DK_lag2" | "DK_default" => return not_covered(SERIAL),
        "conley_200km" | "conley_500km_triangular" => return not_covered(SPATIAL),
        _ => {}
    }
    let columns = name.strip_prefix("cluster_").or_else(|| name.strip_prefix("twoway_"))?;
    repaired(format!("cluster:{}", columns.replace('_', "+")), case.rules, Repair::Fixest)
}

fn stat(case: &Case, name: &str) -> Option<Statistic> {
    let iid = |get| statistic("iid", case.rules, get);
    match name {
        "stats.r2" => iid(|it| it.stats.get("r2")),
        "stats.ar2" => iid(|it| it.stats.get("r2_adjusted")),
        "stats.wr2" => iid(|it| it.stats.get("r2_within")),
        "stats.war2" => iid(|it| it.stats.get("r2_within_adjusted")),
        "stats.rmse" => iid(|it| it.stats.get("rmse")),
        "stats.g" => iid(|it| it.stats.get("df_residual")),
        "stats.wf.stat" => iid(|it| it.stats.get("wald_f")),
        "stats.wf.p" => iid(|it| it.stats.get("wald_f_p")),
        "stats.wf.df1" => iid(|it| it.stats.get("wald_f_df1")),
        "stats.wf.df2" => iid(|it| it.stats.get("wald_f_df2")),
        "stats.f.stat" if !has_effects(case) => iid(|it| it.stats.get("wald_f")),
        "stats.f.p" if !has_effects(case) => iid(|it| it.stats.get("wald_f_p")),
        "stats.f.df1" if !has_effects(case) => iid(|it| it.stats.get("wald_f_df1")),
        "stats.f.df2" if !has_effects(case) => iid(|it| it.stats.get("wald_f_df2")),
        "stats.f.stat" | "stats.f.p" | "stats.f.df1" | "stats.f.df2" => {
            not_compared("fixest's F tests the effects too; ours tests the regressors")
        }
        "stats.ll" | "stats.aic" | "stats.bic" => {
            not_compared("likelihood and information criteria are not reported")
        }
        "stats.my" => not_compared("the mean of the outcome is not a statistic of an estimate"),
        "extra.wald_pre_iid.stat" => iid(|it| pre_trend(it).map(|it| it.0)),
        "extra.wald_pre_iid.p" => iid(|it| pre_trend(it).map(|it| it.1)),
        "extra.wald_pre_iid.df1" => iid(|it| pre_trend(it).map(|it| it.2)),
        "extra.wald_pre_iid.df2" => iid(|it| Some(it.vcov.arithmetic.t_df)),
        _ => {
            let unit = |get| statistic("cluster:unit", case.rules, get);
            match name.strip_prefix("extra.wald_pre_cluster_unit.")? {
                "stat" => unit(|it| pre_trend(it).map(|it| it.0)),
                "p" => unit(|it| pre_trend(it).map(|it| it.1)),
                "df1" => unit(|it| pre_trend(it).map(|it| it.2)),
                "df2" => unit(|it| Some(it.vcov.arithmetic.t_df)),
                _ => None,
            }
        }
    }
}

fn has_effects(case: &Case) -> bool {
    case.request.estimator == "fixed-effects"
}

/// F statistic, p-value and numerator degrees of freedom of all leads before -1.
fn pre_trend(estimate: &Estimate) -> Option<(f64, f64, f64)> {
    let leads: Vec<usize> = (0..estimate.terms.len())
        .filter(|&it| estimate.terms[it].to_string().starts_with("rel::-"))
        .collect();
    let (chi2, rank, _) = wald(&estimate.coef, estimate.vcov.matrix.as_ref(), &leads).ok()?;
    let (f, df1) = (chi2 / rank as f64, rank as f64);
    Some((f, f_upper(f, df1, estimate.vcov.arithmetic.t_df), df1))
}

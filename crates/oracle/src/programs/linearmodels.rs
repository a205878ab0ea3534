//! Python linearmodels: pooled, within, between, first-difference and random-effects estimators.

use parallax_model::{
    SmallSample,
    vcov::{ClusterScale, EffectCount, EffectDof, SampleScale},
};

use super::{
    Case, Covariance, Factor, PValue, Program, SERIAL, Statistic, not_compared, not_covered, ours, rules,
    scaled, statistic, term,
};
use crate::{
    DataSet, Request,
    data::{AKM, GRUNFELD, PANEL_BAL, PANEL_UNBAL},
    tolerances::{CLOSED_FORM, ITERATED, NEAR_BANDED},
};

/// The file of linearmodels.
pub const PROGRAM: Program = Program {
    file: "linearmodels.json",
    cases: CASES,
    not_covered: &[
        ("*__lm_famamacbeth", "Fama-MacBeth regressions are not built"),
        ("panel_bal__lm_IV*", "instruments belong to a later issue"),
    ],
    covariance,
    statistic: stat,
    term,
    p_value: PValue::ResidualT,
    names_dropped: false,
};

/// Effects count, unless the only one is nested in the clusters; then one level stands for the constant.
const COUNTED: SmallSample =
    rules(SampleScale::All, EffectDof::Full, EffectCount::Levels, ClusterScale::None);
const NESTED: SmallSample = SmallSample { effects: EffectDof::NonNested, ..COUNTED };
const BALTAGI_CHANG: &[(&str, &str)] = &[("variance", "baltagi-chang")];
const CONSTANT: &[(&str, &str)] = &[("constant", "true")];
const BY_ROWS: &[(&str, &str)] = &[("weigh", "by-rows")];

const fn case(id: &'static str, data: DataSet, estimator: &'static str, formula: &'static str) -> Case {
    Case::new(id, Request::new(data, estimator, formula).keep(), &CLOSED_FORM).rules(COUNTED)
}

const fn iterated(mut case: Case) -> Case {
    case.tolerance = &ITERATED;
    case
}

const fn near_banded(mut case: Case) -> Case {
    case.tolerance = &NEAR_BANDED;
    case
}

const fn with(mut case: Case, options: &'static [(&'static str, &'static str)]) -> Case {
    case.request = case.request.options(options);
    case
}

const BAL: &str = "y ~ treat + x1 + x2 + xinv";
const UNBAL: &str = "y ~ treat + x1 + x2 + x3";
const GRUN: &str = "invest ~ value + capital";

const CASES: &[Case] = &[
    case("panel_bal__lm_pooled", PANEL_BAL, "pooled-ols", BAL),
    with(
        case("panel_bal__lm_entity", PANEL_BAL, "fixed-effects", "y ~ treat + x1 + x2 + xinv | unit"),
        CONSTANT,
    ),
    with(
        case("panel_bal__lm_time", PANEL_BAL, "fixed-effects", "y ~ treat + x1 + x2 + xinv | year"),
        CONSTANT,
    ),
    with(
        case("panel_bal__lm_twoways", PANEL_BAL, "fixed-effects", "y ~ treat + x1 + x2 + xinv | unit + year"),
        CONSTANT,
    ),
    case("panel_bal__lm_random", PANEL_BAL, "random-effects", BAL),
    with(case("panel_bal__lm_random_small_sample", PANEL_BAL, "random-effects", BAL), BALTAGI_CHANG),
    case("panel_bal__lm_between", PANEL_BAL, "between", BAL),
    with(case("panel_bal__lm_between_reweight", PANEL_BAL, "between", BAL), BY_ROWS),
    case("panel_bal__lm_fd", PANEL_BAL, "first-difference", "y ~ 0 + treat + x1 + x2 + xinv"),
    case("panel_unbal__lm_pooled", PANEL_UNBAL, "pooled-ols", UNBAL),
    with(
        case("panel_unbal__lm_entity", PANEL_UNBAL, "fixed-effects", "y ~ treat + x1 + x2 + x3 | unit"),
        CONSTANT,
    ),
    with(
        case("panel_unbal__lm_time", PANEL_UNBAL, "fixed-effects", "y ~ treat + x1 + x2 + x3 | year"),
        CONSTANT,
    ),
    with(
        case(
            "panel_unbal__lm_twoways",
            PANEL_UNBAL,
            "fixed-effects",
            "y ~ treat + x1 + x2 + x3 | unit + year",
        ),
        CONSTANT,
    ),
    case("panel_unbal__lm_random", PANEL_UNBAL, "random-effects", UNBAL),
    with(case("panel_unbal__lm_random_small_sample", PANEL_UNBAL, "random-effects", UNBAL), BALTAGI_CHANG),
    case("panel_unbal__lm_between", PANEL_UNBAL, "between", UNBAL),
    with(case("panel_unbal__lm_between_reweight", PANEL_UNBAL, "between", UNBAL), BY_ROWS),
    case("panel_unbal__lm_fd", PANEL_UNBAL, "first-difference", "y ~ 0 + treat + x1 + x2 + x3"),
    case("real_grunfeld__lm_pooled", GRUNFELD, "pooled-ols", GRUN),
    with(
        case("real_grunfeld__lm_entity", GRUNFELD, "fixed-effects", "invest ~ value + capital | firm"),
        CONSTANT,
    ),
    with(
        case("real_grunfeld__lm_time", GRUNFELD, "fixed-effects", "invest ~ value + capital | year"),
        CONSTANT,
    ),
    with(
        case(
            "real_grunfeld__lm_twoways",
            GRUNFELD,
            "fixed-effects",
            "invest ~ value + capital | firm + year",
        ),
        CONSTANT,
    ),
    case("real_grunfeld__lm_random", GRUNFELD, "random-effects", GRUN),
    with(case("real_grunfeld__lm_random_small_sample", GRUNFELD, "random-effects", GRUN), BALTAGI_CHANG),
    case("real_grunfeld__lm_between", GRUNFELD, "between", GRUN),
    with(case("real_grunfeld__lm_between_reweight", GRUNFELD, "between", GRUN), BY_ROWS),
    case("real_grunfeld__lm_fd", GRUNFELD, "first-difference", "invest ~ 0 + value + capital"),
    weighted("panel_bal__lm_twoways_weighted", "y ~ treat + x1 + x2 | unit + year"),
    near_banded(case("akm__lm_absorbing_3fe", AKM, "fixed-effects", "y ~ x1 + x2 | worker + firm + year")),
];

const fn weighted(id: &'static str, formula: &'static str) -> Case {
    let mut it = iterated(case(id, PANEL_BAL, "fixed-effects", formula));
    it.request = it.request.weights("w");
    it
}

const N_OVER_N_MINUS_1: Factor = Factor {
    reason: "linearmodels scales clustered variances by n / (n - k), ours by (n - 1) / (n - k)",
    of: |it| it.n as f64 / (it.n as f64 - 1.0),
};

fn covariance(case: &Case, name: &str) -> Option<Covariance> {
    let (unit, time) = match case.request.data {
        DataSet::Open(_, unit, time) | DataSet::PrivatePanel(_, unit, time) => (unit, time),
        _ => return None,
    };
    let clustered = |columns: String| {
        let rules = if effect_is_nested(case, &columns) { NESTED } else { COUNTED };
        scaled(format!("cluster:{columns}"), rules, N_OVER_N_MINUS_1)
    };
    match name {
        "unadjusted" => ours("iid", COUNTED),
        "robust" => ours("hc1", COUNTED),
        "clustered_entity" => clustered(unit.to_owned()),
        "clustered_time" => clustered(time.to_owned()),
        "clustered_both" => clustered(format!("{unit}+{time}")).map(|it| without_constant(case, it)),
        "clustered_province" => clustered("province".to_owned()),
        "clustered_worker" => {
            ours("cluster:worker", SmallSample { clusters: ClusterScale::Smallest, ..COUNTED })
        }
        "clustered_entity_group_debias" => {
            let rules = if effect_is_nested(case, unit) { NESTED } else { COUNTED };
            ours(format!("cluster:{unit}"), SmallSample { clusters: ClusterScale::Smallest, ..rules })
        }
        "driscoll_kraay_bw2" | "driscoll_kraay_auto" => not_covered(SERIAL),
        _ => None,
    }
}

/// The variance of the constant may be negative, and slopes are the same without it.
fn without_constant(case: &Case, covariance: Covariance) -> Covariance {
    match covariance {
        Covariance::Ours(mut it) if case.request.estimator == "fixed-effects" => {
            it.without_options = Some(
                "with the constant among the terms the two-way matrix is not positive semi-definite; slopes are compared \
                 without it",
            );
            Covariance::Ours(it)
        }
        it => it,
    }
}

/// linearmodels does not count a single effect that is nested in the clusters.
fn effect_is_nested(case: &Case, columns: &str) -> bool {
    let effect = case.request.formula.split('|').nth(1).map(str::trim);
    match (effect, columns) {
        (Some("unit"), "province") => true,
        (Some(effect), columns) => effect == columns,
        (None, _) => false,
    }
}

const OTHER_R2: &str = "linearmodels defines within, between and overall R-squared as 1 - RSS/TSS of that \
                        transformation; ours are squared correlations as in Stata";

fn stat(case: &Case, name: &str) -> Option<Statistic> {
    let iid = |get| statistic("iid", case.rules, get);
    let estimator = case.request.estimator;
    match (name, estimator) {
        ("rsquared.r2", "fixed-effects") => iid(|it| it.stats.get("r2_within")),
        ("rsquared.within", "fixed-effects") if effect_is_nested(case, unit(case)) => {
            iid(|it| it.stats.get("r2_within"))
        }
        ("rsquared.r2" | "rsquared.overall", "pooled-ols") => iid(|it| it.stats.get("r2")),
        ("rsquared.r2" | "rsquared.between", "between") if case.request.options.is_empty() => {
            iid(|it| it.stats.get("r2"))
        }
        ("rsquared.r2", "between" | "first-difference") => iid(|it| it.stats.get("r2")),
        ("rsquared.r2", "random-effects") => {
            not_compared("R-squared of the quasi-demeaned regression is not reported")
        }
        ("rsquared.within" | "rsquared.between" | "rsquared.overall", _) => not_compared(OTHER_R2),
        ("df_resid", _) => iid(|it| Some(it.vcov.arithmetic.residual_df as f64)),
        ("theta.min", _) => iid(|it| it.stats.get("theta_min")),
        ("theta.max", _) => iid(|it| it.stats.get("theta_max")),
        ("variance_decomposition.Effects", _) => iid(|it| it.stats.get("sigma_u").map(|it| it * it)),
        ("variance_decomposition.Residual", _) => iid(|it| it.stats.get("sigma_e").map(|it| it * it)),
        ("variance_decomposition.Percent due to Effects", _) => iid(|it| it.stats.get("rho")),
        _ if name.starts_with("f_pooled.") => not_compared("the F test of the effects is not reported"),
        ("f_statistic.unadjusted.stat", "fixed-effects" | "pooled-ols") => iid(|it| it.stats.get("wald_f")),
        ("f_statistic.unadjusted.p", "fixed-effects" | "pooled-ols") => iid(|it| it.stats.get("wald_f_p")),
        _ if name.starts_with("f_statistic.") => not_compared(
            "linearmodels repeats the F statistic of unadjusted errors for every covariance; \
             it is compared once, where we report an F statistic",
        ),
        _ => None,
    }
}

fn unit(case: &Case) -> &'static str {
    match case.request.data {
        DataSet::Open(_, unit, _) | DataSet::PrivatePanel(_, unit, _) => unit,
        _ => "",
    }
}

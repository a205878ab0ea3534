//! statsmodels: ordinary least squares.

use parallax_model::{
    SmallSample,
    vcov::{ClusterScale, EffectCount, EffectDof, SampleScale},
};

use super::{
    Case, Covariance, PValue, Program, SERIAL, Statistic, not_compared, not_covered, ours, rules, statistic,
    term,
};
use crate::{Request, data::PANEL_BAL, tolerances::CLOSED_FORM};

const GLM: &str = "generalised linear models belong to a later issue";

/// The file of statsmodels.
pub const PROGRAM: Program = Program {
    file: "statsmodels.json",
    cases: &[Case::new(
        "panel_bal__sm_ols",
        Request::new(PANEL_BAL, "pooled-ols", "y ~ treat + x1 + x2"),
        &CLOSED_FORM,
    )],
    not_covered: &[
        ("psm__sm_*", GLM),
        ("panel_bal__sm_poisson", "compared in tests/did/poisson.rs"),
        ("panel_bal__sm_mle_random_effects", "random effects by maximum likelihood are not built"),
    ],
    covariance,
    statistic: stat,
    term,
    p_value: PValue::OwnRounded,
    names_dropped: false,
};

/// Two-way clusters scale each term by its own number of groups.
const EACH: SmallSample = rules(SampleScale::All, EffectDof::Full, EffectCount::Levels, ClusterScale::Each);

fn covariance(case: &Case, name: &str) -> Option<Covariance> {
    match name {
        "nonrobust" => ours("iid", case.rules),
        "HC0" => ours("hc0", case.rules),
        "HC1" => ours("hc1", case.rules),
        "HC2" => ours("hc2", case.rules),
        "HC3" => ours("hc3", case.rules),
        "cluster_unit" => ours("cluster:unit", case.rules),
        "cluster_province" => ours("cluster:province", case.rules),
        "twoway_province_year" => ours("cluster:province+year", EACH),
        "hac_panel_lag2" | "nw_groupsum_lag2" => not_covered(SERIAL),
        _ => None,
    }
}

fn stat(case: &Case, name: &str) -> Option<Statistic> {
    match name {
        "stats.r2" => statistic("iid", case.rules, |it| it.stats.get("r2")),
        "stats.r2_adj" => statistic("iid", case.rules, |it| it.stats.get("r2_adjusted")),
        "stats.f" => statistic("iid", case.rules, |it| it.stats.get("wald_f")),
        "stats.aic" | "stats.bic" | "stats.llf" => {
            not_compared("likelihood and information criteria are not reported")
        }
        _ => None,
    }
}

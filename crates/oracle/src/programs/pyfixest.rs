//! pyfixest: fixest's rules in Python.

use super::{Case, Covariance, Factor, JACKKNIFE, PValue, Program, SERIAL, not_covered, ours, scaled, term};
use crate::{
    Request,
    data::{PANEL_BAL, PANEL_UNBAL},
    tolerances::{CLOSED_FORM, ITERATED},
};

/// The file of pyfixest.
pub const PROGRAM: Program = Program {
    file: "pyfixest.json",
    cases: CASES,
    not_covered: &[
        ("panel_bal__pf_iv", "instruments belong to a later issue"),
        ("panel_bal__pf_fepois", "compared in tests/did/poisson.rs"),
        ("panel_bal__pf_event_study_*", "compared in tests/did/sun_abraham.rs"),
        ("panel_bal__pf_lpdid", "compared in tests/did/clean_controls.rs"),
    ],
    covariance,
    statistic: |_, _| None,
    term,
    p_value: PValue::OwnRounded,
    names_dropped: false,
};

const UNBAL: &str = "y ~ treat + x1 + x2 + x3 | unit + year";

const CASES: &[Case] = &[
    Case::new(
        "panel_bal__pf_pooled",
        Request::new(PANEL_BAL, "pooled-ols", "y ~ treat + x1 + x2"),
        &CLOSED_FORM,
    ),
    Case::new(
        "panel_bal__pf_unit",
        Request::new(PANEL_BAL, "fixed-effects", "y ~ treat + x1 + x2 | unit").keep(),
        &ITERATED,
    ),
    Case::new(
        "panel_bal__pf_twfe",
        Request::new(PANEL_BAL, "fixed-effects", "y ~ treat + x1 + x2 | unit + year"),
        &ITERATED,
    ),
    Case::new(
        "panel_bal__pf_twfe_weighted",
        Request::new(PANEL_BAL, "fixed-effects", "y ~ treat + x1 + x2 | unit + year").weights("w"),
        &ITERATED,
    ),
    Case::new(
        "panel_unbal__pf_twfe_keep",
        Request::new(PANEL_UNBAL, "fixed-effects", UNBAL).keep(),
        &ITERATED,
    ),
    Case::new(
        "panel_unbal__pf_twfe_dropsingle",
        Request::new(PANEL_UNBAL, "fixed-effects", UNBAL),
        &ITERATED,
    ),
];

const N_OVER_N_MINUS_K: Factor = Factor {
    reason: "pyfixest multiplies HC2 and HC3 by n / (n - k); sandwich, statsmodels and ours do not",
    of: |it| it.n as f64 / (it.n as f64 - it.k as f64),
};

fn covariance(case: &Case, name: &str) -> Option<Covariance> {
    match name {
        "iid" => ours("iid", case.rules),
        "HC1" => ours("hc1", case.rules),
        "HC2" => scaled("hc2", case.rules, N_OVER_N_MINUS_K),
        "HC3" => scaled("hc3", case.rules, N_OVER_N_MINUS_K),
        "CRV1_unit" => ours("cluster:unit", case.rules),
        "CRV1_province" => ours("cluster:province", case.rules),
        "CRV1_province_year" => ours("cluster:province+year", case.rules),
        "CRV3_unit" | "CRV3_province" => not_covered(JACKKNIFE),
        "NW_lag2" | "DK_lag2" => not_covered(SERIAL),
        _ => None,
    }
}

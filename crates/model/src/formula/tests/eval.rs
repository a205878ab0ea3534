//! Expressions against numbers worked out by hand.

use std::sync::Arc;

use parallax_panel::{Codes, Column, Panel, PanelBuilder};

use crate::formula::Expr;

/// Two units with three years each; unit 2 lacks 2012.
pub(super) fn panel() -> Panel {
    let nan = f64::NAN;
    let text = |it: &[Option<&str>]| Column::Codes(Codes::from_text(it.iter().copied()));
    PanelBuilder::new(6)
        .index(
            "unit".into(),
            Codes::from_reals(&[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]),
            "year".into(),
            vec![2010, 2011, 2012, 2010, 2011, 2013],
        )
        .column("y".into(), Column::real(vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0]))
        .column("x".into(), Column::real(vec![0.0, 1.0, -2.0, nan, 3.0, 0.5]))
        .column("z".into(), Column::real(vec![0.0, 0.0, 1.0, 1.0, nan, nan]))
        .column("城市".into(), text(&[Some("甲"), Some("甲"), Some("乙"), Some("丙"), None, Some("乙")]))
        .column("home".into(), text(&[Some("甲"), Some("丁"), Some("乙"), None, None, Some("甲")]))
        .build()
        .unwrap()
}

/// The values with `-` for missing.
pub(super) fn show(values: &[f64]) -> String {
    let one = |it: &f64| if it.is_nan() { "-".to_owned() } else { it.to_string() };
    values.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn values(text: &str) -> String {
    show(&Expr::parse(text).unwrap().eval(&panel()).unwrap_or_else(|it| panic!("{it}")))
}

fn error(text: &str) -> String {
    Expr::parse(text).unwrap().eval(&panel()).unwrap_err().to_string()
}

#[test]
fn a_bare_column_is_shared() {
    let panel = panel();
    assert!(Arc::ptr_eq(&Expr::parse("y").unwrap().eval(&panel).unwrap(), &panel.real("y").unwrap()));
    let column = panel.real("y").unwrap();
    Expr::parse("-y + y").unwrap().eval(&panel).unwrap();
    assert_eq!(show(&column), "1 2 4 8 16 32");
}

#[test]
fn arithmetic() {
    assert_eq!(values("2*y + x"), "2 5 6 - 35 64.5");
    assert_eq!(values("y - x"), "1 1 6 - 13 31.5");
    assert_eq!(values("1 - y"), "0 -1 -3 -7 -15 -31");
    assert_eq!(values("x/y"), "0 0.5 -0.5 - 0.1875 0.015625");
    assert_eq!(values("x^2"), "0 1 4 - 9 0.25");
    assert_eq!(values("2^-y * 2^y"), "1 1 1 1 1 1");
    assert_eq!(values("-2^2"), "-4 -4 -4 -4 -4 -4");
    assert_eq!(values("year %% 2"), "0 1 0 0 1 1");
    assert_eq!(values("-y %/% 3"), "-1 -1 -2 -3 -6 -11");
    assert_eq!(values("sqrt(y^2) + exp(0) + abs(x)"), "2 4 7 - 20 33.5");
    assert_eq!(values("log(exp(x))"), "0 1 -2 - 3 0.5");
    assert_eq!(values("log10(1000) + log1p(0) + asinh(0) + floor(1.5) + round(2.5)"), "6 6 6 6 6 6");
    assert_eq!(values("pmin(x, 1) + pmax(x, 0, -1)"), "0 2 -2 - 4 1");
}

#[test]
fn what_has_no_value_is_missing() {
    assert_eq!(values("x^0"), "1 1 1 - 1 1");
    assert_eq!(values("z/z"), "- - 1 1 - -");
    assert_eq!(values("sqrt(x)"), "0 1 - - 1.7320508075688772 0.7071067811865476");
    assert_eq!(values("ifelse(x > 0, log(x), NA) > -9"), "- 1 - - 1 1");
    assert_eq!(values("NA"), "- - - - - -");
}

#[test]
fn conditions() {
    assert_eq!(values("x > 0"), "0 1 0 - 1 1");
    assert_eq!(values("x <= 0 & y < 4"), "1 0 0 0 0 0");
    assert_eq!(values("x == 1 | year >= 2012"), "0 1 1 - 0 1");
    assert_eq!(values("!(x != 1)"), "0 1 0 - 0 0");
    assert_eq!(values("z & x"), "0 0 1 - - -");
    assert_eq!(values("z | x"), "0 1 1 1 1 1");
    assert_eq!(values("is_missing(x) | is_missing(城市)"), "0 0 0 1 1 0");
    assert_eq!(values("year %in% c(2010, 2013)"), "1 0 0 1 0 1");
    assert_eq!(values("x %in% 1"), "0 1 0 - 0 0");
    assert_eq!(values("ifelse(z, y, -y)"), "-1 -2 4 8 - -");
    assert_eq!(values("ifelse(TRUE, 1, 2)"), "1 1 1 1 1 1");
}

#[test]
fn text() {
    assert_eq!(values("城市 == '甲'"), "1 1 0 0 - 0");
    assert_eq!(values("'甲' != 城市"), "0 0 1 1 - 1");
    assert_eq!(values("城市 == '无'"), "0 0 0 0 - 0");
    assert_eq!(values("城市 %in% c('甲', '丙')"), "1 1 0 1 - 0");
    assert_eq!(values("城市 == home"), "1 0 1 - - 0");
    assert_eq!(values("城市 != home"), "0 1 0 - - 1");
    assert_eq!(values("'a' == 'b'"), "0 0 0 0 0 0");
    assert_eq!(values("unit == 2"), "0 0 0 1 1 1");
}

#[test]
fn time() {
    assert_eq!(values("l(y)"), "- 1 2 - 8 -");
    assert_eq!(values("l(y, 2)"), "- - 1 - - 16");
    assert_eq!(values("f(y, 1)"), "2 4 - 16 - -");
    assert_eq!(values("d(y)"), "- 1 2 - 8 -");
    assert_eq!(values("l(y, -1)"), "2 4 - 16 - -");
    assert_eq!(values("d(l(y)) + 1"), "- - 2 - - -");
    let plain = PanelBuilder::new(1).column("y".into(), Column::real(vec![1.0])).build().unwrap();
    assert_eq!(
        Expr::parse("l(y)").unwrap().eval(&plain).unwrap_err().to_string(),
        "a lag needs to know units and periods: say --unit and --time (or `unit` and `time` in the study file)"
    );
}

#[test]
fn infinite_values_are_refused_with_their_place() {
    assert_eq!(
        error("I(1/x)"),
        "`I(1/x)` is infinite for unit 1, year 2010; infinite values cannot enter a model, so make them missing \
         first, for example with ifelse(..., NA, ...)"
    );
    assert!(error("log(z)").starts_with("`log(z)` is infinite for unit 1, year 2010;"));
    assert!(error("exp(1000 * y)").contains("infinite"));
}

#[test]
fn wrong_kinds() {
    assert_eq!(error("xx"), "no column `xx` in the data, did you mean `x`?");
    assert!(error("城市 + 1").starts_with("column `城市` holds text, not numbers"));
    assert_eq!(error("y + 'a'"), "`\"a\"` is text, not numbers");
    assert_eq!(
        error("year == '2011'"),
        "`year == \"2011\"` compares numbers with text; text is written in quotes and numbers without"
    );
    assert_eq!(
        error("城市 %in% c(1)"),
        "`城市 %in% c(1)` compares text with numbers; text is written in quotes and numbers without"
    );
    assert_eq!(
        error("城市 < '甲'"),
        "`城市 < \"甲\"` compares text with text; text can only be equal or not"
    );
}

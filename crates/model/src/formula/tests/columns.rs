//! The columns of a model.

use parallax_panel::{Codes, Column, Panel, PanelBuilder};

use super::eval::{panel, show};
use crate::formula::{Formula, ModelColumns, NamedColumn};

fn model(text: &str) -> ModelColumns {
    Formula::parse(text).unwrap().columns(&panel(), None).unwrap_or_else(|it| panic!("{it}"))
}

fn listed(columns: &[NamedColumn]) -> Vec<String> {
    columns.iter().map(|it| format!("{} [{}] {}", it.name, it.term, show(&it.values))).collect()
}

fn regressors(text: &str) -> Vec<String> {
    listed(&model(text).regressors)
}

fn names(text: &str) -> Vec<String> {
    model(text).regressors.iter().map(|it| it.name.to_string()).collect()
}

fn error(text: &str) -> String {
    Formula::parse(text).unwrap().columns(&panel(), None).unwrap_err().to_string()
}

#[test]
fn numbers_and_products() {
    assert_eq!(regressors("y ~ x + x:y"), ["x [0] 0 1 -2 - 3 0.5", "x:y [1] 0 2 -8 - 48 16"]);
    assert_eq!(names("y ~ x^2 + l(y, 1:2)"), ["I(x^2)", "l(y, 1)", "l(y, 2)"]);
}

#[test]
fn the_intercept_is_absorbed_by_effects() {
    assert!(model("y ~ x").intercept);
    assert!(!model("y ~ 0 + x").intercept);
    assert!(!model("y ~ x | unit").intercept);
    assert!(model("y ~ x | 0").intercept);
}

#[test]
fn levels_become_columns() {
    assert_eq!(
        regressors("y ~ i(year, ref = 2011)"),
        ["year::2010 [0] 1 0 0 1 0 0", "year::2012 [0] 0 0 1 0 0 0", "year::2013 [0] 0 0 0 0 0 1"]
    );
    assert_eq!(names("y ~ i(year, ref = c(2010, 2013))"), ["year::2011", "year::2012"]);
    assert_eq!(names("y ~ i(year)"), ["year::2011", "year::2012", "year::2013"]);
    assert_eq!(names("y ~ 0 + i(year)").len(), 4);
    assert_eq!(names("y ~ 0 + i(year) | unit").len(), 3);
    assert_eq!(names("y ~ 0 + i(z) + i(year)"), ["z::0", "z::1", "year::2011", "year::2012", "year::2013"]);
}

#[test]
fn levels_with_a_variable() {
    assert_eq!(regressors("y ~ i(z, x)"), ["z::0:x [0] 0 1 0 - - -", "z::1:x [0] 0 0 -2 - - -"]);
    assert_eq!(names("y ~ i(z, x, ref = 0)"), ["z::1:x"]);
    assert_eq!(names("y ~ i(z):x"), ["z::0:x", "z::1:x"]);
    // With x itself in the model the lowest level is the reference, as for R's z:x.
    assert_eq!(names("y ~ x + i(z):x"), ["x", "z::1:x"]);
    assert_eq!(names("y ~ i(z, y + 1)"), ["z::0:y + 1", "z::1:y + 1"]);
    assert_eq!(names("y ~ i(ifelse(y > 4, 1, -1.5), ref = 1)"), ["ifelse(y > 4, 1, -1.5)::-1.5"]);
}

#[test]
fn text_is_a_factor() {
    assert_eq!(regressors("y ~ 城市"), ["城市::乙 [0] 0 0 1 0 - 1", "城市::甲 [0] 1 1 0 0 - 0"]);
    assert_eq!(names("y ~ 城市:x"), ["城市::丙:x", "城市::乙:x", "城市::甲:x"]);
    assert_eq!(names("y ~ i(z, home)").len(), 2 * 3);
    assert_eq!(names("y ~ i(城市, ref = '甲')"), ["城市::丙", "城市::乙"]);
    assert!(error("城市 ~ x").starts_with("column `城市` holds text"));
    let formula = |text: &str| Formula::parse(text).unwrap().has_factors(&panel());
    assert!(formula("y ~ 城市:x") && formula("y ~ i(z)") && !formula("y ~ x + l(z)"));
}

#[test]
fn levels_come_from_the_rows_of_the_sample() {
    let some = |text: &str, rows: &[u32]| {
        let columns = Formula::parse(text).unwrap().columns(&panel(), Some(rows)).unwrap();
        columns.regressors.iter().map(|it| it.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(some("y ~ i(year)", &[1, 2, 4, 99]), ["year::2012"]);
    assert_eq!(some("y ~ i(year, ref = 2011)", &[1, 2, 4]), ["year::2012"]);
    // Another level would be the reference where the sample lacks the one that is named.
    let formula = Formula::parse("y ~ i(year, ref = 2010)").unwrap();
    let said = formula.columns(&panel(), Some(&[1, 2, 4])).unwrap_err().to_string();
    assert!(said.contains("its values there are 2011, 2012"), "{said}");
}

#[test]
fn factors_cross_with_the_first_varying_fastest() {
    assert_eq!(
        names("y ~ i(z):城市"),
        [
            "z::0:城市::丙",
            "z::1:城市::丙",
            "z::0:城市::乙",
            "z::1:城市::乙",
            "z::0:城市::甲",
            "z::1:城市::甲"
        ]
    );
    assert_eq!(names("y ~ i(z)*城市"), ["z::1", "城市::乙", "城市::甲", "z::1:城市::乙", "z::1:城市::甲"]);
}

#[test]
fn effects_and_instruments() {
    let model = model("log(y) ~ x | unit + unit^year | d(x) ~ z + l(z)");
    assert_eq!(model.outcome.name.as_str(), "log(y)");
    let effects: Vec<_> = model.effects.iter().map(|it| (it.name.as_str(), it.codes.n_groups())).collect();
    assert_eq!(effects, [("unit", 2), ("unit^year", 6)]);
    assert_eq!(listed(&model.endogenous), ["d(x) [0] - 1 -3 - - -"]);
    assert_eq!(listed(&model.instruments), ["z [0] 0 0 1 1 - -", "l(z) [1] - 0 0 - 1 -"]);
}

#[test]
fn what_cannot_become_columns() {
    assert_eq!(
        error("y ~ i(year, ref = 2009)"),
        "`2009` in `i(year, ref = 2009)` is not a value of `year`; its values are 2010, 2011, 2012, 2013"
    );
    assert_eq!(
        error("y ~ i(城市, ref = '戊')"),
        "`\"戊\"` in `i(城市, ref = \"戊\")` is not a value of `城市`; its values are 丙, 乙, 甲"
    );
    assert_eq!(
        error("y ~ i(z, ref = c(0, 1))"),
        "`i(z, ref = c(0, 1))` makes no column: the reference is left out, and beside it `z` has no value here (values: 2); \
         take it out of the formula"
    );
    assert_eq!(
        error("y ~ x | cty"),
        "no column `cty` in the data; there is `unit`, `year`, `y`, `x`, `z`, `城市`, `home`"
    );
}

/// A panel of `n` rows with a column of text.
fn with_text(texts: &[String]) -> Panel {
    let n = texts.len();
    PanelBuilder::new(n)
        .column("y".into(), Column::real((0..n).map(|it| it as f64).collect()))
        .column("x".into(), Column::real((0..n).map(|it| (it * it) as f64).collect()))
        .column("g".into(), Column::Codes(Codes::from_text(texts.iter().map(|it| Some(it.as_str())))))
        .column("id".into(), Column::real((0..n).map(|it| (it / 2) as f64).collect()))
        .build()
        .unwrap()
}

fn refusal(formula: &str, texts: &[String]) -> String {
    Formula::parse(formula).unwrap().columns(&with_text(texts), None).unwrap_err().to_string()
}

#[test]
fn text_that_looks_like_numbers_is_refused_and_says_what_it_looks_like() {
    let texts: Vec<String> = (0..30).map(|it| format!("{},{:03}", it + 1, 12)).collect();
    for formula in ["y ~ x + g", "y ~ g:x", "y ~ 0 + g | id", "y ~ 1 | id | x ~ g", "y ~ i(id, g)"] {
        let text = refusal(formula, &texts);
        assert!(
            text.starts_with("`g` is text, not numbers, for instance `1,012` (row 1)"),
            "{formula}: {text}"
        );
        assert!(
            text.contains("1012 or 1.012") && text.ends_with("or write i(g) if its values are categories"),
            "{text}"
        );
    }
    let asked = Formula::parse("y ~ i(g)").unwrap().columns(&with_text(&texts), None).unwrap();
    assert_eq!(asked.regressors.len(), 29);
    assert!(Formula::parse("y ~ x | g").unwrap().columns(&with_text(&texts), None).is_ok());
}

#[test]
fn text_of_many_values_needs_a_word_and_text_of_few_leaves_a_note() {
    let names = |levels: usize| (0..3700).map(|it| format!("city {}", it % levels)).collect::<Vec<_>>();
    let started = std::time::Instant::now();
    let text = refusal("y ~ x + g", &names(3631));
    assert!(started.elapsed().as_secs() < 5, "levels are counted before columns are made");
    assert!(text.starts_with("`g` is text with 3631 values, for instance `city 0`;"), "{text}");
    assert!(text.contains("(`| g`)") && text.contains("i(g)"), "{text}");
    assert!(refusal("y ~ x + g", &names(21)).contains("21 values"));
    let formula = Formula::parse("y ~ x + g + g:x").unwrap();
    assert!(formula.columns(&with_text(&names(20)), None).is_ok());
    let notes: Vec<String> =
        formula.text_notes(&with_text(&names(20))).iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        ["`g` is text with 20 values, for instance `city 0`, and was made into dummies; i(g) says the same"]
    );
    assert!(Formula::parse("y ~ x + i(g) | g").unwrap().text_notes(&with_text(&names(20))).is_empty());
}

#[test]
fn factors_that_would_run_for_minutes_are_refused_at_once() {
    let texts = vec!["a".to_owned(); 8000];
    let started = std::time::Instant::now();
    assert_eq!(
        refusal("y ~ i(id)", &texts),
        "`i(id)` would make 3999 columns of 8000 rows; absorb it as an effect instead (`| id`)"
    );
    assert!(refusal("y ~ i(id, x)", &texts).ends_with("or interact fewer levels"));
    assert!(started.elapsed().as_secs() < 5, "levels are counted before columns are made");
    // Two factors share one bound.
    let half = vec!["a".to_owned(); 2400];
    let panel = with_text(&half);
    let columns = |text: &str| Formula::parse(text).unwrap().columns(&panel, None);
    assert_eq!(columns("y ~ i(id)").unwrap().regressors.len(), 1199);
    assert!(columns("y ~ i(id) + i(id, x)").is_err());
}

//! Parsing, printing and messages. Evaluation, columns and random texts have files of their own.

mod columns;
mod eval;
mod random;

use super::*;

/// The canonical text of a formula, which must parse to the same formula.
fn canonical(text: &str) -> String {
    let formula = Formula::parse(text).unwrap_or_else(|it| panic!("{it}"));
    let printed = formula.to_string();
    assert_eq!(Formula::parse(&printed).unwrap_or_else(|it| panic!("{it}")), formula, "{printed}");
    printed
}

fn names(text: &str) -> Vec<String> {
    let formula = Formula::parse(text).unwrap_or_else(|it| panic!("{it}"));
    formula.regressors.iter().map(|it| it.name().to_string()).collect()
}

fn error(text: &str) -> String {
    Formula::parse(text).unwrap_err().to_string()
}

/// The message without the drawing.
fn message(text: &str) -> String {
    error(text).lines().next().unwrap().to_owned()
}

#[test]
fn coefficients_are_spelled_as_fixest_does() {
    assert_eq!(
        names("log(x3) ~ treat + x1 + x1^2 + x1:x4 | unit + year"),
        ["treat", "x1", "I(x1^2)", "x1:x4"]
    );
    assert_eq!(names("y ~ l(y,1)+x1+f( x2, 1 ) + d(x3)"), ["l(y, 1)", "x1", "f(x2, 1)", "d(x3)"]);
    assert_eq!(names("y ~ treat + I(2*x1 + x2)"), ["treat", "I(2 * x1 + x2)"]);
    let binned = "pmax(pmin(ifelse(rel == -1000, -1000, rel), 5), ifelse(rel == -1000, -1000, -4))";
    let formula = Formula::parse(&format!("y ~ i({binned}, ref = c(-1, -1000)) + x1 | unit + year")).unwrap();
    let Part::Factor(factor) = &formula.regressors[0].parts[0] else { panic!("a factor") };
    assert_eq!(factor.variable.name().as_str(), binned);
    assert_eq!(factor.reference, [Level::Number(-1.0), Level::Number(-1000.0)]);
}

#[test]
fn terms_are_unique_and_main_effects_come_first() {
    assert_eq!(canonical("y~a*b+c"), "y ~ a + b + c + a:b");
    assert_eq!(canonical("y ~ a:b + b:a + a + a"), "y ~ a + a:b");
    assert_eq!(canonical("y ~ (a+b):c"), "y ~ a:c + b:c");
    assert_eq!(canonical("y ~ a*b*c"), "y ~ a + b + c + a:b + a:c + b:c + a:b:c");
    assert_eq!(canonical("y ~ (a + b + c) - b"), "y ~ a + c");
    assert_eq!(canonical("y ~ a*b - a:b"), "y ~ a + b");
    assert_eq!(canonical("y ~ a:a"), "y ~ a");
}

#[test]
fn the_last_word_on_the_intercept_counts() {
    assert_eq!(canonical("y ~ 1"), "y ~ 1");
    assert_eq!(canonical("y ~ 1 + x"), "y ~ x");
    assert_eq!(canonical("y ~ 0 + x"), "y ~ 0 + x");
    assert_eq!(canonical("y ~ x - 1"), "y ~ 0 + x");
    assert_eq!(canonical("y ~ -1 + x"), "y ~ 0 + x");
    assert_eq!(canonical("y ~ x - 1 + 1"), "y ~ x");
    assert_eq!(canonical("y ~ x - 0"), "y ~ x");
    assert_eq!(canonical("y ~ 0"), "y ~ 0");
    assert_eq!(canonical("y ~ +x"), "y ~ x");
}

#[test]
fn lags_expand() {
    assert_eq!(canonical("y ~ l(x,1:2)"), "y ~ l(x, 1) + l(x, 2)");
    assert_eq!(canonical("y ~ l(x, -1:1)"), "y ~ f(x, 1) + x + l(x, 1)");
    assert_eq!(canonical("y ~ l(x + z, 0)"), "y ~ I(x + z)");
    assert_eq!(canonical("y ~ f(x, c(1, 3)):z"), "y ~ f(x, 1):z + f(x, 3):z");
    assert_eq!(canonical("y ~ l(x) + d(log(x), 2)"), "y ~ l(x) + d(log(x), 2)");
    assert_eq!(canonical("d(y) ~ I(l(x, 2) / 2)"), "d(y) ~ I(l(x, 2)/2)");
}

#[test]
fn factors_and_their_aliases() {
    assert_eq!(canonical("y ~ factor(year)"), "y ~ i(year)");
    assert_eq!(canonical("y ~ i(year,ref=2011)"), "y ~ i(year, ref = 2011)");
    assert_eq!(canonical("y ~ i(year, x, ref=c(-1,'a b'))"), "y ~ i(year, x, ref = c(-1, \"a b\"))");
    assert_eq!(canonical("y ~ i(year):x"), "y ~ i(year):x");
}

#[test]
fn parts_after_the_bar() {
    assert_eq!(canonical("y ~ x | city+year"), "y ~ x | city + year");
    assert_eq!(canonical("y ~ x | province ^ year + city + year^province"), "y ~ x | province^year + city");
    assert_eq!(canonical("y ~ x | 0"), "y ~ x");
    assert_eq!(canonical("y ~ 1 | city | d ~ z1 + z2"), "y ~ 1 | city | d ~ z1 + z2");
    assert_eq!(canonical("y ~ x | d ~ z"), "y ~ x | d ~ z");
    assert_eq!(canonical("y ~ x | 0 | d ~ z"), "y ~ x | d ~ z");
    assert_eq!(canonical("y ~ I(a | b)"), "y ~ I(a | b)");
    let formula = Formula::parse("log(y) ~ x:l(w) | a^b + c | d ~ i(z, q)").unwrap();
    assert_eq!(formula.variables(), ["y", "x", "w", "d", "z", "q", "a", "b", "c"].map(Name::from));
    assert_eq!(formula.effects[0].name().as_str(), "a^b");
    assert_eq!(formula.outcome_name().as_str(), "log(y)");
}

#[test]
fn odd_names_go_in_back_ticks() {
    assert_eq!(
        canonical("财政韧性 ~ 试点 + 人均GDP | 城市 + 年份"),
        "财政韧性 ~ 试点 + 人均GDP | 城市 + 年份"
    );
    assert_eq!(canonical("`y 1` ~ `x`"), "`y 1` ~ x");
    assert_eq!(
        canonical("y ~ `TRUE` + `2011年` + x.1 + `.5` | `a^b`"),
        "y ~ `TRUE` + `2011年` + x.1 + `.5` | `a^b`"
    );
    assert_eq!(canonical(r"y ~ `a\`b`"), r"y ~ `a\`b`");
    assert_eq!(names("y ~ `a b` + `a b`:x"), ["a b", "`a b`:x"]);
}

#[test]
fn arithmetic_is_printed_as_r_prints_it() {
    let printed = |text: &str| {
        let expr = Expr::parse(text).unwrap_or_else(|it| panic!("{it}"));
        assert_eq!(Expr::parse(&expr.to_string()).unwrap(), expr);
        expr.to_string()
    };
    assert_eq!(printed("a+b*c/d^2"), "a + b * c/d^2");
    assert_eq!(printed("-(a-b)*-c"), "-(a - b) * -c");
    assert_eq!(printed("!a==1&b|c"), "!a == 1 & b | c");
    assert_eq!(printed("x%in%c(1,2)"), "x %in% c(1, 2)");
    assert_eq!(printed("city != 'x'"), "city != \"x\"");
    assert_eq!(printed("is.na( x )||TRUE"), "is_missing(x) | 1");
    assert_eq!(printed("year%%2+1e-7+1e20+2L"), "year%%2 + 1e-7 + 1e20 + 2".replace("%%", " %% "));
    assert_eq!(printed("a >= 1\n & b <= .5"), "a >= 1 & b <= 0.5");
}

#[test]
fn precedence_is_that_of_r() {
    let same = |text: &str, grouped: &str| {
        let strip = |it: &Expr| format!("{it:?}").replace("Group(", "(").replace(['(', ')'], "");
        let (a, b) = (Expr::parse(text).unwrap(), Expr::parse(grouped).unwrap());
        assert_eq!(strip(&a), strip(&b), "{text}");
    };
    same("-a^2", "-(a^2)");
    same("a^b^c", "a^(b^c)");
    same("a - b - c", "(a - b) - c");
    same("!a & b", "(!a) & b");
    same("a | b & c == d + e", "a | (b & (c == (d + e)))");
}

#[test]
fn the_place_is_marked() {
    assert_eq!(error("y x1 + x2"), "expected `~` after the outcome, found `x1`\n  y x1 + x2\n    ^^");
    assert_eq!(
        error("log(y) ~ x1 + lgo(x2) | city"),
        "there is no function `lgo`, did you mean `log`?\n  log(y) ~ x1 + lgo(x2) | city\n                ^^^"
    );
    // Each Chinese character takes two columns of a terminal.
    assert_eq!(
        error("财政韧性 ~ 试点 + | 城市"),
        "expected a term, found `|`\n  财政韧性 ~ 试点 + | 城市\n                    ^"
    );
    assert_eq!(error("y ~ x +\n  (a"), "this `(` is never closed\n  y ~ x +   (a\n            ^");
    assert_eq!(error("y ~ x + "), "expected a term, found the end\n  y ~ x +\n         ^");
}

#[test]
fn what_is_wrong_with_the_frame() {
    assert_eq!(message(""), "the formula is empty; write `outcome ~ regressors | effects`");
    assert_eq!(message("~ x"), "expected an outcome before `~`");
    assert_eq!(message("y"), "expected `~` after the outcome, found the end");
    assert_eq!(message("y ~"), "expected a term, found the end");
    assert_eq!(message("y ~ | city"), "expected a term, found `|`");
    assert_eq!(message("y ~ x |"), "expected a column to absorb as effect, found the end");
    assert_eq!(
        message("y ~ x | a | b"),
        "the third part is `endogenous ~ instruments`; effects are joined with `+` in one part"
    );
    assert_eq!(message("y ~ x | a |"), "expected an endogenous regressor, found the end");
    assert_eq!(message("y ~ x | a | d ~"), "expected an instrument, found the end");
    assert_eq!(
        message("y ~ x | d ~ 0 + z"),
        "expected an instrument; the intercept belongs to the regressors"
    );
    assert_eq!(message("y ~ x | a | d ~ z | b"), "a formula has at most three parts after the outcome");
    assert_eq!(message("y ~ x ~ z"), "a second `~`; instruments follow a `|`: `y ~ x | effects | d ~ z`");
    assert_eq!(message("y = x"), "outcome and regressors are separated by `~`, not `=`");
    assert_eq!(message("c(y1, y2) ~ x"), "several outcomes are not supported; write one formula a model");
    assert_eq!(message("y ~ x)"), "this `)` closes nothing");
    assert_eq!(message("y ~ a b"), "expected `+`, `|` or the end after a term, found `b`");
}

#[test]
fn what_is_wrong_with_effects() {
    assert_eq!(
        message("y ~ x | unit[year]"),
        "expected `+` or `^` between effects, found `[`; varying slopes, as in unit[year], are not supported"
    );
    assert_eq!(message("y ~ x | a:b"), "effects are combined with `^`, as in province^year");
    assert_eq!(
        message("y ~ x | i(a)"),
        "an effect is a column, not `i()`; derive the column in a step first"
    );
    assert_eq!(message("y ~ x | 0 + a"), "expected the end after `| 0`, which means no effects, found `+`");
    assert_eq!(message("y ~ x | 2"), "expected a column to absorb as effect, found the number 2");
}

#[test]
fn what_is_wrong_with_terms() {
    assert_eq!(
        message("y ~ 2*x"),
        "a number is no term, except 0 and 1; arithmetic goes in I(), as in I(2*x)"
    );
    assert_eq!(
        message("y ~ 1*x"),
        "a number cannot stand beside `*` here; arithmetic goes in I(), as in I(2*x)"
    );
    assert_eq!(
        message("y ~ x:0"),
        "a number cannot stand beside `:` here; arithmetic goes in I(), as in I(2*x)"
    );
    assert_eq!(message("y ~ a/b"), "`/` between terms; arithmetic and conditions go in I(), as in I(a / b)");
    assert_eq!(
        message("y ~ a == 1"),
        "`==` between terms; arithmetic and conditions go in I(), as in I(a == b)"
    );
    assert_eq!(
        message("y ~ x - z"),
        "`- z` takes out a term, and `z` is not among the terms before it; a difference goes in I()"
    );
    assert_eq!(message("y ~ (a + b)^2"), "a power of a sum goes in I(), as in I((a + b)^2)");
    assert_eq!(message("y ~ i(a)^2"), "a factor has no power");
    assert_eq!(
        message("y ~ a^b"),
        "expected a number as exponent; columns are combined with `^` only among the effects"
    );
    assert_eq!(message("y ~ ."), "`.` for all other columns is not supported; name the columns");
    assert_eq!(message("y ~ TRUE"), "a constant is no term");
    let many = (0..20).map(|it| format!("x{it}")).collect::<Vec<_>>().join("*");
    assert_eq!(message(&format!("y ~ {many}")), "this makes more than 5000 terms");
}

#[test]
fn what_is_wrong_with_calls() {
    assert_eq!(message("y ~ log(x, 2)"), "`log()` takes one argument, not 2");
    assert_eq!(message("y ~ pmin(x)"), "`pmin()` takes at least 2 arguments, not 1");
    assert_eq!(message("y ~ ifelse(x, 1)"), "`ifelse()` takes 3 arguments, not 2");
    assert_eq!(message("y ~ log(x = 2)"), "arguments by name are not supported here; a comparison is `==`");
    assert_eq!(
        message("y ~ I(x + y = 2)"),
        "expected an operator or `)`, found `=`; a comparison is written `==`"
    );
    assert_eq!(message("y ~ sunab(g, t)"), "`sunab()` is not supported: choose the estimator for it instead");
    assert_eq!(
        message("y ~ i(a, bin = 2)"),
        "`bin =` is not supported in i(); it takes a variable and `ref =`"
    );
    assert_eq!(message("y ~ i(a, b, c)"), "i() takes at most two variables; interact more with `:`");
    assert_eq!(message("y ~ i(a, ref = b)"), "put the text in quotes: \"b\"");
    assert_eq!(message("y ~ l(x, 1.5)"), "expected a whole number of periods up to 10000");
    assert_eq!(message("y ~ l(x, k)"), "expected a whole number of periods, found `k`");
    assert_eq!(message("y ~ d(x, 0)"), "a difference of 0 periods is 0");
    assert_eq!(
        message("y ~ I(l(x, 1:2))"),
        "several lags make several columns, and there is room for one here"
    );
    assert_eq!(
        message("i(y) ~ x"),
        "`i()` makes several columns; it can only be a term of its own or a part of an interaction"
    );
}

#[test]
fn what_is_wrong_with_signs_and_expressions() {
    assert_eq!(message("y ~ x1 ＋ x2"), "`＋` is the wide form of `+`; write `+`");
    assert_eq!(message("y ~ log（x）"), "`（` is the wide form of `(`; write `(`");
    assert_eq!(
        message("y ~ 2x"),
        "`2x` is neither a number nor a name; put `*` between them, or back-ticks around a name"
    );
    assert_eq!(message("y ~ a#b"), "Stata's `#` is written `:`, and its `##` is `*`");
    assert_eq!(message("y ~ 1e999"), "this number is too large");
    assert_eq!(message("y ~ `x"), "this ` is never closed");
    assert_eq!(message("y ~ ``"), "there is no name between the back-ticks");
    assert_eq!(
        message("y ~ x @ z"),
        "`@` has no meaning in a formula; a name with such signs goes in back-ticks"
    );
    let expr = |text: &str| Expr::parse(text).unwrap_err().to_string().lines().next().unwrap().to_owned();
    assert_eq!(expr(""), "the expression is empty");
    assert_eq!(expr("y ~ x"), "a formula stands here, where an expression without `~` is needed");
    assert_eq!(expr("1 < x < 2"), "comparisons do not chain; write `a < b & b < c`");
    assert_eq!(
        expr("year = 2011"),
        "expected an operator or the end, found `=`; a comparison is written `==`"
    );
    assert_eq!(expr("x %in% y"), "put the text in quotes: \"y\"");
    assert_eq!(expr(&"(".repeat(200)), "parentheses are nested too deeply here");
    let long = vec!["x"; 2000].join(" + ");
    assert!(expr(&long).starts_with("this expression has more than"));
    assert!(
        Formula::parse(&format!("y ~ {}", (0..2000).map(|it| format!("x{it} + ")).collect::<String>() + "x"))
            .is_ok()
    );
}

#[test]
fn formulas_are_text_in_files() {
    let formula: Formula = serde_json::from_str("\"y ~ x1+x2|city\"").unwrap();
    assert_eq!(serde_json::to_string(&formula).unwrap(), "\"y ~ x1 + x2 | city\"");
    let error = serde_json::from_str::<Expr>("\"a +\"").unwrap_err().to_string();
    assert!(error.starts_with("expected a column, a number or a function, found the end"), "{error}");
    let schema = schemars::schema_for!(Formula);
    assert_eq!(schema.get("type").and_then(|it| it.as_str()), Some("string"));
}

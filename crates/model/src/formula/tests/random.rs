//! Random formulas print to text that parses to them; random bytes never panic.

use crate::formula::{Expr, Formula};

/// A small generator, so that the tests need no dependency and repeat exactly.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn column(&mut self) -> &'static str {
        self.pick(&["x1", "x.2", "城市", "`a b`", "`TRUE`", "l", "i", r"`q\`\\r`", "_u"])
    }

    fn expr(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.below(4) {
                0 => self
                    .pick(&["1", "0.1", "1e-9", "2.5e22", "100000", "NA", "TRUE", "'it\\'s'", "\"\\\\\""])
                    .to_owned(),
                _ => self.column().to_owned(),
            };
        }
        let (a, b) = (self.expr(depth - 1), self.expr(depth - 1));
        match self.below(10) {
            0 => format!("-{a}"),
            1 => format!("!{a}"),
            2 => format!("({a})"),
            3 => format!("{}({a})", self.pick(&["I", "log", "sqrt", "is.na", "d", "l", "f"])),
            4 => format!("{}({a},{b})", self.pick(&["pmin", "pmax"])),
            5 => format!("{}({a}, {})", self.pick(&["l", "f", "d"]), self.pick(&["1", "-2", "12"])),
            6 => format!("({a}) %in% c(1,-2.5)"),
            7 => format!("({a}){}({b})", self.pick(&["==", "!=", "<", "<=", ">", ">="])),
            _ => format!("{a} {} {b}", self.pick(&["+", "-", "*", "/", "^", "&", "|", "%%", "%/%"])),
        }
    }

    fn term(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.below(8) {
                0 => format!("I({})", self.expr(2)),
                1 => format!("{}^{}", self.column(), self.pick(&["2", "-1", "0.5", "(1/2)"])),
                2 => format!("l({}, {})", self.expr(1), self.pick(&["1:2", "-1:1", "c(1, 4)", "0"])),
                3 => format!("i({}, ref = c(-1, 'a'))", self.expr(1)),
                4 => format!("factor({})", self.column()),
                5 => format!("i({}, {})", self.column(), self.expr(1)),
                _ => self.column().to_owned(),
            };
        }
        let (a, b) = (self.term(depth - 1), self.term(depth - 1));
        match self.below(5) {
            0 => format!("({a} + {b})"),
            1 => format!("{a}*{b}"),
            _ => format!("{a}:{b}"),
        }
    }

    fn formula(&mut self) -> String {
        let mut text = format!("({}) ~ {}", self.expr(2), self.pick(&["", "0 + ", "1+", "-1 + "]));
        for _ in 0..self.below(4) {
            let depth = self.below(3);
            text.push_str(&format!("{} + ", self.term(depth)));
        }
        text.push_str(self.column());
        if self.below(2) == 0 {
            text.push_str(&format!(" | {}^{}+{}", self.column(), self.column(), self.column()));
        }
        if self.below(3) == 0 {
            text.push_str(&format!(" | {} ~ {}", self.term(0), self.term(1)));
        }
        text
    }
}

#[test]
fn what_is_printed_parses_to_the_same() {
    let mut random = Random(7);
    let mut parsed = 0;
    for _ in 0..5000 {
        let text = random.formula();
        // Chained comparisons and the like are refused; that is not what is tested here.
        let Ok(formula) = Formula::parse(&text) else { continue };
        parsed += 1;
        let printed = formula.to_string();
        let again = Formula::parse(&printed).unwrap_or_else(|it| panic!("{text}\n{it}"));
        assert_eq!(again, formula, "{text}\n{printed}");
        assert_eq!(again.to_string(), printed);
    }
    assert!(4000 < parsed, "{parsed}");
}

#[test]
fn random_text_never_panics() {
    let words = [
        "y", "x", "~", "|", "+", "-", "*", ":", "^", "(", ")", "[", "]", ",", "=", "==", "i(", "l(", "c(",
        "ref=", "1", "0", "2.5", "'a'", "`", "\"", "%in%", "%", "&", "!", "<", " ", "\n", "城", "（",
        "\u{301}", "ifelse(", "I(", "1e", ".", "\\", "1:3", "\0",
    ];
    let mut random = Random(11);
    for round in 0..30_000 {
        let length = random.below(30);
        let text = if round % 3 == 0 {
            let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            format!("y ~ {}", (0..length).map(|_| random.pick(&words)).collect::<String>())
        };
        if let Err(it) = Formula::parse(&text) {
            assert!(!it.to_string().is_empty());
        }
        if let Err(it) = Expr::parse(&text) {
            assert!(!it.to_string().is_empty());
        }
    }
}

#[test]
fn no_length_exhausts_the_stack() {
    for piece in
        ["(", "-", "!", "x+", "x*", "x:", "x^", "I(", "l(", "i(", "x&", "-x^", "(-", "!(", "x|", "y~"]
    {
        let text = format!("y ~ {}", piece.repeat(20_000));
        assert!(Formula::parse(&text).is_err());
        assert!(Expr::parse(&piece.repeat(20_000)).is_err());
    }
    let deepest = format!("{}x{}", "abs(".repeat(58), ")".repeat(58));
    let widest = vec!["x"; 400].join("+");
    for text in [deepest, widest] {
        let expr = Expr::parse(&text).unwrap();
        expr.eval(&super::eval::panel()).unwrap();
        assert!(!expr.to_string().is_empty() && expr.clone() == expr);
    }
}

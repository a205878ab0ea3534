//! The right-hand side: sums, interactions and factors.

use std::collections::HashSet;

use super::{
    error::{FormulaError, Span},
    expr::{Expr, Operator},
    function::Function,
    lexer::Token,
    parser::Parser,
    pratt::{EXPONENT, shift_named},
    term::{Factor, Part, Term},
};

/// Most terms of one side; `*` doubles them, so that a slip could fill the memory.
const MAX_TERMS: usize = 5000;
/// Most parts of one interaction.
const MAX_PARTS: usize = 16;

/// A sum of terms, and what was said about the intercept last.
#[derive(Debug, Default)]
pub(super) struct Sum {
    pub terms: Vec<Term>,
    pub intercept: Option<bool>,
}

impl Parser<'_> {
    /// A side of a formula: each term once, main effects before interactions as in R.
    pub fn side(&mut self) -> Result<Sum, FormulaError> {
        let mut sum = self.sum()?;
        sum.terms.sort_by_key(|it| it.parts.len());
        Ok(sum)
    }

    fn sum(&mut self) -> Result<Sum, FormulaError> {
        let mut sum = Sum::default();
        let mut known: HashSet<Vec<String>> = HashSet::new();
        let mut start = self.span();
        let mut minus = self.accept("-");
        if !minus {
            self.accept("+");
        }
        loop {
            let product = self.product()?;
            let span = start.to(self.span_before());
            if let Some(it) = product.intercept {
                sum.intercept = Some(it != minus);
            }
            for term in product.terms {
                let key = term.key();
                if !minus && known.insert(key.clone()) {
                    sum.terms.push(term);
                } else if minus && !known.remove(&key) {
                    return Err(self.not_there(&term, span));
                } else if minus {
                    sum.terms.retain(|it| it.key() != key);
                }
            }
            self.limit(sum.terms.len(), span)?;
            start = self.span();
            minus = self.accept("-");
            if !minus && !self.accept("+") {
                return Ok(sum);
            }
        }
    }

    fn not_there(&self, term: &Term, span: Span) -> FormulaError {
        let message = format!(
            "`- {term}` takes out a term, and `{term}` is not among the terms before it; a difference goes in I()"
        );
        self.wrong(span, message)
    }

    /// `a*b` is `a + b + a:b`.
    fn product(&mut self) -> Result<Sum, FormulaError> {
        let start = self.span();
        let mut left = self.interaction()?;
        while *self.peek() == Token::Sign("*") {
            self.no_intercept(&left, start, "*")?;
            self.next();
            let start_right = self.span();
            let right = self.interaction()?;
            self.no_intercept(&right, start_right, "*")?;
            let both = self.crossed(&left.terms, &right.terms, start.to(self.span_before()))?;
            left.terms.extend(right.terms);
            left.terms.extend(both);
            self.limit(left.terms.len(), start.to(self.span_before()))?;
        }
        Ok(left)
    }

    fn interaction(&mut self) -> Result<Sum, FormulaError> {
        let start = self.span();
        let mut left = self.power()?;
        while *self.peek() == Token::Sign(":") {
            self.no_intercept(&left, start, ":")?;
            self.next();
            let start_right = self.span();
            let right = self.power()?;
            self.no_intercept(&right, start_right, ":")?;
            left.terms = self.crossed(&left.terms, &right.terms, start.to(self.span_before()))?;
        }
        Ok(left)
    }

    fn no_intercept(&self, sum: &Sum, start: Span, sign: &str) -> Result<(), FormulaError> {
        if sum.intercept.is_none() {
            return Ok(());
        }
        let message =
            format!("a number cannot stand beside `{sign}` here; arithmetic goes in I(), as in I(2*x)");
        Err(self.wrong(start.to(self.span_before()), message))
    }

    /// Every term of the one side with every term of the other, parts that repeat once.
    fn crossed(&self, left: &[Term], right: &[Term], span: Span) -> Result<Vec<Term>, FormulaError> {
        self.limit(left.len().saturating_mul(right.len()), span)?;
        let mut crossed = Vec::new();
        for a in left {
            for b in right {
                let mut parts = a.parts.clone();
                parts.extend(b.parts.iter().filter(|it| !a.parts.contains(it)).cloned());
                if MAX_PARTS < parts.len() {
                    return Err(
                        self.wrong(span, format!("an interaction of more than {MAX_PARTS} variables"))
                    );
                }
                crossed.push(Term { parts });
            }
        }
        Ok(crossed)
    }

    fn limit(&self, terms: usize, span: Span) -> Result<(), FormulaError> {
        if terms <= MAX_TERMS {
            Ok(())
        } else {
            Err(self.wrong(span, format!("this makes more than {MAX_TERMS} terms")))
        }
    }

    /// `x^2` is `I(x^2)`, as fixest reads it.
    fn power(&mut self) -> Result<Sum, FormulaError> {
        self.begin_expression();
        let start = self.span();
        let mut atom = self.nested(Parser::atom)?;
        if *self.peek() != Token::Sign("^") {
            return Ok(atom);
        }
        let sign = self.span();
        let base = match (atom.terms.as_mut_slice(), atom.intercept, self.opens_group(start)) {
            ([Term { parts }], None, false) => match parts.as_slice() {
                [Part::Value(it)] => it.clone(),
                _ => return Err(self.wrong(start.to(sign), "a factor has no power")),
            },
            _ => return Err(self.wrong(start.to(sign), "a power of a sum goes in I(), as in I((a + b)^2)")),
        };
        self.next();
        let at = self.span();
        let exponent = self.expr(EXPONENT)?;
        if !exponent.variables().is_empty() {
            let message =
                "expected a number as exponent; columns are combined with `^` only among the effects";
            return Err(self.wrong(at.to(self.span_before()), message));
        }
        let power = Expr::Binary(Operator::Power, Box::new(base), Box::new(exponent));
        atom.terms = vec![value(Expr::Call(Function::Identity, vec![power]))];
        Ok(atom)
    }

    fn opens_group(&self, at: Span) -> bool {
        self.sign_at(at) == Some("(")
    }

    fn atom(&mut self) -> Result<Sum, FormulaError> {
        let span = self.span();
        match self.peek().clone() {
            Token::Sign("(") => {
                self.next();
                let sum = self.sum()?;
                self.close(span)?;
                Ok(sum)
            }
            Token::Number(it) if it == 0.0 || it == 1.0 => {
                self.next();
                Ok(Sum { terms: Vec::new(), intercept: Some(it == 1.0) })
            }
            Token::Number(_) => {
                Err(self
                    .wrong_here("a number is no term, except 0 and 1; arithmetic goes in I(), as in I(2*x)"))
            }
            Token::Name(name) if *self.peek_second() == Token::Sign("(") => {
                let terms = match name.as_str() {
                    "i" | "factor" | "as.factor" => vec![Term { parts: vec![Part::Factor(self.factor()?)] }],
                    it => match shift_named(it) {
                        Some(shift) => self.shifts(shift)?.into_iter().map(value).collect(),
                        None => vec![value(self.call(it)?)],
                    },
                };
                Ok(Sum { terms, intercept: None })
            }
            Token::Name(_) | Token::Quoted(_) => {
                let expr = self.expr(u8::MAX)?;
                match expr {
                    Expr::Column(_) => Ok(Sum { terms: vec![value(expr)], intercept: None }),
                    _ => Err(self.wrong(span, "a constant is no term")),
                }
            }
            _ => Err(self.unexpected("a term")),
        }
    }

    /// `i(variable, by, ref = level)`.
    fn factor(&mut self) -> Result<Factor, FormulaError> {
        self.next();
        let open = self.span();
        self.next();
        let mut factor = Factor { variable: self.expr(0)?, by: None, reference: Vec::new() };
        while self.accept(",") {
            let named = match self.peek() {
                Token::Name(it) if *self.peek_second() == Token::Sign("=") => Some(it.clone()),
                _ => None,
            };
            match named.as_deref() {
                Some("ref") => {
                    self.next();
                    self.next();
                    factor.reference = self.levels()?;
                }
                Some(it) => {
                    let message =
                        format!("`{it} =` is not supported in i(); it takes a variable and `ref =`");
                    return Err(self.wrong_here(message));
                }
                None if factor.by.is_none() => factor.by = Some(self.expr(0)?),
                None => {
                    return Err(self.wrong_here("i() takes at most two variables; interact more with `:`"));
                }
            }
        }
        self.close(open)?;
        Ok(factor)
    }
}

fn value(expr: Expr) -> Term {
    Term { parts: vec![Part::Value(expr)] }
}

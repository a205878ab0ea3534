//! The parts of a formula between `~` and `|`.

use super::{
    Formula, Instruments,
    error::FormulaError,
    lexer::Token,
    parser::Parser,
    pratt::WITHOUT_BARS,
    sums::Sum,
    term::{Effect, each_once},
};

/// Reads a whole formula.
pub(super) fn parse(text: &str) -> Result<Formula, FormulaError> {
    let mut parser = Parser::new(text)?;
    let outcome = match parser.peek() {
        Token::End => {
            return Err(parser.wrong_here("the formula is empty; write `outcome ~ regressors | effects`"));
        }
        Token::Sign("~") => return Err(parser.wrong_here("expected an outcome before `~`")),
        Token::Name(it) if it == "c" && *parser.peek_second() == Token::Sign("(") => {
            return Err(parser.wrong_here("several outcomes are not supported; write one formula a model"));
        }
        _ => parser.expr(WITHOUT_BARS)?,
    };
    if !parser.accept("~") {
        return Err(match parser.peek() {
            Token::Sign("=") => parser.wrong_here("outcome and regressors are separated by `~`, not `=`"),
            _ => parser.unexpected("`~` after the outcome"),
        });
    }
    let regressors = parser.side()?;
    let mut formula = Formula {
        outcome,
        intercept: regressors.intercept.unwrap_or(true),
        regressors: regressors.terms,
        effects: Vec::new(),
        instruments: None,
    };
    parser.parts(&mut formula)?;
    match parser.peek() {
        Token::End => Ok(formula),
        _ => Err(parser.after_terms()),
    }
}

impl Parser<'_> {
    /// What follows the regressors: effects, instruments, both or nothing.
    fn parts(&mut self, formula: &mut Formula) -> Result<(), FormulaError> {
        if !self.accept("|") {
            return Ok(());
        }
        if self.tilde_before_bar() {
            formula.instruments = Some(self.instruments()?);
            return Ok(());
        }
        formula.effects = self.effects()?;
        if !self.accept("|") {
            return Ok(());
        }
        if !self.tilde_before_bar() && *self.peek() != Token::End {
            let message =
                "the third part is `endogenous ~ instruments`; effects are joined with `+` in one part";
            return Err(self.wrong_here(message));
        }
        formula.instruments = Some(self.instruments()?);
        Ok(())
    }

    fn instruments(&mut self) -> Result<Instruments, FormulaError> {
        let endogenous = self.pure_side("an endogenous regressor")?;
        if !self.accept("~") {
            return Err(self.unexpected("`~` between endogenous regressors and instruments"));
        }
        let instruments = self.pure_side("an instrument")?;
        Ok(Instruments { endogenous, instruments })
    }

    fn pure_side(&mut self, wanted: &str) -> Result<Vec<super::Term>, FormulaError> {
        if matches!(self.peek(), Token::End | Token::Sign("~" | "|")) {
            return Err(self.unexpected(wanted));
        }
        let start = self.span();
        let Sum { terms, intercept } = self.side()?;
        if intercept.is_some() || terms.is_empty() {
            let message = format!("expected {wanted}; the intercept belongs to the regressors");
            return Err(self.wrong(start.to(self.span_before()), message));
        }
        Ok(terms)
    }

    /// `city + province^year`, or `0`.
    fn effects(&mut self) -> Result<Vec<Effect>, FormulaError> {
        if *self.peek() == Token::Number(0.0) {
            self.next();
            return match self.peek() {
                Token::End | Token::Sign("|") => Ok(Vec::new()),
                _ => Err(self.unexpected("the end after `| 0`, which means no effects")),
            };
        }
        let mut effects = vec![self.effect()?];
        while self.accept("+") {
            effects.push(self.effect()?);
        }
        match self.peek() {
            Token::End | Token::Sign("|") => {}
            Token::Sign(":" | "*") => {
                return Err(self.wrong_here("effects are combined with `^`, as in province^year"));
            }
            _ => return Err(self.unexpected("`+` or `^` between effects")),
        }
        let mut seen: Vec<Vec<parallax_base::Name>> = Vec::new();
        effects.retain(|it| {
            let mut parts = it.parts.clone();
            parts.sort_unstable();
            let is_new = !seen.contains(&parts);
            seen.push(parts);
            is_new
        });
        Ok(effects)
    }

    fn effect(&mut self) -> Result<Effect, FormulaError> {
        let mut parts = Vec::new();
        loop {
            let is_call = *self.peek_second() == Token::Sign("(");
            match self.peek().clone() {
                Token::Name(it) if is_call => {
                    let message =
                        format!("an effect is a column, not `{it}()`; derive the column in a step first");
                    return Err(self.wrong_here(message));
                }
                Token::Name(it) | Token::Quoted(it) => parts.push(parallax_base::Name::from(it)),
                _ => return Err(self.unexpected("a column to absorb as effect")),
            }
            self.next();
            if !self.accept("^") {
                return Ok(Effect { parts: each_once(parts) });
            }
        }
    }

    /// The token after a complete side of a formula is not one that can follow.
    fn after_terms(&self) -> FormulaError {
        match self.peek() {
            Token::Sign(")") => self.wrong_here("this `)` closes nothing"),
            Token::Sign("~") => {
                self.wrong_here("a second `~`; instruments follow a `|`: `y ~ x | effects | d ~ z`")
            }
            Token::Sign("|") => self.wrong_here("a formula has at most three parts after the outcome"),
            Token::Sign(
                it @ ("/" | "%%" | "%/%" | "&" | "||" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "!" | "%in%"),
            ) => self.wrong_here(format!(
                "`{it}` between terms; arithmetic and conditions go in I(), as in I(a {it} b)"
            )),
            _ => self.unexpected("`+`, `|` or the end after a term"),
        }
    }
}

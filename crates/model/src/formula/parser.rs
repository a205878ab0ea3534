//! The parser's hands: the tokens, what is next, and how a wrong one is reported.

use super::{
    error::{FormulaError, Span},
    expr::Expr,
    lexer::{Token, tokens},
};

/// Nested parentheses and calls; deeper ones could exhaust the stack.
const MAX_DEPTH: usize = 60;
/// Operations in one expression, for the same reason: `a + a + a + ...` nests to the left.
const MAX_OPERATIONS: usize = 400;

/// Reads tokens from left to right.
#[derive(Debug)]
pub(super) struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(Token, Span)>,
    at: usize,
    depth: usize,
    operations: usize,
}

/// An expression that stands alone.
pub(super) fn expression(text: &str) -> Result<Expr, FormulaError> {
    let mut parser = Parser::new(text)?;
    if *parser.peek() == Token::End {
        return Err(parser.wrong_here("the expression is empty"));
    }
    let expr = parser.expr(0)?;
    if *parser.peek() == Token::Sign("~") {
        return Err(parser.wrong_here("a formula stands here, where an expression without `~` is needed"));
    }
    match parser.peek() {
        Token::End => Ok(expr),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

impl<'t> Parser<'t> {
    pub fn new(text: &'t str) -> Result<Parser<'t>, FormulaError> {
        Ok(Parser { text, tokens: tokens(text)?, at: 0, depth: 0, operations: 0 })
    }

    pub fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    pub fn peek_second(&self) -> &Token {
        self.tokens.get(self.at + 1).map_or(&Token::End, |(token, _)| token)
    }

    /// The place of the next token.
    pub fn span(&self) -> Span {
        let end = Span { start: self.text.len(), end: self.text.len() };
        self.tokens.get(self.at).map_or(end, |(_, span)| *span)
    }

    /// The place of the last token taken.
    pub fn span_before(&self) -> Span {
        let before = self.at.checked_sub(1).and_then(|it| self.tokens.get(it));
        before.map_or(Span { start: 0, end: 0 }, |(_, span)| *span)
    }

    pub fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    /// Takes the sign if it is next.
    pub fn accept(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Sign(it) if *it == sign);
        if is_next {
            self.at += 1;
        }
        is_next
    }

    /// Takes the parenthesis that closes the one at `open`.
    pub fn close(&mut self, open: Span) -> Result<(), FormulaError> {
        if self.accept(")") {
            return Ok(());
        }
        match self.peek() {
            Token::End => Err(self.wrong(open, "this `(` is never closed")),
            _ => Err(self.unexpected("an operator or `)`")),
        }
    }

    /// Counts a level of nesting while `read` runs.
    pub fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Parser<'t>) -> Result<T, FormulaError>,
    ) -> Result<T, FormulaError> {
        if MAX_DEPTH <= self.depth {
            return Err(self.wrong_here("parentheses are nested too deeply here"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Counts an operation of the expression being read.
    pub fn operation(&mut self) -> Result<(), FormulaError> {
        self.operations += 1;
        if self.operations <= MAX_OPERATIONS {
            return Ok(());
        }
        Err(self.wrong_here(format!(
            "this expression has more than {MAX_OPERATIONS} operations; derive it in steps"
        )))
    }

    /// Starts the count of operations anew: a new expression begins.
    pub fn begin_expression(&mut self) {
        self.operations = 0;
    }

    pub fn wrong(&self, span: Span, message: impl Into<String>) -> FormulaError {
        FormulaError::syntax(self.text, span, message)
    }

    pub fn wrong_here(&self, message: impl Into<String>) -> FormulaError {
        self.wrong(self.span(), message)
    }

    /// The sign that stands at a place.
    pub fn sign_at(&self, span: Span) -> Option<&str> {
        self.text.get(span.start..span.end)
    }

    /// True when the part that begins here has a `~` of its own.
    pub fn tilde_before_bar(&self) -> bool {
        let mut open = 0_usize;
        for (token, _) in self.tokens.iter().skip(self.at) {
            match token {
                Token::Sign("(") => open += 1,
                Token::Sign(")") => open = open.saturating_sub(1),
                Token::Sign("|") if open == 0 => return false,
                Token::Sign("~") => return true,
                _ => {}
            }
        }
        false
    }

    /// "expected this, found that", with advice where the token suggests what was meant.
    pub fn unexpected(&self, expected: &str) -> FormulaError {
        let found = self.peek();
        let advice = match found {
            Token::Sign("=") => "; a comparison is written `==`",
            Token::Sign("[") => "; varying slopes, as in unit[year], are not supported",
            Token::Sign(":") => "; `:` interacts terms of a formula, and has no meaning inside an expression",
            Token::Sign("||") => "; write `|`",
            _ => "",
        };
        self.wrong_here(format!("expected {expected}, found {}{advice}", found.describe()))
    }
}

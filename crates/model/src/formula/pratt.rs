//! Expressions by operator precedence, which is R's.

use super::{
    error::{FormulaError, Span},
    expr::{Expr, Operator, Shift},
    function::{self, Function},
    lexer::Token,
    parser::Parser,
    term::Level,
};

/// How tightly operators bind; `!` and the unary minus are in between, as in R.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const PERCENT: u8 = 7;
const NEGATION: u8 = 8;
const POWER: u8 = 9;

/// Everything but a bare `|`, which separates the parts of a formula.
pub(super) const WITHOUT_BARS: u8 = AND;
/// The exponent of a term: one factor of a product.
pub(super) const EXPONENT: u8 = NEGATION;

/// Longest lag; beyond it a slip is likelier than a panel of that length.
const MAX_SHIFT: f64 = 10_000.0;
/// Most columns from one `l(x, 1:n)`.
const MAX_SHIFTS: usize = 1000;

fn operator(token: &Token) -> Option<(u8, Operator)> {
    let Token::Sign(sign) = token else { return None };
    Some(match *sign {
        "|" | "||" => (OR, Operator::Or),
        "&" => (AND, Operator::And),
        "==" => (COMPARISON, Operator::Equal),
        "!=" => (COMPARISON, Operator::Unequal),
        "<" => (COMPARISON, Operator::Less),
        "<=" => (COMPARISON, Operator::AtMost),
        ">" => (COMPARISON, Operator::Greater),
        ">=" => (COMPARISON, Operator::AtLeast),
        "+" => (SUM, Operator::Add),
        "-" => (SUM, Operator::Subtract),
        "*" => (PRODUCT, Operator::Multiply),
        "/" => (PRODUCT, Operator::Divide),
        "%%" => (PERCENT, Operator::Remainder),
        "%/%" => (PERCENT, Operator::Quotient),
        "^" => (POWER, Operator::Power),
        _ => return None,
    })
}

impl Parser<'_> {
    /// An expression whose operators bind at least as tightly as `least`.
    pub fn expr(&mut self, least: u8) -> Result<Expr, FormulaError> {
        self.nested(|it| it.operations(least))
    }

    fn operations(&mut self, least: u8) -> Result<Expr, FormulaError> {
        let mut left = self.operand()?;
        let mut compared = false;
        loop {
            if *self.peek() == Token::Sign("%in%") && least <= PERCENT {
                self.operation()?;
                self.next();
                left = Expr::In(Box::new(left), self.levels()?);
                continue;
            }
            let Some((binding, operator)) = operator(self.peek()).filter(|(it, _)| least <= *it) else {
                return Ok(left);
            };
            if compared && binding == COMPARISON {
                return Err(self.wrong_here("comparisons do not chain; write `a < b & b < c`"));
            }
            compared = binding == COMPARISON;
            self.operation()?;
            self.next();
            // Powers associate to the right, and their exponent may have a minus.
            let right = self.expr(if binding == POWER { NEGATION } else { binding + 1 })?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn operand(&mut self) -> Result<Expr, FormulaError> {
        let span = self.span();
        match self.peek().clone() {
            Token::Number(it) => self.taking(Expr::Number(it)),
            Token::Text(it) => self.taking(Expr::Text(it)),
            Token::Quoted(it) => self.taking(Expr::Column(it.into())),
            Token::Name(name) if *self.peek_second() == Token::Sign("(") => self.call(&name),
            Token::Name(name) => {
                let expr = self.constant_or_column(&name)?;
                self.taking(expr)
            }
            Token::Sign("(") => {
                self.next();
                self.operation()?;
                let inner = self.expr(0)?;
                self.close(span)?;
                Ok(Expr::Group(Box::new(inner)))
            }
            Token::Sign("-") => {
                self.next();
                self.operation()?;
                Ok(Expr::Negate(Box::new(self.expr(NEGATION)?)))
            }
            Token::Sign("!") => {
                self.next();
                self.operation()?;
                Ok(Expr::Not(Box::new(self.expr(NOT)?)))
            }
            // A plus before an operand changes nothing, and R drops it from no name that matters.
            Token::Sign("+") => {
                self.next();
                self.expr(NEGATION)
            }
            _ => Err(self.unexpected("a column, a number or a function")),
        }
    }

    fn taking(&mut self, expr: Expr) -> Result<Expr, FormulaError> {
        self.next();
        Ok(expr)
    }

    fn constant_or_column(&self, name: &str) -> Result<Expr, FormulaError> {
        match name {
            "TRUE" => Ok(Expr::Number(1.0)),
            "FALSE" => Ok(Expr::Number(0.0)),
            "NA" => Ok(Expr::Missing),
            "." => Err(self.wrong_here("`.` for all other columns is not supported; name the columns")),
            it => Ok(Expr::Column(it.into())),
        }
    }

    /// A call in an expression, where one column must come out.
    pub fn call(&mut self, name: &str) -> Result<Expr, FormulaError> {
        self.operation()?;
        let span = self.span();
        if let Some(shift) = shift_named(name) {
            let mut shifted = self.shifts(shift)?;
            let whole = span.to(self.span_before());
            return match (shifted.pop(), shifted.is_empty()) {
                (Some(it), true) => Ok(it),
                _ => {
                    Err(self
                        .wrong(whole, "several lags make several columns, and there is room for one here"))
                }
            };
        }
        let function = Function::named(name).ok_or_else(|| self.wrong(span, no_function(name)))?;
        self.next();
        let open = self.span();
        self.next();
        let arguments = self.arguments(open)?;
        let (fewest, most) = function.arity();
        if arguments.len() < fewest || most < arguments.len() {
            let wanted = match (fewest, most) {
                (1, 1) => "one argument".to_owned(),
                (fewest, usize::MAX) => format!("at least {fewest} arguments"),
                (fewest, _) => format!("{fewest} arguments"),
            };
            let message = format!("`{name}()` takes {wanted}, not {}", arguments.len());
            return Err(self.wrong(span.to(self.span_before()), message));
        }
        Ok(Expr::Call(function, arguments))
    }

    fn arguments(&mut self, open: Span) -> Result<Vec<Expr>, FormulaError> {
        let mut arguments = Vec::new();
        if self.accept(")") {
            return Ok(arguments);
        }
        loop {
            self.operation()?;
            if matches!(self.peek(), Token::Name(_)) && *self.peek_second() == Token::Sign("=") {
                return Err(self.wrong_here("arguments by name are not supported here; a comparison is `==`"));
            }
            arguments.push(self.expr(0)?);
            if !self.accept(",") {
                self.close(open)?;
                return Ok(arguments);
            }
        }
    }

    /// `l(x, 1:2)` and its kin: one expression a number. A lag of 0 is the variable itself.
    pub fn shifts(&mut self, shift: Shift) -> Result<Vec<Expr>, FormulaError> {
        self.next();
        let open = self.span();
        self.next();
        let of = self.expr(0)?;
        if !self.accept(",") {
            self.close(open)?;
            return Ok(vec![Expr::Shift(shift, Box::new(of), None)]);
        }
        let start = self.span();
        let steps = self.whole_numbers()?;
        let span = start.to(self.span_before());
        self.close(open)?;
        let mut shifted: Vec<Expr> = Vec::new();
        for by in steps {
            let expr = match shift {
                Shift::Difference if by == 0 => {
                    return Err(self.wrong(span, "a difference of 0 periods is 0"));
                }
                Shift::Difference => Expr::Shift(shift, Box::new(of.clone()), Some(by)),
                _ if by == 0 => itself(&of),
                _ if by < 0 => Expr::Shift(opposite(shift), Box::new(of.clone()), Some(-by)),
                _ => Expr::Shift(shift, Box::new(of.clone()), Some(by)),
            };
            shifted.push(expr);
        }
        Ok(shifted)
    }

    /// `1`, `1:3`, `-1:1` or `c(1, 3)`.
    fn whole_numbers(&mut self) -> Result<Vec<i32>, FormulaError> {
        let start = self.span();
        let numbers = match self.peek() {
            Token::Name(it) if it == "c" => self.list(Parser::whole_number)?,
            _ => {
                let first = self.whole_number()?;
                let last = if self.accept(":") { self.whole_number()? } else { first };
                if first <= last { (first..=last).collect() } else { (last..=first).rev().collect() }
            }
        };
        if MAX_SHIFTS < numbers.len() {
            let message = format!("more than {MAX_SHIFTS} lags of one variable");
            return Err(self.wrong(start.to(self.span_before()), message));
        }
        Ok(numbers)
    }

    fn whole_number(&mut self) -> Result<i32, FormulaError> {
        let span = self.span();
        let sign = if self.accept("-") { -1 } else { 1 };
        match *self.peek() {
            Token::Number(it) if it.fract() == 0.0 && it <= MAX_SHIFT => {
                self.next();
                Ok(sign * it as i32)
            }
            Token::Number(_) => {
                Err(self.wrong(span.to(self.span()), "expected a whole number of periods up to 10000"))
            }
            _ => Err(self.unexpected("a whole number of periods")),
        }
    }

    /// One value or `c(value, ...)`.
    pub fn levels(&mut self) -> Result<Vec<Level>, FormulaError> {
        match self.peek() {
            Token::Name(it) if it == "c" => self.list(Parser::level),
            _ => Ok(vec![self.level()?]),
        }
    }

    fn level(&mut self) -> Result<Level, FormulaError> {
        let negative = self.accept("-");
        match self.peek().clone() {
            Token::Number(it) => {
                self.next();
                Ok(Level::Number(if negative { -it } else { it }))
            }
            Token::Text(it) if !negative => {
                self.next();
                Ok(Level::Text(it))
            }
            Token::Name(it) if !negative => Err(self.wrong_here(format!("put the text in quotes: \"{it}\""))),
            _ => Err(self.unexpected("a number, text in quotes, or c(...) of them")),
        }
    }

    /// `c(item, ...)`.
    fn list<T>(
        &mut self,
        item: impl Fn(&mut Self) -> Result<T, FormulaError>,
    ) -> Result<Vec<T>, FormulaError> {
        self.next();
        let open = self.span();
        if !self.accept("(") {
            return Err(self.unexpected("`(` after `c`"));
        }
        let mut items = vec![item(self)?];
        while self.accept(",") {
            items.push(item(self)?);
        }
        self.close(open)?;
        Ok(items)
    }
}

/// The look along time of that name.
pub(super) fn shift_named(name: &str) -> Option<Shift> {
    match name {
        "l" => Some(Shift::Lag),
        "f" => Some(Shift::Lead),
        "d" => Some(Shift::Difference),
        _ => None,
    }
}

/// A lag of 0, in a form that can stand where the call stood.
fn itself(of: &Expr) -> Expr {
    match of {
        Expr::Column(_) | Expr::Call(..) | Expr::Shift(..) => of.clone(),
        it => Expr::Call(Function::Identity, vec![it.clone()]),
    }
}

fn opposite(shift: Shift) -> Shift {
    match shift {
        Shift::Lag => Shift::Lead,
        Shift::Lead => Shift::Lag,
        Shift::Difference => Shift::Difference,
    }
}

fn no_function(name: &str) -> String {
    match name {
        "i" | "factor" | "as.factor" => {
            format!(
                "`{name}()` makes several columns; it can only be a term of its own or a part of an interaction"
            )
        }
        "c" => "`c()` makes several values; it can stand after `%in%` and `ref =`, or list lags".to_owned(),
        it => function::unknown(it),
    }
}

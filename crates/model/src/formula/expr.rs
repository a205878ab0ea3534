//! [`Expr`]: the arithmetic and logical language inside a formula, printed the way R prints it.

use std::fmt;

use parallax_base::Name;

use super::{
    error::FormulaError,
    function::Function,
    parser,
    quote::{Number, Quoted, Text},
    term::{Level, each_once},
};

/// An expression over the columns of one row, and over time through lags.
///
/// Conditions are numbers: 1 for true, 0 for false, NaN for missing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Expr {
    /// A column of the data.
    Column(Name),
    /// A number; `TRUE` and `FALSE` are 1 and 0.
    Number(f64),
    /// Text in quotes, to compare a text column with.
    Text(String),
    /// `NA`.
    Missing,
    /// `-x`.
    Negate(Box<Expr>),
    /// `!x`.
    Not(Box<Expr>),
    /// Parentheses; kept so that a name is printed as it was written.
    Group(Box<Expr>),
    /// Two operands.
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// `x %in% c(1, 2)`.
    In(Box<Expr>, Vec<Level>),
    /// A function call.
    Call(Function, Vec<Expr>),
    /// `l(x, 1)`, `f(x, 1)`, `d(x, 1)`; the number is absent where it was not written, and is 1.
    Shift(Shift, Box<Expr>, Option<i32>),
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operator {
    /// `a | b`
    Or,
    /// `a & b`
    And,
    /// `a == b`
    Equal,
    /// `a != b`
    Unequal,
    /// `a < b`
    Less,
    /// `a <= b`
    AtMost,
    /// `a > b`
    Greater,
    /// `a >= b`
    AtLeast,
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`
    Divide,
    /// `a %% b`, the remainder with the sign of b.
    Remainder,
    /// `a %/% b`, the quotient rounded down.
    Quotient,
    /// `a^b`
    Power,
}

/// A look along time within a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// `l()`: some periods earlier.
    Lag,
    /// `f()`: some periods later.
    Lead,
    /// `d()`: the change since some periods earlier.
    Difference,
}

impl Expr {
    /// Reads an expression that stands alone.
    ///
    /// # Errors
    /// [`FormulaError::Syntax`], which prints the text with a mark under the place.
    pub fn parse(text: &str) -> Result<Expr, FormulaError> {
        parser::expression(text)
    }

    /// The name a coefficient of this expression has: the column's name, or the expression as R prints it.
    pub fn name(&self) -> Name {
        match self {
            Expr::Column(it) => it.clone(),
            it => Name::from(it.to_string()),
        }
    }

    /// Every column of the data the expression reads, each once, in order of appearance.
    pub fn variables(&self) -> Vec<Name> {
        let mut names = Vec::new();
        self.collect(&mut names);
        each_once(names)
    }

    /// True when a lag, a lead or a change over time is in it.
    pub fn shifts(&self) -> bool {
        match self {
            Expr::Shift(..) => true,
            Expr::Column(_) | Expr::Number(_) | Expr::Text(_) | Expr::Missing => false,
            Expr::Negate(it) | Expr::Not(it) | Expr::Group(it) | Expr::In(it, _) => it.shifts(),
            Expr::Binary(_, left, right) => left.shifts() || right.shifts(),
            Expr::Call(_, arguments) => arguments.iter().any(Expr::shifts),
        }
    }

    /// True when a column is used as a quantity: not only compared, or taken apart by `%/%` and `%%`.
    pub(super) fn measures(&self, column: &Name) -> bool {
        match self {
            Expr::Column(it) => it == column,
            Expr::Number(_) | Expr::Text(_) | Expr::Missing => false,
            Expr::Negate(it) | Expr::Not(it) | Expr::Group(it) | Expr::Shift(_, it, _) => it.measures(column),
            Expr::In(it, _) => it.within(column),
            Expr::Binary(operator, left, right) => match operator.keeps_codes() {
                true => left.within(column) || right.within(column),
                false => left.measures(column) || right.measures(column),
            },
            Expr::Call(Function::IsMissing, arguments) => arguments.iter().any(|it| it.within(column)),
            Expr::Call(_, arguments) => arguments.iter().any(|it| it.measures(column)),
        }
    }

    /// As [`Expr::measures`], where the column itself may stand.
    fn within(&self, column: &Name) -> bool {
        match self {
            Expr::Column(_) => false,
            Expr::Group(it) => it.within(column),
            it => it.measures(column),
        }
    }

    fn collect(&self, names: &mut Vec<Name>) {
        match self {
            Expr::Column(it) => names.push(it.clone()),
            Expr::Number(_) | Expr::Text(_) | Expr::Missing => {}
            Expr::Negate(it) | Expr::Not(it) | Expr::Group(it) | Expr::In(it, _) | Expr::Shift(_, it, _) => {
                it.collect(names);
            }
            Expr::Binary(_, left, right) => {
                left.collect(names);
                right.collect(names);
            }
            Expr::Call(_, arguments) => arguments.iter().for_each(|it| it.collect(names)),
        }
    }
}

impl Operator {
    /// True where codes give what their values would: comparisons, and the parts of a code.
    fn keeps_codes(self) -> bool {
        matches!(
            self,
            Operator::Equal
                | Operator::Unequal
                | Operator::Less
                | Operator::AtMost
                | Operator::Greater
                | Operator::AtLeast
                | Operator::Remainder
                | Operator::Quotient
        )
    }

    /// The operator as it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Operator::Or => "|",
            Operator::And => "&",
            Operator::Equal => "==",
            Operator::Unequal => "!=",
            Operator::Less => "<",
            Operator::AtMost => "<=",
            Operator::Greater => ">",
            Operator::AtLeast => ">=",
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%%",
            Operator::Quotient => "%/%",
            Operator::Power => "^",
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Column(it) => write!(f, "{}", Quoted(it)),
            Expr::Number(it) => write!(f, "{}", Number(*it)),
            Expr::Text(it) => write!(f, "{}", Text(it)),
            Expr::Missing => f.write_str("NA"),
            Expr::Negate(it) => write!(f, "-{it}"),
            Expr::Not(it) => write!(f, "!{it}"),
            Expr::Group(it) => write!(f, "({it})"),
            // R prints powers and ratios tight and everything else with spaces.
            Expr::Binary(it @ (Operator::Power | Operator::Divide), left, right) => {
                write!(f, "{left}{}{right}", it.sign())
            }
            Expr::Binary(it, left, right) => write!(f, "{left} {} {right}", it.sign()),
            Expr::In(it, levels) => {
                write!(f, "{it} %in% c(")?;
                write_list(f, levels)?;
                f.write_str(")")
            }
            Expr::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                write_list(f, arguments)?;
                f.write_str(")")
            }
            Expr::Shift(shift, of, by) => {
                let letter = match shift {
                    Shift::Lag => "l",
                    Shift::Lead => "f",
                    Shift::Difference => "d",
                };
                match by {
                    Some(by) => write!(f, "{letter}({of}, {by})"),
                    None => write!(f, "{letter}({of})"),
                }
            }
        }
    }
}

/// Items with commas between.
pub(super) fn write_list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if 0 < at {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

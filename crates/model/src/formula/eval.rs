//! Evaluation of expressions over all rows of a panel at once.

use std::sync::Arc;

use parallax_panel::{Codes, Column, Labels, MISSING, Panel, PanelError, TimeFormat, difference, shift};

use super::{
    compare,
    error::FormulaError,
    expr::{Expr, Operator, Shift},
    function::Function,
};

/// What an expression is over the rows of a panel.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A number a row.
    Numbers(Arc<Vec<f64>>),
    /// The same number in every row.
    Number(f64),
    /// A text a row.
    Texts(Codes),
    /// The same text in every row.
    Text(String),
}

impl Expr {
    /// The expression's number for each row of the panel; a bare column is shared, not copied.
    ///
    /// Conditions give 1 and 0. Missing stays missing in every operation, with three exceptions:
    /// `is_missing()`, a false part of `&` and a true part of `|`. `log()` and `sqrt()` of negative
    /// numbers and `0/0` are missing.
    ///
    /// # Errors
    /// [`FormulaError::Infinite`] with the place when the result is infinite somewhere;
    /// [`FormulaError::Panel`] for unknown or textual columns, and for lags without unit and time.
    pub fn eval(&self, panel: &Panel) -> Result<Arc<Vec<f64>>, FormulaError> {
        refuse_codes(self, panel)?;
        let values = match numeric(self, panel)? {
            Value::Numbers(it) => it,
            Value::Number(it) => Arc::new(vec![it; panel.n_rows()]),
            _ => return Err(not_numeric(self)),
        };
        match values.iter().position(|it| it.is_infinite()) {
            None => Ok(values),
            Some(row) => Err(FormulaError::Infinite { expr: self.to_string(), place: panel.place(row) }),
        }
    }
}

/// Codes of months and quarters jump: as a quantity they are no time.
fn refuse_codes(expr: &Expr, panel: &Panel) -> Result<(), FormulaError> {
    let format = panel.calendar().format();
    match panel.index() {
        Some((_, time)) if format != TimeFormat::Number && expr.measures(time) => {
            Err(FormulaError::TimeCodes { time: time.clone(), expr: expr.to_string(), format })
        }
        _ => Ok(()),
    }
}

/// The value of an expression, text included.
pub(super) fn value(expr: &Expr, panel: &Panel) -> Result<Value, FormulaError> {
    match expr {
        Expr::Column(name) => column(name, panel),
        Expr::Number(it) => Ok(Value::Number(*it)),
        Expr::Missing => Ok(Value::Number(f64::NAN)),
        Expr::Text(it) => Ok(Value::Text(it.clone())),
        Expr::Group(it) => value(it, panel),
        Expr::Negate(it) => Ok(map(numeric(it, panel)?, |it| -it)),
        Expr::Not(it) => Ok(map(numeric(it, panel)?, |it| if it.is_nan() { it } else { truth(it == 0.0) })),
        Expr::In(it, levels) => compare::is_in(expr, value(it, panel)?, levels),
        Expr::Binary(..) => chain(expr, panel),
        Expr::Call(function, arguments) => call(expr, *function, arguments, panel),
        Expr::Shift(kind, of, by) => shifted(*kind, of, by.unwrap_or(1), panel),
    }
}

fn column(name: &str, panel: &Panel) -> Result<Value, FormulaError> {
    Ok(match panel.column(name)? {
        Column::Real(it) => Value::Numbers(Arc::clone(it)),
        Column::Codes(it) => match &*it.labels {
            Labels::Integers(_) | Labels::Reals(_) => Value::Numbers(panel.real(name)?),
            Labels::Text(_) | Labels::Combined(_) | Labels::Rows(_) => Value::Texts(it.clone()),
        },
    })
}

/// The value of an expression, which must not be text.
fn numeric(expr: &Expr, panel: &Panel) -> Result<Value, FormulaError> {
    require_numbers(expr, value(expr, panel)?)
}

fn require_numbers(expr: &Expr, value: Value) -> Result<Value, FormulaError> {
    if matches!(value, Value::Texts(_) | Value::Text(_)) { Err(not_numeric(expr)) } else { Ok(value) }
}

fn not_numeric(expr: &Expr) -> FormulaError {
    match expr {
        Expr::Column(name) => PanelError::NotNumeric { name: name.clone() }.into(),
        it => FormulaError::Text { expr: it.to_string() },
    }
}

/// `a + b + c + ...` nests to the left; a loop down that side keeps long sums off the stack.
fn chain(expr: &Expr, panel: &Panel) -> Result<Value, FormulaError> {
    let mut operations = Vec::new();
    let mut first = expr;
    while let Expr::Binary(operator, left, right) = first {
        operations.push((first, *operator, left, right));
        first = left;
    }
    let mut result = value(first, panel)?;
    for (whole, operator, left, right) in operations.into_iter().rev() {
        let other = value(right, panel)?;
        result = match operator {
            Operator::Equal | Operator::Unequal => {
                compare::equal(whole, result, other, operator == Operator::Equal)?
            }
            Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => {
                compare::refuse_order_of_text(whole, &result, &other)?;
                zip(result, other, order(operator))
            }
            _ => {
                let (a, b) = (require_numbers(left, result)?, require_numbers(right, other)?);
                arithmetic(operator, a, b)
            }
        };
    }
    Ok(result)
}

fn arithmetic(operator: Operator, left: Value, right: Value) -> Value {
    // One loop an operator, so that the compiler can use vector instructions.
    match operator {
        Operator::Subtract => zip(left, right, |a, b| a - b),
        Operator::Multiply => zip(left, right, |a, b| a * b),
        Operator::Divide => zip(left, right, |a, b| a / b),
        Operator::Remainder => zip(left, right, |a, b| a - (a / b).floor() * b),
        Operator::Quotient => zip(left, right, |a, b| (a / b).floor()),
        Operator::Power => zip(left, right, power),
        Operator::And => zip(left, right, both),
        Operator::Or => zip(left, right, either),
        // Comparisons do not come here.
        _ => zip(left, right, |a, b| a + b),
    }
}

fn order(operator: Operator) -> fn(f64, f64) -> f64 {
    match operator {
        Operator::Less => |a, b| unless_missing(a, b, a < b),
        Operator::AtMost => |a, b| unless_missing(a, b, a <= b),
        Operator::Greater => |a, b| unless_missing(a, b, a > b),
        _ => |a, b| unless_missing(a, b, a >= b),
    }
}

fn call(whole: &Expr, function: Function, arguments: &[Expr], panel: &Panel) -> Result<Value, FormulaError> {
    if let (Function::IsMissing, [only]) = (function, arguments) {
        return Ok(match value(only, panel)? {
            Value::Texts(it) => numbers(it.code.iter().map(|&code| truth(code == MISSING))),
            Value::Text(_) => Value::Number(0.0),
            it => map(it, |it| truth(it.is_nan())),
        });
    }
    let mut values =
        arguments.iter().map(|it| numeric(it, panel)).collect::<Result<Vec<Value>, _>>()?.into_iter();
    let Some(first) = values.next() else {
        return Err(FormulaError::Text { expr: whole.to_string() });
    };
    Ok(match function {
        Function::Identity | Function::IsMissing => first,
        Function::Log => map(first, f64::ln),
        Function::Log10 => map(first, f64::log10),
        Function::Log1p => map(first, f64::ln_1p),
        Function::Exp => map(first, f64::exp),
        Function::Sqrt => map(first, f64::sqrt),
        Function::Abs => map(first, f64::abs),
        Function::Asinh => map(first, f64::asinh),
        Function::Floor => map(first, f64::floor),
        Function::Round => map(first, f64::round_ties_even),
        Function::Pmin => values.fold(first, |a, b| zip(a, b, |a, b| pick(a, b, a < b))),
        Function::Pmax => values.fold(first, |a, b| zip(a, b, |a, b| pick(a, b, a > b))),
        Function::IfElse => {
            let yes = values.next().unwrap_or(Value::Number(f64::NAN));
            let no = values.next().unwrap_or(Value::Number(f64::NAN));
            if_else(&first, &yes, &no, panel.n_rows())
        }
    })
}

fn if_else(condition: &Value, yes: &Value, no: &Value, n: usize) -> Value {
    let all = [condition, yes, no].iter().all(|it| matches!(it, Value::Number(_)));
    let at = |it: &Value, row: usize| match it {
        Value::Numbers(it) => it.get(row).copied().unwrap_or(f64::NAN),
        Value::Number(it) => *it,
        Value::Texts(_) | Value::Text(_) => f64::NAN,
    };
    let choose = |row: usize| {
        let condition = at(condition, row);
        if condition.is_nan() { condition } else { at(if condition == 0.0 { no } else { yes }, row) }
    };
    if all { Value::Number(choose(0)) } else { numbers((0..n).map(choose)) }
}

fn shifted(kind: Shift, of: &Expr, by: i32, panel: &Panel) -> Result<Value, FormulaError> {
    let values = match numeric(of, panel)? {
        Value::Numbers(it) => it,
        Value::Number(it) => Arc::new(vec![it; panel.n_rows()]),
        Value::Texts(_) | Value::Text(_) => return Err(not_numeric(of)),
    };
    let shifted = match kind {
        Shift::Lag => shift(panel, &values, by)?,
        Shift::Lead => shift(panel, &values, by.saturating_neg())?,
        Shift::Difference => difference(panel, &values, by)?,
    };
    Ok(Value::Numbers(Arc::new(shifted)))
}

/// 1 for true and 0 for false.
pub(super) fn truth(it: bool) -> f64 {
    f64::from(u8::from(it))
}

pub(super) fn unless_missing(a: f64, b: f64, is_true: bool) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { truth(is_true) }
}

pub(super) fn numbers(values: impl Iterator<Item = f64>) -> Value {
    Value::Numbers(Arc::new(values.collect()))
}

/// False and missing is false: no value of the missing one could make it true.
fn both(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { unless_missing(a, b, true) }
}

/// True or missing is true.
fn either(a: f64, b: f64) -> f64 {
    let is_true = |it: f64| !it.is_nan() && it != 0.0;
    if is_true(a) || is_true(b) { 1.0 } else { unless_missing(a, b, false) }
}

fn pick(a: f64, b: f64, first: bool) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if first {
        a
    } else {
        b
    }
}

/// `powf` would make 1 of a missing base with exponent 0; a square is exact as a product.
fn power(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if b == 2.0 {
        a * a
    } else {
        a.powf(b)
    }
}

/// Applies `f` in place where nobody else holds the numbers.
pub(super) fn map(value: Value, f: impl Fn(f64) -> f64) -> Value {
    match value {
        Value::Number(it) => Value::Number(f(it)),
        Value::Numbers(mut shared) => {
            if let Some(own) = Arc::get_mut(&mut shared) {
                own.iter_mut().for_each(|it| *it = f(*it));
                return Value::Numbers(shared);
            }
            numbers(shared.iter().map(|&it| f(it)))
        }
        it @ (Value::Texts(_) | Value::Text(_)) => it,
    }
}

/// As [`map`] for two operands.
pub(super) fn zip(left: Value, right: Value, f: impl Fn(f64, f64) -> f64) -> Value {
    match (left, right) {
        (left, Value::Number(b)) => map(left, |a| f(a, b)),
        (Value::Number(a), right) => map(right, |b| f(a, b)),
        (Value::Numbers(mut left), Value::Numbers(mut right)) => {
            if let Some(own) = Arc::get_mut(&mut left) {
                own.iter_mut().zip(right.iter()).for_each(|(a, b)| *a = f(*a, *b));
                return Value::Numbers(left);
            }
            if let Some(own) = Arc::get_mut(&mut right) {
                own.iter_mut().zip(left.iter()).for_each(|(b, a)| *b = f(*a, *b));
                return Value::Numbers(right);
            }
            numbers(left.iter().zip(right.iter()).map(|(&a, &b)| f(a, b)))
        }
        (left, _) => left,
    }
}

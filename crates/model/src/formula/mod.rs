//! The formula language: `outcome ~ regressors | effects | endogenous ~ instruments`.
//!
//! The syntax is the one of R's fixest, so that a formula can be pasted from a script; the
//! differences are refused with a message that shows the place instead of being read in some
//! other way. [`Formula`] is the parsed model, [`Expr`] the arithmetic and logical language inside
//! it, which steps use alone ("`year >= 2011 & city != 'x'`").
//!
//! Reading:
//! - `a:b` interacts, `a*b` is `a + b + a:b`, `(a + b):c` distributes, `- a` takes a term out;
//!   `0`, `-1` take the intercept out. As in R, interactions come after main effects.
//! - `i(v)`, `i(v, x)`, `i(v, ref = 2011)` make one column a level; `l(x, 1:2)`, `f(x)`, `d(x)` are
//!   lags, leads and differences in time; `x^2` is `I(x^2)`.
//! - `| city + province^year` are effects to absorb, `| 0` is none.
//!
//! Missing numbers stay missing in every operation; infinite ones are refused with their place.

mod columns;
mod compare;
mod error;
mod eval;
mod expand;
mod expr;
mod factor;
mod function;
mod lexer;
mod names;
mod parser;
mod pratt;
mod quote;
mod sections;
mod sums;
mod term;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;

use parallax_base::Name;

pub use columns::{ModelColumns, NamedCodes, NamedColumn};
pub use error::{FormulaError, Place};
pub use expr::{Expr, Operator, Shift};
pub use function::Function;
pub use term::{Effect, Factor, Level, Part, Term};

/// A parsed model formula. Its text is [`fmt::Display`], which parses to an equal formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// Left of the `~`.
    pub outcome: Expr,
    /// True unless `0` or `-1` was written. With effects the intercept is among them; see
    /// [`ModelColumns::intercept`].
    pub intercept: bool,
    /// Right of the `~`: each term once, main effects before interactions.
    pub regressors: Vec<Term>,
    /// The effects to absorb, each once.
    pub effects: Vec<Effect>,
    /// The part `endogenous ~ instruments`, if there is one.
    pub instruments: Option<Instruments>,
}

/// The last part of a formula with instruments.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruments {
    /// Regressors that are instrumented.
    pub endogenous: Vec<Term>,
    /// What they are instrumented with, besides the exogenous regressors.
    pub instruments: Vec<Term>,
}

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    /// [`FormulaError::Syntax`], which prints the formula with a mark under the place.
    pub fn parse(text: &str) -> Result<Formula, FormulaError> {
        sections::parse(text)
    }

    /// The outcome as it is printed above a column of a table.
    pub fn outcome_name(&self) -> Name {
        self.outcome.name()
    }

    /// Every column of the data the formula reads, each once, in order of appearance.
    pub fn variables(&self) -> Vec<Name> {
        let mut names = self.outcome.variables();
        for term in self.terms() {
            names.extend(term.variables());
        }
        names.extend(self.effects.iter().flat_map(|it| it.parts.iter().cloned()));
        term::each_once(names)
    }

    /// True when a lag, a lead or a change over time is in it.
    pub fn shifts(&self) -> bool {
        let part = |it: &Part| match it {
            Part::Value(it) => it.shifts(),
            Part::Factor(it) => it.variable.shifts() || it.by.as_ref().is_some_and(Expr::shifts),
        };
        self.outcome.shifts() || self.terms().flat_map(|it| &it.parts).any(part)
    }

    /// All terms: regressors, then endogenous ones, then instruments.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &Term> {
        let (endogenous, instruments) = match &self.instruments {
            Some(it) => (it.endogenous.as_slice(), it.instruments.as_slice()),
            None => (&[][..], &[][..]),
        };
        self.regressors.iter().chain(endogenous).chain(instruments)
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ~ ", self.outcome)?;
        match (self.intercept, self.regressors.is_empty()) {
            (true, true) => f.write_str("1")?,
            (false, true) => f.write_str("0")?,
            (true, false) => term::write_sum(f, &self.regressors)?,
            (false, false) => {
                f.write_str("0 + ")?;
                term::write_sum(f, &self.regressors)?;
            }
        }
        if !self.effects.is_empty() {
            f.write_str(" | ")?;
            term::write_sum(f, &self.effects)?;
        }
        if let Some(it) = &self.instruments {
            f.write_str(" | ")?;
            term::write_sum(f, &it.endogenous)?;
            f.write_str(" ~ ")?;
            term::write_sum(f, &it.instruments)?;
        }
        Ok(())
    }
}

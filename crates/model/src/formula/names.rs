//! A formula made of columns, where a name is a name and nothing in it is read.

use parallax_base::Name;

use super::{Effect, Expr, Formula, Part, Term, term::each_once};

impl Formula {
    /// `outcome ~ regressors | effects`, each of them one column; a column named twice is there once.
    ///
    /// Every formula that is made of names comes from here: pasted into text, `x-1` would take the constant out.
    pub fn of_columns(outcome: &Name, regressors: &[Name], effects: &[Name]) -> Formula {
        let term = |it: Name| Term { parts: vec![Part::Value(Expr::Column(it))] };
        Formula {
            outcome: Expr::Column(outcome.clone()),
            intercept: true,
            regressors: each_once(regressors.to_vec()).into_iter().map(term).collect(),
            effects: each_once(effects.to_vec()).into_iter().map(|it| Effect { parts: vec![it] }).collect(),
            instruments: None,
        }
    }
}

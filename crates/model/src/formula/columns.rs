//! A formula on a panel: [`ModelColumns`].

use std::sync::Arc;

use parallax_base::{Name, Note, counted, shown};
use parallax_panel::{Codes, Panel};

use super::{Expr, Factor, Formula, FormulaError, Part, expand::Expansion, factor::is_text, term::Effect};

/// What a formula names, over all rows of a panel. Missing values are still in.
#[derive(Clone, Debug)]
pub struct ModelColumns {
    /// The outcome.
    pub outcome: NamedColumn,
    /// True when the model has an intercept of its own: none was taken out, and no effects absorb it.
    pub intercept: bool,
    /// The columns of the regressors.
    pub regressors: Vec<NamedColumn>,
    /// The effects to absorb.
    pub effects: Vec<NamedCodes>,
    /// The columns of the endogenous regressors.
    pub endogenous: Vec<NamedColumn>,
    /// The columns of the instruments.
    pub instruments: Vec<NamedColumn>,
}

/// A column of numbers under the name its coefficient has.
#[derive(Clone, Debug)]
pub struct NamedColumn {
    /// The coefficient's name, as fixest prints it.
    pub name: Name,
    /// One number a row of the panel.
    pub values: Arc<Vec<f64>>,
    /// The position of the term it came from in its list of the formula; 0 for the outcome.
    pub term: usize,
}

/// Group codes of an effect.
#[derive(Clone, Debug)]
pub struct NamedCodes {
    /// The effect, `province^year` when combined.
    pub name: Name,
    /// One code a row of the panel.
    pub codes: Codes,
}

impl Formula {
    /// The columns of the model over all rows of the panel.
    ///
    /// Factors have one column a level that occurs in the rows `levels_from` (in any row without),
    /// ascending. Levels of `ref =` are left out. Without `ref =` and without a second variable the
    /// lowest level is left out when the model has the term without that factor; for `i(v)` alone
    /// that is the intercept, effects, or all levels of an earlier factor. A text column among the
    /// regressors is a factor.
    ///
    /// # Errors
    /// As [`super::Expr::eval`], and for references that are no level and factors with too many.
    pub fn columns(&self, panel: &Panel, levels_from: Option<&[u32]>) -> Result<ModelColumns, FormulaError> {
        let outcome = NamedColumn { name: self.outcome.name(), values: self.outcome.eval(panel)?, term: 0 };
        let effects = self.effects.iter().map(|it| it.codes(panel)).collect::<Result<Vec<_>, _>>()?;
        let constant = self.intercept || !effects.is_empty();
        let mut expansion = Expansion::new(panel, levels_from, &self.regressors, constant);
        let regressors = expansion.terms(&self.regressors)?;
        let (endogenous, instruments) = match &self.instruments {
            None => (Vec::new(), Vec::new()),
            Some(it) => (expansion.terms(&it.endogenous)?, expansion.terms(&it.instruments)?),
        };
        let intercept = self.intercept && effects.is_empty();
        Ok(ModelColumns { outcome, intercept, regressors, effects, endogenous, instruments })
    }

    /// True when some term makes one column a level, so that the columns depend on the rows they are made for.
    pub fn has_factors(&self, panel: &Panel) -> bool {
        self.terms().flat_map(|it| &it.parts).any(|it| match it {
            Part::Factor(_) => true,
            Part::Value(it) => is_text(it, panel),
        })
    }
}

impl Formula {
    /// A note for each bare column of text among the regressors, which becomes dummies.
    pub(crate) fn text_notes(&self, panel: &Panel) -> Vec<Note> {
        let mut seen: Vec<Name> = Vec::new();
        for part in self.terms().flat_map(|it| &it.parts) {
            let expr = match part {
                Part::Value(it) => it,
                Part::Factor(Factor { by: Some(it), .. }) => it,
                Part::Factor(_) => continue,
            };
            if let Expr::Column(name) = expr
                && is_text(expr, panel)
                && !seen.contains(name)
            {
                seen.push(name.clone());
            }
        }
        let note = |name: &Name| {
            let codes = panel.codes(name).ok()?;
            let values = counted(codes.n_groups(), "value");
            let example = shown(&codes.labels.text(0));
            Some(Note::remark(format!(
                "`{name}` is text with {values}, for instance `{example}`, and was made into dummies; i({name}) says the same"
            )))
        };
        seen.iter().filter_map(note).collect()
    }
}

impl Effect {
    fn codes(&self, panel: &Panel) -> Result<NamedCodes, FormulaError> {
        let mut parts =
            self.parts.iter().map(|it| panel.codes(it).cloned()).collect::<Result<Vec<_>, _>>()?;
        let codes = match (parts.pop(), parts.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                parts.extend(last);
                Codes::combined(&parts)
            }
        };
        Ok(NamedCodes { name: self.name(), codes })
    }
}

//! The functions an expression may call, and advice for those it may not.

use parallax_base::with_suggestion;

/// A function of one or several numbers of the same row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Function {
    /// `I(x)`: the expression itself.
    Identity,
    /// Natural logarithm; missing for negative numbers.
    Log,
    /// Logarithm to base 10.
    Log10,
    /// `log(1 + x)`, exact for small x.
    Log1p,
    /// Exponential.
    Exp,
    /// Square root; missing for negative numbers.
    Sqrt,
    /// Absolute value.
    Abs,
    /// Inverse hyperbolic sine.
    Asinh,
    /// Largest whole number not above.
    Floor,
    /// Nearest whole number, halves to even as R does.
    Round,
    /// Smallest of several.
    Pmin,
    /// Largest of several.
    Pmax,
    /// `ifelse(condition, yes, no)`; missing where the condition is.
    IfElse,
    /// True where the value is missing, never missing itself.
    IsMissing,
}

const NAMES: [(&str, Function); 16] = [
    ("I", Function::Identity),
    ("log", Function::Log),
    ("log10", Function::Log10),
    ("log1p", Function::Log1p),
    ("exp", Function::Exp),
    ("sqrt", Function::Sqrt),
    ("abs", Function::Abs),
    ("asinh", Function::Asinh),
    ("floor", Function::Floor),
    ("round", Function::Round),
    ("pmin", Function::Pmin),
    ("pmax", Function::Pmax),
    ("ifelse", Function::IfElse),
    ("is_missing", Function::IsMissing),
    ("is.na", Function::IsMissing),
    ("ln", Function::Log),
];

impl Function {
    /// The function of that name.
    pub fn named(name: &str) -> Option<Function> {
        NAMES.iter().find(|(it, _)| *it == name).map(|(_, function)| *function)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }

    /// Fewest and most arguments.
    pub(super) fn arity(self) -> (usize, usize) {
        match self {
            Function::Pmin | Function::Pmax => (2, usize::MAX),
            Function::IfElse => (3, 3),
            _ => (1, 1),
        }
    }
}

/// What to say about a function that does not exist here.
pub(super) fn unknown(name: &str) -> String {
    if let Some((_, advice)) = ADVICE.iter().find(|(it, _)| it.contains(&name)) {
        return format!("`{name}()` is not supported: {advice}");
    }
    let special = ["i", "l", "f", "d", "factor", "c"];
    let known: Vec<&str> = NAMES.iter().map(|(it, _)| *it).chain(special).collect();
    format!("there is no function `{name}`{}", with_suggestion(name, known))
}

const ADVICE: [(&[&str], &str); 7] = [
    (
        &["lag", "lead", "diff", "shift", "L", "F", "D"],
        "write l(x, 1) for a lag, f(x, 1) for a lead, d(x) for a difference",
    ),
    (&["sw", "sw0", "csw", "csw0", "mvsw"], "write one formula a model"),
    (&["sunab"], "choose the estimator for it instead"),
    (
        &["mean", "sum", "sd", "median", "ave", "min", "max", "scale"],
        "derive that column in a step before the model",
    ),
    (&["poly", "bs", "ns", "s"], "write the powers, as in x + x^2"),
    (&["bin", "cut"], "use ifelse(), pmin() and pmax() to group values"),
    (&["offset"], "give the offset as an option of the estimator"),
];

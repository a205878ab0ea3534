//! The law about names of columns: a name is a name, whatever signs it has.

use std::collections::BTreeMap;

use parallax_model::{
    AbsorptionCache, Entry, Estimate, Formula, ModelSpec, Name, Panel, SmallSample, VcovSpec,
    formula::{Expr, Factor, Part, Term},
    vcov::VcovError,
};
use serde_json::Value;

use super::{request, tables};
use crate::Random;

/// Names that mean something in formulas, requests for a covariance, tables or files, and some that are only odd.
const ODD: &[&str] = &[
    "x-1",
    "y*2",
    "a+b",
    "a^b",
    "a:b",
    "a::1",
    "a|b",
    "~",
    "y ~ x",
    "0",
    "1",
    "-1",
    "2004",
    "1e5",
    ".5",
    "l",
    "i",
    "d",
    "log",
    "I",
    "I(x^2)",
    "l(x,1)",
    "log(y)",
    "TRUE",
    "NA",
    ".",
    "x.y",
    "year of obs",
    " lead",
    "trail ",
    "`",
    "a`b",
    "(",
    ")",
    "[",
    "\"",
    "'",
    "\\",
    "#",
    "=",
    "a=b",
    "a,b",
    "{x}",
    "%in%",
    "(Intercept)",
    "event:-1",
    "att",
    "att:0",
    "GDP (亿元)",
    "城市",
    "Løn",
    "e\u{301}",
    "β",
    "у",
    "\u{1f600}",
    "a\tb",
    "_",
    "treatment",
    "unit",
    "year",
    "y",
    "cohort",
    "x1",
];

const COLUMNS: [&str; 11] = ["unit", "year", "group", "y", "x1", "x2", "d", "w", "row", "cohort", "kind"];

/// Columns under random odd names give the same bits, and a request with such names is read back as it is written.
pub fn names_of_columns(entry: &Entry) -> Result<(), String> {
    const DRAWS: usize = 3;
    let mut random = Random::new(33);
    for table in tables(entry) {
        for &kind in entry.meta.capabilities.vcov {
            let mut spec = request(entry, kind, SmallSample::FIXEST)?;
            spec.weights = entry.meta.capabilities.weights.then(|| "w".into());
            let plain = fit_named(entry, &table.panel().map_err(|it| it.to_string())?, &spec)?;
            for _ in 0..DRAWS {
                let renaming = Renaming::random(&mut random);
                let panel = table.panel_named(|it| renaming.name(it)).map_err(|it| it.to_string())?;
                let renamed = renaming.spec(entry, &spec)?;
                let with_names = |it: String| format!("{}, {}: {it}", renamed.formula, renamed.vcov);
                read_back(&renamed)?;
                let odd = fit_named(entry, &panel, &renamed).map_err(with_names)?;
                same_numbers(&plain, &odd).map_err(with_names)?;
            }
        }
    }
    Ok(())
}

/// A new name for each column of [`crate::Table`].
struct Renaming(BTreeMap<&'static str, Name>);

impl Renaming {
    fn random(random: &mut Random) -> Renaming {
        let order = random.order(ODD.len());
        Renaming(COLUMNS.iter().zip(order).map(|(&from, to)| (from, Name::from(ODD[to]))).collect())
    }

    fn name(&self, of: &str) -> Name {
        self.0.get(of).cloned().unwrap_or_else(|| Name::from(of))
    }

    fn spec(&self, entry: &Entry, spec: &ModelSpec) -> Result<ModelSpec, String> {
        let read = entry.columns(&spec.options).map_err(|it| it.to_string())?;
        let mut read: Vec<Name> = read.required.into_iter().chain(read.optional).collect();
        // Some options name a regressor of the formula.
        read.extend(spec.formula.variables());
        let mut options = spec.options.clone();
        options.values_mut().for_each(|it| self.option(it, &read));
        Ok(ModelSpec {
            formula: self.formula(&spec.formula),
            weights: spec.weights.as_ref().map(|it| self.name(it)),
            vcov: match &spec.vcov {
                VcovSpec::Cluster { by } => {
                    VcovSpec::Cluster { by: by.iter().map(|it| self.name(&it.name()).into()).collect() }
                }
                other => other.clone(),
            },
            options,
            ..spec.clone()
        })
    }

    fn option(&self, value: &mut Value, read: &[Name]) {
        match value {
            Value::String(it) if read.iter().any(|name| name.as_str() == it) => {
                *it = self.name(it).to_string();
            }
            Value::Array(several) => several.iter_mut().for_each(|it| self.option(it, read)),
            _ => {}
        }
    }

    fn formula(&self, formula: &Formula) -> Formula {
        let mut renamed = formula.clone();
        renamed.outcome = self.expr(&formula.outcome);
        renamed.regressors.iter_mut().for_each(|it| *it = self.term(it));
        renamed.effects.iter_mut().flat_map(|it| &mut it.parts).for_each(|it| *it = self.name(it));
        if let Some(it) = &mut renamed.instruments {
            it.endogenous.iter_mut().chain(&mut it.instruments).for_each(|it| *it = self.term(it));
        }
        renamed
    }

    fn term(&self, term: &Term) -> Term {
        let part = |it: &Part| match it {
            Part::Value(it) => Part::Value(self.expr(it)),
            Part::Factor(it) => Part::Factor(Factor {
                variable: self.expr(&it.variable),
                by: it.by.as_ref().map(|it| self.expr(it)),
                reference: it.reference.clone(),
            }),
        };
        Term { parts: term.parts.iter().map(part).collect() }
    }

    fn expr(&self, expr: &Expr) -> Expr {
        let boxed = |it: &Expr| Box::new(self.expr(it));
        match expr {
            Expr::Column(it) => Expr::Column(self.name(it)),
            Expr::Negate(it) => Expr::Negate(boxed(it)),
            Expr::Not(it) => Expr::Not(boxed(it)),
            Expr::Group(it) => Expr::Group(boxed(it)),
            Expr::Binary(operator, left, right) => Expr::Binary(*operator, boxed(left), boxed(right)),
            Expr::In(it, levels) => Expr::In(boxed(it), levels.clone()),
            Expr::Call(function, arguments) => {
                Expr::Call(*function, arguments.iter().map(|it| self.expr(it)).collect())
            }
            Expr::Shift(kind, it, by) => Expr::Shift(*kind, boxed(it), *by),
            other => other.clone(),
        }
    }
}

fn fit_named(entry: &Entry, panel: &Panel, spec: &ModelSpec) -> Result<Estimate, String> {
    entry.fit(panel, spec, &AbsorptionCache::default()).map_err(|it| it.to_string())
}

fn read_back(spec: &ModelSpec) -> Result<(), String> {
    let formula = Formula::parse(&spec.formula.to_string()).map_err(|it| it.to_string())?;
    let vcov: VcovSpec = spec.vcov.to_string().parse().map_err(|it: VcovError| it.to_string())?;
    if formula == spec.formula && vcov == spec.vcov {
        return Ok(());
    }
    Err(format!("`{}` and `{}` are read back as `{formula}` and `{vcov}`", spec.formula, spec.vcov))
}

fn same_numbers(plain: &Estimate, odd: &Estimate) -> Result<(), String> {
    let bits = |it: &[f64]| it.iter().map(|it| it.to_bits()).collect::<Vec<u64>>();
    let matrix = |it: &Estimate| {
        let k = it.coef.len();
        (0..k * k).map(|at| it.vcov.matrix[(at / k, at % k)].to_bits()).collect::<Vec<u64>>()
    };
    if bits(&plain.coef) != bits(&odd.coef) || matrix(plain) != matrix(odd) {
        return Err(format!(
            "coefficients {:?} became {:?}, or their covariance moved",
            plain.coef, odd.coef
        ));
    }
    let stats =
        |it: &Estimate| it.stats.iter().map(|(name, value)| (name, value.to_bits())).collect::<Vec<_>>();
    if stats(plain) != stats(odd) || plain.sample.hash != odd.sample.hash {
        return Err("statistics or the row set moved".to_owned());
    }
    let details = |it: &Estimate| {
        let columns = it.details.iter().flat_map(|it| it.columns.iter().map(|it| &it.values));
        columns.filter_map(|it| it.numbers().map(bits)).collect::<Vec<_>>()
    };
    if details(plain) != details(odd) {
        return Err("numbers of the details moved".to_owned());
    }
    if plain.notes.len() != odd.notes.len() {
        return Err(format!("notes {:?} became {:?}", plain.notes, odd.notes));
    }
    Ok(())
}

#![doc = include_str!("../docs/derive.md")]

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use parallax_model::{Expr, Name, Panel, PluginMeta, Status, Step, StepError, Stepped, panel::Column};
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
};

use crate::target;

parallax_model::step!(Derive);

const NAME: &str = "derive";

/// Makes columns from expressions over others.
pub struct Derive;

/// What to make.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// New column = expression; made in the order written, so that later ones can use earlier ones.
    #[schemars(with = "BTreeMap<String, String>")]
    pub columns: Definitions,
}

/// New columns in the order written.
#[derive(Clone, Debug, PartialEq)]
pub struct Definitions(Vec<Definition>);

#[derive(Clone, Debug, PartialEq)]
struct Definition {
    name: Name,
    text: String,
    expr: Expr,
}

impl Step for Derive {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Columns from expressions over other columns",
        docs: include_str!("../docs/derive.md"),
        status: Status::Stable { since: "0.1.0" },
        reference: "R Core Team, An Introduction to R, ch. 2 (arithmetic and logical vectors)",
    };
    type Options = Options;

    fn apply(panel: &Panel, options: &Options) -> Result<Stepped, StepError> {
        let mut panel = panel.clone();
        let mut notes = Vec::new();
        if options.columns.0.is_empty() {
            let reason = "`columns` is empty; write for example columns = { ratio = \"a / b\" }".to_owned();
            return Err(StepError::Options { plugin: NAME, reason });
        }
        for Definition { name, text, expr } in &options.columns.0 {
            target::refuse_index(&panel, NAME, name)?;
            let values = expr.eval(&panel)?;
            notes.extend(target::account(
                &panel,
                NAME,
                name,
                &values,
                &format!(" where `{text}` has no value"),
            ));
            panel = panel.with(name.clone(), Column::Real(values))?;
        }
        Ok(Stepped { panel, details: Vec::new(), notes })
    }

    fn reads(options: &Options) -> Vec<Name> {
        let mut made: HashSet<&Name> = HashSet::new();
        let mut reads = Vec::new();
        for it in &options.columns.0 {
            for name in it.expr.variables() {
                if !made.contains(&name) && !reads.contains(&name) {
                    reads.push(name);
                }
            }
            made.insert(&it.name);
        }
        reads
    }

    fn writes(options: &Options) -> Vec<Name> {
        options.columns.0.iter().map(|it| it.name.clone()).collect()
    }
}

impl Serialize for Definitions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|it| (it.name.as_str(), it.text.as_str())))
    }
}

impl<'de> Deserialize<'de> for Definitions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Definitions, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

/// Reads a map without sorting it, and its expressions, so that a slip in one is found before data are read.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Definitions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names with expressions, such as { ratio = \"a / b\" }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Definitions, A::Error> {
        let mut all: Vec<Definition> = Vec::new();
        while let Some((name, text)) = map.next_entry::<Name, String>()? {
            if name.trim().is_empty() {
                return Err(A::Error::custom("a column of `columns` has an empty name"));
            }
            if all.iter().any(|it| it.name == name) {
                return Err(A::Error::custom(format_args!("`{name}` is defined twice")));
            }
            let expr = Expr::parse(&text).map_err(|it| A::Error::custom(format_args!("`{name}`: {it}")))?;
            all.push(Definition { name, text, expr });
        }
        Ok(Definitions(all))
    }
}

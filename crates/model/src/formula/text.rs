//! Formulas and expressions in study files are their text.

use std::{borrow::Cow, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{Expr, Formula, FormulaError};

macro_rules! is_its_text {
    ($type:ident, $title:literal, $description:literal) => {
        impl FromStr for $type {
            type Err = FormulaError;

            fn from_str(text: &str) -> Result<$type, FormulaError> {
                $type::parse(text)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                $type::parse(&text).map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $title.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $description })
            }
        }
    };
}

is_its_text!(
    Formula,
    "Formula",
    "A model formula, `outcome ~ regressors | effects | endogenous ~ instruments`, as in R's fixest"
);
is_its_text!(
    Expr,
    "Expression",
    "Arithmetic or a condition over columns, such as `year >= 2011 & city != 'x'`"
);

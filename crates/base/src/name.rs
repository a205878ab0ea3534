//! A column, unit or model name: cheap to clone, compared by its text.

use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A name in UTF-8, shared rather than copied.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Name(#[schemars(with = "String")] Arc<str>);

impl Name {
    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(it: &str) -> Name {
        Name(it.into())
    }
}

impl From<String> for Name {
    fn from(it: String) -> Name {
        Name(it.into())
    }
}

impl From<&String> for Name {
    fn from(it: &String) -> Name {
        Name(it.as_str().into())
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

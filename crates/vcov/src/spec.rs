//! The request, as text in a study file or after `--vcov`.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{ClusterBy, VcovError, cluster_by};

/// Which covariance. A closed set: its corrections meet the absorbed effects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VcovSpec {
    /// Independent errors of one variance.
    Iid,
    /// Heteroskedasticity-robust.
    Hc(HcKind),
    /// Clustered by one or several groupings (`a^b` combines columns into one).
    Cluster {
        /// Groupings; more than one means multi-way.
        by: Vec<ClusterBy>,
    },
}

/// MacKinnon and White (1985), J. Econometrics 29: how residuals are inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HcKind {
    /// Residuals as they are.
    Hc0,
    /// Times n/(n-K).
    Hc1,
    /// Divided by 1-h.
    Hc2,
    /// Divided by (1-h)^2.
    Hc3,
}

/// The kinds without their columns, for lists of what an estimator supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VcovKind {
    /// `iid`
    Iid,
    /// `hc0`, `hc1`
    Robust,
    /// `hc2`, `hc3`: need exact leverages
    Leverage,
    /// `cluster:A`
    Cluster,
    /// `cluster:A+B`
    Multiway,
}

impl VcovSpec {
    /// The kind, for checks against what an estimator supports.
    pub fn kind(&self) -> VcovKind {
        match self {
            VcovSpec::Iid => VcovKind::Iid,
            VcovSpec::Hc(HcKind::Hc0 | HcKind::Hc1) => VcovKind::Robust,
            VcovSpec::Hc(HcKind::Hc2 | HcKind::Hc3) => VcovKind::Leverage,
            VcovSpec::Cluster { by } if by.len() < 2 => VcovKind::Cluster,
            VcovSpec::Cluster { .. } => VcovKind::Multiway,
        }
    }

    /// The cluster columns; none for other kinds.
    pub fn clusters(&self) -> &[ClusterBy] {
        match self {
            VcovSpec::Cluster { by } => by,
            VcovSpec::Iid | VcovSpec::Hc(_) => &[],
        }
    }
}

impl fmt::Display for VcovKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            VcovKind::Iid => "iid",
            VcovKind::Robust => "hc0, hc1",
            VcovKind::Leverage => "hc2, hc3",
            VcovKind::Cluster => "one-way clusters",
            VcovKind::Multiway => "multi-way clusters",
        })
    }
}

impl fmt::Display for HcKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HcKind::Hc0 => "hc0",
            HcKind::Hc1 => "hc1",
            HcKind::Hc2 => "hc2",
            HcKind::Hc3 => "hc3",
        })
    }
}

impl fmt::Display for VcovSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VcovSpec::Iid => f.write_str("iid"),
            VcovSpec::Hc(it) => write!(f, "{it}"),
            VcovSpec::Cluster { by } => {
                let by: Vec<String> = by.iter().map(ToString::to_string).collect();
                write!(f, "cluster:{}", by.join("+"))
            }
        }
    }
}

impl FromStr for VcovSpec {
    type Err = VcovError;

    fn from_str(text: &str) -> Result<VcovSpec, VcovError> {
        let unknown = |hint: &str| VcovError::Unknown { text: text.to_owned(), hint: hint.to_owned() };
        let (kind, rest) = match text.trim().split_once(':') {
            Some((kind, rest)) => (kind.trim(), Some(rest)),
            None => (text.trim(), None),
        };
        match (kind, rest) {
            ("iid", None) => Ok(VcovSpec::Iid),
            ("hc0", None) => Ok(VcovSpec::Hc(HcKind::Hc0)),
            ("hc1", None) => Ok(VcovSpec::Hc(HcKind::Hc1)),
            ("hc2", None) => Ok(VcovSpec::Hc(HcKind::Hc2)),
            ("hc3", None) => Ok(VcovSpec::Hc(HcKind::Hc3)),
            ("cluster", Some(columns)) => {
                let by = cluster_by::read(columns).map_err(unknown)?;
                if by.iter().enumerate().any(|(at, it)| by[..at].contains(it)) {
                    return Err(unknown("; a cluster column is named twice"));
                }
                if MOST_CLUSTERS < by.len() {
                    return Err(unknown("; at most 6 cluster columns, since terms double with each"));
                }
                Ok(VcovSpec::Cluster { by })
            }
            ("cluster", None) => Err(unknown("; name the column, as in cluster:city")),
            ("crv3" | "cr2" | "newey-west" | "driscoll-kraay" | "conley", _) => {
                Err(unknown("; that kind is designed but not built yet"))
            }
            ("robust" | "hetero" | "HC1", _) => Err(unknown("; heteroskedasticity-robust is hc1")),
            _ => Err(unknown("")),
        }
    }
}

const MOST_CLUSTERS: usize = 6;

impl Serialize for VcovSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VcovSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<VcovSpec, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for VcovSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "VcovSpec".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(iid|hc[0-3]|cluster:.+)$",
            "description": "iid, hc0, hc1, hc2, hc3, cluster:A, cluster:A+B; a column with + or ^ in its name in back-ticks"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_back_as_written() {
        for text in ["iid", "hc0", "hc3", "cluster:city", "cluster:province^year+city"] {
            assert_eq!(text.parse::<VcovSpec>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn columns_with_signs_stay_columns() {
        for name in
            ["a+b", "a^b", "`", "x`y", " lead", r"back\slash", "firm.id", "year of obs", r"`\`", "省+市"]
        {
            let spec = VcovSpec::Cluster { by: vec![name.into(), "year".into()] };
            assert_eq!(spec.to_string().parse::<VcovSpec>().unwrap(), spec, "{spec}");
            assert_eq!(spec.clusters()[0].columns(), [name.into()]);
        }
        let both: VcovSpec = "cluster: `a^b` ^ c + d".parse().unwrap();
        assert_eq!(both.clusters()[0].columns(), ["a^b".into(), "c".into()]);
        assert_eq!(both.clusters()[1], "d".into());
    }

    #[test]
    fn unknown_requests_say_what_there_is() {
        let text = |it: &str| it.parse::<VcovSpec>().unwrap_err().to_string();
        assert!(text("robust").ends_with("robust is hc1"));
        assert!(text("cluster").ends_with("as in cluster:city"));
        assert!(text("cluster:a+a").ends_with("named twice"));
        assert!(text("conley:200").ends_with("not built yet"));
        assert!(text("iid:x").contains("is not one of iid, hc0"));
        assert!(text("cluster:a+").contains("name the columns"));
        assert!(text("cluster:`a").contains("never closed"));
        assert!(text("cluster:`a`b").contains("between columns"));
    }
}

//! Small-sample rules, spelled out as data, and the presets that are what other programs do.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::VcovError;

/// How a variance is scaled for a finite sample.
///
/// K is the number of parameters, regressors plus the absorbed effects that `effects` and `count`
/// say; n the rows; G the clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SmallSample {
    /// The program these rules come from, or `custom`.
    pub preset: Preset,
    /// Where n and K enter.
    pub sample: SampleScale,
    /// Which absorbed effects count in K.
    pub effects: EffectDof,
    /// How their levels are counted.
    pub count: EffectCount,
    /// The factor G/(G-1).
    pub clusters: ClusterScale,
}

/// A program's name for a set of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// R fixest's `ssc()` defaults (0.14).
    Fixest,
    /// Stata's reghdfe.
    Reghdfe,
    /// Stata's xtreg (fe and re) and regress.
    Xtreg,
    /// R plm's `vcovHC` default: no factor on sandwiches.
    Plm,
    /// No correction at all; iid divides by n.
    None,
    /// Rules written out in a study file.
    Custom,
}

/// Where n and K enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SampleScale {
    /// iid: RSS/(n-K); HC1: n/(n-K); clusters: (n-1)/(n-K).
    All,
    /// iid: RSS/(n-K); HC1: n/(n-K); clusters: no factor.
    NoClusters,
    /// iid: RSS/n; HC1 = HC0; clusters: no factor.
    Never,
}

/// Which absorbed effects count in K.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EffectDof {
    /// None of them.
    None,
    /// Those not nested in a cluster variable.
    NonNested,
    /// All of them.
    Full,
}

/// How levels of several effects are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EffectCount {
    /// One redundant level for each effect after the first.
    Levels,
    /// Redundant levels by connected components with each earlier effect (reghdfe's pairwise rule).
    Components,
}

/// The factor for few clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterScale {
    /// No factor.
    None,
    /// G/(G-1) with the smallest G for every multi-way term.
    Smallest,
    /// G/(G-1) with each multi-way term's own G.
    Each,
}

impl SmallSample {
    /// R fixest 0.14: `ssc(K.adj = TRUE, K.fixef = "nonnested", G.adj = TRUE, G.df = "min")`.
    pub const FIXEST: SmallSample = SmallSample {
        preset: Preset::Fixest,
        sample: SampleScale::All,
        effects: EffectDof::NonNested,
        count: EffectCount::Levels,
        clusters: ClusterScale::Smallest,
    };
    /// reghdfe: as fixest, with redundant levels counted by connected components.
    pub const REGHDFE: SmallSample =
        SmallSample { preset: Preset::Reghdfe, count: EffectCount::Components, ..SmallSample::FIXEST };
    /// xtreg and regress: as reghdfe where those programs allow the request.
    pub const XTREG: SmallSample = SmallSample { preset: Preset::Xtreg, ..SmallSample::REGHDFE };
    /// plm: n-K in the error variance, no factor on sandwiches.
    pub const PLM: SmallSample = SmallSample {
        preset: Preset::Plm,
        sample: SampleScale::NoClusters,
        effects: EffectDof::Full,
        count: EffectCount::Components,
        clusters: ClusterScale::None,
    };
    /// Nothing.
    pub const NONE: SmallSample = SmallSample {
        preset: Preset::None,
        sample: SampleScale::Never,
        effects: EffectDof::Full,
        count: EffectCount::Levels,
        clusters: ClusterScale::None,
    };
    /// The presets, in the order tables list them.
    pub const PRESETS: [SmallSample; 5] =
        [SmallSample::FIXEST, SmallSample::REGHDFE, SmallSample::XTREG, SmallSample::PLM, SmallSample::NONE];
}

/// What is read is the name of a preset.
impl JsonSchema for SmallSample {
    fn schema_name() -> Cow<'static, str> {
        "SmallSample".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = SmallSample::PRESETS.map(|it| it.to_string());
        json_schema!({ "type": "string", "enum": names, "description": "Rules for small samples." })
    }
}

impl Default for SmallSample {
    fn default() -> SmallSample {
        SmallSample::FIXEST
    }
}

impl Preset {
    /// The name as written in study files.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Fixest => "fixest",
            Preset::Reghdfe => "reghdfe",
            Preset::Xtreg => "xtreg",
            Preset::Plm => "plm",
            Preset::None => "none",
            Preset::Custom => "custom",
        }
    }
}

impl fmt::Display for SmallSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.preset.name())
    }
}

impl FromStr for SmallSample {
    type Err = VcovError;

    fn from_str(text: &str) -> Result<SmallSample, VcovError> {
        SmallSample::PRESETS
            .into_iter()
            .find(|it| it.preset.name() == text)
            .ok_or_else(|| VcovError::UnknownPreset { text: text.to_owned() })
    }
}

/// A preset's name, or every rule written out.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Preset(String),
    Rules(Rules),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Rules {
    sample: SampleScale,
    effects: EffectDof,
    count: EffectCount,
    clusters: ClusterScale,
}

impl<'de> Deserialize<'de> for SmallSample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SmallSample, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Preset(it) => it.parse().map_err(serde::de::Error::custom),
            Written::Rules(Rules { sample, effects, count, clusters }) => {
                Ok(SmallSample { preset: Preset::Custom, sample, effects, count, clusters })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_read_by_name_and_rules_by_field() {
        let read = |it: &str| serde_json::from_str::<SmallSample>(it);
        assert_eq!(read("\"reghdfe\"").unwrap(), SmallSample::REGHDFE);
        assert!(read("\"stata\"").is_err());
        let custom = read(r#"{"sample":"all","effects":"full","count":"levels","clusters":"each"}"#).unwrap();
        assert_eq!((custom.preset, custom.effects), (Preset::Custom, EffectDof::Full));
    }
}

#![doc = include_str!("../docs/trim.md")]

use parallax_model::{Name, Panel, PluginMeta, Status, Step, StepError, Stepped};

use crate::cut::{self, Options};

parallax_model::step!(Trim);

/// Makes values beyond percentiles missing.
pub struct Trim;

impl Step for Trim {
    const META: PluginMeta = PluginMeta {
        name: "trim",
        summary: "Make values beyond percentiles missing",
        docs: include_str!("../docs/trim.md"),
        status: Status::Stable { since: "0.2.0" },
        reference: "Tukey and McLaughlin (1963), Sankhya A 25(3); winsor2, trim (Lian 2014) for Stata",
    };
    type Options = Options;

    fn apply(panel: &Panel, options: &Options) -> Result<Stepped, StepError> {
        cut::apply(panel, options, Self::META.name, "made missing", |_| f64::NAN)
    }

    fn reads(options: &Options) -> Vec<Name> {
        options.reads()
    }

    fn writes(options: &Options) -> Vec<Name> {
        options.writes()
    }
}

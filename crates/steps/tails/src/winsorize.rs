#![doc = include_str!("../docs/winsorize.md")]

use parallax_model::{Name, Panel, PluginMeta, Status, Step, StepError, Stepped};

use crate::cut::{self, Options};

parallax_model::step!(Winsorize);

/// Sets values beyond percentiles to the percentiles.
pub struct Winsorize;

impl Step for Winsorize {
    const META: PluginMeta = PluginMeta {
        name: "winsorize",
        summary: "Set values beyond percentiles to the percentiles",
        docs: include_str!("../docs/winsorize.md"),
        status: Status::Stable { since: "0.2.0" },
        reference: "Tukey (1962), Annals of Mathematical Statistics 33(1), section 14; winsor2 (Lian 2014) for Stata",
    };
    type Options = Options;

    fn apply(panel: &Panel, options: &Options) -> Result<Stepped, StepError> {
        cut::apply(panel, options, Self::META.name, "set to it", |percentile| percentile)
    }

    fn reads(options: &Options) -> Vec<Name> {
        options.reads()
    }

    fn writes(options: &Options) -> Vec<Name> {
        options.writes()
    }
}

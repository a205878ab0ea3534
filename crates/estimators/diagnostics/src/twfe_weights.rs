#![doc = include_str!("../docs/twfe-weights.md")]

use parallax_model::{
    BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design, Detail, Distribution, Estimate,
    Estimator, Example, FitError, InfluenceFunctions, Meta, Name, Note, PluginMeta, SampleReport, Statistics,
    Status, Support, TreatedSupport, Variation, VcovKind, Within, linalg::AbsorbOptions,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    cells::{self, Cell, CellWeight, Effects},
    changes::Changes,
    sigma::{Ratio, opposite_signs, zero_average},
    treatment::{Coefficient, group_effect, position, short},
};

parallax_model::estimator!(TwfeWeights);

/// The coefficient of a treatment and the weights of the effects it is made of.
pub struct TwfeWeights;

/// Settings of `twfe-weights`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The regressor that is taken apart, of any values; the first one when not given.
    pub treatment: Option<Name>,
    /// Which regression, and which effects it is a sum of.
    #[serde(rename = "type")]
    pub kind: Kind,
}

/// Which regression, and which effects it is a sum of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// Fixed effects; effects of treated cells, under common trends.
    #[default]
    #[serde(rename = "feTR")]
    FeTr,
    /// First differences; effects of treated cells, under common trends.
    #[serde(rename = "fdTR")]
    FdTr,
    /// Fixed effects; effects of changes of treatment, under common trends and effects that stay the same in time.
    #[serde(rename = "feS")]
    FeS,
    /// First differences; effects of changes of treatment, under both assumptions.
    #[serde(rename = "fdS")]
    FdS,
}

impl Kind {
    fn effects(self) -> Effects {
        match self {
            Kind::FeTr => Effects::OfCells,
            Kind::FdTr => Effects::OfCellsByChanges,
            Kind::FeS => Effects::Stable,
            Kind::FdS => Effects::StableByChanges,
        }
    }

    fn by_changes(self) -> bool {
        matches!(self, Kind::FdTr | Kind::FdS)
    }

    fn of_changes(self) -> bool {
        matches!(self, Kind::FeS | Kind::FdS)
    }
}

impl Estimator for TwfeWeights {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "twfe-weights",
            summary: "Weights of treated cells in a two-way fixed-effects coefficient, and what negative ones allow",
            docs: include_str!("../docs/twfe-weights.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "de Chaisemartin and D'Haultfoeuille (2020), American Economic Review 110",
        },
        capabilities: Capabilities {
            vcov: &[
                VcovKind::Iid,
                VcovKind::Robust,
                VcovKind::Leverage,
                VcovKind::Cluster,
                VcovKind::Multiway,
            ],
            weights: true,
            frequency_weights: false,
            effects: Support::Required,
            instruments: false,
            unbalanced: true,
            staggered: true,
            needs_index: true,
        },
    };
    type Options = Options;

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        let treatment = position(design, "twfe-weights", options.treatment.as_ref())?;
        let group = group_effect(design, "twfe-weights")?;
        let periods = Periods::of(design);
        let regression = if options.kind.by_changes() {
            by_changes(design, &periods, group, treatment)?
        } else {
            by_effects(design, treatment)?
        };
        let coefficient = &regression.coefficient;
        let cells = cells::collect(design, group, &periods.since, treatment, &regression.residual)?;
        let weights = cells::weights(&cells, options.kind.effects());
        let finding = Finding::of(&weights, coefficient.value());
        let mut stats = regression.stats;
        finding.statistics(&mut stats);
        let mut notes = coefficient.fit.notes.clone();
        notes.extend(regression.notes);
        notes.extend(finding.remarks(design, options.kind));
        let labels = |cell: &Cell| design.effects[group].codes.labels.text(cell.group as usize);
        let details =
            vec![finding.by_sign(), table(design, &cells, &weights, &periods, &labels, options.kind)];
        let mut estimate = Estimate {
            estimator: Self::META.plugin.name,
            outcome: design.outcome.name.clone(),
            distribution: Distribution::StudentT(coefficient.fit.vcov.arithmetic.t_df),
            distributions: Vec::new(),
            terms: vec![coefficient.term()],
            coef: vec![coefficient.value()],
            vcov: coefficient.vcov(),
            sample: regression.sample,
            effects: regression.effects,
            stats,
            event: None,
            treated: None,
            details,
            influence: coefficient.influence(regression.influence),
            notes,
        };
        let support = TreatedSupport::of_regressors(design, &estimate.terms, Variation::Rows);
        estimate.stand_on(support);
        Ok(estimate)
    }

    fn battery(request: &BatteryRequest) -> Option<BatteryModel<Options>> {
        Some(BatteryModel {
            part: BatteryPart::Diagnostic,
            formula: request.formula(Some(&request.treatment), true),
            options: Options { treatment: Some(request.treatment.clone()), ..Options::default() },
        })
    }

    fn example() -> Example<Options> {
        let treatment = Some(Name::from("d"));
        Example { formula: None, options: Options { treatment, ..Options::default() } }
    }
}

/// The first period of the sample, and how long after it each row is.
struct Periods {
    first: i32,
    since: Vec<usize>,
}

impl Periods {
    fn of(design: &Design<'_>) -> Periods {
        let first = design.periods.iter().copied().min().unwrap_or_default();
        let since = |it: &i32| usize::try_from(i64::from(*it) - i64::from(first)).unwrap_or(0);
        Periods { first, since: design.periods.iter().map(since).collect() }
    }
}

/// A coefficient with what a row contributes to it.
struct Regression {
    coefficient: Coefficient,
    /// By row of the design, zero where a row has no change.
    residual: Vec<f64>,
    stats: Statistics,
    sample: SampleReport,
    effects: Vec<(Name, usize)>,
    influence: Option<InfluenceFunctions>,
    notes: Vec<Note>,
}

fn by_effects(design: &Design<'_>, treatment: usize) -> Result<Regression, FitError> {
    let within = Within::new(design, &AbsorbOptions::default())?;
    let (outcome, variables) = (within.outcome(), within.regressors());
    let fit = within.regress(&outcome, &variables, false)?;
    let stats = within.statistics(&outcome, &fit)?;
    let influence = within.influence(&variables, &fit)?;
    let coefficient = Coefficient::new(fit, &variables, treatment, design.weight_values())?;
    Ok(Regression {
        residual: coefficient.residual.clone(),
        coefficient,
        stats,
        sample: within.sample(),
        effects: within.effects().iter().map(|it| (it.name.clone(), it.levels)).collect(),
        influence,
        notes: within.iteration_note().into_iter().collect(),
    })
}

fn by_changes(
    design: &Design<'_>,
    periods: &Periods,
    group: usize,
    treatment: usize,
) -> Result<Regression, FitError> {
    let own = &design.effects[group].name;
    if design.panel.index().is_none_or(|(unit, _)| unit != own) {
        return Err(FitError::Model(format!(
            "first differences are changes of units, and `{own}` is no unit: average the rows by cell and make \
             `{own}` the panel's unit, or use type feTR or feS"
        )));
    }
    let changes = Changes::fit(design, &periods.since, 1 - group)?;
    let mut used = vec![false; design.n()];
    changes.rows.iter().for_each(|it| used[*it] = true);
    let sample = SampleReport::of_used(design, "no period before", &used)?;
    let weights = changes.weights.as_deref();
    let coefficient = Coefficient::new(changes.fit, &changes.variables, treatment, weights)?;
    let mut residual = vec![0.0; design.n()];
    for (&row, value) in changes.rows.iter().zip(&coefficient.residual) {
        residual[row] = *value;
    }
    let note = "outcome, treatment and covariates are changes since the period before, with effects of periods; \
                a period is missing where the unit has no row in it";
    Ok(Regression {
        coefficient,
        residual,
        stats: changes.stats,
        sample,
        effects: vec![(changes.effect.name, changes.effect.levels)],
        influence: None,
        notes: vec![Note::remark(note)],
    })
}

/// Weights this close to zero count as neither positive nor negative, as in `twowayfeweights`.
const ZERO: f64 = 1e-10;

/// What the weights say.
struct Finding {
    positive: (usize, f64),
    negative: (usize, f64),
    zero: usize,
    zero_average: Option<f64>,
    opposite_signs: Option<f64>,
    negative_treatment: bool,
}

impl Finding {
    fn of(weights: &[CellWeight], coefficient: f64) -> Finding {
        let some = |which: fn(f64) -> bool| {
            let found = weights.iter().map(|it| it.weight).filter(|it| which(*it));
            found.fold((0, 0.0), |(count, sum), it| (count + 1, sum + it))
        };
        let (positive, negative) = (some(|it| ZERO <= it), some(|it| it <= -ZERO));
        let negative_treatment = weights.iter().any(|it| it.share.is_nan() || it.share < 0.0);
        let ratios: Vec<Ratio> = weights.iter().map(CellWeight::ratio).collect();
        let meant = |sigma: fn(f64, &[Ratio]) -> Option<f64>| {
            if negative_treatment { None } else { sigma(coefficient, &ratios) }
        };
        Finding {
            positive,
            negative,
            zero: weights.len() - positive.0 - negative.0,
            zero_average: meant(zero_average),
            opposite_signs: if 0 < negative.0 { meant(opposite_signs) } else { None },
            negative_treatment,
        }
    }

    fn statistics(&self, stats: &mut Statistics) {
        stats.count("weights_positive", self.positive.0);
        stats.count("weights_negative", self.negative.0);
        stats.count("weights_zero", self.zero);
        stats.set("sum_positive", self.positive.1);
        stats.set("sum_negative", self.negative.1);
        for (name, value) in [("sigma", self.zero_average), ("sigma_opposite", self.opposite_signs)] {
            if let Some(it) = value {
                stats.set(name, it);
            }
        }
    }

    fn remarks(&self, design: &Design<'_>, kind: Kind) -> Vec<Note> {
        let cells: Vec<&str> = design.effects.iter().map(|it| it.name.as_str()).collect();
        let (trends, effects) = if kind.of_changes() {
            ("common trends and effects that stay the same in time", "changes of treatment by cell")
        } else {
            ("common trends", "treated cells")
        };
        let mut text = format!(
            "under {trends} the coefficient is a weighted sum of the effects of {} {effects} ({}): {} with positive weights \
             that sum to {}, {} with negative weights that sum to {}",
            self.positive.0 + self.negative.0 + self.zero,
            cells.join(" and "),
            self.positive.0,
            short(self.positive.1),
            self.negative.0,
            short(self.negative.1)
        );
        if 0 < self.zero {
            text.push_str(&format!(", {} with none", self.zero));
        }
        let mut notes = vec![Note::remark(text)];
        if self.negative_treatment {
            notes.push(Note::remark(
                "the treatment has negative values, so weights have no share to be held against and there is no \
                 smallest standard deviation of effects",
            ));
        }
        if let Some(sigma) = self.zero_average {
            let mut text = format!(
                "the average effect can be zero if effects differ between cells by a standard deviation of {}",
                short(sigma)
            );
            if let Some(it) = self.opposite_signs {
                text.push_str(&format!(
                    ", and all effects can have the other sign than the coefficient with one of {}",
                    short(it)
                ));
            }
            text.push_str(
                " (corollary 1, without a correction for degrees of freedom); the nearer to zero, the less robust",
            );
            notes.push(Note::remark(text));
        }
        notes
    }

    fn by_sign(&self) -> Detail {
        let words = ["Positive", "Negative"].map(str::to_owned).to_vec();
        Detail::new("weights-by-sign", "Weights by sign")
            .text("sign", "Weights", words)
            .count("cells", "Cells", vec![self.positive.0 as f64, self.negative.0 as f64])
            .number("sum", "Sum", vec![self.positive.1, self.negative.1])
    }
}

fn table(
    design: &Design<'_>,
    cells: &[Cell],
    weights: &[CellWeight],
    periods: &Periods,
    label: &dyn Fn(&Cell) -> String,
    kind: Kind,
) -> Detail {
    let of_cell = |it: &CellWeight| &cells[it.cell];
    let treatment = if kind.of_changes() { "Change of treatment" } else { "Treatment" };
    let code = |it: &CellWeight| {
        let since = i32::try_from(of_cell(it).period).unwrap_or(i32::MAX);
        f64::from(design.code(periods.first.saturating_add(since)))
    };
    let numbers = |of: fn(&CellWeight) -> f64| weights.iter().map(of).collect::<Vec<f64>>();
    Detail::new("weights", "Weights of cells in the coefficient and in the average effect")
        .text("group", "Group", weights.iter().map(|it| label(of_cell(it))).collect())
        .label("period", "Period", weights.iter().map(code).collect())
        .number("treatment", treatment, numbers(|it| it.treatment))
        .number("weight", "Weight", numbers(|it| it.weight))
        .number("share", "Share in the average effect", numbers(|it| it.share))
}

//! Laws about what an estimator promises: options, capabilities, its table.

use parallax_model::{AbsorptionCache, Entry, FitError, ModelSpec, SmallSample, Support, VcovKind, VcovSpec};
use serde_json::Value;

use super::{everywhere, fit, request, tables};
use crate::close;

const KINDS: [VcovKind; 5] =
    [VcovKind::Iid, VcovKind::Robust, VcovKind::Leverage, VcovKind::Cluster, VcovKind::Multiway];

pub fn unknown_option(entry: &Entry) -> Result<(), String> {
    let mut spec = request(entry, first_kind(entry)?, SmallSample::FIXEST)?;
    entry.check(&spec).map_err(|it| format!("no options at all: {it}"))?;
    spec.options.insert("bandwidht".to_owned(), Value::from(1));
    match entry.check(&spec) {
        Err(FitError::Options { plugin, reason })
            if plugin == entry.meta.plugin.name && reason.contains("bandwidht") =>
        {
            Ok(())
        }
        it => Err(format!("the option `bandwidht` gives {it:?}")),
    }
}

/// A kind of covariance that the estimator has.
pub fn first_kind(entry: &Entry) -> Result<VcovKind, String> {
    let first = entry.meta.capabilities.vcov.first();
    first.copied().ok_or_else(|| "supports no covariance at all".to_owned())
}

/// The check sees no data, so what it refuses is refused before.
pub fn unsupported(entry: &Entry) -> Result<(), String> {
    let able = &entry.meta.capabilities;
    let refused = |spec: &ModelSpec, what: &str| match entry.check(spec) {
        Err(FitError::Unsupported { estimator, advice, .. })
            if estimator == entry.meta.plugin.name && !advice.is_empty() =>
        {
            Ok(())
        }
        it => Err(format!("{what}: {it:?}")),
    };
    for kind in KINDS {
        let spec = request(entry, kind, SmallSample::FIXEST)?;
        if able.vcov.contains(&kind) {
            entry.check(&spec).map_err(|it| format!("supported, yet {it}"))?;
        } else {
            refused(&spec, &format!("covariance {}", spec.vcov))?;
        }
    }
    let base = request(entry, first_kind(entry)?, SmallSample::FIXEST)?;
    let other = |formula: &str| -> Result<ModelSpec, String> {
        let formula = parallax_model::Formula::parse(formula).map_err(|it| it.to_string())?;
        Ok(ModelSpec { formula, ..base.clone() })
    };
    if !able.weights {
        refused(&ModelSpec { weights: Some("w".into()), ..base.clone() }, "weights")?;
    }
    match able.effects {
        Support::Required => refused(&other("y ~ x1")?, "no effects")?,
        Support::Refused => refused(&other("y ~ x1 | unit")?, "effects")?,
        Support::Allowed => {}
    }
    if !able.instruments {
        let effects = if able.effects == Support::Required { "unit" } else { "0" };
        refused(&other(&format!("y ~ x1 | {effects} | x2 ~ d"))?, "instruments")?;
    }
    Ok(())
}

pub fn defaults(entry: &Entry) -> Result<(), String> {
    let Value::Object(defaults) = entry.defaults() else {
        return Err(format!("defaults are {} and no object", entry.defaults()));
    };
    let text = serde_json::to_string(&defaults).map_err(|it| it.to_string())?;
    let options = serde_json::from_str(&text).map_err(|it| it.to_string())?;
    let schema = entry.schema().to_value();
    for name in defaults.keys() {
        if schema.pointer(&format!("/properties/{name}")).is_none() {
            return Err(format!("option `{name}` is not in the schema"));
        }
    }
    let mut bare = request(entry, first_kind(entry)?, SmallSample::FIXEST)?;
    // What an entry cannot do without has no default, and comes from its example.
    bare.options.retain(|name, value| defaults.get(name) != Some(value));
    let mut options: serde_json::Map<String, Value> = options;
    options.extend(bare.options.clone());
    let written = ModelSpec { options, ..bare.clone() };
    for table in tables(entry) {
        close::matrices(&fit(entry, &table, &bare)?, &fit(entry, &table, &written)?, &close::SAME)?;
    }
    Ok(())
}

/// One line a term; errors are roots of the diagonal, and the interval covers what the p-value does not reject.
pub fn rows_of_the_table(entry: &Entry) -> Result<(), String> {
    everywhere(entry, SmallSample::FIXEST, |_, spec, estimate| {
        let k = estimate.terms.len();
        let sizes = [estimate.coef.len(), estimate.vcov.matrix.nrows(), estimate.vcov.matrix.ncols()];
        if k == 0 || sizes != [k; 3] {
            return Err(format!("{k} terms, and {sizes:?} coefficients, rows and columns"));
        }
        if estimate.vcov.spec != *spec_of(spec) {
            return Err(format!("asked for {}, got {}", spec.vcov, estimate.vcov.spec));
        }
        for (at, row) in estimate.rows(0.95).iter().enumerate() {
            let variance = estimate.vcov.matrix[(at, at)];
            let numbers = [row.std_error, row.statistic, row.p_value, row.conf_low, row.conf_high];
            // The variance of a two-way covariance may be negative; there is no error then.
            if !(0.0 < variance) {
                if spec.vcov.kind() != VcovKind::Multiway || numbers.iter().any(|it| !it.is_nan()) {
                    return Err(format!("a variance of {variance}: {row:?}"));
                }
                continue;
            }
            close::compare("squared error", row.std_error.powi(2), variance, &close::RESCALED)?;
            let covers_zero = row.conf_low <= 0.0 && 0.0 <= row.conf_high;
            let usable = row.std_error.is_finite() && 0.0 < row.std_error && row.p_value.is_finite();
            if !usable || covers_zero != (0.05 <= row.p_value) {
                return Err(format!("{row:?}"));
            }
            for other in 0..k {
                close::compare(
                    "symmetry",
                    estimate.vcov.matrix[(at, other)],
                    estimate.vcov.matrix[(other, at)],
                    &close::SAME,
                )?;
            }
        }
        Ok(())
    })
}

/// Where an estimate carries influence functions their products are the matrix, under rules without factors, and
/// asking for them changes nothing else.
pub fn influence_functions(entry: &Entry) -> Result<(), String> {
    if !entry.meta.capabilities.vcov.contains(&VcovKind::Cluster) {
        return Ok(());
    }
    let spec = request(entry, VcovKind::Cluster, SmallSample::NONE)?;
    for table in tables(entry) {
        let panel = table.panel().map_err(|it| it.to_string())?;
        let kept = entry
            .fit_with_influence(&panel, &spec, &AbsorptionCache::default())
            .map_err(|it| it.to_string())?;
        close::matrices(&fit(entry, &table, &spec)?, &kept, &close::SAME)?;
        let Some(influence) = &kept.influence else { return Ok(()) };
        let groups = panel.codes("group").map_err(|it| it.to_string())?;
        let mut of_unit = vec![0; panel.units().n_groups()];
        for (&unit, &group) in panel.units().code.iter().zip(groups.code.iter()) {
            of_unit[unit as usize] = group as usize;
        }
        let k = kept.terms.len();
        let sums: Vec<Vec<f64>> = (0..k)
            .map(|term| {
                let mut sums = vec![0.0; groups.n_groups()];
                let values = influence.on_panel(term, of_unit.len());
                values.iter().zip(&of_unit).for_each(|(value, &group)| sums[group] += value);
                sums
            })
            .collect();
        for i in 0..k {
            for j in 0..k {
                let product: f64 = sums[i].iter().zip(&sums[j]).map(|(a, b)| a * b).sum();
                let (matrix, scale) =
                    (kept.vcov.matrix[(i, j)], kept.vcov.matrix[(i, i)] * kept.vcov.matrix[(j, j)]);
                if 1e-10 * scale.sqrt() < (product - matrix).abs() {
                    return Err(format!(
                        "{} and {}: {product} is not {matrix}",
                        kept.terms[i], kept.terms[j]
                    ));
                }
            }
        }
    }
    Ok(())
}

fn spec_of(spec: &ModelSpec) -> &VcovSpec {
    &spec.vcov
}

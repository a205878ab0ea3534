//! `like = "fe"`: a model that is another one but for what it says itself.

use std::collections::BTreeMap;

use parallax_base::with_suggestion;

use crate::{StudyError, file::ModelEntry};

/// Fills every entry that says `like` from the model it names, which must stand above it.
pub(crate) fn resolve(models: &mut [ModelEntry]) -> Result<(), StudyError> {
    // Where each name stands first: looking for it from the top would take a time with the square of the models.
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for at in 0..models.len() {
        let (above, rest) = models.split_at_mut(at);
        let Some(entry) = rest.first_mut() else { continue };
        let wrong = |message: String| StudyError::entry(format!("model `{}`", entry.name), message);
        match entry.like.clone() {
            Some(like) => {
                let hint = || with_suggestion(&like, above.iter().map(|it| it.name.as_str()));
                let base = places.get(&like).and_then(|it| above.get(*it));
                let base =
                    base.ok_or_else(|| wrong(format!("`like` names no model above it: `{like}`{}", hint())))?;
                let filled = filled(entry, base).map_err(wrong)?;
                *entry = filled;
            }
            None if !entry.instead.is_empty() => {
                return Err(wrong("`instead` changes the formula of a model named by `like`".to_owned()));
            }
            None if entry.estimator.is_empty() || entry.formula.is_empty() => {
                return Err(wrong("give `estimator` and `formula`, or `like`".to_owned()));
            }
            None => {}
        }
        places.entry(entry.name.clone()).or_insert(at);
    }
    Ok(())
}

/// What the entry says, and for the rest what its base says. Options are merged, steps follow the base's.
fn filled(entry: &ModelEntry, base: &ModelEntry) -> Result<ModelEntry, String> {
    let formula = match (entry.formula.is_empty(), entry.instead.is_empty()) {
        (true, _) => entry.instead.iter().try_fold(base.formula.clone(), |text, (old, new)| {
            instead(&text, old, new).ok_or_else(|| {
                format!("`instead` names `{old}`, which is not in `{}` of `{}`", base.formula, base.name)
            })
        })?,
        (false, true) => entry.formula.clone(),
        (false, false) => return Err("give either `formula` or `instead`".to_owned()),
    };
    let mut options = base.options.clone();
    options.extend(entry.options.clone());
    let estimator = if entry.estimator.is_empty() { &base.estimator } else { &entry.estimator };
    // Other weights do not mean what the base's mean.
    let weight_kind = if entry.weights.is_some() { None } else { base.weight_kind };
    Ok(ModelEntry {
        name: entry.name.clone(),
        like: None,
        instead: Default::default(),
        estimator: estimator.clone(),
        formula,
        weights: entry.weights.clone().or_else(|| base.weights.clone()),
        weight_kind: entry.weight_kind.or(weight_kind),
        vcov: entry.vcov.clone().or_else(|| base.vcov.clone()),
        small_sample: entry.small_sample.or(base.small_sample),
        repair: entry.repair.or(base.repair),
        singletons: entry.singletons.or(base.singletons),
        options,
        pipeline: base.pipeline.iter().chain(&entry.pipeline).cloned().collect(),
        sources: entry.sources.clone(),
    })
}

/// The formula with every bare word `old` as `new`; `None` when there is none. Names of sets are left alone.
fn instead(formula: &str, old: &str, new: &str) -> Option<String> {
    let of_word = |it: char| it.is_alphanumeric() || it == '_' || it == '.';
    let mut out = String::new();
    let mut found = false;
    let mut in_set = false;
    let mut rest = formula;
    while let Some(first) = rest.chars().next() {
        let end = match of_word(first) {
            true => rest.find(|it| !of_word(it)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        in_set = (in_set || token == "{") && token != "}";
        let here = token == old && !in_set;
        found |= here;
        out.push_str(if here { new } else { token });
        rest = after;
    }
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StudyFile;

    fn models(text: &str) -> Result<Vec<ModelEntry>, String> {
        let head = "name = 's'\ntitle = 's'\n[data]\nunit = 'u'\ntime = 't'\n[[data.source]]\nname = 'd'\n\
                    description = 'd'\nfile = []\n";
        let base = "[[model]]\nname = 'fe'\nestimator = 'fixed-effects'\nformula = 'y ~ d + {d} + log(x.d) | u'\n\
                    vcov = 'cluster:u'\noptions = { constant = true }\n";
        let mut file = StudyFile::parse(&format!("{head}{base}{text}")).unwrap();
        resolve(&mut file.models).map_err(|it| it.to_string()).map(|()| file.models)
    }

    #[test]
    fn words_are_exchanged_and_the_rest_is_the_base() {
        let found = models(
            "[[model]]\nname = 'a'\nlike = 'fe'\ninstead = { d = 'd_large' }\n\
             [[model]]\nname = 'b'\nlike = 'a'\nvcov = 'cluster:t'\noptions = { tolerance = 1e-9 }\n\
             pipeline = [{ step = 'trim', columns = ['y'] }]\n",
        )
        .unwrap();
        let [_, a, b] = &found[..] else { panic!("three models") };
        assert_eq!(a.formula, "y ~ d_large + {d} + log(x.d) | u");
        assert_eq!(
            (a.estimator.as_str(), a.vcov.as_ref().unwrap().to_string()),
            ("fixed-effects", "cluster:u".to_owned())
        );
        assert_eq!((&b.formula, b.options.len(), b.pipeline.len()), (&a.formula, 2, 1));
        assert_eq!(b.vcov.as_ref().unwrap().to_string(), "cluster:t");
    }

    #[test]
    fn what_weights_mean_can_be_said_alone() {
        let found = models(
            "weights = 'w'\n[[model]]\nname = 'a'\nlike = 'fe'\nweight-kind = 'frequency'\n\
             [[model]]\nname = 'b'\nlike = 'a'\n[[model]]\nname = 'c'\nlike = 'a'\nweights = 'v'\n",
        )
        .unwrap();
        let said: Vec<_> = found.iter().map(|it| (it.weights.as_deref(), it.weight_kind)).collect();
        let frequency = Some(parallax_model::WeightKind::Frequency);
        assert_eq!(
            said,
            [(Some("w"), None), (Some("w"), frequency), (Some("w"), frequency), (Some("v"), None)]
        );
    }

    #[test]
    fn slips_are_named() {
        let refused = |text: &str| models(&format!("[[model]]\nname = 'a'\n{text}")).unwrap_err();
        assert!(refused("like = 'fee'").contains("names no model above it: `fee`, did you mean `fe`?"));
        assert!(refused("like = 'a'").contains("no model above"));
        assert!(
            refused("like = 'fe'\ninstead = { x = 'z' }").contains("`instead` names `x`, which is not in")
        );
        assert!(refused("like = 'fe'\nformula = 'y ~ z'\ninstead = { d = 'z' }").contains("either"));
        assert!(refused("instead = { d = 'z' }").contains("`like`"));
        assert!(refused("estimator = 'fixed-effects'").contains("give `estimator` and `formula`, or `like`"));
    }
}

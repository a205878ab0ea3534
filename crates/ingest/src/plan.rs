//! Which columns each file gives, decided before any data is read.

use std::collections::{HashMap, HashSet};

use parallax_base::{Name, shown};

use crate::{IngestError, JoinOn, ReadRequest, Select, dataset::Dataset};

/// The key columns of a file that is joined in this way.
pub(crate) fn keys_of<'k>(on: JoinOn, keys: Option<(&'k Name, &'k Name)>) -> Vec<&'k Name> {
    match (keys, on) {
        (None, _) => Vec::new(),
        (Some((unit, time)), JoinOn::UnitTime) => vec![unit, time],
        (Some((unit, _)), JoinOn::Unit) => vec![unit],
        (Some((_, time)), JoinOn::Time) => vec![time],
    }
}

/// The columns to read from each file: its keys first, then the others in file order.
pub(crate) fn columns(
    request: &ReadRequest,
    keys: Option<(&Name, &Name)>,
    datasets: &mut [Dataset<'_>],
) -> Result<Vec<Vec<Name>>, IngestError> {
    for dataset in datasets.iter() {
        for key in keys_of(dataset.request.on, keys) {
            dataset.position(key)?;
        }
    }
    let values: Vec<Vec<Name>> = match &request.select {
        Select::All => datasets.iter_mut().map(|it| all_of(it, keys)).collect::<Result<_, _>>()?,
        Select::Only(names) => only(names, keys, datasets)?,
    };
    refuse_shared(&values, datasets)?;
    let with_keys = |(dataset, values): (&Dataset<'_>, Vec<Name>)| {
        let mut names: Vec<Name> = keys_of(dataset.request.on, keys).into_iter().cloned().collect();
        names.extend(values);
        names
    };
    Ok(datasets.iter().zip(values).map(with_keys).collect())
}

fn all_of(dataset: &mut Dataset<'_>, keys: Option<(&Name, &Name)>) -> Result<Vec<Name>, IngestError> {
    let own_keys = keys_of(dataset.request.on, keys);
    let (mut names, mut skipped, mut nameless) = (Vec::new(), Vec::new(), 0);
    for (field, name) in dataset.fields().iter().zip(dataset.names()) {
        if own_keys.contains(&name) {
            continue;
        } else if name.is_empty() {
            nameless += 1;
        } else if !field.supported {
            skipped.push(format!("`{}` ({})", shown(name), field.type_text));
        } else {
            dataset.position(name)?;
            refuse_foreign_key(dataset, name, keys)?;
            names.push(name.clone());
        }
    }
    const SHOWN: usize = 12;
    if SHOWN < skipped.len() {
        let more = skipped.len() - SHOWN;
        skipped.truncate(SHOWN);
        skipped.push(format!("{more} more"));
    }
    if !skipped.is_empty() {
        dataset.note(format!("not read, because of types a panel cannot hold: {}", skipped.join(", ")));
    }
    if 0 < nameless {
        dataset.note(format!("{nameless} columns without a name were not read"));
    }
    Ok(names)
}

/// A file joined on unit that has the time column too, or the reverse, is most likely joined on the wrong key.
fn refuse_foreign_key(
    dataset: &Dataset<'_>,
    name: &Name,
    keys: Option<(&Name, &Name)>,
) -> Result<(), IngestError> {
    match keys {
        Some((unit, time)) if name == unit || name == time => {
            let (on, other) =
                if dataset.request.on == JoinOn::Unit { ("unit", "time") } else { ("time", "unit") };
            Err(IngestError::Request(format!(
                "{}: it is joined on {on} alone but also has the {other} column `{name}`; join it on unit and time, or \
                 rename that column, or select the columns to read",
                dataset.file()
            )))
        }
        _ => Ok(()),
    }
}

fn only(
    names: &[Name],
    keys: Option<(&Name, &Name)>,
    datasets: &[Dataset<'_>],
) -> Result<Vec<Vec<Name>>, IngestError> {
    let is_key = |name: &Name| keys.is_some_and(|(unit, time)| name == unit || name == time);
    let mut chosen: Vec<Vec<Name>> = vec![Vec::new(); datasets.len()];
    let mut seen: HashSet<&Name> = HashSet::new();
    for name in names {
        if is_key(name) || !seen.insert(name) {
            continue;
        }
        let mut found = false;
        for (dataset, chosen) in datasets.iter().zip(&mut chosen) {
            if dataset.has(name) {
                dataset.position(name)?;
                chosen.push(name.clone());
                found = true;
            }
        }
        if !found {
            let files: Vec<String> = datasets.iter().map(|it| it.file().to_string()).collect();
            let known = datasets.iter().flat_map(Dataset::names).map(Name::as_str);
            return Err(IngestError::no_column(&files.join(" and ").into(), name, known));
        }
    }
    Ok(chosen)
}

fn refuse_shared(values: &[Vec<Name>], datasets: &[Dataset<'_>]) -> Result<(), IngestError> {
    let mut owner: HashMap<&Name, &Dataset<'_>> = HashMap::new();
    for (names, dataset) in values.iter().zip(datasets) {
        for name in names {
            if let Some(first) = owner.insert(name, dataset) {
                let (first, second) = (first.file(), dataset.file());
                return Err(IngestError::TwoFiles { name: name.clone(), first, second });
            }
        }
    }
    Ok(())
}

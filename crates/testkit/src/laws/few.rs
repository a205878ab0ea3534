//! One treated unit: whoever estimates the effect of a treatment knows that, and says what it does to errors by formula.

use parallax_model::{Entry, Note, SmallSample};

use super::{contract::first_kind, fit, request};
use crate::Table;

pub fn one_treated_unit(entry: &Entry) -> Result<(), String> {
    let mut table = Table::balanced(31);
    let dates = table.column("cohort");
    let Some(own) = (0..table.len()).find(|&it| dates[it] == 2004.0).map(|it| table.unit[it].clone()) else {
        return Err("the table has no unit that adopts in 2004".to_owned());
    };
    let others: Vec<bool> = table.unit.iter().map(|it| *it != own).collect();
    for (name, values) in &mut table.numbers {
        if ["d", "cohort"].contains(name) {
            values.iter_mut().zip(&others).filter(|it| *it.1).for_each(|it| *it.0 = 0.0);
        }
    }
    let mut told = 0;
    let mut refused = String::new();
    for &kind in entry.meta.capabilities.vcov {
        let spec = request(entry, kind, SmallSample::FIXEST)?;
        match fit(entry, &table, &spec) {
            Ok(it) => {
                let Some(support) = &it.treated else { return Err(format!("{}: not known", spec.vcov)) };
                if support.overall.is_none_or(|it| it.units != 1 || it.clusters != 1) {
                    return Err(format!("{}: {:?} is not one unit", spec.vcov, support.overall));
                }
                if !it.notes.iter().any(|it| matches!(it, Note::FewTreated { .. })) {
                    return Err(format!("{}: not said", spec.vcov));
                }
                told += 1;
            }
            Err(it) => refused = it,
        }
    }
    // Where nothing can be estimated the reason says so.
    if told == 0 && refused.is_empty() {
        return Err(format!("no covariance at all: {:?}", first_kind(entry)));
    }
    Ok(())
}

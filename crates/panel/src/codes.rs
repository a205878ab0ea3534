//! Dense group codes: what effects, clusters and factors are made of.

use std::{collections::HashMap, sync::Arc};

use parallax_base::Name;

use crate::Labels;

/// The code of a missing category.
pub const MISSING: u32 = u32::MAX;

/// Group codes `0..labels.len()`, one a row; [`MISSING`] where the category is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Codes {
    /// One code a row.
    pub code: Arc<Vec<u32>>,
    /// What each code stands for, ascending.
    pub labels: Arc<Labels>,
}

impl Codes {
    /// One group a row.
    pub fn each_row(n: usize) -> Codes {
        Codes { code: Arc::new((0..n as u32).collect()), labels: Arc::new(Labels::Rows(n)) }
    }

    /// Groups of equal text; `None` is missing. Labels are sorted, so codes do not depend on row order.
    pub fn from_text<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Codes {
        let mut first_seen: HashMap<&'a str, u32> = HashMap::new();
        let mut texts: Vec<&'a str> = Vec::new();
        let mut code: Vec<u32> = Vec::new();
        for value in values {
            code.push(match value {
                None => MISSING,
                Some(text) => *first_seen.entry(text).or_insert_with(|| {
                    texts.push(text);
                    (texts.len() - 1) as u32
                }),
            });
        }
        let order = sorted_order(&texts, Ord::cmp);
        let labels = Labels::Text(order.iter().map(|&it| Name::from(texts[it])).collect());
        Codes::relabelled(code, &order, labels)
    }

    /// Groups of equal whole numbers; `None` is missing.
    pub fn from_integers(values: impl IntoIterator<Item = Option<i64>>) -> Codes {
        let mut first_seen: HashMap<i64, u32> = HashMap::new();
        let mut numbers: Vec<i64> = Vec::new();
        let mut code: Vec<u32> = Vec::new();
        for value in values {
            code.push(match value {
                None => MISSING,
                Some(it) => *first_seen.entry(it).or_insert_with(|| {
                    numbers.push(it);
                    (numbers.len() - 1) as u32
                }),
            });
        }
        let order = sorted_order(&numbers, i64::cmp);
        let labels = Labels::Integers(order.iter().map(|&it| numbers[it]).collect());
        Codes::relabelled(code, &order, labels)
    }

    /// Groups of equal numbers; NaN is missing. Whole numbers become integer labels.
    pub fn from_reals(values: &[f64]) -> Codes {
        if let Some(codes) = dense_integers(values) {
            return codes;
        }
        if values.iter().all(|it| it.is_nan() || (it.fract() == 0.0 && it.abs() < 9e15)) {
            return Codes::from_integers(values.iter().map(|it| (!it.is_nan()).then_some(*it as i64)));
        }
        let mut first_seen: HashMap<u64, u32> = HashMap::new();
        let mut numbers: Vec<f64> = Vec::new();
        let code = values
            .iter()
            .map(|&it| {
                if it.is_nan() {
                    return MISSING;
                }
                *first_seen.entry((it + 0.0).to_bits()).or_insert_with(|| {
                    numbers.push(it);
                    (numbers.len() - 1) as u32
                })
            })
            .collect();
        let order = sorted_order(&numbers, f64::total_cmp);
        let labels = Labels::Reals(order.iter().map(|&it| numbers[it]).collect());
        Codes::relabelled(code, &order, labels)
    }

    /// Groups of equal combinations, as `a^b` in a formula. Missing when any part is.
    pub fn combined(parts: &[Codes]) -> Codes {
        let Some((first, rest)) = parts.split_first() else {
            return Codes { code: Arc::default(), labels: Arc::new(Labels::Combined(Vec::new())) };
        };
        rest.iter().fold(first.clone(), |left, right| left.crossed(right))
    }

    /// How many groups the labels name, used or not.
    pub fn n_groups(&self) -> usize {
        self.labels.len()
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.code.len()
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.code.is_empty()
    }

    /// True when some row has no category.
    pub fn has_missing(&self) -> bool {
        self.code.contains(&MISSING)
    }

    /// The codes of some rows with unused groups removed, so that `n_groups` counts what is there.
    pub fn compact(&self, rows: impl Iterator<Item = usize>) -> Codes {
        let mut code: Vec<u32> = rows.map(|it| self.code[it]).collect();
        let mut used = vec![false; self.n_groups()];
        for &it in &code {
            if let Some(used) = used.get_mut(it as usize) {
                *used = true;
            }
        }
        if used.iter().all(|it| *it) {
            return Codes { code: Arc::new(code), labels: Arc::clone(&self.labels) };
        }
        let kept: Vec<usize> = (0..used.len()).filter(|&it| used[it]).collect();
        let mut new_code = vec![MISSING; used.len()];
        for (new, &old) in kept.iter().enumerate() {
            new_code[old] = new as u32;
        }
        for it in &mut code {
            if let Some(new) = new_code.get(*it as usize) {
                *it = *new;
            }
        }
        Codes { code: Arc::new(code), labels: Arc::new(pick_labels(&self.labels, &kept)) }
    }

    fn crossed(&self, other: &Codes) -> Codes {
        let width = other.n_groups() as u64;
        let mut first_seen: HashMap<u64, u32> = HashMap::new();
        let mut keys: Vec<u64> = Vec::new();
        let code = self
            .code
            .iter()
            .zip(other.code.iter())
            .map(|(&a, &b)| {
                if a == MISSING || b == MISSING {
                    return MISSING;
                }
                let key = u64::from(a) * width + u64::from(b);
                *first_seen.entry(key).or_insert_with(|| {
                    keys.push(key);
                    (keys.len() - 1) as u32
                })
            })
            .collect();
        let order = sorted_order(&keys, u64::cmp);
        let text = |key: u64| {
            let (a, b) = ((key / width.max(1)) as usize, (key % width.max(1)) as usize);
            Name::from(format!("{}_{}", self.labels.text(a), other.labels.text(b)))
        };
        let labels = Labels::Combined(order.iter().map(|&it| text(keys[it])).collect());
        Codes::relabelled(code, &order, labels)
    }

    /// Turns codes by first appearance into codes by sorted label.
    fn relabelled(mut code: Vec<u32>, order: &[usize], labels: Labels) -> Codes {
        let mut rank = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            rank[old] = new as u32;
        }
        for it in &mut code {
            if *it != MISSING {
                *it = rank[*it as usize];
            }
        }
        Codes { code: Arc::new(code), labels: Arc::new(labels) }
    }
}

/// Codes by counting when whole numbers lie in a range not much wider than the rows: no hashing.
fn dense_integers(values: &[f64]) -> Option<Codes> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &it in values {
        if it.is_nan() {
            continue;
        }
        if it.fract() != 0.0 {
            return None;
        }
        low = low.min(it);
        high = high.max(it);
    }
    let width = high - low + 1.0;
    if !(1.0..=(4.0 * values.len() as f64 + 1024.0)).contains(&width) || 9e15 < low.abs().max(high.abs()) {
        return None;
    }
    let mut rank = vec![MISSING; width as usize];
    for &it in values {
        if !it.is_nan() {
            rank[(it - low) as usize] = 0;
        }
    }
    let mut labels = Vec::new();
    for (offset, rank) in rank.iter_mut().enumerate() {
        if *rank == 0 {
            *rank = labels.len() as u32;
            labels.push(low as i64 + offset as i64);
        }
    }
    let code =
        values.iter().map(|&it| if it.is_nan() { MISSING } else { rank[(it - low) as usize] }).collect();
    Some(Codes { code: Arc::new(code), labels: Arc::new(Labels::Integers(labels)) })
}

fn sorted_order<T>(values: &[T], compare: impl Fn(&T, &T) -> std::cmp::Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| compare(&values[a], &values[b]));
    order
}

fn pick_labels(labels: &Labels, kept: &[usize]) -> Labels {
    match labels {
        Labels::Text(it) => Labels::Text(kept.iter().map(|&g| it[g].clone()).collect()),
        Labels::Combined(it) => Labels::Combined(kept.iter().map(|&g| it[g].clone()).collect()),
        Labels::Integers(it) => Labels::Integers(kept.iter().map(|&g| it[g]).collect()),
        Labels::Reals(it) => Labels::Reals(kept.iter().map(|&g| it[g]).collect()),
        Labels::Rows(_) => Labels::Integers(kept.iter().map(|&g| g as i64 + 1).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_whatever_the_row_order() {
        let codes = Codes::from_text([Some("b"), None, Some("a"), Some("b")]);
        assert_eq!(*codes.code, [1, MISSING, 0, 1]);
        assert_eq!(codes.labels.text(0), "a");
    }

    #[test]
    fn numbers_far_apart_and_fractions_are_grouped_too() {
        let far = Codes::from_reals(&[1e12, 5.0, 1e12, f64::NAN]);
        assert_eq!(*far.code, [1, 0, 1, MISSING]);
        let parts = Codes::from_reals(&[0.5, -0.5, 0.5]);
        assert_eq!(*parts.code, [1, 0, 1]);
        let zeros = Codes::from_reals(&[0.25, -0.0, 0.0]);
        assert_eq!(*zeros.code, [1, 0, 0]);
    }

    #[test]
    fn combination_and_compaction() {
        let a = Codes::from_reals(&[1.0, 1.0, 2.0, 2.0]);
        let b = Codes::from_text([Some("x"), Some("y"), Some("x"), Some("x")]);
        let both = Codes::combined(&[a, b]);
        assert_eq!(*both.code, [0, 1, 2, 2]);
        assert_eq!(both.labels.text(2), "2_x");
        let some = both.compact([0, 3].into_iter());
        assert_eq!((*some.code).clone(), [0, 1]);
        assert_eq!(some.labels.text(1), "2_x");
    }
}

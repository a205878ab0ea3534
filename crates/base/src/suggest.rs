//! "Did you mean": the nearest known name to one that does not exist.

/// The known name nearest to `wanted`, if one is near enough to be a slip of the keyboard.
///
/// Distance is optimal string alignment over characters, ignoring case; near means at most a
/// third of the wanted name's length, and at least one. The wanted name itself is no advice.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let exact = wanted;
    let wanted: Vec<char> = wanted.to_lowercase().chars().collect();
    let limit = (wanted.len() / 3).max(1);
    known
        .into_iter()
        .filter(|it| *it != exact)
        .map(|it| (distance(&wanted, &it.to_lowercase().chars().collect::<Vec<_>>()), it))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, it)| it)
}

/// The end of an error message: `, did you mean `x`?` or a short list of what exists.
pub fn with_suggestion<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(it) = nearest(wanted, known.iter().copied()) {
        return format!(", did you mean `{it}`?");
    }
    const SHOWN: usize = 12;
    let mut list = known.iter().take(SHOWN).map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    if SHOWN < known.len() {
        list.push_str(&format!(" and {} more", known.len() - SHOWN));
    }
    if list.is_empty() { String::new() } else { format!("; there is {list}") }
}

fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let change = above[j] + usize::from(x != y);
            let mut best = change.min(above[j + 1] + 1).min(row[j] + 1);
            if 0 < i && 0 < j && a[i - 1] == *y && *x == b[j - 1] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_of_the_keyboard() {
        let known = ["treat", "year", "城市"];
        assert_eq!(nearest("traet", known), Some("treat"));
        assert_eq!(nearest("Year", known), Some("year"));
        assert_eq!(nearest("城巿", known), Some("城市"));
        assert_eq!(nearest("population", known), None);
        assert_eq!(nearest("year", known), None);
    }

    #[test]
    fn lists_what_exists_when_nothing_is_near() {
        assert_eq!(with_suggestion("zzzz", ["a", "b"]), "; there is `a`, `b`");
        assert_eq!(with_suggestion("yaer", ["year"]), ", did you mean `year`?");
    }
}

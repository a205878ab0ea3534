//! Labels that a reader takes for one: they differ only in spaces around them, or in width or case of letters.

use std::collections::HashMap;

use parallax_base::{Name, shown};

/// Groups of such labels that a note names.
const SHOWN: usize = 5;

/// A sentence on the labels of one column that look alike; `None` when all differ in more.
pub(crate) fn note(column: &Name, labels: &[Name]) -> Option<String> {
    let mut groups: HashMap<String, Vec<&Name>> = HashMap::with_capacity(labels.len());
    for label in labels {
        groups.entry(folded(label)).or_default().push(label);
    }
    let mut alike: Vec<Vec<&Name>> = groups.into_values().filter(|it| 1 < it.len()).collect();
    if alike.is_empty() {
        return None;
    }
    alike.iter_mut().for_each(|it| it.sort());
    alike.sort();
    let quoted = |it: &&Name| format!("`{}`", shown(it));
    let mut parts: Vec<String> = alike
        .iter()
        .take(SHOWN)
        .map(|it| it.iter().take(SHOWN).map(quoted).collect::<Vec<_>>().join(" and "))
        .collect();
    if SHOWN < alike.len() {
        parts.push(format!("{} more", alike.len() - SHOWN));
    }
    Some(format!(
        "`{}` has labels that differ only in spaces around them, or in width or case of letters, and count as different: \
         {}",
        shown(column),
        parts.join("; ")
    ))
}

/// The label in lower case and common width, without spaces around it.
pub(crate) fn folded(label: &str) -> String {
    if label.is_ascii() {
        return label.trim().to_ascii_lowercase();
    }
    let mut text = String::with_capacity(label.len());
    for it in label.chars() {
        match (common_width(it), text.pop()) {
            (mark @ ('゛' | '゜'), Some(before)) => match voiced(before, mark) {
                Some(it) => text.push(it),
                None => text.extend([before, mark]),
            },
            (it, before) => {
                text.extend(before);
                text.extend(it.to_lowercase());
            }
        }
    }
    text.trim_matches(|it: char| it.is_whitespace() || matches!(it, '\u{200b}' | '\u{feff}')).to_owned()
}

/// Full-width letters and half-width katakana as they are usually written (Unicode, Halfwidth and Fullwidth Forms).
fn common_width(it: char) -> char {
    const KATAKANA: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
    match it {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(it) - 0xfee0).unwrap_or(it),
        '\u{ff61}'..='\u{ff9f}' => KATAKANA.chars().nth((u32::from(it) - 0xff61) as usize).unwrap_or(it),
        _ => it,
    }
}

/// A letter with a mark of voice that stood beside it.
fn voiced(letter: char, mark: char) -> Option<char> {
    let code = u32::from(letter);
    let step = match (letter, mark) {
        ('ウ', '゛') => 'ヴ' as u32 - 'ウ' as u32,
        ('ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ', '゜') => 2,
        ('ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ', '゛') => 1,
        (
            'カ' | 'キ' | 'ク' | 'ケ' | 'コ' | 'サ' | 'シ' | 'ス' | 'セ' | 'ソ' | 'タ' | 'チ' | 'ツ' | 'テ'
            | 'ト',
            '゛',
        ) => 1,
        _ => return None,
    };
    char::from_u32(code + step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_width_and_case_are_folded_and_nothing_else() {
        let same = [
            (" Beijing", "Beijing\u{3000}"),
            ("Ｏｓａｋａ", "osaka"),
            ("ｶﾞｲﾄﾞ", "ガイド"),
            ("ﾊﾟﾘ", "パリ"),
            ("ÉTÉ ", "été"),
            ("a\u{a0}", "a"),
        ];
        for (a, b) in same {
            assert_eq!(folded(a), folded(b));
        }
        for (a, b) in [("a b", "ab"), ("カ", "ガ"), ("e", "é"), ("1", "01")] {
            assert_ne!(folded(a), folded(b));
        }
    }

    #[test]
    fn the_note_names_them() {
        let names = |it: &[&str]| it.iter().map(|it| Name::from(*it)).collect::<Vec<_>>();
        assert_eq!(note(&"city".into(), &names(&["Wuhan", "Beijing"])), None);
        let text = note(&"city".into(), &names(&["Beijing ", "Wuhan", " Beijing", "WUHAN"])).unwrap();
        assert!(text.ends_with("` Beijing` and `Beijing `; `WUHAN` and `Wuhan`"), "{text}");
    }
}

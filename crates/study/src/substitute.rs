//! `{controls}` in a formula stands for a named set of terms.

use std::collections::BTreeMap;

use parallax_base::with_suggestion;

/// Puts sets into a formula. Names in `own` win over `common`.
pub fn substitute(
    text: &str,
    own: &BTreeMap<String, String>,
    common: &BTreeMap<String, String>,
) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = split_at_brace(rest) {
        let Some((name, after)) = after.split_once('}') else {
            return Err(format!("`{{` without `}}` in `{text}`"));
        };
        let name = name.trim();
        let set = own.get(name).or_else(|| common.get(name)).ok_or_else(|| {
            let known = own.keys().chain(common.keys()).map(String::as_str);
            format!("no set `{name}` under [sets]{}", with_suggestion(name, known))
        })?;
        out.push_str(before);
        out.push_str(set);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The text before and after the first brace that is not part of a name in back-ticks or of a text in quotes.
fn split_at_brace(text: &str) -> Option<(&str, &str)> {
    let mut open: Option<char> = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (open, character) {
            (None, '{') => return Some((text.get(..at)?, text.get(at + 1..)?)),
            (None, '`' | '"' | '\'') => open = Some(character),
            (Some(_), '\\') => {
                characters.next();
            }
            (Some(mark), it) if it == mark => open = None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_sets_win_and_unknown_ones_are_named() {
        let set = |it: &str| BTreeMap::from([("controls".to_owned(), it.to_owned())]);
        let put = |text: &str| substitute(text, &set("a + b"), &set("c"));
        assert_eq!(put("y ~ d + {controls} | u").unwrap(), "y ~ d + a + b | u");
        assert_eq!(
            put("y ~ {contrls}").unwrap_err(),
            "no set `contrls` under [sets], did you mean `controls`?"
        );
        assert!(put("y ~ {x").is_err());
        assert_eq!(put("`y{1}` ~ {controls} + i(g, ref = '{')").unwrap(), "`y{1}` ~ a + b + i(g, ref = '{')");
    }
}

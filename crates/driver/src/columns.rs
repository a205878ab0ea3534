//! Lists of columns on the command line.

use std::str::FromStr;

use parallax_base::Name;

/// Names with commas between. A name is taken as it stands, whatever signs it has; a comma of its own is written `\,`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnList(Vec<Name>);

impl ColumnList {
    /// The names of all lists, in order: an argument may be given several times.
    pub fn names(lists: &[ColumnList]) -> Vec<Name> {
        lists.iter().flat_map(|it| it.0.iter().cloned()).collect()
    }
}

impl FromStr for ColumnList {
    type Err = String;

    fn from_str(text: &str) -> Result<ColumnList, String> {
        let mut names = vec![String::new()];
        let mut rest = text;
        while let Some(at) = rest.find(',') {
            let (before, after) = rest.split_at(at);
            rest = after.get(1..).unwrap_or_default();
            let Some(name) = names.last_mut() else { break };
            match before.strip_suffix('\\') {
                Some(before) => *name = format!("{name}{before},"),
                None => {
                    name.push_str(before);
                    names.push(String::new());
                }
            }
        }
        if let Some(it) = names.last_mut() {
            it.push_str(rest);
        }
        if names.iter().any(String::is_empty) {
            return Err("a name is empty; write names with one comma between, as in x1,x2".to_owned());
        }
        Ok(ColumnList(names.into_iter().map(Name::from).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_as_they_stand() {
        let names = |text: &str| text.parse::<ColumnList>().map(|it| ColumnList::names(&[it]));
        assert_eq!(names("x-1,y*2, z"), Ok(vec!["x-1".into(), "y*2".into(), " z".into()]));
        assert_eq!(names(r"a\,b,c\d"), Ok(vec!["a,b".into(), r"c\d".into()]));
        assert!(names("a,,b").is_err() && names("a,").is_err() && names("").is_err());
    }
}

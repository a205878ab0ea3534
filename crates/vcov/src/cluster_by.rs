//! [`ClusterBy`]: one grouping of a clustered request, as columns instead of text.

use std::fmt;

use parallax_base::{InMarks, Name};

/// A column of clusters, or several columns whose combinations are the clusters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClusterBy {
    columns: Vec<Name>,
}

impl ClusterBy {
    /// The columns; more than one are combined.
    pub fn columns(&self) -> &[Name] {
        &self.columns
    }

    /// The columns with `^` between, for people.
    pub fn name(&self) -> Name {
        match self.columns.as_slice() {
            [only] => only.clone(),
            several => Name::from(several.iter().map(Name::as_str).collect::<Vec<_>>().join("^")),
        }
    }
}

/// One column, whatever signs its name has.
impl From<Name> for ClusterBy {
    fn from(column: Name) -> ClusterBy {
        ClusterBy { columns: vec![column] }
    }
}

impl From<&str> for ClusterBy {
    fn from(column: &str) -> ClusterBy {
        Name::from(column).into()
    }
}

/// As a request writes it: names with the signs of the request's own language stand in back-ticks.
impl fmt::Display for ClusterBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, column) in self.columns.iter().enumerate() {
            if 0 < at {
                f.write_str("^")?;
            }
            let odd = column.contains(['+', '^', '`']) || column.trim() != column.as_str();
            if odd { write!(f, "{}", InMarks(column, '`'))? } else { f.write_str(column)? }
        }
        Ok(())
    }
}

/// Reads `A+B^C`; a name in back-ticks is read as it stands there, with `\` before a back-tick of its own.
///
/// # Errors
/// What is missing, in words.
pub(crate) fn read(text: &str) -> Result<Vec<ClusterBy>, &'static str> {
    let mut all = vec![ClusterBy { columns: Vec::new() }];
    let mut rest = text;
    loop {
        let (name, after) = column(rest)?;
        if let Some(it) = all.last_mut() {
            it.columns.push(name);
        }
        let mut signs = after.chars();
        match signs.next() {
            None => return Ok(all),
            Some('+') => all.push(ClusterBy { columns: Vec::new() }),
            Some(_) => {}
        }
        rest = signs.as_str();
    }
}

/// The column at the beginning, and the text from the sign behind it on.
fn column(text: &str) -> Result<(Name, &str), &'static str> {
    const NO_NAME: &str = "; name the columns, as in cluster:city or cluster:city+year";
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('`') else {
        let (name, after) = text.split_at(text.find(['+', '^']).unwrap_or(text.len()));
        let name = name.trim_end();
        return if name.is_empty() { Err(NO_NAME) } else { Ok((Name::from(name), after)) };
    };
    let mut name = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next() {
            None => return Err("; a back-tick is never closed"),
            Some('\\') => name.extend(characters.next()),
            Some('`') => break,
            Some(it) => name.push(it),
        }
    }
    let after = characters.as_str().trim_start();
    match after.chars().next() {
        _ if name.is_empty() => Err(NO_NAME),
        None | Some('+' | '^') => Ok((Name::from(name), after)),
        Some(_) => Err("; between columns stands + or ^"),
    }
}

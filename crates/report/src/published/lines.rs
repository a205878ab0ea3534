//! Where in a TOML text a value stands.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A step into a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum At<'a> {
    /// The value of a key.
    Key(&'a str),
    /// An element of a list, counted from zero.
    Index(usize),
}

/// The lines of a text, and its values with their places.
pub(super) struct Lines<'t> {
    root: Option<Spanned<DeTable<'t>>>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub fn of(text: &'t str) -> Lines<'t> {
        let ends = text.bytes().enumerate().filter(|it| it.1 == b'\n').map(|it| it.0).collect();
        Lines { root: DeTable::parse(text).ok(), ends }
    }

    /// The line, counted from one, on which the value at a path begins, or the last one on the way that is there.
    pub fn line(&self, path: &[At<'_>]) -> usize {
        let Some((At::Key(first), rest)) = path.split_first() else { return 1 };
        let Some(mut found) = self.root.as_ref().and_then(|it| it.get_ref().get(*first)) else { return 1 };
        for step in rest {
            let next = match (found.get_ref(), step) {
                (DeValue::Table(it), At::Key(key)) => it.get(*key),
                (DeValue::Array(it), At::Index(at)) => it.get(*at),
                _ => None,
            };
            match next {
                Some(it) => found = it,
                None => break,
            }
        }
        1 + self.ends.partition_point(|end| *end < found.span().start)
    }
}

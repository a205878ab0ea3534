//! The words every crate shares: [`Name`], [`Note`], [`InMarks`], [`counted`] and the "did you mean" helper.
//!
//! No I/O and no algorithms live here, so that any crate can depend on it.

mod counted;
mod marks;
mod name;
mod note;
mod shown;
mod suggest;

pub use counted::counted;
pub use marks::InMarks;
pub use name::Name;
pub use note::Note;
pub use shown::{shown, shown_message};
pub use suggest::{nearest, with_suggestion};

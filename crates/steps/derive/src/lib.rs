//! Steps that make columns and leave rows alone.
//!
//! | step | file |
//! |---|---|
//! | `derive` | [`mod@derive`] |
//! | `lag` | [`lag`] |
//! | `treat` | [`treat`] |

pub mod derive;
pub mod lag;
mod target;
#[cfg(test)]
mod tests;
pub mod treat;

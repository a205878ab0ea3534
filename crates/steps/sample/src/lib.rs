//! Steps that choose rows and leave columns alone.
//!
//! | step | file |
//! |---|---|
//! | `restrict` | [`restrict`] |
//! | `complete` | [`complete`] |

pub mod complete;
pub mod restrict;
#[cfg(test)]
mod tests;

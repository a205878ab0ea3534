//! How large a count in an option may be, with the reason. Options declare these bounds in their schema, and the registry
//! refuses what lies outside: a slip of the keyboard must not take the machine.

/// Draws of a bootstrap, a permutation or a placebo: with a million the third digit of a p-value is settled.
pub const DRAWS: u64 = 1_000_000;
/// Leads, lags and anticipation in periods: two hundred and seventy years of days.
pub const PERIODS: u64 = 100_000;
/// Lags that are columns of their own, as many as a formula may name.
pub const LAGGED_COLUMNS: u64 = 1_000;
/// Iterations of an absorption: what has not met its bound by then does not meet it.
pub const ITERATIONS: u64 = 10_000_000;
/// Neighbours of a matched row: more would be every row of the groups that matching is for.
pub const NEIGHBOURS: u64 = 100_000;
/// Strata of a score: finer ones hold single rows.
pub const STRATA: u64 = 10_000;
/// Components: an index of more indicators than that is not read from a study file.
pub const COMPONENTS: u64 = 1_000;

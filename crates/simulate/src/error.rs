//! What can be wrong with the facts and options a simulation is asked to use.

/// Why a simulation was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SimulateError {
    /// The national facts lack a year the process needs.
    #[error("national facts for {year} are missing: the replica needs every year from 2008 to 2022")]
    MissingYear {
        /// The absent year.
        year: i32,
    },
    /// A growth rate or deflator is unusable.
    #[error("national facts for {year}: {what} must be positive and finite, it is {value}")]
    BadNational {
        /// The year.
        year: i32,
        /// Which fact.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// No city is left to simulate.
    #[error("there are {complete} cities with complete series, at least {needed} are needed")]
    TooFewCities {
        /// Cities that would be complete.
        complete: usize,
        /// The least number that works.
        needed: usize,
    },
    /// Two rows of facts describe one city.
    #[error("city code {code} occurs more than once")]
    DuplicateCity {
        /// The code.
        code: i64,
    },
    /// An option lies outside its range.
    #[error("option `{option}`: {reason}")]
    BadOption {
        /// Name of the option.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The drawn outcome implies an impossible economy.
    #[error("city {code} would have a GDP of zero or less in {year}: lower the spread or the effect")]
    NonPositiveOutput {
        /// City code.
        code: i64,
        /// Year.
        year: i32,
    },
}

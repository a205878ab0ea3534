//! What a paper prints, against what we compute: every printed cell gets a verdict.
//!
//! `published.toml` holds cells exactly as printed, as text, misprints included:
//!
//! ```toml
//! source = "Author (Year), Title"            # optional
//!
//! [table1]                                   # descriptive: names of columns, then rows
//! title = "Descriptive statistics"
//! columns = ["Variables", "N", "mean"]
//! rows = [["Resilience", "3108", "24.200"]]
//!
//! [table2]
//! title = "Benchmark regression results"
//!
//! [[table2.column]]                          # regression: one block a column
//! number = "(1)"
//! outcome = "Resilience"                     # optional, like `group`
//! rows = [{ term = "Constant", estimate = "19.830", stars = "***", std_error = "0.600" }]
//! controls = "NO"                            # any other text is a statistic
//! observations = "3,108"
//!
//! [[explained]]                              # differences with a known reason
//! table = "table2"
//! column = "(1)"                             # `column`, `row` and `what` may be left out:
//! row = "observations"                       # then the reason holds for all of them
//! what = "statistic"
//! because = "The paper counts rows it does not use."
//! ```

mod compare;
mod file;
mod known;
mod lines;
mod printed;

pub use compare::{ComparedCell, Comparison, Summary, Value, Verdict};
pub use file::{
    CellKey, Explained, PrintedCell, PrintedColumn, PrintedTable, Published, PublishedError, What,
};
pub use known::{check_published, check_published_details};
pub use printed::{Printed, Unparsable, parse_printed};

//! Tables every rendering is tested with.

use parallax_report::{Cell, Digits, HeaderRow, Row, Table};

const THREE: Digits = Digits::Decimals(3);

/// Spans, stars, blocks, a Chinese label and a failed column, on simulated data.
pub fn regression() -> Table {
    let mut table = Table::new("table_3", "Table 3. Robustness: lag test");
    table.simulated = true;
    table.header = vec![
        HeaderRow::new(["", "(1)", "(2)", "(3)"]),
        HeaderRow::spans([("", 1), ("1-year lag", 2), ("2-year lag", 1)]),
        HeaderRow::new(["", "Resilience", "Resilience", "Resilience"]),
    ];
    let failed = || Cell::Failed("the covariance is not of full rank: 2 clusters for 7 terms".to_owned());
    table.body = vec![
        Row::cells("跨境电商 L.did", [coefficient(4.728, 1.83, 2), coefficient(3.652, 1.544, 2), failed()]),
        Row::cells("Constant", [coefficient(7.2034, 0.577, 3), coefficient(-23.72, 6.299, 3), failed()]),
        Row::Rule,
        Row::cells("Controls", [Cell::yes_no(false), Cell::yes_no(true), Cell::yes_no(true)]),
        Row::cells("Observations", [Cell::Count(2849), Cell::Count(2849), Cell::Empty]),
        Row::cells("R-squared", [Cell::decimals(0.78, 3), Cell::decimals(0.815, 3), Cell::Empty]),
    ];
    table.notes = vec!["Standard errors clustered by city; * p<0.1, ** p<0.05, *** p<0.01.".to_owned()];
    table
}

/// Numbers of all sizes, a missing one, a heading, and nothing simulated.
pub fn descriptive() -> Table {
    let mut table = Table::new("table1", "Descriptive statistics");
    table.header = vec![HeaderRow::new(["Variables", "N", "mean", "min"])];
    table.body = vec![
        Row::Heading("Panel A: 城市".to_owned()),
        Row::cells("Resilience", [Cell::Count(3108), number(24.2), number(-11.45)]),
        Row::cells("Share, \"A|B\" & 5%", [Cell::Count(12), number(0.000_012_345_678), number(-0.0)]),
        Row::cells("#Patents", [Cell::Count(0), number(f64::NAN), number(1_234_567.8)]),
    ];
    table
}

fn number(value: f64) -> Cell {
    Cell::Number { value, digits: Digits::Significant(6) }
}

fn coefficient(estimate: f64, std_error: f64, stars: u8) -> Cell {
    Cell::Coefficient { estimate, std_error, stars, p_value: 0.03, digits: THREE }
}

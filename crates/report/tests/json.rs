//! JSON holds the whole table: what is parsed back is what was rendered.

mod common;

use common::{descriptive, regression};
use parallax_report::{Cell, Digits, Format, HeaderRow, Row, Table, render};
use proptest::prelude::*;

#[test]
fn a_parsed_table_renders_the_same() {
    for table in [regression(), descriptive()] {
        let json = render(&table, Format::Json);
        let parsed: Table = serde_json::from_str(&json).unwrap();
        for format in Format::ALL {
            assert_eq!(render(&parsed, format), render(&table, format));
        }
    }
}

#[test]
fn simulated_data_say_so_twice_everywhere() {
    for format in Format::ALL {
        let mut table = regression();
        let text = render(&table, format);
        let lines: Vec<&str> = text.lines().collect();
        let said = |it: &&str| it.contains("simulated");
        let (first, last) = (lines.iter().position(said), lines.iter().rposition(said));
        assert!(first < last && first < Some(8) && Some(lines.len() - 9) < last, "{format}: {text}");
        table.simulated = false;
        assert!(!render(&table, format).contains("simulated data"), "{format}");
    }
    let json: serde_json::Value = serde_json::from_str(&render(&regression(), Format::Json)).unwrap();
    assert_eq!(json["simulated"], true);
}

#[test]
fn numbers_that_json_lacks_survive() {
    let cells = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0].map(|it| Cell::decimals(it, 2));
    let table = Table { body: vec![Row::cells("x", cells)], ..Table::new("t", "T") };
    let json = render(&table, Format::Json);
    assert!(json.contains("\"value\": null") && json.contains("\"-inf\"") && !json.contains("-0.0"));
    let parsed: Table = serde_json::from_str(&json).unwrap();
    assert_eq!(render(&parsed, Format::Csv), "#,T,,,\nx,,inf,-inf,0.00\n");
}

proptest! {
    #[test]
    fn every_table_survives(table in tables()) {
        let parsed: Table = serde_json::from_str(&render(&table, Format::Json)).unwrap();
        prop_assert_eq!(&parsed, &table);
    }

    /// Whatever the texts, CSV has as many fields in every record, and they are what was put in.
    #[test]
    fn csv_records_are_regular(table in tables()) {
        let records = csv_records(&render(&table, Format::Csv));
        let columns = table.columns().max(2);
        prop_assert!(records.iter().all(|it| it.len() == columns), "{records:?}");
    }

    #[test]
    fn text_never_ends_in_spaces(table in tables()) {
        let text = render(&table, Format::Text);
        prop_assert!(text.lines().all(|it| it.trim_end() == it), "{text}");
    }
}

fn tables() -> impl Strategy<Value = Table> {
    let text = r##"[a-c跨境|&*,"#\\ ]{0,6}"##;
    let header = prop::collection::vec((text, 1_usize..3), 0..4);
    let row = (text, prop::collection::vec(cells(text), 0..4)).prop_map(|it| Row::cells(it.0, it.1));
    let rows = prop_oneof![5 => row, 1 => Just(Row::Rule), 1 => text.prop_map(Row::Heading)];
    let notes = prop::collection::vec(text, 0..3);
    (text, header, prop::collection::vec(rows, 0..6), notes).prop_map(|(title, header, body, notes)| Table {
        header: vec![HeaderRow::spans(header)],
        body,
        notes,
        ..Table::new("t", title)
    })
}

fn cells(text: &'static str) -> impl Strategy<Value = Cell> {
    let digits =
        || prop_oneof![(0_u8..9).prop_map(Digits::Decimals), (1_u8..9).prop_map(Digits::Significant)];
    let number = (-1e9..1e9_f64, digits()).prop_map(|(value, digits)| Cell::Number { value, digits });
    let coefficient =
        (-1e3..1e3_f64, 0.0..9.0_f64, 0_u8..4, digits()).prop_map(|(estimate, std_error, stars, digits)| {
            Cell::Coefficient { estimate, std_error, stars, p_value: 0.5, digits }
        });
    prop_oneof![
        Just(Cell::Empty),
        text.prop_map(Cell::Text),
        any::<u64>().prop_map(Cell::Count),
        number,
        coefficient,
        text.prop_map(Cell::Failed),
    ]
}

/// A reader written from RFC 4180, apart from the writer.
fn csv_records(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let (mut record, mut field, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            _ => field.push(c),
        }
    }
    records
}

//! Units and periods from every type.

use arrow::array::{Date32Array, Float64Array, Int64Array, StringArray, TimestampMillisecondArray};
use parallax_ingest::{ReadRequest, read};

use crate::support::{Folder, array, labels};

#[test]
fn rows_are_sorted_and_duplicates_named_by_line() {
    let folder = Folder::new();
    let path = folder.put("a.csv", "城市,year,y\n乙,2012,1\n甲,2011,2\n乙,2011,3\n");
    let request = ReadRequest::file(path).indexed("城市", "year");
    let panel = read(&request).unwrap().panel;
    assert_eq!(panel.periods(), [2011, 2012, 2011]);
    assert_eq!(**panel.real("y").unwrap(), [3.0, 1.0, 2.0]);
    assert_eq!(labels(&panel, "城市"), ["乙", "乙", "甲"]);
    assert_eq!(panel.place(0), "城市 乙, year 2011");

    folder.put("a.csv", "城市,year,y\n乙,2012,1\n甲,2011,2\n乙,2012,3\n");
    assert_eq!(
        folder.refusal(&request),
        "a.csv, line 2 and a.csv, line 4: two rows for 城市 `乙`, year 2012; remove one, or name the columns that \
         identify a row as unit and time"
    );
}

#[test]
fn dates_are_counted_on_the_coarsest_scale() {
    let folder = Folder::new();
    let cases = [
        ("2011-12-31", "2012-12-31", [2011, 2012], "their years (all share month and day)"),
        (
            "2011-01-01",
            "2011-03-01",
            [24_132, 24_134],
            "months since year 0, that is year * 12 + month - 1 (all share the day, or are the last of their months)",
        ),
        ("2011-01-01", "2011-01-08", [14_975, 14_982], "days since 1970-01-01"),
    ];
    for (first, second, periods, text) in cases {
        let path = folder.put("a.csv", format!("id,t\n1,{first}\n1,{second}\n"));
        let loaded = read(&ReadRequest::file(path).indexed("id", "t")).unwrap();
        assert_eq!(loaded.panel.dates(), periods);
        assert_eq!(folder.notes(&loaded), [format!("a.csv: time `t` holds dates; periods are {text}")]);
    }
}

#[test]
fn parquet_dates_timestamps_text_and_floats_are_periods_too() {
    let folder = Folder::new();
    let ids = || ("id", array(Int64Array::from(vec![7, 7])));
    let columns = [
        array(Date32Array::from(vec![14_975, 15_340])),
        array(TimestampMillisecondArray::from(vec![14_975 * 86_400_000, 15_340 * 86_400_000])),
        array(StringArray::from(vec!["2011", " 2012"])),
        array(StringArray::from(vec!["2011-01-01", "2012-01-01"])),
        array(Float64Array::from(vec![2011.0, 2012.0])),
    ];
    for column in columns {
        let path = folder.parquet("a.parquet", vec![ids(), ("t", column)], 10);
        let panel = read(&ReadRequest::file(path).indexed("id", "t")).unwrap().panel;
        assert_eq!(panel.periods(), [2011, 2012]);
        assert_eq!(labels(&panel, "id"), ["7", "7"]);
    }
}

#[test]
fn bad_and_missing_keys_name_row_and_value() {
    let folder = Folder::new();
    let refusal =
        |text: &str| folder.refusal(&ReadRequest::file(folder.put("a.csv", text)).indexed("id", "t"));
    let rule = "it must be a whole number or a date (YYYY-MM-DD)";
    assert_eq!(refusal("id,t\n1,2011\n1,2011.5\n"), format!("a.csv, line 3: time `t` is `2011.5`; {rule}"));
    assert_eq!(
        refusal("id,t\n1,2011\n1,20120000000\n"),
        format!("a.csv, line 3: time `t` is `20120000000`; {rule}")
    );
    assert_eq!(refusal("id,t\n1,2011年\n"), format!("a.csv, line 2: time `t` is `2011年`; {rule}"));
    let lost = "is missing; a row without it cannot be placed in the panel";
    assert_eq!(refusal("id,t\n1,2011\n1,\n"), format!("a.csv, line 3: time `t` {lost}"));
    assert_eq!(refusal("id,t\n1,2011\n,2012\n"), format!("a.csv, line 3: unit `id` {lost}"));
    let word = "; read as missing here: `NA` (1), and a word in quotes is a value";
    assert_eq!(refusal("id,t\na,2011\nNA,2012\n"), format!("a.csv, line 3: unit `id` {lost}{word}"));
    assert_eq!(refusal("id,t\na,\nb,\n"), format!("a.csv, line 2: time `t` {lost}"));
    let stamp = array(TimestampMillisecondArray::from(vec![86_400_000, 129_600_000]));
    let path =
        folder.parquet("a.parquet", vec![("id", array(Int64Array::from(vec![1, 1]))), ("t", stamp)], 10);
    assert_eq!(
        folder.refusal(&ReadRequest::file(path).indexed("id", "t")),
        format!("a.parquet, row 2: time `t` is `1970-01-02 12:00`; {rule}")
    );
}

#[test]
fn long_identifiers_are_units() {
    let folder = Folder::new();
    let path = folder.put("a.csv", "id,t\n9007199254740993,1\n9007199254740992,1\n");
    let panel = read(&ReadRequest::file(path).indexed("id", "t")).unwrap().panel;
    assert_eq!(labels(&panel, "id"), ["9007199254740992", "9007199254740993"]);
}

#[test]
fn rows_of_a_range_are_kept() {
    let folder = Folder::new();
    let path = folder.put("a.csv", "id,t,x\na,2010-01-01,1\nb,2011-01-01,2\nb,2012-01-01,3\n");
    let mut request = ReadRequest::file(path).indexed("id", "t");
    request.files[0] = request.files[0].clone().rows(2011, 2011);
    let loaded = read(&request).unwrap();
    assert_eq!(loaded.panel.periods(), [2011]);
    assert_eq!(loaded.panel.units().n_groups(), 1);
    assert_eq!(**loaded.panel.real("x").unwrap(), [2.0]);
    request.files[0] = request.files[0].clone().rows(2020, 2030);
    assert_eq!(
        folder.refusal(&request),
        "a.csv: no row has `t` in 2020..=2030; the rows read span 2010 to 2012"
    );
}

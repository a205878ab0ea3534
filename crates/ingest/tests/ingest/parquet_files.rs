//! Types, projection, pruning and metadata of Parquet files.

use std::{fs, sync::Arc};

use arrow::{
    array::{
        BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, Decimal256Array,
        DictionaryArray, Float16Array, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array,
        Int64Array, LargeStringArray, ListArray, NullArray, StringArray, StringViewArray, StructArray,
        TimestampMicrosecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
    },
    datatypes::{DataType, Field, Float16Type, Int32Type, i256},
};
use parallax_ingest::{Format, ReadRequest, describe_schema, read, sha256};
use parallax_panel::{Column, Labels};
use parquet::file::{
    metadata::{KeyValue, ParquetMetaDataReader},
    properties::{EnabledStatistics, WriterProperties},
};

use crate::support::{Folder, all, array, batch, labels, reals};

#[test]
fn every_numeric_type_becomes_a_number() {
    let folder = Folder::new();
    let half = <Float16Type as arrow::datatypes::ArrowPrimitiveType>::Native::from_f32;
    let columns = vec![
        ("i8", array(Int8Array::from(vec![Some(-8), None]))),
        ("i16", array(Int16Array::from(vec![Some(-16), None]))),
        ("i32", array(Int32Array::from(vec![Some(-32), None]))),
        ("i64", array(Int64Array::from(vec![Some(-64), None]))),
        ("u8", array(UInt8Array::from(vec![Some(8), None]))),
        ("u16", array(UInt16Array::from(vec![Some(16), None]))),
        ("u32", array(UInt32Array::from(vec![Some(u32::MAX), None]))),
        ("u64", array(UInt64Array::from(vec![Some(64), None]))),
        ("f16", array(Float16Array::from(vec![Some(half(0.5)), None]))),
        ("f32", array(Float32Array::from(vec![Some(0.1), None]))),
        ("f64", array(Float64Array::from(vec![Some(0.1), Some(f64::NAN)]))),
        ("bool", array(BooleanArray::from(vec![Some(true), None]))),
        ("null", array(NullArray::new(2))),
        (
            "dec",
            array(Decimal128Array::from(vec![Some(12345), None]).with_precision_and_scale(10, 2).unwrap()),
        ),
        (
            "big",
            array(
                Decimal256Array::from(vec![Some(i256::from_i128(10_i128.pow(30) + 1)), None])
                    .with_precision_and_scale(40, 30)
                    .unwrap(),
            ),
        ),
    ];
    let path = folder.parquet("a.parquet", columns, 10);
    let loaded = all(&path);
    let first: Vec<String> =
        loaded.panel.names().iter().map(|it| reals(&loaded.panel, it)[0].clone()).collect();
    let tenth = f64::from(0.1f32).to_string();
    let expected = [
        "-8",
        "-16",
        "-32",
        "-64",
        "8",
        "16",
        "4294967295",
        "64",
        "0.5",
        &tenth,
        "0.1",
        "1",
        "",
        "123.45",
        "1",
    ];
    assert_eq!(first, expected);
    assert!(loaded.panel.names().iter().all(|it| loaded.panel.real(it).unwrap()[1].is_nan()));
    let report = &loaded.files[0];
    assert_eq!((report.rows, report.columns_in_file, report.columns_read), (2, 15, 15));
    assert_eq!((report.format, report.row_groups, report.simulated), (Format::Parquet, (1, 1), false));
}

#[test]
fn text_of_every_kind_becomes_codes() {
    let folder = Folder::new();
    let values = vec![Some("乙"), None, Some("甲"), Some("乙")];
    let dictionary: DictionaryArray<Int32Type> = values.iter().copied().collect();
    let numbers = DictionaryArray::<Int32Type>::new(
        Int32Array::from(vec![Some(1), None, Some(0), Some(1)]),
        Arc::new(Float64Array::from(vec![2.5, 7.0, 9.0])),
    );
    let columns = vec![
        ("utf8", array(StringArray::from(values.clone()))),
        ("large", array(LargeStringArray::from(values.clone()))),
        ("view", array(StringViewArray::from(values.clone()))),
        ("dictionary", array(dictionary)),
        ("numbers", array(numbers)),
    ];
    let loaded = all(&folder.parquet("a.parquet", columns.clone(), 3));
    for name in ["utf8", "large", "view", "dictionary"] {
        let codes = loaded.panel.codes(name).unwrap();
        assert_eq!(*codes.labels, Labels::Text(vec!["乙".into(), "甲".into()]), "{name}");
        assert_eq!(labels(&loaded.panel, name), ["乙", "", "甲", "乙"]);
    }
    assert_eq!(reals(&loaded.panel, "numbers"), ["7", "", "2.5", "7"]);

    let plain = WriterProperties::builder().set_dictionary_enabled(false).build();
    let plain = all(&folder.parquet_with("b.parquet", &batch(columns), plain));
    assert_eq!(labels(&plain.panel, "utf8"), ["乙", "", "甲", "乙"]);
}

#[test]
fn dates_become_days() {
    let folder = Folder::new();
    let columns = vec![
        ("date32", array(Date32Array::from(vec![Some(14_975), None]))),
        ("date64", array(Date64Array::from(vec![Some(14_975 * 86_400_000), None]))),
        ("stamp", array(TimestampMicrosecondArray::from(vec![Some(-43_200_000_000), None]))),
    ];
    let loaded = all(&folder.parquet("a.parquet", columns, 10));
    assert_eq!(reals(&loaded.panel, "date32"), ["14975", ""]);
    assert_eq!(reals(&loaded.panel, "date64"), ["14975", ""]);
    assert_eq!(reals(&loaded.panel, "stamp"), ["-0.5", ""]);
    assert_eq!(loaded.notes.len(), 3);
}

#[test]
fn identifiers_beyond_f64_stay_exact() {
    let folder = Folder::new();
    let long = 9_007_199_254_740_993;
    let columns = vec![
        ("signed", array(Int64Array::from(vec![Some(5), None, Some(long), Some(5)]))),
        ("hash", array(UInt64Array::from(vec![Some(u64::MAX), Some(3), None, Some(3)]))),
        (
            "keyed",
            array(DictionaryArray::<Int32Type>::new(
                Int32Array::from(vec![0, 1, 1, 0]),
                Arc::new(Int64Array::from(vec![1, long])),
            )),
        ),
    ];
    let loaded = all(&folder.parquet("a.parquet", columns, 2));
    let Column::Codes(codes) = loaded.panel.column("signed").unwrap() else { panic!("codes") };
    assert_eq!(*codes.labels, Labels::Integers(vec![5, long]));
    assert_eq!(labels(&loaded.panel, "hash"), ["18446744073709551615", "3", "", "3"]);
    assert_eq!(labels(&loaded.panel, "keyed"), ["1", "9007199254740993", "9007199254740993", "1"]);
    assert_eq!(loaded.notes.len(), 3);
}

#[test]
fn nested_columns_are_noted_and_refused_only_when_asked_for() {
    let folder = Folder::new();
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)]), None]);
    let inner = Arc::new(Field::new("a", DataType::Int32, true));
    let structure = StructArray::from(vec![(inner, array(Int32Array::from(vec![1, 2])))]);
    let columns = vec![
        ("list", array(list)),
        ("x", array(Int32Array::from(vec![1, 2]))),
        ("record", array(structure)),
        ("bytes", array(BinaryArray::from_vec(vec![b"a", b"b"]))),
        ("y", array(Int32Array::from(vec![3, 4]))),
    ];
    let path = folder.parquet("a.parquet", columns, 10);
    let loaded = all(&path);
    assert_eq!(loaded.panel.names(), ["x", "y"].map(Into::into));
    assert_eq!(reals(&loaded.panel, "y"), ["3", "4"]);
    assert_eq!(
        folder.notes(&loaded),
        [
            "a.parquet: not read, because of types a panel cannot hold: `list` (a list), `record` (a struct), `bytes` (binary)"
        ]
    );
    assert_eq!(
        folder.refusal(&ReadRequest::file(&path).only(["x", "record"])),
        "a.parquet: column `record` is a struct, which cannot be a panel column; flatten it or leave it out"
    );
}

#[test]
fn infinity_names_the_row() {
    let folder = Folder::new();
    let values = Float64Array::from(vec![1.0, 2.0, f64::NEG_INFINITY]);
    let path = folder.parquet("a.parquet", vec![("x", array(values))], 2);
    let text = folder.refusal(&ReadRequest::file(path));
    assert_eq!(
        text,
        "a.parquet, row 3: column `x` is infinite; only finite numbers and missing values can be used"
    );
}

#[test]
fn a_corrupted_column_that_is_not_read_does_not_matter() {
    let folder = Folder::new();
    let n = 5000;
    let noise = |seed: i64| Int64Array::from_iter_values((0..n).map(|it| (it * 7_919 + seed) % 10_007));
    let path = folder.parquet(
        "a.parquet",
        vec![("x", array(noise(1))), ("bad", array(noise(2))), ("z", array(noise(3)))],
        2000,
    );
    let mut bytes = fs::read(&path).unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&fs::File::open(&path).unwrap()).unwrap();
    for group in metadata.row_groups() {
        let (start, length) = group.column(1).byte_range();
        bytes[start as usize..(start + length) as usize].fill(0xff);
    }
    fs::write(&path, bytes).unwrap();
    let loaded = read(&ReadRequest::file(&path).only(["z", "x"])).unwrap();
    assert_eq!(loaded.panel.n_rows(), n as usize);
    assert_eq!(loaded.files[0].columns_read, 2);
    let text = folder.refusal(&ReadRequest::file(&path));
    assert!(text.starts_with("a.parquet: damaged or truncated Parquet file: column `bad`: "), "{text}");
}

#[test]
fn row_groups_of_other_periods_are_not_read() {
    let folder = Folder::new();
    let years = Int32Array::from_iter_values((2000..2020).flat_map(|it| [it; 50]));
    let ids = Int32Array::from_iter_values((0..1000).map(|it| it % 50));
    let x = Float64Array::from_iter_values((0..1000).map(f64::from));
    let columns = vec![("id", array(ids)), ("year", array(years)), ("x", array(x))];
    let path = folder.parquet("a.parquet", columns, 100);
    let mut request = ReadRequest::file(&path).indexed("id", "year");
    request.files[0] = request.files[0].clone().rows(2005, 2008);
    let loaded = read(&request).unwrap();
    assert_eq!(loaded.files[0].row_groups, (3, 10));
    assert_eq!(loaded.panel.n_rows(), 200);
    assert_eq!(loaded.files[0].rows, 200);
    assert_eq!(loaded.panel.real("x").unwrap()[0], 250.0);
    request.files[0] = request.files[0].clone().rows(1990, 1995);
    assert_eq!(folder.refusal(&request), "a.parquet: no row has `year` in 1990..=1995");
}

#[test]
fn scaled_decimals_and_missing_statistics_are_not_pruned_by_mistake() {
    let folder = Folder::new();
    let ids = || ("id", array(Int32Array::from(vec![1, 1])));
    let years = Decimal128Array::from(vec![201_000, 201_100]).with_precision_and_scale(9, 2).unwrap();
    let scaled = folder.parquet("a.parquet", vec![ids(), ("year", array(years))], 1);
    let years = Float64Array::from(vec![2010.0, 2011.0]);
    let bare = WriterProperties::builder().set_statistics_enabled(EnabledStatistics::None).build();
    let bare = folder.parquet_with("b.parquet", &batch(vec![ids(), ("year", array(years))]), bare);
    for path in [scaled, bare] {
        let mut request = ReadRequest::file(&path).indexed("id", "year");
        request.files[0] = request.files[0].clone().rows(2011, 2011);
        assert_eq!(read(&request).unwrap().panel.periods(), [2011]);
    }
}

#[test]
fn a_folder_widens_types() {
    let folder = Folder::new();
    fs::create_dir(folder.path("parts")).unwrap();
    let long = 9_007_199_254_740_993;
    let first = vec![
        ("x", array(Int32Array::from(vec![1]))),
        ("id", array(Int64Array::from(vec![long]))),
        ("text", array(StringArray::from(vec![None::<&str>]))),
    ];
    let second = vec![
        ("text", array(Float32Array::from(vec![0.5]))),
        ("id", array(Int16Array::from(vec![7]))),
        ("x", array(Float64Array::from(vec![1.5]))),
    ];
    folder.parquet("parts/a.parquet", first, 10);
    folder.parquet("parts/b.parquet", second, 10);
    let panel = all(&folder.path("parts")).panel;
    assert_eq!(reals(&panel, "x"), ["1", "1.5"]);
    assert_eq!(labels(&panel, "id"), ["9007199254740993", "7"]);
    assert_eq!(reals(&panel, "text"), ["", "0.5"]);
}

#[test]
fn rows_of_pruned_files_keep_their_numbers() {
    let folder = Folder::new();
    let years = Int32Array::from(vec![2000, 2000, 2001, 2001]);
    let ids = Int32Array::from(vec![Some(1), Some(2), Some(1), None]);
    let path = folder.parquet("a.parquet", vec![("id", array(ids)), ("year", array(years))], 2);
    let mut request = ReadRequest::file(&path).indexed("id", "year");
    request.files[0] = request.files[0].clone().rows(2001, 2001);
    let text = folder.refusal(&request);
    assert_eq!(
        text,
        "a.parquet, row 4: unit `id` is missing; a row without it cannot be placed in the panel"
    );
}

#[test]
fn the_mark_of_simulated_numbers_is_seen() {
    let folder = Folder::new();
    let mark = KeyValue::new("parallax.simulated".to_owned(), "true".to_owned());
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![mark])).build();
    let path =
        folder.parquet_with("a.parquet", &batch(vec![("x", array(Int32Array::from(vec![1])))]), properties);
    let loaded = all(&path);
    assert!(loaded.files[0].simulated && loaded.simulated());
    assert_eq!(loaded.files[0].sha256().unwrap(), sha256(&path).unwrap());
}

#[test]
fn schemas_are_described_without_data() {
    let folder = Folder::new();
    let columns = vec![
        ("城市", array(StringArray::from(vec!["甲"]))),
        ("x", array(Float64Array::from(vec![1.0]))),
        ("d", array(Date32Array::from(vec![1]))),
        ("n", array(Int64Array::from(vec![1]))),
    ];
    let path = folder.parquet("a.parquet", columns, 10);
    let described: Vec<String> =
        describe_schema(&path).unwrap().into_iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
    assert_eq!(described, ["城市: text", "x: float64", "d: date", "n: int64"]);
}

#[test]
fn several_columns_at_once_in_a_large_file() {
    let folder = Folder::new();
    let n = 300_000;
    let column = |k: i64| array(Int64Array::from_iter_values((0..n).map(move |it| it * k)));
    let text = array(StringArray::from_iter_values((0..n).map(|it| format!("地{}", it % 300))));
    let names: Vec<String> = (0..9).map(|it| format!("x{it}")).collect();
    let mut columns: Vec<(&str, _)> =
        names.iter().zip(1..).map(|(name, k)| (name.as_str(), column(k))).collect();
    columns.push(("地", text));
    let loaded = all(&folder.parquet("a.parquet", columns, 100_000));
    for (name, k) in names.iter().zip(1..) {
        assert_eq!(loaded.panel.real(name).unwrap()[299_999], f64::from(k) * 299_999.0);
    }
    assert_eq!(loaded.panel.codes("地").unwrap().n_groups(), 300);
    assert_eq!(labels(&loaded.panel, "地")[299_999], "地299");
}

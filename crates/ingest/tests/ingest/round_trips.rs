//! What is written reads back exactly, and the same data give the same bytes.

use std::fs;

use parallax_base::Name;
use parallax_ingest::{Compression, IngestError, ReadRequest, WriteOptions, read, write, write_table};
use parallax_panel::{Codes, Column, Labels, Panel, PanelBuilder};
use proptest::prelude::*;

use crate::support::{Folder, all, assert_same_column, assert_same_panel};

const NAMES: [&str; 8] = ["p.parquet", "p.pq", "p.arrow", "p.feather", "p.ipc", "p.csv", "p.tsv", "p.csv.gz"];

fn example() -> Panel {
    let units = Codes::from_text([Some("上海市"), Some("北京市"), Some("上海市"), Some("北京市")]);
    let hard = vec![0.1 + 0.2, -0.0, f64::MIN_POSITIVE, 1.797e308];
    let text = [Some("a, \"b\"\nc"), None, Some(" 末 "), Some("a;b\tc")];
    PanelBuilder::new(4)
        .index("城市".into(), units, "年".into(), vec![2012, 2011, 2011, 2012])
        .column("hard".into(), Column::real(hard))
        .column("whole".into(), Column::real(vec![1.0, f64::NAN, -9_007_199_254_740_992.0, 3.0]))
        .column("missing".into(), Column::real(vec![f64::NAN; 4]))
        .column("text".into(), Column::Codes(Codes::from_text(text)))
        .column(
            "id".into(),
            Column::Codes(Codes::from_integers([Some(i64::MIN), None, Some(i64::MAX), Some(3)])),
        )
        .build()
        .unwrap()
}

#[test]
fn every_format_gives_the_panel_back() {
    let folder = Folder::new();
    let panel = example();
    for name in NAMES {
        let path = folder.path(name);
        write(&panel, &path, &WriteOptions::default()).unwrap();
        let back = read(&ReadRequest::file(&path).indexed("城市", "年")).unwrap();
        assert_same_panel(&panel, &back.panel);
    }
}

#[test]
fn bytes_do_not_depend_on_the_day_or_the_run() {
    let folder = Folder::new();
    let options = WriteOptions {
        simulated: true,
        metadata: vec![("b".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())],
        compression: None,
    };
    for name in NAMES {
        let options = if name.contains("csv") || name.contains("tsv") {
            WriteOptions::default()
        } else {
            options.clone()
        };
        let path = folder.path(name);
        let bytes: Vec<Vec<u8>> = (0..3)
            .map(|_| {
                write(&example(), &path, &options).unwrap();
                fs::read(&path).unwrap()
            })
            .collect();
        assert!(bytes.windows(2).all(|it| it[0] == it[1]), "{name}");
        assert_eq!(all(&path).simulated(), options.simulated, "{name}");
    }
    let left: Vec<_> = fs::read_dir(folder.path("")).unwrap().flatten().map(|it| it.file_name()).collect();
    assert_eq!(left.len(), NAMES.len(), "temporary files are gone: {left:?}");
}

#[test]
fn every_compression_reads_back() {
    let folder = Folder::new();
    let panel = example();
    let all = [Compression::Uncompressed, Compression::Snappy, Compression::Lz4, Compression::Zstd];
    for compression in all {
        for name in ["p.parquet", "p.arrow"] {
            let options = WriteOptions { compression: Some(compression), ..WriteOptions::default() };
            let path = folder.path(name);
            match write(&panel, &path, &options) {
                Ok(()) => assert_same_panel(
                    &panel,
                    &read(&ReadRequest::file(&path).indexed("城市", "年")).unwrap().panel,
                ),
                Err(error) => assert!(error.to_string().contains("Arrow files have no Snappy"), "{error}"),
            }
        }
    }
}

#[test]
fn whole_numbers_are_stored_as_integers() {
    let folder = Folder::new();
    let path = folder.path("a.parquet");
    write(&example(), &path, &WriteOptions::default()).unwrap();
    let types: Vec<String> = parallax_ingest::describe_schema(&path)
        .unwrap()
        .into_iter()
        .map(|(name, it)| format!("{name}: {it}"))
        .collect();
    let expected = [
        "城市: text",
        "年: int64",
        "hard: float64",
        "whole: int64",
        "missing: float64",
        "text: text",
        "id: int64",
    ];
    assert_eq!(types, expected);
}

#[test]
fn what_a_format_cannot_hold_is_refused() {
    let folder = Folder::new();
    let panel = example();
    let refusal = |name: &str, options: &WriteOptions| {
        folder.strip(&write(&panel, &folder.path(name), options).unwrap_err().to_string())
    };
    let simulated = WriteOptions { simulated: true, ..WriteOptions::default() };
    assert_eq!(
        refusal("a.csv", &simulated),
        "a.csv: a CSV file has no place for metadata or the mark `simulated`; write .parquet or .arrow"
    );
    let zstd = WriteOptions { compression: Some(Compression::Zstd), ..WriteOptions::default() };
    assert_eq!(refusal("a.csv", &zstd), "a.csv: a CSV file is compressed only by the name .csv.gz");
    assert!(refusal("a.xlsx", &WriteOptions::default()).starts_with("a.xlsx: extension `xlsx` is not known"));
    let table = |columns: &[(Name, Column)]| {
        folder.strip(
            &write_table(columns, &folder.path("t.csv"), &WriteOptions::default()).unwrap_err().to_string(),
        )
    };
    let x = || Column::real(vec![1.0, 2.0]);
    assert_eq!(table(&[]), "t.csv: there is no column to write");
    assert_eq!(table(&[("x".into(), x()), ("x".into(), x())]), "t.csv: column `x` is there twice");
    assert_eq!(
        table(&[("x".into(), x()), ("y".into(), Column::real(vec![1.0]))]),
        "t.csv: column `y` has 1 rows, `x` has 2"
    );
    assert_eq!(
        table(&[("x".into(), Column::real(vec![1.0, f64::INFINITY]))]),
        "t.csv: column `x` is infinite in row 2; only finite numbers can be read back"
    );
    let error = write(&panel, &folder.path("no/such/folder.csv"), &WriteOptions::default()).unwrap_err();
    assert!(matches!(error, IngestError::Io { .. }), "{error}");
}

#[test]
fn labels_of_every_kind_are_written() {
    let folder = Folder::new();
    let code = std::sync::Arc::new(vec![1, 0]);
    let labels =
        [Labels::Rows(2), Labels::Reals(vec![0.5, 1.5]), Labels::Combined(vec!["a_b".into(), "c_d".into()])];
    let columns: Vec<(Name, Column)> = labels
        .into_iter()
        .zip(["rows", "reals", "both"])
        .map(|(labels, name)| {
            (name.into(), Column::Codes(Codes { code: code.clone(), labels: labels.into() }))
        })
        .collect();
    for name in ["a.parquet", "a.arrow", "a.csv"] {
        let path = folder.path(name);
        write_table(&columns, &path, &WriteOptions::default()).unwrap();
        let panel = all(&path).panel;
        assert_eq!(**panel.real("rows").unwrap(), [2.0, 1.0]);
        assert_eq!(**panel.real("reals").unwrap(), [1.5, 0.5]);
        assert_eq!(crate::support::labels(&panel, "both"), ["c_d", "a_b"]);
    }
}

#[test]
fn one_column_with_missing_values_survives_csv() {
    let folder = Folder::new();
    let columns = [(Name::from("x"), Column::real(vec![f64::NAN, 1.0, f64::NAN]))];
    let path = folder.path("a.csv");
    write_table(&columns, &path, &WriteOptions::default()).unwrap();
    assert_same_column(&columns[0].1, all(&path).panel.column("x").unwrap(), &columns[0].0);
}

/// Numbers of every size, also whole ones and missing ones.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => any::<f64>().prop_filter("finite", |it| it.is_finite()),
        2 => (-1_000_000i32..1_000_000).prop_map(f64::from),
        2 => (-100_000i32..100_000).prop_map(|it| f64::from(it) / 1000.0),
        1 => Just(f64::NAN),
    ]
}

/// Text that CSV cannot take for anything else.
fn text() -> impl Strategy<Value = Option<String>> {
    proptest::option::weighted(0.8, "文[a-z,;\"\n\t 字']{0,6}末")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn random_panels_round_trip(
        rows in proptest::collection::btree_map((0u8..6, -5i32..2030), (number(), number(), text()), 1..40),
        single in any::<bool>(),
    ) {
        let folder = Folder::new();
        let units = Codes::from_text(rows.keys().map(|(unit, _)| Some(["甲", "乙", "丙", "a", "b c", "d"][*unit as usize])));
        let periods = rows.keys().map(|it| it.1).collect();
        let texts: Vec<Option<&str>> = rows.values().map(|it| it.2.as_deref()).collect();
        let has_text = texts.iter().any(Option::is_some);
        let mut builder = PanelBuilder::new(rows.len())
            .index("单位".into(), units, "time".into(), periods)
            .column("x".into(), Column::real(rows.values().map(|it| it.0).collect()));
        if !single {
            builder = builder.column("值".into(), Column::real(rows.values().map(|it| it.1).collect()));
        }
        if has_text {
            builder = builder.column("text".into(), Column::Codes(Codes::from_text(texts)));
        }
        let panel = builder.build().unwrap();
        for name in ["a.parquet", "a.arrow", "a.csv", "a.tsv"] {
            let path = folder.path(name);
            write(&panel, &path, &WriteOptions::default()).unwrap();
            let back = read(&ReadRequest::file(&path).indexed("单位", "time")).unwrap();
            assert_same_panel(&panel, &back.panel);
        }
    }
}

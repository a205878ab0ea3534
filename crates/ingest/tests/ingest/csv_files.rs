//! Delimiters, encodings, types and rows of text files.

use std::io::Write;

use parallax_ingest::{Format, ReadRequest, describe_schema, read};
use parallax_panel::{Column, Labels};

use crate::support::{Folder, all, labels, reals};

#[test]
fn comma_semicolon_and_tab_give_the_same() {
    let folder = Folder::new();
    let text = "城市,year,y,名称\n甲,2011,1.5,\"a, b; c\"\n乙,2012,,NA\n";
    for (name, delimiter) in [("a.csv", ","), ("b.csv", ";"), ("c.tsv", "\t"), ("d.txt", "\t")] {
        let quoted = "\"a, b; c\"";
        let text = text.replace(quoted, "@").replace(',', delimiter).replace('@', quoted);
        let loaded = all(&folder.put(name, text));
        assert_eq!(loaded.panel.names(), ["城市", "year", "y", "名称"].map(Into::into), "{name}");
        assert_eq!(reals(&loaded.panel, "y"), ["1.5", ""]);
        assert_eq!(labels(&loaded.panel, "名称"), ["a, b; c", ""]);
        assert_eq!(labels(&loaded.panel, "城市"), ["甲", "乙"]);
    }
}

#[test]
fn byte_order_mark_crlf_and_no_last_line_end() {
    let folder = Folder::new();
    let loaded = all(&folder.put("a.csv", "\u{feff}id,y\r\n1,2\r\n3,4"));
    assert_eq!(loaded.panel.names(), ["id", "y"].map(Into::into));
    assert_eq!(reals(&loaded.panel, "y"), ["2", "4"]);
    let loaded = all(&folder.put("mac.csv", "id,y\r1,2\r3,4\r"));
    assert_eq!(reals(&loaded.panel, "y"), ["2", "4"]);
}

#[test]
fn every_missing_marker() {
    let folder = Folder::new();
    let marks = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", ".", "  "];
    let rows: String = marks.iter().map(|it| format!("{it},{it},1\n")).collect();
    let loaded = all(&folder.put("a.csv", format!("x,text,k\n{rows}7,z,1\n")));
    assert!(loaded.panel.real("x").unwrap().iter().take(marks.len()).all(|it| it.is_nan()));
    assert_eq!(loaded.panel.real("x").unwrap()[marks.len()], 7.0);
    let text = loaded.panel.codes("text").unwrap();
    assert_eq!(*text.labels, Labels::Text(vec!["z".into()]));
    assert!(loaded.mixed.is_empty());
}

#[test]
fn types_follow_the_values() {
    let folder = Folder::new();
    let path = folder.put(
        "a.csv",
        "n,b,d,t,long,e,sci,sp\n1,true,2011-01-01,x,9007199254740993,,1e-3, 5 \n-2.5,FALSE,1969-12-31,1,-4,,+2E2,6\n",
    );
    let loaded = all(&path);
    let panel = &loaded.panel;
    assert_eq!(reals(panel, "n"), ["1", "-2.5"]);
    assert_eq!(reals(panel, "b"), ["1", "0"]);
    assert_eq!(reals(panel, "d"), ["14975", "-1"]);
    assert_eq!(labels(panel, "t"), ["x", "1"]);
    let Column::Codes(long) = panel.column("long").unwrap() else { panic!("codes") };
    assert_eq!(*long.labels, Labels::Integers(vec![-4, 9_007_199_254_740_993]));
    assert_eq!(reals(panel, "e"), ["", ""]);
    assert_eq!(reals(panel, "sci"), ["0.001", "200"]);
    assert_eq!(reals(panel, "sp"), ["5", "6"]);
    assert_eq!(
        folder.notes(&loaded),
        [
            "a.csv: `d` holds dates; read as days since 1970-01-01",
            "a.csv: `long` has whole numbers beyond 2^53; read as an identifier, not as numbers"
        ]
    );
    let types: Vec<String> = describe_schema(&path).unwrap().into_iter().map(|it| it.1).collect();
    assert_eq!(types, ["number", "true/false", "date", "text", "number", "empty", "number", "number"]);
}

#[test]
fn long_numbers_with_decimals_stay_numbers() {
    let folder = Folder::new();
    let loaded = all(&folder.put("a.csv", "x\n12345678901234567890\n0.5\n"));
    assert_eq!(loaded.panel.real("x").unwrap()[0], 12345678901234567890.0);
}

#[test]
fn quoted_line_breaks_and_blank_lines_do_not_shift_line_numbers() {
    let folder = Folder::new();
    let text = "id,year,note\n1,2011,\"two\nlines\"\n\n2,2011,\"say \"\"so\"\"\"\r\n\r\n3,x,c\n";
    let path = folder.put("a.csv", text);
    assert_eq!(labels(&all(&path).panel, "note"), ["two\nlines", "say \"so\"", "c"]);
    let text = folder.refusal(&ReadRequest::file(path).indexed("id", "year"));
    assert_eq!(text, "a.csv, line 7: time `year` is `x`; it must be a whole number or a date (YYYY-MM-DD)");
}

#[test]
fn ragged_rows_name_their_line() {
    let folder = Folder::new();
    let text = folder.refusal(&ReadRequest::file(folder.put("a.csv", "a;b\n1;2\n\n3;4;5\n")));
    assert_eq!(
        text,
        "a.csv, line 4: 3 fields where the header has 2; look for a missing quote or an unquoted delimiter (`;`) in \
         that line"
    );
    let text = folder.refusal(&ReadRequest::file(folder.put("b.csv", "a,b\n1,2\n3\n")));
    assert!(text.starts_with("b.csv, line 3: 1 fields where the header has 2"), "{text}");
}

#[test]
fn chinese_encodings_are_refused_with_the_command_that_helps() {
    let folder = Folder::new();
    let mut gbk = b"city,y\n".to_vec();
    gbk.extend([0xb1, 0xb1, 0xbe, 0xa9]);
    gbk.extend(b",1\n");
    let text = folder.refusal(&ReadRequest::file(folder.put("gbk.csv", gbk)));
    assert_eq!(
        text,
        "gbk.csv: not UTF-8 at byte 7 (line 2); Chinese files are often GB18030 (GBK): convert it with iconv -f GB18030 \
         -t UTF-8"
    );
    let text = folder.refusal(&ReadRequest::file(folder.put("latin.csv", b"a,b\nM\xfcnchen,1\n")));
    assert!(text.contains("not UTF-8 at byte 5 (line 2); convert it"), "{text}");
    let text = folder.refusal(&ReadRequest::file(folder.put("wide.csv", b"\xff\xfea\0,\0b\0\n\0")));
    assert!(text.contains("it is UTF-16; convert it: iconv -f UTF-16 -t UTF-8"), "{text}");
}

#[test]
fn few_texts_among_numbers_are_explained() {
    let folder = Folder::new();
    let rows: String =
        (0..20).map(|it| format!("{it},{}\n", if it == 15 { "n.a." } else { "1.5" })).collect();
    let loaded = all(&folder.put("x.csv", format!("id,gdp\n{rows}")));
    assert_eq!(loaded.mixed.len(), 1);
    assert_eq!(
        loaded.explain_not_numeric(&"gdp".into()).map(|it| folder.strip(&it)).unwrap(),
        "column `gdp` in x.csv has text `n.a.` in line 17, while its other 19 values are numbers; correct it, leave it \
         empty if it is missing, or name the word with --missing"
    );
    assert_eq!(loaded.explain_not_numeric(&"id".into()), None);
    assert_eq!(loaded.explain_not_numeric(&"nothing".into()), None);
}

#[test]
fn other_text_columns_are_explained_too() {
    let folder = Folder::new();
    let loaded = all(&folder.put("x.csv", "id;gdp;name\n1;\"1,5\";a\n2;3;b\n"));
    let explain = |name: &str| loaded.explain_not_numeric(&name.into()).unwrap();
    assert_eq!(
        explain("gdp"),
        "column `gdp` holds text, for instance `1,5` (row 1); it looks like numbers with decimal commas; write decimal points \
         instead"
    );
    assert_eq!(
        explain("name"),
        "column `name` holds text, for instance `a` (row 1); a column of numbers is needed here"
    );
}

#[test]
fn infinite_values_are_refused() {
    let folder = Folder::new();
    let text = folder.refusal(&ReadRequest::file(folder.put("a.csv", "a,b\n1,2\n3,inf\n")));
    assert_eq!(
        text,
        "a.csv, line 3: column `b` is infinite; only finite numbers and missing values can be used"
    );
    let unread = ReadRequest::file(folder.path("a.csv")).only(["a"]);
    assert!(read(&unread).is_ok());
}

#[test]
fn headers_are_trimmed_and_nameless_columns_left_out() {
    let folder = Folder::new();
    let loaded = all(&folder.put("a.csv", ", b ,c\n0,1,2\n1,3,4\n"));
    assert_eq!(loaded.panel.names(), ["b", "c"].map(Into::into));
    assert_eq!(folder.notes(&loaded), ["a.csv: 1 columns without a name were not read"]);
}

#[test]
fn gzip_is_read_by_content() {
    let folder = Folder::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"a,b\n1,x\n").unwrap();
    let loaded = all(&folder.put("a.csv.gz", encoder.finish().unwrap()));
    assert_eq!(labels(&loaded.panel, "b"), ["x"]);
    assert_eq!(loaded.files[0].format, Format::CsvGz);
}

#[test]
fn a_folder_appends_its_files_in_the_order_of_their_names() {
    let folder = Folder::new();
    folder.put("parts/b.csv", "year,id,x,t\n2012,1,2.5,\n2012,2,,\n");
    folder.put("parts/a.csv", "id,year,x,t\n1,2011,1,u\n2,2011,7,v\n");
    folder.put("parts/README.md", "hello");
    folder.put("parts/.hidden.csv", "z\n1\n");
    let request = ReadRequest::file(folder.path("parts"));
    let loaded = read(&request).unwrap();
    assert_eq!(reals(&loaded.panel, "x"), ["1", "7", "2.5", ""]);
    assert_eq!(labels(&loaded.panel, "t"), ["u", "v", "", ""]);
    assert_eq!(folder.notes(&loaded), ["parts: not data files and not read: README.md"]);
    assert_eq!(loaded.files.iter().map(|it| it.rows).collect::<Vec<_>>(), [2, 2]);

    let text = folder.refusal(&request.clone().indexed("id", "x"));
    assert!(text.starts_with("parts/b.csv, line 2: time `x` is `2.5`"), "{text}");
    folder.put("parts/c.csv", "id,year,x,t\n3,2011,none,u\n");
    assert_eq!(
        folder.refusal(&request),
        "parts/c.csv: column `x` holds text (`none` in line 2) here, but numbers before; make it one type in all files"
    );
    folder.put("parts/c.csv", "id,year,z,t\n3,2011,1,u\n");
    assert_eq!(
        folder.refusal(&request),
        "parts/c.csv: has not the same columns as parts/a.csv: `x` is absent and `z` is only here; all files of a \
         folder are appended and need the same columns"
    );
}

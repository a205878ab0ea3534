//! Requests that contradict themselves, and files that are absent, empty or something else.

use std::fs;

use arrow::array::Int32Array;
use parallax_ingest::{FileRequest, JoinOn, ReadRequest, describe_schema};

use crate::support::{Folder, array};

#[test]
fn requests_that_contradict_themselves() {
    let folder = Folder::new();
    let path = folder.put("a.csv", "id,t,x\n1,1,1\n");
    let mut half = ReadRequest::file(&path);
    half.unit = Some("id".into());
    assert_eq!(
        folder.refusal(&half),
        "unit is `id`, but no time is named; give both unit and time, or neither"
    );
    let mut none = ReadRequest::file(&path);
    none.files.clear();
    assert_eq!(folder.refusal(&none), "no data file is named; give at least one");
    assert_eq!(
        folder.refusal(&ReadRequest::file(&path).indexed("id", "id")),
        "unit and time are both `id`; name two different columns"
    );
    assert_eq!(
        folder.refusal(&ReadRequest::file(&path).join(FileRequest::new(&path))),
        "a.csv: joining needs to know what identifies a row; give both unit and time"
    );
    let mut spine = ReadRequest::file(&path).indexed("id", "t");
    spine.files[0].on = JoinOn::Unit;
    assert!(
        folder
            .refusal(&spine)
            .starts_with("a.csv: the first file gives the rows and cannot be joined on unit")
    );
    let range = |on, from, to| {
        let mut request =
            ReadRequest::file(&path).indexed("id", "t").join(FileRequest::new(&path).on(on).rows(from, to));
        if on == JoinOn::UnitTime {
            request.files.remove(0);
        }
        folder.refusal(&request)
    };
    assert_eq!(
        range(JoinOn::UnitTime, 3, 2),
        "a.csv: the rows 3..=2 are none; write the earlier period first"
    );
    assert!(
        range(JoinOn::Unit, 1, 2).ends_with("joined on unit and has no time to keep rows by; remove `rows`")
    );
    let mut bare = ReadRequest::file(&path);
    bare.files[0] = bare.files[0].clone().rows(1, 2);
    assert_eq!(folder.refusal(&bare), "a.csv: keeping some periods needs unit and time; give both");
}

#[test]
fn absent_columns_come_with_the_nearest() {
    let folder = Folder::new();
    let path = folder.put("a.csv", "id,year,人口\n1,1,1\n");
    let request = ReadRequest::file(&path);
    assert_eq!(
        folder.refusal(&request.clone().indexed("id", "yaer")),
        "a.csv: no column `yaer`, did you mean `year`?"
    );
    assert_eq!(folder.refusal(&request.clone().only(["Id"])), "a.csv: no column `Id`, did you mean `id`?");
    assert_eq!(
        folder.refusal(&request.clone().only(["gdp"])),
        "a.csv: no column `gdp`; there is `id`, `year`, `人口`"
    );
    let mut renamed = request.clone();
    renamed.files[0] = renamed.files[0].clone().rename("人囗", "pop");
    assert_eq!(folder.refusal(&renamed), "a.csv: no column `人囗`, did you mean `人口`?");
    let mut twice = request.clone();
    twice.files[0] = twice.files[0].clone().rename("人口", "a").rename("人口", "b");
    assert_eq!(folder.refusal(&twice), "a.csv: column `人口` is renamed twice; keep one of the two");
    let mut clash = request;
    clash.files[0] = clash.files[0].clone().rename("人口", "id");
    assert_eq!(
        folder.refusal(&clash),
        "a.csv: column `id` is there twice (columns 1 and 3); rename one of them"
    );
}

#[test]
fn doubled_columns_matter_only_when_they_are_read() {
    let folder = Folder::new();
    let path = folder.put("a.csv", "x,y,x\n1,2,3\n");
    let expected = "a.csv: column `x` is there twice (columns 1 and 3); rename one of them";
    assert_eq!(folder.refusal(&ReadRequest::file(&path)), expected);
    assert_eq!(folder.refusal(&ReadRequest::file(&path).only(["x"])), expected);
    assert!(parallax_ingest::read(&ReadRequest::file(&path).only(["y"])).is_ok());
}

#[test]
fn files_without_data() {
    let folder = Folder::new();
    let refusal = |name: &str, content: &str| folder.refusal(&ReadRequest::file(folder.put(name, content)));
    assert_eq!(refusal("a.csv", ""), "a.csv: the file is empty (0 bytes)");
    assert_eq!(refusal("b.csv", "\n\n"), "b.csv: the file has only blank lines, no header and no data");
    assert_eq!(refusal("c.csv", "id,year\n"), "c.csv: there is a header but no data row");
    assert_eq!(
        refusal("d.csv", ",,\n1,2,3\n"),
        "d.csv: the first line has no column name; the header must be line 1"
    );
    let empty = Int32Array::from(Vec::<i32>::new());
    let path = folder.parquet("e.parquet", vec![("x", array(empty))], 10);
    assert_eq!(folder.refusal(&ReadRequest::file(path)), "e.parquet: it has columns but no row");
    fs::create_dir(folder.path("nothing")).unwrap();
    assert_eq!(
        folder.refusal(&ReadRequest::file(folder.path("nothing"))),
        "nothing: the folder has no data file (.parquet, .arrow, .feather, .csv, .tsv, .txt)"
    );
}

#[test]
fn absent_paths_suggest_a_neighbour() {
    let folder = Folder::new();
    folder.put("panel.csv", "x\n1\n");
    assert_eq!(
        folder.refusal(&ReadRequest::file(folder.path("pannel.csv"))),
        "pannel.csv: no such file or folder, did you mean `panel.csv`?"
    );
    assert!(folder.refusal(&ReadRequest::file(folder.path("a/b.csv"))).contains("there is no folder"));
    assert!(describe_schema(&folder.path("b.csv")).is_err());
}

#[test]
fn other_formats_are_named() {
    let folder = Folder::new();
    let refusal = |name: &str, content: &[u8]| folder.refusal(&ReadRequest::file(folder.put(name, content)));
    assert!(
        refusal("a.parquet", b"id,x\n1,2\n")
            .starts_with("a.parquet: named as Parquet, but its first bytes are not `PAR1`")
    );
    assert!(refusal("a.arrow", b"id,x\n1,2\n").starts_with("a.arrow: named as Arrow, but"));
    assert!(
        refusal("a.csv", b"PK\x03\x04....").contains("looks like an Excel workbook; save the sheet as CSV")
    );
    assert!(refusal("a.dta", b"<stata_dta><header>").contains("a Stata file; write it as CSV"));
    assert!(refusal("a.gz", b"x\n1\n").contains("not compressed with gzip"));
    assert!(
        refusal("a.json", b"{}")
            .starts_with("a.json: cannot tell the format (extension `json`); supported are")
    );
    assert!(refusal("b.parquet", b"PAR1").starts_with("b.parquet: damaged or truncated Parquet file: "));
    assert!(refusal("b.arrow", b"ARROW1").starts_with("b.arrow: damaged or truncated Arrow file: "));
    assert!(refusal("b.csv.gz", b"\x1f\x8b\x08").starts_with("b.csv.gz: damaged or truncated gzip file: "));
}

#[test]
fn content_decides_before_the_extension() {
    let folder = Folder::new();
    let path = folder.parquet("a.csv", vec![("x", array(Int32Array::from(vec![1])))], 10);
    assert_eq!(crate::support::all(&path).files[0].format, parallax_ingest::Format::Parquet);
}

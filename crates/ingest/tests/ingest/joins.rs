//! Left joins on unit and time, unit, or time.

use parallax_ingest::{FileRequest, JoinOn, ReadRequest, read};

use crate::support::{Folder, labels, reals};

fn spine(folder: &Folder) -> ReadRequest {
    let text = "city,year,y\n甲,2011,1\n甲,2012,2\n乙,2011,3\n乙,2012,4\n丙,2011,5\n";
    ReadRequest::file(folder.put("spine.csv", text)).indexed("city", "year")
}

#[test]
fn all_three_keys() {
    let folder = Folder::new();
    let both = folder.put("both.csv", "year,city,x\n2012,甲,20\n2011,甲,10\n2011,丁,99\n");
    let unit = folder.put("unit.csv", "city,batch,省\n乙,2,东\n甲,1,西\n");
    let time = folder.put("time.csv", "year,cpi\n2011,1.1\n2010,1\n");
    let request = spine(&folder)
        .join(FileRequest::new(both))
        .join(FileRequest::new(unit).on(JoinOn::Unit))
        .join(FileRequest::new(time).on(JoinOn::Time));
    let loaded = read(&request).unwrap();
    let panel = &loaded.panel;
    assert_eq!(labels(panel, "city"), ["丙", "乙", "乙", "甲", "甲"]);
    assert_eq!(reals(panel, "x"), ["", "", "", "10", "20"]);
    assert_eq!(reals(panel, "batch"), ["", "2", "2", "1", "1"]);
    assert_eq!(labels(panel, "省"), ["", "东", "东", "西", "西"]);
    assert_eq!(reals(panel, "cpi"), ["1.1", "1.1", "", "1.1", ""]);
    assert_eq!(
        folder.notes(&loaded),
        [
            "both.csv: 3 of 5 rows have no row in it; its columns are missing for them",
            "both.csv: 1 of its 3 rows match nothing in spine.csv and are not used",
            "unit.csv: 1 unit (`丙`) has no row in it; its columns are missing for them",
            "time.csv: 1 period (2012) has no row in it; its columns are missing for them",
            "time.csv: 1 of its 2 rows match nothing in spine.csv and are not used",
        ]
    );
    assert_eq!(loaded.files.len(), 4);
}

#[test]
fn duplicates_in_a_joined_file_name_both_rows() {
    let folder = Folder::new();
    let refusal = |text: &str, on| {
        let file = FileRequest::new(folder.put("right.csv", text)).on(on);
        folder.refusal(&spine(&folder).join(file))
    };
    assert_eq!(
        refusal("city,x\n甲,1\n乙,1\n甲,2\n", JoinOn::Unit),
        "right.csv, line 2 and right.csv, line 4: two rows for city `甲`; a file joined on unit has one row for each \
         unit; join it on unit and time, or remove one"
    );
    assert!(
        refusal("year,x\n2011,1\n2011,1\n", JoinOn::Time)
            .contains("line 3: two rows for year 2011; a file joined on time")
    );
    assert!(
        refusal("city,year,x\n甲,1,1\n甲,1,2\n", JoinOn::UnitTime)
            .contains("two rows for city `甲`, year 1; remove one")
    );
}

#[test]
fn shared_columns_are_refused_unless_renamed_or_selected() {
    let folder = Folder::new();
    let right = FileRequest::new(folder.put("right.csv", "city,y,z\n甲,7,8\n")).on(JoinOn::Unit);
    let request = spine(&folder).join(right.clone());
    let expected = "column `y` is in spine.csv and in right.csv; rename one of them (`rename`), or select the columns to \
                    read so that only one file gives it";
    assert_eq!(folder.refusal(&request), expected);
    assert_eq!(folder.refusal(&request.clone().only(["y"])), expected);
    assert_eq!(read(&request.only(["z"])).unwrap().panel.names(), ["city", "year", "z"].map(Into::into));
    let renamed = read(&spine(&folder).join(right.rename("y", "收入"))).unwrap();
    assert_eq!(reals(&renamed.panel, "收入"), ["", "", "", "7", "7"]);
}

#[test]
fn keys_can_be_renamed() {
    let folder = Folder::new();
    let right = folder.put("right.csv", "名称,年份,z\n甲,2011,8\n");
    let file = FileRequest::new(right).rename("名称", "city").rename("年份", "year");
    assert_eq!(reals(&read(&spine(&folder).join(file)).unwrap().panel, "z"), ["", "", "", "8", ""]);
}

#[test]
fn a_file_joined_on_unit_that_has_time_too_is_refused() {
    let folder = Folder::new();
    let file = FileRequest::new(folder.put("right.csv", "city,year,z\n甲,2011,8\n")).on(JoinOn::Unit);
    let request = spine(&folder).join(file);
    assert_eq!(
        folder.refusal(&request),
        "right.csv: it is joined on unit alone but also has the time column `year`; join it on unit and time, or rename \
         that column, or select the columns to read"
    );
    assert!(read(&request.only(["z"])).is_ok());
}

#[test]
fn numbers_and_texts_of_units_are_matched_when_they_can() {
    let folder = Folder::new();
    let left = ReadRequest::file(folder.put("l.csv", "id,t\n1,1\n12,1\n")).indexed("id", "t");
    let number = arrow::array::StringArray::from(vec!["012", "1"]);
    let z = arrow::array::Int32Array::from(vec![5, 6]);
    let columns = |it| vec![("id", crate::support::array(it)), ("z", crate::support::array(z.clone()))];
    let right = folder.parquet("r.parquet", columns(number), 10);
    let loaded = read(&left.clone().join(FileRequest::new(&right).on(JoinOn::Unit))).unwrap();
    assert_eq!(reals(&loaded.panel, "z"), ["6", "5"]);
    assert_eq!(
        folder.notes(&loaded),
        ["r.parquet: unit `id` is a number in l.csv and text here; matched as whole numbers"]
    );
    let text = arrow::array::StringArray::from(vec!["012", "x1"]);
    let right = folder.parquet("r.parquet", columns(text), 10);
    assert_eq!(
        folder.refusal(&left.join(FileRequest::new(&right).on(JoinOn::Unit))),
        "unit `id` is a number in l.csv and text (`x1`) in r.parquet; make it one type in both files"
    );
}

#[test]
fn time_is_counted_alike_or_refused() {
    let folder = Folder::new();
    let right = |text: &str| FileRequest::new(folder.put("r.csv", text)).on(JoinOn::Time);
    let yearly = read(&spine(&folder).join(right("year,z\n2011-12-31,1\n2012-12-31,2\n"))).unwrap();
    assert_eq!(reals(&yearly.panel, "z"), ["1", "1", "2", "1", "2"]);
    assert_eq!(
        folder.refusal(&spine(&folder).join(right("year,z\n2011-01-01,1\n2012-02-01,2\n"))),
        "time `year` is a whole number in spine.csv and a date counted in months in r.csv; write it alike in both files"
    );
    let months = folder.put("m.csv", "id,t\n1,2011-01-01\n1,2011-02-01\n");
    let request = ReadRequest::file(months).indexed("id", "t").join(right("t,z\n2011-02-01,3\n"));
    assert_eq!(reals(&read(&request).unwrap().panel, "z"), ["", "3"]);
}

#[test]
fn a_joined_file_can_be_restricted() {
    let folder = Folder::new();
    let right = folder.put("r.csv", "city,year,z\n甲,2011,8\n甲,2012,9\n");
    let loaded = read(&spine(&folder).join(FileRequest::new(right).rows(2012, 2012))).unwrap();
    assert_eq!(reals(&loaded.panel, "z"), ["", "", "", "", "9"]);
    assert_eq!(loaded.files[1].rows, 1);
}

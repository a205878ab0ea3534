//! What the program says of the texts it read, in every command, and which files it does not write or read.

use std::fs;

use serde_json::Value;

use crate::support::{folder, json, parallax, read, text};

/// Two cities that look like four, a word for missing in each kind of column, codes with zeros.
fn panel() -> String {
    let mut text = "city,year,y,d,zone,code,class\n".to_owned();
    for (at, city) in ["Osaka", "osaka ", "Nara", "Kobe", "Kyoto", "Otsu"].iter().enumerate() {
        for year in 2001..2007 {
            let zone = if at == 5 { "None" } else { "east" };
            let y = if at == 2 && year == 2003 { ".a".to_owned() } else { ((at * year) % 7).to_string() };
            let (code, class) = (at % 3, ["high", "low", "mid"][(at + year) % 3]);
            let d = u8::from(at < 2 && 2003 < year);
            text.push_str(&format!("{city},{year},{y},{d},{zone},0{code},{class}\n"));
        }
    }
    text
}

const SAID: [&str; 4] = ["`Osaka` and `osaka `", "`None` (6)", "`.a` (1)", "leading zeros"];

fn notes(result: &Value) -> String {
    result["notes"].to_string()
}

#[test]
fn notes_on_text_reach_the_reader_of_every_command() {
    let dir = folder();
    let path = dir.path().join("panel.csv");
    fs::write(&path, panel()).unwrap();
    let data = text(&path);
    let described =
        json(&parallax(["describe", data, "--unit", "city", "--time", "year", "--format", "json"]).done());
    SAID.iter().for_each(|it| assert!(notes(&described).contains(it), "{it}: {}", notes(&described)));
    let shown = parallax(["describe", data, "--unit", "city", "--time", "year"]).done();
    assert!(shown.contains("leading zeros") && shown.contains("`.a` (1)"), "{shown}");
    let keys = ["--unit", "city", "--time", "year"];
    let fit = [
        "fit",
        "fixed-effects",
        "--data",
        data,
        "--formula",
        "y ~ d + class | city + zone + code",
        "--vcov",
        "iid",
    ];
    let fitted = json(&parallax(fit.iter().chain(&keys).chain(&["--format", "json"])).done());
    SAID.iter().for_each(|it| assert!(notes(&fitted).contains(it), "{it}: {}", notes(&fitted)));
    assert!(notes(&fitted).contains("`class` is text with 3 values"), "{}", notes(&fitted));
    let did = ["did", data, "--outcome", "y", "--treatment", "d", "--no-report"];
    let battery = json(&parallax(did.iter().chain(&keys).chain(&["--format", "json"])).done());
    assert!(notes(&battery).contains(SAID[0]) && notes(&battery).contains(SAID[2]), "{}", notes(&battery));
    let printed = parallax(did.iter().chain(&keys)).done();
    assert!(printed.contains("`.a` (1)"), "{printed}");
}

#[test]
fn notes_on_text_stand_in_what_reproduce_prints_and_writes() {
    let dir = folder();
    fs::write(dir.path().join("panel.csv"), panel()).unwrap();
    let study = "name = \"s\"\ntitle = \"t\"\n[data]\nunit = \"city\"\ntime = \"year\"\n\
                 source = [{ name = \"mine\", description = \"d\", file = [{ path = \"panel.csv\" }] }]\n\
                 [defaults]\nvcov = \"iid\"\n[[model]]\nname = \"m\"\nestimator = \"fixed-effects\"\n\
                 formula = \"y ~ d + class | city + zone + code\"\n[[table]]\nid = \"t1\"\ntitle = \"T\"\n\
                 kind = \"regression\"\nmodels = [\"m\"]\nterms = [{ term = \"d\", label = \"d\" }]\n";
    let path = dir.path().join("study.toml");
    fs::write(&path, study).unwrap();
    let printed = parallax(["reproduce", text(&path), "--no-report"]).done();
    let flow = read(&dir.path().join("tables/mine/sample-flow.txt"));
    let table = read(&dir.path().join("tables/mine/t1.json"));
    for it in SAID {
        assert!(printed.contains(it) && flow.contains(it), "{it}: {printed}{flow}");
        assert!(table.contains(it), "{it}: {table}");
    }
    assert!(table.contains("`class` is text with 3 values"), "{table}");
}

#[test]
fn words_that_the_user_names_are_missing() {
    let dir = folder();
    let path = dir.path().join("a.csv");
    fs::write(&path, "y,x\n1,2\n2,-999\n3,..\n4,5\n6,7\n").unwrap();
    let fit = [
        "fit",
        "pooled-ols",
        "--data",
        text(&path),
        "--formula",
        "y ~ x",
        "--vcov",
        "iid",
        "--format",
        "json",
    ];
    let refused = parallax(fit);
    assert!(refused.code == 1 && refused.err.contains("`x`"), "{}", refused.err);
    let found = json(&parallax(fit.iter().chain(&["--missing", "..,-999"])).done());
    assert_eq!(found["nobs"], 3);
    assert!(notes(&found).contains("`-999` (1), `..` (1)"), "{}", notes(&found));
}

#[test]
fn whole_numbers_are_described_whole() {
    let dir = folder();
    let path = dir.path().join("a.csv");
    fs::write(&path, "id\n2147483647\n2147483647\n").unwrap();
    let shown = parallax(["describe", text(&path)]).done();
    assert_eq!(shown.matches("2147483647").count(), 4, "mean, smallest, median, largest: {shown}");
}

#[test]
fn a_conversion_stays_out_of_what_it_reads() {
    let dir = folder();
    let parts = dir.path().join("parts");
    fs::create_dir(&parts).unwrap();
    fs::write(parts.join("a.csv"), "id,y\n01,2\n").unwrap();
    let (inside, beside) = (parts.join("all.csv"), dir.path().join("all.csv"));
    let refused = parallax(["convert", text(&parts), text(&inside)]);
    assert!(refused.code == 1 && refused.err.contains("lies in the folder that is read"), "{}", refused.err);
    assert!(!inside.exists());
    let own = parts.join("a.csv");
    assert_eq!(parallax(["convert", text(&own), text(&own)]).code, 1);
    for _ in 0..2 {
        parallax(["convert", text(&parts), text(&beside)]).done();
        assert_eq!(read(&beside), "id,y\n01,2\n");
    }
}

#[test]
fn messages_are_short_and_hold_nothing_a_terminal_obeys() {
    let dir = folder();
    let path = dir.path().join("a.csv");
    fs::write(&path, format!("id,{}\u{1b}[2J\n1,2\n", "h".repeat(300_000))).unwrap();
    let refused = parallax(["describe", text(&path), "--unit", "id", "--time", "year"]);
    assert!(refused.code == 1 && refused.err.len() < 10_000 && !refused.err.contains('\u{1b}'));
    let absent = parallax(["describe", text(&dir.path().join("b.csv"))]);
    assert!(!absent.err.contains("os error"), "{}", absent.err);
    let studyless = parallax(["reproduce", text(&dir.path().join("c.toml"))]);
    assert!(!studyless.err.contains("os error"), "{}", studyless.err);
}

//! What cells of a text file are: numbers, words for missing, codes and labels. Random columns are compared with a slow
//! reading written apart from the reader.

use parallax_ingest::{FileRequest, ReadRequest, WriteOptions, read, write};
use parallax_panel::{Column, Panel};
use proptest::prelude::*;

use crate::support::{Folder, all, assert_same_panel, labels, reals};

/// A cell: its content and whether it stands in quotes.
type Cell = (String, bool);

/// What a column is, cell by cell.
#[derive(Clone, Debug, PartialEq)]
enum Reading {
    Numbers(Vec<Option<f64>>),
    Texts(Vec<Option<String>>),
}

const WORDS: [&str; 14] =
    ["NA", "N/A", "n/a", "na", "#N/A", "<NA>", "NaN", "nan", "NaT", "None", "NULL", "null", ".", ".a"];

/// The rules, one sentence each.
fn slow_reading(cells: &[Cell], own: &[&str]) -> Reading {
    let trimmed = |it: &Cell| it.0.trim().to_owned();
    let is_blank = |it: &Cell| trimmed(it).is_empty();
    let is_own = |it: &Cell| own.contains(&trimmed(it).as_str());
    let is_word = |it: &Cell| WORDS.contains(&trimmed(it).as_str()) || is_own(it);
    let number = |it: &Cell| trimmed(it).parse::<f64>().ok().filter(|it| !it.is_nan());
    let is_code = |it: &Cell| {
        let digits = trimmed(it).trim_start_matches(['+', '-']).to_owned();
        digits.len() > 1 && digits.starts_with('0') && digits.chars().all(|it| it.is_ascii_digit())
    };
    let values: Vec<&Cell> = cells.iter().filter(|it| !is_blank(it) && !is_word(it)).collect();
    let quoted_word = |it: &Cell| it.1 && is_word(it) && !is_own(it) && !is_blank(it);
    let text = if values.is_empty() {
        cells.iter().any(quoted_word)
    } else {
        values.iter().any(|it| number(it).is_none() || is_code(it))
    };
    if !text {
        let value = |it: &Cell| if is_blank(it) || is_word(it) { None } else { number(it) };
        return Reading::Numbers(cells.iter().map(value).collect());
    }
    let value = |it: &Cell| match (it.1, is_own(it)) {
        (_, true) => None,
        (true, _) if it.0.is_empty() => None,
        (true, _) => Some(it.0.clone()),
        (false, _) if is_blank(it) || is_word(it) => None,
        (false, _) => Some(it.0.clone()),
    };
    Reading::Texts(cells.iter().map(value).collect())
}

fn found(panel: &Panel, name: &str) -> Reading {
    match panel.column(name).unwrap() {
        Column::Real(it) => {
            Reading::Numbers(it.iter().map(|it| if it.is_nan() { None } else { Some(*it) }).collect())
        }
        Column::Codes(it) => {
            let label = |code: &u32| (*code != u32::MAX).then(|| it.labels.text(*code as usize));
            Reading::Texts(it.code.iter().map(label).collect())
        }
    }
}

fn field((content, quoted): &Cell) -> String {
    if *quoted { format!("\"{}\"", content.replace('"', "\"\"")) } else { content.clone() }
}

/// One cell of a column that is mostly of one kind.
fn cell(kind: u8) -> impl Strategy<Value = Cell> {
    let number = prop_oneof![
        Just("1"),
        Just("-2.5"),
        Just(" 3 "),
        Just("1e5"),
        Just("+7"),
        Just("0"),
        Just("0.5"),
        Just("00.5"),
        Just("1000")
    ];
    let code = prop_oneof![Just("01"), Just("007"), Just("1"), Just("00"), Just("-01"), Just("10")];
    let label = prop_oneof![
        Just("a"),
        Just(" Beijing"),
        Just("Beijing "),
        Just("Ｂ"),
        Just("1,5"),
        Just("x\ny"),
        Just("say \"so\""),
        Just("10%"),
        Just("inf."),
        Just("none"),
        Just("-"),
        Just("-999")
    ];
    let word = (0..WORDS.len()).prop_map(|it| WORDS[it]);
    let blank = prop_oneof![Just(""), Just("  "), Just("\u{3000}")];
    let weights = match kind {
        0 => [30, 0, 0, 4, 2],
        1 => [10, 6, 0, 4, 2],
        2 => [4, 1, 20, 6, 3],
        3 => [0, 0, 0, 6, 3],
        _ => [10, 0, 1, 4, 2],
    };
    let content = prop_oneof![
        weights[0] => number.prop_map(str::to_owned),
        weights[1] => code.prop_map(str::to_owned),
        weights[2] => label.prop_map(str::to_owned),
        weights[3] => (word, any::<bool>()).prop_map(|(it, space)| if space { format!("{it} ") } else { it.to_owned() }),
        weights[4] => blank.prop_map(str::to_owned),
    ];
    (content, proptest::bool::weighted(0.3)).prop_map(|(content, quoted)| {
        let needs = content.contains(['"', '\n', ',', ';']);
        (content, quoted || needs)
    })
}

fn column() -> impl Strategy<Value = Vec<Cell>> {
    (0u8..5).prop_flat_map(|kind| proptest::collection::vec(cell(kind), 1..14))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn random_columns_are_read_as_the_rules_say(
        cells in column(),
        (crlf, mark, semicolon, own) in any::<(bool, bool, bool, bool)>(),
    ) {
        let folder = Folder::new();
        let (end, delimiter) = (if crlf { "\r\n" } else { "\n" }, if semicolon { ";" } else { "," });
        let mut text = format!("{}id{delimiter}v{delimiter}w{end}", if mark { "\u{feff}" } else { "" });
        for (row, it) in cells.iter().enumerate() {
            text.push_str(&format!("{row}{delimiter}{}{delimiter}x{end}", field(it)));
        }
        let words: &[&str] = if own { &["-", "-999"] } else { &[] };
        let mut request = ReadRequest::file(folder.put("a.csv", &text));
        request.reading.missing = words.iter().map(|it| (*it).to_owned()).collect();
        let expected = slow_reading(&cells, words);
        let loaded = read(&request).unwrap();
        prop_assert_eq!(&found(&loaded.panel, "v"), &expected, "{:?}", text);
        // Every word that was read as missing is said.
        let missing = match &expected {
            Reading::Numbers(it) => it.iter().map(Option::is_none).collect::<Vec<_>>(),
            Reading::Texts(it) => it.iter().map(Option::is_none).collect(),
        };
        let said = loaded.notes.iter().any(|it| it.to_string().contains("read as missing: in `v`"));
        let word = |(cell, gone): (&Cell, &bool)| *gone && (cell.1 || !cell.0.trim().is_empty());
        prop_assert_eq!(said, cells.iter().zip(&missing).any(word), "{:?} {:?}", text, loaded.notes);
    }

    /// What was read and is written again is read as the same, in every format.
    #[test]
    fn random_columns_survive_conversion(cells in column()) {
        let folder = Folder::new();
        let rows: String = cells.iter().enumerate().map(|(row, it)| format!("{row},{}\n", field(it))).collect();
        let first = all(&folder.put("a.csv", format!("id,v\n{rows}"))).panel;
        // Text whose values are words for missing beside numbers alone has no form of its own as CSV.
        let numbers = |it: &String| it.trim().parse::<f64>().is_ok() || WORDS.contains(&it.trim());
        let texts = match found(&first, "v") {
            Reading::Texts(it) => it.into_iter().flatten().collect(),
            Reading::Numbers(_) => Vec::new(),
        };
        let code = |it: &String| it.trim().trim_start_matches(['+', '-']).starts_with('0');
        prop_assume!(texts.is_empty() || !texts.iter().all(numbers) || texts.iter().any(code));
        for name in ["b.csv", "b.parquet", "b.arrow", "b.tsv"] {
            let path = folder.path(name);
            write(&first, &path, &WriteOptions::default()).unwrap();
            assert_same_panel(&first, &all(&path).panel);
        }
    }
}

#[test]
fn namibia_in_quotes_is_a_country_and_without_them_is_said() {
    let folder = Folder::new();
    let loaded = all(&folder.put("a.csv", "iso,x\n\"NA\",1\nBW,NA\nNA,3\n\"\",4\n"));
    assert_eq!(labels(&loaded.panel, "iso"), ["NA", "BW", "", ""]);
    assert_eq!(reals(&loaded.panel, "x"), ["1", "", "3", "4"]);
    assert_eq!(
        folder.notes(&loaded),
        ["a.csv: read as missing: in `iso` `NA` (1), `\"\"` (1); in `x` `NA` (1)"]
    );
}

#[test]
fn the_user_names_words_for_missing_in_every_format() {
    let folder = Folder::new();
    let text = folder.put("a.csv", "s,x,k\nmissing,-999,1\nb,2,9007199254740993\n\"missing\",-999.0,3\n");
    let panel = all(&text).panel;
    for name in ["a.csv", "a.parquet", "a.arrow"] {
        let path = folder.path(name);
        write(&panel, &path, &WriteOptions::default()).unwrap();
        let mut request = ReadRequest::file(&path);
        request.reading.missing = ["missing", "-999", "3"].map(str::to_owned).to_vec();
        let loaded = read(&request).unwrap();
        assert_eq!(labels(&loaded.panel, "s"), ["", "b", ""], "{name}");
        assert_eq!(reals(&loaded.panel, "x"), ["", "2", ""], "{name}");
        assert_eq!(labels(&loaded.panel, "k"), ["1", "9007199254740993", ""], "{name}");
        let note = folder.notes(&loaded).into_iter().find(|it| it.contains("missing")).unwrap();
        assert!(note.ends_with("in `s` `missing` (2); in `x` `-999` (2); in `k` `3` (1)"), "{note}");
    }
}

#[test]
fn codes_with_leading_zeros_are_text_in_every_file_of_a_folder() {
    let folder = Folder::new();
    folder.put("parts/a.csv", "fips,y\n36001,1\n36003,2\n");
    folder.put("parts/b.csv", "fips,y\n01001,3\n01003,4\n");
    let loaded = read(&ReadRequest::file(folder.path("parts"))).unwrap();
    assert_eq!(labels(&loaded.panel, "fips"), ["36001", "36003", "01001", "01003"]);
    assert_eq!(
        folder.notes(&loaded),
        ["parts: whole numbers with leading zeros are codes and are read as text: `fips` (`01001`)"]
    );
    // Decimals with a leading zero are numbers.
    let decimals = all(&folder.put("c.csv", "x\n0.5\n00.25\n0\n"));
    assert_eq!(reals(&decimals.panel, "x"), ["0.5", "0.25", "0"]);
}

#[test]
fn months_with_leading_zeros_are_periods_and_join_with_numbers() {
    let folder = Folder::new();
    let first = folder.put("a.csv", "fips,month,y\n01001,01,1\n01001,02,2\n");
    let second = folder.put("b.csv", "fips,month,x\n1001,1,5\n1001,2,6\n");
    let request = ReadRequest::file(first).indexed("fips", "month").join(FileRequest::new(second));
    let panel = read(&request).unwrap().panel;
    assert_eq!(panel.periods(), [1, 2]);
    assert_eq!(reals(&panel, "x"), ["5", "6"]);
}

#[test]
fn labels_that_look_alike_are_said_for_units_and_columns() {
    let folder = Folder::new();
    let path = folder.put("a.csv", "city,t,g\n Beijing,1,Ａ\nBeijing ,2,A\nWuhan,1,b\n");
    let loaded = read(&ReadRequest::file(&path).indexed("city", "t")).unwrap();
    let notes = folder.notes(&loaded);
    assert!(notes[0].ends_with("count as different: ` Beijing` and `Beijing `"), "{notes:?}");
    assert!(notes[1].ends_with("count as different: `A` and `Ａ`"), "{notes:?}");
}

#[test]
fn text_that_looks_like_numbers_is_named_as_what_it_is() {
    let folder = Folder::new();
    let advice = |cells: &[&str]| {
        let rows: String = cells.iter().map(|it| format!("\"{it}\"\n")).collect();
        all(&folder.put("a.csv", format!("x\n{rows}"))).explain_not_numeric(&"x".into()).unwrap()
    };
    let thousands = advice(&["4,000", "3,800"]);
    assert!(
        thousands.contains("`4,000` is 4000 or 4)") && !thousands.contains("decimal point"),
        "{thousands}"
    );
    assert!(advice(&["10%", "5%"]).contains("percent"));
    assert!(advice(&["０.６６", "-１.４"]).contains("full width"));
    assert!(advice(&["01", "02"]).contains("leading zeros"));
}

#[test]
fn a_cell_of_a_megabyte_is_cut_in_messages() {
    let folder = Folder::new();
    let long = "x\u{1b}[31m".repeat(60_000);
    let path = folder.put("a.csv", format!("id,t\n1,\"{long}\"\n"));
    let text = folder.refusal(&ReadRequest::file(&path).indexed("id", "t"));
    assert!(text.len() < 1000 && !text.contains('\u{1b}'), "{} characters", text.len());
}

#[test]
fn a_unit_that_was_read_as_missing_says_which_word() {
    let folder = Folder::new();
    let request = ReadRequest::file(folder.put("a.csv", "iso,t\nBW,1\nNA,1\n")).indexed("iso", "t");
    assert_eq!(
        folder.refusal(&request),
        "a.csv, line 3: unit `iso` is missing; a row without it cannot be placed in the panel; read as missing here: `NA` \
         (1), and a word in quotes is a value"
    );
    let quoted = ReadRequest::file(folder.put("b.csv", "iso,t\nBW,1\n\"NA\",1\n")).indexed("iso", "t");
    assert_eq!(read(&quoted).unwrap().panel.units().n_groups(), 2);
}

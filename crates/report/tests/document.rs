//! A document of everything that reports can hold, as page, Word file and LaTeX file.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside the functions the lint exempts"
)]

mod common;
#[path = "common/figures.rs"]
mod figures;

use std::io::Read;

use parallax_report::{
    Convention, Document, DocumentError, FileRecord, Item, Language, Section, Table,
    published::{CellKey, Comparison, Published, Value},
};

fn comparison() -> Comparison {
    let published: Published = "
        [table3]
        title = 'Printed & <numbers>'
        [[table3.column]]
        number = '(1)'
        rows = [{ term = 'L.did', estimate = '4.728', stars = '**', std_error = '9.99' }]
        observations = '2,849'
        [[explained]]
        table = 'table3'
        row = 'observations'
        because = 'The paper counts rows it does not use.'
    "
    .parse()
    .unwrap();
    let ours = |key: &CellKey| match (key.row.as_str(), format!("{:?}", key.what).as_str()) {
        ("L.did", "Estimate") => Some(Value::Number(4.7281)),
        ("L.did", "StdError") => Some(Value::Number(1.83)),
        ("L.did", "Stars") => Some(Value::Stars(2)),
        _ => None,
    };
    published.compare("table3", ours).unwrap()
}

fn document(simulated: bool) -> Document {
    let tables = [common::regression(), common::descriptive()];
    let [table, descriptive] = tables.map(|it| Item::Table(Table { simulated, ..it }));
    let figures = figures::all(Language::En).into_iter().take(2).map(|mut it| {
        it.simulated = simulated;
        Item::Figure(it)
    });
    let tables = vec![table, Item::Comparison(comparison()), descriptive];
    let section = |title: &str, items| Section { title: title.to_owned(), paragraphs: Vec::new(), items };
    Document {
        title: "Costs & <benefits> of 50%_rules".to_owned(),
        simulated,
        source: "invented".to_owned(),
        version: "9.8.7".to_owned(),
        sections: vec![section("Tables", tables), section("Figures", figures.collect())],
        sample_flow: "a.csv: 12 rows\nkept 10 of 12 rows".to_owned(),
        files: vec![FileRecord {
            name: "a.csv".to_owned(),
            sha256: "0123456789abcdef".repeat(4),
            rows: 1234,
            licence: "CC0".to_owned(),
        }],
        conventions: vec![Convention { name: "Singletons".to_owned(), text: "dropped".to_owned() }],
        ..Document::default()
    }
}

/// Names and contents of the parts of a ZIP archive, found from its directory at the end.
fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let short = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let long = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let end = bytes.len() - 22;
    assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
    let (count, mut at) = (short(end + 10), long(end + 16));
    let mut parts = Vec::new();
    for _ in 0..count {
        assert_eq!(&bytes[at..at + 4], b"PK\x01\x02");
        let (crc, packed, size) = (long(at + 16), long(at + 20), long(at + 24));
        let (name, local) = (short(at + 28), long(at + 42));
        let start = local + 30 + short(local + 26) + short(local + 28);
        let mut content = Vec::new();
        flate2::read::DeflateDecoder::new(&bytes[start..start + packed]).read_to_end(&mut content).unwrap();
        let mut sum = flate2::Crc::new();
        sum.update(&content);
        assert_eq!((content.len(), sum.sum() as usize), (size, crc));
        parts.push((String::from_utf8(bytes[at + 46..at + 46 + name].to_vec()).unwrap(), content));
        at += 46 + name + short(at + 30) + short(at + 32);
    }
    assert_eq!(at, end);
    parts
}

#[test]
fn the_page_has_every_part_and_nothing_from_elsewhere() {
    let page = document(true).html().unwrap();
    let parts = [
        "Costs &amp; &lt;benefits&gt; of 50%_rules",
        "id=\"table-",
        "id=\"printed-table3\"",
        "2 of 4 printed cells",
    ];
    for part in parts.into_iter().chain([
        "kept 10 of 12 rows",
        "0123456789abcdef",
        "1,234",
        "CC0",
        "9.8.7",
        "Singletons",
    ]) {
        assert!(page.contains(part), "{part}");
    }
    let verdict = |name: &str| page.matches(&format!("<td class=\"verdict\">{name}")).count();
    assert_eq!(["match", "differs", "explained"].map(verdict), [2, 1, 1]);
    assert!(page.contains("The paper counts rows it does not use."));
    assert_eq!(page.matches("<svg ").count(), 2);
    assert_eq!(page.matches("made from simulated data").count(), 2, "head and foot");
    for foreign in ["<script", "src=", "url(", "href=\"http", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(!document(false).html().unwrap().contains("imulated data"));
}

#[test]
fn the_word_file_is_an_archive_of_its_parts_and_the_same_every_time() {
    let file = document(true).word().unwrap();
    assert_eq!(file, document(true).word().unwrap());
    let parts = unpacked(&file);
    let part = |name: &str| &parts.iter().find(|it| it.0 == name).unwrap_or_else(|| panic!("no {name}")).1;
    let text = String::from_utf8(part("word/document.xml").clone()).unwrap();
    assert_eq!(parts[0].0, "[Content_Types].xml");
    assert_eq!(text.matches("<w:tbl>").count(), 3);
    assert_eq!(text.matches("<w:drawing>").count(), 2);
    assert!(text.contains("Costs &amp; &lt;benefits&gt; of 50%_rules"));
    assert!(text.contains("made from simulated data"));
    assert!(String::from_utf8_lossy(part("word/footer1.xml")).contains("made from simulated data"));
    for (open, close) in [("<w:tc>", "</w:tc>"), ("<w:p>", "</w:p>"), ("<w:r>", "</w:r>")] {
        assert_eq!(text.matches(open).count(), text.matches(close).count(), "{open}");
    }
    assert!(part("word/media/image2.png").starts_with(b"\x89PNG"));
}

#[test]
fn the_latex_file_escapes_and_includes_each_figure() {
    let text = document(true).latex("pictures").unwrap();
    assert!(text.contains(r"Costs \& \textless{}benefits\textgreater{} of 50\%\_rules"));
    assert_eq!(text.matches("made from simulated data").count(), 2, "head and foot");
    for figure in document(true).figures() {
        assert!(text.contains(&format!("{{pictures/{}.png}}", figure.id)), "{}", figure.id);
    }
    let count = |it: &str| text.matches(it).count();
    for name in ["document", "table", "tabular", "longtable", "figure", "minipage"] {
        assert_eq!(count(&format!("\\begin{{{name}}}")), count(&format!("\\end{{{name}}}")), "{name}");
    }
}

#[test]
fn outputs_are_the_three_and_the_pictures() {
    let document = document(true);
    let outputs = document.outputs("study").unwrap();
    let names: Vec<_> = outputs.iter().map(|it| it.path.display().to_string()).collect();
    assert_eq!(names[..3], ["study.html", "study.docx", "study.tex"]);
    assert_eq!(outputs[1].bytes, document.word().unwrap());
    for (figure, output) in document.figures().zip(&outputs[3..]) {
        assert_eq!(output.path.display().to_string(), format!("{}.png", figure.id));
        assert_eq!(output.bytes, parallax_report::png(figure).unwrap());
    }
    assert_eq!(outputs.len(), 5);
}

#[test]
fn two_of_one_name_are_refused() {
    let mut document = document(true);
    let again = document.sections[0].items[0].clone();
    document.sections[1].items.push(again);
    let error = document.html().unwrap_err();
    assert!(matches!(&error, DocumentError::Twice { id } if id.starts_with("table-")), "{error}");
}

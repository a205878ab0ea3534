//! LaTeX files are compiled where a TeX is at hand: labels in every script, with the engine that the file names.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests stand outside the functions the lint exempts, and a test that is skipped says so"
)]

use std::{fs, process::Command};

use parallax_report::{Cell, Document, Format, HeaderRow, Item, Language, Row, Section, Table, render};

/// Labels that any engine sets.
const LATIN: [&str; 30] = [
    "β",
    "Δ log y",
    "χ²(3)",
    "a ≈ b",
    "σ²",
    "μ ± σ",
    "CO₂ emissions",
    "x → y",
    "≤ 5 °C",
    "∞",
    "“quoted” – ‘so’…",
    "5 € £ ¥ ¢ §",
    "½ or ¾",
    "ρ ≠ 0",
    "∑ xᵢ",
    "€/m²",
    "Müller",
    "Łódź",
    "Île-de-France",
    "Ærø",
    "Škoda",
    "İstanbul",
    "naïve #1 & 100% $5 {a} ~b^c\\d",
    "<y|x>",
    "§ 5 ¶",
    "Ñandú ¿qué?",
    "ΔΣ",
    "λₜ",
    "№ 5",
    "·×÷√∂∆Ω∈∅⇒",
];
/// Labels with letters that need a font of their own.
const LETTERS: [&str; 8] = [
    "Доход на душу",
    "Ελληνική οικονομία",
    "thu nhập bình quân đầu người",
    "e\u{301}tat",
    "Україна",
    "\u{1f600}",
    "ʃpelling",
    "Đặng",
];
const SCRIPTS: [&str; 4] = ["الدخل الفردي", "הכנסה", "आय प्रति व्यक्ति", "รายได้"];
const CHINESE: [&str; 4] = ["人均生产总值（亿元）", "城市 β", "東京の所得", "서울"];

fn document(labels: &[&str]) -> Document {
    let mut table = Table::new("t", labels.join(", "));
    table.header.push(HeaderRow::new(["", "(1)"]));
    table.body.extend(labels.iter().map(|it| Row::cells(*it, [Cell::decimals(-0.5, 3)])));
    table.notes = labels.iter().map(|it| (*it).to_owned()).collect();
    Document {
        title: labels.join(" "),
        language: Language::En,
        source: labels.join("; "),
        version: "1".to_owned(),
        sections: vec![Section {
            title: labels.join(" "),
            paragraphs: labels.iter().map(|it| (*it).to_owned()).collect(),
            items: vec![Item::Table(table)],
        }],
        ..Document::default()
    }
}

fn latex(document: &Document) -> String {
    let outputs = document.outputs("doc").unwrap();
    let found = outputs.iter().find(|it| it.path.ends_with("doc.tex")).unwrap();
    String::from_utf8(found.bytes.clone()).unwrap()
}

/// Runs an engine, if there is one; an absent one is said.
fn compiles(engine: &str, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("doc.tex"), text).unwrap();
    let run = Command::new(engine)
        .args(["-interaction=nonstopmode", "-halt-on-error", "doc.tex"])
        .current_dir(folder.path())
        .output();
    let Ok(run) = run else {
        eprintln!("skipped: no {engine} here, the file is not compiled");
        return;
    };
    let said = String::from_utf8_lossy(&run.stdout);
    let tail: String =
        said.lines().rev().take(30).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
    assert!(run.status.success() && folder.path().join("doc.pdf").exists(), "{engine}:\n{tail}\n{text}");
}

fn engine(text: &str) -> &str {
    text.lines().next().unwrap()
}

#[test]
fn symbols_and_latin_letters_compile_with_pdflatex() {
    let text = latex(&document(&LATIN));
    assert!(engine(&text).contains("pdflatex"), "{}", engine(&text));
    compiles("pdflatex", &text);
    compiles("xelatex", &text);
}

#[test]
fn other_letters_name_xelatex_and_compile_with_it() {
    for label in LETTERS {
        assert_eq!(engine(&latex(&document(&[label]))), "% Compile with xelatex.", "{label}");
    }
    compiles("xelatex", &latex(&document(&LETTERS)));
    let scripts = latex(&document(&SCRIPTS));
    assert!(scripts.contains("\\TeXXeTstate=1") && scripts.contains("\\scriptarabic{الدخل الفردي}"));
    compiles("xelatex", &scripts);
}

#[test]
fn chinese_is_set_with_ctex_beside_everything_else() {
    let text = latex(&document(&CHINESE));
    assert!(text.contains("{ctexart}") && engine(&text) == "% Compile with xelatex.");
    compiles("xelatex", &text);
    let all = [&CHINESE[..], &LETTERS, &SCRIPTS, &LATIN].concat();
    compiles("xelatex", &latex(&document(&all)));
}

#[test]
fn a_table_alone_says_what_it_needs_and_compiles() {
    let table = |labels: &[&str]| {
        let sections = document(labels).sections;
        let Some(Item::Table(table)) = sections[0].items.first() else { return String::new() };
        render(table, Format::Latex)
    };
    let around = |packages: &str, table: &str| {
        format!(
            "\\documentclass{{article}}{packages}\\usepackage{{booktabs}}\\begin{{document}}\n{table}\\end{{document}}\n"
        )
    };
    let latin = table(&LATIN);
    assert!(!latin.contains("XeLaTeX"));
    compiles("pdflatex", &around("\\usepackage[T1]{fontenc}", &latin));
    let scripts = table(&SCRIPTS);
    assert!(scripts.contains("XeLaTeX"));
    compiles("xelatex", &around("\\usepackage{fontspec}", &scripts));
}

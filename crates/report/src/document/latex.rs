//! The LaTeX file: the tables as they are rendered alone, long ones over several pages, figures as PNG.

use super::{Document, Item, caption};
use crate::{
    figure::Figure,
    language::Word,
    layout::Layout,
    render::{
        latex::{column_types, label, long_table, table},
        tex::{Needs, Script, escaped, needs},
    },
    table::Row,
};

pub(super) fn render(document: &Document, folder: &str) -> String {
    let body = body(document, folder);
    let class = class(&needs(&body));
    format!("{class}{PREAMBLE}\\begin{{document}}\n{body}\\end{{document}}\n")
}

/// What the characters of the body need.
fn class(needs: &Needs) -> String {
    if !needs.unicode {
        return LATIN.to_owned();
    }
    let mut class = if needs.cjk { CHINESE.to_owned() } else { UNICODE.to_owned() };
    class.push_str(&first_font("\\setmainfont{", "}", &MAIN_FONTS));
    for script in &needs.scripts {
        class.push_str(&of_script(*script));
    }
    class
}

/// The first font that there is; the usual one without.
fn first_font(before: &str, after: &str, fonts: &[&str]) -> String {
    let mut text = String::new();
    for font in fonts {
        text.push_str(&format!("\\IfFontExistsTF{{{font}}}{{{before}{font}{after}}}{{%\n"));
    }
    format!("{text}{}\n", "}".repeat(fonts.len()))
}

/// A font of the script, and its direction.
fn of_script(script: Script) -> String {
    let (command, name) = (script.command(), script.name());
    let fonts: &[&str] = match script {
        Script::Arabic => &["Noto Naskh Arabic", "Amiri", "Noto Sans Arabic", "Arial", "DejaVu Sans"],
        Script::Hebrew => &["Noto Serif Hebrew", "Noto Sans Hebrew", "FreeSerif", "Arial", "DejaVu Sans"],
        Script::Devanagari => &["Noto Serif Devanagari", "Noto Sans Devanagari", "FreeSerif", "Mangal"],
        Script::Thai => &["Noto Serif Thai", "Noto Sans Thai", "Norasi", "Tahoma"],
    };
    let font = format!("\\font{command}");
    let chosen = first_font(&format!("\\newfontfamily{font}[Script={name}]{{"), "}", fonts);
    let inside = if script.is_leftward() { "\\beginR #1\\endR" } else { "#1" };
    let direction = if script.is_leftward() { "\\TeXXeTstate=1\n" } else { "" };
    format!(
        "{chosen}\\providecommand{font}{{}}\n{direction}\\newcommand\\{command}[1]{{{{{font} {inside}}}}}\n"
    )
}

/// Letters of Latin languages and symbols: any engine will do.
const LATIN: &str = "% Compile with pdflatex, xelatex or lualatex.
\\documentclass[11pt,a4paper]{article}
\\usepackage{iftex}
\\ifpdftex\\usepackage[T1]{fontenc}\\usepackage{lmodern}\\fi
";
const CHINESE: &str = "% Compile with xelatex.
\\documentclass[UTF8,11pt,a4paper]{ctexart}
";
const UNICODE: &str = "% Compile with xelatex.
\\documentclass[11pt,a4paper]{article}
\\usepackage{fontspec}
";
/// Fonts with Greek, Cyrillic and Vietnamese letters.
const MAIN_FONTS: [&str; 5] = ["Noto Serif", "DejaVu Serif", "FreeSerif", "CMU Serif", "Times New Roman"];
/// A table wider than the page is made narrower, with its type. Captions have the numbers of the study.
const PREAMBLE: &str = "\\usepackage[margin=2.5cm]{geometry}
\\usepackage{array,booktabs,caption,float,longtable,graphicx}
\\captionsetup{labelformat=empty,labelsep=none,font=bf}
\\setlength{\\parindent}{0pt}
\\newsavebox{\\tablebox}
\\AddToHook{env/tabular/before}{\\begin{lrbox}{\\tablebox}}
\\AddToHook{env/tabular/after}{\\end{lrbox}%
  \\ifdim\\wd\\tablebox>\\linewidth\\resizebox{\\linewidth}{!}{\\usebox{\\tablebox}}\\else\\usebox{\\tablebox}\\fi}
\\emergencystretch=3em
";
/// Column, row, what, printed, ours, difference, verdict: only the row can be long.
const COMPARED_COLUMNS: &str = "l>{\\raggedright\\arraybackslash}p{4.4cm}lrrrl";
/// More rows than these do not fit on a page.
const LONGEST: usize = 40;

fn body(document: &Document, folder: &str) -> String {
    let word = |it| escaped(document.language.word(it));
    let mut out = format!("\\title{{{}}}\n\\author{{}}\\date{{}}\n\\maketitle\n", escaped(&document.title));
    if document.simulated {
        let warning = word(Word::DocumentSimulated);
        out.push_str(&format!(
            "\\noindent\\fbox{{\\parbox{{0.98\\linewidth}}{{\\textbf{{{warning}}}}}}}\n\n"
        ));
    }
    let facts = [(Word::ReferenceOf, &document.reference), (Word::Source, &document.source)];
    for (name, text) in facts.iter().filter(|it| !it.1.is_empty()) {
        out.push_str(&format!("\\noindent {}: {}\n\n", word(*name), escaped(text)));
    }
    if let Some(it) = document.summary() {
        out.push_str(&format!("\\noindent {}: {}.\n\n", word(Word::Compared), escaped(&it.to_string())));
    }
    for section in &document.sections {
        out.push_str(&format!("\\section*{{{}}}\n", escaped(&section.title)));
        section.paragraphs.iter().for_each(|it| out.push_str(&format!("{}\n\n", escaped(it))));
        for item in &section.items {
            out.push_str(&written(item, document, folder));
        }
        // Floats stay in their section.
        out.push_str("\\clearpage\n");
    }
    out.push_str(&end(document));
    out
}

fn written(item: &Item, document: &Document, folder: &str) -> String {
    match item {
        Item::Table(it) => {
            let rows = it.body.iter().filter(|it| matches!(it, Row::Cells { .. })).count();
            let layout = Layout::new(it);
            match LONGEST < rows {
                true => long_table(&layout, &it.id, &column_types(&layout.align)),
                // The caption of a study says which table of the paper it is: the order must stay.
                false => table(&layout, &it.id, "H"),
            }
        }
        Item::Comparison(it) => {
            let table = it.to_table(document.simulated);
            let layout = Layout::new(&table);
            let text = long_table(&layout, &format!("printed-{}", table.id), COMPARED_COLUMNS);
            format!("{{\\footnotesize\\setlength{{\\tabcolsep}}{{4pt}}\n{text}}}\n")
        }
        Item::Figure(it) => figure(it, folder),
    }
}

fn figure(figure: &Figure, folder: &str) -> String {
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let notes: Vec<String> = figure.notes.iter().map(|it| escaped(it)).collect();
    let notes = match notes.is_empty() {
        true => String::new(),
        false => format!(
            "\\par\\medskip\\begin{{minipage}}{{\\linewidth}}\\footnotesize {}\\end{{minipage}}\n",
            notes.join("\\par\n")
        ),
    };
    format!(
        "\\begin{{figure}}[H]\n\\centering\n\\includegraphics[width=\\linewidth]{{{folder}{}.png}}\n\\caption{{{}}}\n\\label{{fig:{}}}\n{notes}\\end{{figure}}\n",
        figure.id,
        escaped(&caption(figure)),
        label(&figure.id)
    )
}

/// Sample flow, files, conventions, notes, version.
fn end(document: &Document) -> String {
    let word = |it| escaped(document.language.word(it));
    let mut out = String::new();
    let mut part = |name: Word, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push_str(&format!("\\section*{{{}}}\n{{\\small\\raggedright\n", word(name)));
            lines.iter().for_each(|it| out.push_str(&format!("\\noindent {it}\\par\n")));
            out.push_str("}\n");
        }
    };
    let flow = document.sample_flow.lines().filter(|it| !it.trim().is_empty());
    part(Word::Flow, flow.map(escaped).collect());
    part(Word::Files, document.files.iter().map(file).collect());
    let convention = |it: &super::Convention| format!("{}: {}", escaped(&it.name), escaped(&it.text));
    part(Word::Conventions, document.conventions.iter().map(convention).collect());
    part(Word::Notes, document.notes.iter().map(|it| escaped(it)).collect());
    out.push_str(&format!(
        "\n\\bigskip\\noindent\\footnotesize {} {}\n",
        word(Word::Version),
        escaped(&document.version)
    ));
    if document.simulated {
        out.push_str(&format!("\n\\noindent\\textbf{{{}}}\n", word(Word::DocumentSimulated)));
    }
    out
}

/// The hash may break after every eighth figure.
fn file(record: &super::FileRecord) -> String {
    let figures: Vec<char> = record.sha256.chars().collect();
    let hash: Vec<String> = figures.chunks(8).map(|it| it.iter().collect()).collect();
    let licence =
        if record.licence.is_empty() { String::new() } else { format!(", {}", escaped(&record.licence)) };
    let rows = crate::number::format_count(record.rows);
    format!("{} ({rows}){licence}. SHA-256 \\texttt{{{}}}", escaped(&record.name), hash.join("\\allowbreak "))
}

//! The page: values for the template, which does the rest.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use super::{Document, DocumentError, Item, slug};
use crate::{
    draw::svg,
    figure::Figure,
    language::{Language, Word},
    layout::{Align, Kind, Layout, Line},
    published::{Comparison, Verdict},
    table::Table,
};

pub(super) fn render(document: &Document) -> Result<String, DocumentError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("report.html", include_str!("report.html"))?;
    let page = environment.get_template("report.html")?.render(Serde(page(document)?))?;
    Ok(crate::visible::visible(&page).into_owned())
}

#[derive(Serialize)]
struct Page<'a> {
    tag: &'static str,
    title: &'a str,
    reference: &'a str,
    source: &'a str,
    version: &'a str,
    simulated: bool,
    words: Words,
    summary: Option<Counts>,
    sections: Vec<SectionView<'a>>,
    sample_flow: &'a str,
    files: Vec<[String; 4]>,
    conventions: Vec<[&'a str; 2]>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Words {
    simulated: &'static str,
    simulated_note: &'static str,
    reference: &'static str,
    source: &'static str,
    version: &'static str,
    contents: &'static str,
    numbers: &'static str,
    compared: &'static str,
    flow: &'static str,
    files: &'static str,
    file_columns: [&'static str; 4],
    conventions: &'static str,
    notes: &'static str,
    comparison_columns: [&'static str; 7],
}

#[derive(Serialize)]
struct SectionView<'a> {
    id: String,
    title: &'a str,
    paragraphs: &'a [String],
    items: Vec<ItemView>,
}

#[derive(Serialize)]
struct ItemView {
    id: String,
    link: String,
    table: Option<TableView>,
    figure: Option<FigureView>,
    comparison: Option<ComparisonView>,
}

#[derive(Serialize)]
struct FigureView {
    caption: String,
    svg: String,
    notes: Vec<String>,
    numbers: TableView,
}

#[derive(Serialize)]
struct TableView {
    title: String,
    header: Vec<Vec<HeadView>>,
    lines: Vec<LineView>,
    columns: usize,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct HeadView {
    text: String,
    span: usize,
    class: &'static str,
    underlined: bool,
}

#[derive(Serialize)]
struct LineView {
    heading: Option<String>,
    /// Whether a line stands above.
    ruled: bool,
    cells: Vec<CellView>,
}

#[derive(Serialize)]
struct CellView {
    text: String,
    stars: String,
    class: &'static str,
}

#[derive(Serialize)]
struct ComparisonView {
    title: String,
    counts: Counts,
    rows: Vec<ComparedView>,
}

#[derive(Serialize)]
struct ComparedView {
    cells: Vec<String>,
    class: &'static str,
    verdict: &'static str,
    because: String,
}

#[derive(Serialize)]
struct Counts {
    text: String,
    clean: bool,
}

fn page(document: &Document) -> Result<Page<'_>, DocumentError> {
    let sections = document.sections.iter().enumerate().map(|(at, section)| {
        let items: Result<Vec<ItemView>, DocumentError> =
            section.items.iter().map(|it| item(it, document.language)).collect();
        let id = slug("section", &(at + 1).to_string());
        Ok(SectionView { id, title: &section.title, paragraphs: &section.paragraphs, items: items? })
    });
    let sections: Result<Vec<SectionView<'_>>, DocumentError> = sections.collect();
    let count = |it: crate::published::Summary| Counts { text: it.to_string(), clean: it.is_clean() };
    let file = |it: &super::FileRecord| {
        let rows = crate::number::format_count(it.rows);
        [it.name.clone(), rows, it.licence.clone(), it.sha256.clone()]
    };
    Ok(Page {
        tag: document.language.tag(),
        title: &document.title,
        reference: &document.reference,
        source: &document.source,
        version: &document.version,
        simulated: document.simulated,
        words: words(document.language),
        summary: document.summary().map(count),
        sections: sections?,
        sample_flow: document.sample_flow.trim(),
        files: document.files.iter().map(file).collect(),
        conventions: document.conventions.iter().map(|it| [it.name.as_str(), it.text.as_str()]).collect(),
        notes: &document.notes,
    })
}

fn words(language: Language) -> Words {
    let word = |it| language.word(it);
    Words {
        simulated: word(Word::Simulated),
        simulated_note: word(Word::DocumentSimulated),
        reference: word(Word::ReferenceOf),
        source: word(Word::Source),
        version: word(Word::Version),
        contents: word(Word::Contents),
        numbers: word(Word::Numbers),
        compared: word(Word::Compared),
        flow: word(Word::Flow),
        files: word(Word::Files),
        file_columns: [word(Word::File), word(Word::Rows), word(Word::Licence), "SHA-256"],
        conventions: word(Word::Conventions),
        notes: word(Word::Notes),
        comparison_columns: super::comparison_words(language),
    }
}

fn item(item: &Item, language: Language) -> Result<ItemView, DocumentError> {
    let mut view =
        ItemView { id: item.anchor(), link: item.title(), table: None, figure: None, comparison: None };
    match item {
        Item::Table(it) => view.table = Some(table(it)),
        Item::Figure(it) => view.figure = Some(figure(it)?),
        Item::Comparison(it) => {
            let compared = language.word(Word::Compared);
            view.link = format!("{}: {compared}", view.link);
            view.comparison = Some(comparison(it, &view.link));
        }
    }
    Ok(view)
}

fn figure(figure: &Figure) -> Result<FigureView, DocumentError> {
    // The document says the language and the size of the page.
    let svg = svg(figure)?;
    let notes = figure.notes.clone();
    let caption = super::caption(figure);
    Ok(FigureView { caption, svg, notes, numbers: table(&figure.table()) })
}

fn table(table: &Table) -> TableView {
    let layout = Layout::new(table);
    let mut header = Vec::new();
    for (i, row) in layout.header.iter().enumerate() {
        let under: Vec<usize> = layout.underlined(i).map(|it| it.start).collect();
        let head = |it: &crate::layout::Span| HeadView {
            text: it.text.clone(),
            span: it.len,
            class: if 1 < it.len { "point" } else { class(layout.align.get(it.start).copied()) },
            underlined: under.contains(&it.start),
        };
        header.push(row.iter().map(head).collect());
    }
    let mut lines = Vec::new();
    let mut ruled = false;
    for line in &layout.lines {
        match line {
            Line::Rule => ruled = true,
            Line::Heading(text) => {
                lines.push(LineView { heading: Some(text.clone()), ruled, cells: Vec::new() });
                ruled = false;
            }
            Line::Cells(cells) => {
                let cell = |(at, it): (usize, &crate::layout::Printed)| CellView {
                    text: if it.kind == Kind::Text { it.text.clone() } else { it.text.replace('-', "−") },
                    stars: "*".repeat(it.stars),
                    class: class(layout.align.get(at).copied()),
                };
                let cells = cells.iter().enumerate().map(cell).collect();
                lines.push(LineView { heading: None, ruled, cells });
                ruled = false;
            }
        }
    }
    TableView { title: layout.title, header, lines, columns: layout.align.len(), notes: layout.notes }
}

fn class(align: Option<Align>) -> &'static str {
    match align {
        Some(Align::Point) => "point",
        Some(Align::Count) => "count",
        Some(Align::Left) | None => "left",
    }
}

fn comparison(comparison: &Comparison, title: &str) -> ComparisonView {
    let row = |it: &crate::published::ComparedCell| ComparedView {
        cells: it.texts().to_vec(),
        class: verdict_class(it.verdict),
        verdict: it.verdict.name(),
        because: it.because.clone().unwrap_or_default(),
    };
    let summary = comparison.summary();
    ComparisonView {
        title: title.to_owned(),
        counts: Counts { text: summary.to_string(), clean: summary.is_clean() },
        rows: comparison.cells.iter().map(row).collect(),
    }
}

fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Match => "match",
        Verdict::Differs => "differs",
        Verdict::Explained => "explained",
        Verdict::StaleExplanation => "stale",
        Verdict::Absent => "absent",
        Verdict::Unparsable => "unparsable",
    }
}

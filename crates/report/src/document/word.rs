//! The Word file: WordprocessingML (ECMA-376) written part by part, tables with three rules as journals set them.

use super::{Document, DocumentError, Item, caption, comparison_words, zip::pack};
use crate::{
    draw::{escaped, raster},
    language::Word,
    layout::{Align, Kind, Layout, Line, Printed},
    published::{Comparison, Verdict},
    table::Table,
};

/// The file, with a PNG for each figure.
pub(super) fn render(document: &Document, images: &[Vec<u8>]) -> Result<Vec<u8>, DocumentError> {
    let part = |name: &str, text: String| (name.to_owned(), text.into_bytes());
    let mut files = vec![
        part("[Content_Types].xml", format!("{XML}{CONTENT_TYPES}")),
        part("_rels/.rels", format!("{XML}{RELATIONS}")),
        part("docProps/core.xml", core(document)),
        part("word/document.xml", body(document, images)),
        part("word/styles.xml", styles(document)),
        part("word/footer1.xml", footer(document)),
        part("word/_rels/document.xml.rels", relations(images.len())),
    ];
    files.extend(
        images.iter().enumerate().map(|(at, it)| (format!("word/media/image{}.png", at + 1), it.clone())),
    );
    Ok(pack(&files)?)
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const CONTENT_TYPES: &str = include_str!("word/content-types.xml");
const RELATIONS: &str = include_str!("word/relations.xml");
const STYLES: &str = include_str!("word/styles.xml");
const NAMESPACES: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" \
    xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\" \
    xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" \
    xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" \
    xmlns:pic=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"";

/// Between the margins of an A4 page, in twentieths of a point.
const TEXT_WIDTH: usize = 9070;
/// English metric units of an inch.
const INCH: u64 = 914_400;

fn core(document: &Document) -> String {
    format!(
        "{XML}<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>{}</dc:title><dc:language>{}</dc:language></cp:coreProperties>",
        escaped(&document.title),
        document.language.tag(),
    )
}

fn styles(document: &Document) -> String {
    format!("{XML}{}", STYLES.replace("{language}", document.language.tag()))
}

fn footer(document: &Document) -> String {
    let mark = if document.simulated { document.language.word(Word::DocumentSimulated) } else { "" };
    format!(
        "{XML}<w:ftr {NAMESPACES}><w:p><w:pPr><w:pStyle w:val=\"Footer\"/><w:tabs><w:tab w:val=\"right\" w:pos=\"{TEXT_WIDTH}\"/></w:tabs></w:pPr>{}\
         <w:r><w:tab/></w:r><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText xml:space=\"preserve\"> PAGE </w:instrText></w:r>\
         <w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r></w:p></w:ftr>",
        run(mark, "")
    )
}

fn relations(images: usize) -> String {
    const KIND: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let mut out = format!(
        "{XML}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
         <Relationship Id=\"styles\" Type=\"{KIND}/styles\" Target=\"styles.xml\"/>\
         <Relationship Id=\"footer\" Type=\"{KIND}/footer\" Target=\"footer1.xml\"/>"
    );
    for at in 1..=images {
        out.push_str(&format!(
            "<Relationship Id=\"image{at}\" Type=\"{KIND}/image\" Target=\"media/image{at}.png\"/>"
        ));
    }
    out + "</Relationships>"
}

fn body(document: &Document, images: &[Vec<u8>]) -> String {
    let word = |it| document.language.word(it);
    let mut out = format!("{XML}<w:document {NAMESPACES}><w:body>");
    out.push_str(&paragraph("Title", &document.title));
    if document.simulated {
        out.push_str(&paragraph("Warning", word(Word::DocumentSimulated)));
    }
    let facts = [(Word::ReferenceOf, &document.reference), (Word::Source, &document.source)];
    for (name, text) in facts.iter().filter(|it| !it.1.is_empty()) {
        out.push_str(&paragraph("Normal", &format!("{}: {text}", word(*name))));
    }
    if let Some(it) = document.summary() {
        out.push_str(&paragraph("Normal", &format!("{}: {it}.", word(Word::Compared))));
    }
    let mut image = 0;
    for section in &document.sections {
        out.push_str(&paragraph("Heading1", &section.title));
        section.paragraphs.iter().for_each(|it| out.push_str(&paragraph("Normal", it)));
        for item in &section.items {
            match item {
                Item::Table(it) => write_table(&mut out, it),
                Item::Comparison(it) => write_comparison(&mut out, it, document),
                Item::Figure(it) => {
                    if let Some(bytes) = images.get(image) {
                        image += 1;
                        out.push_str(&picture(image, bytes, &caption(it)));
                    }
                    out.push_str(&paragraph("FigureCaption", &caption(it)));
                    it.notes.iter().for_each(|it| out.push_str(&paragraph("TableNote", it)));
                }
            }
        }
    }
    write_end(&mut out, document);
    out.push_str(
        "<w:sectPr><w:footerReference w:type=\"default\" r:id=\"footer\"/><w:pgSz w:w=\"11906\" w:h=\"16838\"/>\
         <w:pgMar w:top=\"1418\" w:right=\"1418\" w:bottom=\"1418\" w:left=\"1418\" w:header=\"709\" w:footer=\"709\" w:gutter=\"0\"/></w:sectPr>\
         </w:body></w:document>",
    );
    out
}

/// Sample flow, files, conventions, notes and the version.
fn write_end(out: &mut String, document: &Document) {
    let word = |it| document.language.word(it);
    let mut part = |name: Word, style: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push_str(&paragraph("Heading1", word(name)));
            lines.iter().for_each(|it| out.push_str(&paragraph(style, it)));
        }
    };
    let flow = document.sample_flow.lines().filter(|it| !it.trim().is_empty());
    part(Word::Flow, "TableNote", flow.map(str::to_owned).collect());
    let rows = |it: u64| crate::number::format_count(it);
    let file = |it: &super::FileRecord| {
        let licence = if it.licence.is_empty() { String::new() } else { format!(", {}", it.licence) };
        format!("{}: {} {}{licence}. SHA-256 {}", it.name, rows(it.rows), word(Word::Rows), it.sha256)
    };
    part(Word::Files, "TableNote", document.files.iter().map(file).collect());
    let convention = |it: &super::Convention| format!("{}: {}", it.name, it.text);
    part(Word::Conventions, "TableNote", document.conventions.iter().map(convention).collect());
    part(Word::Notes, "Normal", document.notes.clone());
    out.push_str(&paragraph("TableNote", &format!("{} {}", word(Word::Version), document.version)));
}

fn write_table(out: &mut String, table: &Table) {
    let layout = Layout::new(table);
    out.push_str(&paragraph("TableCaption", &layout.title));
    let columns = layout.align.len();
    // Wide tables are set smaller, down to what can still be read.
    let size = match columns {
        0..=6 => 18,
        7..=9 => 16,
        _ => 14,
    };
    out.push_str(&table_start(&widths(columns)));
    let heads = layout.header.len();
    for (i, row) in layout.header.iter().enumerate() {
        let under: Vec<usize> = layout.underlined(i).map(|it| it.start).collect();
        let cells = row.iter().map(|it| {
            let ruled = i + 1 == heads || under.contains(&it.start);
            let left = it.len == 1 && layout.align.get(it.start) == Some(&Align::Left);
            let align = if left { Align::Left } else { Align::Point };
            cell(
                &run(&it.text, &sized(size)),
                align,
                &span(it.len),
                if ruled { Some("bottom") } else { None },
            )
        });
        out.push_str(&table_row(cells, true));
    }
    let mut rule = false;
    for line in &layout.lines {
        let top = if rule { Some("top") } else { None };
        rule = matches!(line, Line::Rule);
        match line {
            Line::Rule => {}
            Line::Heading(text) => {
                let text = run(text, &format!("<w:i/>{}", sized(size)));
                out.push_str(&table_row(
                    std::iter::once(cell(&text, Align::Left, &span(columns), top)),
                    false,
                ));
            }
            Line::Cells(cells) => {
                let cells = cells.iter().zip(&layout.align);
                out.push_str(&table_row(cells.map(|it| cell(&printed(it.0, size), *it.1, "", top)), false));
            }
        }
    }
    out.push_str("</w:tbl>");
    layout.notes.iter().for_each(|it| out.push_str(&paragraph("TableNote", it)));
    out.push_str(&paragraph("TableNote", ""));
}

fn write_comparison(out: &mut String, comparison: &Comparison, document: &Document) {
    let word = |it| document.language.word(it);
    let mark = if document.simulated { format!(" ({})", word(Word::Simulated)) } else { String::new() };
    let title = if comparison.title.is_empty() { &comparison.table } else { &comparison.title };
    out.push_str(&paragraph("TableCaption", &format!("{title}: {}{mark}", word(Word::Compared))));
    out.push_str(&table_start(&[1700, 2270, 1000, 950, 950, 1000, 1200]));
    let text = |it: &str| run(it, &sized(15));
    let aligned = |at: usize| if (3..=5).contains(&at) { Align::Count } else { Align::Left };
    let heads = comparison_words(document.language);
    let heads = heads.iter().enumerate().map(|(at, it)| cell(&text(it), aligned(at), "", Some("bottom")));
    out.push_str(&table_row(heads, true));
    for compared in &comparison.cells {
        let texts = compared.texts();
        let cells = texts.iter().enumerate().map(|(at, it)| cell(&text(it), aligned(at), "", None));
        let shade =
            format!("<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"{}\"/>", shade(compared.verdict));
        let verdict = cell(&text(compared.verdict.name()), Align::Left, &shade, None);
        out.push_str(&table_row(cells.chain([verdict]), false));
    }
    out.push_str("</w:tbl>");
    let table = comparison.to_table(document.simulated);
    table.notes.iter().for_each(|it| out.push_str(&paragraph("TableNote", it)));
}

fn shade(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Match => "DFF0E1",
        Verdict::Differs | Verdict::StaleExplanation => "FBDCD3",
        Verdict::Explained => "E3ECF7",
        Verdict::Absent | Verdict::Unparsable => "EEEEEA",
    }
}

/// The labels get about twice as much as a column of numbers.
fn widths(columns: usize) -> Vec<usize> {
    let part = TEXT_WIDTH / (columns + 1).max(2);
    let first = TEXT_WIDTH - part * columns.saturating_sub(1);
    std::iter::once(first).chain(std::iter::repeat_n(part, columns.saturating_sub(1))).collect()
}

fn table_start(widths: &[usize]) -> String {
    let grid: String = widths.iter().map(|it| format!("<w:gridCol w:w=\"{it}\"/>")).collect();
    format!(
        "<w:tbl><w:tblPr><w:tblStyle w:val=\"Journal\"/><w:tblW w:w=\"5000\" w:type=\"pct\"/><w:jc w:val=\"center\"/>\
         <w:tblLayout w:type=\"autofit\"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>"
    )
}

fn table_row(cells: impl Iterator<Item = String>, head: bool) -> String {
    let head = if head { "<w:tblHeader/>" } else { "" };
    format!("<w:tr><w:trPr><w:cantSplit/>{head}</w:trPr>{}</w:tr>", cells.collect::<String>())
}

/// `extra` are properties of the cell in the order of the schema: a span, or a shade.
fn cell(content: &str, align: Align, extra: &str, border: Option<&str>) -> String {
    let align = match align {
        Align::Left => "left",
        Align::Point => "center",
        Align::Count => "right",
    };
    let border = border.map_or(String::new(), |side| {
        format!("<w:tcBorders><w:{side} w:val=\"single\" w:sz=\"6\" w:space=\"0\" w:color=\"000000\"/></w:tcBorders>")
    });
    let (before, after) = if extra.starts_with("<w:gridSpan") { (extra, "") } else { ("", extra) };
    format!(
        "<w:tc><w:tcPr>{before}{border}{after}</w:tcPr><w:p><w:pPr><w:pStyle w:val=\"TableText\"/><w:jc w:val=\"{align}\"/></w:pPr>{content}</w:p></w:tc>"
    )
}

fn span(columns: usize) -> String {
    if 1 < columns { format!("<w:gridSpan w:val=\"{columns}\"/>") } else { String::new() }
}

fn printed(cell: &Printed, size: usize) -> String {
    let text = if cell.kind == Kind::Text { cell.text.clone() } else { cell.text.replace('-', "−") };
    let stars = "*".repeat(cell.stars);
    let raised = format!("{}<w:vertAlign w:val=\"superscript\"/>", sized(size));
    run(&text, &sized(size)) + &run(&stars, &raised)
}

fn sized(half_points: usize) -> String {
    format!("<w:sz w:val=\"{half_points}\"/><w:szCs w:val=\"{half_points}\"/>")
}

fn paragraph(style: &str, text: &str) -> String {
    format!("<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr>{}</w:p>", run(text, ""))
}

fn run(text: &str, properties: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let properties =
        if properties.is_empty() { String::new() } else { format!("<w:rPr>{properties}</w:rPr>") };
    format!("<w:r>{properties}<w:t xml:space=\"preserve\">{}</w:t></w:r>", escaped(text))
}

/// Six inches wide, as it was drawn.
fn picture(number: usize, png: &[u8], alternative: &str) -> String {
    let (width, height) = raster::pixels(png).unwrap_or((1, 1));
    let (wide, tall) = (6 * INCH, 6 * INCH * u64::from(height) / u64::from(width.max(1)));
    let text = escaped(alternative);
    format!(
        "<w:p><w:pPr><w:pStyle w:val=\"FigurePlace\"/></w:pPr><w:r><w:drawing><wp:inline distT=\"0\" distB=\"0\" distL=\"0\" distR=\"0\">\
         <wp:extent cx=\"{wide}\" cy=\"{tall}\"/><wp:docPr id=\"{number}\" name=\"Figure {number}\" descr=\"{text}\"/>\
         <a:graphic><a:graphicData uri=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><pic:pic>\
         <pic:nvPicPr><pic:cNvPr id=\"{number}\" name=\"image{number}.png\" descr=\"{text}\"/><pic:cNvPicPr/></pic:nvPicPr>\
         <pic:blipFill><a:blip r:embed=\"image{number}\"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>\
         <pic:spPr><a:xfrm><a:off x=\"0\" y=\"0\"/><a:ext cx=\"{wide}\" cy=\"{tall}\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></pic:spPr>\
         </pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )
}

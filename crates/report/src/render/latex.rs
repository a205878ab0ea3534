//! A floating LaTeX table. It needs the package `booktabs`; text beyond Latin letters and symbols needs XeLaTeX, and
//! says so.

use super::tex::{Script, escaped, needs};
use crate::layout::{Align, Kind, Layout, Line, Printed, Span};

pub(super) fn render(layout: &Layout, id: &str) -> String {
    let table = table(layout, id, "htbp");
    let needs = needs(&table);
    let mut out = String::from("% Needs \\usepackage{booktabs}.\n");
    if !needs.unicode && needs_t1(&table) {
        out.push_str("% With pdfLaTeX \\usepackage[T1]{fontenc} too.\n");
    }
    if needs.cjk {
        out.push_str("% Chinese text needs XeLaTeX or LuaLaTeX with \\usepackage{ctex}.\n");
    } else if needs.unicode {
        out.push_str(
            "% Text in other letters needs XeLaTeX or LuaLaTeX with \\usepackage{fontspec} and a font that has them.\n",
        );
    }
    needs.scripts.iter().for_each(|it| out.push_str(&provided(*it)));
    out + &table
}

/// Letters and quotation marks that the oldest fonts lack.
fn needs_t1(table: &str) -> bool {
    !table.is_ascii()
        || ["\\quotesinglbase", "\\quotedblbase", "\\guilsingl"].iter().any(|it| table.contains(it))
}

/// A document may define the command with a font of its own.
fn provided(script: Script) -> String {
    let (command, name) = (script.command(), script.name());
    let inside = if script.is_leftward() { "{\\TeXXeTstate=1\\beginR #1\\endR}" } else { "#1" };
    format!(
        "% {name}: define \\{command} with a font of the script.\n\\providecommand{{\\{command}}}[1]{{{inside}}}\n"
    )
}

/// The table without a word on what it needs, floating to one of the places.
pub(crate) fn table(layout: &Layout, id: &str, places: &str) -> String {
    let mut out = format!("\\begin{{table}}[{places}]\n\\centering\n");
    out.push_str(&format!("\\caption{{{}}}\n", escaped(&layout.title)));
    out.push_str(&format!("\\label{{tab:{}}}\n", label(id)));
    out.push_str(&format!("\\begin{{tabular}}{{{}}}\n\\toprule\n", column_types(&layout.align)));
    write_header(&mut out, layout);
    write_lines(&mut out, layout);
    out.push_str("\\bottomrule\n\\end{tabular}\n");
    write_notes(&mut out, &layout.notes);
    out.push_str("\\end{table}\n");
    out
}

/// The table over as many pages as it takes, with its header on each; it needs `longtable`.
pub(crate) fn long_table(layout: &Layout, id: &str, column_types: &str) -> String {
    let mut out = format!("\\begin{{longtable}}{{{column_types}}}\n");
    out.push_str(&format!(
        "\\caption{{{}}}\\label{{tab:{}}}\\\\\n\\toprule\n",
        escaped(&layout.title),
        label(id)
    ));
    write_header(&mut out, layout);
    out.push_str("\\endfirsthead\n\\toprule\n");
    write_header(&mut out, layout);
    out.push_str("\\endhead\n\\bottomrule\n\\endfoot\n");
    write_lines(&mut out, layout);
    out.push_str("\\end{longtable}\n");
    write_notes(&mut out, &layout.notes);
    out
}

fn write_header(out: &mut String, layout: &Layout) {
    for (i, row) in layout.header.iter().enumerate() {
        write_row(out, row.iter().map(|it| header_cell(it, &layout.align)));
        let rules: Vec<String> = layout.underlined(i).map(span_rule).collect();
        if !rules.is_empty() {
            out.push_str(&format!("{}\n", rules.join(" ")));
        }
    }
    if !layout.header.is_empty() {
        out.push_str("\\midrule\n");
    }
}

fn write_lines(out: &mut String, layout: &Layout) {
    let columns = layout.align.len();
    for line in &layout.lines {
        match line {
            Line::Cells(cells) => write_row(out, cells.iter().map(printed)),
            Line::Heading(text) => {
                let text = format!("\\multicolumn{{{columns}}}{{l}}{{\\emph{{{}}}}}", escaped(text));
                write_row(out, std::iter::once(text));
            }
            Line::Rule => out.push_str("\\midrule\n"),
        }
    }
}

fn write_row(out: &mut String, cells: impl Iterator<Item = String>) {
    let row = cells.collect::<Vec<_>>().join(" & ");
    // At the beginning of a row, LaTeX would take these for options of the end of the row above.
    let guard = if row.starts_with(['[', '*']) { "{}" } else { "" };
    out.push_str(&format!("{guard}{row} \\\\\n"));
}

fn write_notes(out: &mut String, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    let notes: Vec<String> = notes.iter().map(|it| escaped(it)).collect();
    out.push_str("\n\\medskip\n\\begin{minipage}{\\linewidth}\n\\footnotesize\n");
    out.push_str(&notes.join("\\par\n"));
    out.push_str("\n\\end{minipage}\n");
}

pub(crate) fn column_types(align: &[Align]) -> String {
    align.iter().map(|it| column_type(*it)).collect()
}

fn column_type(align: Align) -> char {
    match align {
        Align::Left => 'l',
        Align::Point => 'c',
        Align::Count => 'r',
    }
}

/// A header over counts stands in the middle, though the counts are flush right.
fn header_cell(span: &Span, align: &[Align]) -> String {
    let text = escaped(&span.text);
    let counts = align.get(span.start) == Some(&Align::Count);
    if 1 < span.len || (counts && !text.is_empty()) {
        format!("\\multicolumn{{{}}}{{c}}{{{text}}}", span.len)
    } else {
        text
    }
}

fn span_rule(span: &Span) -> String {
    format!("\\cmidrule(lr){{{}-{}}}", span.start + 1, span.start + span.len)
}

fn printed(cell: &Printed) -> String {
    // A hyphen in front of a number is too short for a minus sign.
    let text = match cell.kind {
        Kind::Text | Kind::Failed => escaped(&cell.text),
        Kind::Count | Kind::Number => escaped(&cell.text.replace('-', "−")),
    };
    match cell.stars {
        0 => text,
        stars => format!("{text}$^{{{}}}$", "*".repeat(stars)),
    }
}

/// Labels may not hold what is special to TeX, escaped or not.
pub(crate) fn label(id: &str) -> String {
    id.chars().map(|it| if it.is_alphanumeric() { it } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_hold_nothing_special() {
        assert_eq!(label("table_2 a"), "table-2-a");
    }
}

//! A floating LaTeX table. It needs the package `booktabs` and nothing else; Chinese text needs
//! XeLaTeX or LuaLaTeX with `ctex`, as in any document.

use crate::{
    layout::{Align, Kind, Layout, Line, Printed, Span},
    width::display_width,
};

pub(super) fn render(layout: &Layout, id: &str) -> String {
    let mut out = String::from("% Needs \\usepackage{booktabs}.\n");
    if wide(layout) {
        out.push_str("% Chinese text needs XeLaTeX or LuaLaTeX with \\usepackage{ctex}.\n");
    }
    out + &table(layout, id, "htbp")
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

fn wide(layout: &Layout) -> bool {
    let header = layout.header.iter().flatten().map(|it| it.text.as_str());
    let body = layout.lines.iter().flat_map(|it| match it {
        Line::Cells(cells) => cells.iter().map(|it| it.text.as_str()).collect(),
        Line::Heading(text) => vec![text.as_str()],
        Line::Rule => Vec::new(),
    });
    let notes = layout.notes.iter().map(String::as_str);
    let mut all = header.chain(body).chain(notes).chain(std::iter::once(layout.title.as_str()));
    all.any(has_wide)
}

/// Whether a text has Chinese characters or other wide ones.
pub(crate) fn has_wide(text: &str) -> bool {
    text.chars().count() < display_width(text)
}

pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '\\' => out.push_str("\\textbackslash{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '−' => out.push_str("$-$"),
            '…' => out.push_str("\\ldots{}"),
            '≤' => out.push_str("$\\leq$"),
            '≥' => out.push_str("$\\geq$"),
            '×' => out.push_str("$\\times$"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn special_characters_are_escaped() {
        assert_eq!(escaped(r"a & b % $ # _ { }"), r"a \& b \% \$ \# \_ \{ \}");
        assert_eq!(escaped("~^"), r"\textasciitilde{}\textasciicircum{}");
        assert_eq!(escaped(r"\begin"), r"\textbackslash{}begin");
        assert_eq!(escaped("[0, 1] * p<.1|"), r"[0, 1] * p\textless{}.1\textbar{}");
        assert_eq!(label("table_2 a"), "table-2-a");
    }

    proptest! {
        #[test]
        fn no_special_character_stands_alone(text in r"[a\\&%$#_{}~^ ]{0,12}") {
            let mut rest = escaped(&text);
            for command in [r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}"] {
                rest = rest.replace(command, "");
            }
            for escape in [r"\&", r"\%", r"\$", r"\#", r"\_", r"\{", r"\}"] {
                rest = rest.replace(escape, "");
            }
            prop_assert!(rest.chars().all(|it| it == 'a' || it == ' '), "{rest}");
        }
    }
}

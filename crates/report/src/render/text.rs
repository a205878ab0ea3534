//! Text for a terminal, with the rules of a journal: heavy above and below, light between blocks.
//!
//! Only ASCII lines are drawn, because box characters are two columns wide in Chinese fonts.

use crate::{
    layout::{Align, Kind, Layout, Line, Printed, Span},
    width::{display_width, wrapped},
};

pub(super) fn render(layout: &Layout) -> String {
    let grid = Grid::new(layout);
    let mut out = Out::default();
    out.line(&layout.title);
    out.line(&"=".repeat(grid.total()));
    for (i, row) in layout.header.iter().enumerate() {
        out.line(&grid.header(row));
        let underline = grid.underline(layout.underlined(i));
        if !underline.is_empty() {
            out.line(&underline);
        }
    }
    if !layout.header.is_empty() {
        out.line(&"-".repeat(grid.total()));
    }
    for line in &layout.lines {
        match line {
            Line::Cells(cells) => out.line(&grid.cells(cells)),
            Line::Heading(text) => out.line(text),
            Line::Rule => out.line(&"-".repeat(grid.total())),
        }
    }
    out.line(&"=".repeat(grid.total()));
    for note in &layout.notes {
        wrapped(note, grid.total().max(NOTE_WIDTH)).iter().for_each(|it| out.line(it));
    }
    out.0
}

const GAP: usize = 2;
/// Notes below a narrow table may be wider than it.
const NOTE_WIDTH: usize = 72;

#[derive(Default)]
struct Out(String);

impl Out {
    fn line(&mut self, text: &str) {
        self.0.push_str(text.trim_end());
        self.0.push('\n');
    }
}

/// The widths of columns, and where in each the decimal points stand.
struct Grid {
    columns: Vec<Column>,
}

struct Column {
    align: Align,
    width: usize,
    /// The widest part before the point, and from the point on.
    before: usize,
    after: usize,
}

impl Grid {
    fn new(layout: &Layout) -> Grid {
        let columns = (0..layout.align.len()).map(|it| Column::new(layout, it)).collect();
        let mut grid = Grid { columns };
        for span in layout.header.iter().flatten().filter(|it| 1 < it.len) {
            grid.widen(span);
        }
        grid
    }

    /// A text over several columns that is wider than they are widens each of them alike.
    fn widen(&mut self, span: &Span) {
        let lacking = display_width(&span.text).saturating_sub(self.span_width(span));
        let columns = self.columns.iter_mut().skip(span.start).take(span.len);
        for (i, column) in columns.enumerate() {
            column.width += lacking / span.len + usize::from(i < lacking % span.len);
        }
    }

    fn total(&self) -> usize {
        self.columns.iter().map(|it| it.width + GAP).sum::<usize>().saturating_sub(GAP)
    }

    fn span_width(&self, span: &Span) -> usize {
        let columns = self.columns.iter().skip(span.start).take(span.len);
        columns.map(|it| it.width + GAP).sum::<usize>().saturating_sub(GAP)
    }

    fn header(&self, row: &[Span]) -> String {
        let texts = row.iter().map(|span| {
            let words = self.columns.get(span.start).is_none_or(|it| it.align == Align::Left);
            let room = self.span_width(span);
            if words && span.len == 1 { left(&span.text, room) } else { centred(&span.text, room) }
        });
        joined(texts)
    }

    fn underline<'a>(&self, spans: impl Iterator<Item = &'a Span>) -> String {
        let mut line = String::new();
        for span in spans {
            let start: usize = self.columns.iter().take(span.start).map(|it| it.width + GAP).sum();
            line.push_str(&" ".repeat(start - line.len()));
            line.push_str(&"-".repeat(self.span_width(span)));
        }
        line
    }

    fn cells(&self, cells: &[Printed]) -> String {
        joined(self.columns.iter().zip(cells).map(|(column, cell)| column.set(cell)))
    }
}

impl Column {
    fn new(layout: &Layout, index: usize) -> Column {
        let align = layout.align.get(index).copied().unwrap_or(Align::Left);
        let mut column = Column { align, width: 0, before: 0, after: 0 };
        for line in &layout.lines {
            let Line::Cells(cells) = line else { continue };
            let Some(cell) = cells.get(index) else { continue };
            if column.anchors(cell) {
                let (before, after) = parts(cell);
                column.before = column.before.max(before);
                column.after = column.after.max(after);
            } else {
                column.width = column.width.max(display_width(&text(cell)));
            }
        }
        column.width = column.width.max(column.before + column.after);
        for span in layout.header.iter().flatten().filter(|it| it.start == index && it.len == 1) {
            column.width = column.width.max(display_width(&span.text));
        }
        column
    }

    /// Whether the cell hangs on the decimal point of its column.
    fn anchors(&self, cell: &Printed) -> bool {
        match self.align {
            Align::Left => false,
            Align::Point => cell.kind == Kind::Number,
            Align::Count => cell.kind == Kind::Count,
        }
    }

    fn set(&self, cell: &Printed) -> String {
        let text = text(cell);
        if self.anchors(cell) {
            let block = (self.width - self.before - self.after) / 2;
            let indent = block + self.before - parts(cell).0;
            left(&format!("{}{text}", " ".repeat(indent)), self.width)
        } else if self.align == Align::Left {
            left(&text, self.width)
        } else {
            centred(&text, self.width)
        }
    }
}

/// The widths before the point and from it on; where there is no point, it would follow the last
/// figure.
fn parts(cell: &Printed) -> (usize, usize) {
    let text = text(cell);
    let before = cell.text.find('.').unwrap_or(cell.text.trim_end_matches(')').len());
    (before, text.len() - before)
}

fn text(cell: &Printed) -> String {
    format!("{}{}", cell.text, "*".repeat(cell.stars))
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(&" ".repeat(GAP))
}

fn left(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(display_width(text))))
}

fn centred(text: &str, width: usize) -> String {
    let room = width.saturating_sub(display_width(text));
    left(&format!("{}{text}", " ".repeat(room / 2)), width)
}

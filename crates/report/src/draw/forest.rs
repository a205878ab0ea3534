//! Coefficient plots: labelled estimates with intervals below one another, the numbers to the right.

use super::{
    Sketch,
    axes::{Frame, dashed_line, level_ticks, null_line, places, room_below, widest},
    canvas::{Anchor, Canvas},
    font::{width, wrapped},
    label,
    legend::stroke,
    scale::{Scale, minus, range},
    style::{BAR_WIDTH, LEADING, Mark, TEXT_SIZE, WIDTH, colour},
};
use crate::{
    figure::{Figure, ForestPlot, ForestRow, Marker},
    language::Word,
    number::{Digits, format_number},
};

const WIDEST_LABEL: f64 = 150.0;
const INDENT: f64 = 8.0;

pub(super) fn draw(plot: &ForestPlot, figure: &Figure) -> Sketch {
    let word = |it| figure.language.word(it);
    let level = format!("{}%", (plot.level * 1e4).round() / 100.0);
    let usual = format!("{}{}{level} {}", word(Word::Estimate), word(Word::Comma), word(Word::Interval));
    let x_label = label(&figure.x_label, &usual);
    let entries = entries(plot, figure);
    let left = 4.0 + entries.iter().map(Entry::width).fold(0.0, f64::max) + 8.0;
    let numbers: Vec<String> = entries.iter().map(|it| it.numbers.clone()).collect();
    let right = WIDTH - widest(&numbers) - 14.0;
    let rows = plot.groups.iter().flat_map(|it| &it.rows);
    let values = rows.flat_map(|it| {
        let ends = it.interval.iter().flat_map(|it| [it.low, it.high]);
        std::iter::once(it.estimate).chain(ends).collect::<Vec<_>>()
    });
    let x = Scale::new(
        range(values.chain([plot.null]).chain(plot.marks.iter().map(|it| it.at)), 0.05),
        left,
        right,
    );
    let labels = mark_labels(&plot.marks, &x);
    let top = 4.0 + MARK_ROW * labels.iter().map(|it| it.1 + 1).max().unwrap_or(0) as f64;
    let bottom = top + 6.0 + entries.iter().map(Entry::height).sum::<f64>();
    let frame = Frame { left, right, top, bottom };
    let mut canvas = Canvas::default();
    let ticks = level_ticks(&x, false);
    frame.upright_grid(&mut canvas, &x, &ticks);
    frame.lower_axis(&mut canvas, &places(&x, &ticks));
    frame.upright(&mut canvas, x.at(plot.null), &null_line());
    for (mark, (middle, row)) in plot.marks.iter().zip(labels) {
        frame.upright(&mut canvas, x.at(mark.at), &dashed_line());
        canvas.text(middle, top - 3.0 - MARK_ROW * row as f64, Anchor::Middle, &mark.label);
    }
    let mut y = top + 3.0;
    for entry in &entries {
        entry.draw(&mut canvas, y, &x);
        y += entry.height();
    }
    frame.lower_label(&mut canvas, x_label);
    Sketch { canvas, height: bottom + room_below(x_label), foot: Vec::new() }
}

const MARK_ROW: f64 = 10.0;

/// Where the label of each mark stands: its middle, within the picture, and its row, counted from the plot up, so
/// that no two touch.
fn mark_labels(marks: &[Marker], x: &Scale) -> Vec<(f64, usize)> {
    let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
    let place = |mark: &Marker| {
        let half = width(&mark.label, TEXT_SIZE) / 2.0 + 2.0;
        let middle = x.at(mark.at).min(WIDTH - half).max(half);
        let free = |row: &Vec<(f64, f64)>| row.iter().all(|it| middle + half < it.0 || it.1 < middle - half);
        let row = taken.iter().position(free).unwrap_or(taken.len());
        if row == taken.len() {
            taken.push(Vec::new());
        }
        taken[row].push((middle - half, middle + half));
        (middle, row)
    };
    marks.iter().map(place).collect()
}

/// A heading, or a row with its numbers as printed.
struct Entry<'a> {
    lines: Vec<String>,
    indent: f64,
    numbers: String,
    row: Option<&'a ForestRow>,
}

fn entries<'a>(plot: &'a ForestPlot, figure: &Figure) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    let decimals = figure.decimals.min(if largest(plot) < SMALL { 4 } else { 2 });
    for group in &plot.groups {
        let indent = if group.label.is_empty() { 0.0 } else { INDENT };
        if !group.label.is_empty() {
            let lines = wrapped(&group.label, TEXT_SIZE, WIDEST_LABEL);
            entries.push(Entry { lines, indent: 0.0, numbers: String::new(), row: None });
        }
        for row in &group.rows {
            let lines = wrapped(&row.label, TEXT_SIZE, WIDEST_LABEL - indent);
            entries.push(Entry { lines, indent, numbers: numbers(row, figure, decimals), row: Some(row) });
        }
    }
    entries
}

/// Below it all numbers of a picture have two digits after zeros.
const SMALL: f64 = 0.2;

fn largest(plot: &ForestPlot) -> f64 {
    let finite =
        plot.groups.iter().flat_map(|it| &it.rows).map(|it| it.estimate.abs()).filter(|it| it.is_finite());
    finite.fold(0.0, f64::max)
}

/// Two decimals are what a picture can show, if its numbers are not small.
fn numbers(row: &ForestRow, figure: &Figure, decimals: u8) -> String {
    if !row.estimate.is_finite() {
        return figure.language.word(Word::None).to_owned();
    }
    let text = |it| minus(&format_number(it, Digits::Decimals(decimals)));
    let estimate = text(row.estimate);
    let known = row.interval.filter(|it| it.low.is_finite() && it.high.is_finite());
    known.map_or(estimate.clone(), |it| format!("{estimate} [{}, {}]", text(it.low), text(it.high)))
}

impl Entry<'_> {
    fn width(&self) -> f64 {
        self.indent + self.lines.iter().map(|it| width(it, TEXT_SIZE)).fold(0.0, f64::max)
    }

    fn height(&self) -> f64 {
        self.lines.len() as f64 * TEXT_SIZE * LEADING + 6.0
    }

    fn draw(&self, canvas: &mut Canvas, top: f64, x: &Scale) {
        let leading = TEXT_SIZE * LEADING;
        for (i, line) in self.lines.iter().enumerate() {
            canvas.text(4.0 + self.indent, top + 3.0 + leading * (i as f64 + 0.75), Anchor::Start, line);
        }
        let Some(row) = self.row else { return };
        let middle = top + self.height() / 2.0;
        canvas.text(WIDTH - 6.0, middle + 2.8, Anchor::End, &self.numbers);
        let colour = colour(0);
        if let Some(it) = row.interval.filter(|it| it.low.is_finite() && it.high.is_finite()) {
            canvas.line((x.at(it.low), middle), (x.at(it.high), middle), &stroke(colour, BAR_WIDTH, ""));
        }
        if row.estimate.is_finite() {
            canvas.mark(Mark::Square, (x.at(row.estimate), middle), colour);
        }
    }
}

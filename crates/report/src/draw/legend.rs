//! Legends: samples with words in rows above the picture.

use super::{
    canvas::{Anchor, Canvas},
    font::width,
    style::{INK, LINE_WIDTH, Mark, TEXT_SIZE, WIDTH},
};

/// One entry.
pub(super) struct Entry {
    pub label: String,
    pub sample: Sample,
}

/// What stands before the words.
pub(super) enum Sample {
    Mark(Mark, &'static str),
    /// Colour, width, dashes.
    Line(&'static str, f64, &'static str),
    /// A point on a line: mark, colour, width, dashes.
    MarkedLine(Mark, &'static str, f64, &'static str),
    /// Colour, with an outline.
    Area(&'static str),
}

const SAMPLE: f64 = 18.0;
const GAP: f64 = 14.0;
const ROW: f64 = 13.0;

/// Draws the entries from the left edge on, and gives the height they took.
pub(super) fn draw(canvas: &mut Canvas, left: f64, entries: &[Entry]) -> f64 {
    let rows = rows(left, entries);
    for (row, entries) in rows.iter().enumerate() {
        let y = 10.0 + ROW * row as f64;
        let mut x = left;
        for entry in entries {
            sample(canvas, x, y - 2.8, &entry.sample);
            canvas.text(x + SAMPLE + 4.0, y, Anchor::Start, &entry.label);
            x += breadth(entry) + GAP;
        }
    }
    if entries.is_empty() { 4.0 } else { ROW * rows.len() as f64 + 6.0 }
}

fn breadth(entry: &Entry) -> f64 {
    SAMPLE + 4.0 + width(&entry.label, TEXT_SIZE)
}

fn rows(left: f64, entries: &[Entry]) -> Vec<Vec<&Entry>> {
    let mut rows: Vec<Vec<&Entry>> = Vec::new();
    let mut x = f64::INFINITY;
    for entry in entries {
        if WIDTH - 4.0 < x + breadth(entry) {
            rows.push(Vec::new());
            x = left;
        }
        if let Some(row) = rows.last_mut() {
            row.push(entry);
        }
        x += breadth(entry) + GAP;
    }
    rows
}

fn sample(canvas: &mut Canvas, x: f64, y: f64, sample: &Sample) {
    let middle = (x + SAMPLE / 2.0, y);
    match *sample {
        Sample::Mark(mark, colour) => canvas.mark(mark, middle, colour),
        Sample::Line(colour, width, dashes) => line(canvas, x, y, colour, width, dashes),
        Sample::MarkedLine(mark, colour, width, dashes) => {
            line(canvas, x, y, colour, width, dashes);
            canvas.mark(mark, middle, colour);
        }
        Sample::Area(colour) => {
            let style = format!("fill=\"{colour}\" stroke=\"{INK}\" stroke-width=\"0.4\"");
            canvas.rect((x + 2.0, y - 3.5), (SAMPLE - 4.0, 7.0), &style);
        }
    }
}

fn line(canvas: &mut Canvas, x: f64, y: f64, colour: &str, width: f64, dashes: &str) {
    canvas.line((x, y), (x + SAMPLE, y), &stroke(colour, width, dashes));
}

/// The attributes of a line.
pub(super) fn stroke(colour: &str, width: f64, dashes: &str) -> String {
    let dashes = if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
    format!("stroke=\"{colour}\" stroke-width=\"{width}\" fill=\"none\"{dashes}")
}

/// The attributes of a curve.
pub(super) fn curve(colour: &str, dashes: &str) -> String {
    format!("{} stroke-linejoin=\"round\"", stroke(colour, LINE_WIDTH, dashes))
}

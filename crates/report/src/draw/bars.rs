//! Bars by category, beside one another within it.

use super::{
    Sketch,
    axes::{Frame, null_line, room_below, room_left, upright_ticks},
    canvas::{Anchor, Canvas},
    font::{width, wrapped},
    legend::{self, Entry, Sample},
    scale::{Scale, minus, range},
    style::{INK, LEADING, TEXT_SIZE, WIDTH, colour},
};
use crate::{
    figure::{BarPlot, Figure},
    number::{Digits, format_number},
};

const HEIGHT: f64 = 165.0;
/// The share of a category's room that its bars take.
const FILLED: f64 = 0.72;
const VALUE_SIZE: f64 = 7.0;

pub(super) fn draw(plot: &BarPlot, figure: &Figure) -> Sketch {
    let mut canvas = Canvas::default();
    let values = plot.series.iter().flat_map(|it| it.values.iter().copied());
    let (low, high) = range(values.chain([0.0]), 0.0);
    let room = (high - low) * 0.09;
    let domain = (if low < 0.0 { low - room } else { low }, if 0.0 < high { high + room } else { high });
    let mut y = Scale::new(domain, HEIGHT, 0.0);
    let ticks = upright_ticks(&y);
    let left = room_left(&ticks.labels(), &figure.y_label);
    let top = legend::draw(&mut canvas, left, &entries(plot));
    let frame = Frame { left, right: WIDTH - 8.0, top, bottom: top + HEIGHT };
    (y.start, y.end) = (frame.bottom, frame.top);
    frame.left_axis(&mut canvas, &y, &ticks, true);
    let slot = (frame.right - frame.left) / plot.categories.len().max(1) as f64;
    let thick = slot * FILLED / plot.series.len().max(1) as f64;
    let printed = printed(plot, thick);
    for (i, series) in plot.series.iter().enumerate() {
        for (at, value) in series.values.iter().enumerate().filter(|it| it.1.is_finite()) {
            let x = frame.left + slot * (at as f64 + (1.0 - FILLED) / 2.0) + thick * i as f64;
            bar(&mut canvas, (x, thick), (y.at(0.0), y.at(*value)), i);
            if let Some(text) = printed.get(i).and_then(|it| it.get(at)) {
                let above = if *value < 0.0 { VALUE_SIZE + 1.5 } else { -2.5 };
                let style = format!(" font-size=\"{VALUE_SIZE}\"");
                canvas.styled_text(x + thick / 2.0, y.at(*value) + above, Anchor::Middle, text, &style);
            }
        }
    }
    frame.level(&mut canvas, y.at(0.0), &null_line());
    let below = categories(&mut canvas, plot, &frame, slot);
    frame.upright_label(&mut canvas, 10.0, &figure.y_label);
    frame.lower_label_at(&mut canvas, &figure.x_label, frame.bottom + below + 11.0);
    Sketch { canvas, height: frame.bottom + below + room_below(&figure.x_label) - 13.0, foot: Vec::new() }
}

fn bar(canvas: &mut Canvas, (x, thick): (f64, f64), (zero, end): (f64, f64), series: usize) {
    let style = format!("fill=\"{}\" stroke=\"{INK}\" stroke-width=\"0.4\"", colour(series));
    canvas.rect((x, zero.min(end)), (thick, (zero - end).abs()), &style);
}

/// The numbers at the ends of bars, if all of them have room.
fn printed(plot: &BarPlot, thick: f64) -> Vec<Vec<String>> {
    let text = |it: &f64| minus(&format_number(*it, Digits::Significant(4)));
    let all: Vec<Vec<String>> = plot.series.iter().map(|it| it.values.iter().map(text).collect()).collect();
    let fit = all.iter().flatten().all(|it| width(it, VALUE_SIZE) <= thick * 1.15);
    if fit { all } else { Vec::new() }
}

/// Labels of categories, in lines where they fit, turned where a word is wider than its place. Gives
/// the height they took.
fn categories(canvas: &mut Canvas, plot: &BarPlot, frame: &Frame, slot: f64) -> f64 {
    let lines: Vec<Vec<String>> =
        plot.categories.iter().map(|it| wrapped(it, TEXT_SIZE, slot - 4.0)).collect();
    let place = |at: usize| frame.left + slot * (at as f64 + 0.5);
    if lines.iter().flatten().all(|it| width(it, TEXT_SIZE) <= slot - 3.0) {
        let tallest = lines.iter().map(Vec::len).max().unwrap_or(1);
        for (at, lines) in lines.iter().enumerate() {
            for (i, line) in lines.iter().enumerate() {
                let y = frame.bottom + 11.0 + TEXT_SIZE * LEADING * i as f64;
                canvas.text(place(at), y, Anchor::Middle, line);
            }
        }
        return 4.0 + TEXT_SIZE * LEADING * tallest as f64;
    }
    // Upright where slanted lines would meet.
    let angle: f64 = if slot < TEXT_SIZE * 1.7 { -90.0 } else { -45.0 };
    let mut tallest: f64 = 0.0;
    for (at, label) in plot.categories.iter().enumerate() {
        let x = place(at) + if angle < -60.0 { 2.8 } else { 2.0 };
        canvas.turned_text((x, frame.bottom + 7.0), angle, Anchor::End, label, "");
        tallest = tallest.max(width(label, TEXT_SIZE) * angle.to_radians().sin().abs());
    }
    tallest + TEXT_SIZE + 6.0
}

fn entries(plot: &BarPlot) -> Vec<Entry> {
    if plot.series.len() < 2 {
        return Vec::new();
    }
    let sample = |i| Sample::Area(colour(i));
    plot.series
        .iter()
        .enumerate()
        .map(|(i, it)| Entry { label: it.label.clone(), sample: sample(i) })
        .collect()
}

//! Curves in panels: densities, means over time.

use super::{
    Sketch,
    axes::{Frame, dashed_line, level_ticks, places, room_below, room_left, upright_ticks},
    canvas::{Anchor, Canvas, polyline},
    font::width,
    label,
    legend::{self, Entry, Sample, curve},
    scale::{Scale, range},
    style::{LABEL_SIZE, LINE_WIDTH, SOFT, TEXT_SIZE, WIDTH, colour, dashes, mark},
};
use crate::{
    figure::{Figure, Line, LinePlot, Marker},
    language::Word,
};

const HEIGHT: f64 = 175.0;
const GAP: f64 = 14.0;
const SHADE: f64 = 0.16;

pub(super) fn draw(plot: &LinePlot, figure: &Figure) -> Sketch {
    let usual = if plot.filled { figure.language.word(Word::Density) } else { "" };
    let y_label = label(&figure.y_label, usual);
    let labels = series(plot);
    let (x_domain, y_domain) = domains(plot);
    let mut canvas = Canvas::default();
    let mut y = Scale::new(y_domain, HEIGHT, 0.0);
    let ticks = upright_ticks(&y);
    let left = room_left(&ticks.labels(), y_label);
    let legend = legend::draw(&mut canvas, left, &entries(plot, &labels));
    let heading = if plot.panels.iter().any(|it| !it.label.is_empty()) { 13.0 } else { 0.0 };
    let top = legend + heading;
    let bottom = top + HEIGHT;
    (y.start, y.end) = (bottom, top);
    let count = plot.panels.len().max(1) as f64;
    let room = (WIDTH - 8.0 - left - GAP * (count - 1.0)) / count;
    for (i, panel) in plot.panels.iter().enumerate() {
        let at = left + (room + GAP) * i as f64;
        let frame = Frame { left: at, right: at + room, top, bottom };
        let x = Scale::new(x_domain, at, at + room);
        let style = format!(" font-size=\"{LABEL_SIZE}\"");
        let middle = f64::midpoint(frame.left, frame.right);
        if !panel.label.is_empty() {
            canvas.styled_text(middle, top - 4.0, Anchor::Middle, &panel.label, &style);
        }
        frame.left_axis(&mut canvas, &y, &ticks, i == 0);
        plot.markers.iter().for_each(|it| draw_marker(&mut canvas, it, &frame, &x));
        for line in &panel.lines {
            let series = labels.iter().position(|it| *it == line.label).unwrap_or(0);
            draw_line(&mut canvas, line, series, plot, (&x, &y));
        }
        frame.lower_axis(&mut canvas, &places(&x, &level_ticks(&x, whole(plot))));
    }
    let whole = Frame { left, right: WIDTH - 8.0, top, bottom };
    whole.upright_label(&mut canvas, 10.0, y_label);
    whole.lower_label(&mut canvas, &figure.x_label);
    Sketch { canvas, height: bottom + room_below(&figure.x_label), foot: Vec::new() }
}

/// The labels of curves, each once, in order of appearance.
fn series(plot: &LinePlot) -> Vec<&str> {
    let mut labels: Vec<&str> = Vec::new();
    for line in plot.panels.iter().flat_map(|it| &it.lines) {
        if !labels.contains(&line.label.as_str()) {
            labels.push(&line.label);
        }
    }
    labels
}

/// All panels share their axes: otherwise they could not be compared.
fn domains(plot: &LinePlot) -> ((f64, f64), (f64, f64)) {
    let lines = || plot.panels.iter().flat_map(|it| &it.lines);
    let x = lines().flat_map(|it| it.x.iter().copied()).chain(plot.markers.iter().map(|it| it.at));
    let y = lines().flat_map(|it| it.y.iter().copied());
    let x = range(x, if plot.points { 0.03 } else { 0.015 });
    if !plot.filled {
        return (x, range(y, 0.06));
    }
    let (low, high) = range(y.chain([0.0]), 0.0);
    (x, (low, high + (high - low) * 0.06))
}

/// Years are whole, and no year has a half.
fn whole(plot: &LinePlot) -> bool {
    plot.panels.iter().flat_map(|it| &it.lines).flat_map(|it| &it.x).all(|it| it.fract() == 0.0)
}

fn draw_line(canvas: &mut Canvas, line: &Line, series: usize, plot: &LinePlot, (x, y): (&Scale, &Scale)) {
    let points: Vec<(f64, f64)> = line.x.iter().copied().zip(line.y.iter().copied()).collect();
    for run in points.split(|it| !it.1.is_finite()).filter(|it| !it.is_empty()) {
        let placed: Vec<(f64, f64)> = run.iter().map(|it| (x.at(it.0), y.at(it.1))).collect();
        let data = polyline(placed.iter().copied());
        if plot.filled
            && let (Some(first), Some(last)) = (placed.first(), placed.last())
        {
            let ground =
                polyline([(last.0, y.at(0.0)), (first.0, y.at(0.0))].into_iter()).replacen('M', "L", 1);
            let style = format!("fill=\"{}\" fill-opacity=\"{SHADE}\"", colour(series));
            canvas.path(&format!("{data}{ground}z"), &style);
        }
        canvas.path(&data, &curve(colour(series), dashes(series)));
        if plot.points {
            placed.iter().for_each(|it| canvas.mark(mark(series), *it, colour(series)));
        }
    }
}

fn draw_marker(canvas: &mut Canvas, marker: &Marker, frame: &Frame, x: &Scale) {
    let at = x.at(marker.at);
    frame.upright(canvas, at, &dashed_line());
    // The word stands where there is room for it.
    let fits = at + 4.0 + width(&marker.label, TEXT_SIZE) <= frame.right;
    let (x, anchor) = if fits { (at + 4.0, Anchor::Start) } else { (at - 4.0, Anchor::End) };
    if !marker.label.is_empty() {
        let style = format!(" fill=\"{SOFT}\"");
        canvas.styled_text(x, frame.top + 8.0, anchor, &marker.label, &style);
    }
}

fn entries(plot: &LinePlot, labels: &[&str]) -> Vec<Entry> {
    let sample = |i| match plot.points {
        true => Sample::MarkedLine(mark(i), colour(i), LINE_WIDTH, dashes(i)),
        false => Sample::Line(colour(i), LINE_WIDTH, dashes(i)),
    };
    let named = labels.iter().enumerate().filter(|it| !it.1.is_empty());
    named.map(|(i, label)| Entry { label: (*label).to_owned(), sample: sample(i) }).collect()
}

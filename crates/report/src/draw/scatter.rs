//! Points of several kinds with level lines.

use super::{
    Sketch,
    axes::{Frame, dashed_line, level_ticks, null_line, places, room_below, room_left, upright_ticks},
    canvas::{Anchor, Canvas},
    legend::{self, Entry, Sample},
    scale::{Scale, range},
    style::{SOFT, WIDTH, colour, mark},
};
use crate::figure::{Figure, ScatterPlot};

const HEIGHT: f64 = 190.0;

pub(super) fn draw(plot: &ScatterPlot, figure: &Figure) -> Sketch {
    let mut canvas = Canvas::default();
    let xs = plot.series.iter().flat_map(|it| it.x.iter().copied());
    let ys = plot.series.iter().flat_map(|it| it.y.iter().copied());
    let levels = plot.levels.iter().map(|it| it.at);
    let mut y = Scale::new(range(ys.chain(levels).chain([0.0]), 0.06), HEIGHT, 0.0);
    let up = upright_ticks(&y);
    let left = room_left(&up.labels(), &figure.y_label);
    let entry = |(i, label): (usize, &String)| Entry {
        label: label.clone(),
        sample: Sample::Mark(mark(i), colour(i)),
    };
    let entries: Vec<Entry> = plot.series.iter().map(|it| &it.label).enumerate().map(entry).collect();
    let top = legend::draw(&mut canvas, left, &entries);
    let frame = Frame { left, right: WIDTH - 8.0, top, bottom: top + HEIGHT };
    (y.start, y.end) = (frame.bottom, frame.top);
    let x = Scale::new(range(xs.chain([0.0]), 0.04), frame.left, frame.right);
    frame.left_axis(&mut canvas, &y, &up, true);
    frame.level(&mut canvas, y.at(0.0), &null_line());
    for level in &plot.levels {
        frame.level(&mut canvas, y.at(level.at), &dashed_line());
        let style = format!(" fill=\"{SOFT}\"");
        canvas.styled_text(frame.right - 2.0, y.at(level.at) - 3.0, Anchor::End, &level.label, &style);
    }
    for (i, series) in plot.series.iter().enumerate() {
        for (px, py) in series.x.iter().zip(&series.y) {
            canvas.mark(mark(i), (x.at(*px), y.at(*py)), colour(i));
        }
    }
    frame.lower_axis(&mut canvas, &places(&x, &level_ticks(&x, false)));
    frame.upright_label(&mut canvas, 10.0, &figure.y_label);
    frame.lower_label(&mut canvas, &figure.x_label);
    Sketch { canvas, height: frame.bottom + room_below(&figure.x_label), foot: Vec::new() }
}

//! Love plots: standardised bias of each covariate before and after matching, one panel a method.

use super::{
    Sketch,
    axes::{Frame, dashed_line, level_ticks, null_line, places, room_below, widest},
    canvas::{Anchor, Canvas},
    font::wrapped,
    label,
    legend::{self, Entry, Sample, stroke},
    scale::{Scale, range},
    style::{GRID, LABEL_SIZE, LEADING, Mark, TEXT_SIZE, WIDTH, colour},
};
use crate::{
    figure::{BalancePanel, BalancePlot, Figure},
    language::Word,
};

const BEFORE: (Mark, usize) = (Mark::HollowCircle, 1);
const AFTER: (Mark, usize) = (Mark::Circle, 0);
const WIDEST_LABEL: f64 = 120.0;
const GAP: f64 = 12.0;

pub(super) fn draw(plot: &BalancePlot, figure: &Figure) -> Sketch {
    let word = |it| figure.language.word(it);
    let x_label = label(&figure.x_label, word(Word::Bias));
    let mut canvas = Canvas::default();
    let rows = Rows::new(plot);
    let entry = |(mark, series): (Mark, usize), it| Entry {
        label: word(it).to_owned(),
        sample: Sample::Mark(mark, colour(series)),
    };
    let legend =
        legend::draw(&mut canvas, rows.left, &[entry(BEFORE, Word::Before), entry(AFTER, Word::After)]);
    let heading = if plot.panels.iter().any(|it| !it.label.is_empty()) { 14.0 } else { 0.0 };
    let top = legend + heading;
    let bottom = top + rows.height();
    rows.labels(&mut canvas, top);
    let values = plot.panels.iter().flat_map(|it| &it.rows).flat_map(|it| [it.before, it.after]);
    let domain = range(values.chain([0.0, plot.threshold, -plot.threshold]), 0.06);
    let count = plot.panels.len().max(1) as f64;
    let width = (WIDTH - 8.0 - rows.left - GAP * (count - 1.0)) / count;
    for (i, panel) in plot.panels.iter().enumerate() {
        let left = rows.left + (width + GAP) * i as f64;
        let frame = Frame { left, right: left + width, top, bottom };
        let scale = Scale::new(domain, left, left + width);
        let style = format!(" font-size=\"{LABEL_SIZE}\"");
        let middle = f64::midpoint(frame.left, frame.right);
        canvas.styled_text(middle, top - 5.0, Anchor::Middle, &panel.label, &style);
        draw_panel(&mut canvas, panel, plot.threshold, &rows, (&frame, &scale));
    }
    let whole = Frame { left: rows.left, right: WIDTH - 8.0, top, bottom };
    whole.lower_label(&mut canvas, x_label);
    Sketch { canvas, height: bottom + room_below(x_label), foot: Vec::new() }
}

fn draw_panel(
    canvas: &mut Canvas,
    panel: &BalancePanel,
    threshold: f64,
    rows: &Rows,
    (frame, scale): (&Frame, &Scale),
) {
    canvas.open(&stroke(GRID, 0.5, ""));
    for place in &rows.places {
        frame.level(canvas, frame.top + place, "");
    }
    canvas.close();
    frame.upright(canvas, scale.at(0.0), &null_line());
    for limit in [-threshold, threshold] {
        frame.upright(canvas, scale.at(limit), &dashed_line());
    }
    frame.lower_axis(canvas, &places(scale, &level_ticks(scale, false)));
    for (place, row) in rows.places.iter().zip(&panel.rows) {
        for (value, (mark, series)) in [(row.before, BEFORE), (row.after, AFTER)] {
            if value.is_finite() {
                canvas.mark(mark, (scale.at(value), frame.top + place), colour(series));
            }
        }
    }
}

/// Labels of covariates, and where their rows are below the top.
struct Rows {
    left: f64,
    lines: Vec<Vec<String>>,
    places: Vec<f64>,
    height: f64,
}

impl Rows {
    fn new(plot: &BalancePlot) -> Rows {
        let names = plot.panels.first().map_or(&[][..], |it| &it.rows);
        let lines: Vec<Vec<String>> =
            names.iter().map(|it| wrapped(&it.covariate, TEXT_SIZE, WIDEST_LABEL)).collect();
        let left = 4.0 + lines.iter().map(|it| widest(it)).fold(0.0, f64::max) + 6.0;
        let mut height = 4.0;
        let mut places = Vec::new();
        for line in &lines {
            let tall = (line.len() as f64 * TEXT_SIZE * LEADING + 6.0).max(17.0);
            places.push(height + tall / 2.0);
            height += tall;
        }
        Rows { left, lines, places, height: height + 4.0 }
    }

    fn height(&self) -> f64 {
        self.height
    }

    fn labels(&self, canvas: &mut Canvas, top: f64) {
        for (lines, place) in self.lines.iter().zip(&self.places) {
            let leading = TEXT_SIZE * LEADING;
            let first = top + place + 2.8 - leading * (lines.len() as f64 - 1.0) / 2.0;
            for (i, line) in lines.iter().enumerate() {
                canvas.text(self.left - 6.0, first + leading * i as f64, Anchor::End, line);
            }
        }
    }
}

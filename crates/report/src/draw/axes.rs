//! Axes with ticks whose labels do not touch, grids, and margins measured from the labels.

use super::{
    canvas::{Anchor, Canvas},
    font::{width, wrapped},
    legend::stroke,
    scale::{Scale, Ticks},
    style::{AXIS_WIDTH, GRID, INK, LABEL_SIZE, LEADING, SOFT, TEXT_SIZE, THIN_WIDTH, WIDTH},
};

/// The rectangle between the axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

/// Space below a frame for ticks and the label of the axis.
pub(super) fn room_below(label: &str) -> f64 {
    15.0 + if label.is_empty() { 0.0 } else { 13.0 * wrapped(label, LABEL_SIZE, WIDTH * 0.8).len() as f64 }
}

/// Space left of a frame for tick labels and the turned label of the axis.
pub(super) fn room_left(labels: &[String], label: &str) -> f64 {
    widest(labels) + 9.0 + if label.is_empty() { 0.0 } else { LABEL_SIZE * LEADING + 3.0 }
}

/// The widest of the labels.
pub(super) fn widest(labels: &[String]) -> f64 {
    labels.iter().map(|it| width(it, TEXT_SIZE)).fold(0.0, f64::max)
}

/// Ticks of an upright axis: lines of text need some air between them.
pub(super) fn upright_ticks(scale: &Scale) -> Ticks {
    scale.ticks(false, |labels, distance| labels.len() <= 9 && 22.0 <= distance)
}

/// Ticks of a level axis, labels not nearer than a character.
pub(super) fn level_ticks(scale: &Scale, whole: bool) -> Ticks {
    scale.ticks(whole, |labels, distance| labels.len() <= 12 && widest(labels) + TEXT_SIZE <= distance)
}

impl Frame {
    /// Level grid lines with labels to the left.
    pub(super) fn left_axis(&self, canvas: &mut Canvas, scale: &Scale, ticks: &Ticks, labelled: bool) {
        canvas.open(&format!("stroke=\"{GRID}\" stroke-width=\"0.5\""));
        for value in &ticks.values {
            let y = scale.at(*value);
            canvas.line((self.left, y), (self.right, y), "");
        }
        canvas.close();
        self.upright_line(canvas, self.left);
        if labelled {
            canvas.open("text-anchor=\"end\"");
            for (value, label) in ticks.values.iter().zip(ticks.labels()) {
                canvas.text(self.left - 5.0, scale.at(*value) + 2.8, Anchor::Start, &label);
            }
            canvas.close();
        }
    }

    /// Labels to the right, for a second scale; no grid.
    pub(super) fn right_axis(&self, canvas: &mut Canvas, scale: &Scale, ticks: &Ticks) {
        self.upright_line(canvas, self.right);
        for (value, label) in ticks.values.iter().zip(ticks.labels()) {
            let y = scale.at(*value);
            canvas.line((self.right, y), (self.right + 3.0, y), &stroke(INK, AXIS_WIDTH, ""));
            canvas.text(self.right + 5.0, y + 2.8, Anchor::Start, &label);
        }
    }

    /// Upright grid lines, for pictures that are read across.
    pub(super) fn upright_grid(&self, canvas: &mut Canvas, scale: &Scale, ticks: &Ticks) {
        canvas.open(&format!("stroke=\"{GRID}\" stroke-width=\"0.5\""));
        for value in &ticks.values {
            let x = scale.at(*value);
            canvas.line((x, self.top), (x, self.bottom), "");
        }
        canvas.close();
    }

    /// The lower axis with its ticks.
    pub(super) fn lower_axis(&self, canvas: &mut Canvas, places: &[(f64, String)]) {
        canvas.line((self.left, self.bottom), (self.right, self.bottom), &stroke(INK, AXIS_WIDTH, ""));
        canvas.open("text-anchor=\"middle\"");
        for (x, label) in places {
            canvas.line((*x, self.bottom), (*x, self.bottom + 3.0), &stroke(INK, AXIS_WIDTH, ""));
            canvas.text(*x, self.bottom + 12.0, Anchor::Start, label);
        }
        canvas.close();
    }

    /// The label below the lower axis, over all panels.
    pub(super) fn lower_label(&self, canvas: &mut Canvas, label: &str) {
        self.lower_label_at(canvas, label, self.bottom + 25.0);
    }

    /// The label at a height of its own, where the labels of ticks are tall.
    pub(super) fn lower_label_at(&self, canvas: &mut Canvas, label: &str, y: f64) {
        if label.is_empty() {
            return;
        }
        let style = format!(" font-size=\"{LABEL_SIZE}\"");
        for (i, line) in wrapped(label, LABEL_SIZE, WIDTH * 0.8).iter().enumerate() {
            let x = f64::midpoint(self.left, self.right);
            canvas.styled_text(x, y + 13.0 * i as f64, Anchor::Middle, line, &style);
        }
    }

    /// The turned label left of everything, or right of it.
    pub(super) fn upright_label(&self, canvas: &mut Canvas, x: f64, label: &str) {
        if label.is_empty() {
            return;
        }
        // A label longer than the axis is set smaller, down to a size that can still be read.
        let room = self.bottom - self.top + 16.0;
        let size = (LABEL_SIZE * room / width(label, LABEL_SIZE)).clamp(6.5, LABEL_SIZE);
        let style = format!(" font-size=\"{}\"", super::canvas::number(size));
        let middle = f64::midpoint(self.top, self.bottom);
        canvas.turned_text((x, middle), -90.0, Anchor::Middle, label, &style);
    }

    /// A line from top to bottom at x.
    pub(super) fn upright(&self, canvas: &mut Canvas, x: f64, style: &str) {
        canvas.line((x, self.top), (x, self.bottom), style);
    }

    /// A line from left to right at y.
    pub(super) fn level(&self, canvas: &mut Canvas, y: f64, style: &str) {
        canvas.line((self.left, y), (self.right, y), style);
    }

    fn upright_line(&self, canvas: &mut Canvas, x: f64) {
        self.upright(canvas, x, &stroke(INK, AXIS_WIDTH, ""));
    }
}

/// The places and labels of ticks.
pub(super) fn places(scale: &Scale, ticks: &Ticks) -> Vec<(f64, String)> {
    ticks.values.iter().map(|it| scale.at(*it)).zip(ticks.labels()).collect()
}

/// A line that says "zero" or "none".
pub(super) fn null_line() -> String {
    stroke(SOFT, THIN_WIDTH, "")
}

/// A line that marks a moment or a limit.
pub(super) fn dashed_line() -> String {
    stroke(SOFT, THIN_WIDTH + 0.2, "4 2.5")
}

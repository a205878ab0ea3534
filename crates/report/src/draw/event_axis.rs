//! The axis of periods since adoption.
//!
//! A point that stands for all earlier or later periods is at the end of its series. Where another series goes on
//! beyond that period, or has the period by itself, there is no such end on a numeric axis: the point then stands
//! outside of it, in a place and over a label of its own.

use super::{
    axes::{Frame, widest},
    canvas::{Anchor, Canvas},
    legend::stroke,
    scale::{Scale, minus},
    style::{GRID, Mark, TEXT_SIZE, THIN_WIDTH, mark},
};
use crate::figure::{EventBin, EventPoint, EventStudyPlot};

/// From points to places.
pub(super) struct EventAxis {
    scale: Scale,
    ticks: Vec<(f64, String)>,
    apart: Vec<Apart>,
    frame: Frame,
}

/// A place outside of the numeric axis, for the points that stand for the same periods.
struct Apart {
    bin: EventBin,
    time: i32,
    label: String,
    x: f64,
}

impl EventAxis {
    pub(super) fn new(plot: &EventStudyPlot, frame: Frame) -> EventAxis {
        let (earlier, later) = (apart(plot, EventBin::OrEarlier), apart(plot, EventBin::OrLater));
        let labels: Vec<String> = earlier.iter().chain(&later).map(|it| it.1.clone()).collect();
        let breadth = widest(&labels) + TEXT_SIZE;
        let is_apart = |it: &EventPoint| {
            let ends = if it.bin == EventBin::OrEarlier { &earlier } else { &later };
            it.bin != EventBin::Exact && ends.iter().any(|end| end.0 == it.time)
        };
        let on_axis: Vec<&EventPoint> = points(plot).filter(|it| !is_apart(it)).collect();
        let times = || on_axis.iter().map(|it| f64::from(it.time));
        let (low, high) = (times().fold(plot.adoption, f64::min), times().fold(plot.adoption, f64::max));
        let start = frame.left + breadth * earlier.len() as f64;
        let end = frame.right - breadth * later.len() as f64;
        let scale = Scale::new((low - 0.6, high + 0.6), start, end);
        let place = |bin, x: f64| {
            move |(at, (time, label)): (usize, (i32, String))| {
                // The least extreme stands nearest to the axis.
                let away = breadth * (at as f64 + 0.5);
                Apart { bin, time, label, x: if bin == EventBin::OrEarlier { x - away } else { x + away } }
            }
        };
        let left = earlier.iter().cloned().enumerate().map(place(EventBin::OrEarlier, start));
        let right = later.iter().cloned().enumerate().map(place(EventBin::OrLater, end));
        let apart = left.chain(right).collect();
        EventAxis { ticks: ticks(&on_axis, &scale), scale, apart, frame }
    }

    /// Where a point stands, moved sideways by that many periods.
    pub(super) fn at(&self, point: &EventPoint, shift: f64) -> f64 {
        let period = self.scale.at(1.0) - self.scale.at(0.0);
        match self.place_apart(point) {
            // Within its own place, however wide periods are.
            Some(it) => it.x + (shift * period).clamp(-TEXT_SIZE, TEXT_SIZE),
            None => self.scale.at(f64::from(point.time) + shift),
        }
    }

    /// Where a moment stands.
    pub(super) fn moment(&self, time: f64) -> f64 {
        self.scale.at(time)
    }

    /// The picture of a point of the series.
    pub(super) fn mark(&self, point: &EventPoint, series: usize) -> Mark {
        match (point.reference, self.place_apart(point)) {
            (true, _) => Mark::HollowCircle,
            (false, Some(Apart { bin: EventBin::OrEarlier, .. })) => Mark::Leftward,
            (false, Some(_)) => Mark::Rightward,
            (false, None) => mark(series),
        }
    }

    /// Which marks are drawn outside of the numeric axis.
    pub(super) fn marks_apart(&self) -> Option<Mark> {
        let first = self.apart.first()?;
        Some(if first.bin == EventBin::OrEarlier { Mark::Leftward } else { Mark::Rightward })
    }

    /// The numeric axis with its ticks, and the labels of what stands outside of it.
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let numeric = Frame { left: self.scale.start, right: self.scale.end, ..self.frame };
        numeric.lower_axis(canvas, &self.ticks);
        let line = stroke(GRID, THIN_WIDTH, "");
        for (x, end) in [(numeric.left, self.frame.left), (numeric.right, self.frame.right)] {
            if x != end {
                self.frame.upright(canvas, x, &line);
            }
        }
        for it in &self.apart {
            canvas.text(it.x, self.frame.bottom + 12.0, Anchor::Middle, &it.label);
        }
    }

    fn place_apart(&self, point: &EventPoint) -> Option<&Apart> {
        self.apart.iter().find(|it| it.bin == point.bin && it.time == point.time)
    }
}

fn points(plot: &EventStudyPlot) -> impl Iterator<Item = &EventPoint> {
    plot.series.iter().flat_map(|it| &it.points)
}

/// The times of the ends that cannot stand on the axis, the least extreme first, with their labels.
fn apart(plot: &EventStudyPlot, bin: EventBin) -> Vec<(i32, String)> {
    let beyond = |end: i32, it: &EventPoint| match bin {
        EventBin::OrEarlier => it.time < end,
        _ => end < it.time,
    };
    let mut ends: Vec<(i32, String)> = Vec::new();
    for end in points(plot).filter(|it| it.bin == bin) {
        let other = |it: &EventPoint| beyond(end.time, it) || (it.time == end.time && it.bin != bin);
        if points(plot).any(other) && !ends.iter().any(|it| it.0 == end.time) {
            ends.push((end.time, minus(&end.time_text())));
        }
    }
    ends.sort_by_key(|it| if bin == EventBin::OrEarlier { -it.0 } else { it.0 });
    ends
}

/// Every time if there is room; else every second, fifth and so on, and always those that stand for more.
fn ticks(points: &[&EventPoint], x: &Scale) -> Vec<(f64, String)> {
    let mut all: Vec<(i32, EventBin, String)> = Vec::new();
    for point in points {
        if !all.iter().any(|it| it.0 == point.time) {
            all.push((point.time, point.bin, minus(&point.time_text())));
        }
    }
    all.sort_by_key(|it| it.0);
    let labels: Vec<String> = all.iter().map(|it| it.2.clone()).collect();
    let needed = widest(&labels) + TEXT_SIZE * 0.6;
    let distance = x.at(1.0) - x.at(0.0);
    let step =
        [1, 2, 5, 10, 20, 50].into_iter().find(|it| needed <= distance * f64::from(*it)).unwrap_or(100);
    let ends: Vec<i32> = all.iter().filter(|it| it.1 != EventBin::Exact).map(|it| it.0).collect();
    let near =
        |time: i32| ends.iter().any(|it| *it != time && f64::from((it - time).abs()) * distance < needed);
    let kept = all.iter().filter(|it| it.1 != EventBin::Exact || (it.0 % step == 0 && !near(it.0)));
    kept.map(|it| (x.at(f64::from(it.0)), it.2.clone())).collect()
}

//! Event studies: effects with intervals by time since adoption, several estimators side by side.

use super::{
    Sketch,
    axes::{Frame, dashed_line, null_line, room_below, room_left, upright_ticks},
    canvas::{Canvas, polyline},
    event_axis::EventAxis,
    label,
    legend::{self, Entry, Sample, stroke},
    scale::{Scale, range},
    style::{BAR_WIDTH, Mark, THIN_WIDTH, WIDTH, colour, mark},
};
use crate::{
    figure::{EventPoint, EventSeries, EventStudyPlot, Figure, Interval},
    language::Word,
};

const HEIGHT: f64 = 190.0;
/// With more series there is no room for the band beside the pointwise interval; the table has both.
const BANDED: usize = 4;

pub(super) fn draw(plot: &EventStudyPlot, figure: &Figure) -> Sketch {
    let word = |it| figure.language.word(it);
    let (x_label, y_label) =
        (label(&figure.x_label, word(Word::EventTime)), label(&figure.y_label, word(Word::Effect)));
    let mut canvas = Canvas::default();
    let banded = plot.series.len() <= BANDED;
    let points_of = || plot.series.iter().flat_map(|it| &it.points);
    let y_range = range(points_of().flat_map(|it| reach(it, banded)).chain([0.0]), 0.05);
    let mut y = Scale::new(y_range, HEIGHT, 0.0);
    let ticks = upright_ticks(&y);
    let left = room_left(&ticks.labels(), y_label);
    let room = Frame { left, right: WIDTH - 6.0, top: 0.0, bottom: HEIGHT };
    let apart = EventAxis::new(plot, room).marks_apart();
    let top = legend::draw(&mut canvas, left, &entries(plot, figure, apart));
    (y.start, y.end) = (top + HEIGHT, top);
    let frame = Frame { top, bottom: top + HEIGHT, ..room };
    let x = EventAxis::new(plot, frame);
    frame.left_axis(&mut canvas, &y, &ticks, true);
    x.draw(&mut canvas);
    frame.level(&mut canvas, y.at(0.0), &null_line());
    frame.upright(&mut canvas, x.moment(plot.adoption), &dashed_line());
    for (i, series) in plot.series.iter().enumerate() {
        let shift = dodge(i, plot.series.len());
        if banded {
            bands(&mut canvas, series, i, shift, (&x, &y));
        }
        points(&mut canvas, series, i, shift, (&x, &y));
    }
    frame.upright_label(&mut canvas, 10.0, y_label);
    frame.lower_label(&mut canvas, x_label);
    Sketch { canvas, height: frame.bottom + room_below(x_label), foot: Vec::new() }
}

/// All numbers of a point that are drawn.
fn reach(point: &EventPoint, banded: bool) -> impl Iterator<Item = f64> {
    let intervals = [point.pointwise, point.simultaneous.filter(|_| banded)];
    let ends = intervals.into_iter().flatten().flat_map(|it| [it.low, it.high]);
    std::iter::once(point.estimate).chain(ends)
}

/// How far beside its time a series is drawn, in periods.
fn dodge(series: usize, count: usize) -> f64 {
    let width = if count <= BANDED { 0.62 } else { 0.82 };
    let step = (width / count as f64).min(0.17);
    (series as f64 - (count as f64 - 1.0) / 2.0) * step
}

fn bands(canvas: &mut Canvas, series: &EventSeries, index: usize, shift: f64, (x, y): (&EventAxis, &Scale)) {
    canvas.open(&stroke(colour(index), THIN_WIDTH, ""));
    for point in &series.points {
        if let Some(it) = point.simultaneous {
            capped(canvas, x.at(point, shift), y, it);
        }
    }
    canvas.close();
}

fn points(canvas: &mut Canvas, series: &EventSeries, index: usize, shift: f64, (x, y): (&EventAxis, &Scale)) {
    let colour = colour(index);
    let place = |it: &EventPoint| x.at(it, shift);
    canvas.open(&stroke(colour, BAR_WIDTH, ""));
    for point in &series.points {
        if let Some(it) = drawn(point.pointwise) {
            canvas.line((place(point), y.at(it.low)), (place(point), y.at(it.high)), "");
        }
    }
    canvas.close();
    for point in series.points.iter().filter(|it| it.estimate.is_finite()) {
        canvas.mark(x.mark(point, index), (place(point), y.at(point.estimate)), colour);
    }
}

fn capped(canvas: &mut Canvas, x: f64, y: &Scale, interval: Interval) {
    let Some(Interval { low, high }) = drawn(Some(interval)) else { return };
    let (low, high) = (y.at(low), y.at(high));
    let ends = [low, high].map(|it| polyline([(x - 2.5, it), (x + 2.5, it)].into_iter()));
    let stem = polyline([(x, low), (x, high)].into_iter());
    canvas.path(&format!("{stem}{}{}", ends[0], ends[1]), "");
}

/// An interval with both ends.
fn drawn(interval: Option<Interval>) -> Option<Interval> {
    interval.filter(|it| it.low.is_finite() && it.high.is_finite())
}

fn entries(plot: &EventStudyPlot, figure: &Figure, apart: Option<Mark>) -> Vec<Entry> {
    let word = |it| figure.language.word(it);
    let level = plot.series.first().map_or(0.95, |it| it.level);
    let level = format!("{}%", (level * 1e4).round() / 100.0);
    let all = || plot.series.iter().flat_map(|it| &it.points);
    let single = plot.series.len() == 1;
    let mut entries: Vec<Entry> = Vec::new();
    if single {
        let sample = Sample::MarkedLine(mark(0), colour(0), BAR_WIDTH, "");
        let label = format!("{}{}{level} {}", word(Word::Estimate), word(Word::Comma), word(Word::Pointwise));
        entries.push(Entry { label, sample });
    } else {
        let sample = |it| Sample::MarkedLine(mark(it), colour(it), BAR_WIDTH, "");
        let series = plot.series.iter().enumerate();
        entries.extend(series.map(|(i, it)| Entry { label: it.label.clone(), sample: sample(i) }));
        let label = format!("{level} {}", word(Word::Pointwise));
        entries.push(Entry { label, sample: Sample::Line(super::style::INK, BAR_WIDTH, "") });
    }
    if plot.series.len() <= BANDED && all().any(|it| it.simultaneous.is_some()) {
        let ink = if single { colour(0) } else { super::style::INK };
        let label = format!("{level} {}", word(Word::Simultaneous));
        entries.push(Entry { label, sample: Sample::Line(ink, THIN_WIDTH, "") });
    }
    if all().any(|it| it.reference) {
        let ink = if single { colour(0) } else { super::style::INK };
        let sample = Sample::Mark(Mark::HollowCircle, ink);
        entries.push(Entry { label: word(Word::Reference).to_owned(), sample });
    }
    if let Some(mark) = apart {
        let sample = Sample::Mark(mark, super::style::INK);
        entries.push(Entry { label: word(Word::AllBeyond).to_owned(), sample });
    }
    entries
}

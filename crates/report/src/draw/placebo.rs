//! Placebo tests: each draw's estimate against its p-value, the density of the estimates, the actual one.

use super::{
    Sketch,
    axes::{
        Frame, dashed_line, level_ticks, null_line, places, room_below, room_left, upright_ticks, widest,
    },
    canvas::{Canvas, number, polyline},
    label,
    legend::{self, Entry, Sample, curve, stroke},
    scale::{Scale, minus, range},
    style::{LINE_WIDTH, SOFT, THIN_WIDTH, WIDTH, colour, mark},
};
use crate::{
    density::{Density, kernel_density},
    figure::{Figure, PlaceboDraws},
    language::Word,
    number::{Digits, format_count, format_number},
};

const HEIGHT: f64 = 190.0;
/// More points than these would make the file heavy and the picture a blot.
const MOST_POINTS: usize = 2000;
const CURVE_POINTS: usize = 161;
const DRAWS: usize = 0;
const DENSITY: usize = 4;
const ACTUAL: usize = 1;

pub(super) fn draw(plot: &PlaceboDraws, figure: &Figure) -> Sketch {
    let word = |it| figure.language.word(it);
    let (x_label, y_label) =
        (label(&figure.x_label, word(Word::Estimate)), label(&figure.y_label, word(Word::PValue)));
    let density = kernel_density(&plot.estimates, None, CURVE_POINTS);
    let mut canvas = Canvas::default();
    let mut p = Scale::new((0.0, 1.04), HEIGHT, 0.0);
    let peak = density.y.iter().copied().fold(0.0, f64::max);
    let mut height = Scale::new((0.0, if 0.0 < peak { peak * 1.08 } else { 1.0 }), HEIGHT, 0.0);
    let (p_ticks, height_ticks) = (upright_ticks(&p), upright_ticks(&height));
    let left = room_left(&p_ticks.labels(), y_label);
    let right = WIDTH - room_left(&height_ticks.labels(), word(Word::Density)) - 2.0;
    let top = legend::draw(&mut canvas, left, &entries(plot, figure));
    for scale in [&mut p, &mut height] {
        (scale.start, scale.end) = (top + HEIGHT, top);
    }
    let frame = Frame { left, right, top, bottom: top + HEIGHT };
    let values = plot.estimates.iter().chain(&density.x).copied().chain([plot.actual, 0.0]);
    let x = Scale::new(range(values, 0.03), left, right);
    frame.left_axis(&mut canvas, &p, &p_ticks, true);
    frame.right_axis(&mut canvas, &height, &height_ticks);
    frame.lower_axis(&mut canvas, &places(&x, &level_ticks(&x, false)));
    frame.upright(&mut canvas, x.at(0.0), &null_line());
    frame.level(&mut canvas, p.at(plot.p_line), &dashed_line());
    let step = plot.estimates.len().div_ceil(MOST_POINTS).max(1);
    dots(&mut canvas, plot, step, (&x, &p));
    density_curve(&mut canvas, &density, (&x, &height));
    frame.upright(&mut canvas, x.at(plot.actual), &stroke(colour(ACTUAL), LINE_WIDTH, "6 2.5"));
    frame.upright_label(&mut canvas, 10.0, y_label);
    let beyond = right + widest(&height_ticks.labels()) + 15.0;
    frame.upright_label(&mut canvas, beyond, word(Word::Density));
    frame.lower_label(&mut canvas, x_label);
    let foot = if 1 < step { vec![shown(plot, step, figure)] } else { Vec::new() };
    Sketch { canvas, height: frame.bottom + room_below(x_label), foot }
}

/// All dots are one path of lines without length and with round ends: a tenth of the bytes of circles.
fn dots(canvas: &mut Canvas, plot: &PlaceboDraws, step: usize, (x, p): (&Scale, &Scale)) {
    let pairs = plot.estimates.iter().zip(&plot.p_values).step_by(step);
    let drawn = pairs.filter(|it| it.0.is_finite() && it.1.is_finite());
    let data: String = drawn
        .map(|(estimate, value)| format!("M{} {}h0", number(x.at(*estimate)), number(p.at(*value))))
        .collect();
    let style = format!("{} stroke-linecap=\"round\" stroke-opacity=\"0.6\"", stroke(colour(DRAWS), 3.0, ""));
    canvas.path(&data, &style);
}

fn density_curve(canvas: &mut Canvas, density: &Density, (x, height): (&Scale, &Scale)) {
    let points = density.x.iter().zip(&density.y).map(|(a, b)| (x.at(*a), height.at(*b)));
    canvas.path(&polyline(points), &curve(colour(DENSITY), ""));
}

fn shown(plot: &PlaceboDraws, step: usize, figure: &Figure) -> String {
    let all = plot.estimates.len();
    let some = format_count(all.div_ceil(step) as u64);
    let all = format_count(all as u64);
    figure.language.word(Word::DrawsShown).replace("{some}", &some).replace("{all}", &all)
}

fn entries(plot: &PlaceboDraws, figure: &Figure) -> Vec<Entry> {
    let word = |it| figure.language.word(it);
    let entry = |label: String, sample| Entry { label, sample };
    let actual = minus(&format_number(plot.actual, Digits::Decimals(figure.decimals)));
    let p_line = format_number(plot.p_line, Digits::Significant(3));
    vec![
        entry(word(Word::DrawsLabel).to_owned(), Sample::Mark(mark(0), colour(DRAWS))),
        entry(word(Word::DensityOf).to_owned(), Sample::Line(colour(DENSITY), LINE_WIDTH, "")),
        entry(format!("{} {actual}", word(Word::Actual)), Sample::Line(colour(ACTUAL), LINE_WIDTH, "6 2.5")),
        entry(format!("p = {p_line}"), Sample::Line(SOFT, THIN_WIDTH + 0.2, "4 2.5")),
    ]
}

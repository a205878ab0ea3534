//! The map of adoption: dark where treated, pale where not yet, empty where not observed.

use super::{
    Sketch,
    axes::{Frame, room_below},
    canvas::{Anchor, Canvas, number},
    font::width,
    label,
    legend::{self, Entry, Sample},
    style::{INK, PAPER, TEXT_SIZE, WIDTH, colour},
};
use crate::{
    figure::{AdoptionBand, AdoptionMap, Figure},
    language::Word,
};

/// Of all bands together, if they are not many.
const HEIGHT: f64 = 190.0;
/// A label needs that much.
const LEAST: f64 = 11.0;
const NOT_YET: &str = "#c9dcea";

pub(super) fn draw(map: &AdoptionMap, figure: &Figure) -> Sketch {
    let word = |it| figure.language.word(it);
    let mut canvas = Canvas::default();
    let labels = map.bands.iter().map(|it| width(&it.label, TEXT_SIZE)).fold(0.0, f64::max);
    let (left, right) = (labels + 14.0, WIDTH - 8.0);
    let entries = [(Word::Treated, colour(0)), (Word::NotYet, NOT_YET), (Word::NotObserved, PAPER)]
        .map(|(it, fill)| Entry { label: word(it).to_owned(), sample: Sample::Area(fill) });
    let top = legend::draw(&mut canvas, left, &entries) + 2.0;
    let total: u64 = map.bands.iter().map(|it| it.units).sum();
    let room = (HEIGHT - LEAST * map.bands.len() as f64).max(0.0);
    let tile = (right - left) / map.periods.len() as f64;
    let mut y = top;
    for band in &map.bands {
        let height = LEAST + room * band.units as f64 / total.max(1) as f64;
        tiles(&mut canvas, map, band, (left, y), (tile, height));
        canvas.text(left - 5.0, y + height / 2.0 + 2.8, Anchor::End, &band.label);
        y += height;
    }
    let frame = Frame { left, right, top, bottom: y };
    frame.lower_axis(&mut canvas, &ticks(map, left, tile));
    let x_label = label(&figure.x_label, word(Word::Period));
    frame.lower_label(&mut canvas, x_label);
    Sketch { canvas, height: y + room_below(x_label), foot: Vec::new() }
}

/// One row of tiles; less than all units observed is paler.
fn tiles(canvas: &mut Canvas, map: &AdoptionMap, band: &AdoptionBand, at: (f64, f64), size: (f64, f64)) {
    for (column, (&period, &observed)) in map.periods.iter().zip(&band.observed).enumerate() {
        let treated = band.first.is_some_and(|it| it <= period);
        let fill = if treated { colour(0) } else { NOT_YET };
        let opacity = number(observed.clamp(0.0, 1.0));
        let style =
            format!("fill=\"{fill}\" fill-opacity=\"{opacity}\" stroke=\"{INK}\" stroke-width=\"0.25\"");
        canvas.rect((at.0 + size.0 * column as f64, at.1), size, &style);
    }
}

/// Periods under the middle of their tiles, as many as have room.
fn ticks(map: &AdoptionMap, left: f64, tile: f64) -> Vec<(f64, String)> {
    let widest = map.periods.iter().map(|it| width(&it.to_string(), TEXT_SIZE)).fold(0.0, f64::max);
    let every = ((widest + 5.0) / tile).ceil().max(1.0) as usize;
    let named = map.periods.iter().enumerate().step_by(every);
    named.map(|(at, it)| (left + tile * (at as f64 + 0.5), it.to_string())).collect()
}

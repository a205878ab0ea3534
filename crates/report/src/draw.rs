//! From figures to SVG: one look for all kinds, text as text, the same bytes every time.
//!
//! One unit is one point when the picture is six inches wide, so font sizes are those of the page.
//! Titles and notes are not drawn: papers set them as captions. What is drawn is said for those who
//! cannot see it in the `title` element.

mod adoption_map;
mod axes;
mod balance;
mod bars;
mod canvas;
mod event_axis;
mod event_study;
mod font;
mod forest;
mod legend;
mod lines;
mod placebo;
pub(crate) mod raster;
mod scale;
mod scatter;
mod style;

pub(crate) use canvas::escaped;

use self::{
    canvas::{Anchor, Canvas},
    font::wrapped,
    style::{FAMILY, INK, NOTE_SIZE, PAPER, TEXT_SIZE, WIDTH},
};
use crate::{
    figure::{Figure, FigureError, FigureKind},
    language::Word,
};

/// The figure as an SVG document of six inches' width.
///
/// # Errors
/// What [`Figure::check`] refuses.
pub fn svg(figure: &Figure) -> Result<String, FigureError> {
    figure.check()?;
    let sketch = match &figure.kind {
        FigureKind::EventStudy(it) => event_study::draw(it, figure),
        FigureKind::Placebo(it) => placebo::draw(it, figure),
        FigureKind::Balance(it) => balance::draw(it, figure),
        FigureKind::Forest(it) => forest::draw(it, figure),
        FigureKind::Lines(it) => lines::draw(it, figure),
        FigureKind::Bars(it) => bars::draw(it, figure),
        FigureKind::Adoption(it) => adoption_map::draw(it, figure),
        FigureKind::Scatter(it) => scatter::draw(it, figure),
    };
    Ok(page(figure, sketch))
}

/// What a kind draws: the picture without head and foot.
struct Sketch {
    canvas: Canvas,
    height: f64,
    /// Sentences below the picture that belong to it.
    foot: Vec<String>,
}

fn page(figure: &Figure, sketch: Sketch) -> String {
    let word = |it| figure.language.word(it);
    let head = if figure.simulated { HEAD } else { 0.0 };
    let mut foot = sketch.foot;
    if figure.simulated {
        foot.push(word(Word::SimulatedNote).to_owned());
    }
    let lines: Vec<String> = foot.iter().flat_map(|it| wrapped(it, NOTE_SIZE, WIDTH - 8.0)).collect();
    let mut canvas = Canvas::default();
    if figure.simulated {
        canvas.text(4.0, 10.0, Anchor::Start, word(Word::Simulated));
    }
    canvas.open(&format!("transform=\"translate(0 {head})\""));
    canvas.append(&sketch.canvas);
    canvas.close();
    let mut height = head + sketch.height + if lines.is_empty() { 0.0 } else { 4.0 };
    canvas.open(&format!("font-size=\"{NOTE_SIZE}\""));
    for line in &lines {
        height += NOTE_SIZE * 1.35;
        canvas.text(4.0, height - 3.0, Anchor::Start, line);
    }
    canvas.close();
    let height = (height + 3.0).ceil();
    let mark = if figure.simulated { format!(" ({})", word(Word::Simulated)) } else { String::new() };
    let title = escaped(&format!("{}{mark}", figure.title));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"6in\" height=\"{:.4}in\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" lang=\"{}\" font-family=\"{FAMILY}\" font-size=\"{TEXT_SIZE}\" fill=\"{INK}\">\n<title>{title}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"{PAPER}\"/>\n{}</svg>\n",
        height / 72.0,
        figure.language.tag(),
        canvas.into_text(),
    )
}

/// The line that says that data are simulated.
const HEAD: f64 = 14.0;

/// The study's label, or else the usual one.
fn label<'a>(given: &'a str, usual: &'a str) -> &'a str {
    if given.is_empty() { usual } else { given }
}

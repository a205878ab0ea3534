//! From SVG to PNG: 300 dots an inch, with the embedded font and no other.

use std::sync::{Arc, OnceLock};

use resvg::{
    tiny_skia::{Color, Pixmap, Transform},
    usvg::{Options, Tree, fontdb},
};

use super::{
    font::{FONT, lacking},
    style::FAMILY,
    svg,
};
use crate::figure::{Figure, FigureError};

/// What journals ask for; the picture is six inches wide.
const DOTS_PER_INCH: f32 = 300.0;

/// Rows of pixels of a picture: three metres, and 260 MB while it is drawn.
const MOST_ROWS: u32 = 36_000;

/// The figure as a PNG of 1800 pixels' width, the same on every machine.
///
/// # Errors
/// What [`Figure::check`] refuses, and [`FigureError::Glyph`] when a label holds a character that the
/// embedded font lacks: a box in its place would be a picture of something else.
pub fn png(figure: &Figure) -> Result<Vec<u8>, FigureError> {
    raster(&check(figure)?).map_err(|message| FigureError::Raster { figure: figure.id.clone(), message })
}

/// The SVG of a figure that can be rasterised.
pub(crate) fn check(figure: &Figure) -> Result<String, FigureError> {
    let svg = svg(figure)?;
    let lacking = lacking(&svg);
    if !lacking.is_empty() {
        let quoted: Vec<String> = lacking.iter().map(|it| format!("`{it}`")).collect();
        return Err(FigureError::Glyph { figure: figure.id.clone(), characters: quoted.join(", ") });
    }
    Ok(svg)
}

/// The width and height of a PNG in pixels, as its header says.
pub(crate) fn pixels(png: &[u8]) -> Option<(u32, u32)> {
    let read = |at: usize| Some(u32::from_be_bytes(png.get(at..at + 4)?.try_into().ok()?));
    Some((read(16)?, read(20)?))
}

fn raster(svg: &str) -> Result<Vec<u8>, String> {
    let tree = Tree::from_str(svg, options()).map_err(|it| it.to_string())?;
    let size = tree.size();
    // An inch of SVG has 96 units.
    let scale = DOTS_PER_INCH / 96.0;
    let [width, height] = [size.width(), size.height()].map(|it| (it * scale).round() as u32);
    if MOST_ROWS < height {
        return Err(format!("{width} x {height} pixels are more than a picture may have; show fewer rows"));
    }
    let mut pixmap = Pixmap::new(width, height).ok_or_else(|| format!("{width} x {height} pixels"))?;
    pixmap.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    encoded(&pixmap).map_err(|it| it.to_string())
}

/// The font is parsed once a process.
fn options() -> &'static Options<'static> {
    static OPTIONS: OnceLock<Options<'static>> = OnceLock::new();
    OPTIONS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(FONT)));
        let family = FAMILY.split(',').next().unwrap_or_default().trim_matches('\'').to_owned();
        Options { fontdb: Arc::new(fonts), font_family: family, ..Options::default() }
    })
}

/// Without an alpha channel, which the white ground leaves nothing to say, and with the size in inches.
fn encoded(pixmap: &Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixmap.width(), pixmap.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let per_metre = (DOTS_PER_INCH / 0.0254).round() as u32;
    let unit = png::Unit::Meter;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit }));
    let mut writer = encoder.write_header()?;
    let rgb: Vec<u8> = pixmap.pixels().iter().flat_map(|it| [it.red(), it.green(), it.blue()]).collect();
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(bytes)
}

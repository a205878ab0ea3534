//! The embedded font: how wide a text is, and which characters it lacks. Parsed once.

use std::{collections::HashMap, sync::OnceLock};

use skrifa::{
    FontRef, MetadataProvider,
    instance::{LocationRef, Size},
};

use crate::width::{display_width, wrapped_by};

/// Noto Sans CJK SC, reduced; `fonts/README.md` says how it was made.
pub(super) const FONT: &[u8] = include_bytes!("../../fonts/figure.otf");

/// The width of a text in points at a size.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let ems: f64 = text.chars().map(|it| advance(it).unwrap_or_else(|| guessed(it))).sum();
    ems * size
}

/// The text in lines of at most `limit` points.
pub(super) fn wrapped(text: &str, size: f64, limit: f64) -> Vec<String> {
    wrapped_by(text, limit, &|it| width(it, size))
}

/// Characters that cannot be rasterised, each once, in order of appearance.
pub(super) fn lacking(text: &str) -> Vec<char> {
    let mut found = Vec::new();
    for c in text.chars().filter(|it| !it.is_control() && advance(*it).is_none()) {
        if !found.contains(&c) {
            found.push(c);
        }
    }
    found
}

/// The advance of a character in ems.
fn advance(c: char) -> Option<f64> {
    static ADVANCES: OnceLock<HashMap<char, f64>> = OnceLock::new();
    ADVANCES.get_or_init(advances).get(&c).copied()
}

/// Empty if the font cannot be read, which a test excludes.
fn advances() -> HashMap<char, f64> {
    let Ok(font) = FontRef::new(FONT) else { return HashMap::new() };
    // Font units are whole; a size of one em would be rounded to sixty-fourths of it.
    let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
    let em = f64::from(font.metrics(Size::unscaled(), LocationRef::default()).units_per_em);
    let mappings = font.charmap();
    let pair = |(code, glyph)| Some((char::from_u32(code)?, f64::from(metrics.advance_width(glyph)?) / em));
    mappings.mappings().filter_map(pair).collect()
}

/// A character of another font is as wide as its kind usually is.
fn guessed(c: char) -> f64 {
    let mut buffer = [0; 4];
    0.55 * display_width(c.encode_utf8(&mut buffer)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_latin_and_chinese() {
        assert!(lacking("Aé−≤≥α 0.1 试点城市：圳濮衢鑫（模拟）").is_empty());
        assert_eq!(lacking("a한b한ก"), ['한', 'ก']);
        assert!((width("试点", 8.0) - 16.0).abs() < 1e-12);
        let digit = width("0", 1.0);
        assert!(0.5 < digit && digit < 0.6 && (width("123", 1.0) - 3.0 * digit).abs() < 1e-12);
    }
}

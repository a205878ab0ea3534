//! The one look: sizes in points at a width of six inches, colours that stay apart in grey and for
//! readers who do not see all colours, and shapes and dashes besides, so that no figure needs its colours.

/// Six inches.
pub(super) const WIDTH: f64 = 432.0;
/// The embedded font first; what a browser finds looks much like it.
pub(super) const FAMILY: &str =
    "'Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',Arial,sans-serif";

pub(super) const TEXT_SIZE: f64 = 8.0;
pub(super) const LABEL_SIZE: f64 = 9.0;
pub(super) const NOTE_SIZE: f64 = 7.5;
/// From line to line, as a share of the size.
pub(super) const LEADING: f64 = 1.25;

pub(super) const INK: &str = "#1a1a1a";
pub(super) const SOFT: &str = "#666666";
pub(super) const GRID: &str = "#e4e4e4";
pub(super) const PAPER: &str = "#ffffff";

pub(super) const AXIS_WIDTH: f64 = 0.6;
pub(super) const LINE_WIDTH: f64 = 1.4;
pub(super) const BAR_WIDTH: f64 = 1.7;
pub(super) const THIN_WIDTH: f64 = 0.7;
pub(super) const MARK_SIZE: f64 = 2.6;

/// Lightness falls and rises from one to the next: dark blue, orange, light blue, purple, black, ochre.
const COLOURS: [&str; 6] = ["#0b4f82", "#d95f02", "#58a9d6", "#6a3d7c", "#222222", "#b98a1c"];
const DASHES: [&str; 6] = ["", "5 2", "1.5 1.8", "7 2 1.5 2", "3 1.5", "9 3"];

/// The colour of the series; after the sixth they come again, with another shape.
pub(super) fn colour(series: usize) -> &'static str {
    COLOURS.get(series % COLOURS.len()).copied().unwrap_or(INK)
}

/// The dashes of the series' line; empty for a whole one.
pub(super) fn dashes(series: usize) -> &'static str {
    DASHES.get(series % DASHES.len()).copied().unwrap_or("")
}

/// The picture of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Circle,
    Square,
    Triangle,
    Diamond,
    HollowCircle,
    HollowSquare,
    /// A hollow tip to the left: this and all before it.
    Leftward,
    /// A hollow tip to the right: this and all after it.
    Rightward,
}

/// The shape of the series.
pub(super) fn mark(series: usize) -> Mark {
    use Mark::{Circle, Diamond, HollowCircle, HollowSquare, Square, Triangle};
    const MARKS: [Mark; 6] = [Circle, Square, Triangle, Diamond, HollowCircle, HollowSquare];
    MARKS.get((series + series / COLOURS.len()) % MARKS.len()).copied().unwrap_or(Circle)
}

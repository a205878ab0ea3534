//! Writes SVG elements: coordinates with two decimals, text escaped.

use super::style::{MARK_SIZE, Mark, PAPER};

/// Elements in drawing order.
#[derive(Default)]
pub(super) struct Canvas(String);

/// Which end of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Canvas {
    /// Opens a group with these attributes.
    pub(super) fn open(&mut self, attributes: &str) {
        self.0.push_str(&format!("<g {attributes}>\n"));
    }

    pub(super) fn close(&mut self) {
        self.0.push_str("</g>\n");
    }

    pub(super) fn append(&mut self, other: &Canvas) {
        self.0.push_str(&other.0);
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// A straight line; colour and width come from `style`.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), style: &str) {
        self.path(&format!("{}{}", moved(from), drawn(to)), style);
    }

    pub(super) fn path(&mut self, data: &str, style: &str) {
        self.0.push_str(&format!("<path d=\"{data}\" {style}/>\n"));
    }

    pub(super) fn rect(&mut self, at: (f64, f64), size: (f64, f64), style: &str) {
        let [x, y, w, h] = [at.0, at.1, size.0, size.1].map(number);
        self.0.push_str(&format!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" {style}/>\n"));
    }

    /// A text whose base line is at y.
    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.styled_text(x, y, anchor, text, "");
    }

    /// A text with more attributes, each after a space.
    pub(super) fn styled_text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str, style: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (x, y, text) = (number(x), number(y), escaped(text));
        self.0.push_str(&format!("<text x=\"{x}\" y=\"{y}\"{anchor}{style}>{text}</text>\n"));
    }

    /// A text turned about its place.
    pub(super) fn turned_text(
        &mut self,
        at: (f64, f64),
        angle: f64,
        anchor: Anchor,
        text: &str,
        style: &str,
    ) {
        let turn =
            format!(" transform=\"rotate({} {} {})\"{style}", number(angle), number(at.0), number(at.1));
        self.styled_text(at.0, at.1, anchor, text, &turn);
    }

    /// A point; hollow shapes are filled with paper, so that lines end at them.
    pub(super) fn mark(&mut self, mark: Mark, at: (f64, f64), colour: &str) {
        let (x, y, r) = (at.0, at.1, MARK_SIZE);
        let solid = format!("fill=\"{colour}\"");
        let hollow = format!("fill=\"{PAPER}\" stroke=\"{colour}\"");
        let round = |style: &str| {
            format!("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {style}/>\n", number(x), number(y), number(r))
        };
        let corners = |points: &[(f64, f64)]| format!("{}z", polyline(points.iter().copied()));
        let square =
            || corners(&[(x - 2.3, y - 2.3), (x + 2.3, y - 2.3), (x + 2.3, y + 2.3), (x - 2.3, y + 2.3)]);
        match mark {
            Mark::Circle => self.0.push_str(&round(&solid)),
            Mark::HollowCircle => self.0.push_str(&round(&hollow)),
            Mark::Square => self.path(&square(), &solid),
            Mark::HollowSquare => self.path(&square(), &hollow),
            Mark::Triangle => {
                self.path(&corners(&[(x, y - 3.2), (x + 3.0, y + 2.2), (x - 3.0, y + 2.2)]), &solid);
            }
            Mark::Leftward => {
                self.path(&corners(&[(x - 3.4, y), (x + 2.2, y - 3.0), (x + 2.2, y + 3.0)]), &hollow);
            }
            Mark::Rightward => {
                self.path(&corners(&[(x + 3.4, y), (x - 2.2, y - 3.0), (x - 2.2, y + 3.0)]), &hollow);
            }
            Mark::Diamond => {
                let tips = [(x, y - 3.4), (x + 3.0, y), (x, y + 3.4), (x - 3.0, y)];
                self.path(&corners(&tips), &solid);
            }
        }
    }
}

/// Path data through all points.
pub(super) fn polyline(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.enumerate().map(|(i, it)| if i == 0 { moved(it) } else { drawn(it) }).collect()
}

fn moved(to: (f64, f64)) -> String {
    format!("M{} {}", number(to.0), number(to.1))
}

fn drawn(to: (f64, f64)) -> String {
    format!("L{} {}", number(to.0), number(to.1))
}

/// Two decimals, without zeros at the end and without a negative zero.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text and attributes of XML; control characters, which XML cannot hold, become spaces.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            _ if c.is_control() => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_text_is_safe() {
        assert_eq!([1.0, -0.001, 2.345, 10.0, 0.5].map(number), ["1", "0", "2.35", "10", "0.5"]);
        assert_eq!(escaped("<a> & \"b\"\n"), "&lt;a&gt; &amp; &quot;b&quot; ");
    }
}

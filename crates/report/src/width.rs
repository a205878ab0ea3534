//! How many columns of a terminal a text takes: Chinese characters take two.

/// The width of a text in a fixed-width font.
///
/// Wide and full-width characters of Unicode's East Asian Width count two, combining marks and
/// zero-width characters nothing, all others one.
pub fn display_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The longest beginning of `text` that fits `limit` columns, with `…` when something is cut.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    if display_width(text) <= limit {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += char_width(c);
        if limit < used {
            break;
        }
        short.push(c);
    }
    format!("{}…", short.trim_end())
}

/// `text` in lines of at most `limit` columns, broken at spaces and beside wide characters.
///
/// A single word longer than a line stays whole: addresses are of use only so.
pub(crate) fn wrapped(text: &str, limit: usize) -> Vec<String> {
    wrapped_by(text, limit as f64, &|it| display_width(it) as f64)
}

/// The same for any way to measure a line.
pub(crate) fn wrapped_by(text: &str, limit: f64, measure: &dyn Fn(&str) -> f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for (space, token) in tokens(text) {
        let gap = if space && !line.is_empty() { " " } else { "" };
        let longer = format!("{line}{gap}{token}");
        if !line.is_empty() && limit < measure(&longer) {
            lines.push(std::mem::replace(&mut line, token));
        } else {
            line = longer;
        }
    }
    lines.push(line);
    lines
}

/// The pieces that must not be broken, each with whether a space stands before it.
fn tokens(text: &str) -> Vec<(bool, String)> {
    let mut all: Vec<(bool, String)> = Vec::new();
    let mut space = false;
    let mut open = false;
    for c in text.chars() {
        if c.is_whitespace() {
            (space, open) = (true, false);
            continue;
        }
        // Punctuation belongs to what stands before it and must not begin a line.
        let glued = !space && closes(c);
        let wide = char_width(c) == 2;
        match all.last_mut() {
            Some((_, token)) if glued || (open && !wide) => token.push(c),
            _ => all.push((space, c.to_string())),
        }
        space = false;
        open = !wide;
    }
    all
}

fn closes(c: char) -> bool {
    matches!(c, '，' | '。' | '、' | '；' | '：' | '！' | '？' | '）' | '》' | '」' | '』' | '”' | '’')
}

fn char_width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0xFE00..=0xFE0F | 0xFEFF => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0x4DBF
        | 0x4E00..=0xA4CF
        | 0xA960..=0xA97F
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF01..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F900..=0x1F9FF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_twice_as_wide() {
        assert_eq!(display_width("GDP"), 3);
        assert_eq!(display_width("跨境电商"), 8);
        assert_eq!(display_width("韧性 (x)"), 8);
        assert_eq!(display_width("e\u{301}"), 1);
        assert_eq!(display_width("−5.8"), 4);
    }

    #[test]
    fn shortening_counts_columns() {
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("abcdef", 4), "abc…");
        assert_eq!(shortened("跨境电商", 6), "跨境…");
    }

    #[test]
    fn wrapping_breaks_at_spaces_and_between_wide_characters() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("跨境电商，试点", 8), ["跨境电", "商，试点"]);
        assert_eq!(wrapped("unbreakable it", 5), ["unbreakable", "it"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}

//! Text for LaTeX: what TeX would obey is escaped, what pdfTeX can set is translated, and what is left says which
//! engine and which fonts a file needs.

use super::tex_symbols::{greek, symbol};

/// Scripts that need a font, or a direction, of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    Arabic,
    Hebrew,
    Devanagari,
    Thai,
}

/// What the characters of a LaTeX text ask of its preamble.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Characters that pdfTeX cannot set.
    pub unicode: bool,
    /// Chinese, Japanese or Korean characters.
    pub cjk: bool,
    /// Others, in the order of [`Script::ALL`].
    pub scripts: Vec<Script>,
}

impl Script {
    pub(crate) const ALL: [Script; 4] = [Script::Arabic, Script::Hebrew, Script::Devanagari, Script::Thai];

    /// The command that sets a text of the script, without its backslash.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Script::Arabic => "scriptarabic",
            Script::Hebrew => "scripthebrew",
            Script::Devanagari => "scriptdevanagari",
            Script::Thai => "scriptthai",
        }
    }

    /// Its name where fonts are chosen.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Script::Arabic => "Arabic",
            Script::Hebrew => "Hebrew",
            Script::Devanagari => "Devanagari",
            Script::Thai => "Thai",
        }
    }

    /// Read from right to left.
    pub(crate) fn is_leftward(self) -> bool {
        matches!(self, Script::Arabic | Script::Hebrew)
    }

    fn of(character: char) -> Option<Script> {
        match character {
            '\u{0590}'..='\u{05FF}' | '\u{FB1D}'..='\u{FB4F}' => Some(Script::Hebrew),
            '\u{0600}'..='\u{06FF}'
            | '\u{0750}'..='\u{077F}'
            | '\u{08A0}'..='\u{08FF}'
            | '\u{FB50}'..='\u{FDFF}'
            | '\u{FE70}'..='\u{FEFC}' => Some(Script::Arabic),
            '\u{0900}'..='\u{097F}' => Some(Script::Devanagari),
            '\u{0E00}'..='\u{0E7F}' => Some(Script::Thai),
            _ => None,
        }
    }
}

/// The needs of a text that [`escaped`] made.
pub(crate) fn needs(text: &str) -> Needs {
    let mut needs = Needs::default();
    for character in text.chars().filter(|it| !is_in_t1(*it)) {
        needs.unicode = true;
        needs.cjk |= is_cjk(character);
    }
    needs.scripts =
        Script::ALL.into_iter().filter(|it| text.chars().any(|c| Script::of(c) == Some(*it))).collect();
    needs
}

/// The text as LaTeX sets it, whatever it holds.
pub(crate) fn escaped(text: &str) -> String {
    let text = crate::visible::visible(text);
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(&first) = characters.get(at) {
        let run = run(&characters[at..]);
        match run {
            Run::One => character(first, &mut out),
            Run::Greek(length) => greek_run(&characters[at..at + length], &mut out),
            Run::Script(script, length) => {
                let inside: String = characters[at..at + length].iter().collect();
                out.push_str(&format!("\\{}{{{inside}}}", script.command()));
            }
        }
        at += run.length();
    }
    out
}

/// How characters at the beginning of a text belong together.
#[derive(Clone, Copy)]
enum Run {
    One,
    /// Greek letters.
    Greek(usize),
    /// Words of a script with the spaces between them.
    Script(Script, usize),
}

impl Run {
    fn length(self) -> usize {
        match self {
            Run::One => 1,
            Run::Greek(it) | Run::Script(_, it) => it,
        }
    }
}

fn run(rest: &[char]) -> Run {
    let Some(&first) = rest.first() else { return Run::One };
    if is_greek(first) {
        return Run::Greek(rest.iter().take_while(|it| is_greek(**it)).count());
    }
    let Some(script) = Script::of(first) else { return Run::One };
    let belongs =
        |it: &&char| Script::of(**it) == Some(script) || matches!(**it, ' ' | '\u{200c}' | '\u{200d}');
    let run: Vec<&char> = rest.iter().take_while(belongs).collect();
    // Spaces at the end are not of the script.
    let length = run.iter().rposition(|it| Script::of(**it).is_some()).map_or(1, |it| it + 1);
    Run::Script(script, length)
}

/// A letter or two are a symbol, as in "β" and "Δ"; more are a word, which needs a Greek font.
fn greek_run(run: &[char], out: &mut String) {
    const SYMBOLS: usize = 2;
    let commands: Option<Vec<&str>> = run.iter().map(|it| greek(*it)).collect();
    match commands {
        Some(all) if run.len() <= SYMBOLS => all.iter().for_each(|it| out.push_str(&format!("${it}$"))),
        _ => out.extend(run),
    }
}

fn character(it: char, out: &mut String) {
    match it {
        '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', it]),
        '~' => out.push_str("\\textasciitilde{}"),
        '^' => out.push_str("\\textasciicircum{}"),
        '\\' => out.push_str("\\textbackslash{}"),
        '<' => out.push_str("\\textless{}"),
        '>' => out.push_str("\\textgreater{}"),
        '|' => out.push_str("\\textbar{}"),
        it => match symbol(it) {
            Some(command) => out.push_str(command),
            None => out.push(it),
        },
    }
}

fn is_greek(it: char) -> bool {
    matches!(it, '\u{0370}'..='\u{03FF}' | '\u{1F00}'..='\u{1FFF}')
}

/// What the T1 fonts of pdfTeX have under its own reading of UTF-8.
fn is_in_t1(it: char) -> bool {
    match it {
        // No letters of their own in these fonts.
        '\u{0126}' | '\u{0127}' | '\u{0138}' | '\u{013F}' | '\u{0140}' | '\u{0149}' | '\u{0166}'
        | '\u{0167}' | '\u{017F}' => false,
        '\u{20}'..='\u{7E}' | '\n' | '\t' => true,
        '¡'
        | '¿'
        | '«'
        | '»'
        | '\u{00C0}'..='\u{00D6}'
        | '\u{00D8}'..='\u{00F6}'
        | '\u{00F8}'..='\u{017F}' => true,
        '\u{0218}'..='\u{021B}' => true,
        _ => false,
    }
}

fn is_cjk(it: char) -> bool {
    matches!(u32::from(it),
        0x1100..=0x11FF | 0x2E80..=0x303F | 0x3040..=0x30FF | 0x3100..=0x31FF | 0x3200..=0x4DBF | 0x4E00..=0x9FFF
        | 0xA960..=0xA97F | 0xAC00..=0xD7FF | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFFEF | 0x20000..=0x3FFFD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn special_characters_are_escaped() {
        assert_eq!(escaped(r"a & b % $ # _ { }"), r"a \& b \% \$ \# \_ \{ \}");
        assert_eq!(escaped("~^"), r"\textasciitilde{}\textasciicircum{}");
        assert_eq!(escaped(r"\begin"), r"\textbackslash{}begin");
        assert_eq!(escaped("[0, 1] * p<.1|"), r"[0, 1] * p\textless{}.1\textbar{}");
        assert_eq!(escaped("\u{1b}[0m"), r"\textbackslash{}u001b[0m");
    }

    #[test]
    fn the_characters_that_occur_decide_what_is_needed() {
        for text in
            ["β", "Δ log y", "χ²", "a ≈ b", "CO₂", "5 °C ± 1 €", "Müller, Łódź, Île", "“x” – ‘y’…", "½ → ∞"]
        {
            assert_eq!(needs(&escaped(text)), Needs::default(), "{text}: {}", escaped(text));
        }
        let unicode = |text: &str| needs(&escaped(text));
        for text in ["Доход", "Ελλάδα", "thu nhập bình quân", "e\u{301}", "ʃ"] {
            assert!(
                unicode(text).unicode && !unicode(text).cjk && unicode(text).scripts.is_empty(),
                "{text}"
            );
        }
        assert!(unicode("城市").cjk && unicode("서울").cjk && unicode("（亿元）").cjk);
        assert_eq!(unicode("الدخل مع x").scripts, [Script::Arabic]);
        assert_eq!(escaped("a الدخل مع x"), "a \\scriptarabic{الدخل مع} x");
        // As wide as Chinese on a terminal is not what decides: a wide symbol is no Chinese.
        assert!(!unicode("\u{1f600}").cjk && unicode("\u{1f600}").unicode);
    }

    proptest! {
        #[test]
        fn no_special_character_stands_alone(text in r"[a\\&%$#_{}~^ ]{0,12}") {
            let mut rest = escaped(&text);
            for command in [r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}"] {
                rest = rest.replace(command, "");
            }
            for escape in [r"\&", r"\%", r"\$", r"\#", r"\_", r"\{", r"\}"] {
                rest = rest.replace(escape, "");
            }
            prop_assert!(rest.chars().all(|it| it == 'a' || it == ' '), "{rest}");
        }

        #[test]
        fn braces_of_what_is_made_are_balanced(text in "\\PC{0,20}") {
            let mut open = 0_i32;
            let mut before = ' ';
            for it in escaped(&text).chars() {
                match it {
                    '{' if before != '\\' => open += 1,
                    '}' if before != '\\' => open -= 1,
                    _ => {}
                }
                prop_assert!(0 <= open);
                before = if before == '\\' && it == '\\' { ' ' } else { it };
            }
            prop_assert_eq!(open, 0);
        }
    }
}

//! Text to tokens with their places.

use super::error::{FormulaError, Span};

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A number as its value.
    Number(f64),
    /// Text in quotes.
    Text(String),
    /// A bare name.
    Name(String),
    /// A name in back-ticks.
    Quoted(String),
    /// An operator, a bracket or a comma.
    Sign(&'static str),
    /// The end of the text.
    End,
}

impl Token {
    /// The token in words, for messages.
    pub fn describe(&self) -> String {
        match self {
            Token::Number(it) => format!("the number {it}"),
            Token::Text(it) => format!("the text \"{it}\""),
            Token::Name(it) | Token::Quoted(it) => format!("`{it}`"),
            Token::Sign(it) => format!("`{it}`"),
            Token::End => "the end".to_owned(),
        }
    }
}

/// The tokens of `text`, with [`Token::End`] last.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Span)>, FormulaError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_spaces();
        let start = lexer.at;
        let Some(first) = lexer.peek() else {
            // The end is marked right after the last sign, where the missing word belongs.
            let end = text.trim_end().len();
            tokens.push((Token::End, Span { start: end, end }));
            return Ok(tokens);
        };
        let token = lexer.token(first)?;
        tokens.push((token, Span { start, end: lexer.at }));
    }
}

/// Longer signs first, so that `<=` is not read as `<`.
const SIGNS: [(&str, &str); 27] = [
    ("%in%", "%in%"),
    ("%/%", "%/%"),
    ("%%", "%%"),
    ("==", "=="),
    ("!=", "!="),
    ("<=", "<="),
    (">=", ">="),
    ("&&", "&"),
    ("||", "||"),
    ("&", "&"),
    ("|", "|"),
    ("<", "<"),
    (">", ">"),
    ("!", "!"),
    ("+", "+"),
    ("-", "-"),
    ("*", "*"),
    ("/", "/"),
    ("^", "^"),
    (":", ":"),
    ("~", "~"),
    ("(", "("),
    (")", ")"),
    ("[", "["),
    ("]", "]"),
    (",", ","),
    ("=", "="),
];

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|it| !wanted(it)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or("")
    }

    fn token(&mut self, first: char) -> Result<Token, FormulaError> {
        let second = self.rest().chars().nth(1);
        let starts_number =
            first.is_ascii_digit() || (first == '.' && second.is_some_and(|it| it.is_ascii_digit()));
        if starts_number {
            return self.number();
        }
        if is_name_start(first) {
            return Ok(Token::Name(self.take_while(is_name_part).to_owned()));
        }
        if matches!(first, '"' | '\'' | '`') {
            return self.quoted(first);
        }
        if let Some((written, sign)) = SIGNS.iter().find(|(written, _)| self.rest().starts_with(written)) {
            self.at += written.len();
            return Ok(Token::Sign(sign));
        }
        Err(self.unknown(first))
    }

    fn number(&mut self) -> Result<Token, FormulaError> {
        let start = self.at;
        self.take_while(|it| it.is_ascii_digit());
        if self.peek() == Some('.') {
            self.at += 1;
            self.take_while(|it| it.is_ascii_digit());
        }
        let mut ahead = self.rest().chars();
        if matches!(ahead.next(), Some('e' | 'E')) {
            let digits = ahead.as_str().trim_start_matches(['+', '-']);
            let signs = ahead.as_str().len() - digits.len();
            if signs <= 1 && digits.starts_with(|it: char| it.is_ascii_digit()) {
                self.at += 1 + signs;
                self.take_while(|it| it.is_ascii_digit());
            }
        }
        let value = self.text.get(start..self.at).and_then(|it| it.parse::<f64>().ok());
        // R's mark of an integer.
        if self.peek() == Some('L') {
            self.at += 1;
        }
        let tail = self.take_while(is_name_part);
        let span = Span { start, end: self.at };
        match value {
            _ if !tail.is_empty() => {
                let written = self.text.get(start..self.at).unwrap_or("");
                let message = format!(
                    "`{written}` is neither a number nor a name; put `*` between them, or back-ticks around a name"
                );
                Err(FormulaError::syntax(self.text, span, message))
            }
            Some(it) if it.is_finite() => Ok(Token::Number(it)),
            _ => Err(FormulaError::syntax(self.text, span, "this number is too large")),
        }
    }

    fn quoted(&mut self, mark: char) -> Result<Token, FormulaError> {
        let start = self.at;
        self.at += mark.len_utf8();
        let mut content = String::new();
        let mut characters = self.rest().char_indices();
        let open = self.at;
        while let Some((offset, character)) = characters.next() {
            match character {
                '\\' => content.extend(characters.next().map(|(_, it)| it)),
                it if it == mark => {
                    self.at = open + offset + it.len_utf8();
                    return self.finish_quoted(mark, content, start);
                }
                it => content.push(it),
            }
        }
        let span = Span { start, end: self.text.len() };
        Err(FormulaError::syntax(self.text, span, format!("this {mark} is never closed")))
    }

    fn finish_quoted(&self, mark: char, content: String, start: usize) -> Result<Token, FormulaError> {
        match (mark, content.is_empty()) {
            ('`', true) => {
                let span = Span { start, end: self.at };
                Err(FormulaError::syntax(self.text, span, "there is no name between the back-ticks"))
            }
            ('`', false) => Ok(Token::Quoted(content)),
            _ => Ok(Token::Text(content)),
        }
    }

    fn unknown(&self, first: char) -> FormulaError {
        let span = Span { start: self.at, end: self.at + first.len_utf8() };
        let message = match narrow(first) {
            Some(it) => format!("`{first}` is the wide form of `{it}`; write `{it}`"),
            None if first == '#' => "Stata's `#` is written `:`, and its `##` is `*`".to_owned(),
            None => {
                format!("`{first}` has no meaning in a formula; a name with such signs goes in back-ticks")
            }
        };
        FormulaError::syntax(self.text, span, message)
    }
}

/// The plain form of a sign typed with a Chinese input method.
fn narrow(character: char) -> Option<char> {
    match character {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(character) - 0xFEE0),
        '\u{201C}' | '\u{201D}' => Some('"'),
        '\u{2018}' | '\u{2019}' => Some('\''),
        '\u{2212}' => Some('-'),
        '\u{00D7}' => Some('*'),
        _ => None,
    }
}

pub(super) fn is_name_start(character: char) -> bool {
    character.is_alphabetic() || character == '_' || character == '.'
}

pub(super) fn is_name_part(character: char) -> bool {
    is_name_start(character) || character.is_alphanumeric() || ('\u{0300}'..='\u{036F}').contains(&character)
}

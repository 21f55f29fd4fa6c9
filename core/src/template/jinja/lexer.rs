//! Template source to tokens, with jinja2's whitespace rules as transformers sets them: `trim_blocks`,
//! `lstrip_blocks`, and no newline kept at the end.

use super::fault::{Fault, Result};
use super::literal;
use super::unicode::is_space;

/// One token and the line it begins in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub kind: Kind,
    pub line: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Text outside of tags.
    Data(String),
    BlockBegin,
    BlockEnd,
    PrintBegin,
    PrintEnd,
    Name(String),
    Str(String),
    Int(i128),
    Float(f64),
    Op(&'static str),
    End,
}

impl Kind {
    /// As messages name it.
    pub fn describe(&self) -> &str {
        match self {
            Self::Data(_) => "template data / text",
            Self::BlockBegin => "begin of statement block",
            Self::BlockEnd => "end of statement block",
            Self::PrintBegin => "begin of print statement",
            Self::PrintEnd => "end of print statement",
            Self::Name(name) => name,
            Self::Str(_) => "string",
            Self::Int(_) => "integer",
            Self::Float(_) => "float",
            Self::Op(op) => op,
            Self::End => "end of template",
        }
    }
}

/// Longer ones first.
const OPERATORS: [&str; 25] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",",
];

/// Splits a whole template.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>> {
    let mut source = source.replace("\r\n", "\n").replace('\r', "\n");
    if source.ends_with('\n') {
        source.pop();
    }
    let mut lexer = Lexer {
        source: &source,
        at: 0,
        line: 1,
        line_starting: true,
        tokens: Vec::new(),
    };
    lexer.template()?;
    lexer.push(Kind::End);
    Ok(lexer.tokens)
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    line: usize,
    /// The last thing read ended with a newline.
    line_starting: bool,
    tokens: Vec<Token>,
}

/// What follows text: a tag of one of these kinds.
#[derive(Clone, Copy, PartialEq)]
enum Tag {
    Block,
    Print,
    Comment,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn push(&mut self, kind: Kind) {
        let line = self.line;
        self.tokens.push(Token { kind, line });
    }

    /// Goes on by so many bytes.
    fn advance(&mut self, bytes: usize) {
        let passed = &self.source[self.at..self.at + bytes];
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        self.line_starting = passed.ends_with('\n');
        self.at += bytes;
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(Fault::syntax(message, self.line))
    }

    fn template(&mut self) -> Result<()> {
        while let Some((length, tag)) = next_tag(self.rest()) {
            let after = &self.rest()[length + 2..];
            let sign = after.chars().next().filter(|c| matches!(c, '-' | '+'));
            let raw = (tag == Tag::Block).then(|| raw_begin(after)).flatten();
            self.text_before(length, sign, tag != Tag::Print);
            self.advance(2 + sign.map_or(0, char::len_utf8));
            match (tag, raw) {
                (_, Some(rest)) => {
                    self.advance(rest - sign.map_or(0, char::len_utf8));
                    self.raw()?;
                }
                (Tag::Comment, _) => self.comment()?,
                (Tag::Block, _) => {
                    self.push(Kind::BlockBegin);
                    self.inside(Tag::Block)?;
                }
                (Tag::Print, _) => {
                    self.push(Kind::PrintBegin);
                    self.inside(Tag::Print)?;
                }
            }
        }
        let rest = self.rest();
        if !rest.is_empty() {
            self.push(Kind::Data(rest.to_owned()));
            self.advance(rest.len());
        }
        Ok(())
    }

    /// Emits the text before a tag, stripped as the tag's sign says.
    fn text_before(&mut self, length: usize, sign: Option<char>, is_block: bool) {
        let text = &self.rest()[..length];
        let mut kept = text;
        match sign {
            Some('-') => kept = text.trim_end_matches(is_space),
            None if is_block => {
                let line_start = text.rfind('\n').map_or(0, |at| at + 1);
                let indent = &text[line_start..];
                if (line_start > 0 || self.line_starting) && indent.chars().all(is_space) {
                    kept = &text[..line_start];
                }
            }
            _ => {}
        }
        if !kept.is_empty() {
            self.push(Kind::Data(kept.to_owned()));
        }
        self.advance(length);
    }

    /// Goes past the end of a comment.
    fn comment(&mut self) -> Result<()> {
        let Some(end) = self.rest().find("#}") else {
            return self.fail("a comment does not end");
        };
        let strips = self.rest()[..end].ends_with('-');
        let keeps = self.rest()[..end].ends_with('+');
        self.advance(end);
        self.end_of_block(2, strips, keeps);
        Ok(())
    }

    /// Passes a closing mark of `length` and the space that it takes with it.
    fn end_of_block(&mut self, length: usize, strips: bool, keeps: bool) {
        let after = &self.rest()[length..];
        let space = if strips {
            after.len() - after.trim_start_matches(is_space).len()
        } else {
            usize::from(!keeps && after.starts_with('\n'))
        };
        self.advance(length + space);
    }

    /// Everything up to `{% endraw %}` is text.
    fn raw(&mut self) -> Result<()> {
        let rest = self.rest();
        let ends = rest.match_indices("{%").find_map(|(at, _)| {
            let after = &rest[at + 2..];
            let sign = after.chars().next().filter(|c| matches!(c, '-' | '+'));
            let inner = after[sign.map_or(0, char::len_utf8)..].trim_start_matches(is_space);
            let inner = inner.strip_prefix("endraw")?.trim_start_matches(is_space);
            let close = ["+%}", "-%}", "%}"]
                .into_iter()
                .find(|close| inner.starts_with(close))?;
            Some((at, sign, rest.len() - inner.len(), close))
        });
        let Some((at, sign, close_at, close)) = ends else {
            return self.fail("a raw block does not end");
        };
        self.text_before(at, sign, true);
        self.advance(close_at - at);
        self.end_of_block(close.len(), close == "-%}", close == "+%}");
        Ok(())
    }

    /// The tokens of one tag, up to its closing mark.
    fn inside(&mut self, tag: Tag) -> Result<()> {
        let mut brackets: Vec<&str> = Vec::new();
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                // The parser says what is missing.
                return Ok(());
            }
            if brackets.is_empty() && self.closing(tag) {
                return Ok(());
            }
            let first = rest.chars().next().unwrap_or_default();
            if is_space(first) {
                self.advance(rest.len() - rest.trim_start_matches(is_space).len());
            } else if first.is_ascii_digit() {
                self.number()?;
            } else if first == '_' || first.is_alphanumeric() {
                let end = rest.find(|c: char| !(c == '_' || c.is_alphanumeric()));
                let name = &rest[..end.unwrap_or(rest.len())];
                self.push(Kind::Name(name.to_owned()));
                self.advance(name.len());
            } else if first == '"' || first == '\'' {
                self.string(first)?;
            } else {
                self.operator(&mut brackets)?;
            }
        }
    }

    /// Passes the closing mark of the tag, if it is here.
    fn closing(&mut self, tag: Tag) -> bool {
        let rest = self.rest();
        let (closes, kind): (&[&str], Kind) = match tag {
            Tag::Print => (&["-}}", "}}"], Kind::PrintEnd),
            _ => (&["-%}", "+%}", "%}"], Kind::BlockEnd),
        };
        let Some(close) = closes.iter().find(|close| rest.starts_with(**close)) else {
            return false;
        };
        self.push(kind);
        let keeps = tag == Tag::Print || close.starts_with('+');
        self.end_of_block(close.len(), close.starts_with('-'), keeps);
        true
    }

    fn number(&mut self) -> Result<()> {
        // After a dot comes an index: `list.0.1` has no float in it.
        let index = matches!(self.tokens.last(), Some(token) if token.kind == Kind::Op("."));
        let (kind, length) = match literal::number(self.rest(), !index) {
            Ok(found) => found,
            Err(message) => return self.fail(message),
        };
        self.push(kind);
        self.advance(length);
        Ok(())
    }

    fn string(&mut self, quote: char) -> Result<()> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest[1..].find(|c: char| {
            let ends = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let Some(end) = end else {
            return self.fail(format!("a string that begins with {quote} does not end"));
        };
        match literal::unescape(&rest[1..=end]) {
            Ok(text) => self.push(Kind::Str(text)),
            Err(message) => return self.fail(message),
        }
        self.advance(end + 2);
        Ok(())
    }

    fn operator(&mut self, brackets: &mut Vec<&'static str>) -> Result<()> {
        let rest = self.rest();
        let Some(op) = OPERATORS.into_iter().find(|op| rest.starts_with(op)) else {
            let c = rest.chars().next().unwrap_or_default();
            return self.fail(format!("unexpected character {c:?}"));
        };
        match op {
            "(" => brackets.push(")"),
            "[" => brackets.push("]"),
            "{" => brackets.push("}"),
            ")" | "]" | "}" => match brackets.pop() {
                Some(wanted) if wanted == op => {}
                Some(wanted) => return self.fail(format!("unexpected '{op}', expected '{wanted}'")),
                None => return self.fail(format!("unexpected '{op}'")),
            },
            _ => {}
        }
        self.push(Kind::Op(op));
        self.advance(op.len());
        Ok(())
    }
}

/// Where the next tag begins, and its kind.
fn next_tag(text: &str) -> Option<(usize, Tag)> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'{', bytes).find_map(|at| {
        let tag = match bytes.get(at + 1)? {
            b'%' => Tag::Block,
            b'{' => Tag::Print,
            b'#' => Tag::Comment,
            _ => return None,
        };
        Some((at, tag))
    })
}

/// The length of the rest of `{% raw %}`, for the text after `{%`.
fn raw_begin(after: &str) -> Option<usize> {
    let inner = after.strip_prefix(['-', '+']).unwrap_or(after);
    let inner = inner.trim_start_matches(is_space).strip_prefix("raw")?;
    let inner = inner.trim_start_matches(is_space);
    let rest = match inner.strip_prefix("-%}") {
        Some(rest) => rest.trim_start_matches(is_space),
        None => inner.strip_prefix("%}")?,
    };
    Some(after.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};

    fn data(source: &str) -> String {
        let texts = tokens(source).unwrap().into_iter().map(|token| match token.kind {
            Kind::Data(text) => text,
            _ => String::new(),
        });
        texts.collect()
    }

    #[test]
    fn tags_take_space_with_them() {
        for (source, text) in [
            ("a\n  {% if x %}\nb", "a\nb"),
            ("a\n  {%+ if x +%}\nb", "a\n  \nb"),
            ("a \n {%- if x -%} \n b", "ab"),
            ("a  {{ x }}\n b\n", "a  \n b"),
            ("a\n {# c #}\nb", "a\nb"),
            ("a\n {#- c -#}\n b", "ab"),
            ("{% raw %}\n{{ x }}{% endraw %}\nb", "\n{{ x }}b"),
            ("a\r\nb\r", "a\nb"),
        ] {
            assert_eq!(data(source), text, "{source:?}");
        }
    }

    #[test]
    fn what_does_not_end_is_named() {
        for source in ["{# x", "{% raw %} {% end", "{{ 'x }}", "{{ (] }}", "{{ ; }}"] {
            assert!(tokens(source).is_err(), "{source:?}");
        }
    }

    #[test]
    fn lines_are_counted_through_everything() {
        let found = tokens("a\n{# \n #}\n{{ 'x\ny'\n}}{{ z }}").unwrap();
        assert_eq!(found.last().unwrap().line, 6);
    }
}

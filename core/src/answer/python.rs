//! Calls written as Python does: `name(key="value", other=1)`, in a list or on lines.

use super::calls::{Calls, Fault, Next, Step};
use super::gap::{Found, Gap};

#[derive(Debug)]
pub(super) struct Shape {
    pub close: &'static [&'static str],
    /// What may stand around the calls.
    pub fences: &'static [&'static str],
    /// A method that is no part of the name.
    pub method: &'static str,
}

/// Containers inside containers.
const MAX_DEPTH: usize = 100;
const MAX_NAME: usize = 512;

#[derive(Debug)]
pub(super) struct Python {
    at: At,
    gap: Gap,
    text: String,
    /// The brackets that are open; the call's own is the first.
    stack: Vec<char>,
    quote: char,
    /// Whether the text is the key of a dict.
    is_key: bool,
    listed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Between,
    Name,
    /// A keyword or a key, or the end of what holds it.
    Key {
        first: bool,
    },
    KeyText,
    Colon,
    Value {
        first: bool,
    },
    Text,
    Escape,
    /// A number, or a word such as `True`.
    Word,
    After,
}

impl Python {
    pub fn new() -> Self {
        Self {
            at: At::Between,
            gap: Gap::default(),
            text: String::new(),
            stack: Vec::new(),
            quote: '"',
            is_key: false,
            listed: false,
        }
    }

    pub fn step(&mut self, c: char, shape: &Shape, calls: &mut Calls) -> Step {
        match self.at {
            At::Between => return self.between(c, shape),
            At::Name if c == '(' => {
                let text = std::mem::take(&mut self.text);
                let name = text.trim();
                calls.begin(name.strip_suffix(shape.method).unwrap_or(name), None)?;
                calls.argue("{");
                self.stack.push(c);
                self.at = At::Key { first: true };
            }
            At::Name => {
                self.text.push(c);
                if !is_name(c) || self.text.len() > MAX_NAME {
                    return Err(Fault::broken("a call begins with a name and a bracket"));
                }
            }
            At::Key { .. } if c.is_whitespace() => {}
            At::Key { first } => self.key(c, first, calls)?,
            At::KeyText if c == '=' => {
                let key = std::mem::take(&mut self.text);
                calls.argue(&format!("\"{}\": ", key.trim()));
                self.at = At::Value { first: false };
            }
            At::KeyText => {
                self.text.push(c);
                if !is_name(c) && !c.is_whitespace() {
                    return Err(Fault::broken("an argument has no name"));
                }
            }
            At::Colon if c == ':' => {
                calls.argue(": ");
                self.at = At::Value { first: false };
            }
            At::Value { .. } | At::Colon | At::After if c.is_whitespace() => {}
            At::Value { first } => self.value(c, first, calls)?,
            At::Text => self.quoted(c, calls),
            At::Escape => self.escaped(c, calls)?,
            At::Word => {
                if !matches!(c, ',' | ')' | ']' | '}') {
                    self.text.push(c);
                } else {
                    self.word(calls);
                    self.after(c, calls)?;
                }
            }
            At::After => self.after(c, calls)?,
            At::Colon => return Err(Fault::broken("a key has no value")),
        }
        Ok(Next::More)
    }

    /// The answer is over.
    pub fn finish(&self) -> Result<(), Fault> {
        match self.at {
            At::Between => Ok(()),
            _ => Err(Fault::broken("the answer ends inside the call")),
        }
    }

    fn between(&mut self, c: char, shape: &Shape) -> Step {
        if !self.gap.has_begun() {
            match c {
                '[' if !self.listed => {
                    self.listed = true;
                    self.gap.skip(c);
                    return Ok(Next::More);
                }
                ',' | ';' | ']' if self.listed || c == ';' => {
                    self.gap.skip(c);
                    return Ok(Next::More);
                }
                c if is_name(c) => {
                    self.gap.clear();
                    self.text.push(c);
                    self.at = At::Name;
                    return Ok(Next::More);
                }
                _ => {}
            }
        }
        let marks: Vec<&str> = [shape.fences, shape.close].concat();
        match self.gap.step(c, &marks) {
            Found::Mark(mark) if shape.close.contains(&mark) => Ok(Next::Done(String::new())),
            Found::Nothing | Found::Mark(_) => Ok(Next::More),
            Found::Other(rest) => Ok(Next::Done(rest)),
        }
    }

    fn key(&mut self, c: char, first: bool, calls: &mut Calls) -> Result<(), Fault> {
        let in_call = self.stack.len() == 1;
        match c {
            ')' | '}' if first => return self.after(c, calls),
            '"' | '\'' if !in_call => {
                self.is_key = true;
                self.begin_text(c, calls);
            }
            c if in_call && is_name(c) => {
                self.text.push(c);
                self.at = At::KeyText;
            }
            _ => return Err(Fault::broken("an argument has no name")),
        }
        Ok(())
    }

    fn value(&mut self, c: char, first: bool, calls: &mut Calls) -> Result<(), Fault> {
        match c {
            '"' | '\'' => self.begin_text(c, calls),
            '[' | '(' | '{' => {
                if self.stack.len() >= MAX_DEPTH {
                    return Err(Fault::broken("the arguments nest too deep"));
                }
                self.stack.push(c);
                calls.argue(if c == '{' { "{" } else { "[" });
                self.at = match c {
                    '{' => At::Key { first: true },
                    _ => At::Value { first: true },
                };
            }
            ']' | ')' if first => return self.after(c, calls),
            ',' | ']' | ')' | '}' => return Err(Fault::broken("a value is missing")),
            c => {
                self.text.push(c);
                self.at = At::Word;
            }
        }
        Ok(())
    }

    fn begin_text(&mut self, quote: char, calls: &mut Calls) {
        calls.argue("\"");
        self.quote = quote;
        self.at = At::Text;
    }

    fn quoted(&mut self, c: char, calls: &mut Calls) {
        match c {
            '\\' => {
                self.text.push(c);
                self.at = At::Escape;
            }
            c if c == self.quote => {
                calls.argue("\"");
                self.at = if self.is_key { At::Colon } else { At::After };
                self.is_key = false;
            }
            c => calls.argue_in_string(c),
        }
    }

    /// What stands behind a backslash.
    fn escaped(&mut self, c: char, calls: &mut Calls) -> Result<(), Fault> {
        self.text.push(c);
        let digits = match self.text.chars().nth(1) {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        if self.text.len() < digits + 2 {
            return Ok(());
        }
        let escape = std::mem::take(&mut self.text);
        self.at = At::Text;
        if digits > 0 {
            let number = escape
                .get(2..)
                .filter(|hex| hex.chars().all(|c| c.is_ascii_hexdigit()));
            let number = number.and_then(|hex| u32::from_str_radix(hex, 16).ok());
            match number.and_then(char::from_u32) {
                Some(c) => calls.argue_in_string(c),
                // Half of a pair, as JSON writes characters: put together by the parser.
                None if digits == 4 => calls.argue(&escape),
                None => return Err(Fault::Broken(format!("{escape} is no character"))),
            }
            return Ok(());
        }
        match c {
            'n' => calls.argue_in_string('\n'),
            'r' => calls.argue_in_string('\r'),
            't' => calls.argue_in_string('\t'),
            'b' => calls.argue_in_string('\u{8}'),
            'f' => calls.argue_in_string('\u{c}'),
            'v' => calls.argue_in_string('\u{b}'),
            'a' => calls.argue_in_string('\u{7}'),
            '0' => calls.argue_in_string('\0'),
            '\n' => {}
            '\\' | '\'' | '"' | '/' => calls.argue_in_string(c),
            // Python keeps the backslash of what is no escape.
            c => {
                calls.argue_in_string('\\');
                calls.argue_in_string(c);
            }
        }
        Ok(())
    }

    fn word(&mut self, calls: &mut Calls) {
        let word = std::mem::take(&mut self.text);
        calls.argue(match word.trim() {
            "True" => "true",
            "False" => "false",
            "None" => "null",
            word => word,
        });
    }

    /// What follows a value.
    fn after(&mut self, c: char, calls: &mut Calls) -> Result<(), Fault> {
        match (c, self.stack.last()) {
            (',', Some(open)) => {
                calls.argue(", ");
                self.at = match open {
                    '[' => At::Value { first: false },
                    '(' if self.stack.len() > 1 => At::Value { first: false },
                    _ => At::Key { first: false },
                };
                return Ok(());
            }
            (')', Some('(')) if self.stack.len() == 1 => {
                self.stack.pop();
                calls.argue("}");
                calls.end()?;
                self.at = At::Between;
                return Ok(());
            }
            (')', Some('(')) | (']', Some('[')) => calls.argue("]"),
            ('}', Some('{')) => calls.argue("}"),
            _ => return Err(Fault::Broken(format!("{c:?} is not expected here"))),
        }
        self.stack.pop();
        self.at = At::After;
        Ok(())
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
}

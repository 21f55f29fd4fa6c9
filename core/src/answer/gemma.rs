//! Calls as Gemma models write them: `call:name{key:value,...}`, text between quote marks of its own.

use super::calls::{Calls, Fault, Next, Step};
use super::gap::{Found, Gap, may_begin};

#[derive(Debug)]
pub(super) struct Shape {
    /// Stands on either side of a text.
    pub quote: &'static str,
    pub close: &'static str,
}

const HEAD: &str = "call:";
/// The longest name with what is before it.
const MAX_HEAD: usize = 512;
/// Containers inside containers.
const MAX_DEPTH: usize = 100;

#[derive(Debug)]
pub(super) struct Gemma {
    at: At,
    gap: Gap,
    text: String,
    stack: Vec<char>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Head,
    /// A key, or the end of an empty object.
    Key {
        first: bool,
    },
    /// A value, or the end of an empty list.
    Value {
        first: bool,
    },
    Text,
    /// A number, or a word such as `true`.
    Word,
    After,
    Tail,
}

impl Gemma {
    pub fn new() -> Self {
        Self {
            at: At::Head,
            gap: Gap::default(),
            text: String::new(),
            stack: Vec::new(),
        }
    }

    pub fn step(&mut self, c: char, shape: &Shape, calls: &mut Calls) -> Step {
        match self.at {
            At::Head => self.head(c, calls)?,
            At::Key { first } => self.key(c, first, shape, calls)?,
            At::Value { first } => self.value(c, first, shape, calls)?,
            At::Text => self.quoted(c, shape, calls),
            At::Word => {
                if !matches!(c, ',' | '}' | ']') {
                    self.text.push(c);
                } else {
                    self.word(calls);
                    self.after(c, calls)?;
                }
            }
            At::After if c.is_whitespace() => {}
            At::After => self.after(c, calls)?,
            At::Tail => match self.gap.step(c, &[shape.close]) {
                Found::Nothing => {}
                Found::Mark(_) => return Ok(Next::Done(String::new())),
                Found::Other(rest) => return Ok(Next::Done(rest)),
            },
        }
        Ok(Next::More)
    }

    /// The answer is over.
    pub fn finish(&self) -> Result<(), Fault> {
        match self.at {
            At::Tail => Ok(()),
            _ => Err(Fault::broken("the answer ends inside the call")),
        }
    }

    fn head(&mut self, c: char, calls: &mut Calls) -> Result<(), Fault> {
        if c != '{' {
            self.text.push(c);
            let begun = self.text.trim_start();
            if !HEAD.starts_with(begun) && !begun.starts_with(HEAD) || begun.len() > MAX_HEAD {
                return Err(Fault::broken(
                    "the call does not begin with call: and a name",
                ));
            }
            return Ok(());
        }
        let head = std::mem::take(&mut self.text);
        let name = head.trim().strip_prefix(HEAD).unwrap_or_default();
        calls.begin(name.trim(), None)?;
        self.open(c, calls)
    }

    fn open(&mut self, c: char, calls: &mut Calls) -> Result<(), Fault> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(Fault::broken("the arguments nest too deep"));
        }
        self.stack.push(c);
        calls.argue(c.encode_utf8(&mut [0; 4]));
        self.at = match c {
            '{' => At::Key { first: true },
            _ => At::Value { first: true },
        };
        Ok(())
    }

    fn key(&mut self, c: char, first: bool, shape: &Shape, calls: &mut Calls) -> Result<(), Fault> {
        if c == '}' && first && self.text.trim().is_empty() {
            self.text.clear();
            return self.after(c, calls);
        }
        let quoted = self.text.trim_start().strip_prefix(shape.quote);
        let open = quoted.is_some_and(|text| !text.ends_with(shape.quote));
        if c != ':' || open {
            self.text.push(c);
            return Ok(());
        }
        let text = std::mem::take(&mut self.text);
        let key = text.trim();
        let inner = key.strip_prefix(shape.quote);
        let key = inner.map_or(key, |key| key.strip_suffix(shape.quote).unwrap_or(key));
        calls.argue("\"");
        for c in key.chars() {
            calls.argue_in_string(c);
        }
        calls.argue("\":");
        self.at = At::Value { first: false };
        Ok(())
    }

    fn value(
        &mut self,
        c: char,
        first: bool,
        shape: &Shape,
        calls: &mut Calls,
    ) -> Result<(), Fault> {
        if !self.gap.has_begun() {
            match c {
                '{' | '[' => {
                    self.gap.clear();
                    return self.open(c, calls);
                }
                ']' if first => {
                    self.gap.clear();
                    return self.after(c, calls);
                }
                ',' | '}' | ']' => return Err(Fault::broken("a value is missing")),
                _ => {}
            }
        }
        match self.gap.step(c, &[shape.quote]) {
            Found::Nothing => {}
            Found::Mark(_) => {
                calls.argue("\"");
                self.at = At::Text;
            }
            Found::Other(begun) => {
                self.text = begun;
                self.at = At::Word;
            }
        }
        Ok(())
    }

    fn quoted(&mut self, c: char, shape: &Shape, calls: &mut Calls) {
        self.text.push(c);
        let ended = self.text.ends_with(shape.quote);
        let held = may_begin(&self.text, shape.quote);
        let rest = self.text.split_off(self.text.len() - held);
        for c in std::mem::replace(&mut self.text, rest).chars() {
            calls.argue_in_string(c);
        }
        if ended {
            self.text.clear();
            calls.argue("\"");
            self.at = At::After;
        }
    }

    /// A value without quote marks. Templates write Python's word for null.
    fn word(&mut self, calls: &mut Calls) {
        let word = std::mem::take(&mut self.text);
        calls.argue(match word.trim() {
            "None" => "null",
            word => word,
        });
    }

    /// What follows a value.
    fn after(&mut self, c: char, calls: &mut Calls) -> Result<(), Fault> {
        calls.argue(c.encode_utf8(&mut [0; 4]));
        match (c, self.stack.last()) {
            (',', Some('{')) => self.at = At::Key { first: false },
            (',', Some('[')) => self.at = At::Value { first: false },
            ('}', Some('{')) | (']', Some('[')) => {
                self.stack.pop();
                self.at = At::After;
            }
            _ => return Err(Fault::Broken(format!("{c:?} is not expected here"))),
        }
        if self.stack.is_empty() {
            calls.end()?;
            self.at = At::Tail;
        }
        Ok(())
    }
}

//! Calls written as tags, each parameter in one of its own.

use super::calls::{Calls, Fault, Next, Step};
use super::gap::{Found, Gap, may_begin};
use super::schema::{self, Types};

/// The tags.
#[derive(Debug)]
pub(super) struct Shape {
    /// Begins a call; empty where the name comes first.
    pub call: &'static str,
    /// Ends the name, and what of the tag may follow it.
    pub name_end: &'static str,
    pub call_close: &'static str,
    pub parameter: &'static str,
    pub key_end: &'static str,
    /// Ends a tag that goes on behind a name or key.
    pub tag_end: &'static str,
    /// Begins the value where the key has a tag of its own.
    pub value: &'static str,
    pub value_close: &'static str,
    /// Closes the section; further calls may come before it. Empty where each call is a section.
    pub close: &'static [&'static str],
    /// Whether a line break after the opening and before the closing tag belongs to the tags.
    pub lines: bool,
    /// Whether a value may stand in a CDATA section.
    pub cdata: bool,
}

const CDATA: (&str, &str) = ("<![CDATA[", "]]>");

/// The longest name, key or rest of a tag.
const MAX_NAME: usize = 512;

#[derive(Debug)]
pub(super) struct Tagged {
    at: At,
    gap: Gap,
    text: String,
    /// What a tag says behind the name of a parameter.
    attributes: String,
    types: Option<Types>,
    /// How much of a value has been given out; `None` where it is given out whole.
    shown: Option<usize>,
    parameters: usize,
    /// Whether a call has been read.
    made: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Between,
    Name,
    NameTag,
    Call,
    Key,
    KeyTag,
    ValueTag,
    Value,
}

impl Tagged {
    pub fn new(shape: &Shape) -> Self {
        Self {
            at: if shape.call.is_empty() {
                At::Name
            } else {
                At::Between
            },
            gap: Gap::default(),
            text: String::new(),
            attributes: String::new(),
            types: None,
            shown: None,
            parameters: 0,
            made: false,
        }
    }

    pub fn step(&mut self, c: char, shape: &Shape, calls: &mut Calls) -> Step {
        if self.text.len() > MAX_NAME && self.at != At::Value {
            return Err(Fault::broken("a tag does not end"));
        }
        match self.at {
            At::Between => return self.between(c, shape),
            At::Name if shape.call.is_empty() => return self.bare_name(c, shape, calls),
            At::Name => {
                if let Some(name) = self.until(c, shape.name_end) {
                    calls.begin(name.trim(), None)?;
                    self.parameters = 0;
                    self.at = after(shape.name_end, shape.tag_end, At::NameTag, At::Call);
                }
            }
            At::NameTag => {
                if self.until(c, shape.tag_end).is_some() {
                    self.at = At::Call;
                }
            }
            At::Call => return self.inside(c, shape, calls),
            At::Key => {
                if let Some(key) = self.until(c, shape.key_end) {
                    self.begin_parameter(key.trim(), calls);
                    self.attributes.clear();
                    self.at = if shape.value.is_empty() {
                        after(shape.key_end, shape.tag_end, At::KeyTag, At::Value)
                    } else {
                        At::ValueTag
                    };
                }
            }
            At::KeyTag => {
                if let Some(attributes) = self.until(c, shape.tag_end) {
                    self.attributes = attributes;
                    self.at = At::Value;
                }
            }
            At::ValueTag => match self.gap.step(c, &[shape.value]) {
                Found::Nothing => {}
                Found::Mark(_) => self.at = At::Value,
                Found::Other(_) => return Err(Fault::broken("a parameter has no value")),
            },
            At::Value => self.value(c, shape, calls),
        }
        if self.at == At::Value && self.text.is_empty() {
            self.begin_value(shape, calls);
        }
        Ok(Next::More)
    }

    /// The answer is over.
    pub fn finish(&self) -> Result<(), Fault> {
        if self.at == At::Between && self.made {
            return Ok(());
        }
        Err(Fault::broken("the answer ends inside the call"))
    }

    fn between(&mut self, c: char, shape: &Shape) -> Step {
        let marks: Vec<&str> = shape.close.iter().copied().chain([shape.call]).collect();
        match self.gap.step(c, &marks) {
            Found::Nothing => Ok(Next::More),
            Found::Mark(mark) if mark == shape.call => {
                self.at = At::Name;
                Ok(Next::More)
            }
            Found::Mark(_) => Ok(Next::Done(String::new())),
            Found::Other(rest) => Ok(Next::Done(rest)),
        }
    }

    /// A name without a tag, up to a line's end or the first tag.
    fn bare_name(&mut self, c: char, shape: &Shape, calls: &mut Calls) -> Step {
        if c != '<' && (c != '\n' || self.text.trim().is_empty()) {
            self.text.push(c);
            return Ok(Next::More);
        }
        let name = std::mem::take(&mut self.text);
        calls.begin(name.trim(), None)?;
        self.at = At::Call;
        self.inside(c, shape, calls)
    }

    fn inside(&mut self, c: char, shape: &Shape, calls: &mut Calls) -> Step {
        match self.gap.step(c, &[shape.parameter, shape.call_close]) {
            Found::Nothing => Ok(Next::More),
            Found::Mark(mark) if mark == shape.parameter => {
                self.at = At::Key;
                Ok(Next::More)
            }
            Found::Mark(_) => {
                calls.argue(if self.parameters == 0 { "{}" } else { "}" });
                calls.end()?;
                self.made = true;
                self.at = At::Between;
                if shape.call.is_empty() {
                    return Ok(Next::Done(String::new()));
                }
                Ok(Next::More)
            }
            Found::Other(_) => Err(Fault::broken("there is text between the parameters")),
        }
    }

    fn begin_parameter(&mut self, key: &str, calls: &mut Calls) {
        self.types = calls.tools.types(calls.name(), key);
        calls.argue(if self.parameters == 0 { "{\"" } else { ", \"" });
        self.parameters += 1;
        for c in key.chars() {
            calls.argue_in_string(c);
        }
        calls.argue("\": ");
    }

    /// The tag itself may say whether a value is text.
    fn begin_value(&mut self, shape: &Shape, calls: &mut Calls) {
        let text = match self.attributes.trim() {
            attributes if attributes.contains("string=\"true\"") => true,
            attributes if attributes.contains("type=\"string\"") => true,
            _ => schema::is_text(self.types),
        };
        self.shown = (text && !shape.cdata).then_some(0);
        if self.shown.is_some() {
            calls.argue("\"");
        }
    }

    fn value(&mut self, c: char, shape: &Shape, calls: &mut Calls) {
        self.text.push(c);
        let ended = self.text.ends_with(shape.value_close);
        let mut end = self.text.len();
        if ended {
            end -= shape.value_close.len();
            if shape.lines && self.text[..end].ends_with('\n') {
                end -= 1;
            }
        }
        let begin = usize::from(shape.lines && self.text.starts_with('\n')).min(end);
        if let Some(shown) = self.shown {
            if !ended {
                end -= self.held(shape);
            }
            let shown = shown.max(begin);
            if end > shown {
                for c in self.text[shown..end].chars() {
                    calls.argue_in_string(c);
                }
            }
            self.shown = Some(shown.max(end));
        }
        if !ended {
            return;
        }
        if self.shown.is_some() {
            calls.argue("\"");
        } else {
            let text = &self.text[begin..end];
            calls.argue(&self.json(text, shape).to_string());
        }
        self.text.clear();
        self.shown = None;
        self.at = At::Call;
    }

    /// How much of the end of a value may be its closing tag.
    fn held(&self, shape: &Shape) -> usize {
        let mark = may_begin(&self.text, shape.value_close);
        let before = &self.text[..self.text.len() - mark];
        mark + usize::from(shape.lines && before.ends_with('\n'))
    }

    fn json(&self, text: &str, shape: &Shape) -> serde_json::Value {
        let inner = text.trim().strip_prefix(CDATA.0);
        let inner = inner.and_then(|text| text.strip_suffix(CDATA.1));
        if let (true, Some(inner)) = (shape.cdata, inner) {
            return serde_json::Value::String(inner.to_owned());
        }
        schema::value_of(text, self.types)
    }

    /// Collects characters up to a delimiter, which is taken off.
    fn until(&mut self, c: char, end: &str) -> Option<String> {
        self.text.push(c);
        let length = self.text.strip_suffix(end)?.len();
        self.text.truncate(length);
        Some(std::mem::take(&mut self.text))
    }
}

fn after(end: &str, tag_end: &str, tag: At, next: At) -> At {
    if end == tag_end { next } else { tag }
}

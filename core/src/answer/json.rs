//! Calls written as JSON: an object with a name and arguments, several of them, or a list.

use super::calls::{Calls, Fault, Next, Step};
use super::gap::{Found, Gap};

/// How JSON calls end, and how they are laid out.
#[derive(Debug, PartialEq)]
pub(super) struct Shape {
    /// What closes the section.
    pub close: &'static [&'static str],
    /// Whether other text closes it too.
    pub open_ended: bool,
    /// Whether a call is `{name: arguments}`.
    pub keyed: bool,
}

/// What is between calls.
#[derive(Debug, Default)]
pub(super) struct Json {
    gap: Gap,
    list: List,
    object: Option<Box<Object>>,
    /// Whether a call has been read.
    made: bool,
}

#[derive(Debug, Default, PartialEq)]
enum List {
    #[default]
    None,
    Inside,
    Closed,
}

impl Json {
    pub fn step(&mut self, c: char, shape: &Shape, calls: &mut Calls) -> Step {
        if let Some(object) = &mut self.object {
            if object.step(c, shape, calls)? {
                self.object = None;
                self.made = true;
            }
            return Ok(Next::More);
        }
        if !self.gap.has_begun() {
            match c {
                '{' if self.list != List::Closed => {
                    self.gap.clear();
                    self.object = Some(Box::default());
                    return Ok(Next::More);
                }
                '[' if self.list == List::None && !self.made => {
                    self.list = List::Inside;
                    self.gap.skip(c);
                    return Ok(Next::More);
                }
                ']' if self.list == List::Inside => {
                    self.list = List::Closed;
                    self.gap.clear();
                    return Ok(Next::More);
                }
                ',' | ';' if self.made => {
                    self.gap.skip(c);
                    return Ok(Next::More);
                }
                _ => {}
            }
        }
        match self.gap.step(c, shape.close) {
            Found::Nothing => Ok(Next::More),
            Found::Mark(_) => Ok(Next::Done(String::new())),
            Found::Other(rest) if shape.open_ended && self.list != List::Inside => {
                Ok(Next::Done(rest))
            }
            Found::Other(_) => Err(Fault::broken(
                "there is more than JSON between the delimiters",
            )),
        }
    }

    /// The answer is over.
    pub fn finish(&self) -> Result<(), Fault> {
        match self.object {
            Some(_) => Err(Fault::broken("the answer ends inside the call")),
            None => Ok(()),
        }
    }
}

/// Follows a JSON value to its end without reading it: whether it is well formed is left to the parser.
#[derive(Debug, Default)]
pub(super) struct Span {
    depth: usize,
    quoted: bool,
    escaped: bool,
}

impl Span {
    /// Whether an object, list or string ends with this character.
    pub fn ends_with(&mut self, c: char) -> bool {
        if self.quoted {
            match c {
                _ if self.escaped => self.escaped = false,
                '\\' => self.escaped = true,
                '"' => self.quoted = false,
                _ => {}
            }
            return c == '"' && !self.quoted && self.depth == 0;
        }
        match c {
            '"' => self.quoted = true,
            '{' | '[' => self.depth += 1,
            '}' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

/// One call.
#[derive(Debug)]
struct Object {
    /// All of it, for the parser.
    text: String,
    at: At,
    /// Objects around the keys: 2 inside `"function": {`.
    level: u8,
    key: String,
    name: Option<String>,
    id: Option<String>,
    begun: bool,
    argued: bool,
    /// Arguments that came before the name.
    early: String,
}

#[derive(Debug)]
enum At {
    Key,
    KeyText(Span, String),
    Colon,
    Value,
    Name(Span, String),
    Id(Span, String),
    Other(Span),
    /// A number, or a word such as `null`.
    Word(String),
    Arguments(Span),
    /// Arguments as a string of JSON.
    Quoted(Span, Unescape),
    After,
}

impl Default for Object {
    fn default() -> Self {
        Self {
            text: "{".to_owned(),
            at: At::Key,
            level: 1,
            key: String::new(),
            name: None,
            id: None,
            begun: false,
            argued: false,
            early: String::new(),
        }
    }
}

impl Object {
    /// Whether the object ends with this character.
    fn step(&mut self, c: char, shape: &Shape, calls: &mut Calls) -> Result<bool, Fault> {
        self.text.push(c);
        match &mut self.at {
            At::Key if c == '"' => {
                let mut span = Span::default();
                span.ends_with(c);
                self.at = At::KeyText(span, c.to_string());
            }
            At::Key | At::After if c == '}' => return self.close(calls),
            At::Key | At::After if c.is_whitespace() => {}
            At::After if c == ',' => self.at = At::Key,
            At::KeyText(span, text) => {
                text.push(c);
                if span.ends_with(c) {
                    self.key = string(text)?;
                    self.at = At::Colon;
                    self.know_key(shape, calls)?;
                }
            }
            At::Colon if c == ':' => self.at = At::Value,
            At::Colon | At::Value if c.is_whitespace() => {}
            At::Value => self.begin_value(c, shape, calls)?,
            At::Name(span, text) => {
                text.push(c);
                if span.ends_with(c) {
                    self.name = Some(string(text)?);
                    self.at = At::After;
                    self.begin(calls)?;
                }
            }
            At::Id(span, text) => {
                text.push(c);
                if span.ends_with(c) {
                    self.id = Some(string(text)?);
                    self.at = At::After;
                }
            }
            At::Other(span) => {
                if span.ends_with(c) {
                    self.at = At::After;
                }
            }
            At::Word(word) => {
                if c == ',' || c == '}' || c.is_whitespace() {
                    let word = std::mem::take(word);
                    self.at = At::After;
                    self.word(&word, shape)?;
                    self.text.pop();
                    return self.step(c, shape, calls);
                }
                word.push(c);
            }
            At::Arguments(span) => {
                let ends = span.ends_with(c);
                if ends {
                    self.at = At::After;
                }
                self.argue(c, calls);
            }
            At::Quoted(span, unescape) => {
                if span.ends_with(c) {
                    unescape.finish()?;
                    self.at = At::After;
                } else if let Some(c) = unescape.step(c)? {
                    self.argue(c, calls);
                }
            }
            At::Key | At::Colon | At::After => {
                return Err(Fault::Broken(format!("{c:?} is not expected in JSON here")));
            }
        }
        Ok(false)
    }

    fn takes_arguments(&self, shape: &Shape) -> bool {
        shape.keyed || matches!(self.key.as_str(), "arguments" | "parameters")
    }

    /// A key is complete.
    fn know_key(&mut self, shape: &Shape, calls: &mut Calls) -> Result<(), Fault> {
        if shape.keyed {
            if self.name.is_some() {
                return Err(Fault::broken(
                    "a call has one key, the name of the function",
                ));
            }
            self.name = Some(self.key.clone());
            return self.begin(calls);
        }
        let known = [
            "name",
            "tool_name",
            "function",
            "arguments",
            "parameters",
            "type",
            "id",
            "tool_call_id",
        ];
        // Ordinary JSON is known from its first key, where it need not be a call.
        if calls.soft && !self.begun && !known.contains(&self.key.as_str()) {
            return Err(Fault::NotACall);
        }
        Ok(())
    }

    fn begin_value(&mut self, c: char, shape: &Shape, calls: &mut Calls) -> Result<(), Fault> {
        let mut span = Span::default();
        span.ends_with(c);
        let is_name = matches!(self.key.as_str(), "name" | "tool_name" | "function");
        self.at = match c {
            '{' | '"' if self.takes_arguments(shape) && self.argued => {
                return Err(Fault::broken("the call has arguments twice"));
            }
            '{' if self.takes_arguments(shape) => {
                self.argued = true;
                self.argue(c, calls);
                At::Arguments(span)
            }
            '"' if self.takes_arguments(shape) => {
                self.argued = true;
                At::Quoted(span, Unescape::default())
            }
            '{' if self.key == "function" && self.level == 1 => {
                self.level = 2;
                At::Key
            }
            '"' if is_name && self.name.is_some() => {
                return Err(Fault::broken("the call has a name twice"));
            }
            '"' if is_name => At::Name(span, c.to_string()),
            '"' if self.key == "id" => At::Id(span, c.to_string()),
            '[' if self.takes_arguments(shape) => {
                return Err(Fault::broken("the arguments are a list, not an object"));
            }
            '"' | '{' | '[' => At::Other(span),
            _ => At::Word(c.to_string()),
        };
        Ok(())
    }

    /// A value that is neither text nor object nor list.
    fn word(&self, word: &str, shape: &Shape) -> Result<(), Fault> {
        if self.takes_arguments(shape) && word != "null" {
            return Err(Fault::broken("the arguments are no JSON object"));
        }
        Ok(())
    }

    fn begin(&mut self, calls: &mut Calls) -> Result<(), Fault> {
        let Some(name) = &self.name else {
            return Ok(());
        };
        calls.begin(name, self.id.as_deref())?;
        self.begun = true;
        calls.argue(&std::mem::take(&mut self.early));
        Ok(())
    }

    fn argue(&mut self, c: char, calls: &mut Calls) {
        if self.begun {
            calls.argue(c.encode_utf8(&mut [0; 4]));
        } else {
            self.early.push(c);
        }
    }

    /// A `}` at the level of the keys.
    fn close(&mut self, calls: &mut Calls) -> Result<bool, Fault> {
        self.level -= 1;
        if self.level > 0 {
            self.at = At::After;
            return Ok(false);
        }
        if !self.begun {
            return Err(Fault::broken("the call has no name"));
        }
        serde_json::from_str::<serde_json::Value>(&self.text)
            .map_err(|error| Fault::Broken(format!("the call is no JSON: {error}")))?;
        calls.end()?;
        Ok(true)
    }
}

/// Reads the text of a JSON string with its quotes.
fn string(text: &str) -> Result<String, Fault> {
    serde_json::from_str(text)
        .map_err(|error| Fault::Broken(format!("{text} is no JSON string: {error}")))
}

/// Takes the escapes out of a JSON string as it comes.
#[derive(Debug, Default)]
struct Unescape {
    /// An escape that has begun, from its backslash on.
    escape: String,
    /// The first half of a pair of escapes.
    high: Option<u16>,
}

impl Unescape {
    fn step(&mut self, c: char) -> Result<Option<char>, Fault> {
        if self.escape.is_empty() {
            if c == '\\' {
                self.escape.push(c);
                return Ok(None);
            }
            self.finish()?;
            return Ok(Some(c));
        }
        self.escape.push(c);
        let Some(hex) = self.escape.strip_prefix("\\u") else {
            self.finish_pair()?;
            self.escape.clear();
            let plain = match c {
                '"' | '\\' | '/' => c,
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'b' => '\u{8}',
                'f' => '\u{c}',
                c => return Err(Fault::Broken(format!("\\{c} is no escape of JSON"))),
            };
            return Ok(Some(plain));
        };
        if hex.len() < 4 {
            return Ok(None);
        }
        let unit = u16::from_str_radix(hex, 16)
            .map_err(|_| Fault::Broken(format!("\\u{hex} is no escape of JSON")))?;
        self.escape.clear();
        let units: Vec<u16> = self.high.take().into_iter().chain([unit]).collect();
        match String::from_utf16(&units) {
            Ok(text) => Ok(text.chars().next()),
            Err(_) if units.len() == 1 && (0xD800..0xDC00).contains(&unit) => {
                self.high = Some(unit);
                Ok(None)
            }
            Err(_) => Err(Fault::broken("half of a pair of escapes is missing")),
        }
    }

    fn finish_pair(&self) -> Result<(), Fault> {
        match self.high {
            Some(_) => Err(Fault::broken("half of a pair of escapes is missing")),
            None => Ok(()),
        }
    }

    fn finish(&self) -> Result<(), Fault> {
        self.finish_pair()
    }
}

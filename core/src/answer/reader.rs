//! Reads an answer as it grows.

use serde_json::Value;

use super::calls::{Calls, Fault, Next};
use super::format::Format;
use super::grammar::Reading;
use super::kinds::{Bare, Section};
use super::schema::Tools;
use super::{Broken, Finished, Piece};

/// What a delimiter begins or ends.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    Reasoning,
    Calls(Section),
    /// It is no part of the text.
    Silent,
}

#[derive(Debug)]
struct Mark {
    text: String,
    meaning: Meaning,
}

/// Where in the answer the reader is.
#[derive(Debug)]
enum At {
    Text,
    Reasoning,
    /// In calls, with the count of those complete before them.
    Calls(Reading, usize),
}

/// Turns the raw text of one answer into text, reasoning and tool calls. However the text is cut, the
/// pieces add up to the same.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Delimiters in text.
    marks: Vec<Mark>,
    /// Delimiters in reasoning.
    ends: Vec<Mark>,
    bare: Option<&'static Bare>,
    at: At,
    /// What may be the beginning of a delimiter.
    held: String,
    /// How many bytes of it stood in the prompt.
    before: usize,
    /// White space that belongs to the text, or the reasoning, only if more of it follows.
    space: String,
    inner_space: String,
    /// Whether text was given out.
    wrote: bool,
    /// Whether reasoning or a call has come since.
    block: bool,
    /// Whether white space is left out until something else comes.
    skip: bool,
    /// The text of a call that is not complete, its delimiter included.
    raw: String,
    calls: Calls,
    broken: Vec<Broken>,
}

impl Reader {
    /// `reasoning_open` says that the prompt ends inside reasoning. Without `tools`, their JSON, no calls
    /// are looked for.
    pub fn new(format: &Format, reasoning_open: bool, tools: Option<&Value>) -> Self {
        let kind = format.kind;
        let sections = kind.sections.iter().filter(|_| tools.is_some());
        let sections = sections.map(|section| (section.open, Meaning::Calls(*section)));
        let silent = format.silent.iter().chain(kind.silent);
        let silent = silent.map(|text| (*text, Meaning::Silent));
        let opens = format.reasoning.iter().map(|pair| pair.open.as_str());
        let closes = format.reasoning.iter().map(|pair| pair.close.as_str());
        // A model may close what nothing opened. The text before was given out already and stays text;
        // the delimiter is none, unless it is made of words.
        let stray = closes.clone().filter(|close| close.starts_with(BRACKETS));
        let marks = opens
            .map(|open| (open, Meaning::Reasoning))
            .chain(stray.map(|close| (close, Meaning::Silent)))
            .chain(silent)
            .chain(sections.clone());
        // A call whose delimiter is a token of its own ends reasoning that was left open; a tag may be
        // part of it.
        let tokens =
            sections.filter(|(open, _)| TOKENS.iter().any(|token| open.starts_with(token)));
        let ends = closes.map(|close| (close, Meaning::Silent)).chain(tokens);
        let open = reasoning_open && !format.reasoning.is_empty();
        let before = if open || tools.is_none() {
            ""
        } else {
            kind.before
        };
        Self {
            marks: marks.map(Mark::new).collect(),
            ends: ends.map(Mark::new).collect(),
            bare: kind.bare.as_ref().filter(|_| tools.is_some()),
            at: if open { At::Reasoning } else { At::Text },
            held: before.to_owned(),
            before: before.len(),
            space: String::new(),
            inner_space: String::new(),
            wrote: false,
            block: open,
            skip: open,
            raw: String::new(),
            calls: Calls::new(tools.map(Tools::new).unwrap_or_default(), format.ids),
            broken: Vec::new(),
        }
    }

    /// Takes more of the answer. What may become a delimiter is held back.
    pub fn push(&mut self, text: &str) -> Vec<Piece> {
        for c in text.chars() {
            self.step(c);
        }
        self.calls.take_pieces()
    }

    /// The answer is over. What is not complete is given back as text.
    pub fn finish(&mut self) -> Finished {
        self.settle(true);
        if let At::Calls(reading, made) = &self.at {
            match reading.finish() {
                Ok(()) if self.calls.count() > *made => self.leave(""),
                Ok(()) => self.give_back(no_call()),
                Err(fault) => self.give_back(fault),
            }
        }
        if matches!(self.at, At::Text) && !self.block {
            self.write_space();
        }
        Finished {
            pieces: self.calls.take_pieces(),
            calls: self.calls.take_whole(),
            broken: std::mem::take(&mut self.broken),
        }
    }

    fn step(&mut self, c: char) {
        self.held.push(c);
        self.settle(false);
    }

    /// Reads what is held, up to what may become a delimiter.
    fn settle(&mut self, last: bool) {
        while let Some(c) = self.held.chars().next() {
            let marks = match self.at {
                At::Calls(..) => {
                    self.held.remove(0);
                    self.call(c);
                    continue;
                }
                At::Reasoning => &self.ends,
                At::Text => &self.marks,
            };
            if !last && marks.iter().any(|mark| mark.may_become(&self.held)) {
                return;
            }
            let found = marks
                .iter()
                .filter(|mark| self.held.starts_with(&mark.text));
            let found = found.max_by_key(|mark| mark.text.len());
            let (length, meaning) = match found {
                Some(mark) => (mark.text.len(), Some(mark.meaning)),
                None => (c.len_utf8(), None),
            };
            let ours = self.before.min(length);
            self.before -= ours;
            let text: String = self.held.drain(..length).collect();
            match meaning {
                Some(meaning) => self.enter(meaning, &text[ours..], &text),
                None if ours == 0 => self.plain(c),
                None => {}
            }
        }
    }

    /// A delimiter is complete; `seen` of it stood in the answer.
    fn enter(&mut self, meaning: Meaning, seen: &str, mark: &str) {
        self.inner_space.clear();
        let was_text = matches!(self.at, At::Text);
        self.at = At::Text;
        match meaning {
            Meaning::Silent if was_text => self.block = true,
            Meaning::Silent => self.skip = true,
            Meaning::Reasoning => {
                self.block = true;
                self.skip = true;
                self.at = At::Reasoning;
            }
            Meaning::Calls(section) => {
                self.raw.push_str(seen);
                self.calls.soft = section.soft;
                self.at = At::Calls(section.grammar.begin(), self.calls.count());
                if section.part {
                    self.raw.clear();
                    mark.chars().for_each(|c| self.call(c));
                }
            }
        }
    }

    /// A character that belongs to no delimiter.
    fn plain(&mut self, c: char) {
        let holds = !self.marks.is_empty() || self.bare.is_some();
        if c.is_whitespace() && holds {
            match self.at {
                _ if self.skip => {}
                At::Reasoning => self.inner_space.push(c),
                _ => self.space.push(c),
            }
            return;
        }
        self.skip = false;
        if matches!(self.at, At::Reasoning) {
            self.inner_space.push(c);
            let text = std::mem::take(&mut self.inner_space);
            self.calls.give(Piece::Reasoning(text));
            return;
        }
        match self
            .bare
            .filter(|bare| !self.wrote && self.may_begin(bare, c))
        {
            Some(bare) => {
                self.calls.soft = true;
                self.at = At::Calls(bare.grammar.begin(), self.calls.count());
                self.call(c);
            }
            None => self.write(c.encode_utf8(&mut [0; 4])),
        }
    }

    fn may_begin(&self, bare: &Bare, c: char) -> bool {
        if bare.first.is_empty() {
            return self.calls.tools.may_begin(c.encode_utf8(&mut [0; 4]));
        }
        bare.first.contains(&c)
    }

    fn write(&mut self, text: &str) {
        self.write_space();
        self.calls.give(Piece::Text(text.to_owned()));
        self.wrote = true;
        self.block = false;
    }

    /// Gives out the white space before text, unless nothing but reasoning and calls is before it.
    fn write_space(&mut self) {
        let space = std::mem::take(&mut self.space);
        if !space.is_empty() && (self.wrote || !self.block) {
            self.calls.give(Piece::Text(space));
        }
    }

    /// A character of a call.
    fn call(&mut self, c: char) {
        let At::Calls(reading, made) = &mut self.at else {
            return;
        };
        self.raw.push(c);
        let count = self.calls.count();
        let step = reading.step(c, &mut self.calls);
        if self.calls.count() > count {
            self.raw.clear();
        }
        match step {
            Ok(Next::More) => {}
            Ok(Next::Done(rest)) if self.calls.count() > *made => self.leave(&rest),
            Ok(Next::Done(_)) => self.give_back(no_call()),
            Err(fault) => self.give_back(fault),
        }
    }

    /// The calls are over, and `rest` is read again as what it may be then.
    fn leave(&mut self, rest: &str) {
        self.raw.clear();
        self.at = At::Text;
        self.block = true;
        self.skip = false;
        let after = std::mem::take(&mut self.held);
        for c in rest.chars().chain(after.chars()) {
            self.step(c);
        }
    }

    /// What was read is no call: its text is given out as it stands.
    fn give_back(&mut self, fault: Fault) {
        let index = self.calls.abandon();
        let text = std::mem::take(&mut self.raw);
        self.at = At::Text;
        self.skip = false;
        self.write(&text);
        match fault {
            // What only the names of tools could have told from text was no call in the first place.
            Fault::Broken(reason) if index.is_some() || !self.calls.soft => {
                self.broken.push(Broken {
                    index,
                    text,
                    reason,
                });
            }
            Fault::Broken(_) | Fault::NotACall => {}
        }
    }
}

/// Characters that delimiters begin with, where they are not words.
const BRACKETS: [char; 3] = ['<', '[', '◁'];
/// What delimiters begin with that are single tokens.
const TOKENS: [&str; 3] = ["<|", "<｜", "[TOOL_CALLS]"];

fn no_call() -> Fault {
    Fault::broken("there is no call between the delimiters")
}

impl Mark {
    fn new((text, meaning): (&str, Meaning)) -> Self {
        Self {
            text: text.to_owned(),
            meaning,
        }
    }

    /// Whether this is the beginning of the delimiter, but not all of it.
    fn may_become(&self, held: &str) -> bool {
        self.text.len() > held.len() && self.text.starts_with(held)
    }
}

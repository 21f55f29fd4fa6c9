//! The calls of one answer, as they are put together.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::schema::Tools;
use super::{CallPiece, Piece, ToolCall};

/// Why what looked like a call is none.
#[derive(Debug)]
pub(super) enum Fault {
    /// It only began like one: ordinary text.
    NotACall,
    /// It is one, but cannot be read.
    Broken(String),
}

impl Fault {
    pub fn broken(reason: impl Into<String>) -> Self {
        Self::Broken(reason.into())
    }
}

/// What a grammar says of a character.
#[derive(Debug)]
pub(super) enum Next {
    More,
    /// The calls are over; these last characters do not belong to them.
    Done(String),
}

pub(super) type Step = Result<Next, Fault>;

/// The shape of ids made here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ids {
    Prefixed,
    /// Nine letters and digits: some templates refuse any other in the history.
    Nine,
}

#[derive(Debug)]
struct Open {
    index: u32,
    id: String,
    name: String,
    arguments: String,
    /// How much of the arguments has been given out.
    shown: usize,
}

/// Collects calls, and gives out what is known of them in order with the other pieces.
#[derive(Debug)]
pub(super) struct Calls {
    pub tools: Tools,
    /// Whether only names of the tools are accepted, and anything else is text.
    pub soft: bool,
    pieces: Vec<Piece>,
    whole: Vec<ToolCall>,
    open: Option<Open>,
    ids: Ids,
    next: u32,
}

impl Calls {
    pub fn new(tools: Tools, ids: Ids) -> Self {
        Self {
            tools,
            soft: false,
            pieces: Vec::new(),
            whole: Vec::new(),
            open: None,
            ids,
            next: 0,
        }
    }

    /// Begins a call: its name is known.
    pub fn begin(&mut self, name: &str, id: Option<&str>) -> Result<(), Fault> {
        if name.is_empty() || name.contains(char::is_control) {
            return Err(Fault::broken(format!("{name:?} is no name of a function")));
        }
        if self.soft && !self.tools.knows(name) {
            return Err(Fault::NotACall);
        }
        let id = id.filter(|id| !id.is_empty());
        let id = id.map_or_else(|| new_id(self.ids), str::to_owned);
        let index = self.next;
        self.next += 1;
        self.give(Piece::Call(CallPiece {
            index,
            id: Some(id.clone()),
            name: Some(name.to_owned()),
            arguments: String::new(),
        }));
        self.open = Some(Open {
            index,
            id,
            name: name.to_owned(),
            arguments: String::new(),
            shown: 0,
        });
        Ok(())
    }

    /// The name of the call that is open.
    pub fn name(&self) -> &str {
        self.open.as_ref().map_or("", |open| &open.name)
    }

    /// More of the JSON text of the arguments.
    pub fn argue(&mut self, text: &str) {
        if let Some(open) = &mut self.open {
            open.arguments.push_str(text);
        }
    }

    /// A character inside a JSON string among the arguments.
    pub fn argue_in_string(&mut self, c: char) {
        let mut plain = [0; 4];
        match c {
            '"' => self.argue("\\\""),
            '\\' => self.argue("\\\\"),
            '\n' => self.argue("\\n"),
            '\r' => self.argue("\\r"),
            '\t' => self.argue("\\t"),
            c if c.is_control() && c.is_ascii() => self.argue(&format!("\\u{:04x}", u32::from(c))),
            c => self.argue(c.encode_utf8(&mut plain)),
        }
    }

    /// Gives out the arguments that have come since the last time.
    pub fn show(&mut self) {
        let Some(open) = &mut self.open else { return };
        if open.shown < open.arguments.len() {
            let piece = CallPiece {
                index: open.index,
                id: None,
                name: None,
                arguments: open.arguments[open.shown..].to_owned(),
            };
            open.shown = open.arguments.len();
            self.give(Piece::Call(piece));
        }
    }

    /// The arguments are complete.
    pub fn end(&mut self) -> Result<(), Fault> {
        let open = self.open.as_mut();
        let open = open.ok_or_else(|| Fault::broken("the call has no name"))?;
        if open.arguments.trim().is_empty() {
            open.arguments.push_str("{}");
        }
        // What nests too deep is an error of the parser too.
        let arguments: Value = serde_json::from_str(&open.arguments).map_err(|error| {
            Fault::Broken(format!(
                "the arguments of {} are no JSON: {error}",
                open.name
            ))
        })?;
        if !arguments.is_object() {
            return Err(Fault::Broken(format!(
                "the arguments of {} are no JSON object",
                open.name
            )));
        }
        self.show();
        if let Some(open) = self.open.take() {
            self.whole.push(ToolCall {
                index: open.index,
                id: open.id,
                name: open.name,
                arguments,
            });
        }
        Ok(())
    }

    /// Forgets the call that is open; its number is not used again.
    pub fn abandon(&mut self) -> Option<u32> {
        self.show();
        self.open.take().map(|open| open.index)
    }

    /// How many calls are complete.
    pub fn count(&self) -> usize {
        self.whole.len()
    }

    pub fn take_whole(&mut self) -> Vec<ToolCall> {
        std::mem::take(&mut self.whole)
    }

    /// Gives out a piece, joined to the last where that goes on.
    pub fn give(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), &piece) {
            (Some(Piece::Text(last)), Piece::Text(more))
            | (Some(Piece::Reasoning(last)), Piece::Reasoning(more)) => last.push_str(more),
            (Some(Piece::Call(last)), Piece::Call(more))
                if last.index == more.index && more.name.is_none() =>
            {
                last.arguments.push_str(&more.arguments);
            }
            _ => self.pieces.push(piece),
        }
    }

    pub fn take_pieces(&mut self) -> Vec<Piece> {
        self.show();
        std::mem::take(&mut self.pieces)
    }
}

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const NINE: u32 = 9;

/// An id that no other call of this process has. The first is random, so that calls kept from an
/// earlier process hardly meet.
fn new_id(ids: Ids) -> String {
    static FIRST: OnceLock<u64> = OnceLock::new();
    static MADE: AtomicU64 = AtomicU64::new(0);
    let first = *FIRST.get_or_init(|| RandomState::new().build_hasher().finish() >> 1);
    let base = DIGITS.len() as u64;
    let mut number = (first + MADE.fetch_add(1, Ordering::Relaxed)) % base.pow(NINE);
    let mut id = match ids {
        Ids::Prefixed => "call_".to_owned(),
        Ids::Nine => String::new(),
    };
    for _ in 0..NINE {
        id.push(char::from(DIGITS[(number % base) as usize]));
        number /= base;
    }
    id
}

//! Strings that know which of their bytes came from outside.

use std::ops::Range;
use std::rc::Rc;

use super::fault::Result;
use super::meter::Meter;

/// Where the bytes of a string came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The template itself, special tokens and the clock.
    Trusted,
    /// Messages, tools, documents and the caller's variables.
    Untrusted,
    /// Both; only strings that were built are.
    Mixed,
}

/// A string that was built, and the ranges of it that came from outside, ascending and not touching.
#[derive(Debug)]
struct Built {
    text: String,
    spans: Vec<Range<usize>>,
}

#[derive(Debug, Clone)]
enum Repr<'a> {
    Borrowed(&'a str),
    /// A part of a string that several share.
    Shared(Rc<Built>, u32, u32),
}

/// A string. Cloning and slicing it copies nothing.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    repr: Repr<'a>,
    origin: Origin,
    /// Python's `markupsafe.Markup`: text that is HTML already.
    markup: bool,
}

impl Built {
    /// Where a part came from.
    fn origin(&self, part: &Range<usize>) -> Origin {
        let next = self.spans.partition_point(|span| span.end <= part.start);
        match self.spans.get(next) {
            Some(span) if span.start >= part.end => Origin::Trusted,
            Some(span) if span.start <= part.start && part.end <= span.end => Origin::Untrusted,
            Some(_) => Origin::Mixed,
            None => Origin::Trusted,
        }
    }

    /// The whole of it, which `u32` must be able to count.
    fn into_text<'a>(self, len: u32) -> Text<'a> {
        Text {
            origin: self.origin(&(0..self.text.len())),
            repr: Repr::Shared(Rc::new(self), 0, len),
            markup: false,
        }
    }
}

impl<'a> Text<'a> {
    /// Text of the template or of the model.
    pub const fn trusted(text: &'a str) -> Self {
        Self {
            repr: Repr::Borrowed(text),
            origin: Origin::Trusted,
            markup: false,
        }
    }

    /// Text of a message, a tool, a document or a variable.
    pub const fn untrusted(text: &'a str) -> Self {
        Self {
            repr: Repr::Borrowed(text),
            origin: Origin::Untrusted,
            markup: false,
        }
    }

    /// Text of the one or the other.
    pub const fn given(text: &'a str, outside: bool) -> Self {
        match outside {
            true => Self::untrusted(text),
            false => Self::trusted(text),
        }
    }

    pub fn as_str(&self) -> &str {
        match &self.repr {
            Repr::Borrowed(text) => text,
            Repr::Shared(built, start, end) => &built.text[*start as usize..*end as usize],
        }
    }

    /// The text for as long as the template or its input lives, where it is a part of them.
    pub fn borrowed(&self) -> Option<&'a str> {
        match self.repr {
            Repr::Borrowed(text) => Some(text),
            Repr::Shared(..) => None,
        }
    }

    pub fn len(&self) -> usize {
        match &self.repr {
            Repr::Borrowed(text) => text.len(),
            Repr::Shared(_, start, end) => (end - start) as usize,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn is_markup(&self) -> bool {
        self.markup
    }

    /// The same text as Markup or not.
    pub fn marked(mut self, markup: bool) -> Self {
        self.markup = markup;
        self
    }

    /// A byte range of it with what is known of its origin.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let (repr, origin) = match &self.repr {
            Repr::Borrowed(text) => (Repr::Borrowed(&text[range]), self.origin),
            Repr::Shared(built, start, _) => {
                let start = *start as usize;
                let range = start + range.start..start + range.end;
                let origin = match self.origin {
                    Origin::Mixed => built.origin(&range),
                    whole => whole,
                };
                let (from, to) = (range.start as u32, range.end as u32);
                (Repr::Shared(built.clone(), from, to), origin)
            }
        };
        Self {
            repr,
            origin,
            markup: self.markup,
        }
    }

    /// The slice that `part` is of `self.as_str()`. An empty one may be from anywhere.
    pub fn part(&self, part: &str) -> Self {
        if part.is_empty() {
            return self.slice(0..0);
        }
        let start = part.as_ptr().addr() - self.as_str().as_ptr().addr();
        self.slice(start..start + part.len())
    }

    /// The ranges from outside of a string of both origins.
    fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        let (spans, part) = match (&self.repr, self.origin) {
            (Repr::Shared(built, start, end), Origin::Mixed) => {
                (built.spans.as_slice(), *start as usize..*end as usize)
            }
            _ => (&[][..], 0..0),
        };
        let first = spans.partition_point(|span| span.end <= part.start);
        spans[first..]
            .iter()
            .take_while(move |span| span.start < part.end)
            .map(move |span| {
                let start = span.start.max(part.start) - part.start;
                start..span.end.min(part.end) - part.start
            })
    }

    /// The pieces of one origin, in order; true for those from outside.
    pub fn pieces(&self) -> impl Iterator<Item = (&str, bool)> {
        let text = self.as_str();
        let mut spans = self.spans().peekable();
        let all_untrusted = self.origin == Origin::Untrusted;
        let mut at = 0;
        std::iter::from_fn(move || {
            if at >= text.len() {
                return None;
            }
            let (end, outside) = match spans.peek() {
                None => (text.len(), all_untrusted),
                Some(span) if at < span.start => (span.start, false),
                Some(span) => {
                    let end = span.end;
                    spans.next();
                    (end, true)
                }
            };
            let piece = &text[at..end];
            at = end;
            Some((piece, outside))
        })
    }

    /// Whether the byte at `at` came from outside.
    pub fn is_untrusted_at(&self, at: usize) -> bool {
        match (self.origin, &self.repr) {
            (Origin::Mixed, Repr::Shared(built, start, _)) => {
                let at = *start as usize + at;
                built.origin(&(at..at + 1)) == Origin::Untrusted
            }
            (origin, _) => origin == Origin::Untrusted,
        }
    }

    /// Whether any of it came from outside.
    pub fn has_untrusted(&self) -> bool {
        self.origin != Origin::Trusted
    }

    /// Each character with its byte offset, mapped to what `map` appends; it keeps its origin.
    pub fn map_chars(
        &self,
        meter: &Rc<Meter>,
        mut map: impl FnMut(usize, char, &mut String),
    ) -> Result<Text<'a>> {
        let mut out = Builder::with_capacity(meter, self.len());
        let mut piece_text = String::new();
        let mut at = 0;
        for (piece, outside) in self.pieces() {
            piece_text.clear();
            for (offset, c) in piece.char_indices() {
                map(at + offset, c, &mut piece_text);
            }
            out.push(&piece_text, outside);
            at += piece.len();
        }
        Ok(out.finish()?.marked(self.markup))
    }
}

/// Text that grows. What does not fit the template's memory is dropped, and `finish` says so.
#[derive(Debug)]
pub(crate) struct Builder {
    text: String,
    spans: Vec<Range<usize>>,
    meter: Rc<Meter>,
    full: bool,
}

impl Builder {
    pub fn new(meter: &Rc<Meter>) -> Self {
        Self {
            text: String::new(),
            spans: Vec::new(),
            meter: meter.clone(),
            full: false,
        }
    }

    pub fn with_capacity(meter: &Rc<Meter>, bytes: usize) -> Self {
        /// Larger texts grow into their size, so that a limit is met before memory is.
        const MOST: usize = 1 << 20;
        const BYTES_PER_SPAN: usize = 64;
        let mut new = Self::new(meter);
        new.text.reserve(bytes.min(MOST));
        new.spans.reserve(bytes.min(MOST) / BYTES_PER_SPAN);
        new
    }

    pub fn len(&self) -> usize {
        self.text.len()
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True where it could not hold all that was pushed.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Appends text of the template.
    pub fn trusted(&mut self, text: &str) {
        if self.full || !self.meter.take(text.len()) {
            self.full = true;
            return;
        }
        self.text.push_str(text);
    }

    /// Appends text from outside.
    pub fn untrusted(&mut self, text: &str) {
        let start = self.text.len();
        self.trusted(text);
        self.span(start..self.text.len());
    }

    pub fn push(&mut self, text: &str, outside: bool) {
        if outside {
            self.untrusted(text);
        } else {
            self.trusted(text);
        }
    }

    pub fn push_char(&mut self, c: char, outside: bool) {
        self.push(c.encode_utf8(&mut [0; 4]), outside);
    }

    /// Appends a string with its origin.
    pub fn text(&mut self, text: &Text<'_>) {
        let start = self.text.len();
        self.trusted(text.as_str());
        if self.full {
            return;
        }
        match text.origin {
            Origin::Trusted => {}
            Origin::Untrusted => self.span(start..self.text.len()),
            Origin::Mixed => {
                for span in text.spans() {
                    self.span(start + span.start..start + span.end);
                    if self.full {
                        return;
                    }
                }
            }
        }
    }

    /// Appends the same character many times.
    pub fn fill(&mut self, c: char, count: usize, outside: bool) {
        let start = self.text.len();
        if self.full || !self.meter.take(count.saturating_mul(c.len_utf8())) {
            self.full = true;
            return;
        }
        self.text.extend(std::iter::repeat_n(c, count));
        if outside {
            self.span(start..self.text.len());
        }
    }

    fn span(&mut self, span: Range<usize>) {
        if span.is_empty() {
            return;
        }
        match self.spans.last_mut() {
            Some(last) if last.end == span.start => last.end = span.end,
            _ if self.meter.take(size_of::<Range<usize>>()) => self.spans.push(span),
            // The text is of no use without.
            _ => self.full = true,
        }
    }

    /// Takes away what was appended from `at` on.
    pub fn split_off<'a>(&mut self, at: usize) -> Text<'a> {
        let text = self.text.split_off(at);
        let mut spans = Vec::new();
        while let Some(last) = self.spans.pop() {
            if last.start < at {
                self.spans.push(last.start..last.end.min(at));
            }
            if last.end <= at {
                break;
            }
            spans.push(last.start.max(at) - at..last.end - at);
            if last.start < at {
                break;
            }
        }
        spans.reverse();
        let len = text.len() as u32;
        Built { text, spans }.into_text(len)
    }

    /// The text.
    pub fn finish<'a>(self) -> Result<Text<'a>> {
        /// Bytes that may be left over behind a text, and ranges behind its ranges.
        const SPARE: usize = 64;
        if self.text.is_empty() && !self.full {
            return Ok(Text::trusted(""));
        }
        let (Ok(len), false) = (u32::try_from(self.text.len()), self.full) else {
            return Err(Meter::too_large());
        };
        self.meter.bytes(size_of::<Built>())?;
        let Self {
            mut text,
            mut spans,
            ..
        } = self;
        if text.capacity() - text.len() > SPARE + text.len() / 4 {
            text.shrink_to_fit();
        }
        if spans.capacity() - spans.len() > SPARE + spans.len() / 4 {
            spans.shrink_to_fit();
        }
        Ok(Built { text, spans }.into_text(len))
    }

    /// The text and the ranges of it that came from outside.
    pub fn into_parts(self) -> Result<(String, Vec<Range<usize>>)> {
        if self.full {
            return Err(Meter::too_large());
        }
        Ok((self.text, self.spans))
    }
}

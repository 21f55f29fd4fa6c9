//! Strings that know which of their bytes came from outside.

use std::ops::Range;
use std::rc::Rc;

use super::fault::Result;
use super::meter::Meter;

/// Where the bytes of a string came from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// The template itself, special tokens and the caller's variables.
    Trusted,
    /// Messages, tools and documents.
    Untrusted,
    /// Both; the ranges are those from outside, ascending and not touching.
    Mixed(Rc<Vec<Range<usize>>>),
}

#[derive(Debug, Clone)]
enum Repr<'a> {
    Borrowed(&'a str),
    /// A part of a string that several share.
    Shared(Rc<str>, u32, u32),
}

/// A string. Cloning and slicing it copies nothing.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    repr: Repr<'a>,
    origin: Origin,
    /// Python's `markupsafe.Markup`: text that is HTML already.
    markup: bool,
}

impl<'a> Text<'a> {
    /// Text of the template or of the caller.
    pub const fn trusted(text: &'a str) -> Self {
        Self {
            repr: Repr::Borrowed(text),
            origin: Origin::Trusted,
            markup: false,
        }
    }

    /// Text of a message, a tool or a document.
    pub const fn untrusted(text: &'a str) -> Self {
        Self {
            repr: Repr::Borrowed(text),
            origin: Origin::Untrusted,
            markup: false,
        }
    }

    pub fn as_str(&self) -> &str {
        match &self.repr {
            Repr::Borrowed(text) => text,
            Repr::Shared(text, start, end) => &text[*start as usize..*end as usize],
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
        let repr = match &self.repr {
            Repr::Borrowed(text) => Repr::Borrowed(&text[range.clone()]),
            Repr::Shared(text, start, _) => {
                let from = *start + range.start as u32;
                Repr::Shared(text.clone(), from, *start + range.end as u32)
            }
        };
        let origin = match &self.origin {
            Origin::Mixed(spans) => within(spans, &range),
            whole => whole.clone(),
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

    /// The pieces of one origin, in order; true for those from outside.
    pub fn pieces(&self) -> impl Iterator<Item = (&str, bool)> {
        let text = self.as_str();
        let mut spans = match &self.origin {
            Origin::Mixed(spans) => spans.as_slice(),
            _ => &[],
        };
        let all_untrusted = matches!(self.origin, Origin::Untrusted);
        let mut at = 0;
        std::iter::from_fn(move || {
            if at >= text.len() {
                return None;
            }
            let (end, outside) = match spans.first() {
                None => (text.len(), all_untrusted),
                Some(span) if at < span.start => (span.start, false),
                Some(span) => {
                    spans = &spans[1..];
                    (span.end, true)
                }
            };
            let piece = &text[at..end];
            at = end;
            Some((piece, outside))
        })
    }

    /// Whether the byte at `at` came from outside.
    pub fn is_untrusted_at(&self, at: usize) -> bool {
        match &self.origin {
            Origin::Trusted => false,
            Origin::Untrusted => true,
            Origin::Mixed(spans) => {
                let next = spans.partition_point(|span| span.end <= at);
                spans.get(next).is_some_and(|span| span.start <= at)
            }
        }
    }

    /// Whether any of it came from outside.
    pub fn has_untrusted(&self) -> bool {
        !matches!(self.origin, Origin::Trusted)
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

/// The origin of a slice.
fn within(spans: &[Range<usize>], range: &Range<usize>) -> Origin {
    let cut: Vec<Range<usize>> = spans
        .iter()
        .skip_while(|span| span.end <= range.start)
        .take_while(|span| span.start < range.end)
        .map(|span| {
            span.start.max(range.start) - range.start..span.end.min(range.end) - range.start
        })
        .collect();
    origin_of(cut, range.len())
}

fn origin_of(spans: Vec<Range<usize>>, len: usize) -> Origin {
    match spans.as_slice() {
        [] => Origin::Trusted,
        [span] if *span == (0..len) => Origin::Untrusted,
        _ => Origin::Mixed(Rc::new(spans)),
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
        let mut new = Self::new(meter);
        new.text.reserve(bytes.min(MOST));
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
        match &text.origin {
            Origin::Trusted => {}
            Origin::Untrusted => self.span(start..start + text.len()),
            Origin::Mixed(spans) => {
                for span in spans.iter() {
                    self.span(start + span.start..start + span.end);
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
            _ => self.spans.push(span),
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
        Text {
            origin: origin_of(spans, text.len()),
            repr: Repr::Shared(Rc::from(text.as_str()), 0, text.len() as u32),
            markup: false,
        }
    }

    /// The text.
    pub fn finish<'a>(self) -> Result<Text<'a>> {
        if self.full {
            return Err(Meter::too_large());
        }
        let (Ok(end), false) = (u32::try_from(self.text.len()), self.text.is_empty()) else {
            return match self.text.is_empty() {
                true => Ok(Text::trusted("")),
                false => Err(Meter::too_large()),
            };
        };
        Ok(Text {
            origin: origin_of(self.spans, self.text.len()),
            repr: Repr::Shared(Rc::from(self.text), 0, end),
            markup: false,
        })
    }

    /// The text and the ranges of it that came from outside.
    pub fn into_parts(self) -> Result<(String, Vec<Range<usize>>)> {
        if self.full {
            return Err(Meter::too_large());
        }
        Ok((self.text, self.spans))
    }
}

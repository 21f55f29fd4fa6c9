//! A prompt that knows where its parts come from.

use std::ops::Range;

/// A rendered prompt.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// The prompt.
    pub text: String,
    /// Byte ranges of `text` that came from messages, tools, documents or variables; ascending, not touching.
    pub untrusted: Vec<Range<usize>>,
    /// Byte ranges inside `{% generation %}` blocks.
    pub generation: Vec<Range<usize>>,
}

impl Rendered {
    /// A text that came from outside.
    pub fn from_outside(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            untrusted: std::iter::once(0..text.len()).collect(),
            generation: Vec::new(),
        }
    }

    /// Whether any of these bytes came from outside.
    pub fn is_untrusted(&self, place: &Range<usize>) -> bool {
        let next = self
            .untrusted
            .partition_point(|range| range.end <= place.start);
        self.untrusted
            .get(next)
            .is_some_and(|range| range.start < place.end)
    }

    /// These bytes did not come from outside after all.
    pub fn trust(&mut self, place: &Range<usize>) {
        let spans = std::mem::take(&mut self.untrusted);
        let rest = spans.into_iter().flat_map(|span| {
            let before = span.start..span.end.min(place.start);
            let after = span.start.max(place.end)..span.end;
            [before, after]
        });
        self.untrusted = rest.filter(|span| !span.is_empty()).collect();
    }

    /// The parts that the template wrote.
    pub fn trusted(&self) -> impl Iterator<Item = &str> {
        let starts = self.untrusted.iter().map(|span| span.end);
        let ends = self.untrusted.iter().map(|span| span.start);
        let starts = std::iter::once(0).chain(starts);
        let ends = ends.chain(std::iter::once(self.text.len()));
        starts.zip(ends).map(|(start, end)| &self.text[start..end])
    }

    /// Keeps the first `length` bytes.
    pub(super) fn truncate(&mut self, length: usize) {
        self.text.truncate(length);
        for span in &mut self.untrusted {
            *span = span.start.min(length)..span.end.min(length);
        }
        self.untrusted.retain(|span| !span.is_empty());
    }

    /// Moves the ends of `generation` that are no places in the text: transformers counts from where
    /// the outermost block began, which may be wrong for what macros and blocks inside wrote.
    pub(super) fn within_text(mut self) -> Self {
        let text = &self.text;
        let place = |at: usize| {
            let mut at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        for span in &mut self.generation {
            *span = place(span.start)..place(span.end);
        }
        self
    }
}

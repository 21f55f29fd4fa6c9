//! A rendered prompt, and where its parts come from.

use std::ops::Range;

/// A rendered prompt.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rendered {
    /// The prompt.
    pub text: String,
    /// Byte ranges of `text` that came from messages, tools or documents; ascending, not touching.
    pub untrusted: Vec<Range<usize>>,
    /// Byte ranges inside `{% generation %}` blocks.
    pub generation: Vec<Range<usize>>,
}

impl Rendered {
    /// Whether any of these bytes came from outside.
    pub fn is_untrusted(&self, place: &Range<usize>) -> bool {
        let next = self
            .untrusted
            .partition_point(|range| range.end <= place.start);
        self.untrusted
            .get(next)
            .is_some_and(|range| range.start < place.end)
    }
}

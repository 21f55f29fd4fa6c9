//! What stands between the parts of a call: white space and delimiters.

/// Reads characters up to the next delimiter.
#[derive(Debug, Default)]
pub(super) struct Gap {
    /// Everything since the gap began.
    since: String,
    /// Where in it the characters begin that may become a delimiter.
    begins: usize,
}

pub(super) enum Found {
    /// White space, or the beginning of a delimiter.
    Nothing,
    Mark(&'static str),
    /// These characters are neither; the gap so far, them included, is returned.
    Other(String),
}

impl Gap {
    /// `marks` are looked for; none may be the beginning of another.
    pub fn step(&mut self, c: char, marks: &[&'static str]) -> Found {
        let nothing_begun = self.begins == self.since.len();
        self.since.push(c);
        if nothing_begun && c.is_whitespace() {
            self.begins = self.since.len();
            return Found::Nothing;
        }
        let begun = &self.since[self.begins..];
        if let Some(mark) = marks.iter().find(|mark| **mark == begun) {
            self.clear();
            return Found::Mark(mark);
        }
        if marks.iter().any(|mark| mark.starts_with(begun)) {
            return Found::Nothing;
        }
        self.begins = 0;
        Found::Other(std::mem::take(&mut self.since))
    }

    /// Whether a delimiter has begun.
    pub fn has_begun(&self) -> bool {
        self.begins < self.since.len()
    }

    /// Takes a character that is a delimiter in itself.
    pub fn skip(&mut self, c: char) {
        self.since.push(c);
        self.begins = self.since.len();
    }

    pub fn clear(&mut self) {
        self.since.clear();
        self.begins = 0;
    }
}

/// The length of the longest end of `text` that `mark` begins with.
pub(super) fn may_begin(text: &str, mark: &str) -> usize {
    let most = mark.len().min(text.len());
    let sizes = (1..=most).rev().filter(|size| mark.is_char_boundary(*size));
    sizes
        .into_iter()
        .find(|size| text.as_bytes().ends_with(&mark.as_bytes()[..*size]))
        .unwrap_or(0)
}

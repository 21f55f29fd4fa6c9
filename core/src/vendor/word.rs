//! What the user says a library is.

use std::env;

/// The environment variable that says the release, where the option does not.
pub(super) const VARIABLE: &str = "RKCHAT_ABI";

/// A release or the name of an ABI group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub text: String,
    /// It is taken as it is, whatever is found in the file.
    pub unchecked: bool,
}

impl Word {
    /// The option's word, else the variable's, in which a `!` at the end stands for `unchecked`.
    pub fn of(option: Option<&str>, unchecked: bool) -> Option<Self> {
        let text = match option {
            Some(text) => text.to_owned(),
            None => env::var(VARIABLE).ok()?,
        };
        Self::read(&text, unchecked)
    }

    fn read(text: &str, unchecked: bool) -> Option<Self> {
        let text = text.trim();
        let bare = text.strip_suffix('!').unwrap_or(text).trim_end();
        (!text.is_empty()).then(|| Self {
            text: bare.to_owned(),
            unchecked: unchecked || bare.len() < text.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Word;

    #[test]
    fn an_exclamation_mark_ends_the_questions() {
        let read = |text| Word::read(text, false).map(|word| (word.text, word.unchecked));
        assert_eq!(read("1.2.1"), Some(("1.2.1".to_owned(), false)));
        assert_eq!(read(" 1.2.1! "), Some(("1.2.1".to_owned(), true)));
        assert_eq!(read(""), None);
        assert_eq!(
            Word::read("1.3.0", true).map(|word| word.unchecked),
            Some(true)
        );
    }
}

//! Texts that end an answer: those of a request, and those of models whose stop ids are not known.

use std::collections::BTreeSet;

use crate::surface::FinishReason;

/// What ends an answer by the wish of its request.
#[derive(Debug, Default)]
pub(crate) struct Stops {
    pub texts: Vec<String>,
    /// Texts of it that are control tokens, which answers have no text of.
    pub ids: BTreeSet<u32>,
    /// The model's own ends do not count.
    pub ignore_model: bool,
}

/// Looks for the texts in a stream of pieces. What may be the beginning of one is held back.
#[derive(Debug)]
pub(super) struct StopTexts<'a> {
    texts: Vec<(&'a str, FinishReason)>,
    held: String,
}

impl<'a> StopTexts<'a> {
    /// For texts of the model and of a request.
    pub fn new(model: &'a [String], request: &'a [String]) -> Self {
        let with =
            |texts: &'a [String], reason| texts.iter().map(move |text| (text.as_str(), reason));
        let request = with(request, FinishReason::StopString);
        Self {
            texts: with(model, FinishReason::Stop).chain(request).collect(),
            held: String::new(),
        }
    }

    /// The text that can be shown, and why the answer has ended, if it has.
    pub fn push(&mut self, text: &str) -> (String, Option<FinishReason>) {
        if self.texts.is_empty() {
            return (text.to_owned(), None);
        }
        self.held.push_str(text);
        let found = self.texts.iter().filter_map(|(text, reason)| {
            let place = self.held.find(text)?;
            Some((place, *reason))
        });
        if let Some((end, reason)) = found.min_by_key(|(place, _)| *place) {
            self.held.truncate(end);
            return (std::mem::take(&mut self.held), Some(reason));
        }
        let kept = self.held.len() - self.may_begin();
        let rest = self.held.split_off(kept);
        (std::mem::replace(&mut self.held, rest), None)
    }

    /// What was held back, at the end.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// The length of the longest end of what is held that a stop text begins with.
    fn may_begin(&self) -> usize {
        let longest = |text: &str| {
            let most = text.len().saturating_sub(1).min(self.held.len());
            let mut ends = (1..=most).rev().filter(|size| text.is_char_boundary(*size));
            ends.find(|size| self.held.ends_with(&text[..*size]))
        };
        let texts = self.texts.iter();
        texts
            .filter_map(|(text, _)| longest(text))
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(texts: &[&str], pieces: &[&str]) -> (String, bool) {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let mut stops = StopTexts::new(&texts, &[]);
        let mut all = String::new();
        for piece in pieces {
            let (shown, ended) = stops.push(piece);
            all += &shown;
            if ended.is_some() {
                return (all, true);
            }
        }
        (all + &stops.finish(), false)
    }

    #[test]
    fn an_answer_ends_however_the_text_is_cut() {
        let answer = "Hé<b> <|en<|end|>more";
        for size in 1..=answer.chars().count() {
            let chars: Vec<char> = answer.chars().collect();
            let pieces: Vec<String> = chars
                .chunks(size)
                .map(|piece| piece.iter().collect())
                .collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            assert_eq!(
                run(&["<|end|>", "<|eot|>"], &pieces),
                ("Hé<b> <|en".to_owned(), true)
            );
        }
    }

    #[test]
    fn what_only_begins_like_one_is_shown() {
        assert_eq!(
            run(&["</s>"], &["a<", "/s", " b"]),
            ("a</s b".to_owned(), false)
        );
        assert_eq!(run(&["</s>"], &["a", "</s"]), ("a</s".to_owned(), false));
        assert_eq!(run(&["｜end"], &["a｜e", "x"]), ("a｜ex".to_owned(), false));
        assert_eq!(run(&[], &["</s>"]), ("</s>".to_owned(), false));
        assert_eq!(run(&["aab"], &["aa", "ab", "c"]), ("a".to_owned(), true));
    }

    #[test]
    fn the_first_of_several_counts() {
        assert_eq!(
            run(&["two", "one"], &["x one two"]),
            ("x ".to_owned(), true)
        );
    }

    #[test]
    fn it_is_told_whose_text_it_was() {
        let (model, request) = (["</s>".to_owned()], ["STOP".to_owned()]);
        let ended = |text| StopTexts::new(&model, &request).push(text).1;
        assert_eq!(ended("a</s>STOP"), Some(FinishReason::Stop));
        assert_eq!(ended("aSTOP</s>"), Some(FinishReason::StopString));
        assert_eq!(ended("aSTO"), None);
    }
}

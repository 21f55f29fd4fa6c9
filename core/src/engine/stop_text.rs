//! Texts that end an answer, for models whose stop ids are not known.

/// Looks for the texts in a stream of pieces. What may be the beginning of one is held back.
#[derive(Debug, Default)]
pub(super) struct StopTexts<'a> {
    texts: &'a [String],
    held: String,
}

impl<'a> StopTexts<'a> {
    pub fn new(texts: &'a [String]) -> Self {
        Self {
            texts,
            held: String::new(),
        }
    }

    /// The text that can be shown, and whether the answer has ended.
    pub fn push(&mut self, text: &str) -> (String, bool) {
        if self.texts.is_empty() {
            return (text.to_owned(), false);
        }
        self.held.push_str(text);
        let end = self
            .texts
            .iter()
            .filter_map(|text| self.held.find(text.as_str()))
            .min();
        if let Some(end) = end {
            let shown = self.held[..end].to_owned();
            self.held.clear();
            return (shown, true);
        }
        let kept = self.held.len() - self.may_begin();
        let rest = self.held.split_off(kept);
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// What was held back, at the end.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// The length of the longest end of what is held that a stop text begins with.
    fn may_begin(&self) -> usize {
        let longest = |text: &String| {
            let most = text.len().saturating_sub(1).min(self.held.len());
            let ends = (1..=most).rev().filter(|size| text.is_char_boundary(*size));
            ends.into_iter()
                .find(|size| self.held.ends_with(&text[..*size]))
        };
        self.texts.iter().filter_map(longest).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(texts: &[&str], pieces: &[&str]) -> (String, bool) {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let mut stops = StopTexts::new(&texts);
        let mut all = String::new();
        for piece in pieces {
            let (shown, ended) = stops.push(piece);
            all += &shown;
            if ended {
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
}

//! Names and sentences as words.

/// The words of a text, in lower case: runs of letters and digits, and points between digits (`1.2.1`).
pub(super) fn words(text: &str) -> Vec<Word> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| chars.get(at))
            .is_some_and(|one| one.1.is_ascii_digit())
    };
    let mut words: Vec<Word> = Vec::new();
    let mut apart = true;
    for (number, (at, char)) in chars.iter().enumerate() {
        let point = *char == '.' && is_digit(number.checked_sub(1)) && is_digit(Some(number + 1));
        if !char.is_alphanumeric() && !point {
            apart = true;
            continue;
        }
        let end = at + char.len_utf8();
        match words.last_mut() {
            Some(word) if !apart => {
                word.text.extend(char.to_lowercase());
                word.end = end;
            }
            _ => words.push(Word {
                text: char.to_lowercase().collect(),
                start: *at,
                end,
            }),
        }
        apart = false;
    }
    words
}

/// A word, and where it stands in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub start: usize,
    pub end: usize,
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn points_belong_to_numbers_only() {
        for (text, expected) in [
            ("gemma-2-9b-it-RK3588-1.1.2", "gemma 2 9b it rk3588 1.1.2"),
            ("Qwen2.5_3B.w8a8.rk3588", "qwen2.5 3b w8a8 rk3588"),
            ("M-Instruct.Q4_1.", "m instruct q4 1"),
            ("using ['W8A8'] (v1.2.1b1)!", "using w8a8 v1.2.1b1"),
            ("..--1..2", "1 2"),
            ("名前-7B", "名前 7b"),
            ("", ""),
        ] {
            let words: Vec<_> = words(text).into_iter().map(|word| word.text).collect();
            assert_eq!(words.join(" "), expected, "{text}");
        }
    }
}

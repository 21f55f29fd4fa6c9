//! What looks like a control token.

use std::ops::Range;

/// The longest that is looked at, in bytes.
const LONGEST: usize = 80;

/// The places of what looks like one: `<` to the next `>` with neither white space nor a further `<`
/// between, and capitals in square brackets.
pub(super) fn shaped(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    memchr::memchr2_iter(b'<', b'[', bytes).filter_map(move |start| {
        let closing = if bytes[start] == b'<' { b'>' } else { b']' };
        let window = &bytes[start..bytes.len().min(start + LONGEST)];
        let end = start + memchr::memchr(closing, window)? + 1;
        // Both ends are ASCII, so these are places in the text.
        let inside = &text[start + 1..end - 1];
        let looks = match closing {
            b'>' => !inside.is_empty() && !inside.contains(|c: char| c == '<' || c.is_whitespace()),
            _ => {
                let word = inside.strip_prefix('/').unwrap_or(inside);
                let of_word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(of_word)
            }
        };
        looks.then_some(start..end)
    })
}

/// Whether nothing but a control token is written so.
pub(super) fn is_unmistakable(shaped: &str) -> bool {
    let inside = |bar: char| {
        let inside = shaped.strip_prefix('<')?.strip_suffix('>')?;
        inside.strip_prefix(bar)?.strip_suffix(bar)
    };
    ['|', '｜']
        .into_iter()
        .any(|bar| inside(bar).is_some_and(|inside| !inside.is_empty()))
}

/// The text with `#` for each number in it.
pub(super) fn numberless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_other_text() {
        let found =
            |text: &'static str| -> Vec<&str> { shaped(text).map(|at| &text[at]).collect() };
        assert_eq!(
            found("a <b <s> < c > <> <｜User｜><<SYS>>[INST][/INST][x][A b][0] <|a b|>"),
            ["<s>", "<｜User｜>", "<SYS>", "[INST]", "[/INST]"]
        );
        let long = format!("<{}>", "a".repeat(LONGEST));
        assert_eq!(shaped(&long).count(), 0);
    }

    #[test]
    fn what_is_no_other_text() {
        let all = ["<|a|>", "<｜a▁b｜>", "<||>", "<|>", "<a|>", "<b>", "[A]"];
        let found: Vec<&str> = all
            .into_iter()
            .filter(|text| is_unmistakable(text))
            .collect();
        assert_eq!(found, ["<|a|>", "<｜a▁b｜>"]);
        assert_eq!(numberless("<unused12>x3"), "<unused#>x#");
    }
}

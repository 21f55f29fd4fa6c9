//! The YAML block at the head of a model card. Only texts and lists of texts at its top are read; the rest,
//! and what comes after a mistake in it, is passed over. The parser gives events, so that aliases are
//! never expanded, and what is too long or nested too deep is not read further.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};

/// Longer ones list evaluations; what is read here comes before.
const MAX_SIZE: usize = 64 << 10;
const MAX_DEPTH: usize = 32;

/// Texts by key.
pub(super) type FrontMatter = BTreeMap<String, Vec<String>>;

/// The front matter, and the card after it.
pub(super) fn split(card: &str) -> (&str, &str) {
    let is_fence = |line: &str| line.trim_end() == "---";
    let card = card.trim_start_matches('\u{feff}');
    let mut lines = card.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| is_fence(line)) else {
        return ("", card);
    };
    let start = first.len();
    let mut end = start;
    for line in lines {
        if is_fence(line) {
            return (&card[start..end], &card[end + line.len()..]);
        }
        end += line.len();
    }
    ("", card)
}

/// Reads front matter.
pub(super) fn read(text: &str) -> FrontMatter {
    let mut cut = text.len().min(MAX_SIZE);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let mut found = FrontMatter::new();
    let mut depth = 0;
    let mut key: Option<String> = None;
    for event in Parser::new_from_str(&text[..cut]) {
        let Ok((event, _)) = event else {
            break;
        };
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) if depth == MAX_DEPTH => break,
            Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
            Event::MappingEnd | Event::SequenceEnd => {
                depth -= 1;
                if depth == 1 {
                    key = None;
                }
            }
            // The value of a key.
            Event::Scalar(text, ..) if depth == 1 => match key.take() {
                None => key = Some(text.into_owned()),
                Some(key) => found.entry(key).or_default().push(text.into_owned()),
            },
            // One of a list that is the value; deeper mappings have keys and values alike.
            Event::Scalar(text, ..) if depth == 2 => {
                if let Some(key) = &key {
                    found
                        .entry(key.clone())
                        .or_default()
                        .push(text.into_owned());
                }
            }
            Event::Alias(_) if depth == 1 => key = None,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, key: &str) -> Vec<String> {
        read(text).remove(key).unwrap_or_default()
    }

    #[test]
    fn texts_and_lists_are_read() {
        let text = "license: gemma\nbase_model:\n- google/gemma-2-9b\n- 'b/c'\ntags: [x, \"y: z\"]\n\
                    title: >-\n  two\n  lines\nmodel-index:\n- name: m\n  results: [{a: 1}]\nlast: 1.10\n";
        assert_eq!(values(text, "license"), ["gemma"]);
        assert_eq!(values(text, "base_model"), ["google/gemma-2-9b", "b/c"]);
        assert_eq!(values(text, "tags"), ["x", "y: z"]);
        assert_eq!(values(text, "title"), ["two lines"]);
        assert_eq!(values(text, "last"), ["1.10"]);
    }

    #[test]
    fn what_comes_before_a_mistake_counts() {
        let text = "base_model: a/b\ntitle: one: two\n  - [\n";
        assert_eq!(values(text, "base_model"), ["a/b"]);
        assert!(read("\t\t- }{").is_empty());
    }

    #[test]
    fn the_block_is_between_two_lines_of_dashes() {
        assert_eq!(split("---\na: 1\n---\nrest\n"), ("a: 1\n", "rest\n"));
        assert_eq!(split("---\r\na: 1\r\n---\r\nrest"), ("a: 1\r\n", "rest"));
        assert_eq!(split("---\n---"), ("", ""));
        for card in [
            "",
            "# Title\n---\na: 1\n---\n",
            "---\na: 1\n",
            "----\na\n---\n",
        ] {
            assert_eq!(split(card), ("", card));
        }
    }

    #[test]
    fn hostile_blocks_end_soon() {
        let start = std::time::Instant::now();
        for text in [
            "[".repeat(1 << 20),
            "{a: ".repeat(1 << 18),
            "- ".repeat(1 << 19),
            "? ".repeat(1 << 19),
            format!("a: &a [x, x]\n{}", "b: [*a, *a, *a]\n".repeat(1 << 16)),
            "a: &x *x\n".repeat(1 << 10),
            format!("a: {}", "\"\\u0041".repeat(1 << 17)),
            "!".repeat(1 << 20),
        ] {
            read(&text);
        }
        assert!(start.elapsed().as_secs() < 10);
    }
}

//! Finding added tokens in a text, as `tokenizers` finds them, with a say in which of them count.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use tokenizers::AddedToken;

/// A part of a text: an added token with its id, or what is between two of them.
pub(crate) type Part = (Option<u32>, Range<usize>);

/// Added tokens by their spelling.
#[derive(Debug)]
pub(crate) struct Spellings {
    tokens: HashMap<String, (u32, AddedToken)>,
    /// By the first byte: how long the tokens are that begin with it, the longest first.
    lengths: [Vec<usize>; 256],
}

impl Spellings {
    pub fn new(tokens: impl IntoIterator<Item = (String, u32, AddedToken)>) -> Self {
        let mut lengths = [const { Vec::new() }; 256];
        let tokens: HashMap<String, (u32, AddedToken)> = tokens
            .into_iter()
            .filter(|(spelling, _, _)| !spelling.is_empty())
            .map(|(spelling, id, token)| (spelling, (id, token)))
            .collect();
        for spelling in tokens.keys() {
            let lengths = &mut lengths[usize::from(spelling.as_bytes()[0])];
            if !lengths.contains(&spelling.len()) {
                lengths.push(spelling.len());
            }
        }
        for lengths in &mut lengths {
            lengths.sort_unstable_by(|a, b| b.cmp(a));
        }
        Self { tokens, lengths }
    }

    /// The leftmost token at or after `from` that counts, the longest one there.
    fn find(
        &self,
        text: &str,
        from: usize,
        counts: &impl Fn(u32, Range<usize>) -> bool,
    ) -> Option<(Range<usize>, u32, &AddedToken)> {
        let bytes = text.as_bytes();
        (from..bytes.len()).find_map(|start| {
            self.lengths[usize::from(bytes[start])]
                .iter()
                .find_map(|length| {
                    let place = start..start + length;
                    let (id, token) = self.tokens.get(text.get(place.clone())?)?;
                    counts(*id, place.clone()).then_some((place, *id, token))
                })
        })
    }

    /// All places where a token is spelled, overlapping ones too.
    pub fn places<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (Range<usize>, u32)> + 'a {
        let bytes = text.as_bytes();
        (0..bytes.len()).flat_map(move |start| {
            let lengths = self.lengths[usize::from(bytes[start])].iter();
            lengths.filter_map(move |length| {
                let place = start..start + length;
                let (id, _) = self.tokens.get(text.get(place.clone())?)?;
                Some((place, *id))
            })
        })
    }

    /// Cuts a text at the tokens that count. One that does not is as if it were no token at all; the
    /// rest is what `AddedVocabulary` of `tokenizers` does.
    pub fn split(&self, text: &str, counts: impl Fn(u32, Range<usize>) -> bool) -> Vec<Part> {
        let mut parts = Vec::new();
        // Where the last part ends; where the search goes on, which `rstrip` does not move.
        let (mut done, mut from) = (0, 0);
        while let Some((place, id, token)) = self.find(text, from, &counts) {
            from = place.end;
            if token.single_word && !alone(text, &place) {
                continue;
            }
            let Range { mut start, mut end } = place;
            if token.lstrip {
                start = text[..start].trim_end().len().max(done);
            }
            if token.rstrip {
                end = text.len() - text[end..].trim_start().len();
            }
            if done < start {
                parts.push((None, done..start));
            }
            parts.push((Some(id), start..end));
            done = end;
        }
        if done < text.len() || text.is_empty() {
            parts.push((None, done..text.len()));
        }
        parts
    }
}

/// Whether no letter of a word touches the place.
fn alone(text: &str, place: &Range<usize>) -> bool {
    static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\w").expect("it is valid"));
    let is_word = |c: Option<char>| c.is_some_and(|c| WORD.is_match(c.encode_utf8(&mut [0; 4])));
    !is_word(text[..place.start].chars().next_back()) && !is_word(text[place.end..].chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spellings(tokens: &[AddedToken]) -> Spellings {
        let tokens = tokens.iter().cloned().zip(1..);
        Spellings::new(tokens.map(|(token, id)| (token.content.clone(), id, token)))
    }

    fn split<'a>(tokens: &[AddedToken], text: &'a str, refused: &[u32]) -> Vec<(u32, &'a str)> {
        let parts = spellings(tokens).split(text, |id, _| !refused.contains(&id));
        let part = |(id, place): Part| (id.unwrap_or(0), &text[place]);
        parts.into_iter().map(part).collect()
    }

    #[test]
    fn the_leftmost_longest_token_counts() {
        let token = |content: &str| AddedToken::from(content, true);
        let tokens = [token("<a"), token("<a>"), token("a>b"), token("é")];
        assert_eq!(
            split(&tokens, "x<a>bé", &[]),
            [(0, "x"), (2, "<a>"), (0, "b"), (4, "é")]
        );
        assert_eq!(
            split(&tokens, "x<a>b", &[2]),
            [(0, "x"), (1, "<a"), (0, ">b")]
        );
        assert_eq!(split(&tokens, "x<a>b", &[1, 2]), [(0, "x<"), (3, "a>b")]);
        assert_eq!(split(&tokens, "", &[]), [(0, "")]);
        assert_eq!(split(&[], "x", &[]), [(0, "x")]);
    }

    #[test]
    fn tokens_take_the_white_space_and_the_neighbours_that_they_say() {
        let tokens = [
            AddedToken::from("<l>", true).lstrip(true),
            AddedToken::from("<r>", true).rstrip(true),
            AddedToken::from("w", true).single_word(true),
        ];
        assert_eq!(
            split(&tokens, "a \t<l> <r>\n b", &[]),
            [(0, "a"), (1, " \t<l>"), (0, " "), (2, "<r>\n "), (0, "b")]
        );
        assert_eq!(
            split(&tokens, "<r> <l>w w_ éw ²w", &[]),
            [(2, "<r> "), (1, "<l>"), (3, "w"), (0, " w_ éw ²"), (3, "w")]
        );
        assert_eq!(split(&tokens, " <l>", &[1]), [(0, " <l>")]);
    }
}

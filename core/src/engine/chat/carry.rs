//! What is lost of a conversation's tokens when it goes on, and why.
//!
//! A prompt is always the canonical tokens of what the template renders. A runtime that reuses prompts
//! computes everything again from where that differs from what its cache has: the prompt before, and
//! its answer as it was generated.

use crate::surface::Result;

/// Tokens of the last prompt and its answer that the new prompt does not begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Lost {
    /// The same text, in other tokens.
    pub retokenized: u32,
    /// Another text.
    pub rewritten: u32,
}

/// Compares what the cache has with what comes.
pub(super) fn lost(
    old: &[u32],
    new: &[u32],
    decode: impl Fn(&[u32]) -> Result<String>,
) -> Result<Lost> {
    let common = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let mut same_text = common;
    if common < old.len() {
        // Decoders may treat the first token of a text in their own way, so it is one of both.
        let from = common.saturating_sub(1);
        let text = decode(&new[from..])?;
        let (mut low, mut high) = (common, old.len());
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let said = decode(&old[from..middle])?;
            // It may end inside a character.
            match text.starts_with(said.trim_end_matches(char::REPLACEMENT_CHARACTER)) {
                true => low = middle,
                false => high = middle - 1,
            }
        }
        same_text = low;
    }
    let count = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
    Ok(Lost {
        retokenized: count(same_text - common),
        rewritten: count(old.len() - same_text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids below 1000 are letters; others are the letters of their hundreds and their rest.
    fn decode(ids: &[u32]) -> Result<String> {
        let letter = |code: u32| char::from_u32(code).unwrap();
        let texts = ids.iter().map(|id| match id {
            ..1000 => letter(*id).to_string(),
            _ => format!("{}{}", letter(id / 1000), letter(id % 1000)),
        });
        Ok(texts.collect())
    }

    fn ids(text: &str) -> Vec<u32> {
        text.chars().map(u32::from).collect()
    }

    fn pair(text: &str) -> u32 {
        let codes = ids(text);
        codes[0] * 1000 + codes[1]
    }

    #[test]
    fn what_goes_on_loses_nothing() {
        let none = Lost {
            retokenized: 0,
            rewritten: 0,
        };
        assert_eq!(lost(&ids("ask"), &ids("ask more"), decode).unwrap(), none);
        assert_eq!(lost(&ids("ask"), &ids("ask"), decode).unwrap(), none);
        assert_eq!(lost(&[], &ids("ask"), decode).unwrap(), none);
    }

    #[test]
    fn the_same_text_in_other_tokens_is_told_from_another_text() {
        let old = [ids("ask:h"), ids("ello")].concat();
        let new = [ids("ask:"), vec![pair("he"), pair("ll")], ids("o, more")].concat();
        let found = lost(&old, &new, decode).unwrap();
        assert_eq!((found.retokenized, found.rewritten), (5, 0));
        let found = lost(&ids("ask:(hm) yes"), &ids("ask:yes and"), decode).unwrap();
        assert_eq!((found.retokenized, found.rewritten), (0, 8));
        let new = [ids("ask:"), vec![pair("he")], ids("y")].concat();
        let found = lost(&old, &new, decode).unwrap();
        assert_eq!((found.retokenized, found.rewritten), (2, 3));
    }

    #[test]
    fn a_prompt_that_is_shorter_or_differs_at_once_has_lost_the_rest() {
        let found = lost(&ids("abcd"), &ids("ab"), decode).unwrap();
        assert_eq!((found.retokenized, found.rewritten), (0, 2));
        let found = lost(&ids("abcd"), &ids("xbcd"), decode).unwrap();
        assert_eq!((found.retokenized, found.rewritten), (0, 4));
        let found = lost(&ids("ab"), &[], decode).unwrap();
        assert_eq!((found.retokenized, found.rewritten), (0, 2));
    }
}

//! Encoding a prompt so that a control token counts only where the template wrote it.
//!
//! The steps are those of `tokenizers`; only the first, which finds added tokens, is done here, with a
//! look at where each stands. What does not count is left in the text before it is normalized and cut
//! into words, so it gets the ids that any other text would.

use std::ops::Range;

use tokenizers::{
    Encoding, Model, NormalizedString, Normalizer, OffsetType, PreTokenizedString, PreTokenizer,
    Token,
};

use super::added::Spellings;
use super::{Tokenizer, failed, guarded};
use crate::surface::Result;
use crate::template::Rendered;

/// Added tokens, as they are found in a text.
#[derive(Debug)]
pub(super) struct Added {
    /// In the text as it is.
    plain: Spellings,
    /// In the normalized text.
    normalized: Spellings,
    /// What the model makes of text that it does not know: no sign of a forged token.
    unknown: Option<u32>,
}

impl Added {
    pub fn of(inner: &tokenizers::Tokenizer) -> Self {
        let vocabulary = inner.get_added_vocabulary();
        let spellings = |normalized: bool| {
            let tokens = vocabulary.get_added_tokens_decoder().iter();
            let tokens = tokens.filter(move |(_, token)| token.normalized == normalized);
            Spellings::new(tokens.map(|(id, token)| {
                let spelling = vocabulary.simple_id_to_token(*id);
                let spelling = spelling.unwrap_or_else(|| token.content.clone());
                (spelling, *id, token.clone())
            }))
        };
        let unknown = match inner.get_model() {
            tokenizers::ModelWrapper::BPE(bpe) => bpe.unk_token.as_deref(),
            tokenizers::ModelWrapper::WordPiece(model) => Some(model.unk_token.as_str()),
            tokenizers::ModelWrapper::WordLevel(model) => Some(model.unk_token.as_str()),
            tokenizers::ModelWrapper::Unigram(_) => Some("<unk>"),
        };
        Self {
            plain: spellings(false),
            normalized: spellings(true),
            unknown: unknown.and_then(|text| inner.token_to_id(text)),
        }
    }
}

/// Which tokens are control tokens and which places are not to be trusted with them.
struct Doubt<'a> {
    tokenizer: &'a Tokenizer,
    prompt: &'a Rendered,
    literals: &'a [String],
}

impl Doubt<'_> {
    fn forges(&self, id: u32, place: &Range<usize>) -> bool {
        self.prompt.is_untrusted(place) && self.tokenizer.is_control(id, self.literals)
    }
}

/// Where a part of a normalized text stands in the whole original.
fn original(sentence: &NormalizedString, part: Range<usize>) -> Range<usize> {
    let (start, end) = sentence.offsets_original();
    match sentence.convert_offsets(tokenizers::tokenizer::normalizer::Range::Normalized(part)) {
        Some(place) => start + place.start..start + place.end,
        None => start..end,
    }
}

impl Tokenizer {
    /// The control tokens as transformers tells them.
    pub(crate) fn is_control(&self, id: u32, literals: &[String]) -> bool {
        let added = self.inner.get_added_vocabulary().get_added_tokens_decoder();
        let control = &self.control;
        added
            .get(&id)
            .is_some_and(|token| control.has(&token.content, token.special, literals))
    }

    /// The first control token that the text spells with bytes from outside, as it is or normalized.
    pub(crate) fn forged(&self, prompt: &Rendered, literals: &[String]) -> Result<Option<String>> {
        let doubt = self.doubt(prompt, literals);
        let Added {
            plain, normalized, ..
        } = &self.added;
        let mut found = [plain, normalized]
            .into_iter()
            .flat_map(|set| set.places(&prompt.text))
            .find(|(place, id)| doubt.forges(*id, place));
        if let (None, Some(normalizer)) = (&found, self.inner.get_normalizer()) {
            let mut whole = NormalizedString::from(prompt.text.as_str());
            guarded(|| normalizer.normalize(&mut whole))?;
            found = normalized
                .places(whole.get())
                .find(|(place, id)| doubt.forges(*id, &original(&whole, place.clone())));
        }
        Ok(found.and_then(|(_, id)| self.inner.id_to_token(id)))
    }

    fn doubt<'a>(&'a self, prompt: &'a Rendered, literals: &'a [String]) -> Doubt<'a> {
        Doubt {
            tokenizer: self,
            prompt,
            literals,
        }
    }

    /// Encodes a prompt; bytes from outside never become a control token, nor a part of one.
    pub(super) fn encode_literal(
        &self,
        prompt: &Rendered,
        literals: &[String],
        offsets: OffsetType,
    ) -> Result<Encoding> {
        let doubt = self.doubt(prompt, literals);
        let pieces = guarded(|| {
            let mut pieces = PreTokenizedString::from(prompt.text.as_str());
            pieces.split(|_, sentence| Ok(doubt.split(&sentence, &self.added.plain)))?;
            pieces.split(|_, mut sentence| {
                if let Some(normalizer) = self.inner.get_normalizer() {
                    normalizer.normalize(&mut sentence)?;
                }
                Ok(doubt.split(&sentence, &self.added.normalized))
            })?;
            if let Some(pre_tokenizer) = self.inner.get_pre_tokenizer() {
                pre_tokenizer.pre_tokenize(&mut pieces)?;
            }
            pieces.tokenize(|piece| doubt.tokenize(piece))?;
            pieces.into_encoding(None, 0, offsets)
        })?;
        self.inner.post_process(pieces, None, false).map_err(failed)
    }
}

impl Doubt<'_> {
    fn split(
        &self,
        sentence: &NormalizedString,
        added: &Spellings,
    ) -> Vec<(NormalizedString, Option<Vec<Token>>)> {
        let counts = |id, place: Range<usize>| {
            let real = || !self.forges(id, &original(sentence, place.clone()));
            self.prompt.untrusted.is_empty() || real()
        };
        let parts = added.split(sentence.get(), counts).into_iter();
        parts
            .filter_map(|(id, place)| {
                let range = tokenizers::tokenizer::normalizer::Range::Normalized(place);
                let part = sentence.slice(range)?;
                let token = id.map(|id| {
                    let text = part.get().to_owned();
                    let end = text.len();
                    vec![Token::new(id, text, (0, end))]
                });
                Some((part, token))
            })
            .collect()
    }

    /// The model's tokens of a word. A vocabulary may have control tokens among its pieces, so that
    /// plain text comes out as one; such a text is cut after its first character.
    fn tokenize(&self, word: &NormalizedString) -> tokenizers::Result<Vec<Token>> {
        let text = word.get();
        let model = self.tokenizer.inner.get_model();
        let tokens = model.tokenize(text)?;
        if !self.prompt.is_untrusted(&original(word, 0..text.len())) {
            return Ok(tokens);
        }
        let forges = |token: &Token, start: usize| {
            let (from, to) = token.offsets;
            Some(token.id) != self.tokenizer.added.unknown
                && self.forges(token.id, &original(word, start + from..start + to))
        };
        if !tokens.iter().any(|token| forges(token, 0)) {
            return Ok(tokens);
        }
        let mut done = Vec::new();
        // What is left to do, the first part last.
        let mut parts: Vec<Range<usize>> = std::iter::once(0..text.len()).collect();
        while let Some(part) = parts.pop() {
            let tokens = model.tokenize(&text[part.clone()])?;
            let mut cuts = vec![part.start];
            for token in tokens.iter().filter(|token| forges(token, part.start)) {
                let place = part.start + token.offsets.0..part.start + token.offsets.1;
                let first = text[place.clone()].chars().next();
                let cut = place.start + first.map_or(0, char::len_utf8);
                if cut >= place.end {
                    return Err(format!(
                        "{:?} cannot be written as ordinary text: the vocabulary has no other way to spell it",
                        token.value
                    )
                    .into());
                }
                cuts.push(cut);
            }
            cuts.push(part.end);
            if cuts.len() > 2 {
                parts.extend(cuts.windows(2).rev().map(|ends| ends[0]..ends[1]));
                continue;
            }
            done.extend(tokens.into_iter().map(|mut token| {
                token.offsets = (token.offsets.0 + part.start, token.offsets.1 + part.start);
                token
            }));
        }
        Ok(done)
    }
}

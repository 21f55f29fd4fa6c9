//! Control tokens that text from outside spells, where the tokenizer is the runtime's or unknown.

use std::ops::Range;

use tokenizers::AddedToken;

use crate::model::Spelling;
use crate::surface::{Error, ErrorKind, Result};
use crate::template::Rendered;
use crate::tokenizer::Spellings;
use crate::vendor::Vocabulary;

/// Added tokens of a model by their spelling.
#[derive(Debug)]
pub(super) struct Spelled {
    tokens: Vec<Spelling>,
    spellings: Spellings,
}

/// A piece of a prompt, as it is handed to the runtime's tokenizer.
#[derive(Debug, PartialEq)]
enum Piece<'a> {
    /// A token that the template wrote.
    Token(u32),
    /// Any other text.
    Text(&'a str),
}

impl Spelled {
    pub fn new(tokens: Vec<Spelling>) -> Self {
        let numbered = tokens.iter().zip(0..);
        let spellings = Spellings::new(
            numbered.map(|(token, n)| (token.text.clone(), n, AddedToken::from("", true))),
        );
        Self { tokens, spellings }
    }

    /// What the template writes between angle brackets: all that is known where no file of the model
    /// tells its tokens.
    fn of_literals(literals: &[String]) -> Self {
        let spelled = |text: &str| Spelling {
            text: text.to_owned(),
            id: None,
            special: true,
        };
        let tokens = literals.iter().flat_map(|text| {
            text.match_indices('<').filter_map(move |(start, _)| {
                let rest = &text[start..];
                let token = &rest[..=rest.find('>')?];
                let plain = token[1..].contains('<') || token.contains(char::is_whitespace);
                (!plain && token.len() > 2).then(|| spelled(token))
            })
        });
        Self::new(tokens.collect())
    }

    fn is_control(&self, number: u32, literals: &[String]) -> bool {
        let token = &self.tokens[number as usize];
        let white = || token.text.chars().all(char::is_whitespace);
        token.special || (!white() && literals.iter().any(|text| text.contains(&token.text)))
    }

    /// Where control tokens are spelled with bytes from outside.
    fn forged<'a>(
        &'a self,
        prompt: &'a Rendered,
        literals: &'a [String],
    ) -> impl Iterator<Item = (Range<usize>, u32)> + 'a {
        let places = self.spellings.places(&prompt.text);
        places.filter(move |(place, number)| {
            prompt.is_untrusted(place) && self.is_control(*number, literals)
        })
    }

    /// Refuses a prompt that is handed over as text though someone outside wrote a control token.
    pub fn refuse(&self, prompt: &Rendered, literals: &[String]) -> Result<()> {
        let known;
        let spelled = if self.tokens.is_empty() {
            known = Self::of_literals(literals);
            &known
        } else {
            self
        };
        match spelled.forged(prompt, literals).next() {
            Some((_, number)) => Err(refusal(&spelled.tokens[number as usize].text)),
            None => Ok(()),
        }
    }

    /// Encodes with the runtime's tokenizer; bytes from outside never become a control token.
    pub fn encode(
        &self,
        prompt: &Rendered,
        literals: &[String],
        vocabulary: &dyn Vocabulary,
    ) -> std::result::Result<Vec<u32>, String> {
        let forged: Vec<Range<usize>> = self
            .forged(prompt, literals)
            .map(|(place, _)| place)
            .collect();
        if forged.is_empty() {
            return vocabulary.tokenize(&prompt.text, false, true);
        }
        // User-defined tokens are found without being asked for, so those are cut in two; the others
        // only where the model makes one of plain text.
        for cut_all in [false, true] {
            let cut = |place: &Range<usize>| {
                cut_all || self.is_found_unasked(&prompt.text[place.clone()])
            };
            let cuts: Vec<Range<usize>> =
                forged.iter().filter(|place| cut(place)).cloned().collect();
            let mut ids = Vec::new();
            let mut clean = true;
            for piece in self.pieces(prompt, literals, &cuts) {
                match piece {
                    Piece::Token(id) => ids.push(id),
                    Piece::Text(text) => {
                        let text = vocabulary.tokenize(text, false, false)?;
                        clean &= !text.iter().any(|id| self.is_special(*id));
                        ids.extend(text);
                    }
                }
            }
            if clean {
                return Ok(ids);
            }
        }
        Err(
            "the messages spell a control token that the vocabulary has no other way to spell"
                .into(),
        )
    }

    /// The prompt cut at the tokens that the template wrote, as the runtime's tokenizer cuts it itself,
    /// and after the first character of each place in `cuts`.
    fn pieces<'a>(
        &'a self,
        prompt: &'a Rendered,
        literals: &[String],
        cuts: &[Range<usize>],
    ) -> Vec<Piece<'a>> {
        let text = prompt.text.as_str();
        let counts = |number, place: Range<usize>| {
            let known = self.tokens[number as usize].id.is_some();
            known && !(prompt.is_untrusted(&place) && self.is_control(number, literals))
        };
        let mut pieces = Vec::new();
        for (number, place) in self.spellings.split(text, counts) {
            if let Some(id) = number.and_then(|number| self.tokens[number as usize].id) {
                pieces.push(Piece::Token(id));
                continue;
            }
            let mut start = place.start;
            let first = cuts.partition_point(|cut| cut.start < place.start);
            for cut in cuts[first..].iter().take_while(|cut| cut.end <= place.end) {
                let first = text[cut.start..].chars().next();
                let cut = cut.start + first.map_or(0, char::len_utf8);
                if cut > start {
                    pieces.push(Piece::Text(&text[start..cut]));
                    start = cut;
                }
            }
            if start < place.end {
                pieces.push(Piece::Text(&text[start..place.end]));
            }
        }
        pieces
    }

    fn is_special(&self, id: u32) -> bool {
        let mut tokens = self.tokens.iter();
        tokens.any(|token| token.special && token.id == Some(id))
    }

    fn is_found_unasked(&self, text: &str) -> bool {
        let mut tokens = self.tokens.iter();
        tokens.any(|token| token.text == text && !token.special)
    }
}

/// The error for text that spells a control token.
pub(super) fn refusal(token: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!(
            "the messages spell {token}, a control token, and the runtime is fed text, so it would count as one and \
             could forge a turn; take it out, put the model's tokenizer.json into its folder, or set \
             untrusted_content=transformers to let it count"
        ),
    )
    .with("control_token", token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelling(text: &str, id: u32, special: bool) -> Spelling {
        Spelling {
            text: text.to_owned(),
            id: Some(id),
            special,
        }
    }

    fn prompt(trusted: &str, untrusted: &str, rest: &str) -> Rendered {
        let start = trusted.len();
        Rendered {
            text: format!("{trusted}{untrusted}{rest}"),
            untrusted: std::iter::once(start..start + untrusted.len()).collect(),
            generation: Vec::new(),
        }
    }

    #[test]
    fn pieces_end_at_the_templates_tokens_only() {
        let spelled = Spelled::new(vec![
            spelling("<s>", 1, true),
            spelling("<think>", 2, false),
            spelling("\n", 3, false),
        ]);
        let literals = ["<think>\n".to_owned()];
        let prompt = prompt("<s><thi", "nk>a<s>\n<think>b<", "s><think>");
        let forged: Vec<_> = spelled.forged(&prompt, &literals).collect();
        assert_eq!(forged.len(), 4, "two whole ones and two halves: {forged:?}");
        let cuts = forged.into_iter().map(|(place, _)| place);
        let cuts: Vec<_> = cuts
            .filter(|place| spelled.is_found_unasked(&prompt.text[place.clone()]))
            .collect();
        assert_eq!(
            spelled.pieces(&prompt, &literals, &cuts),
            [
                Piece::Token(1),
                Piece::Text("<"),
                Piece::Text("think>a<s>"),
                Piece::Token(3),
                Piece::Text("<"),
                Piece::Text("think>b<s>"),
                Piece::Token(2),
            ]
        );
    }

    #[test]
    fn text_that_spells_a_token_is_refused() {
        let error = |spelled: &Spelled, content: &str, literal: &str| {
            let literals = [literal.to_owned()];
            spelled
                .refuse(&prompt("<|user|>", content, "<|end|>"), &literals)
                .err()
                .map(|error| {
                    error.details()["control_token"]
                        .as_str()
                        .unwrap()
                        .to_owned()
                })
        };
        let none = Spelled::new(Vec::new());
        let literal = "<|user|>{{ x }}<|end|>\n< a > <b c> <>";
        assert_eq!(
            error(&none, "a <|end|>", literal).as_deref(),
            Some("<|end|>")
        );
        assert_eq!(error(&none, "<|other|> < a > <b c> <>", literal), None);
        let some = Spelled::new(vec![spelling("[X]", 1, true), spelling("[Y]", 2, false)]);
        assert_eq!(error(&some, "<|end|>[X]", literal).as_deref(), Some("[X]"));
        assert_eq!(error(&some, "[Y]", literal), None);
        assert_eq!(error(&some, "[Y]", "[Y]").as_deref(), Some("[Y]"));
    }
}

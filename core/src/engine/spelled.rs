//! Control tokens that text from outside spells, where the tokenizer is the runtime's or unknown.

use std::collections::HashSet;
use std::ops::Range;

use tokenizers::AddedToken;

use super::marks;
use crate::model::{Control, Spelling};
use crate::surface::{Error, ErrorKind, Result};
use crate::template::Rendered;
use crate::tokenizer::Spellings;
use crate::vendor::Vocabulary;

/// What the runtime's own control token for text that it does not know is called. It stands for no turn,
/// and ordinary text may come out as it.
const UNKNOWN: &str = "<unk>";

/// Added tokens of a model by their spelling.
#[derive(Debug)]
pub(super) struct Spelled {
    control: Control,
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
    /// Takes what the files tell, and what the templates write. The runtime's tokenizer, where it is asked,
    /// knows better which of it are control tokens.
    pub fn new(
        mut control: Control,
        written: &[String],
        vocabulary: Option<&dyn Vocabulary>,
    ) -> Self {
        let known: HashSet<String> = control
            .tokens
            .iter()
            .filter(|token| token.special && token.id.is_some())
            .map(|token| token.text.clone())
            .collect();
        let shaped = written
            .iter()
            .flat_map(|text| marks::shaped(text).map(|place| text[place].to_owned()));
        let shaped: HashSet<String> = shaped.filter(|text| !known.contains(text)).collect();
        match vocabulary {
            Some(vocabulary) => {
                let doubtful = control.doubtful.iter().cloned();
                let of_files = control.tokens.iter().map(|token| token.text.clone());
                let asked: HashSet<String> = shaped
                    .into_iter()
                    .chain(doubtful)
                    .chain(of_files)
                    .filter(|text| text != UNKNOWN && !known.contains(text))
                    .collect();
                for text in asked {
                    if let Some(id) = special_id(&text, vocabulary) {
                        add(&mut control.tokens, text, Some(id));
                    }
                }
            }
            None if !control.told => {
                for text in shaped {
                    add(&mut control.tokens, text, None);
                }
            }
            None => {}
        }
        let numbered = control.tokens.iter().zip(0..);
        let spellings = Spellings::new(
            numbered.map(|(token, n)| (token.text.clone(), n, AddedToken::from("", true))),
        );
        Self { control, spellings }
    }

    fn is_control(&self, number: u32, literals: &[String]) -> bool {
        let token = &self.control.tokens[number as usize];
        self.control
            .chosen
            .has(&token.text, token.special, literals)
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
        if let Some((_, number)) = self.forged(prompt, literals).next() {
            return Err(refusal(&self.control.tokens[number as usize].text));
        }
        if self.control.told {
            return Ok(());
        }
        let text = prompt.text.as_str();
        let forged = || marks::shaped(text).filter(|place| prompt.is_untrusted(place));
        let like_one = |shaped: &str| {
            let numbered = || self.control.numbered.contains(&&*marks::numberless(shaped));
            self.control.guessed && marks::is_unmistakable(shaped) || numbered()
        };
        if let Some(place) = forged().find(|place| like_one(&text[place.clone()])) {
            return Err(refusal(&text[place]));
        }
        // What this conversation made the template write, as options may.
        let trusted = prompt
            .trusted()
            .flat_map(|part| marks::shaped(part).map(|at| &part[at]));
        let written: HashSet<&str> = trusted.collect();
        match forged().find(|place| written.contains(&text[place.clone()])) {
            Some(place) => Err(refusal(&text[place])),
            None => Ok(()),
        }
    }

    /// Refuses a prompt in which the runtime's tokenizer finds a control token that someone outside wrote,
    /// though no file tells of it.
    pub fn refuse_unlisted(&self, prompt: &Rendered, vocabulary: &dyn Vocabulary) -> Result<()> {
        let failed = |message: String| Error::new(ErrorKind::Tokenizer, message);
        let Some(text) = unlisted(prompt, vocabulary).map_err(failed)? else {
            return Ok(());
        };
        let mut shaped = marks::shaped(text).map(|place| &text[place]);
        let token = shaped.find(|text| special_id(text, vocabulary).is_some());
        Err(refusal(token.unwrap_or(text)))
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
        if forged.is_empty() && unlisted(prompt, vocabulary)?.is_none() {
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
            let (mut clean, mut goes_on) = (true, false);
            for piece in self.pieces(prompt, literals, &cuts) {
                match piece {
                    Piece::Token(id) => {
                        ids.push(id);
                        goes_on = false;
                    }
                    Piece::Text(text) => {
                        let text = match goes_on {
                            true => continued(text, vocabulary)?,
                            false => vocabulary.tokenize(text, false, false)?,
                        };
                        goes_on = true;
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
            let known = self.control.tokens[number as usize].id.is_some();
            known && !(prompt.is_untrusted(&place) && self.is_control(number, literals))
        };
        let mut pieces = Vec::new();
        for (number, place) in self.spellings.split(text, counts) {
            if let Some(id) = number.and_then(|number| self.control.tokens[number as usize].id) {
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
        let mut tokens = self.control.tokens.iter();
        tokens.any(|token| token.special && token.id == Some(id))
    }

    fn is_found_unasked(&self, text: &str) -> bool {
        let mut tokens = self.control.tokens.iter();
        tokens.any(|token| token.text == text && !token.special)
    }
}

/// Adds a control token, or what is known of one.
fn add(tokens: &mut Vec<Spelling>, text: String, id: Option<u32>) {
    match tokens.iter_mut().find(|token| token.text == text) {
        Some(token) => {
            token.id = token.id.or(id);
            token.special = true;
        }
        None => tokens.push(Spelling {
            text,
            id,
            special: true,
        }),
    }
}

/// The id of a text that the runtime takes for a control token.
fn special_id(text: &str, vocabulary: &dyn Vocabulary) -> Option<u32> {
    let ids = vocabulary.tokenize(text, false, true).ok()?;
    let [id] = ids[..] else {
        return None;
    };
    let plain = vocabulary.tokenize(text, false, false).ok()?;
    (plain != [id]).then_some(id)
}

/// The first text from outside in which the runtime finds a control token.
fn unlisted<'a>(
    prompt: &'a Rendered,
    vocabulary: &dyn Vocabulary,
) -> std::result::Result<Option<&'a str>, String> {
    for span in &prompt.untrusted {
        let text = &prompt.text[span.clone()];
        if vocabulary.tokenize(text, false, true)? != vocabulary.tokenize(text, false, false)? {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// The ids of text that goes on after other text. Some vocabularies put a space before each text that they
/// are given; that one comes before a character that makes no longer token with any other.
fn continued(text: &str, vocabulary: &dyn Vocabulary) -> std::result::Result<Vec<u32>, String> {
    const ALONE: &str = "\u{1}";
    let tokenize = |text: &str| vocabulary.tokenize(text, false, false);
    let before = tokenize(ALONE)?;
    if tokenize(&ALONE.repeat(2))?.len() == 2 * before.len() {
        return tokenize(text);
    }
    let mut ids = tokenize(&format!("{ALONE}{text}"))?;
    if !ids.starts_with(&before) {
        return tokenize(text);
    }
    ids.drain(..before.len());
    Ok(ids)
}

/// The error for text that spells a control token.
pub(super) fn refusal(token: &str) -> Error {
    let shown = token.escape_debug();
    Error::new(
        ErrorKind::InvalidArgument,
        format!(
            "the messages spell {shown}, a control token, and the runtime is fed text, so it would count as one and \
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

    /// Tokens that the model's files tell.
    fn told(tokens: Vec<Spelling>) -> Control {
        Control {
            told: true,
            tokens,
            ..Control::default()
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
        let tokens = vec![
            spelling("<s>", 1, true),
            spelling("<think>", 2, false),
            spelling("\n", 3, false),
        ];
        let spelled = Spelled::new(told(tokens), &[], None);
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
        let error = |control: &Control, content: &str, literal: &str| {
            let literals = [literal.to_owned()];
            let spelled = Spelled::new(control.clone(), &literals, None);
            let refused = spelled.refuse(&prompt("<|user|>", content, "<|end|>"), &literals);
            refused.err().map(|error| {
                let token = error.details()["control_token"].as_str();
                token.unwrap().to_owned()
            })
        };
        let family = Control {
            numbered: vec!["<unused#>"],
            ..Control::default()
        };
        let literal = "<|user|>{{ x }}<|end|>\n< a > <b c> <>";
        let ends = Some("<|end|>".to_owned());
        assert_eq!(error(&family, "a <|end|>", literal), ends);
        assert_eq!(error(&family, "a <|end|>", ""), ends, "it is in the prompt");
        assert_eq!(error(&family, "<|other|> < a > <b c> <>", literal), None);
        assert_eq!(error(&family, "<unused12>", ""), Some("<unused12>".into()));
        assert_eq!(error(&family, "<unused>", ""), None);
        let guessed = Control {
            guessed: true,
            ..Control::default()
        };
        assert_eq!(error(&guessed, "<|other|>", ""), Some("<|other|>".into()));
        assert_eq!(error(&guessed, "<b> a < b", ""), None);
        let some = told(vec![spelling("[X]", 1, true), spelling("[Y]", 2, false)]);
        assert_eq!(error(&some, "<|end|>[X]", literal).as_deref(), Some("[X]"));
        assert_eq!(error(&some, "[Y]", literal), None);
        assert_eq!(error(&some, "[Y]", "[Y]").as_deref(), Some("[Y]"));
    }

    /// A vocabulary of bytes that puts a space before each text, as SentencePiece's do, and has one
    /// control token.
    struct Spaced;

    impl Vocabulary for Spaced {
        fn tokenize(
            &self,
            text: &str,
            _: bool,
            parse_special: bool,
        ) -> std::result::Result<Vec<u32>, String> {
            let parts: Vec<&str> = match parse_special {
                true => text.split("</s>").collect(),
                false => vec![text],
            };
            let ids = |part: &&str| -> Vec<u32> {
                let spaced = (!part.is_empty()).then(|| format!(" {part}"));
                spaced.unwrap_or_default().bytes().map(u32::from).collect()
            };
            let parts: Vec<Vec<u32>> = parts.iter().map(ids).collect();
            Ok(parts.join(&1000))
        }

        fn detokenize(&self, _: &[u32], _: bool) -> std::result::Result<Vec<u8>, String> {
            Err("not asked".into())
        }
    }

    #[test]
    fn the_runtime_is_asked_what_no_file_tells() {
        let control = Control {
            doubtful: vec!["</s>".to_owned(), "<x>".to_owned()],
            ..told(Vec::new())
        };
        let spelled = Spelled::new(control, &[], Some(&Spaced));
        assert_eq!(spelled.control.tokens, [spelling("</s>", 1000, true)]);
        let forged = prompt("a</s>", "b</s>", "</s>");
        let encode = |spelled: &Spelled| spelled.encode(&forged, &[], &Spaced).unwrap();
        let bytes = |text: &str| text.bytes().map(u32::from).collect::<Vec<u32>>();
        let expected = [bytes(" a"), vec![1000], bytes(" b</s>"), vec![1000]].concat();
        assert_eq!(encode(&spelled), expected);
        // Where nobody thought of it, it is text in the messages all the same.
        let none = Spelled::new(told(Vec::new()), &[], Some(&Spaced));
        assert!(!encode(&none).contains(&1000));
        let error = none.refuse_unlisted(&forged, &Spaced).unwrap_err();
        assert_eq!(error.details()["control_token"], "</s>");
        none.refuse_unlisted(&prompt("</s>", "b", ""), &Spaced)
            .unwrap();
    }

    #[test]
    fn text_that_goes_on_gets_no_space() {
        let control = told(vec![spelling("<x>", 7, false)]);
        let spelled = Spelled::new(control, &[], None);
        let ids = spelled
            .encode(&prompt("<x>", "a<x>b", ""), &["<x>".to_owned()], &Spaced)
            .unwrap();
        let mut expected = vec![7];
        expected.extend(" a<x>b".bytes().map(u32::from));
        assert_eq!(ids, expected);
    }
}

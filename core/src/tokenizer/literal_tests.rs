//! Prompts in which someone outside spells control tokens.

use std::borrow::Cow;

use std::ops::Range;
use std::path::Path;

use serde_json::json;

use super::Tokenizer;
use super::tests::real;
use crate::surface::{ErrorKind, Json, UntrustedContent};
use crate::template::Rendered;

/// The texts of the battery that all languages share.
fn battery() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/texts.jsonl");
    let lines = std::fs::read_to_string(file).unwrap();
    let text = |line: &str| {
        let line: Json = serde_json::from_str(line).unwrap();
        line["text"].as_str().unwrap().to_owned()
    };
    lines.lines().map(text).collect()
}

fn prompt(text: &str, untrusted: &[Range<usize>]) -> Rendered {
    Rendered {
        text: text.to_owned(),
        untrusted: untrusted.to_vec(),
        generation: Vec::new(),
    }
}

fn one(range: Range<usize>) -> [Range<usize>; 1] {
    [range]
}

fn literal(tokenizer: &Tokenizer, prompt: &Rendered, literals: &[String]) -> Vec<u32> {
    let literal = UntrustedContent::Literal;
    tokenizer.encode_prompt(prompt, literals, literal).unwrap()
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.encode(text, false).unwrap()
}

/// Whether the text has what could be taken for a control token of any model.
fn looks_special(tokenizer: &Tokenizer, text: &str) -> bool {
    tokenizer
        .forged(&prompt(text, &one(0..text.len())), &[])
        .unwrap()
        .is_some()
}

#[test]
fn nothing_changes_where_nothing_is_forged() {
    for (name, tokenizer) in real() {
        for text in battery() {
            let plain = ids(tokenizer, &text);
            assert_eq!(
                literal(tokenizer, &prompt(&text, &[]), &[]),
                plain,
                "{name}: {text}"
            );
            if !looks_special(tokenizer, &text) {
                let all = prompt(&text, &one(0..text.len()));
                assert_eq!(literal(tokenizer, &all, &[]), plain, "{name}: {text}");
            }
        }
    }
}

#[test]
fn a_forged_token_is_text_and_the_templates_own_is_not() {
    for (name, tokenizer) in real() {
        let unknown = tokenizer.token_to_id("<unk>");
        let special: Vec<u32> = tokenizer
            .special_tokens()
            .iter()
            .map(|(_, id)| *id)
            .collect();
        for (token, id) in tokenizer.special_tokens() {
            for (before, after) in [("", ""), ("a ", " b"), ("\n", "\n"), ("x", "y")] {
                let content = format!("{before}{token}{after}");
                let text = format!("{token}{content}{token}");
                let place = token.len()..token.len() + content.len();
                let found = literal(tokenizer, &prompt(&text, &[place]), &[]);
                let controls: Vec<u32> = found
                    .iter()
                    .copied()
                    .filter(|id| special.contains(id) && Some(*id) != unknown)
                    .collect();
                if Some(*id) == unknown {
                    assert!(controls.is_empty(), "{name}: {text}");
                    continue;
                }
                assert_eq!(controls, [*id, *id], "{name}: {text}");
                assert_eq!((found[0], found[found.len() - 1]), (*id, *id));
            }
        }
    }
}

#[test]
fn halves_from_both_sides_make_no_token() {
    for (name, tokenizer) in real() {
        let special: Vec<u32> = tokenizer
            .special_tokens()
            .iter()
            .map(|(_, id)| *id)
            .collect();
        let unknown = tokenizer.token_to_id("<unk>");
        for (token, _) in tokenizer.special_tokens().iter().take(20) {
            for cut in (1..token.len()).filter(|cut| token.is_char_boundary(*cut)) {
                for place in [0..cut, cut..token.len()] {
                    let found = literal(tokenizer, &prompt(token, &[place]), &[]);
                    let forged = found.iter().find(|id| special.contains(id));
                    assert!(
                        forged.is_none() || forged.copied() == unknown,
                        "{name}: {token} {cut}"
                    );
                }
            }
        }
    }
}

/// A tokenizer over these pieces, the special ones first.
fn small(special: &[&str], model: Json, pre_tokenizer: Json, normalizer: Json) -> Tokenizer {
    let added: Vec<Json> = special
        .iter()
        .enumerate()
        .map(|(id, text)| {
            json!({"id": id, "content": text, "single_word": false, "lstrip": true, "rstrip": true,
                   "normalized": !normalizer.is_null(), "special": true})
        })
        .collect();
    let file = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": null,
        "decoder": null, "model": model
    });
    Tokenizer::from_json(file.to_string().as_bytes()).unwrap()
}

/// Pieces with their scores, as a SentencePiece vocabulary has its control tokens among them.
fn unigram(pieces: &[&str]) -> Json {
    let pieces: Vec<Json> = pieces.iter().map(|piece| json!([piece, -1.0])).collect();
    json!({"type": "Unigram", "unk_id": 0, "vocab": pieces, "byte_fallback": false})
}

#[test]
fn a_vocabulary_that_makes_control_tokens_of_plain_text_is_kept_from_it() {
    let pieces = ["<unk>", "<s>", "<", "s", ">", "a", "<s", "s>", "▁"];
    let tokenizer = small(&["<unk>", "<s>"], unigram(&pieces), Json::Null, Json::Null);
    assert_eq!(ids(&tokenizer, "a<s>"), [5, 1]);
    let found = literal(&tokenizer, &prompt("<s>a<s><s>", &one(3..10)), &[]);
    assert_eq!(found, [1, 5, 2, 7, 2, 7]);
    // Nothing else is in the vocabulary to spell it with.
    let model = json!({"type": "WordLevel", "vocab": {"<s>": 0, "a": 1, "?": 2}, "unk_token": "?"});
    let tokenizer = small(
        &["<s>"],
        model,
        json!({"type": "WhitespaceSplit"}),
        Json::Null,
    );
    let found = literal(&tokenizer, &prompt("<s> a <s>", &one(4..9)), &[]);
    assert_eq!(found, [0, 1, 2, 2], "cut in two unknown words");
    let model = json!({"type": "WordLevel", "vocab": {"!": 0, "a": 1, "?": 2}, "unk_token": "?"});
    let tokenizer = small(
        &["!"],
        model,
        json!({"type": "WhitespaceSplit"}),
        Json::Null,
    );
    let error = tokenizer
        .encode_prompt(&prompt("a !", &one(0..3)), &[], UntrustedContent::Literal)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tokenizer);
    assert!(
        error.message().contains("\"!\" cannot be written"),
        "{error}"
    );
}

#[test]
fn white_space_and_prefixes_are_those_of_plain_text() {
    let pieces = ["<unk>", "<s>", "<", "s", ">", "a", "▁", "▁a", "▁<"];
    for scheme in ["first", "always", "never"] {
        let metaspace = json!({"type": "Metaspace", "replacement": "▁",
                               "prepend_scheme": scheme, "split": true});
        let tokenizer = small(
            &["<unk>", "<s>"],
            unigram(&pieces),
            metaspace.clone(),
            Json::Null,
        );
        // The same text where nothing is added: what a literal token has to come out as.
        let plain = small(&[], unigram(&pieces), metaspace, Json::Null);
        for content in ["a <s>", " <s> a", "<s>", "a  <s>  a"] {
            // `<s>` spelled out of pieces: the vocabulary's own `<s>` is what is kept out.
            let found = literal(&tokenizer, &prompt(content, &one(0..content.len())), &[]);
            let tokens = |ids: &[u32], tokenizer: &Tokenizer| tokenizer.decode(ids, false).unwrap();
            let joined = tokens(&found, &tokenizer).replace(' ', "");
            let plain = tokens(&ids(&plain, content), &plain).replace(' ', "");
            assert_eq!(joined, plain, "{scheme}: {content}");
            assert!(!found.contains(&1));
        }
    }
}

#[test]
fn a_token_that_only_the_normalizer_makes_is_none() {
    let model = json!({"type": "WordLevel", "vocab": {"<s>": 0, "a": 1, "?": 2}, "unk_token": "?"});
    let tokenizer = small(
        &["<s>"],
        model,
        json!({"type": "WhitespaceSplit"}),
        json!({"type": "NFKC"}),
    );
    let text = "<s> \u{ff1c}s\u{ff1e}";
    assert_eq!(ids(&tokenizer, text), [0, 0]);
    assert_eq!(
        literal(&tokenizer, &prompt(text, &one(4..text.len())), &[]),
        [0, 2, 2]
    );
}

#[test]
fn added_tokens_count_as_control_tokens_where_the_template_has_them() {
    let Some((_, tokenizer)) = real().iter().find(|(name, _)| name == "qwen3") else {
        return;
    };
    let text = "<think>\n<tool_call>";
    let all = prompt(text, &one(0..text.len()));
    let plain = ids(tokenizer, text);
    assert_eq!(literal(tokenizer, &all, &[]), plain, "neither is special");
    let found = literal(tokenizer, &all, &["a <think>b".to_owned()]);
    let (think, call) = (plain[0], plain[plain.len() - 1]);
    assert!(
        !found.contains(&think) && found.contains(&call),
        "{found:?}"
    );
    assert_eq!(tokenizer.decode(&found, false).unwrap(), text);
    assert_eq!(
        tokenizer
            .forged(&all, &["<think>".to_owned()])
            .unwrap()
            .as_deref(),
        Some("<think>")
    );
}

#[test]
fn a_mask_covers_the_generation_blocks() {
    let model = json!({"type": "WordLevel", "unk_token": "?",
                       "vocab": {"<s>": 0, "one": 1, "two": 2, "three": 3, "?": 4}});
    let file = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null,
        "decoder": null, "model": model
    });
    let tokenizer = Tokenizer::from_json(file.to_string().as_bytes()).unwrap();
    let mask = |blocks: &[Range<usize>], content| {
        let mut prompt = prompt("one two thr\u{e9}e one", &[]);
        prompt.generation = blocks.to_vec();
        tokenizer.assistant_mask(&prompt, &[], content).unwrap()
    };
    for content in [UntrustedContent::Literal, UntrustedContent::Transformers] {
        assert_eq!(mask(&[], content), [0, 0, 0, 0]);
        assert_eq!(mask(&one(4..7), content), [0, 1, 0, 0]);
        assert_eq!(mask(&[4..7, 8..14], content), [0, 1, 1, 0]);
        // In transformers a block whose last token is the first of all goes on to the end.
        assert_eq!(mask(&one(0..3), content), [1, 1, 1, 1]);
        // A block that begins between tokens ends the search, one that ends there goes on to the end.
        assert_eq!(mask(&[3..7, 8..14], content), [0, 0, 0, 0]);
        assert_eq!(mask(&one(4..8), content), [0, 1, 1, 1]);
    }
}

/// Hostile prompts cost no more than others: nothing is done again for each forged token.
#[test]
fn many_forged_tokens_take_linear_time() {
    let pieces = ["<unk>", "<s>", "<", "s", ">", "a"];
    let tokenizer = small(&["<unk>", "<s>"], unigram(&pieces), Json::Null, Json::Null);
    let text = "<s>".repeat(20_000);
    let found = literal(&tokenizer, &prompt(&text, &one(0..text.len())), &[]);
    assert_eq!(found.len(), 60_000);
}

/// A `tokenizer.json` of letters, with these steps and added tokens.
fn letters(normalizer: Json, pre_tokenizer: Json, added: Json) -> Vec<u8> {
    let letters = ['▁', ' ', '<', '>', '/', 's', 'E', 'O', 'S', '[', ']'];
    let vocabulary: serde_json::Map<String, Json> = letters
        .iter()
        .zip(0..)
        .map(|(letter, id)| (letter.to_string(), id.into()))
        .collect();
    let file = json!({"version": "1.0", "added_tokens": added, "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer, "model": {"type": "BPE", "vocab": vocabulary, "merges": []}});
    file.to_string().into_bytes()
}

fn added(content: &str, special: bool, normalized: bool) -> Json {
    json!({"id": 20, "content": content, "special": special, "normalized": normalized,
           "single_word": false, "lstrip": false, "rstrip": false})
}

/// What a normalizer took away at the start is no part of the text that a later step looks at.
#[test]
fn steps_see_what_they_see_where_there_are_no_added_tokens() {
    let strip = json!({"type": "Strip", "strip_left": true, "strip_right": true});
    let first =
        json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true});
    for tokens in [
        json!([]),
        json!([added("<s>", true, true)]),
        json!([added("<s>", true, false)]),
    ] {
        let file = letters(strip.clone(), first.clone(), tokens);
        let tokenizer = Tokenizer::from_json(&file).unwrap();
        for text in [" EOS ", "EOS", " E O"] {
            let found = literal(&tokenizer, &prompt(text, &one(0..text.len())), &[]);
            assert_eq!(found, ids(&tokenizer, text), "{text:?}");
        }
    }
}

#[test]
fn a_token_that_only_the_normalizer_makes_is_found() {
    let file = letters(
        json!({"type": "NFKC"}),
        Json::Null,
        json!([added("<s>", true, true)]),
    );
    let tokenizer = Tokenizer::from_json(&file).unwrap();
    assert!(looks_special(&tokenizer, "O＜s＞"));
    assert!(!looks_special(&tokenizer, "O＜S＞"));
}

/// Templates that put tokens together have them named in the configuration.
#[test]
fn the_configuration_may_name_the_control_tokens() {
    let with = |config: Json| {
        let file = letters(Json::Null, Json::Null, json!([added("[S]", false, false)]));
        let beside = super::Beside {
            config: Cow::Owned(config),
            model: &Json::Null,
        };
        Tokenizer::with(file, &beside)
    };
    let forged = |config: Json, literal: &str| {
        let tokenizer = with(config).unwrap();
        let ids = self::literal(
            &tokenizer,
            &prompt("[S]", &one(0..3)),
            &[literal.to_owned()],
        );
        assert_eq!(self::ids(&tokenizer, "[S]").len(), 1);
        ids.len() > 1
    };
    assert!(!forged(json!({}), ""));
    assert!(forged(json!({}), "[S]"));
    assert!(forged(json!({"chat_control_tokens": ["[S]"]}), ""));
    assert!(
        !forged(json!({"chat_control_tokens": []}), "[S]"),
        "it is used instead"
    );
    let error = with(json!({"chat_control_tokens": "[S]"})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tokenizer);
}

//! Which family a model is of.

use super::super::words::words;
use super::{FAMILIES, Family};

/// Derivatives that talk in another way than the model in their name, and kinds that do not talk.
const OTHERS: [&str; 30] = [
    "hermes",
    "openhermes",
    "dolphin",
    "tinydolphin",
    "orca",
    "zephyr",
    "vicuna",
    "alpaca",
    "wizardlm",
    "wizard",
    "openchat",
    "starling",
    "nemotron",
    "chatqa",
    "tulu",
    "solar",
    "chatml",
    "hammer",
    "xlam",
    "functionary",
    "embedding",
    "embed",
    "reranker",
    "guard",
    "omni",
    "math",
    "audio",
    "captioner",
    "asr",
    "tts",
];

/// The family that a model's name tells. Names that may mean several, or one that is not in the list, tell
/// none.
pub fn by_name(name: &str) -> Option<&'static Family> {
    let words: Vec<String> = words(name).into_iter().map(|word| word.text).collect();
    if words.iter().any(|word| OTHERS.contains(&word.as_str())) {
        return None;
    }
    // The most telling words come first: DeepSeek-R1-Distill-Qwen is no Qwen.
    let rules: [(&str, Rule); 13] = [
        ("deepseek", deepseek),
        ("tinyllama", |_, _| Some("tinyllama")),
        ("smollm", smollm),
        ("minicpm", minicpm),
        ("internlm", internlm),
        ("chatglm", chatglm),
        ("telechat", telechat),
        ("rwkv", rwkv),
        ("phi", phi),
        ("codeqwen", codeqwen),
        ("qwen", qwen),
        ("gemma", gemma),
        ("llama", llama),
    ];
    for (stem, rule) in rules {
        let mut met = false;
        for (at, word) in words.iter().enumerate() {
            let Some(rest) = word.strip_prefix(stem) else {
                continue;
            };
            // What follows the stem in its word is a version, or it is another word.
            let is_version = rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit());
            if !is_version && !rest.starts_with('v') {
                continue;
            }
            met = true;
            let version = Version::of(rest, &words[at + 1..]);
            if let Some(id) = rule(&version, &words) {
                return family(id);
            }
        }
        if met {
            return None;
        }
    }
    None
}

type Rule = fn(&Version, &[String]) -> Option<&'static str>;

fn family(id: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.id == id)
}

/// The version that follows a family's stem: `2.5` of `qwen2.5`, `qwen-2.5` and `qwen2_5`.
struct Version(String);

impl Version {
    fn of(rest: &str, after: &[String]) -> Self {
        let rest = rest.trim_start_matches('v');
        let number = |word: &&String| {
            let word = word.trim_start_matches('v');
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.')
        };
        let (first, after) = match rest {
            "" => match after.first().filter(number) {
                Some(first) => (first.trim_start_matches('v'), &after[1..]),
                None => return Self(after.first().cloned().unwrap_or_default()),
            },
            rest => (rest, after),
        };
        // qwen2_5 is 2.5, but in qwen2-1_5b and internlm2-1_8b 1 begins the size.
        let minor = after.first().filter(|word| {
            let is_digit = word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_digit());
            let begins_size = *word == "1" && after.get(1).is_some_and(|next| is_size(next));
            is_digit && first.len() == 1 && !begins_size
        });
        match minor {
            Some(minor) => Self(format!("{first}.{minor}")),
            None => Self(first.to_owned()),
        }
    }

    fn is(&self, texts: &[&str]) -> bool {
        texts.contains(&self.0.as_str())
    }
}

/// `8b` or `0.5b`.
fn is_size(word: &str) -> bool {
    let number = word.strip_suffix(['b', 'm']);
    number.is_some_and(|number| number.parse::<f32>().is_ok())
}

fn has(words: &[String], one: &str) -> bool {
    words.iter().any(|word| word == one)
}

fn deepseek(_: &Version, words: &[String]) -> Option<&'static str> {
    // R1-0528 writes its own way; a size that a distilled model has stands for one.
    let distilled = has(words, "distill") || words.iter().any(|word| is_size(word));
    (has(words, "r1") && distilled && !has(words, "0528")).then_some("deepseek-r1-distill")
}

fn smollm(version: &Version, _: &[String]) -> Option<&'static str> {
    match () {
        () if version.is(&["2"]) => Some("smollm2"),
        () if version.is(&["3"]) => Some("smollm3"),
        () => None,
    }
}

fn minicpm(version: &Version, _: &[String]) -> Option<&'static str> {
    match () {
        () if version.is(&["3"]) => Some("minicpm3"),
        () if version.is(&["4"]) => Some("minicpm4"),
        () => None,
    }
}

fn internlm(version: &Version, _: &[String]) -> Option<&'static str> {
    version.is(&["2", "2.5"]).then_some("internlm2")
}

fn chatglm(version: &Version, _: &[String]) -> Option<&'static str> {
    version.is(&["3"]).then_some("chatglm3")
}

fn telechat(version: &Version, _: &[String]) -> Option<&'static str> {
    version.is(&["2"]).then_some("telechat2")
}

fn rwkv(version: &Version, _: &[String]) -> Option<&'static str> {
    version.is(&["7"]).then_some("rwkv7")
}

fn phi(version: &Version, words: &[String]) -> Option<&'static str> {
    let mini = !["medium", "small", "moe"]
        .iter()
        .any(|other| has(words, other));
    match () {
        () if version.is(&["2"]) => Some("phi2"),
        () if version.is(&["3", "3.5"]) && mini => Some("phi3"),
        () => None,
    }
}

fn codeqwen(version: &Version, _: &[String]) -> Option<&'static str> {
    version.is(&["1.5"]).then_some("qwen2")
}

fn qwen(version: &Version, words: &[String]) -> Option<&'static str> {
    let vision = has(words, "vl");
    match () {
        () if version.is(&["1.5", "2"]) => Some("qwen2"),
        () if version.is(&["2.5"]) => Some(if vision { "qwen2" } else { "qwen2.5" }),
        () if !version.is(&["3"]) || has(words, "coder") => None,
        () if has(words, "thinking") => (!vision).then_some("qwen3-thinking"),
        () if vision => Some("qwen3-vl"),
        () if has(words, "instruct") => Some("qwen3-instruct"),
        () => Some("qwen3"),
    }
}

fn gemma(version: &Version, _: &[String]) -> Option<&'static str> {
    match () {
        () if version.is(&["1.1", "2", "2b", "7b"]) => Some("gemma2"),
        () if version.is(&["3"]) => Some("gemma3"),
        () => None,
    }
}

fn llama(version: &Version, words: &[String]) -> Option<&'static str> {
    // There is no Llama of 1.8b parameters.
    let one = words
        .windows(3)
        .any(|three| three[1] == "1" && three[2] == "8b");
    match () {
        () if version.is(&["2"]) => Some("llama2"),
        () if version.is(&["3"]) && one => Some("llama3.1"),
        () if version.is(&["3"]) => Some("llama3"),
        () if version.is(&["3.1", "3.3"]) => Some("llama3.1"),
        () if version.is(&["3.2"]) => Some("llama3.2"),
        () => None,
    }
}

/// The family that `model_type` in `config.json` tells, where only one has it.
pub fn by_type(model_type: &str) -> Option<&'static Family> {
    let mut fitting = FAMILIES
        .iter()
        .filter(|family| family.types.contains(&model_type));
    match (fitting.next(), fitting.next()) {
        (Some(family), None) => Some(family),
        _ => None,
    }
}

/// The house whose tokenizer has these tokens: the one with most marks among those that it has all of.
pub fn by_tokens(has: impl Fn(&str) -> bool) -> Option<&'static str> {
    let complete = FAMILIES
        .iter()
        .filter(|family| !family.marks.is_empty() && family.marks.iter().all(|mark| has(mark)));
    complete
        .max_by_key(|family| family.marks.len())
        .map(|family| family.house)
}

//! What a model card (`README.md`) tells.

use super::context::context_length;
use super::front_matter;
use super::name::{self, Name, add};
use super::platform;
use super::words::{Word, words};
use crate::vendor::version::Version;

/// A card is read no further than this.
const MAX_SIZE: usize = 256 << 10;
const MAX_LINE: usize = 2000;

/// What was read from a card. Lists hold each value once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Card {
    /// Repositories of the models that it was made from.
    pub base_models: Vec<String>,
    /// What its first heading tells, read as a name.
    pub title: Name,
    /// Chips.
    pub platforms: Vec<&'static str>,
    /// Quantisations.
    pub quantisations: Vec<String>,
    /// Versions of the toolkit that converted it, or just of RKLLM.
    pub versions: Vec<Version>,
    /// Versions of the runtime that it wants.
    pub runtimes: Vec<Version>,
    /// The context limit.
    pub context: Option<u32>,
    /// LoRA adapters that are part of it.
    pub loras: Vec<String>,
}

/// Reads a card.
pub(super) fn read(card: &str) -> Card {
    let mut cut = card.len().min(MAX_SIZE);
    while !card.is_char_boundary(cut) {
        cut -= 1;
    }
    let (front, body) = front_matter::split(&card[..cut]);
    let mut front = front_matter::read(front);
    let mut found = Card {
        base_models: front.remove("base_model").unwrap_or_default(),
        ..Card::default()
    };
    let mut titled = false;
    for line in body.lines().filter(|line| line.len() <= MAX_LINE) {
        if let Some(heading) = line.trim_start().strip_prefix('#') {
            let heading = heading.trim_matches(['#', ' ']);
            if is_original_card(heading) {
                break;
            }
            if !titled {
                found.title = name::read(heading);
                titled = true;
                continue;
            }
        }
        found.line(&without_links(line));
    }
    found
}

/// Converters append the base model's own card, under such a heading; it tells nothing of the conversion.
fn is_original_card(heading: &str) -> bool {
    let heading = heading.to_lowercase();
    heading.contains("original") && (heading.contains("card") || heading.contains("readme"))
}

/// The line without the targets of its links: they name other versions and other models.
fn without_links(line: &str) -> String {
    let mut rest = line;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once("](") {
        kept.push_str(before);
        kept.push(']');
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    let words = kept.split_whitespace().filter(|word| !word.contains("://"));
    words.collect::<Vec<_>>().join(" ")
}

impl Card {
    fn line(&mut self, line: &str) {
        let words = words(line);
        for at in 0..words.len() {
            let rest = &words[at..];
            if let Some(platform) = platform::of_word(&rest[0].text) {
                add(&mut self.platforms, platform);
            }
            if let Some((quantisation, _)) = name::quantisation(rest) {
                if quantisation.starts_with('w') {
                    add(&mut self.quantisations, quantisation);
                }
            }
        }
        if let Some((version, is_runtime)) = version(&words) {
            match is_runtime {
                true => add(&mut self.runtimes, version),
                false => add(&mut self.versions, version),
            }
        }
        if self.context.is_none() && words.iter().any(|word| word.text == "max") {
            self.context = context_length(&line.replace([' ', ':', '*', '`', '|'], "_"));
        }
        if let Some(lora) = lora(line) {
            add(&mut self.loras, lora);
        }
    }
}

/// A version of RKLLM in a sentence, and whether it is the runtime's.
fn version(words: &[Word]) -> Option<(Version, bool)> {
    let names = [
        "rkllm",
        "rknn",
        "toolkit",
        "runtime",
        "librkllmrt",
        "rkllmrt",
    ];
    let is_name = |word: &Word| names.iter().any(|name| word.text.starts_with(name));
    let first = words.iter().position(is_name)?;
    // The driver and Python have versions of their own.
    let others = ["driver", "rknpu", "python", "kernel"];
    let near = words[first..].iter().enumerate().take(12);
    let mut near = near.take_while(|(_, word)| !others.contains(&&*word.text));
    let (place, version) =
        near.find_map(|(place, word)| Some((place, name::version(&word.text)?)))?;
    let before = &words[first..first + place];
    let says = |what: &str| before.iter().any(|word| word.text.contains(what));
    let is_runtime = (says("runtime") || says("rkllmrt")) && !says("toolkit");
    Some((version, is_runtime))
}

/// What stands after a colon in a line about LoRA.
fn lora(line: &str) -> Option<String> {
    let (before, after) = line.split_once(':')?;
    if !words(before)
        .iter()
        .any(|word| word.text == "lora" || word.text == "loras")
    {
        return None;
    }
    let named = after.trim_matches(|c: char| c.is_whitespace() || "*_`'\"[]|.-".contains(c));
    let none = ["", "none", "n/a", "no", "null"];
    (!none.contains(&&*named.to_lowercase())).then(|| named.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the manner of the converters' cards.
    const CARD: &str = "---\nbase_model: google/gemma-2-9b\nlicense: gemma\nlibrary_name: transformers\n---\n\n\
        # gemma-2-9b-it-RK3588-1.1.2\n\n\
        This is gemma-2-9b-it for the NPU of the RK3588, quantised with ['w8a8'].\n\n\
        It was optimised with the following LoRA:  \n\n\
        Compatible with RKLLM version: 1.1.2\n\n\
        See [the toolkit 1.2.3](https://example.org/rkllm-1.0.1) or https://example.org/rk3576\n\n\
        # Original model card for gemma-2-9b-it\n\nConverted with rkllm-toolkit 9.9.9 for RK3562.\n";

    fn version_of(text: &str) -> (Vec<String>, Vec<String>) {
        let card = read(text);
        let texts = |list: &[Version]| list.iter().map(Version::to_string).collect();
        (texts(&card.versions), texts(&card.runtimes))
    }

    #[test]
    fn the_card_of_a_conversion_is_read() {
        let card = read(&CARD.replace("See [the toolkit 1.2.3]", "See [this]"));
        assert_eq!(card.base_models, ["google/gemma-2-9b"]);
        assert_eq!(card.title.base, "gemma-2-9b-it");
        assert_eq!(card.platforms, ["RK3588"]);
        assert_eq!(card.quantisations, ["w8a8"]);
        assert_eq!(card.versions, [Version::known("1.1.2")]);
        assert!(card.loras.is_empty() && card.runtimes.is_empty());
    }

    #[test]
    fn versions_are_told_apart() {
        for (text, toolkit, runtime) in [
            ("Compatible with RKLLM version: 1.1.2", "1.1.2", ""),
            ("RKLLM-Toolkit version: v1.2.1b1", "1.2.1b1", ""),
            ("| Toolkit | RKLLM 1.2.3 |", "1.2.3", ""),
            ("**RKLLM runtime**: 1.2.2", "", "1.2.2"),
            ("Needs librkllmrt.so >= 1.2.1.", "", "1.2.1"),
            ("rkllm-toolkit==1.1.4 with Python 3.10.12", "1.1.4", ""),
            ("Needs the rknpu driver 0.9.8", "", ""),
            ("RKLLM needs driver 1.9.8", "", ""),
            ("Python 3.10.12 and torch 2.1.0", "", ""),
            ("released with rknn-llm release-v1.2.0", "1.2.0", ""),
            ("See [RKLLM 1.1.0](https://e.org/rkllm-1.0.1)", "1.1.0", ""),
            ("See https://e.org/rkllm-1.0.1", "", ""),
        ] {
            let list = |text: &str| match text {
                "" => Vec::new(),
                text => vec![text.to_owned()],
            };
            assert_eq!(version_of(text), (list(toolkit), list(runtime)), "{text}");
        }
    }

    #[test]
    fn an_empty_line_about_lora_means_none() {
        for (text, loras) in [
            ("optimized with the following LoRA:", vec![]),
            ("LoRA: none", vec![]),
            ("- **LoRA:** `some/adapter`", vec!["some/adapter"]),
            ("LoRAs: a, b", vec!["a, b"]),
            ("Trained with LoRA, see below", vec![]),
        ] {
            assert_eq!(read(text).loras, loras, "{text}");
        }
    }

    #[test]
    fn context_limits_and_several_values_are_read() {
        let card =
            read("Max context length: 16k\nRK3588 and RK3576: w8a8, W8A8_G128, w4a16\nctx 99 max");
        assert_eq!(card.context, Some(16384));
        assert_eq!(card.platforms, ["RK3588", "RK3576"]);
        assert_eq!(card.quantisations, ["w8a8", "w8a8_g128", "w4a16"]);
        assert_eq!(read("A context length of 8192 tokens").context, None);
        assert_eq!(read("| max_context_len | 4096 |").context, Some(4096));
    }

    #[test]
    fn any_text_is_a_card() {
        for text in [
            "",
            "#",
            "---",
            "](",
            "[](",
            ":",
            "\u{0}",
            "rkllm",
            "# ",
            "---\n---\n](](](",
        ] {
            read(text);
        }
        read(&"](".repeat(1 << 20));
        read(&"# original\n".repeat(1 << 16));
    }
}

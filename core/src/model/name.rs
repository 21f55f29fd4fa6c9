//! What the name of a file, a folder or a repository tells.

use super::context::context_length;
use super::platform;
use super::words::{Word, words};
use crate::vendor::version::Version;

/// What was read from a name. Lists hold each value once, in the order of the name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Name {
    /// The name of the model that was converted: what stands before all the rest.
    pub base: String,
    /// Chips, such as `RK3588`.
    pub platforms: Vec<&'static str>,
    /// Quantisations, such as `w8a8_g128` or `q4_k_m`.
    pub quantisations: Vec<String>,
    /// The share of layers with another quantisation.
    pub hybrid_ratio: Option<f64>,
    /// The toolkit's optimisation level.
    pub optimisation: Option<u8>,
    /// Versions of the toolkit.
    pub versions: Vec<Version>,
    /// The context limit.
    pub context: Option<u32>,
    /// How many parameters the model has.
    pub parameters: Option<f64>,
}

/// Reads a name, without its ending.
pub(super) fn read(name: &str) -> Name {
    let words = words(name);
    let mut found = Name {
        context: context_length(name),
        ..Name::default()
    };
    // Words that tell something; the model's own name is none of them.
    let mut used = vec![false; words.len()];
    let mut loose: Vec<Version> = Vec::new();
    for at in 0..words.len() {
        let rest = &words[at..];
        let taken = if let Some(platform) = platform::of_word(&rest[0].text) {
            add(&mut found.platforms, platform);
            1
        } else if let Some((quantisation, taken)) = quantisation(rest) {
            add(&mut found.quantisations, quantisation);
            taken
        } else if let Some((ratio, taken)) = hybrid_ratio(rest) {
            found.hybrid_ratio = Some(ratio);
            taken
        } else if let Some((level, taken)) = optimisation(rest) {
            found.optimisation = Some(level);
            taken
        } else if let Some(version) = version(&rest[0].text) {
            let before = at.checked_sub(1).map(|before| words[before].text.as_str());
            if TOOLS.iter().any(|tool| rest[0].text.starts_with(tool))
                || before.is_some_and(introduces_version)
            {
                add(&mut found.versions, version);
                1
            } else if version.major == 1 {
                add(&mut loose, version);
                1
            } else {
                // A version of the model's own, as in dolphin-2.9.1.
                0
            }
        } else {
            usize::from(is_about_context(rest) || TOOLS.contains(&&*rest[0].text))
        };
        used[at..at + taken].fill(true);
        if taken == 0 && found.parameters.is_none() {
            found.parameters = parameters(name, &words, at);
        }
    }
    if found.versions.is_empty() {
        found.versions = loose;
    }
    found.base = base(name, &words, &used).to_owned();
    found
}

/// Names of Rockchip's tools, before a version.
const TOOLS: [&str; 5] = ["rkllm", "rknn", "toolkit", "runtime", "rkllmrt"];

fn introduces_version(word: &str) -> bool {
    TOOLS.contains(&word)
        || ["llm", "version", "v"].contains(&word)
        || platform::of_word(word).is_some()
}

/// A version such as `1.2.1`, `v1.2.1b1` or `toolkit1.2.0`.
pub(super) fn version(word: &str) -> Option<Version> {
    let bare = TOOLS
        .iter()
        .find_map(|tool| word.strip_prefix(tool))
        .unwrap_or(word);
    let version: Version = bare.parse().ok()?;
    (version.major >= 1).then_some(version)
}

/// A quantisation, and of how many words: `w8a8 g128`, `q4 k m`, `fp16`.
pub(super) fn quantisation(words: &[Word]) -> Option<(String, usize)> {
    let word = words.first()?.text.as_str();
    let next = |at: usize| words.get(at).map(|word| word.text.as_str());
    if ["fp16", "f16", "bf16", "f32"].contains(&word) {
        return Some((word.to_owned(), 1));
    }
    let (bits, group) = match word.split_once('g') {
        Some((bits, group)) => (bits, Some(group)),
        None => (word, None),
    };
    if ["w4a16", "w4a8", "w8a8", "w8a16"].contains(&bits) {
        let size = |group: &str| GROUPS.contains(&group).then(|| group.to_owned());
        if let Some(group) = group {
            return size(group).map(|group| (format!("{bits}_g{group}"), 1));
        }
        let group = next(1).and_then(|next| size(next.strip_prefix('g')?));
        return Some(match group {
            Some(group) => (format!("{bits}_g{group}"), 2),
            None => (bits.to_owned(), 1),
        });
    }
    // llama.cpp's: Q4_0, Q4_K_M, IQ2_XXS.
    let digit = word.strip_prefix("iq").or_else(|| word.strip_prefix('q'))?;
    if digit.len() != 1 || !("1"..="8").contains(&digit) {
        return None;
    }
    let parts = ["0", "1", "k", "s", "m", "l", "xs", "xxs", "xl", "nl"];
    let more = (1..words.len().min(3))
        .take_while(|at| next(*at).is_some_and(|next| parts.contains(&next)))
        .count();
    let all: Vec<&str> = words[..=more].iter().map(|word| &*word.text).collect();
    (more > 0).then(|| (all.join("_"), more + 1))
}

const GROUPS: [&str; 5] = ["32", "64", "128", "256", "512"];

/// `hybrid-ratio-0.5`, `hybrid_rate_0.5`, `hybrid-0.5`.
fn hybrid_ratio(words: &[Word]) -> Option<(f64, usize)> {
    if words[0].text != "hybrid" {
        return None;
    }
    let filler = usize::from(
        words
            .get(1)
            .is_some_and(|word| ["ratio", "rate"].contains(&&*word.text)),
    );
    let ratio: f64 = words.get(1 + filler)?.text.parse().ok()?;
    (0.0..=1.0).contains(&ratio).then_some((ratio, 2 + filler))
}

/// `opt-1` or `opt1`; but opt-125m and opt-1.3b are models.
fn optimisation(words: &[Word]) -> Option<(u8, usize)> {
    let after = words[0].text.strip_prefix("opt")?;
    let (level, taken) = match after {
        "" => (words.get(1)?.text.as_str(), 2),
        level => (level, 1),
    };
    let level = (level.len() == 1).then(|| level.parse().ok())??;
    (level <= 3).then_some((level, taken))
}

/// Words of a context limit; its number is read by [`context_length`].
fn is_about_context(words: &[Word]) -> bool {
    let word = &words[0].text;
    let number = word
        .strip_prefix("ctx")
        .or_else(|| word.strip_prefix("context"));
    number
        .is_some_and(|number| number.is_empty() || number.starts_with(|c: char| c.is_ascii_digit()))
}

/// `9b`, `0.5b`, `135m`, and `1_8b` for 1.8b.
fn parameters(name: &str, words: &[Word], at: usize) -> Option<f64> {
    let word = &words[at];
    let (number, unit) = match word.text.strip_suffix('b') {
        Some(number) => (number, 1e9),
        None => (word.text.strip_suffix('m')?, 1e6),
    };
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let before = at.checked_sub(1).map(|before| &words[before]);
    let whole = before.filter(|before| {
        before.text.bytes().all(|byte| byte.is_ascii_digit()) && name[before.end..].starts_with('_')
    });
    let number: f64 = match whole {
        Some(whole) => format!("{}.{number}", whole.text).parse().ok()?,
        None => number.parse().ok()?,
    };
    (number > 0.0 && number < 10_000.0).then_some(number * unit)
}

/// The first run of words that tell nothing else.
fn base<'a>(name: &'a str, words: &[Word], used: &[bool]) -> &'a str {
    let Some(first) = used.iter().position(|used| !used) else {
        return "";
    };
    let run = used[first..].iter().take_while(|used| !**used).count();
    let last = &words[first + run - 1];
    &name[words[first].start..last.end]
}

pub(super) fn add<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

#[cfg(test)]
mod tests;

//! The verdict: which group a library is driven as, what is said about it, or why it is not driven.
//!
//! Strongest first: what rkchat's own runtime says, the official files, exported functions together with
//! default parameters. Texts in the file only name a release or make a suggestion. The user's word picks
//! among what the evidence leaves, and replaces it where it is said with a `!`.

use super::evidence::{Evidence, either};
use super::word::Word;
use crate::surface::{Error, ErrorKind, Result};
use crate::vendor::known::{self, Official};

/// These two are driven alike, see `ABI.md` section 2 of the vendor facts.
const ALIKE: [&str; 2] = ["1.2.0", "1.2.1b1"];

/// What a library is taken for.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The ABI group.
    pub group: &'static str,
    /// The release, where it is known or was said.
    pub release: Option<String>,
    /// The official file that it is.
    pub official: Option<&'static Official>,
    /// What speaks for it, in one sentence each.
    pub evidence: Vec<String>,
    /// What the user should be told.
    pub warnings: Vec<String>,
}

/// Settles the group of the library at `path`.
pub fn settle(path: &str, evidence: &Evidence, word: Option<&Word>) -> Result<Verdict> {
    let case = Case {
        path,
        evidence,
        word,
    };
    if let Some(own) = &evidence.own {
        return case.own(own);
    }
    if let Some(word) = word.filter(|word| word.unchecked) {
        return Ok(case.unchecked(word));
    }
    if let Some(official) = evidence.official {
        return case.official(official);
    }
    case.unofficial()
}

struct Case<'a> {
    path: &'a str,
    evidence: &'a Evidence,
    word: Option<&'a Word>,
}

impl Case<'_> {
    /// A `!` does not help here: it is there for libraries that rkchat knows less about than the user.
    fn own(&self, own: &str) -> Result<Verdict> {
        let group = known::groups().find(|group| *group == own).ok_or_else(|| {
            let message = format!(
                "{}: it is a runtime of another rkchat, of group {own}, which this one does not know; use the \
                 runtime that came with it",
                self.path
            );
            Error::new(ErrorKind::Unsupported, message)
        })?;
        let word = self.word.filter(|word| !word.from_variable);
        match word {
            Some(word) if word.group() != group => Err(self.contradiction(
                word,
                &format!("it is rkchat's own runtime and says that it is of group {group}"),
                "",
            )),
            _ => Ok(self.verdict(group, None, Vec::new())),
        }
    }

    fn unchecked(&self, word: &Word) -> Verdict {
        let against = match self.evidence.official {
            Some(official) => !word.means(official),
            None => !self.evidence.candidates().contains(&word.group()),
        };
        let warning = against.then(|| {
            format!(
                "{} is driven as release {} because abi says so, although {}",
                self.path,
                word.release.name,
                self.found()
            )
        });
        let release = Some(word.release.name.to_owned());
        self.verdict(word.group(), release, warning.into_iter().collect())
    }

    fn official(&self, official: &Official) -> Result<Verdict> {
        if let Some(word) = self.word.filter(|word| !word.means(official)) {
            let found = format!(
                "it is the official file of release {} for {}",
                official.release, official.platform
            );
            return Err(self.contradiction(word, &found, ""));
        }
        let release = Some(official.release.to_owned());
        Ok(self.verdict(official.group, release, Vec::new()))
    }

    fn unofficial(&self) -> Result<Verdict> {
        let candidates = self.evidence.candidates();
        if candidates.is_empty() {
            return Err(self.unknown());
        }
        let settled = alike(&candidates);
        let text = self.evidence.text();
        if let Some(word) = self.word {
            let says = |group: &str| group == word.group();
            if !candidates.iter().any(|group| says(group)) {
                return Err(self.contradiction(word, &self.found(), ""));
            }
            // A text is weak, but here nothing stronger speaks for the word.
            let text = text.filter(|_| !settled).and_then(known::group_of);
            if text.is_some_and(|group| candidates.contains(&group) && !says(group)) {
                let hint = " Driven with the layout of another release it would crash.";
                return Err(self.contradiction(word, &self.found(), hint));
            }
            let release = Some(word.release.name.to_owned());
            return Ok(self.verdict(word.group(), release, Vec::new()));
        }
        if !settled {
            return Err(self.ambiguous(&candidates));
        }
        let named = text.and_then(known::release);
        let named = named.filter(|release| candidates.contains(&release.group));
        // The later of two that are alike has all that the earlier one has.
        let latest = candidates[candidates.len() - 1];
        let group = named.map_or(latest, |release| release.group);
        let warning = format!(
            "{} is none of Rockchip's official files; it is driven as group {group}, because {}. If that is not \
             right, say its release with the option abi or the environment variable RKCHAT_ABI.",
            self.path,
            self.found()
        );
        let release = named.map(|release| release.name.to_owned());
        Ok(self.verdict(group, release, vec![warning]))
    }

    fn verdict(
        &self,
        group: &'static str,
        release: Option<String>,
        warnings: Vec<String>,
    ) -> Verdict {
        let mut evidence = self.evidence.sentences();
        evidence.extend(self.word.map(|word| {
            let unchecked = if word.unchecked { ", unchecked" } else { "" };
            format!("abi says {}{unchecked}", word.release.name)
        }));
        Verdict {
            group,
            release,
            official: self.evidence.official,
            evidence,
            warnings,
        }
    }

    /// All evidence in one clause.
    fn found(&self) -> String {
        self.evidence.sentences().join("; ")
    }

    fn error(&self, message: &str) -> Error {
        Error::new(
            ErrorKind::RuntimeAmbiguous,
            format!("{}: {message}", self.path),
        )
    }

    fn contradiction(&self, word: &Word, found: &str, hint: &str) -> Error {
        let name = word.release.name;
        let way_out = match &self.evidence.own {
            Some(_) => "Leave abi and RKCHAT_ABI out for this runtime.".to_owned(),
            None => format!(
                "Leave abi out, or name the release that this file is; abi = \"{name}!\" or RKCHAT_ABI={name}! \
                 leaves out the check."
            ),
        };
        self.error(&format!("abi says {name}, but {found}.{hint} {way_out}"))
    }

    fn ambiguous(&self, candidates: &[&'static str]) -> Error {
        let text = self.evidence.text();
        let named = text
            .filter(|text| known::group_of(text).is_some_and(|group| candidates.contains(&group)));
        let say = match named {
            Some(text) => format!(
                "The file contains the text {text}; if that is its version, say abi = \"{text}\""
            ),
            None => format!(
                "Say which release it is, for example abi = \"{}\"",
                candidates[candidates.len() - 1]
            ),
        };
        self.error(&format!(
            "it can be of group {}, which have different memory layouts: {}. {say} or set RKCHAT_ABI. The runtime \
             prints its version when a program opens a model with it.",
            either(candidates),
            self.found()
        ))
    }

    fn unknown(&self) -> Error {
        let example = self.evidence.symbols[self.evidence.symbols.len() - 1];
        let name = self.word.map_or(example, |word| word.release.name);
        self.error(&format!(
            "its memory layout is not known to rkchat {}: {}. A newer rkchat may know it. To drive it all the same, \
             name a release with a ! after it, as in abi = \"{name}!\" or RKCHAT_ABI={name}!",
            env!("CARGO_PKG_VERSION"),
            self.found()
        ))
    }
}

/// Whether the groups are one, or are driven as one.
fn alike(groups: &[&str]) -> bool {
    groups.len() == 1 || groups.iter().all(|group| ALIKE.contains(group))
}

#[cfg(test)]
mod tests;

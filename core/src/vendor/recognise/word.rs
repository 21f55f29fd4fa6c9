//! What the user says about a library: the option `abi` or the variable `RKCHAT_ABI`.

use crate::vendor::known::{self, Official, Release};
use std::env;

use crate::surface::{Error, ErrorKind, Result};

/// The environment variable that says the release, where the option does not.
const VARIABLE: &str = "RKCHAT_ABI";

/// A release, or a group by its name, which is that of its first release.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// The release that was named.
    pub release: &'static Release,
    /// Said with a `!`: taken as it is, whatever the library looks like.
    pub unchecked: bool,
    /// It is the variable's, which says nothing about rkchat's own runtimes.
    pub from_variable: bool,
}

impl Word {
    /// The option's word, else that of the variable. `unchecked` is as a `!` after the option's.
    pub fn of(option: Option<&str>, unchecked: bool) -> Result<Option<Self>> {
        let variable = || env::var(VARIABLE).ok().filter(|text| !text.is_empty());
        let from_variable = option.is_none();
        let Some(text) = option.map(str::to_owned).or_else(variable) else {
            return match unchecked {
                true => Err(Error::invalid_argument(
                    "abi_unchecked: it is abi that is taken unchecked, and that is not set",
                )),
                false => Ok(None),
            };
        };
        let mut word = Self::parse(&text)?;
        word.unchecked |= unchecked;
        word.from_variable = from_variable;
        Ok(Some(word))
    }

    /// Reads `1.2.1`, or `1.2.1!` for one that is not to be checked.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let name = text.strip_suffix('!').unwrap_or(text);
        let release = known::release(name.trim()).ok_or_else(|| {
            let known: Vec<_> = known::RELEASES.iter().map(|release| release.name).collect();
            Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "abi: {name:?} is not a release of the RKLLM runtime that this rkchat knows; known are {}",
                    known.join(", ")
                ),
            )
        })?;
        Ok(Self {
            release,
            unchecked: name.len() < text.len(),
            from_variable: false,
        })
    }

    /// The ABI group.
    pub fn group(&self) -> &'static str {
        self.release.group
    }

    /// Whether this file can be meant. The name of a group means all its releases.
    pub(super) fn means(&self, file: &Official) -> bool {
        let group_is_meant = self.release.name == self.group();
        self.group() == file.group && (group_is_meant || self.release.name == file.release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_with_and_without_a_mark() {
        let word = Word::parse(" 1.2.3 ").unwrap();
        assert_eq!(
            (word.release.name, word.group(), word.unchecked),
            ("1.2.3", "1.2.1", false)
        );
        let word = Word::parse("1.0.0-beta!").unwrap();
        assert_eq!(
            (word.release.name, word.group(), word.unchecked),
            ("1.0.0", "1.0.0", true)
        );
    }

    #[test]
    fn what_is_unknown_is_refused_with_a_list() {
        for unknown in ["1.4.0", "", "!", "1.3", "latest", "1.3.0!!"] {
            let error = Word::parse(unknown).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.message().contains("1.2.1b1, 1.2.1, 1.2.2"), "{error}");
        }
    }

    #[test]
    fn the_name_of_a_group_means_all_its_releases() {
        let means = |word: &str, release: &str| {
            let file = known::FILES.iter().find(|file| file.release == release);
            Word::parse(word).unwrap().means(file.unwrap())
        };
        assert!(means("1.2.1", "1.2.1") && means("1.2.1", "1.2.3") && means("1.2.2", "1.2.2"));
        assert!(!means("1.2.2", "1.2.3") && !means("1.2.1", "1.2.1b1") && !means("1.3.0", "1.2.3"));
    }
}

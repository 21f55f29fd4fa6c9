//! What the user says about a library: the option `abi` or the variable `RKCHAT_ABI`.

use super::known::{self, Release};
use crate::surface::{Error, ErrorKind, Result};

/// A release, or a group by its name, which is that of its first release.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// The release that was named.
    pub release: &'static Release,
    /// Said with a `!`: taken as it is, whatever the library looks like.
    pub unchecked: bool,
}

impl Word {
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
        })
    }

    /// The ABI group.
    pub fn group(&self) -> &'static str {
        self.release.group
    }

    /// Whether a file that is of this release can be meant. The name of a group means all its releases.
    pub(super) fn means(&self, release: &Release) -> bool {
        let group_is_meant = self.release.name == self.group();
        self.group() == release.group && (group_is_meant || self.release.name == release.name)
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
            let release = known::release(release).unwrap();
            Word::parse(word).unwrap().means(release)
        };
        assert!(means("1.2.1", "1.2.1") && means("1.2.1", "1.2.3") && means("1.2.2", "1.2.2"));
        assert!(!means("1.2.2", "1.2.3") && !means("1.2.1", "1.2.1b1") && !means("1.3.0", "1.2.3"));
    }
}

//! Versions of runtimes and of the toolkit that converted a model: they share one numbering.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::surface::{Error, ErrorKind};

/// A version such as `1.1.4`, or `1.2.1b1`, which came before `1.2.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    pub(crate) major: u16,
    pub(crate) minor: u16,
    pub(crate) patch: u16,
    pub(crate) beta: Option<u16>,
}

impl Version {
    /// A version that is not a beta.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
            beta: None,
        }
    }

    /// A version in the source of rkchat.
    pub const fn known(text: &'static str) -> Self {
        match parse(text.as_bytes()) {
            Some(version) => version,
            None => panic!("not a version"),
        }
    }

    /// Major and minor number.
    pub(crate) fn series(self) -> (u16, u16) {
        (self.major, self.minor)
    }

    /// How far apart two versions are: any step of the minor number is longer than all of the patch
    /// number.
    pub(crate) fn distance(self, other: Self) -> u64 {
        self.place().abs_diff(other.place())
    }

    fn place(self) -> u64 {
        let beta = self.beta.unwrap_or(u16::MAX);
        [self.major, self.minor, self.patch, beta]
            .iter()
            .fold(0, |place, number| place << 16 | u64::from(*number))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        self.beta.map_or(Ok(()), |beta| write!(f, "b{beta}"))
    }
}

impl FromStr for Version {
    type Err = Error;

    /// Reads `1.1.4`, `v1.1.4`, `1.2.1b1` and `1.0.2-beta`. The last is a name the vendor gave where no
    /// final release followed, so it is the release.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bare = text.trim();
        let bare = bare.strip_prefix('v').unwrap_or(bare);
        let bare = bare.strip_suffix("-beta").unwrap_or(bare);
        parse(bare.as_bytes()).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("{text:?} is not a version; versions look like 1.1.4 or 1.2.1b1"),
            )
        })
    }
}

/// `u16::MAX` stands for "not a beta" in the order, so no number is as large.
const fn parse(text: &[u8]) -> Option<Version> {
    let Some((major, at)) = number(text, 0) else {
        return None;
    };
    let Some((minor, at)) = after(text, at, b'.') else {
        return None;
    };
    let Some((patch, at)) = after(text, at, b'.') else {
        return None;
    };
    let plain = Version::new(major, minor, patch);
    if at == text.len() {
        return Some(plain);
    }
    match after(text, at, b'b') {
        Some((beta, at)) if at == text.len() => Some(Version {
            beta: Some(beta),
            ..plain
        }),
        _ => None,
    }
}

/// The number that follows a separator at `at`, and where it ends.
const fn after(text: &[u8], at: usize, separator: u8) -> Option<(u16, usize)> {
    if at < text.len() && text[at] == separator {
        return number(text, at + 1);
    }
    None
}

/// The number of one to four digits that begins at `at`, and where it ends.
const fn number(text: &[u8], at: usize) -> Option<(u16, usize)> {
    let (mut value, mut end) = (0, at);
    while end < text.len() && end < at + 4 && text[end].is_ascii_digit() {
        value = value * 10 + (text[end] - b'0') as u16;
        end += 1;
    }
    match end > at {
        true => Some((value, end)),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_written() {
        for text in [
            "1.0.0", "1.2.1b1", "1.2.1", "1.3.0", "1.3.1", "1.4.0", "2.10.3",
        ] {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), text);
        }
        for (text, meant) in [
            ("v1.1.4", "1.1.4"),
            (" 1.1.4\n", "1.1.4"),
            ("1.0.2-beta", "1.0.2"),
        ] {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), meant);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.x",
            "1.2.1b",
            "1.2.b1",
            "+1.2.3",
            "1.-2.3",
            "1.2.65535",
            "1.2.99999",
            "latest",
            "../1.1.4",
        ] {
            let error = text.parse::<Version>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{text}");
            assert!(error.message().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn a_beta_comes_before_its_release() {
        let order = [
            "1.0.0", "1.1.4", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0", "2.0.0",
        ];
        let versions = order.map(|text| text.parse::<Version>().unwrap());
        assert!(versions.is_sorted());
        assert!(versions[3] < versions[4]);
        assert!(versions[3].distance(versions[4]) < versions[2].distance(versions[4]));
    }
}

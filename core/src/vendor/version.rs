//! Release numbers of the RKLLM runtime and toolkit.

use std::fmt;

/// A release number such as `1.1.4`; `1.2.1b1` comes before `1.2.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// As in the text.
    pub major: u16,
    /// As in the text.
    pub minor: u16,
    /// As in the text.
    pub patch: u16,
    /// The number of a beta; the release itself is [`FINAL`].
    beta: u16,
}

const FINAL: u16 = u16::MAX;

impl Version {
    /// Reads `1.2.3` or `1.2.1b1`, also as published: `v1.2.3`, `1.0.0-beta`. None for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        // The only releases that were published as a mere beta are known by the number alone.
        let text = text.strip_suffix("-beta").unwrap_or(text);
        Self::read(text.as_bytes())
    }

    /// A number in the source of rkchat.
    pub const fn known(text: &'static str) -> Self {
        match Self::read(text.as_bytes()) {
            Some(version) => version,
            None => panic!("not a release number"),
        }
    }

    const fn read(text: &[u8]) -> Option<Self> {
        let Some((major, at)) = number(text, 0) else {
            return None;
        };
        let Some((minor, at)) = after(text, at, b'.') else {
            return None;
        };
        let Some((patch, at)) = after(text, at, b'.') else {
            return None;
        };
        let (beta, at) = match at == text.len() {
            true => (FINAL, at),
            false => match after(text, at, b'b') {
                Some(beta) => beta,
                None => return None,
            },
        };
        if at != text.len() {
            return None;
        }
        Some(Self {
            major,
            minor,
            patch,
            beta,
        })
    }
}

/// The number that follows a separator at `at`, and where it ends.
const fn after(text: &[u8], at: usize, separator: u8) -> Option<(u16, usize)> {
    if at < text.len() && text[at] == separator {
        return number(text, at + 1);
    }
    None
}

/// The number of one to three digits that begins at `at`, and where it ends.
const fn number(text: &[u8], at: usize) -> Option<(u16, usize)> {
    let (mut value, mut end) = (0, at);
    while end < text.len() && end < at + 3 && text[end].is_ascii_digit() {
        value = value * 10 + (text[end] - b'0') as u16;
        end += 1;
    }
    match end > at {
        true => Some((value, end)),
        false => None,
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        match self.beta {
            FINAL => Ok(()),
            beta => write!(f, "b{beta}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_orders() {
        let order = [
            "1.0.0", "1.0.2", "1.1.4", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0", "1.10.0",
        ];
        let versions = order.map(|text| Version::parse(text).unwrap());
        assert!(versions.is_sorted());
        assert_eq!(versions.map(|version| version.to_string()), order);
        assert_eq!(Version::parse("v1.0.0-beta"), Version::parse("1.0.0"));
        for wrong in [
            "", "1", "1.2", "1.2.", "1.2.3.4", "1.2.3b", "1.2.3c1", "a", "1.2.3000",
        ] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
    }
}

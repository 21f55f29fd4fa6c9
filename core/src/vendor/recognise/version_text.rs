//! Version numbers that stand in the file as text: weak evidence, because other libraries that are
//! linked in have such texts too (`ABI.md` section 4c of the vendor facts).

use memchr::memmem;

use crate::vendor::known;

/// What the runtime prints before its version; in some releases the number does not follow in the file.
const ANNOUNCEMENT: &[u8] = b"rkllm-runtime version: ";

/// How all releases begin.
const LITERAL: &[u8] = b"1.";

/// The releases that the file names: texts that are a known release and nothing else, and what follows
/// the announcement. Each once.
pub fn releases(data: &[u8]) -> Vec<String> {
    // Searched as a whole: most of a library is zeros, code, and other texts.
    // The first text of a section has other bytes before it than the NUL of another text.
    let begins = |at: &usize| *at == 0 || !matches!(data[at - 1], b' '..=b'~');
    let literals = memmem::find_iter(data, LITERAL).filter(begins);
    let literals = literals.filter_map(|at| literal(&data[at..]));
    let announced = memmem::find_iter(data, ANNOUNCEMENT)
        .filter_map(|at| announced(&data[at + ANNOUNCEMENT.len()..]));
    let mut found = Vec::new();
    for release in literals.map(str::to_owned).chain(announced) {
        if !found.contains(&release) {
            found.push(release);
        }
    }
    found
}

/// The known release that is a text of its own here.
fn literal(rest: &[u8]) -> Option<&'static str> {
    let ends = |name: &str| rest.get(name.len()).is_none_or(|byte| *byte == 0);
    let mut names = known::RELEASES.iter().map(|release| release.name);
    names.find(|name| rest.starts_with(name.as_bytes()) && ends(name))
}

/// The version that follows the announcement here.
fn announced(rest: &[u8]) -> Option<String> {
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'.');
    let version = std::str::from_utf8(&rest[..end.unwrap_or(rest.len())]).ok()?;
    is_version(version).then(|| version.to_owned())
}

/// `1.2.3` or `1.2.1b1`.
fn is_version(text: &str) -> bool {
    let number = |text: &str| {
        !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let parts: Vec<_> = text.split('.').collect();
    let [major, minor, patch] = parts[..] else {
        return false;
    };
    let (patch, beta) = patch.split_once('b').unwrap_or((patch, "0"));
    [major, minor, patch, beta].into_iter().all(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_texts_of_known_releases_count() {
        let found = |text: &str| releases(format!("\x7fELF\0{text}\0end").as_bytes());
        assert_eq!(found("1.2.3"), ["1.2.3"]);
        assert_eq!(found("0.9.7\x002.3.3b0\x001.3.1"), [""; 0]);
        assert_eq!(found("v1.2.3\x001.2.3 \x001.2.33"), [""; 0]);
        assert_eq!(found("1.2.1b1\x001.1.0\x001.2.1b1"), ["1.2.1b1", "1.1.0"]);
        // Code before the first text.
        assert_eq!(releases(b"\xc0\x03\x5f\xd61.1.4\0"), ["1.1.4"]);
    }

    #[test]
    fn an_announced_release_need_not_be_known() {
        let found = |text: &str| releases(format!("\x7fELF\0{text}\0").as_bytes());
        let log = |version| format!("I rkllm: rkllm-runtime version: {version}, rknpu driver");
        assert_eq!(found(&log("1.3.1")), ["1.3.1"]);
        assert_eq!(found(&log("1.4.0b2")), ["1.4.0b2"]);
        assert_eq!(found("rr rkllm-runtime version: 1.0.1"), ["1.0.1"]);
        assert_eq!(found(&format!("{}\x001.3.1", log("1.3.1"))), ["1.3.1"]);
        for none in ["%s", "1.3", "", "1.3.b1", "1.3.0.1", "12345.0.0"] {
            assert_eq!(found(&log(none)), [""; 0], "{none}");
        }
    }
}

//! Version numbers that stand in the file as text: weak evidence, because other libraries that are
//! linked in have such texts too (`ABI.md` section 4c of the vendor facts).

use crate::vendor::known;

/// What the runtime prints before its version; in some releases the number does not follow in the file.
const ANNOUNCEMENT: &[u8] = b"rkllm-runtime version: ";

/// The releases that the file names: texts that are a known release and nothing else, and what follows
/// the announcement. Each once.
pub fn releases(data: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for text in data.split(|byte| *byte == 0) {
        let name = known::RELEASES.iter().map(|release| release.name);
        let literal = name
            .filter(|name| name.as_bytes() == text)
            .map(str::to_owned)
            .next();
        for release in literal.into_iter().chain(announced(text)) {
            if !found.contains(&release) {
                found.push(release);
            }
        }
    }
    found
}

fn announced(text: &[u8]) -> Option<String> {
    let first = ANNOUNCEMENT[0];
    let starts = text.iter().enumerate().filter(|(_, byte)| **byte == first);
    let mut after = starts.filter_map(|(at, _)| text[at..].strip_prefix(ANNOUNCEMENT));
    let text = after.next()?;
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'.');
    let version = std::str::from_utf8(&text[..end.unwrap_or(text.len())]).ok()?;
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

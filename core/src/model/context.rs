//! The context length that a name tells.

/// No converter makes a smaller window, and a number this small is something else.
const SMALLEST: u32 = 128;
const LARGEST: u32 = 1 << 20;

/// The context length in names such as `model_ctx4096.rkllm`, `model-ctx-16k.rkllm` or
/// `model_context_8192.rkllm`.
pub(super) fn context_length(name: &str) -> Option<u32> {
    let stem = name.to_ascii_lowercase();
    ["context", "ctx"].into_iter().find_map(|word| {
        stem.match_indices(word).find_map(|(at, _)| {
            let before = stem[..at].chars().next_back();
            let after = &stem[at + word.len()..];
            if before.is_some_and(char::is_alphabetic) {
                return None;
            }
            number(after)
        })
    })
}

/// The number after the word, with what names put between.
fn number(text: &str) -> Option<u32> {
    let separators = |c| matches!(c, '-' | '_' | '=' | '.');
    let mut text = text.trim_start_matches(separators);
    for filler in ["length", "len", "size", "window"] {
        text = text
            .strip_prefix(filler)
            .unwrap_or(text)
            .trim_start_matches(separators);
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u32 = text[..digits].parse().ok()?;
    let mut rest = text[digits..].chars();
    let (factor, next) = match rest.next() {
        Some('k') => (1024, rest.next()),
        next => (1, next),
    };
    if next.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let number = number.checked_mul(factor)?;
    (SMALLEST..=LARGEST).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::context_length;

    #[test]
    fn reads_what_names_say() {
        for (name, length) in [
            ("m_w8a8_rk3588_ctx4096", Some(4096)),
            ("m-ctx16k-opt", Some(16384)),
            ("m.CTX_8192", Some(8192)),
            ("m_max_context_len_2048_x", Some(2048)),
            ("Qwen2.5-3B-Instruct-rk3588-w8a8-opt-1", None),
            ("m-ctx2", None),
            ("m-ctx4096b", None),
            ("m-ctx99999999999", None),
            ("m_ctx", None),
            ("ctx4000000", None),
            ("prectx4096", None),
        ] {
            assert_eq!(context_length(name), length, "{name}");
        }
    }
}

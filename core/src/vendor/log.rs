//! What can be read off a runtime's log lines.

/// The context limit that a line names: `max_context_limit[4096]` where `rkllm_init` refused a
/// longer one, `max_context_limit: 4096` where it describes the model (`BEHAVIOUR.md` 14 and 16 of the
/// vendor facts).
pub(crate) fn max_context_limit(lines: &[String]) -> Option<u32> {
    lines.iter().rev().find_map(|line| {
        let (_, rest) = line.split_once("max_context_limit")?;
        let number = rest.trim_start_matches([':', '[', ' ']);
        let digits = number
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(number.len());
        number[..digits].parse().ok().filter(|limit| *limit > 0)
    })
}

/// The lines that report errors: those with the prefix `E rkllm`.
pub(crate) fn errors(lines: &[String]) -> impl Iterator<Item = &str> {
    lines
        .iter()
        .filter(|line| line.contains("E rkllm"))
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_found_in_both_spellings() {
        let refused =
            "E rkllm: max_context[8192] must be less than the model's max_context_limit[4096]";
        let described =
            "I rkllm: rkllm-toolkit version: 1.2.1, max_context_limit: 2048, npu_core_num: 3";
        assert_eq!(max_context_limit(&[refused.into()]), Some(4096));
        assert_eq!(max_context_limit(&[described.into()]), Some(2048));
        assert_eq!(
            max_context_limit(&["max_context_limit[]".into(), "x".into()]),
            None
        );
    }
}

//! Names in each language's convention.

/// `FinishReason` to `finish_reason`; a name that is snake case already stays as it is.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() {
            if index > 0 {
                out.push('_');
            }
            out.push(letter.to_ascii_lowercase());
        } else {
            out.push(letter);
        }
    }
    out
}

/// `FinishReason` to `FINISH_REASON`.
pub fn screaming(name: &str) -> String {
    snake(name).to_ascii_uppercase()
}

/// `max_new_tokens` to `MaxNewTokens`.
pub fn pascal(name: &str) -> String {
    snake(name)
        .split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
                .unwrap_or_default()
        })
        .collect()
}

/// `max_new_tokens` to `maxNewTokens`.
pub fn camel(name: &str) -> String {
    let pascal = pascal(name);
    let mut letters = pascal.chars();
    letters
        .next()
        .map(|first| first.to_ascii_lowercase().to_string() + letters.as_str())
        .unwrap_or_default()
}

/// Words that are keywords in one of the languages, and so cannot name a field or a parameter.
pub fn is_reserved(name: &str) -> bool {
    const WORDS: &str = "alignas alignof and as asm assert async auto await bool break case catch \
        char class compl const constexpr continue debugger decltype def default del delete do \
        double elif else enum except explicit export extends extern False finally float for friend \
        from function global goto if implements import in inline instanceof int interface is lambda \
        let long module mutable namespace new None nonlocal noexcept not null nullptr operator or \
        package pass private protected public raise register reserved restrict return self short \
        signed sizeof static struct struct_size super switch template this throw True try typedef \
        typeid typename typeof union unsigned using var virtual void volatile wchar_t while with xor \
        yield";
    WORDS.split_ascii_whitespace().any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conventions() {
        assert_eq!(snake("FinishReason"), "finish_reason");
        assert_eq!(snake("top_k"), "top_k");
        assert_eq!(screaming("ContextFull"), "CONTEXT_FULL");
        assert_eq!(pascal("max_new_tokens"), "MaxNewTokens");
        assert_eq!(pascal("FinishReason"), "FinishReason");
        assert_eq!(camel("max_new_tokens"), "maxNewTokens");
        assert!(is_reserved("default") && !is_reserved("text"));
    }
}

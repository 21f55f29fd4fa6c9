//! `str.isalpha` and its kin.

use super::super::unicode;

/// `text.name()`
pub(crate) fn is(text: &str, name: &str) -> bool {
    let all = |of: fn(char) -> bool| !text.is_empty() && text.chars().all(of);
    match name {
        "isalnum" => all(unicode::is_alphanumeric),
        "isalpha" => all(unicode::is_alpha),
        "isascii" => text.is_ascii(),
        "isdecimal" => all(|c| unicode::decimal(c).is_some()),
        "isdigit" => all(unicode::is_digit),
        "isnumeric" => all(unicode::is_numeric),
        "isprintable" => text.chars().all(unicode::is_printable),
        "isspace" => all(unicode::is_space),
        "islower" => text.chars().any(char::is_lowercase) && !text.chars().any(is_capital),
        "isupper" => {
            text.chars().any(char::is_uppercase)
                && !text.chars().any(|c| c.is_lowercase() || is_title(c))
        }
        "istitle" => is_titled(text),
        "isidentifier" => {
            let start = |c: char| c == '_' || unicode::is_alpha(c);
            text.starts_with(start) && text.chars().all(|c| start(c) || c.is_alphanumeric())
        }
        _ => false,
    }
}

fn is_title(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ')
}

fn is_capital(c: char) -> bool {
    c.is_uppercase() || is_title(c)
}

fn is_titled(text: &str) -> bool {
    let mut any = false;
    let mut in_word = false;
    for c in text.chars() {
        if is_capital(c) {
            if in_word {
                return false;
            }
            in_word = true;
            any = true;
        } else if c.is_lowercase() {
            if !in_word {
                return false;
            }
            any = true;
        } else {
            in_word = false;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::is;

    #[test]
    fn kinds() {
        for (text, name, holds) in [
            ("½", "isnumeric", true),
            ("½", "isdigit", false),
            ("²", "isdigit", true),
            ("²", "isdecimal", false),
            ("", "isalpha", false),
            ("", "isprintable", true),
            ("aB1", "isalnum", true),
            ("Hello World", "istitle", true),
            ("Hello world", "istitle", false),
            ("a1", "islower", true),
            ("A1b", "isupper", false),
            ("_x1", "isidentifier", true),
            ("1x", "isidentifier", false),
        ] {
            assert_eq!(is(text, name), holds, "{text:?}.{name}()");
        }
    }
}

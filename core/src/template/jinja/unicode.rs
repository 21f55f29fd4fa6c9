//! Python's questions about characters, and its case mappings.

/// `str.isspace` of one character: Unicode white space and four control characters.
pub(crate) fn is_space(c: char) -> bool {
    match c {
        ' ' | '\t'..='\r' | '\x1c'..='\x1f' => true,
        c if c.is_ascii() => false,
        c => c.is_whitespace(),
    }
}

/// The value of a decimal digit of any script.
pub(crate) fn decimal(c: char) -> Option<u32> {
    let code = u32::from(c);
    let after = ZEROS.partition_point(|zero| *zero <= code);
    let zero = ZEROS[..after].last()?;
    (code - zero < 10).then_some(code - zero)
}

pub(crate) fn is_digit(c: char) -> bool {
    decimal(c).is_some() || within(DIGITS, c)
}

pub(crate) fn is_numeric(c: char) -> bool {
    c.is_numeric() || within(NUMERALS, c)
}

/// Letters only: marks, numerals and signs that count as alphabetic elsewhere do not here.
pub(crate) fn is_alpha(c: char) -> bool {
    use unicode_categories::UnicodeCategories;
    c.is_alphabetic() && !c.is_numeric() && !c.is_mark() && !c.is_symbol()
}

pub(crate) fn is_alphanumeric(c: char) -> bool {
    is_alpha(c) || is_digit(c) || is_numeric(c)
}

/// What `repr` shows as it is.
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // Rust escapes the same characters as Python, if a combining one has something to stand on.
    let mut buffer = [b'a'; 5];
    let length = c.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..=length]).unwrap_or_default();
    text.escape_debug().nth(1) != Some('\\')
}

/// `str.title` of one character that begins a word.
pub(crate) fn title(c: char, out: &mut String) {
    if c.is_ascii() {
        out.push(c.to_ascii_uppercase());
        return;
    }
    match c {
        '\u{1c4}'..='\u{1c6}' => out.push('\u{1c5}'),
        '\u{1c7}'..='\u{1c9}' => out.push('\u{1c8}'),
        '\u{1ca}'..='\u{1cc}' => out.push('\u{1cb}'),
        '\u{1f1}'..='\u{1f3}' => out.push('\u{1f2}'),
        // Georgian has capitals, but words do not begin with them.
        '\u{10d0}'..='\u{10ff}' => out.push(c),
        '\u{149}' => out.push_str("\u{2bc}N"),
        '\u{1f80}'..='\u{1faf}' => {
            let code = u32::from(c) | 8;
            out.extend(char::from_u32(code));
        }
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => out.extend(char::from_u32(u32::from(c) + 9)),
        '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}' => out.push(c),
        _ => {
            let mut upper = c.to_uppercase();
            out.extend(upper.next());
            for rest in upper {
                match rest {
                    // Iota goes under the letter again.
                    '\u{399}' if ('\u{1f00}'..'\u{2000}').contains(&c) => out.push('\u{345}'),
                    _ => out.extend(rest.to_lowercase()),
                }
            }
        }
    }
}

/// `str.lower` of the character at `at` of `text`, which decides how a sigma ends.
pub(crate) fn lower(text: &str, at: usize, c: char, out: &mut String) {
    if c.is_ascii() {
        out.push(c.to_ascii_lowercase());
    } else if c == 'Σ' {
        out.push(if ends_word(text, at) { 'ς' } else { 'σ' });
    } else {
        out.extend(c.to_lowercase());
    }
}

/// Whether a sigma at `at` stands after a letter and not before one.
fn ends_word(text: &str, at: usize) -> bool {
    let ignorable = |c: &char| !c.is_alphanumeric() && (matches!(c, '\'' | '.' | ':' | '^' | '`' | '\u{ad}' | '\u{2019}') || is_mark(*c));
    let cased = |c: char| c.is_uppercase() || c.is_lowercase();
    let before = text[..at].chars().rev().find(|c| !ignorable(c));
    let after = text[at + 'Σ'.len_utf8()..].chars().find(|c| !ignorable(c));
    before.is_some_and(cased) && !after.is_some_and(cased)
}

fn is_mark(c: char) -> bool {
    use unicode_categories::UnicodeCategories;
    c.is_mark()
}

/// `str.casefold` of one character.
pub(crate) fn fold(c: char, out: &mut String) {
    match c {
        c if c.is_ascii() => out.push(c.to_ascii_lowercase()),
        'ı' | '\u{13a0}'..='\u{13f5}' => out.push(c),
        // Cherokee folds to capitals.
        '\u{13f8}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}' => out.extend(c.to_uppercase()),
        c => out.extend(c.to_uppercase().flat_map(char::to_lowercase)),
    }
}

fn within(table: &[(u32, u32)], c: char) -> bool {
    let code = u32::from(c);
    let after = table.partition_point(|(first, _)| *first <= code);
    table[..after].last().is_some_and(|(_, last)| code <= *last)
}

/// The zeros of all scripts.
#[rustfmt::skip]
const ZEROS: &[u32] = &[
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6,
    0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80,
    0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900,
    0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x1_04a0, 0x1_0d30, 0x1_1066,
    0x1_10f0, 0x1_1136, 0x1_11d0, 0x1_12f0, 0x1_1450, 0x1_14d0, 0x1_1650, 0x1_16c0,
    0x1_1730, 0x1_18e0, 0x1_1950, 0x1_1c50, 0x1_1d50, 0x1_1da0, 0x1_6a60, 0x1_6ac0,
    0x1_6b50, 0x1_d7ce, 0x1_d7d8, 0x1_d7e2, 0x1_d7ec, 0x1_d7f6, 0x1_e140, 0x1_e2f0,
    0x1_e950, 0x1_fbf0,
];

/// Digits that are not decimal: superscripts, circled ones ...
#[rustfmt::skip]
const DIGITS: &[(u32, u32)] = &[
    (0xb2, 0xb3), (0xb9, 0xb9), (0x1369, 0x1371), (0x19da, 0x19da),
    (0x2070, 0x2070), (0x2074, 0x2079), (0x2080, 0x2089), (0x2460, 0x2468),
    (0x2474, 0x247c), (0x2488, 0x2490), (0x24ea, 0x24ea), (0x24f5, 0x24fd),
    (0x24ff, 0x24ff), (0x2776, 0x277e), (0x2780, 0x2788), (0x278a, 0x2792),
    (0x1_0a40, 0x1_0a43), (0x1_0e60, 0x1_0e68), (0x1_1052, 0x1_105a), (0x1_f100, 0x1_f10a),
];

/// Ideographs that are numbers.
#[rustfmt::skip]
const NUMERALS: &[(u32, u32)] = &[
    (0x3405, 0x3405), (0x3483, 0x3483), (0x382a, 0x382a), (0x3b4d, 0x3b4d),
    (0x4e00, 0x4e00), (0x4e03, 0x4e03), (0x4e07, 0x4e07), (0x4e09, 0x4e09),
    (0x4e5d, 0x4e5d), (0x4e8c, 0x4e8c), (0x4e94, 0x4e94), (0x4e96, 0x4e96),
    (0x4ebf, 0x4ec0), (0x4edf, 0x4edf), (0x4ee8, 0x4ee8), (0x4f0d, 0x4f0d),
    (0x4f70, 0x4f70), (0x5104, 0x5104), (0x5146, 0x5146), (0x5169, 0x5169),
    (0x516b, 0x516b), (0x516d, 0x516d), (0x5341, 0x5341), (0x5343, 0x5345),
    (0x534c, 0x534c), (0x53c1, 0x53c4), (0x56db, 0x56db), (0x58f1, 0x58f1),
    (0x58f9, 0x58f9), (0x5e7a, 0x5e7a), (0x5efe, 0x5eff), (0x5f0c, 0x5f0e),
    (0x5f10, 0x5f10), (0x62fe, 0x62fe), (0x634c, 0x634c), (0x67d2, 0x67d2),
    (0x6f06, 0x6f06), (0x7396, 0x7396), (0x767e, 0x767e), (0x8086, 0x8086),
    (0x842c, 0x842c), (0x8cae, 0x8cae), (0x8cb3, 0x8cb3), (0x8d30, 0x8d30),
    (0x9621, 0x9621), (0x9646, 0x9646), (0x964c, 0x964c), (0x9678, 0x9678),
    (0x96f6, 0x96f6), (0xf96b, 0xf96b), (0xf973, 0xf973), (0xf978, 0xf978),
    (0xf9b2, 0xf9b2), (0xf9d1, 0xf9d1), (0xf9d3, 0xf9d3), (0xf9fd, 0xf9fd),
    (0x2_0001, 0x2_0001), (0x2_0064, 0x2_0064), (0x2_00e2, 0x2_00e2), (0x2_0121, 0x2_0121),
    (0x2_092a, 0x2_092a), (0x2_0983, 0x2_0983), (0x2_098c, 0x2_098c), (0x2_099c, 0x2_099c),
    (0x2_0aea, 0x2_0aea), (0x2_0afd, 0x2_0afd), (0x2_0b19, 0x2_0b19), (0x2_2390, 0x2_2390),
    (0x2_2998, 0x2_2998), (0x2_3b1b, 0x2_3b1b), (0x2_626d, 0x2_626d), (0x2_f890, 0x2_f890),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_characters() {
        assert!(is_space('\x1c') && is_space('\u{3000}') && !is_space('\u{200b}'));
        assert_eq!((decimal('7'), decimal('٣'), decimal('²')), (Some(7), Some(3), None));
        assert!(is_digit('²') && !is_digit('½') && is_numeric('½') && is_numeric('三'));
        assert!(is_alpha('é') && is_alpha('漢') && !is_alpha('Ⅷ') && !is_alpha('\u{301}'));
        assert!(is_printable('é') && is_printable('\u{301}') && !is_printable('\u{ad}'));
        assert!(!is_printable('\u{3000}') && !is_printable('\u{e000}'));
    }

    #[test]
    fn cases() {
        let titled = |c| {
            let mut out = String::new();
            title(c, &mut out);
            out
        };
        for (c, text) in [('a', "A"), ('ß', "Ss"), ('ǆ', "ǅ"), ('ﬁ', "Fi"), ('ა', "ა"), ('ᾳ', "ᾼ")] {
            assert_eq!(titled(c), text);
        }
        let lowered = |text: &str| {
            let mut out = String::new();
            text.char_indices().for_each(|(at, c)| lower(text, at, c, &mut out));
            out
        };
        assert_eq!(lowered("ΑΣ ΣΑ İ"), "ας σα i\u{307}");
        let mut folded = String::new();
        "ßΣςᏸ".chars().for_each(|c| fold(c, &mut folded));
        assert_eq!(folded, "ssσσᏰ");
    }
}

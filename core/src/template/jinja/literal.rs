//! Numbers and strings as the source spells them.

use super::lexer::Kind;

/// The number at the start of `text` and its length. A float only where `floats`.
pub(super) fn number(text: &str, floats: bool) -> Result<(Kind, usize), String> {
    let whole = digits(text);
    if floats {
        if let Some(length) = float_length(text, whole) {
            let plain = text[..length].replace('_', "");
            let float = plain.parse().map_err(|_| format!("{plain} is not a number"))?;
            return Ok((Kind::Float(float), length));
        }
    }
    let prefix = text.get(..2).map(str::to_ascii_lowercase);
    let radix = match prefix.as_deref() {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 10,
    };
    if radix != 10 {
        let body: &str = &text[2..];
        let end = body
            .find(|c: char| !(c == '_' || c.is_digit(radix)))
            .unwrap_or(body.len());
        let plain = body[..end].replace('_', "");
        if !plain.is_empty() {
            return i128::from_str_radix(&plain, radix)
                .map(|int| (Kind::Int(int), end + 2))
                .map_err(|_| too_large());
        }
    }
    // `007` is `0`, `0` and `7` to jinja2, which no grammar takes.
    let length = match text.as_bytes() {
        [b'0', ..] => text[..whole].bytes().take_while(|byte| matches!(byte, b'0' | b'_')).count(),
        _ => whole,
    };
    let plain = text[..length].replace('_', "");
    let int = plain.parse().map_err(|_| too_large())?;
    Ok((Kind::Int(int), length))
}

fn too_large() -> String {
    "an integer is larger than 128 bits hold".to_owned()
}

/// The length of digits that single underscores may join.
fn digits(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while digit(at) || (at > 0 && bytes.get(at) == Some(&b'_') && digit(at - 1) && digit(at + 1)) {
        at += 1;
    }
    at
}

fn float_length(text: &str, whole: usize) -> Option<usize> {
    let mut length = whole;
    let fraction = text[whole..].strip_prefix('.').map_or(0, digits);
    if fraction > 0 {
        length += 1 + fraction;
    }
    let exponent = text[length..].strip_prefix(['e', 'E']).map_or(0, |rest| {
        let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        match digits(unsigned) {
            0 => 0,
            count => 1 + (rest.len() - unsigned.len()) + count,
        }
    });
    length += exponent;
    (fraction > 0 || exponent > 0).then_some(length)
}

/// The contents of a string with Python's escapes resolved. What is no escape stays as it is.
pub(super) fn unescape(text: &str) -> Result<String, String> {
    if !text.contains('\\') {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else {
            return Err("a string ends in a lone backslash".to_owned());
        };
        let mut used = c.len_utf8();
        match c {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(c),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\x0b'),
            '0'..='7' => {
                used = rest.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                out.push(code_point(&rest[..used], 8)?);
            }
            'x' | 'u' | 'U' => {
                let count = match c {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let code = rest.get(1..=count).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
                let Some(code) = code else {
                    return Err(format!("\\{c} wants {count} hexadecimal digits"));
                };
                out.push(code_point(code, 16)?);
                used = 1 + count;
            }
            'N' => return Err("names of characters (\\N{...}) are not supported".to_owned()),
            c => {
                out.push('\\');
                out.push_str(&unknown(c));
            }
        }
        rest = &rest[used..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Halves of surrogate pairs are no characters here; Python could not write them out either.
fn code_point(digits: &str, radix: u32) -> Result<char, String> {
    let code = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    match code {
        0xd800..=0xdfff => Ok(char::REPLACEMENT_CHARACTER),
        _ => char::from_u32(code).ok_or_else(|| format!("\\{digits} is not a character")),
    }
}

/// jinja2 writes characters beyond ASCII as escapes before it reads escapes, so that a backslash in
/// front of one leaves the escape.
fn unknown(c: char) -> String {
    match u32::from(c) {
        code @ 0x80..=0xff => format!("x{code:02x}"),
        code @ 0x100..=0xffff => format!("u{code:04x}"),
        code @ 0x1_0000.. => format!("U{code:08x}"),
        _ => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, number, unescape};

    #[test]
    fn numbers() {
        for (text, floats, kind, length) in [
            ("12]", true, Kind::Int(12), 2),
            ("1_000", true, Kind::Int(1000), 5),
            ("0x1F", true, Kind::Int(31), 4),
            ("0b_101", true, Kind::Int(5), 6),
            ("1.5e-3x", true, Kind::Float(0.0015), 6),
            ("1e5", true, Kind::Float(1e5), 3),
            ("1.x", true, Kind::Int(1), 1),
            ("0.1", false, Kind::Int(0), 1),
            ("1e", true, Kind::Int(1), 1),
            ("007", true, Kind::Int(0), 2),
        ] {
            assert_eq!(number(text, floats), Ok((kind, length)), "{text}");
        }
        assert!(number(&"9".repeat(60), true).is_err());
    }

    #[test]
    fn escapes() {
        for (text, plain) in [
            (r"a\nb\t\\", "a\nb\t\\"),
            (r"\x41\u00e9\U0001F600", "Aé😀"),
            (r"\d\s", r"\d\s"),
            ("a\\\nb", "ab"),
            (r"\101\0", "A\0"),
            (r"\é", r"\xe9"),
        ] {
            assert_eq!(unescape(text).as_deref(), Ok(plain), "{text}");
        }
        assert!(unescape(r"\x4").is_err());
        assert!(unescape(r"\U00110000").is_err());
    }
}

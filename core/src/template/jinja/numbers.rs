//! Numbers as Python reads and writes them.

use super::unicode::is_space;

/// `repr(float)`: the shortest digits that read back the same, with an exponent below 1e-4 and from
/// 1e16 on.
pub(crate) fn float_repr(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = float.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        return exponent(&format!("{float:e}"));
    }
    let mut text = float.to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    text
}

/// Rust's `1.5e7` as C's `1.5e+07`.
pub(crate) fn exponent(text: &str) -> String {
    let (digits, power) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, power) = match power.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', power),
    };
    format!("{digits}e{sign}{power:0>2}")
}

/// `int(text, base)`; `None` where Python raises an error.
pub(crate) fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim_matches(is_space);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let prefix = digits.get(..2).map(str::to_ascii_lowercase);
    let marked = match prefix.as_deref() {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 0,
    };
    let (base, digits) = match (base, marked) {
        (0, 0) => {
            let is_old_octal = digits.starts_with('0') && digits.bytes().any(|b| b != b'0' && b != b'_');
            if is_old_octal {
                return None;
            }
            (10, digits)
        }
        (0, marked) => (marked, digits[2..].strip_prefix('_').unwrap_or(&digits[2..])),
        (base, marked) if base == marked => {
            (base, digits[2..].strip_prefix('_').unwrap_or(&digits[2..]))
        }
        (base, _) => (base, digits),
    };
    let plain = without_underscores(digits)?;
    let mut number: i128 = 0;
    for c in plain.chars() {
        let digit = super::unicode::decimal(c).or_else(|| c.to_digit(36)).filter(|d| *d < base)?;
        number = number.checked_mul(i128::from(base))?;
        let digit = i128::from(digit);
        number = match negative {
            true => number.checked_sub(digit)?,
            false => number.checked_add(digit)?,
        };
    }
    Some(number)
}

/// Single underscores between digits are allowed.
fn without_underscores(digits: &str) -> Option<String> {
    let misplaced = digits.is_empty()
        || digits.starts_with('_')
        || digits.ends_with('_')
        || digits.contains("__");
    (!misplaced).then(|| digits.replace('_', ""))
}

/// `float(text)`
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_space);
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(lower.as_str(), "inf" | "infinity" | "nan") {
        return text.parse().ok();
    }
    let fits = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-' | '_');
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !unsigned.chars().all(fits) {
        return None;
    }
    let joins_digits = unsigned.match_indices('_').all(|(at, _)| {
        let digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
        let bytes = unsigned.as_bytes();
        at > 0 && digit(bytes.get(at - 1)) && digit(bytes.get(at + 1))
    });
    joins_digits.then(|| text.replace('_', "").parse().ok()).flatten()
}

/// `int(float)`; `None` for what is no number or too large.
pub(crate) fn float_to_int(float: f64) -> Option<i128> {
    const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    let whole = float.trunc();
    (-BEYOND..BEYOND).contains(&whole).then_some(whole as i128)
}

/// `round(float, digits)`: correctly rounded, halves to even.
pub(crate) fn round(float: f64, digits: i128) -> f64 {
    if !float.is_finite() || digits > 330 {
        return float;
    }
    if digits >= 0 {
        // The formatter rounds the exact decimal value, halves to even.
        return format!("{float:.*}", digits as usize).parse().unwrap_or(float);
    }
    if digits < -310 {
        return 0.0_f64.copysign(float);
    }
    let scale = 10_f64.powi(-digits as i32);
    (float / scale).round_ties_even() * scale
}

#[cfg(test)]
mod tests {
    use super::{float_repr, parse_float, parse_int, round};

    #[test]
    fn floats_read_as_in_python() {
        for (float, text) in [
            (0.1, "0.1"),
            (3.0, "3.0"),
            (-0.0, "-0.0"),
            (1e-7, "1e-07"),
            (1.5e-5, "1.5e-05"),
            (1e-4, "0.0001"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (-1.25e20, "-1.25e+20"),
            (1e300, "1e+300"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(float_repr(float), text);
        }
    }

    #[test]
    fn texts_become_numbers() {
        for (text, base, int) in [
            (" 42\n", 10, Some(42)),
            ("-1_000", 10, Some(-1000)),
            ("0x1f", 16, Some(31)),
            ("0x1f", 0, Some(31)),
            ("0x1f", 10, None),
            ("1__0", 10, None),
            ("٣", 10, Some(3)),
            ("", 10, None),
            ("zz", 36, Some(1295)),
        ] {
            assert_eq!(parse_int(text, base), int, "{text}");
        }
        for (text, float) in [
            (" 1.5 ", Some(1.5)),
            ("1e3", Some(1000.0)),
            (".5", Some(0.5)),
            ("-inf", Some(f64::NEG_INFINITY)),
            ("1_0.5", Some(10.5)),
            ("0x1", None),
            ("1,5", None),
            ("", None),
        ] {
            assert_eq!(parse_float(text), float, "{text}");
        }
    }

    #[test]
    fn rounds_as_python() {
        for (float, digits, rounded) in [
            (42.55, 1, 42.5),
            (2.5, 0, 2.0),
            (3.5, 0, 4.0),
            (2.675, 2, 2.67),
            (1234.5, -2, 1200.0),
        ] {
            assert_eq!(round(float, digits), rounded);
        }
    }
}

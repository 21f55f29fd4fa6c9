//! Digits of floats and integers as format types ask for them.

use super::super::fault::{Fault, Result};
use super::super::numbers::{exponent, float_repr};

/// More digits than any float has.
const MOST: usize = 4096;

fn checked(precision: usize) -> Result<usize> {
    match precision <= MOST {
        true => Ok(precision),
        false => Err(Fault::limit(format!("it formats a number with more than {MOST} digits"))),
    }
}

/// A float without its sign, as `kind` (`e`, `f`, `g`, `%`, or `None` for the shortest) writes it.
pub(super) fn float(
    magnitude: f64,
    kind: Option<char>,
    precision: Option<usize>,
    keep_zeros: bool,
) -> Result<String> {
    if !magnitude.is_finite() {
        return Ok(if magnitude.is_nan() { "nan" } else { "inf" }.to_owned());
    }
    Ok(match (kind, precision) {
        (Some('f' | 'F'), _) => with_point(
            format!("{magnitude:.*}", checked(precision.unwrap_or(6))?),
            keep_zeros,
        ),
        (Some('%'), _) => {
            let text = format!("{:.*}", checked(precision.unwrap_or(6))?, magnitude * 100.0);
            with_point(text, keep_zeros) + "%"
        }
        (Some('e' | 'E'), _) => {
            exponent(&format!("{magnitude:.*e}", checked(precision.unwrap_or(6))?))
        }
        (None, None) => float_repr(magnitude),
        (None, Some(precision)) => general(magnitude, checked(precision)?.max(1), keep_zeros, true),
        _ => general(magnitude, checked(precision.unwrap_or(6))?.max(1), keep_zeros, false),
    })
}

fn with_point(mut text: String, wanted: bool) -> String {
    if wanted && !text.contains('.') {
        text.push('.');
    }
    text
}

/// `%g`: so many significant digits, with an exponent where the number is very small or large.
/// `as_float` keeps a digit after the point, as the format of a float without a type does.
fn general(magnitude: f64, precision: usize, keep_zeros: bool, as_float: bool) -> String {
    let scientific = format!("{magnitude:.*e}", precision - 1);
    let power: i64 = scientific
        .split_once('e')
        .and_then(|(_, power)| power.parse().ok())
        .unwrap_or_default();
    let limit = precision as i64 - i64::from(as_float);
    if power < -4 || power >= limit.max(i64::from(!as_float)) {
        let (digits, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let digits = if keep_zeros { digits.to_owned() } else { trimmed(digits) };
        return exponent(&format!("{digits}e{power}"));
    }
    let decimals = usize::try_from(precision as i64 - 1 - power).unwrap_or_default();
    let text = format!("{magnitude:.decimals$}");
    let text = if keep_zeros { with_point(text, true) } else { trimmed(&text) };
    match as_float && !text.contains('.') {
        true => text + ".0",
        false => text,
    }
}

fn trimmed(digits: &str) -> String {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    }
}

/// The digits of an integer without its sign.
pub(super) fn integer(magnitude: u128, kind: char) -> String {
    match kind {
        'x' => format!("{magnitude:x}"),
        'X' => format!("{magnitude:X}"),
        'o' => format!("{magnitude:o}"),
        'b' => format!("{magnitude:b}"),
        _ => magnitude.to_string(),
    }
}

/// The mark in front of digits of another base.
pub(super) fn prefix(kind: char) -> &'static str {
    match kind {
        'x' => "0x",
        'X' => "0X",
        'o' => "0o",
        'b' => "0b",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::float;

    #[test]
    fn floats_by_type() {
        for (number, kind, precision, text) in [
            (1.005, Some('f'), Some(2), "1.00"),
            (12345.678, Some('g'), None, "12345.7"),
            (1234567.0, Some('g'), None, "1.23457e+06"),
            (0.00001234, Some('g'), Some(3), "1.23e-05"),
            (100.0, Some('g'), None, "100"),
            (0.5, Some('%'), Some(0), "50%"),
            (1.5, Some('e'), Some(2), "1.50e+00"),
            (3.0, None, None, "3.0"),
            (3.14159, None, Some(3), "3.14"),
            (1e20, None, Some(3), "1e+20"),
            (100.0, None, Some(3), "1e+02"),
            (10.0, None, Some(3), "10.0"),
        ] {
            assert_eq!(float(number, kind, precision, false).unwrap(), text);
        }
        assert!(float(1.0, Some('f'), Some(1 << 30), false).is_err());
    }
}

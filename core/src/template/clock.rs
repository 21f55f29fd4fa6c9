//! `strftime_now`, the template's clock.

use jiff::Zoned;
use jiff::civil::DateTime;
use minijinja::value::Value;
use minijinja::{Error as JinjaError, ErrorKind as JinjaErrorKind};

use crate::surface::{Error, ErrorKind, Result};

/// Reads `RenderOptions.now`.
pub(super) fn parse(now: &str) -> Result<DateTime> {
    now.parse().map_err(|error| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "now must be a date and time such as 2026-03-07T08:05:09, without a zone; {now:?} is not: {error}"
            ),
        )
    })
}

/// The function for one rendering; `now` unset is the time of the call.
pub(super) fn function(now: Option<DateTime>) -> Value {
    Value::from_function(move |format: &str| {
        let now = now.unwrap_or_else(|| Zoned::now().datetime());
        strftime(now, format).map(Value::from)
    })
}

/// `datetime.strftime` of a time without a zone: `%f` has six digits, `%Z` and `%z` are empty.
fn strftime(now: DateTime, format: &str) -> std::result::Result<String, JinjaError> {
    let mut plain = String::with_capacity(format.len());
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        plain.push(c);
        if c != '%' {
            continue;
        }
        match characters.next() {
            Some('Z' | 'z') => {
                plain.pop();
            }
            Some('f') => plain.push_str("6f"),
            Some(directive) => plain.push(directive),
            None => plain.push('%'),
        }
    }
    jiff::fmt::strtime::format(&plain, now).map_err(|error| {
        JinjaError::new(
            JinjaErrorKind::InvalidOperation,
            format!("strftime_now({format:?}): {error}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{parse, strftime};

    #[test]
    fn formats_as_python() {
        let now = parse("2026-03-07T08:05:09.012345").unwrap();
        for (format, text) in [
            ("%d %b %Y", "07 Mar 2026"),
            ("%B %-d, %Y", "March 7, 2026"),
            ("%Y-%m-%d %H:%M:%S.%f", "2026-03-07 08:05:09.012345"),
            ("%A %a %p %I %j 100%%", "Saturday Sat AM 08 066 100%"),
            ("[%Z%z]", "[]"),
            ("%", "%"),
        ] {
            assert_eq!(strftime(now, format).unwrap(), text);
        }
        assert!(parse("yesterday").is_err());
    }
}

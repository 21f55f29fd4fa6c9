//! Strings into parts.

use super::super::args::{Args, integer, string};
use super::super::fault::{Result, fail};
use super::super::text::Text;
use super::super::unicode::is_space;
use super::super::value::Value;
use super::super::vm::Vm;
use super::given;

/// `split` and `rsplit`.
pub(super) fn split<'a>(
    vm: &Vm<'a>,
    text: &Text<'a>,
    args: Args<'a>,
    from_end: bool,
) -> Result<Value<'a>> {
    let [separator, most] = args.bind("split", ["sep", "maxsplit"], 0)?;
    let separator = given(separator)?
        .map(|value| string("split", value))
        .transpose()?;
    let most = match most {
        Some(most) => integer("split", &most)?,
        None => -1,
    };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let whole = text.as_str();
    let most = most.saturating_add(1);
    match (&separator, from_end) {
        (Some(separator), _) if separator.is_empty() => {
            fail("a string cannot be split at an empty one")
        }
        (Some(separator), false) => {
            list_of(vm, text, whole.splitn(most, separator.as_str()), false)
        }
        (Some(separator), true) => list_of(vm, text, whole.rsplitn(most, separator.as_str()), true),
        (None, false) => list_of(vm, text, words(whole, most), false),
        (None, true) => list_of(vm, text, words_from_end(whole, most), true),
    }
}

fn list_of<'a, 't>(
    vm: &Vm<'a>,
    text: &Text<'a>,
    parts: impl Iterator<Item = &'t str>,
    reversed: bool,
) -> Result<Value<'a>> {
    let mut items = Vec::new();
    for part in parts {
        vm.meter.step()?;
        vm.meter.bytes(size_of::<Value>())?;
        items.push(Value::Str(text.part(part)));
    }
    if reversed {
        items.reverse();
    }
    Value::list(items, &vm.meter)
}

/// At most so many words between white space, of which the last is all that is left.
fn words(text: &str, most: usize) -> impl Iterator<Item = &str> {
    let mut rest = text.trim_start_matches(is_space);
    let mut left = most;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        left -= 1;
        let end = match left {
            0 => rest.len(),
            _ => rest.find(is_space).unwrap_or(rest.len()),
        };
        let word = &rest[..end];
        rest = rest[end..].trim_start_matches(is_space);
        Some(word)
    })
}

/// The same from the end, the last word first.
fn words_from_end(text: &str, most: usize) -> impl Iterator<Item = &str> {
    let mut rest = text.trim_end_matches(is_space);
    let mut left = most;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        left -= 1;
        let word = match left {
            0 => rest,
            _ => rest.rsplit(is_space).next().unwrap_or(rest),
        };
        rest = rest[..rest.len() - word.len()].trim_end_matches(is_space);
        Some(word)
    })
}

/// Whether a character ends a line.
pub(crate) fn ends_line(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Lines as Python counts them, with or without their ends.
pub(crate) fn lines(text: &str, keep_ends: bool) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let at = rest.find(ends_line).unwrap_or(rest.len());
        let end = &rest[at..];
        let length = match end.starts_with("\r\n") {
            true => 2,
            false => end.chars().next().map_or(0, char::len_utf8),
        };
        let line = &rest[..if keep_ends { at + length } else { at }];
        rest = &end[length..];
        Some(line)
    })
}

pub(super) fn splitlines<'a>(vm: &Vm<'a>, text: &Text<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let keep_ends = args.optional("splitlines", "keepends")?;
    let keep_ends = match keep_ends {
        Some(keep_ends) => integer("splitlines", &keep_ends)? != 0,
        None => false,
    };
    list_of(vm, text, lines(text.as_str(), keep_ends), false)
}

/// `partition` and `rpartition`.
pub(super) fn partition<'a>(
    vm: &Vm<'a>,
    text: &Text<'a>,
    args: Args<'a>,
    name: &str,
) -> Result<Value<'a>> {
    let separator = string(name, args.single(name)?)?;
    if separator.is_empty() {
        return fail("a string cannot be split at an empty one");
    }
    let whole = text.as_str();
    let found = match name {
        "partition" => whole.find(separator.as_str()),
        _ => whole.rfind(separator.as_str()),
    };
    let empty = || text.slice(0..0);
    let parts = match (found, name) {
        (Some(at), _) => {
            let end = at + separator.len();
            [
                text.slice(0..at),
                text.slice(at..end),
                text.slice(end..whole.len()),
            ]
        }
        (None, "partition") => [text.clone(), empty(), empty()],
        (None, _) => [empty(), empty(), text.clone()],
    };
    Value::tuple(parts.map(Value::Str).into(), &vm.meter)
}

#[cfg(test)]
mod tests {
    use super::{lines, words, words_from_end};

    #[test]
    fn words_and_lines() {
        let all = |parts: &mut dyn Iterator<Item = &'static str>| parts.collect::<Vec<_>>();
        assert_eq!(
            all(&mut words(" a  b \x1c c ", usize::MAX)),
            ["a", "b", "c"]
        );
        assert_eq!(all(&mut words("a  b  c ", 2)), ["a", "b  c "]);
        assert_eq!(all(&mut words_from_end(" a  b  c ", 2)), ["c", " a  b"]);
        assert_eq!(
            all(&mut lines("a\r\nb\x0bc\n\n", false)),
            ["a", "b", "c", ""]
        );
        assert_eq!(all(&mut lines("a\nb", true)), ["a\n", "b"]);
    }
}

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
    let separator = given(separator)?.map(|value| string("split", value)).transpose()?;
    let most = match most {
        Some(most) => integer("split", &most)?,
        None => -1,
    };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let parts: Vec<&str> = match (&separator, from_end) {
        (Some(separator), _) if separator.is_empty() => {
            return fail("a string cannot be split at an empty one");
        }
        (Some(separator), false) => {
            let parts = text.as_str().splitn(most.saturating_add(1), separator.as_str());
            parts.collect()
        }
        (Some(separator), true) => {
            let parts = text.as_str().rsplitn(most.saturating_add(1), separator.as_str());
            let mut parts: Vec<&str> = parts.collect();
            parts.reverse();
            parts
        }
        (None, false) => words(text.as_str(), most),
        (None, true) => words_from_end(text.as_str(), most),
    };
    list_of(vm, text, parts)
}

fn list_of<'a>(vm: &Vm<'a>, text: &Text<'a>, parts: Vec<&str>) -> Result<Value<'a>> {
    let parts = parts.into_iter().map(|part| Value::Str(text.part(part)));
    Value::list(parts.collect(), &vm.meter)
}

/// Words between white space; what is left after `most` splits keeps its spaces.
fn words(text: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest.trim_end_matches(is_space));
            break;
        }
        let end = rest.find(is_space).unwrap_or(rest.len());
        parts.push(&rest[..end]);
        rest = rest[end..].trim_start_matches(is_space);
    }
    parts
}

fn words_from_end(text: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_end_matches(is_space);
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest.trim_start_matches(is_space));
            break;
        }
        let word = rest.rsplit(is_space).next().unwrap_or(rest);
        parts.push(word);
        rest = rest[..rest.len() - word.len()].trim_end_matches(is_space);
    }
    parts.reverse();
    parts
}

/// Lines as Python counts them, with or without their ends.
pub(crate) fn lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let ends = |c: char| {
        matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(ends) {
        let end = &rest[at..];
        let length = match end.starts_with("\r\n") {
            true => 2,
            false => end.chars().next().map_or(0, char::len_utf8),
        };
        lines.push(&rest[..if keep_ends { at + length } else { at }]);
        rest = &rest[at + length..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

pub(super) fn splitlines<'a>(vm: &Vm<'a>, text: &Text<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let keep_ends = args.optional("splitlines", "keepends")?;
    let keep_ends = keep_ends.is_some_and(|value| value.is_true());
    list_of(vm, text, lines(text.as_str(), keep_ends))
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
            [text.slice(0..at), text.slice(at..end), text.slice(end..whole.len())]
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
        assert_eq!(words(" a  b \x1c c ", usize::MAX), ["a", "b", "c"]);
        assert_eq!(words("a  b  c ", 1), ["a", "b  c"]);
        assert_eq!(words_from_end(" a  b  c ", 1), ["a  b", "c"]);
        assert_eq!(lines("a\r\nb\x0bc\n\n", false), ["a", "b", "c", ""]);
        assert_eq!(lines("a\nb", true), ["a\n", "b"]);
    }
}

//! The filter `wordwrap`, as Python's `textwrap` breaks lines.

use super::super::args::{Args, integer, string};
use super::super::fault::{Result, fail};
use super::super::methods;
use super::super::text::Text;
use super::super::value::Value;
use super::super::vm::Vm;

pub(super) fn wordwrap<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let names = ["width", "break_long_words", "wrapstring", "break_on_hyphens"];
    let [width, long, between, hyphens] = args.bind("wordwrap", names, 0)?;
    let width = match width {
        Some(width) => integer("wordwrap", &width)?,
        None => 79,
    };
    let Some(width) = usize::try_from(width).ok().filter(|width| *width > 0) else {
        return fail("wordwrap wants a width above zero");
    };
    let between = match between {
        None | Some(Value::None) => Text::trusted("\n"),
        Some(between) => string("wordwrap", between)?,
    };
    let breaks_long = long.is_none_or(|value| value.is_true());
    let at_hyphens = hyphens.is_none_or(|value| value.is_true());
    let text = string("wordwrap", value)?;
    vm.meter.work(text.len().saturating_mul(8))?;
    let mut out = vm.builder();
    for (index, line) in methods::lines(text.as_str(), false).into_iter().enumerate() {
        if index > 0 {
            out.text(&between);
        }
        let chunks = chunks(line, at_hyphens);
        for (index, wrapped) in wrap(&chunks, width, breaks_long, at_hyphens).into_iter().enumerate() {
            if index > 0 {
                out.text(&between);
            }
            let start = wrapped.first().map_or(0, |chunk| chunk.as_ptr().addr());
            let end = wrapped.last().map_or(start, |chunk| chunk.as_ptr().addr() + chunk.len());
            let offset = start.saturating_sub(text.as_str().as_ptr().addr());
            out.text(&text.slice(offset..offset + (end - start)));
        }
    }
    out.finish().map(Value::Str)
}

fn is_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ')
}

/// Words, the spaces between them, and the parts of hyphenated words.
fn chunks(line: &str, at_hyphens: bool) -> Vec<&str> {
    let mut chunks = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let spaces = is_space(first);
        let end = rest.find(|c| is_space(c) != spaces).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        match spaces || !at_hyphens {
            true => chunks.push(run),
            false => split_word(run, &mut chunks),
        }
        rest = after;
    }
    chunks
}

/// Splits after hyphens between letters, and around dashes.
fn split_word<'t>(word: &'t str, chunks: &mut Vec<&'t str>) {
    let letter = |c: char| c.is_alphabetic() || c == '_';
    let characters: Vec<(usize, char)> = word.char_indices().collect();
    let mut start = 0;
    let mut index = 0;
    while index < characters.len() {
        let (at, c) = characters[index];
        let dashes = characters[index..].iter().take_while(|(_, c)| *c == '-').count();
        if c == '-' && dashes >= 2 {
            let before = index > 0 && is_word_end(characters[index - 1].1);
            let after = characters.get(index + dashes).map(|(_, c)| *c);
            if before && after.is_some_and(char::is_alphanumeric) {
                let end = at + dashes;
                if start < at {
                    chunks.push(&word[start..at]);
                }
                chunks.push(&word[at..end]);
                start = end;
            }
            index += dashes;
            continue;
        }
        if c == '-' {
            let two_before = index >= 2 && letter(characters[index - 1].1) && letter(characters[index - 2].1);
            let after = characters.get(index + 1).is_some_and(|(_, c)| letter(*c));
            let later = characters.get(index + 2).is_some_and(|(_, c)| letter(*c) || *c == '-');
            if two_before && after && later {
                chunks.push(&word[start..=at]);
                start = at + 1;
            }
        }
        index += 1;
    }
    if start < word.len() {
        chunks.push(&word[start..]);
    }
}

fn is_word_end(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '!' | '"' | '\'' | '&' | '.' | ',' | '?')
}

fn width_of(chunk: &str) -> usize {
    chunk.chars().count()
}

/// Fills lines with chunks. Spaces at both ends of lines are dropped, but for those the text begins
/// with.
fn wrap<'t>(chunks: &[&'t str], width: usize, breaks_long: bool, at_hyphens: bool) -> Vec<Vec<&'t str>> {
    let mut lines: Vec<Vec<&'t str>> = Vec::new();
    let mut rest: Vec<&'t str> = chunks.iter().rev().copied().collect();
    let blank = |chunk: &str| chunk.chars().all(super::super::unicode::is_space);
    while let Some(first) = rest.last().copied() {
        if blank(first) && !lines.is_empty() {
            rest.pop();
            if rest.is_empty() {
                break;
            }
        }
        let mut line: Vec<&'t str> = Vec::new();
        let mut length = 0;
        while let Some(chunk) = rest.last().copied() {
            if length + width_of(chunk) > width {
                break;
            }
            length += width_of(chunk);
            line.push(chunk);
            rest.pop();
        }
        if let Some(long) = rest.last().copied().filter(|chunk| width_of(chunk) > width) {
            if breaks_long {
                let space = width.saturating_sub(length).max(usize::from(width < 1));
                let mut end = long.char_indices().nth(space).map_or(long.len(), |(at, _)| at);
                if at_hyphens {
                    if let Some(hyphen) = long[..end].rfind('-').filter(|at| *at > 0) {
                        if long[..hyphen].chars().any(|c| c != '-') {
                            end = hyphen + 1;
                        }
                    }
                }
                if end > 0 {
                    line.push(&long[..end]);
                    rest.pop();
                    rest.push(&long[end..]);
                }
            } else if line.is_empty() {
                line.push(long);
                rest.pop();
            }
        }
        if line.last().is_some_and(|chunk| blank(chunk)) {
            line.pop();
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{chunks, wrap};

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        let lines = wrap(&chunks(text, true), width, true, true);
        lines.into_iter().map(|line| line.concat()).collect()
    }

    #[test]
    fn lines_break_as_textwrap() {
        assert_eq!(wrapped("a b c d e", 3), ["a b", "c d", "e"]);
        assert_eq!(wrapped("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrapped("well-known words", 6), ["well-", "known", "words"]);
        assert_eq!(wrapped("  lead", 10), ["  lead"]);
    }
}

//! The filter `wordwrap`, as Python's `textwrap` breaks lines.

use super::super::args::{Args, integer, string};
use super::super::fault::{Result, fail};
use super::super::methods;
use super::super::text::Text;
use super::super::unicode::is_space as is_any_space;
use super::super::value::Value;
use super::super::vm::Vm;

pub(super) fn wordwrap<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let names = [
        "width",
        "break_long_words",
        "wrapstring",
        "break_on_hyphens",
    ];
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
    // Each character may be a chunk of its own.
    vm.meter.bytes(text.len().saturating_mul(64))?;
    let mut out = vm.builder();
    for (index, line) in methods::lines(text.as_str(), false).enumerate() {
        if index > 0 {
            out.text(&between);
        }
        let chunks = chunks(line, at_hyphens);
        let wrapped = wrap(line, &chunks, width, breaks_long, at_hyphens);
        for (index, wrapped) in wrapped.into_iter().enumerate() {
            vm.meter.step()?;
            if index > 0 {
                out.text(&between);
            }
            out.text(&text.part(wrapped));
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
        let dashes = characters[index..]
            .iter()
            .take_while(|(_, c)| *c == '-')
            .count();
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
            let two_before =
                index >= 2 && letter(characters[index - 1].1) && letter(characters[index - 2].1);
            let after = characters.get(index + 1).is_some_and(|(_, c)| letter(*c));
            let later = characters
                .get(index + 2)
                .is_some_and(|(_, c)| letter(*c) || *c == '-');
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

/// A chunk, or what is left of one, as a range of its line.
struct Chunk {
    start: usize,
    end: usize,
    /// Behind this it is blank.
    solid: usize,
}

impl Chunk {
    fn is_blank(&self) -> bool {
        self.solid <= self.start
    }
}

/// The width of a text, if it is not above `most`. It looks no further, so that a chunk that fills many
/// lines is not counted for each.
fn width_up_to(text: &str, most: usize) -> Option<usize> {
    let width = text.chars().take(most.saturating_add(1)).count();
    (width <= most).then_some(width)
}

/// Fills lines with the chunks of `text`. Spaces at both ends of lines are dropped, but for those the
/// text begins with.
fn wrap<'t>(
    text: &'t str,
    chunks: &[&str],
    width: usize,
    breaks_long: bool,
    at_hyphens: bool,
) -> Vec<&'t str> {
    let mut lines = Vec::new();
    let mut end = text.len();
    let last_first = chunks.iter().rev().map(|chunk| {
        let start = end - chunk.len();
        let solid = start + chunk.trim_end_matches(is_any_space).len();
        let chunk = Chunk { start, end, solid };
        end = start;
        chunk
    });
    let mut rest: Vec<Chunk> = last_first.collect();
    while let Some(first) = rest.last() {
        if first.is_blank() && !lines.is_empty() {
            rest.pop();
        }
        let Some(start) = rest.last().map(|chunk| chunk.start) else {
            break;
        };
        // Where the line ends, with and without the last chunk if that is blank.
        let (mut end, mut solid_end) = (start, start);
        let mut room = width;
        while let Some(chunk) = rest.last() {
            let Some(taken) = width_up_to(&text[chunk.start..chunk.end], room) else {
                break;
            };
            room -= taken;
            end = chunk.end;
            solid_end = if chunk.is_blank() { chunk.start } else { end };
            rest.pop();
        }
        let long = rest
            .last_mut()
            .filter(|chunk| width_up_to(&text[chunk.start..chunk.end], width).is_none());
        if let Some(long) = long {
            if breaks_long {
                let chunk = &text[long.start..long.end];
                let mut cut = chunk
                    .char_indices()
                    .nth(room)
                    .map_or(chunk.len(), |(at, _)| at);
                if at_hyphens {
                    if let Some(hyphen) = chunk[..cut].rfind('-').filter(|at| *at > 0) {
                        if chunk[..hyphen].chars().any(|c| c != '-') {
                            cut = hyphen + 1;
                        }
                    }
                }
                // A line that is full takes nothing, and that is what loses its space.
                end = long.start + cut;
                let blank = chunk[..cut].chars().all(is_any_space);
                solid_end = if blank { long.start } else { end };
                long.start = end;
            } else if end == start {
                end = long.end;
                solid_end = if long.is_blank() { start } else { end };
                rest.pop();
            }
        }
        if solid_end > start {
            lines.push(&text[start..solid_end]);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{chunks, wrap};

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        let lines = wrap(text, &chunks(text, true), width, true, true);
        lines.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn lines_break_as_textwrap() {
        assert_eq!(wrapped("a b c d e", 3), ["a b", "c d", "e"]);
        assert_eq!(wrapped("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrapped("well-known words", 6), ["well-", "known", "words"]);
        assert_eq!(wrapped("  lead", 10), ["  lead"]);
        assert_eq!(wrapped("ab     cd", 3), ["ab", "cd"]);
        assert_eq!(wrapped("     abcd", 2), [" a", "bc", "d"]);
        // Spaces that are not ASCII are part of words.
        assert_eq!(
            wrapped("abc   \u{3000}\u{3000}\u{3000}\u{3000}d", 3),
            ["abc", "\u{3000}d"]
        );
        assert_eq!(
            wrapped("a\u{3000}\u{3000}b c", 2),
            ["a\u{3000}", "\u{3000}b", "c"]
        );
    }
}

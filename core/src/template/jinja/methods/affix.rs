//! The ends of strings.

use super::super::args::{Args, size, string};
use super::super::fault::{Result, fail};
use super::super::slices;
use super::super::text::Text;
use super::super::unicode::is_space;
use super::super::value::Value;
use super::super::vm::Vm;
use super::given;

/// `strip`, `lstrip` and `rstrip`.
pub(super) fn strip<'a>(
    text: &Text<'a>,
    args: Args<'a>,
    start: bool,
    end: bool,
) -> Result<Text<'a>> {
    let characters = given(args.optional("strip", "")?)?;
    let characters = characters.map(|value| string("strip", value)).transpose()?;
    Ok(strip_of(text, characters.as_ref().map(Text::as_str), start, end))
}

/// Takes white space, or some characters, off the ends.
pub(crate) fn strip_of<'a>(
    text: &Text<'a>,
    characters: Option<&str>,
    start: bool,
    end: bool,
) -> Text<'a> {
    let strips = |c: char| match characters {
        Some(characters) => characters.contains(c),
        None => is_space(c),
    };
    let mut part = text.as_str();
    if start {
        part = part.trim_start_matches(strips);
    }
    if end {
        part = part.trim_end_matches(strips);
    }
    text.part(part)
}

/// `removeprefix` and `removesuffix`.
pub(super) fn remove<'a>(text: &Text<'a>, args: Args<'a>, name: &str) -> Result<Text<'a>> {
    let affix = string(name, args.single(name)?)?;
    let rest = match name {
        "removeprefix" => text.as_str().strip_prefix(affix.as_str()),
        _ => text.as_str().strip_suffix(affix.as_str()),
    };
    Ok(rest.map_or_else(|| text.clone(), |rest| text.part(rest)))
}

/// `startswith` and `endswith`, with one string or a tuple of them.
pub(super) fn has<'a>(text: &Text<'a>, args: Args<'a>, name: &str) -> Result<Value<'a>> {
    let [affix, start, end] = args.bind(name, ["", "", ""], 1)?;
    let mut whole = text.clone();
    if start.is_some() || end.is_some() {
        let Some(part) = within(text, start, end)? else {
            return Ok(Value::Bool(false));
        };
        whole = part.0;
    }
    let matches = |affix: &Text<'a>| match name {
        "startswith" => whole.as_str().starts_with(affix.as_str()),
        _ => whole.as_str().ends_with(affix.as_str()),
    };
    match affix {
        Some(Value::Str(affix)) => Ok(Value::Bool(matches(&affix))),
        Some(Value::Tuple(seq)) => {
            for affix in &seq.items {
                match affix {
                    Value::Str(affix) if matches(affix) => return Ok(Value::Bool(true)),
                    Value::Str(_) => {}
                    _ => return fail(format!("{name} wants strings in its tuple")),
                }
            }
            Ok(Value::Bool(false))
        }
        Some(Value::Undefined(undefined)) => Err(undefined.fault()),
        _ => fail(format!("{name} wants a string or a tuple of strings")),
    }
}

/// The part of a string between two places, and the characters before it; `None` where the part
/// begins after the end.
pub(super) fn within<'a>(
    text: &Text<'a>,
    start: Option<Value<'a>>,
    end: Option<Value<'a>>,
) -> Result<Option<(Text<'a>, usize)>> {
    let bound = |value: Option<Value<'a>>| match given(value)? {
        Some(value) => super::super::args::integer("a place in a string", &value).map(Some),
        None => Ok(None),
    };
    let len = text.as_str().chars().count() as i128;
    let clamp = |bound: i128| if bound < 0 { (bound + len).max(0) } else { bound };
    let start = bound(start)?.map_or(0, clamp);
    let end = bound(end)?.map_or(len, clamp).min(len);
    if start > end {
        return Ok(None);
    }
    let mut places = text.as_str().char_indices().map(|(at, _)| at);
    let from = places.nth(start as usize).unwrap_or(text.len());
    let length = (end - start) as usize;
    let rest = &text.as_str()[from..];
    let until = rest.char_indices().nth(length).map_or(rest.len(), |(at, _)| at);
    Ok(Some((text.slice(from..from + until), start as usize)))
}

/// `center`, `ljust` and `rjust`.
pub(super) fn justify<'a>(
    vm: &Vm<'a>,
    text: &Text<'a>,
    args: Args<'a>,
    name: &str,
) -> Result<Text<'a>> {
    let [width, fill] = args.bind(name, ["", ""], 1)?;
    let width = size(name, &width.unwrap_or(Value::None))?;
    let fill = match fill {
        Some(fill) => string(name, fill)?,
        None => Text::trusted(" "),
    };
    let mut characters = fill.as_str().chars();
    let (Some(c), None) = (characters.next(), characters.next()) else {
        return fail(format!("{name} fills with one character"));
    };
    justified(vm, text, width, (c, fill.has_untrusted()), name)
}

/// A string in a field.
pub(crate) fn justified<'a>(
    vm: &Vm<'a>,
    text: &Text<'a>,
    width: usize,
    (fill, outside): (char, bool),
    how: &str,
) -> Result<Text<'a>> {
    let missing = width.saturating_sub(text.as_str().chars().count());
    if missing == 0 {
        return Ok(text.clone());
    }
    let before = match how {
        "ljust" => 0,
        "rjust" => missing,
        // Where it does not come out even, Python decides by both widths.
        _ => missing / 2 + (missing & width & 1),
    };
    let mut out = vm.builder();
    out.fill(fill, before, outside);
    out.text(text);
    out.fill(fill, missing - before, outside);
    Ok(out.finish()?.marked(text.is_markup()))
}

pub(super) fn zfill<'a>(vm: &Vm<'a>, text: &Text<'a>, args: Args<'a>) -> Result<Text<'a>> {
    let width = size("zfill", &args.single("zfill")?)?;
    let missing = width.saturating_sub(text.as_str().chars().count());
    let sign = usize::from(text.as_str().starts_with(['+', '-']));
    let mut out = vm.builder();
    out.text(&text.slice(0..sign));
    out.fill('0', missing, false);
    out.text(&text.slice(sign..text.len()));
    Ok(out.finish()?.marked(text.is_markup()))
}

pub(super) fn expandtabs<'a>(vm: &Vm<'a>, text: &Text<'a>, args: Args<'a>) -> Result<Text<'a>> {
    let width = match args.optional("expandtabs", "tabsize")? {
        Some(width) => size("expandtabs", &width)?,
        None => 8,
    };
    let mut out = vm.builder();
    let mut column = 0;
    for (piece, outside) in text.pieces() {
        for c in piece.chars() {
            match c {
                '\t' if width > 0 => {
                    let spaces = width - column % width;
                    out.fill(' ', spaces, outside);
                    column += spaces;
                }
                '\t' => {}
                c => {
                    column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
                    out.push_char(c, outside);
                }
            }
        }
    }
    Ok(out.finish()?.marked(text.is_markup()))
}

impl<'a> Vm<'a> {
    /// `text[:count]`
    pub fn first_chars(&self, text: &Text<'a>, count: i128) -> Result<Text<'a>> {
        match slices::slice(&Value::Str(text.clone()), [None, Some(count), None], &self.meter)? {
            Value::Str(text) => Ok(text),
            _ => Ok(text.clone()),
        }
    }
}

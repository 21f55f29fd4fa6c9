//! Markup: escaping, and taking it away again.

use super::fault::Result;
use super::text::Text;
use super::unicode::is_space;
use super::value::Value;
use super::vm::Vm;

impl<'a> Vm<'a> {
    /// `markupsafe.escape(value)`
    pub fn escape(&self, value: &Value<'a>) -> Result<Text<'a>> {
        match value {
            Value::Str(text) if text.is_markup() => Ok(text.clone()),
            other => self.escape_text(&self.str(other)?),
        }
    }

    /// Escapes a string, whatever it is.
    pub fn escape_text(&self, text: &Text<'a>) -> Result<Text<'a>> {
        let special = ['&', '<', '>', '\'', '"'];
        if !text.as_str().contains(special) {
            return Ok(text.clone().marked(true));
        }
        let escaped = text.map_chars(&self.meter, |_, c, out| match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        })?;
        Ok(escaped.marked(true))
    }

    /// `Markup.striptags`: no tags, single spaces, entities resolved.
    pub fn strip_tags(&self, text: &Text<'a>) -> Result<Text<'a>> {
        let whole = text.as_str();
        self.meter.work(whole.len())?;
        let mut kept = self.builder();
        let mut at = 0;
        while let Some(start) = whole[at..].find('<').map(|found| at + found) {
            let end = match whole[start..].starts_with("<!--") {
                true => whole[(start + 4).min(whole.len())..]
                    .find("-->")
                    .map(|end| start + 4 + end + 3),
                false => whole[start..].find('>').map(|end| start + end + 1),
            };
            let Some(end) = end else { break };
            kept.text(&text.slice(at..start));
            at = end;
        }
        kept.text(&text.slice(at..whole.len()));
        let kept = kept.finish()?;
        let mut out = self.builder();
        let words = kept
            .as_str()
            .split(is_space)
            .filter(|word| !word.is_empty());
        for (index, word) in words.enumerate() {
            if index > 0 {
                out.trusted(" ");
            }
            out.text(&kept.part(word));
        }
        self.unescape(&out.finish()?)
    }

    /// `html.unescape`, for numbers and the entities that are in use.
    pub fn unescape(&self, text: &Text<'a>) -> Result<Text<'a>> {
        let whole = text.as_str();
        let mut out = self.builder();
        let mut at = 0;
        while let Some(start) = whole[at..].find('&').map(|found| at + found) {
            out.text(&text.slice(at..start));
            match entity(&whole[start..]) {
                Some((c, length)) => {
                    out.push_char(c, text.is_untrusted_at(start));
                    at = start + length;
                }
                None => {
                    out.text(&text.slice(start..start + 1));
                    at = start + 1;
                }
            }
        }
        out.text(&text.slice(at..whole.len()));
        out.finish()
    }
}

const ENTITIES: [(&str, char); 16] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("copy", '©'),
    ("reg", '®'),
    ("hellip", '…'),
    ("mdash", '—'),
    ("ndash", '–'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("raquo", '»'),
];

/// The entity at the start of `text` and its length.
fn entity(text: &str) -> Option<(char, usize)> {
    /// Longer than any, so that not every `&` looks through the whole text.
    const LONGEST: usize = 40;
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let (name, length) = (&text[1..end], end + 1);
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return Some((char::from_u32(code.ok()?)?, length));
    }
    let (_, c) = ENTITIES.iter().find(|(known, _)| *known == name)?;
    Some((*c, length))
}

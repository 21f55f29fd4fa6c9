//! Upper and lower case.

use super::super::fault::Result;
use super::super::text::Text;
use super::super::unicode;
use super::super::vm::Vm;

fn is_cased(c: char) -> bool {
    c.is_uppercase() || c.is_lowercase() || matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ')
}

/// Every method that changes the case of a string.
pub(super) fn change<'a>(vm: &Vm<'a>, text: &Text<'a>, how: &str) -> Result<Text<'a>> {
    let whole = text.as_str();
    let mut in_word = false;
    let mut map = |at: usize, c: char, out: &mut String| match how {
        "upper" if c.is_ascii() => out.push(c.to_ascii_uppercase()),
        "upper" => out.extend(c.to_uppercase()),
        "lower" => unicode::lower(whole, at, c, out),
        "casefold" => unicode::fold(c, out),
        "swapcase" if c.is_lowercase() => out.extend(c.to_uppercase()),
        "swapcase" if c.is_uppercase() => unicode::lower(whole, at, c, out),
        "title" => {
            match in_word {
                true => unicode::lower(whole, at, c, out),
                false => unicode::title(c, out),
            }
            in_word = is_cased(c);
        }
        "capitalize" if at == 0 => unicode::title(c, out),
        "capitalize" => unicode::lower(whole, at, c, out),
        _ => out.push(c),
    };
    text.map_chars(&vm.meter, &mut map)
}

impl<'a> Vm<'a> {
    /// `text.upper()` and the like, for filters.
    pub fn change_case(&self, text: &Text<'a>, how: &str) -> Result<Text<'a>> {
        self.meter.work(text.len())?;
        change(self, text, how)
    }
}

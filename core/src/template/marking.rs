//! Where the parts of a prompt come from, found by marking the conversation's strings.

use std::ops::Range;

use super::{Rendered, Template};
use crate::surface::{Json, RenderOptions, Result};

const START: char = '\u{f0000}';
const END: char = '\u{f0001}';

impl Template {
    /// Renders, and tells which bytes came from outside.
    pub fn render_marked(&self, messages: &Json, options: &RenderOptions) -> Result<Rendered> {
        let text = self.render(messages, options)?;
        let mut marked_options = options.clone();
        marked_options.tools = options.tools.as_ref().map(|json| mark(json, ""));
        marked_options.documents = options.documents.as_ref().map(|json| mark(json, ""));
        let mut untrusted = Vec::new();
        if let Ok(marked) = self.render(&mark(messages, ""), &marked_options) {
            let (plain, ranges) = unmark(&marked);
            if plain == text {
                untrusted = ranges;
            }
        }
        Ok(Rendered {
            text,
            untrusted,
            generation: Vec::new(),
        })
    }

    /// The template's own text.
    pub(crate) fn literals(&self) -> &[String] {
        std::slice::from_ref(&self.source)
    }
}

fn mark(json: &Json, key: &str) -> Json {
    match json {
        Json::String(text) if key != "role" && key != "type" => {
            let core = text.trim();
            if core.is_empty() {
                return json.clone();
            }
            Json::String(text.replacen(core, &format!("{START}{core}{END}"), 1))
        }
        Json::Array(items) => items.iter().map(|item| mark(item, key)).collect(),
        Json::Object(map) => Json::Object(
            map.iter()
                .map(|(key, value)| (key.clone(), mark(value, key)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn unmark(text: &str) -> (String, Vec<Range<usize>>) {
    let (mut plain, mut ranges, mut open) = (String::new(), Vec::new(), None);
    for c in text.chars() {
        match c {
            START => open = open.or(Some(plain.len())),
            END => {
                if let Some(start) = open.take().filter(|start| *start < plain.len()) {
                    ranges.push(start..plain.len());
                }
            }
            c => plain.push(c),
        }
    }
    (plain, ranges)
}

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
        let mut leaves = Vec::new();
        collect(messages, "", &mut leaves);
        for json in [&options.tools, &options.documents].into_iter().flatten() {
            collect(json, "", &mut leaves);
        }
        for leaf in leaves {
            let escaped = Json::from(leaf.trim()).to_string();
            for form in [leaf.trim(), escaped.trim_matches('"')] {
                if form.len() > 3 {
                    untrusted.extend(text.match_indices(form).map(|(at, _)| at..at + form.len()));
                }
            }
        }
        untrusted.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in untrusted {
            match merged.last_mut() {
                Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        Ok(Rendered {
            text,
            untrusted: merged,
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

fn collect<'a>(json: &'a Json, key: &str, leaves: &mut Vec<&'a str>) {
    match json {
        Json::String(text) if key != "role" && key != "type" => leaves.push(text),
        Json::Array(items) => items.iter().for_each(|item| collect(item, key, leaves)),
        Json::Object(map) => {
            for (key, value) in map {
                if key.len() > 12 {
                    leaves.push(key);
                }
                collect(value, key, leaves);
            }
        }
        _ => {}
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

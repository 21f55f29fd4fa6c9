//! Doc comments: the text, and the markers at its end.

use anyhow::Result;
use serde_json::{Number, Value};
use syn::spanned::Spanned;

use super::Source;
use crate::model::Range;

/// A doc comment taken apart.
#[derive(Debug, Default)]
pub struct Docs {
    pub text: String,
    pub default: Option<Value>,
    pub range: Option<Range>,
    pub unit: Option<String>,
    pub since: Option<String>,
    pub python: Option<String>,
    pub handwritten: Option<String>,
    pub c_only: Option<String>,
    pub aliases: Vec<String>,
    pub blocking: bool,
    pub constant: bool,
    pub property: bool,
    seen: Vec<String>,
}

impl Docs {
    /// Reads the doc comment of the item at `at`; an item without one is an error.
    pub fn read(source: &Source, attributes: &[syn::Attribute], at: &impl Spanned) -> Result<Self> {
        let mut docs = Docs::default();
        let mut lines: Vec<String> = Vec::new();
        for attribute in attributes {
            let Some(line) = line_of(attribute) else {
                continue;
            };
            let line = line.strip_prefix(' ').unwrap_or(&line).trim_end();
            match line.strip_prefix('@') {
                Some(marker) => docs.marker(source, attribute, marker)?,
                None if !docs.seen.is_empty() => {
                    return Err(source.error(attribute, "markers come last in a doc comment"));
                }
                None => lines.push(line.to_owned()),
            }
        }
        docs.text = lines.join("\n").trim().to_owned();
        if docs.text.is_empty() {
            return Err(source.error(
                at,
                "this needs a doc comment: it is public in every language",
            ));
        }
        Ok(docs)
    }

    /// Refuses every marker that means nothing at this place.
    pub fn allow(&self, source: &Source, at: &impl Spanned, allowed: &[&str]) -> Result<()> {
        for name in &self.seen {
            if !allowed.contains(&name.as_str()) {
                return Err(source.error(at, format!("@{name} means nothing here")));
            }
        }
        Ok(())
    }

    fn marker(&mut self, source: &Source, at: &syn::Attribute, marker: &str) -> Result<()> {
        let (name, value) = match marker.split_once(' ') {
            Some((name, value)) => (name, value.trim()),
            None => (marker, ""),
        };
        if self.seen.iter().any(|seen| seen == name) {
            return Err(source.error(at, format!("@{name} is given twice")));
        }
        let takes_value = !matches!(name, "blocking" | "constant" | "property");
        if takes_value == value.is_empty() {
            let wanted = if takes_value { "needs" } else { "takes no" };
            return Err(source.error(at, format!("@{name} {wanted} value")));
        }
        let text = Some(value.to_owned());
        match name {
            "default" => self.default = Some(default(source, at, value)?),
            "range" => self.range = Some(range(source, at, value)?),
            "unit" => self.unit = text,
            "since" => self.since = text,
            "python" => self.python = text,
            "handwritten" => self.handwritten = text,
            "c_only" => self.c_only = text,
            "alias" => self.aliases = aliases(source, at, value)?,
            "blocking" => self.blocking = true,
            "constant" => self.constant = true,
            "property" => self.property = true,
            _ => return Err(source.error(at, format!("@{name} is no marker; see surface/mod.rs"))),
        }
        self.seen.push(name.to_owned());
        Ok(())
    }
}

fn line_of(attribute: &syn::Attribute) -> Option<String> {
    if !attribute.path().is_ident("doc") {
        return None;
    }
    match &attribute.meta {
        syn::Meta::NameValue(syn::MetaNameValue {
            value:
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

fn default(source: &Source, at: &syn::Attribute, text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|_| {
        source.error(
            at,
            format!("@default {text}: a number, true, false or a quoted text is expected"),
        )
    })
}

fn aliases(source: &Source, at: &syn::Attribute, text: &str) -> Result<Vec<String>> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    let is_name = |name: &String| {
        name.starts_with(|letter: char| letter.is_ascii_lowercase())
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    match names.iter().all(is_name) {
        true => Ok(names),
        false => Err(source.error(at, format!("@alias {text}: names are expected, a, b"))),
    }
}

fn range(source: &Source, at: &syn::Attribute, text: &str) -> Result<Range> {
    let number = |text: &str| serde_json::from_str::<Number>(text.trim()).ok();
    text.split_once("..=")
        .and_then(|(min, max)| Some((number(min)?, number(max)?)))
        .filter(|(min, max)| min.as_f64() <= max.as_f64())
        .map(|(min, max)| Range { min, max })
        .ok_or_else(|| {
            source.error(
                at,
                format!("@range {text}: two ascending numbers A..=B are expected"),
            )
        })
}

//! Documentation in the words of JavaScript.

use crate::model::{Field, Surface, Type};
use crate::names;

/// Writes names between backticks as JavaScript has them: `max_new_tokens` is `maxNewTokens`,
/// `ContextOverflow` is `CONTEXT_OVERFLOW`. Names that are not the surface's stay as they are.
pub fn localize(surface: &Surface, doc: &str) -> String {
    doc.split('`')
        .enumerate()
        .map(|(index, part)| match index % 2 {
            0 => part.to_owned(),
            _ => format!("`{}`", word(surface, part)),
        })
        .collect()
}

fn word(surface: &Surface, word: &str) -> String {
    if surface.errors.iter().any(|error| error.name == word) {
        return names::screaming(word);
    }
    let (owner, name) = word.rsplit_once('.').unwrap_or(("", word));
    if !is_known(surface, name) {
        return word.to_owned();
    }
    match owner {
        "" => names::camel(name),
        _ => format!("{owner}.{}", names::camel(name)),
    }
}

fn is_known(surface: &Surface, name: &str) -> bool {
    let fields = surface
        .options
        .iter()
        .chain(&surface.records)
        .flat_map(|of| &of.fields);
    let methods = surface.handles.iter().flat_map(|handle| &handle.methods);
    fields.map(|field| &field.name).any(|field| field == name)
        || methods
            .map(|method| &method.name)
            .any(|method| method == name)
}

/// A field's documentation with what its type does not say.
pub fn field(surface: &Surface, field: &Field) -> String {
    let mut doc = localize(surface, &field.doc);
    let mut facts = Vec::new();
    match (&field.unit, field.ty.bare()) {
        (Some(unit), _) => facts.push(format!("Unit: {unit}.")),
        (None, Type::Duration) => facts.push("Unit: milliseconds.".to_owned()),
        (None, _) => {}
    }
    if let Some(range) = &field.range {
        facts.push(format!("Range: {} to {}.", range.min, range.max));
    }
    if let Some(default) = &field.default {
        facts.push(format!("Default: {default}."));
    }
    if let Some(since) = &field.since {
        facts.push(format!("Since {since}."));
    }
    if !facts.is_empty() {
        doc.push_str("\n\n");
        doc.push_str(&facts.join(" "));
    }
    doc
}

/// A JSDoc comment, indented by `indent`.
pub fn comment(doc: &str, indent: &str) -> String {
    let doc = doc.replace("*/", "* /");
    let lines: Vec<&str> = doc.lines().collect();
    match lines[..] {
        [line] => format!("{indent}/** {line} */"),
        _ => format!(
            "{indent}/**\n{}\n{indent} */",
            crate::render::comment(&doc, &format!("{indent} * "))
        ),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorKind;

    fn surface() -> Surface {
        let field = Field {
            name: "queue_timeout".to_owned(),
            ty: Type::Option {
                of: Box::new(Type::Duration),
            },
            doc: "How long.".to_owned(),
            default: Some(5.into()),
            range: None,
            unit: None,
            since: None,
            aliases: Vec::new(),
        };
        Surface {
            hash: String::new(),
            errors: vec![ErrorKind {
                name: "ContextOverflow".to_owned(),
                number: 1,
                python: "ValueError".to_owned(),
                doc: String::new(),
            }],
            enums: Vec::new(),
            options: vec![crate::model::Struct {
                name: "Options".to_owned(),
                doc: String::new(),
                c_only: None,
                fields: vec![field],
            }],
            records: Vec::new(),
            handles: Vec::new(),
        }
    }

    #[test]
    fn names_are_those_of_javascript() {
        let told = localize(
            &surface(),
            "`queue_timeout` or `Options.queue_timeout`, not `add_bos` nor queue_timeout: `ContextOverflow`",
        );
        assert_eq!(
            told,
            "`queueTimeout` or `Options.queueTimeout`, not `add_bos` nor queue_timeout: `CONTEXT_OVERFLOW`"
        );
    }

    #[test]
    fn facts_follow_the_text() {
        let surface = surface();
        let told = field(&surface, &surface.options[0].fields[0]);
        assert_eq!(told, "How long.\n\nUnit: milliseconds. Default: 5.");
    }

    #[test]
    fn comments_are_closed_once() {
        assert_eq!(comment("a */ b", ""), "/** a * / b */");
        assert_eq!(
            comment("a\n\nb", "  "),
            "  /**\n   * a\n   *\n   * b\n   */"
        );
    }
}

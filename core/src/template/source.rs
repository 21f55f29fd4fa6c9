//! Changes to a template's source before it is compiled, where the engine's syntax differs from the
//! one of transformers. Lines stay where they are.

/// `{% generation %}` marks what the assistant says and writes nothing itself. It opens a scope, which
/// is all that `{% with %}` does; the whitespace control of the tag is kept. After `{% raw %}` jinja2
/// keeps the newline in spite of `trim_blocks`. Line ends become `\n`.
pub(super) fn prepare(source: &str) -> String {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(source.len());
    let mut rest = source.as_str();
    while let Some(start) = next_delimiter(rest) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = tag_end(rest);
        let tag = &rest[..end];
        rest = &rest[end..];
        match block_name(tag) {
            Some("generation") => out.push_str(&tag.replacen("generation", "with", 1)),
            Some("endgeneration") => out.push_str(&tag.replacen("endgeneration", "endwith", 1)),
            Some("raw") => {
                out.push_str(&keep_newline(tag));
                let end = raw_end(rest);
                out.push_str(&rest[..end]);
                rest = &rest[end..];
            }
            _ => out.push_str(tag),
        }
    }
    out.push_str(rest);
    out
}

/// Where the next tag, expression or comment begins.
fn next_delimiter(text: &str) -> Option<usize> {
    text.match_indices('{')
        .map(|(at, _)| at)
        .find(|at| text[at + 1..].starts_with(['%', '{', '#']))
}

/// The length of the tag, expression or comment at the start of `text`. The engine reports one that
/// does not end.
fn tag_end(text: &str) -> usize {
    let close = match &text[..2] {
        "{#" => return text.find("#}").map_or(text.len(), |at| at + 2),
        "{%" => "%}",
        _ => "}}",
    };
    let mut quote = None;
    let mut escaped = false;
    let mut depth = 0_usize;
    for (at, c) in text.char_indices().skip(2) {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(mark) if c == mark => quote = None,
            Some(_) => {}
            None if depth == 0 && text[at..].starts_with(close) => return at + 2,
            None => match c {
                '"' | '\'' => quote = Some(c),
                '{' | '[' | '(' => depth += 1,
                '}' | ']' | ')' => depth = depth.saturating_sub(1),
                _ => {}
            },
        }
    }
    text.len()
}

/// The first word of a `{% %}` tag.
fn block_name(tag: &str) -> Option<&str> {
    let inner = tag
        .strip_prefix("{%")?
        .trim_start_matches(['-', '+'])
        .trim_start();
    inner
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next()
}

/// `{% raw %}` as `{% raw +%}`, unless the tag has a sign of its own.
fn keep_newline(tag: &str) -> String {
    match tag.strip_suffix("%}") {
        Some(inner) if !inner.ends_with(['-', '+']) => format!("{inner} +%}}"),
        _ => tag.to_owned(),
    }
}

/// Where the `{% endraw %}` that belongs to a raw block begins.
fn raw_end(text: &str) -> usize {
    text.match_indices("{%")
        .map(|(at, _)| at)
        .find(|at| block_name(&text[*at..]) == Some("endraw"))
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::prepare;

    #[test]
    fn generation_becomes_a_scope() {
        assert_eq!(
            prepare("a\r\n{%- generation -%}\nx{%+endgeneration%}{{ '{% generation %}' }}"),
            "a\n{%- with -%}\nx{%+endwith%}{{ '{% generation %}' }}"
        );
    }

    #[test]
    fn raw_blocks_and_comments_are_left_alone() {
        let source = "{# {% generation %} #}{% raw -%}{% generation %}{{ '{% endraw %}";
        assert_eq!(prepare(source), source);
        assert_eq!(
            prepare("{% raw %}\nx{% endraw %}"),
            "{% raw  +%}\nx{% endraw %}"
        );
    }

    #[test]
    fn unfinished_tags_are_left_to_the_engine() {
        for source in [
            "{",
            "{%",
            "{{ 'é",
            "{#",
            "{% raw %",
            "{% raw %}é",
            "{% generation",
        ] {
            let _ = prepare(source);
        }
    }
}

//! Answers of every format, cut in every way.

mod format;
mod hostile;
mod stream;
mod templates;
mod vectors;

use serde_json::{Value, json};

use super::{Broken, Format, Piece, Reader, ToolCall};

/// What an answer comes to.
#[derive(Debug, PartialEq)]
struct Outcome {
    text: String,
    reasoning: String,
    calls: Vec<(String, Value)>,
    /// Kinds and places of the pieces, joined where they go on; ids left out.
    order: Vec<String>,
    reasons: Vec<String>,
}

/// Reads an answer in these parts, and checks what holds for every answer.
fn read<'t>(mut reader: Reader, parts: impl IntoIterator<Item = &'t str>) -> Outcome {
    let mut pieces = Vec::new();
    for part in parts {
        pieces.extend(reader.push(part));
    }
    let finished = reader.finish();
    pieces.extend(finished.pieces);
    check_calls(&pieces, &finished.calls, &finished.broken);
    let mut outcome = Outcome {
        text: String::new(),
        reasoning: String::new(),
        calls: Vec::new(),
        order: Vec::new(),
        reasons: Vec::new(),
    };
    let mut last = String::new();
    for piece in &pieces {
        let (kind, text) = match piece {
            Piece::Text(text) => ("text".to_owned(), text),
            Piece::Reasoning(text) => ("reasoning".to_owned(), text),
            Piece::Call(call) => (format!("call {}", call.index), &call.arguments),
        };
        match piece {
            Piece::Text(text) => outcome.text += text,
            Piece::Reasoning(text) => outcome.reasoning += text,
            Piece::Call(_) => {}
        }
        if kind != last {
            outcome.order.push(format!("{kind}: "));
            last = kind;
        }
        *outcome.order.last_mut().unwrap() += text;
    }
    for call in finished.calls {
        outcome.calls.push((call.name, call.arguments));
    }
    outcome.reasons = finished
        .broken
        .into_iter()
        .map(|broken| broken.reason)
        .collect();
    outcome
}

/// Each call's pieces add up to the call; every other call that was begun is broken.
fn check_calls(pieces: &[Piece], calls: &[ToolCall], broken: &[Broken]) {
    let pieces: Vec<_> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Call(call) => Some(call),
            _ => None,
        })
        .collect();
    for call in calls {
        let own: Vec<_> = pieces
            .iter()
            .filter(|piece| piece.index == call.index)
            .collect();
        assert_eq!(own[0].name.as_ref(), Some(&call.name));
        assert_eq!(own[0].id.as_ref(), Some(&call.id));
        assert!(
            own[1..]
                .iter()
                .all(|piece| piece.name.is_none() && piece.id.is_none())
        );
        let arguments: String = own.iter().map(|piece| piece.arguments.as_str()).collect();
        let arguments: Value = serde_json::from_str(&arguments).unwrap();
        assert_eq!(arguments, call.arguments);
    }
    for piece in pieces {
        let whole = calls.iter().any(|call| call.index == piece.index);
        let known = broken
            .iter()
            .any(|broken| broken.index == Some(piece.index));
        assert!(whole != known, "call {} is {whole} {known}", piece.index);
    }
}

/// Reads an answer whole and in parts of 1, 2, ... characters, which must come to the same.
fn read_all_ways(make: impl Fn() -> Reader, text: &str) -> Outcome {
    let whole = read(make(), [text]);
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    for size in 1..places.len().min(40) {
        let parts = places.chunks(size).map(|chunk| {
            let next = chunk[chunk.len() - 1];
            let end = places.iter().position(|at| *at == next).unwrap() + 1;
            &text[chunk[0]..places.get(end).copied().unwrap_or(text.len())]
        });
        assert_eq!(read(make(), parts), whole, "in parts of {size}: {text:?}");
    }
    for at in &places {
        let parts = [&text[..*at], &text[*at..]];
        assert_eq!(read(make(), parts), whole, "cut at {at}: {text:?}");
    }
    whole
}

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "get_weather", "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "exact": {"type": "boolean"},
            "note": {"type": ["string", "null"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "where": {"$ref": "#/$defs/place"},
        },
        "$defs": {"place": {"type": "object"}},
    }}}])
}

fn plain() -> Format {
    Format::of_template("")
}

fn reader(kind: &str) -> Reader {
    Reader::new(&plain().with_tools(kind).unwrap(), false, Some(&tools()))
}

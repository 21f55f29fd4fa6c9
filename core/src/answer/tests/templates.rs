//! Real templates: which format each gets, and whether the calls that it writes are read back. The files
//! belong to the templates' authors and are not part of the repository: the tests are skipped where they
//! are missing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::super::{Format, Reader};
use super::{Outcome, read};
use crate::surface::{RenderOptions, TemplateOptions};
use crate::template::Template;

/// Templates that write calls which are not read back. Lower it with each mend.
const ALLOWED_MISSES: usize = 3;
const ALLOWED_MISSES_OF_SEVERAL: usize = 8;
/// One of them writes the opening delimiter in prompts only.
const ALLOWED_MISSES_OF_REASONING: usize = 3;

struct Described {
    id: String,
    name: String,
    source: String,
    special: Value,
}

fn all() -> Vec<Described> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/templates");
    let Ok(list) = fs::read_to_string(folder.join("templates.jsonl")) else {
        println!("SKIPPED: no reference templates at {}", folder.display());
        return Vec::new();
    };
    let described = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let id = line["id"].as_str().unwrap().to_owned();
        let path = folder.join(format!("templates/{id}.jinja"));
        Described {
            name: line["names"][0].as_str().unwrap_or_default().to_owned(),
            source: String::from_utf8(fs::read(path).unwrap()).unwrap(),
            special: line["special_tokens"].clone(),
            id,
        }
    };
    list.lines().map(described).collect()
}

/// What a template that has the marker may be told to be.
const MARKERS: &[(&str, &[&str])] = &[
    (
        "<tool_call>",
        &[
            "hermes",
            "smollm3",
            "qwen3_coder",
            "glm45",
            "functionary_v3_1",
        ],
    ),
    ("<arg_key>", &["glm45"]),
    ("[TOOL_CALLS]", &["mistral", "mistral_args"]),
    ("[ARGS]", &["mistral_args"]),
    ("<|python_tag|>", &["llama3_json", "functionary_v3_1"]),
    ("<｜tool▁calls▁begin｜>", &["deepseek_v3", "deepseek_v31"]),
    ("｜DSML｜", &["deepseek_v32"]),
    ("<|tool_call>", &["gemma4"]),
    ("<start_function_call>", &["functiongemma"]),
    ("<|tool_call|>", &["granite", "phi4_mini_json", "hermes"]),
    ("<|/tool_call|>", &["phi4_mini_json"]),
    ("<|tool_call_start|>", &["lfm2", "minicpm"]),
    ("<|tool_calls_section_begin|>", &["kimi_k2"]),
    ("<minimax:tool_call>", &["minimax_m2"]),
    ("<seed:tool_call>", &["seed_oss"]),
    ("<|START_ACTION|>", &["cohere_command3"]),
    ("<tool_calls>", &["jamba"]),
    ("<|channel|>analysis<|message|>", &["openai"]),
];

#[test]
fn every_template_gets_a_format() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reasoning: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for template in all() {
        let format = Format::of_template(&template.source);
        println!(
            "{} {:?}: {}, {:?}",
            template.id,
            template.name,
            format.tools(),
            format.reasoning
        );
        *counts.entry(format.tools()).or_default() += 1;
        for pair in &format.reasoning {
            *reasoning.entry(pair.open.clone()).or_default() += 1;
        }
        for (marker, kinds) in MARKERS {
            if template.source.contains(marker) && !kinds.contains(&format.tools()) {
                wrong.push(format!(
                    "{} has {marker}, is {}",
                    template.id,
                    format.tools()
                ));
            }
        }
        for marker in [
            "<think>",
            "</think>",
            "[THINK]",
            "<seed:think>",
            "<|START_THINKING|>",
        ] {
            let known = format.markers().any(|known| known == marker);
            if template.source.contains(marker) && !known {
                wrong.push(format!("{} has {marker}", template.id));
            }
        }
    }
    println!("formats: {counts:#?}\nreasoning: {reasoning:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const TEXT: &str = "Zephyr quilt.";

/// The tool with all that templates may ask for.
fn tools() -> Value {
    let property = |name: &str| json!({"type": name, "description": "What it says."});
    let mut list = property("array");
    list["items"] = property("string");
    let mut object = property("object");
    object["properties"] = json!({"k": property("string")});
    json!([{"type": "function", "function": {
        "name": "get_weather",
        "description": "Says how the weather will be.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": property("string"),
                "days": property("integer"),
                "exact": property("boolean"),
                "tags": list,
                "where": object,
            },
            "required": ["city"],
        },
    }}])
}

fn render(template: &Template, assistant: Option<Value>) -> Option<String> {
    let mut messages = vec![json!({"role": "user", "content": "How will it be in Hanoi?"})];
    let generate = assistant.is_none();
    messages.extend(assistant);
    let options = RenderOptions {
        add_generation_prompt: generate,
        tools: Some(tools()),
        now: Some("2026-03-07T08:05:09".to_owned()),
        ..RenderOptions::default()
    };
    template.render(&Value::Array(messages), &options).ok()
}

fn arguments() -> Value {
    json!({"city": "Hà \"Nội\"", "days": 3, "exact": true, "tags": ["a", "b"], "where": {"k": "v"}})
}

/// Messages with so many calls, in the shapes that templates want: arguments as an object or as JSON text,
/// with text or without, ids of one kind or another.
fn messages(arguments: &Value, count: usize) -> Vec<Value> {
    let text = Value::String(arguments.to_string());
    let mut all = Vec::new();
    for content in [json!(""), Value::Null, json!(TEXT)] {
        for arguments in [arguments, &text] {
            for id in ["abcdefgh", "functions.get_weather:"] {
                let function = json!({"name": "get_weather", "arguments": arguments});
                let call = |number| json!({"id": format!("{id}{number}"), "type": "function", "function": function});
                let calls: Vec<Value> = (0..count).map(call).collect();
                all.push(json!({"role": "assistant", "content": content, "tool_calls": calls}));
            }
        }
    }
    all
}

/// How a template writes an answer of plain text, and how it begins one.
struct Turns {
    plain: String,
    prompt: String,
}

impl Turns {
    fn of(template: &Template) -> Self {
        let answer = json!({"role": "assistant", "content": TEXT});
        Self {
            plain: render(template, Some(answer)).unwrap_or_default(),
            prompt: render(template, None).unwrap_or_default(),
        }
    }

    /// What comes before the assistant's text and that text, without what the template writes around every
    /// answer.
    fn cut<'a>(&self, full: &'a str) -> (&'a str, &'a str) {
        let (header, tail) = self.plain.split_once(TEXT).unwrap_or((&self.prompt, ""));
        let same = full.chars().zip(header.chars());
        let same = same.take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8());
        let same = &full[..same.sum()];
        // What differs inside a token differs from its beginning.
        let inside = same.rfind('<').filter(|at| !same[*at..].contains('>'));
        let same = &same[..inside.unwrap_or(same.len())];
        let headers = [self.prompt.as_str(), header, same];
        let known = headers
            .into_iter()
            .find(|header| !header.is_empty() && full.starts_with(header));
        let (header, answer) = full.split_at(known.map_or(0, str::len));
        let token = tail.trim_start();
        let token = match (token.chars().next(), token.find(['>', ']'])) {
            (Some('<' | '['), Some(end)) => &token[..=end],
            _ => tail,
        };
        let end = answer.rfind(token).filter(|_| !token.is_empty());
        (header, &answer[..end.unwrap_or(answer.len())])
    }
}

fn compile(described: &Described) -> Option<Template> {
    let options = TemplateOptions {
        special_tokens: Some(described.special.clone()),
        ..TemplateOptions::default()
    };
    Template::from_options(&described.source, &options).ok()
}

fn read_answer(format: &Format, header: &str, answer: &str) -> Outcome {
    let tools = tools();
    let reader = Reader::new(format, format.opened_by(header), Some(&tools));
    let single = answer
        .char_indices()
        .map(|(at, c)| &answer[at..at + c.len_utf8()]);
    read(reader, single)
}

/// Why the calls do not come back; `None` where they do.
fn difference(outcome: &Outcome, arguments: &Value, count: usize) -> Option<String> {
    let calls = &outcome.calls;
    let same = |(name, found): &(String, Value)| name == "get_weather" && found == arguments;
    let agrees = calls.len() == count && calls.iter().all(same);
    (!agrees).then(|| format!("{calls:?} {:?}", outcome.reasons))
}

#[test]
fn calls_that_templates_write_are_read_back() {
    round_trip(1, ALLOWED_MISSES);
}

/// Some templates write one call of several, or nothing between them.
#[test]
fn several_calls_that_templates_write_are_read_back() {
    round_trip(2, ALLOWED_MISSES_OF_SEVERAL);
}

fn round_trip(count: usize, allowed: usize) {
    let (mut same, mut silent) = (0, 0);
    let mut untested: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut misses: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let described = all();
    for described in &described {
        let Some(template) = compile(described) else {
            silent += 1;
            continue;
        };
        let turns = Turns::of(&template);
        let format = Format::of_template(&described.source);
        let mut reason = None;
        let mut done = false;
        for arguments in [arguments(), json!({"city": "Paris"})] {
            for message in messages(&arguments, count) {
                let Some(full) = render(&template, Some(message)) else {
                    continue;
                };
                if full.matches("get_weather").count() == turns.plain.matches("get_weather").count()
                {
                    continue;
                }
                let (header, answer) = turns.cut(&full);
                let outcome = read_answer(&format, header, answer);
                match difference(&outcome, &arguments, count) {
                    None => done = true,
                    Some(found) => {
                        reason.get_or_insert_with(|| format!("{answer:?} is {found}"));
                    }
                }
            }
        }
        match reason {
            _ if done => same += 1,
            None => {
                silent += 1;
                untested
                    .entry(format.tools())
                    .or_default()
                    .push(&described.id);
            }
            Some(reason) => misses
                .entry(format.tools())
                .or_default()
                .push(format!("{} {:?}: {reason}", described.id, described.name)),
        }
    }
    let missed: usize = misses.values().map(Vec::len).sum();
    println!(
        "{count} at once: {same} read back, {missed} not, {silent} write no calls; of {}",
        described.len()
    );
    println!("{misses:#?}\nwithout calls: {untested:?}");
    assert!(missed <= allowed, "{missed} are not read back");
    assert!(
        described.is_empty() || same > 100,
        "only {same} are read back"
    );
}

const THOUGHT: &str = "Quokkas first.";

/// Reasoning that a template writes is told from the text.
#[test]
fn reasoning_that_templates_write_is_read_back() {
    let (mut same, mut misses) = (0, Vec::new());
    let described = all();
    for described in &described {
        let Some(template) = compile(described) else {
            continue;
        };
        let format = Format::of_template(&described.source);
        let answer = json!({"role": "assistant", "content": TEXT, "reasoning_content": THOUGHT});
        let Some(full) = render(&template, Some(answer)) else {
            continue;
        };
        if !full.contains(THOUGHT) {
            continue;
        }
        let (header, answer) = Turns::of(&template).cut(&full);
        let outcome = read_answer(&format, header, answer);
        if (outcome.reasoning.as_str(), outcome.text.as_str()) == (THOUGHT, TEXT) {
            same += 1;
        } else {
            let id = &described.id;
            misses.push(format!(
                "{id} {:?}: {answer:?} is {outcome:?}",
                described.name
            ));
        }
    }
    println!(
        "reasoning: {same} read back, {} not\n{misses:#?}",
        misses.len()
    );
    assert!(misses.len() <= ALLOWED_MISSES_OF_REASONING);
    assert!(
        described.is_empty() || same > 30,
        "only {same} are read back"
    );
}

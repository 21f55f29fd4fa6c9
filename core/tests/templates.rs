//! Every published template and conversation of the reference against what transformers rendered.
//! The files belong to the templates' authors and are not part of the repository: the test is skipped
//! where they are missing.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rkchat::{ChatTemplate, Error, Json, RenderOptions, TemplateOptions};

/// Share of the cases that must pass, in percent: just under what stands. Raise it with each mend.
const FLOOR: f64 = 99.2;

/// When the reference was rendered.
const NOW: &str = "2026-03-07T08:05:09.012345";

const THREADS: usize = 2;

fn reference() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/templates");
    if folder.join("cases.jsonl").is_file() {
        return Some(folder);
    }
    println!("SKIPPED: no reference templates at {}", folder.display());
    None
}

fn lines(path: &Path) -> Vec<Json> {
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap()
}

fn template(folder: &Path, description: &Json) -> Result<ChatTemplate, Error> {
    let path = folder.join(format!("templates/{}.jinja", text(description, "id")));
    let source = String::from_utf8(fs::read(path).unwrap()).unwrap();
    let options = TemplateOptions {
        special_tokens: Some(description["special_tokens"].clone()),
        ..TemplateOptions::default()
    };
    ChatTemplate::from_source(&source, &options)
}

fn options(case: &Json, conversation: &Json) -> RenderOptions {
    let given = |key: &str| Some(conversation[key].clone()).filter(|value| !value.is_null());
    RenderOptions {
        add_generation_prompt: conversation["add_generation_prompt"].as_bool().unwrap(),
        tools: given("tools"),
        documents: given("documents"),
        now: Some(NOW.to_owned()),
        variables: case.get("kwargs").cloned().map(|mut kwargs| {
            let map = kwargs.as_object_mut().unwrap();
            map.remove("add_generation_prompt");
            map.remove("continue_final_message");
            kwargs
        }),
    }
}

/// What is wrong with the result, if anything is.
fn judge(case: &Json, result: Result<String, Error>) -> Option<String> {
    match (case["expected"].as_str(), result) {
        (Some(expected), Ok(text)) if text == expected => None,
        (Some(expected), Ok(text)) => {
            let at = text
                .bytes()
                .zip(expected.bytes())
                .take_while(|(a, b)| a == b)
                .count();
            let around = |text: &str| {
                String::from_utf8_lossy(
                    &text.as_bytes()[at.saturating_sub(20)..(at + 40).min(text.len())],
                )
                .into_owned()
            };
            Some(format!(
                "is {:?}, expected {:?}",
                around(&text),
                around(expected)
            ))
        }
        (Some(_), Err(error)) => Some(format!("failed: {error}")),
        (None, Ok(_)) => Some(format!("rendered, expected {}", case["error"])),
        (None, Err(error)) if text(&case["error"], "kind") == "raise_exception" => {
            let raised = error
                .details()
                .get("template_message")
                .and_then(Json::as_str);
            let expected = case["error"]["message"].as_str();
            (raised != expected)
                .then(|| format!("raised {raised:?}, expected {expected:?}: {error}"))
        }
        (None, Err(_)) => None,
    }
}

#[test]
fn renders_as_transformers() {
    let Some(folder) = reference() else { return };
    let conversations: HashMap<String, Json> = lines(&folder.join("conversations.jsonl"))
        .into_iter()
        .map(|conversation| (text(&conversation, "id").to_owned(), conversation))
        .collect();
    let mut cases: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    let mut beyond = 0;
    for case in lines(&folder.join("cases.jsonl")) {
        if case["kwargs"]["continue_final_message"] == true {
            beyond += 1;
        } else {
            cases
                .entry(text(&case, "t").to_owned())
                .or_default()
                .push(case);
        }
    }
    let total: usize = cases.values().map(Vec::len).sum();
    let templates = lines(&folder.join("templates.jsonl"));
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(description) = templates.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let id = text(description, "id");
                    let template = template(&folder, description);
                    for case in cases.get(id).into_iter().flatten() {
                        let conversation = &conversations[text(case, "c")];
                        let result = template.clone().and_then(|template| {
                            template.render(&conversation["messages"], &options(case, conversation))
                        });
                        if let Some(wrong) = judge(case, result) {
                            let place = format!("{id} {}", text(case, "c"));
                            failures.lock().unwrap().push((place, wrong));
                        }
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    for (place, wrong) in &failures {
        println!("{place}: {wrong}");
    }
    let rate = 100.0 * (total - failures.len()) as f64 / total as f64;
    println!(
        "{} of {total} cases pass ({rate:.2} %); {beyond} more need continue_final_message",
        total - failures.len()
    );
    assert!(
        rate >= FLOOR,
        "{rate:.2} % of the cases pass, fewer than {FLOOR} %"
    );
}

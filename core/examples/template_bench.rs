//! How long chat templates take, over every case of the reference: compiling, the whole call, and the
//! rendering alone (the whole call without what a template of no content takes on the same input).
//!
//!     cargo run --release -p rkchat --example template_bench [folder of the reference]

use std::collections::HashMap;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rkchat::{Json, RenderOptions, Template, TemplateOptions};

/// Each case counts with the fastest of so many runs.
const RUNS: usize = 5;

fn lines(path: &Path) -> Vec<Json> {
    let text = fs::read_to_string(path).expect("the reference is readable");
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("the reference is JSON"))
        .collect()
}

fn fastest(mut run: impl FnMut()) -> Duration {
    let timed = (0..RUNS).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    timed.min().unwrap_or_default()
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e6;
    println!(
        "{what:24} {:6} timed: median {:8.2} us, p95 {:8.2} us, slowest {:8.2} us",
        times.len(),
        at(50),
        at(95),
        at(100)
    );
}

fn options(case: &Json, conversation: &Json) -> RenderOptions {
    let given = |key: &str| Some(conversation[key].clone()).filter(|value| !value.is_null());
    let mut kwargs = case["kwargs"].clone();
    let mut flag = |name: &str| {
        let own = kwargs.as_object_mut().and_then(|map| map.remove(name));
        own.unwrap_or_else(|| conversation[name].clone()) == true
    };
    RenderOptions {
        add_generation_prompt: flag("add_generation_prompt"),
        continue_final_message: flag("continue_final_message"),
        tools: given("tools"),
        documents: given("documents"),
        now: Some("2026-03-07T08:05:09.012345".to_owned()),
        variables: Some(kwargs).filter(|kwargs| !kwargs.is_null()),
        ..RenderOptions::default()
    }
}

fn main() {
    let folder = std::env::args_os().nth(1).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/templates"),
        PathBuf::from,
    );
    let conversations: HashMap<String, Json> = lines(&folder.join("conversations.jsonl"))
        .into_iter()
        .map(|conversation| (conversation["id"].to_string(), conversation))
        .collect();
    let mut compiling = Vec::new();
    let mut templates = HashMap::new();
    for description in lines(&folder.join("templates.jsonl")) {
        let id = description["id"].as_str().unwrap_or_default().to_owned();
        let source = fs::read_to_string(folder.join(format!("templates/{id}.jinja")));
        let source = source.expect("the reference has its templates");
        let options = TemplateOptions {
            special_tokens: Some(description["special_tokens"].clone()),
            ..TemplateOptions::default()
        };
        compiling.push(fastest(|| {
            black_box(Template::from_options(&source, &options)).ok();
        }));
        templates.insert(id, Template::from_options(&source, &options));
    }
    report("compile", compiling);
    let empty = Template::from_options("", &TemplateOptions::default()).expect("it compiles");
    let (mut whole, mut rendering, mut slowest) = (Vec::new(), Vec::new(), Vec::new());
    for case in lines(&folder.join("cases.jsonl")) {
        if case.get("expected").is_none() {
            continue;
        }
        let Some(Ok(template)) = case["t"].as_str().and_then(|id| templates.get(id)) else {
            continue;
        };
        let conversation = &conversations[&case["c"].to_string()];
        let options = options(&case, conversation);
        let messages = &conversation["messages"];
        let call = fastest(|| {
            black_box(template.render_marked(messages, &options)).ok();
        });
        let building = fastest(|| {
            black_box(empty.render_marked(messages, &options)).ok();
        });
        whole.push(call);
        slowest.push((call, format!("{} {}", case["t"], case["c"])));
        rendering.push(call.saturating_sub(building));
    }
    slowest.sort();
    for (took, name) in slowest.iter().rev().take(3) {
        println!("among the slowest: {took:?} {name}");
    }
    report("whole call", whole);
    report("rendering alone", rendering);
}

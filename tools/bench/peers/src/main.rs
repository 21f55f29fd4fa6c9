//! Times the crate hf-chat-template over prepared cases: `peers CASES TEMPLATES [ROUNDS]`. One number a
//! line, in microseconds; -1 where it fails. Without ROUNDS it renders the first case and ends.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use hf_chat_template::ChatTemplate;
use serde_json::Value;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cases, templates, rest @ ..] = arguments.as_slice() else {
        panic!("usage: peers CASES TEMPLATES [ROUNDS]");
    };
    let rounds: Option<usize> = rest.first().map(|rounds| rounds.parse().expect("a number"));
    // Some templates make it panic.
    std::panic::set_hook(Box::new(|_| ()));
    let mut compiled: HashMap<String, Option<ChatTemplate>> = HashMap::new();
    for line in std::fs::read_to_string(cases).expect("the cases").lines() {
        let case: Value = serde_json::from_str(line).expect("JSON lines");
        let id = case["t"].as_str().expect("a template").to_owned();
        let template = compiled.entry(id).or_insert_with_key(|id| {
            let source = std::fs::read_to_string(format!("{templates}/{id}.jinja"));
            ChatTemplate::from_str(&source.expect("a template")).ok()
        });
        let render = || {
            let text = template.as_ref()?.render_context(&case["context"]);
            text.ok()
        };
        let Some(rounds) = rounds else {
            println!("{}", render().expect("the first case renders"));
            return;
        };
        let best = (0..rounds).map(|_| {
            let begun = Instant::now();
            let done = catch_unwind(AssertUnwindSafe(render)).ok().flatten();
            let time = begun.elapsed().as_nanos() as f64 / 1000.0;
            done.map_or(-1.0, |text| std::hint::black_box((text, time)).1)
        });
        println!("{:.3}", best.fold(f64::INFINITY, f64::min));
    }
}

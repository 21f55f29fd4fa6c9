//! Times the crate hf-chat-template over prepared cases: `peers CASES TEMPLATES [ROUNDS]`. One number a
//! line, in microseconds; -1 where it fails. Without ROUNDS it renders the first case and ends. With
//! `--compile TEMPLATES ROUNDS` it times the compiling of each template, in the order of their names.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use hf_chat_template::ChatTemplate;
use serde_json::Value;

/// The fastest of so many runs, in microseconds; -1 where it fails.
fn fastest<T>(rounds: usize, run: impl Fn() -> Option<T>) -> f64 {
    let times = (0..rounds).map(|_| {
        let begun = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(&run)).ok().flatten();
        let time = begun.elapsed().as_nanos() as f64 / 1000.0;
        done.map_or(-1.0, |done| std::hint::black_box((done, time)).1)
    });
    times.fold(f64::INFINITY, f64::min)
}

fn compiling(templates: &str, rounds: usize) {
    let entries = std::fs::read_dir(templates).expect("the templates");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let source = std::fs::read_to_string(path).expect("a template");
        let time = fastest(rounds, || ChatTemplate::from_str(&source).ok());
        println!("{time:.3}");
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cases, templates, rest @ ..] = arguments.as_slice() else {
        panic!("usage: peers CASES TEMPLATES [ROUNDS]");
    };
    if let ("--compile", [rounds]) = (cases.as_str(), rest) {
        std::panic::set_hook(Box::new(|_| ()));
        return compiling(templates, rounds.parse().expect("a number"));
    }
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
        println!("{:.3}", fastest(rounds, render));
    }
}

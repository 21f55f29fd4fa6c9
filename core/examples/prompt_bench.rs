//! Times templates over prepared cases: `prompt_bench CASES TEMPLATES [ROUNDS]`. One number a line, in
//! microseconds; -1 where it fails. Without ROUNDS it renders the first case and ends. With
//! `--tokenizer PATH` it opens that and ends; with `--run COMMAND...` it runs that and prints its
//! milliseconds and megabytes; with `--compile TEMPLATES ROUNDS` it times the compiling of each template, in the
//! order of their names. `tools/bench/prompts.py` runs it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use rkchat::{ChatTemplate, Json, RenderOptions, TemplateOptions, Tokenizer};

/// What is an argument of its own; anything else is a variable.
const ARGUMENTS: [&str; 4] = ["messages", "tools", "documents", "add_generation_prompt"];

fn options(context: &Json) -> RenderOptions {
    let given = |name: &str| Some(context[name].clone()).filter(|value| !value.is_null());
    let mut variables = context.as_object().expect("an object").clone();
    variables.retain(|name, _| !ARGUMENTS.contains(&name.as_str()));
    RenderOptions {
        add_generation_prompt: context["add_generation_prompt"] == true,
        tools: given("tools"),
        documents: given("documents"),
        variables: Some(variables.into()),
        ..RenderOptions::default()
    }
}

/// Time and the most memory that was resident. A process begins with the memory of the one that started
/// it, so a small one has to.
fn measure(command: &[String]) {
    let begun = Instant::now();
    let status = Command::new(&command[0])
        .args(&command[1..])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("a command").success(), "{command:?}");
    let time = begun.elapsed().as_secs_f64() * 1000.0;
    // SAFETY: all zeros is a value of this struct of numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the struct is valid for the call.
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage) };
    println!("{time:.3} {:.3}", usage.ru_maxrss as f64 / 1024.0);
}

/// The fastest of so many runs, in microseconds; -1 where it fails.
fn fastest<T>(rounds: usize, run: impl Fn() -> Option<T>) -> f64 {
    let times = (0..rounds).map(|_| {
        let begun = Instant::now();
        let done = run();
        let time = begun.elapsed().as_nanos() as f64 / 1000.0;
        done.map_or(-1.0, |done| std::hint::black_box((done, time)).1)
    });
    times.fold(f64::INFINITY, f64::min)
}

fn source(path: &Path) -> String {
    let source = std::fs::read(path).expect("a template");
    String::from_utf8(source).expect("UTF-8")
}

fn compile(source: &str) -> Option<ChatTemplate> {
    ChatTemplate::from_source(source, &TemplateOptions::default()).ok()
}

fn compiling(templates: &str, rounds: usize) {
    let entries = std::fs::read_dir(templates).expect("the templates");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let source = source(&path);
        println!("{:.3}", fastest(rounds, || compile(&source)));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (cases, templates, rest) = match arguments.as_slice() {
        [flag, path] if flag == "--tokenizer" => {
            let tokenizer = Tokenizer::open(path.as_ref()).expect("a tokenizer");
            println!("{}", tokenizer.info().vocabulary_size);
            return;
        }
        [flag, command @ ..] if flag == "--run" => return measure(command),
        [flag, templates, rounds] if flag == "--compile" => {
            return compiling(templates, rounds.parse().expect("a number"));
        }
        [cases, templates, rest @ ..] => (cases, templates, rest),
        _ => panic!("usage: prompt_bench CASES TEMPLATES [ROUNDS]"),
    };
    let rounds: Option<usize> = rest.first().map(|rounds| rounds.parse().expect("a number"));
    let mut compiled: HashMap<String, Option<ChatTemplate>> = HashMap::new();
    for line in std::fs::read_to_string(cases).expect("the cases").lines() {
        let case: Json = serde_json::from_str(line).expect("JSON lines");
        let id = case["t"].as_str().expect("a template").to_owned();
        let template = compiled.entry(id).or_insert_with_key(|id| {
            compile(&source(&Path::new(templates).join(format!("{id}.jinja"))))
        });
        let (messages, options) = (&case["context"]["messages"], options(&case["context"]));
        let render = || template.as_ref()?.render(messages, &options).ok();
        let Some(rounds) = rounds else {
            println!("{}", render().expect("the first case renders"));
            return;
        };
        println!("{:.3}", fastest(rounds, render));
    }
}

//! The demo: a chat with a model. On a terminal it reads line by line and keeps the conversation;
//! otherwise it asks one question, greedily.

use std::io::{BufRead, IsTerminal, Write};

use rkchat::{Completion, ErrorKind, GenerateOptions, Model};
use rkchat_examples::{Arguments, SYSTEM, timings};
use serde_json::{Value, json};

fn main() {
    if let Err(error) = run() {
        eprintln!("demo: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let interactive = std::io::stdin().is_terminal();
    let mut arguments = Arguments::from_env();
    // A small model may repeat itself without end.
    arguments.generate.max_new_tokens.get_or_insert(512);
    if !interactive {
        arguments.open.top_k = Some(1);
        arguments.open.repeat_penalty = Some(1.0);
    }

    let model = Model::open(&arguments.model, &arguments.open)?;
    let info = model.info();
    let release = info
        .runtime
        .release
        .as_deref()
        .unwrap_or("of unknown release");
    println!("Model    {}", info.path.display());
    println!(
        "Runtime  {} {release} (ABI group {})",
        info.runtime.name, info.runtime.abi_group
    );
    println!("Window   {} tokens\n", info.max_context_len);

    if interactive {
        println!("Ctrl-D or /exit ends the chat.");
        converse(&model, &arguments.generate)
    } else {
        println!("> {}", arguments.prompt);
        let messages = vec![
            message("system", SYSTEM),
            message("user", &arguments.prompt),
        ];
        answer(&model, messages, &arguments.generate)?;
        Ok(())
    }
}

/// Reads questions until the input ends, and answers each with all that was said before it.
fn converse(model: &Model, options: &GenerateOptions) -> Result<(), Box<dyn std::error::Error>> {
    let mut messages = vec![message("system", SYSTEM)];
    let mut lines = std::io::stdin().lock().lines();
    loop {
        print!("> ");
        std::io::stdout().flush()?;
        let Some(line) = lines.next().transpose()? else {
            println!();
            return Ok(());
        };
        match line.trim() {
            "" => continue,
            "/exit" => return Ok(()),
            question => messages.push(message("user", question)),
        }
        match answer(model, messages.clone(), options) {
            Ok(completion) => messages.push(message("assistant", &completion.text)),
            Err(error) if is_overflow(&*error) => {
                println!("{error}\nThe conversation is forgotten; ask again.");
                messages.truncate(1);
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_overflow(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<rkchat::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::ContextOverflow)
}

fn message(role: &str, content: &str) -> Value {
    json!({"role": role, "content": content})
}

/// Prints one answer as it comes, then what it took.
fn answer(
    model: &Model,
    messages: Vec<Value>,
    options: &GenerateOptions,
) -> Result<Completion, Box<dyn std::error::Error>> {
    let mut generation = model.generate(&Value::Array(messages), options)?;
    let mut out = std::io::stdout();
    for chunk in generation.by_ref() {
        out.write_all(chunk?.text.as_bytes())?;
        out.flush()?;
    }
    writeln!(out, "\n")?;
    let completion = generation.completion()?;
    eprintln!("[{}]", timings(&completion));
    Ok(completion)
}

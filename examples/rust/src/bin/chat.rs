//! Asks a model one question and prints the answer as it comes.

use std::io::Write;

use rkchat::Model;
use rkchat_examples::{Arguments, question, timings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::from_env();
    let model = Model::open(&arguments.model, &arguments.open)?;

    let mut generation = model.generate(&question(&arguments.prompt), &arguments.generate)?;
    let mut out = std::io::stdout();
    for chunk in generation.by_ref() {
        out.write_all(chunk?.text.as_bytes())?;
        out.flush()?;
    }
    writeln!(out)?;
    eprintln!("{}", timings(&generation.completion()?));
    Ok(())
}

//! Stops in the middle of an answer, then asks something else.

use std::io::Write;

use rkchat::Model;
use rkchat_examples::{Arguments, question};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::from_env();
    let model = Model::open(&arguments.model, &arguments.open)?;

    let long = question("Write a long story about a lighthouse.");
    let mut story = model.generate(&long, &arguments.generate)?;
    let mut out = std::io::stdout();
    for chunk in story.by_ref().take(8) {
        write!(out, "{}", chunk?.text)?;
        out.flush()?;
    }
    story.cancel();
    writeln!(out, "\n[cancelled]")?;

    let answer = model
        .generate(&question(&arguments.prompt), &arguments.generate)?
        .completion()?;
    writeln!(out, "{}", answer.text)?;
    Ok(())
}

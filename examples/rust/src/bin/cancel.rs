//! Stops in the middle of an answer, then asks something else.

use std::io::Write;

use rkchat::Model;
use rkchat_examples::Arguments;
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::from_env();
    let model = Model::open(&arguments.model, &arguments.open)?;

    let long = json!([{"role": "user", "content": "Write a long story about a lighthouse."}]);
    let mut story = model.generate(&long, &arguments.generate)?;
    let mut out = std::io::stdout();
    for chunk in story.by_ref().take(8) {
        write!(out, "{}", chunk?.text)?;
    }
    story.cancel();
    writeln!(out, "\n[cancelled]")?;

    let messages = json!([{"role": "user", "content": arguments.prompt}]);
    let answer = model
        .generate(&messages, &arguments.generate)?
        .completion()?;
    writeln!(out, "{}", answer.text)?;
    Ok(())
}

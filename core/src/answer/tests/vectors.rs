//! The shared examples of answers.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::super::{Format, Reader};
use super::{plain, read_all_ways};

fn format(case: &Value) -> Format {
    let mut format = match case["template"].as_str() {
        Some(source) => Format::of_template(source),
        None => plain(),
    };
    if let Some(name) = case["format"].as_str() {
        format = format.with_tools(name).unwrap();
    }
    format
}

#[test]
fn every_example_comes_out_however_it_is_cut() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/answers.jsonl");
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in fs::read_to_string(&file).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (format, tools) = (format(&case), case.get("tools"));
        let open = format.opened_by(case["prompt"].as_str().unwrap_or_default());
        let text = case["text"].as_str().unwrap();
        let outcome = read_all_ways(|| Reader::new(&format, open, tools), text);
        let expected = &case["expected"];
        let calls: Vec<Value> = outcome
            .calls
            .iter()
            .map(|(name, arguments)| serde_json::json!({"name": name, "arguments": arguments}))
            .collect();
        let broken = expected["broken"].as_u64().unwrap_or(0) as usize;
        let agrees = expected["text"] == *outcome.text
            && expected["reasoning"].as_str().unwrap_or_default() == outcome.reasoning
            && *expected["tool_calls"].as_array().unwrap_or(&Vec::new()) == calls
            && broken == outcome.reasons.len();
        if !agrees {
            wrong.push(format!(
                "{}\n   expected {expected}\n   {outcome:?}",
                case["name"]
            ));
        }
        count += 1;
    }
    assert!(count > 80, "only {count} examples");
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

//! Small templates against what jinja2 3.1.6 makes of them, set up as transformers does. The first line
//! of the vectors is the context; they were chosen from some two hundred thousand random ones.

use std::fs;
use std::path::Path;

use rkchat::{Json, RenderOptions, Template, TemplateOptions};

#[test]
fn small_templates_render_as_in_jinja2() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/jinja.jsonl");
    let vectors = fs::read_to_string(path).unwrap();
    let mut vectors = vectors
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    let mut variables = vectors.next().unwrap()["context"].take();
    let messages = variables.as_object_mut().unwrap().remove("messages");
    let options = RenderOptions {
        variables: Some(variables),
        now: Some("2026-03-07T08:05:09.012345".to_owned()),
        ..RenderOptions::default()
    };
    let (mut count, mut wrong) = (0, 0);
    for vector in vectors {
        let source = vector["src"].as_str().unwrap();
        let result = Template::from_options(source, &TemplateOptions::default())
            .and_then(|template| template.render(messages.as_ref().unwrap(), &options));
        let passes = match (vector["expected"].as_str(), &result) {
            (Some(expected), Ok(text)) => text == expected,
            (None, Err(_)) => true,
            _ => false,
        };
        count += 1;
        if !passes {
            wrong += 1;
            println!("{source}: {result:?}, expected {vector}");
        }
    }
    println!("{} of {count} small templates", count - wrong);
    assert!(count > 1000, "the vectors are missing");
    assert_eq!(wrong, 0);
}

//! Every published template and conversation of the reference against what transformers rendered.
//! The files belong to the templates' authors and are not part of the repository: the tests are skipped
//! where they are missing.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rkchat::{Error, Json, RenderOptions, Rendered, Template, TemplateOptions};

/// Cases that may fail, by the kind of what is expected. Lower it with each mend.
const ALLOWED: [(&str, usize); 6] = [
    ("output", 0),
    ("raise_exception", 0),
    ("generation", 0),
    ("host", 0),
    ("runtime", 0),
    ("syntax", 0),
];

/// One-line checks that may fail.
const ALLOWED_CHECKS: usize = 2;

/// When the reference was rendered.
const NOW: &str = "2026-03-07T08:05:09.012345";

const THREADS: usize = 2;

fn reference() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/templates");
    if folder.join("cases.jsonl").is_file() {
        return Some(folder);
    }
    println!("SKIPPED: no reference templates at {}", folder.display());
    None
}

fn lines(path: &Path) -> Vec<Json> {
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap()
}

fn template(folder: &Path, description: &Json) -> Result<Template, Error> {
    let path = folder.join(format!("templates/{}.jinja", text(description, "id")));
    let source = String::from_utf8(fs::read(path).unwrap()).unwrap();
    let options = TemplateOptions {
        special_tokens: Some(description["special_tokens"].clone()),
        ..TemplateOptions::default()
    };
    Template::from_options(&source, &options)
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
        now: Some(NOW.to_owned()),
        variables: Some(kwargs).filter(|kwargs| !kwargs.is_null()),
        ..RenderOptions::default()
    }
}

/// Byte ranges as ranges of code points.
fn code_points(text: &str, spans: &[Range<usize>]) -> Vec<[usize; 2]> {
    let count = |at: usize| text[..at].chars().count();
    spans
        .iter()
        .map(|span| [count(span.start), count(span.end)])
        .collect()
}

fn difference(text: &str, expected: &str) -> String {
    let pairs = text.bytes().zip(expected.bytes());
    let at = pairs.take_while(|(a, b)| a == b).count();
    let around = |text: &str| {
        let end = (at + 40).min(text.len());
        String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(20)..end]).into_owned()
    };
    format!("is {:?}, expected {:?}", around(text), around(expected))
}

/// The kind of expectation, and what is wrong with the result, if anything is.
fn judge(case: &Json, result: Result<Rendered, Error>) -> Vec<(&str, Option<String>)> {
    let kind = case["error"]["kind"].as_str().unwrap_or("output");
    let wrong = match (case["expected"].as_str(), &result) {
        (Some(expected), Ok(rendered)) if rendered.text == expected => None,
        (Some(expected), Ok(rendered)) => Some(difference(&rendered.text, expected)),
        (Some(_), Err(error)) => Some(format!("failed: {error}")),
        (None, Ok(_)) => Some(format!("rendered, expected {}", case["error"])),
        (None, Err(error)) if kind == "raise_exception" => {
            let raised = error
                .details()
                .get("template_message")
                .and_then(Json::as_str);
            let expected = case["error"]["message"].as_str();
            (raised != expected)
                .then(|| format!("raised {raised:?}, expected {expected:?}: {error}"))
        }
        (None, Err(_)) => None,
    };
    let mut judged = vec![(kind, wrong)];
    if let (Some(spans), Ok(rendered)) = (case.get("generation_spans"), &result) {
        let found = code_points(&rendered.text, &rendered.generation);
        let wrong = (serde_json::json!(found) != *spans)
            .then(|| format!("spans {found:?}, expected {spans}"));
        judged.push(("generation", wrong));
    }
    judged
}

#[test]
fn renders_as_transformers() {
    let Some(folder) = reference() else { return };
    let conversations: HashMap<String, Json> = lines(&folder.join("conversations.jsonl"))
        .into_iter()
        .map(|conversation| (text(&conversation, "id").to_owned(), conversation))
        .collect();
    let mut cases: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for case in lines(&folder.join("cases.jsonl")) {
        let of_template = cases.entry(text(&case, "t").to_owned()).or_default();
        of_template.push(case);
    }
    let templates = lines(&folder.join("templates.jsonl"));
    let next = AtomicUsize::new(0);
    let counts: Mutex<BTreeMap<String, [usize; 2]>> = Mutex::default();
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(description) = templates.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let id = text(description, "id");
                    let template = template(&folder, description);
                    for case in cases.get(id).into_iter().flatten() {
                        let conversation = &conversations[text(case, "c")];
                        let options = options(case, conversation);
                        let result = match &template {
                            Ok(template) => {
                                template.render_marked(&conversation["messages"], &options)
                            }
                            Err(error) => Err(error.clone()),
                        };
                        for (kind, wrong) in judge(case, result) {
                            let mut counts = counts.lock().unwrap();
                            let count = counts.entry(kind.to_owned()).or_default();
                            count[0] += 1;
                            if let Some(wrong) = wrong {
                                count[1] += 1;
                                let place = format!("{id} {} ({kind})", text(case, "c"));
                                failures.lock().unwrap().push((place, wrong));
                            }
                        }
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    for (place, wrong) in &failures {
        println!("{place}: {wrong}");
    }
    let counts = counts.into_inner().unwrap();
    for (kind, [all, wrong]) in &counts {
        println!("{kind}: {} of {all} as transformers has them", all - wrong);
    }
    for (kind, allowed) in ALLOWED {
        let wrong = counts.get(kind).map_or(0, |count| count[1]);
        assert!(
            wrong <= allowed,
            "{wrong} cases of kind {kind} are wrong, {allowed} may be"
        );
    }
}

/// Text with every letter replaced by one that no template writes: a syllable of the Yi.
fn disguised(text: &str) -> String {
    let disguise = |c: char| match c {
        c if c.is_ascii_alphabetic() => char::from_u32(0xa000 + u32::from(c)).unwrap(),
        c => c,
    };
    text.chars().map(disguise).collect()
}

fn is_disguised(c: char) -> bool {
    ('\u{a000}'..='\u{a0ff}').contains(&c)
}

/// Disguises all strings but those that templates decide by. `plain` gets what is left as it is.
fn disguise(json: &mut Json, plain: &mut String) {
    match json {
        Json::String(text) => *text = disguised(text),
        Json::Array(items) => items.iter_mut().for_each(|item| disguise(item, plain)),
        Json::Object(map) => {
            for (key, value) in map {
                plain.push_str(key);
                plain.push(' ');
                match (key.as_str(), &value) {
                    ("role" | "type" | "name" | "id" | "tool_call_id", Json::String(text)) => {
                        plain.push_str(text);
                        plain.push(' ');
                    }
                    _ => disguise(value, plain),
                }
            }
        }
        _ => {}
    }
}

/// What is wrong with the marks of a rendering of disguised input.
fn misjudged(rendered: &Rendered, plain: &str) -> Option<String> {
    let mut trusted_from = 0;
    let end = rendered.text.len()..rendered.text.len();
    for span in rendered.untrusted.iter().chain([&end]) {
        let trusted = &rendered.text[trusted_from..span.start];
        if trusted.contains(is_disguised) {
            return Some(format!("input is taken for the template's: {trusted:?}"));
        }
        let untrusted = &rendered.text[span.clone()];
        let words = untrusted.split(|c: char| !c.is_ascii_alphabetic() && c != '_');
        // Shorter ones may be escapes.
        for word in words.filter(|word| word.len() > 5) {
            let known = plain.to_lowercase().contains(&word.to_lowercase());
            if !known && word.contains(|c: char| c.is_ascii_alphabetic()) {
                return Some(format!("{word:?} is taken for input"));
            }
        }
        trusted_from = span.end;
    }
    None
}

#[test]
fn knows_what_came_from_outside() {
    let Some(folder) = reference() else { return };
    let conversations: HashMap<String, (Json, String)> = lines(&folder.join("conversations.jsonl"))
        .into_iter()
        .map(|mut conversation| {
            let mut plain = String::new();
            for part in ["messages", "tools", "documents"] {
                disguise(&mut conversation[part], &mut plain);
            }
            (text(&conversation, "id").to_owned(), (conversation, plain))
        })
        .collect();
    let templates: HashMap<String, Template> = lines(&folder.join("templates.jsonl"))
        .iter()
        .filter_map(|description| {
            let template = template(&folder, description).ok()?;
            Some((text(description, "id").to_owned(), template))
        })
        .collect();
    let (mut checked, mut marked, mut wrong) = (0, 0, 0);
    for case in lines(&folder.join("cases.jsonl")) {
        let (conversation, plain) = &conversations[text(&case, "c")];
        let Some(template) = templates.get(text(&case, "t")) else {
            continue;
        };
        let options = options(&case, conversation);
        let Ok(rendered) = template.render_marked(&conversation["messages"], &options) else {
            continue;
        };
        checked += 1;
        marked += rendered.text.chars().filter(|c| is_disguised(*c)).count();
        // Templates decide by variables, so these keep their words.
        let variables = options.variables.unwrap_or_default();
        if let Some(why) = misjudged(&rendered, &format!("{plain}{variables}")) {
            wrong += 1;
            if wrong < 20 {
                println!("{} {}: {why}", text(&case, "t"), text(&case, "c"));
            }
        }
    }
    println!("{checked} renderings with {marked} letters of their input; {wrong} marked wrongly");
    assert!(
        checked > 14_000 && marked > 1_000_000,
        "too little was checked"
    );
    assert_eq!(wrong, 0);
}

#[test]
fn one_line_checks() {
    let Some(folder) = reference() else { return };
    let mut variables: Json =
        serde_json::from_str(&fs::read_to_string(folder.join("micro_context.json")).unwrap())
            .unwrap();
    let messages = variables
        .as_object_mut()
        .unwrap()
        .remove("messages")
        .unwrap();
    let options = RenderOptions {
        variables: Some(variables),
        now: Some(NOW.to_owned()),
        ..RenderOptions::default()
    };
    let checks = lines(&folder.join("micro.jsonl"));
    let mut wrong = 0;
    for check in &checks {
        let source = text(check, "src");
        let result = Template::from_options(source, &TemplateOptions::default())
            .and_then(|template| template.render_marked(&messages, &options));
        if let (_, Some(why)) = &judge(check, result)[0] {
            println!("{source}: {why}");
            wrong += 1;
        }
    }
    println!(
        "{} of {} one-line checks pass",
        checks.len() - wrong,
        checks.len()
    );
    assert!(wrong <= ALLOWED_CHECKS, "{wrong} one-line checks fail");
}

//! Chat templates as a user meets them: where they come from, what they refuse, what stops them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rkchat::{
    ChatTemplate, Error, ErrorKind, Json, RenderOptions, SourceOptions, TemplateOptions, Tokenizer,
};
use serde_json::json;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn compile(source: &str) -> Result<ChatTemplate, Error> {
    let options = TemplateOptions {
        bos_token: Some("<bos>".to_owned()),
        ..TemplateOptions::default()
    };
    ChatTemplate::from_source(source, &options)
}

fn render(source: &str) -> Result<String, Error> {
    compile(source)?.render(&hello(), &RenderOptions::default())
}

fn hello() -> Json {
    json!([{"role": "user", "content": "Write a hello world program"}])
}

fn opened() -> RenderOptions {
    RenderOptions {
        add_generation_prompt: true,
        ..RenderOptions::default()
    }
}

const HELLO: &str =
    "<bos><start_of_turn>user\nWrite a hello world program<end_of_turn>\n<start_of_turn>model\n";

/// Gemma 2's own template, where the reference is there.
fn gemma_2() -> Option<ChatTemplate> {
    let folder = root().join("../shared/templates");
    let Ok(list) = fs::read_to_string(folder.join("templates.jsonl")) else {
        println!("SKIPPED: no reference templates at {}", folder.display());
        return None;
    };
    let description = list
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap())
        .find(|template| template["family"] == "gemma2")
        .unwrap();
    let id = description["id"].as_str().unwrap();
    let source = fs::read_to_string(folder.join(format!("templates/{id}.jinja"))).unwrap();
    Some(compile(&source).unwrap())
}

#[test]
fn gemma_2_renders_its_prompt() {
    let ours = fs::read_to_string(root().join("tests/fixtures/turns.jinja")).unwrap();
    for template in [Some(compile(&ours).unwrap()), gemma_2()]
        .into_iter()
        .flatten()
    {
        assert_eq!(template.render(&hello(), &opened()).unwrap(), HELLO);
    }
}

#[test]
fn gemma_2_refuses_a_system_message_in_its_own_words() {
    let Some(template) = gemma_2() else { return };
    let messages =
        json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]);
    let error = template.render(&messages, &opened()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Template);
    assert_eq!(
        error.details()["template_message"],
        "System role not supported"
    );
    assert!(
        error.message().contains("System role not supported"),
        "{error}"
    );
}

#[test]
fn encodes_without_adding_tokens() {
    let folder = root().join(".cache/tokenizers/gemma2");
    if !folder.is_dir() {
        println!(
            "SKIPPED: no {}; run tools/fetch-tokenizers.sh",
            folder.display()
        );
        return;
    }
    let ours = fs::read_to_string(root().join("tests/fixtures/turns.jinja")).unwrap();
    let tokenizer = Tokenizer::open(&folder).unwrap();
    let ids = compile(&ours)
        .unwrap()
        .encode(&hello(), &tokenizer, &opened())
        .unwrap();
    assert_eq!(ids.iter().filter(|id| **id == 2).count(), 1);
    assert_eq!(tokenizer.decode(&ids, &Default::default()).unwrap(), HELLO);
}

#[test]
fn what_a_template_raises_comes_through() {
    for (source, line) in [
        ("{{ raise_exception('No \"tools\", please') }}", 1),
        (
            "{% macro m() %}\n{{ raise_exception('No \"tools\", please') }}{% endmacro %}\n{{ m() }}",
            2,
        ),
    ] {
        let error = render(source).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Template);
        assert_eq!(error.details()["template_message"], "No \"tools\", please");
        assert_eq!(error.details()["line"], line, "{error}");
        assert!(error.message().contains("No \"tools\", please"), "{error}");
    }
}

#[test]
fn syntax_errors_name_the_line() {
    for (source, line) in [
        ("a\n{% if x %}\n", 2),
        ("\n\n{{ 'open", 3),
        ("{% endfor %}", 1),
        ("\n{% unknown %}", 2),
        ("{{ 1 +* 2 }}", 1),
        ("{% generation %}", 1),
    ] {
        let error = compile(source).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Template);
        assert!(error.message().contains("not valid Jinja"), "{error}");
        assert_eq!(error.details()["line"], line, "{source:?}: {error}");
    }
}

#[test]
fn messages_of_the_wrong_shape_are_named() {
    let template = compile("{{ messages }}").unwrap();
    let mut deep = json!("x");
    for _ in 0..300 {
        deep = json!([deep]);
    }
    for (messages, says) in [
        (json!([]), "messages is empty"),
        (
            json!({"role": "user"}),
            "messages must be a JSON array, not an object",
        ),
        (json!("hi"), "messages must be a JSON array, not a string"),
        (
            json!([{"role": "user"}, 7]),
            "messages[1] must be a JSON object, not a number",
        ),
        (json!([{"content": "x"}]), "messages[0] has no role"),
        (
            json!([{"role": null}]),
            "messages[0]: role must be a string, not null",
        ),
        (
            json!([{"role": "user", "content": deep}]),
            "messages[0] is nested more than 100 levels",
        ),
    ] {
        let error = template
            .render(&messages, &RenderOptions::default())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains(says), "{says}: {error}");
    }
}

#[test]
fn options_of_the_wrong_shape_are_named() {
    let template = compile("x").unwrap();
    let plain = RenderOptions::default;
    for (options, says) in [
        (
            RenderOptions {
                tools: Some(json!({})),
                ..plain()
            },
            "tools must be a JSON array",
        ),
        (
            RenderOptions {
                documents: Some(json!(1)),
                ..plain()
            },
            "documents must be a JSON array",
        ),
        (
            RenderOptions {
                variables: Some(json!([])),
                ..plain()
            },
            "variables must be a JSON object",
        ),
        (
            RenderOptions {
                variables: Some(json!({"tools": 1})),
                ..plain()
            },
            "\"tools\"",
        ),
        (
            RenderOptions {
                now: Some("noon".to_owned()),
                ..plain()
            },
            "now must be a date",
        ),
        (
            RenderOptions {
                now: Some("2026-03-07T08:05:09+00:00".to_owned()),
                ..plain()
            },
            "it has a zone",
        ),
    ] {
        let error = template.render(&hello(), &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains(says), "{says}: {error}");
    }
    let options = TemplateOptions {
        special_tokens: Some(json!({"a": 1})),
        ..Default::default()
    };
    let error = ChatTemplate::from_source("x", &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn variables_win_over_special_tokens() {
    let template = compile("{{ bos_token }} {{ extra }} {{ strftime_now('%d %b %Y') }}").unwrap();
    let options = RenderOptions {
        now: Some("2026-03-07T08:05:09.012345".to_owned()),
        variables: Some(json!({"bos_token": "<B>", "extra": [1, 2.5, null, true, "it's", 1e20]})),
        ..RenderOptions::default()
    };
    assert_eq!(
        template.render(&hello(), &options).unwrap(),
        "<B> [1, 2.5, None, True, \"it's\", 1e+20] 07 Mar 2026"
    );
}

#[test]
fn null_keys_of_messages_are_dropped_and_reasoning_has_both_names() {
    let template = compile("{{ messages[0] }}").unwrap();
    for (message, text) in [
        (
            json!({"role": "a", "content": null, "x": [null]}),
            "{'role': 'a', 'x': [None]}",
        ),
        (
            json!({"role": "a", "reasoning_content": "r", "content": "c"}),
            "{'thinking': 'r', 'role': 'a', 'reasoning_content': 'r', 'content': 'c'}",
        ),
        (
            json!({"role": "a", "thinking": "r"}),
            "{'thinking': 'r', 'role': 'a', 'reasoning_content': 'r'}",
        ),
    ] {
        let rendered = template
            .render(&json!([message]), &RenderOptions::default())
            .unwrap();
        assert_eq!(rendered, text);
    }
}

#[test]
fn tojson_writes_as_python() {
    for (expression, text) in [
        (
            "{'b': 1, 'a': [1.0, none, true]}|tojson",
            r#"{"b": 1, "a": [1.0, null, true]}"#,
        ),
        (
            "{'b': 1, 'a': 2}|tojson(sort_keys=true)",
            r#"{"a": 2, "b": 1}"#,
        ),
        ("{'a': []}|tojson(separators=(',', ':'))", r#"{"a":[]}"#),
        ("[1, {}]|tojson(indent=2)", "[\n  1,\n  {}\n]"),
        ("'é<\\u0007\\u007f'|tojson", "\"é<\\u0007\u{7f}\""),
        (
            "'é\u{1f600}'|tojson(ensure_ascii=true)",
            r#""\u00e9\ud83d\ude00""#,
        ),
        (
            "{2: 1e-7, none: 1e16, true: 0}|tojson",
            r#"{"2": 1e-07, "null": 1e+16, "true": 0}"#,
        ),
    ] {
        let source = format!("{{{{ {expression} }}}}");
        assert_eq!(render(&source).unwrap(), text, "{source}");
    }
    assert!(render("{{ missing|tojson }}").is_err());
}

#[test]
fn hostile_templates_are_stopped() {
    let nested = "(".repeat(20_000) + &")".repeat(20_000);
    let ifs = "{% if true %}".repeat(20_000);
    let deep_list = "{{ ".to_owned() + &"[".repeat(20_000) + &"]".repeat(20_000) + " }}";
    for source in [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{{ 'some text' }}{% endfor %}{% endfor %}",
        "{% set ns = namespace(x='x') %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x|string|length }}",
        "{{ 'x' * 10000000000 }}",
        "{{ ('x' * 90000000) * 90000000 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 'x'|indent(1000000000000) }}",
        "{{ [1]|tojson(indent=1000000000000) }}",
        "{{ 'a,b'|replace('', 'x' * 1000000)|replace('', 'y' * 1000000) }}",
        &format!("{{{{ {nested} }}}}"),
        &ifs,
        &deep_list,
    ] {
        let start = Instant::now();
        let error = render(source).unwrap_err();
        let took = start.elapsed();
        let shown: String = source.chars().take(90).collect();
        println!("{took:?} {shown}: {error}");
        assert_eq!(error.kind(), ErrorKind::Template, "{shown}");
        assert!(took < Duration::from_secs(20), "{shown} took {took:?}");
    }
}

#[test]
fn long_conversations_are_not_hostile() {
    let ours = fs::read_to_string(root().join("tests/fixtures/turns.jinja")).unwrap();
    let template = compile(&ours).unwrap();
    let long = "word ".repeat(4_000_000);
    let messages = json!([{"role": "user", "content": long}]);
    assert!(template.render(&messages, &opened()).unwrap().len() > 19_999_999);
    let turn = |index: usize| json!({"role": if index % 2 == 0 { "user" } else { "assistant" }, "content": "Some words."});
    let messages: Vec<Json> = (0..20_001).map(turn).collect();
    assert!(template.render(&Json::from(messages), &opened()).is_ok());
}

#[test]
fn templates_are_found_in_folders_and_files() {
    let folder = std::env::temp_dir().join(format!("rkchat-template-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, contents: &str| fs::write(folder.join(name), contents).unwrap();
    let open = |name: &str| ChatTemplate::open(&folder.join(name));
    let shows = |name: &str, text: &str| {
        let template = open(name).unwrap();
        assert_eq!(
            template
                .render(&hello(), &RenderOptions::default())
                .unwrap(),
            text,
            "{name}"
        );
    };
    let fails = |name: &str, kind: ErrorKind, says: &str| {
        let error = open(name).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(says), "{says}: {error}");
    };
    fails("missing", ErrorKind::NotFound, "does not exist");
    fails("", ErrorKind::NotFound, "looked for chat_template.jinja");

    let list = |names: &[&str]| -> Vec<Json> {
        names
            .iter()
            .map(|name| json!({"name": name, "template": format!("{name}:{{{{ eos_token }}}}")}))
            .collect()
    };
    let config = |template: Json| {
        json!({"chat_template": template, "eos_token": "E", "add_bos_token": true}).to_string()
    };
    write("tokenizer_config.json", &config(Json::Null));
    fails(
        "tokenizer_config.json",
        ErrorKind::NotFound,
        "the key chat_template",
    );
    write(
        "tokenizer_config.json",
        &config(json!("config:{{ eos_token }}")),
    );
    shows("", "config:E");
    shows("tokenizer_config.json", "config:E");
    write(
        "tokenizer_config.json",
        &config(json!(list(&["rag", "default"]))),
    );
    shows("", "default:E");
    write("tokenizer_config.json", &config(json!(list(&["rag"]))));
    shows("", "rag:E");
    write(
        "tokenizer_config.json",
        &config(json!(list(&["rag", "tools"]))),
    );
    let several = open("").unwrap();
    assert_eq!(several.info().names, ["rag", "tools"]);
    let error = several.render(&hello(), &RenderOptions::default());
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Template);
    assert!(error.message().contains("named default, only rag, tools"));
    write("tokenizer_config.json", &config(json!(7)));
    fails("", ErrorKind::Template, "must be a string or a list");
    write("chat_template.jinja", "file:{{ eos_token }}\n");
    shows("", "file:E");
    shows("chat_template.jinja", "file:E");
    write("model.rkllm", "weights");
    shows("model.rkllm", "file:E");
    write(
        "special_tokens_map.json",
        "{\"unk_token\": {\"content\": \"U\"}, \"eos_token\": \"old\"}",
    );
    write(
        "chat_template.jinja",
        "{{ unk_token }}{{ eos_token }}{{ bos_token }}",
    );
    shows("", "UE");
    write("special_tokens_map.json", "{\"unk_token\":\n");
    fails("", ErrorKind::Template, "line 2");
    fs::remove_dir_all(&folder).unwrap();
}

/// Named templates, chosen as transformers chooses them.
#[test]
fn a_named_template_is_chosen() {
    let folder = std::env::temp_dir().join(format!("rkchat-named-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("additional_chat_templates")).unwrap();
    let write = |name: &str, contents: &str| fs::write(folder.join(name), contents).unwrap();
    write("chat_template.jinja", "default {{ enable_thinking }}");
    write("additional_chat_templates/tool_use.jinja", "tools");
    write("additional_chat_templates/rag.jinja", "documents");
    write("additional_chat_templates/broken.jinja", "{% if");
    write("additional_chat_templates/notes.txt", "{% if");
    let template = ChatTemplate::open(&folder).unwrap();
    assert_eq!(
        template.info().names,
        ["default", "broken", "rag", "tool_use"]
    );
    let render = |name: Option<&str>, tools: Option<Json>| {
        let options = RenderOptions {
            template_name: name.map(str::to_owned),
            tools,
            enable_thinking: Some(true),
            ..RenderOptions::default()
        };
        template.render(&hello(), &options)
    };
    assert_eq!(render(None, None).unwrap(), "default True");
    assert_eq!(render(None, Some(Json::Null)).unwrap(), "default True");
    assert_eq!(render(None, Some(json!([]))).unwrap(), "tools");
    assert_eq!(render(Some("rag"), Some(json!([]))).unwrap(), "documents");
    assert_eq!(
        render(Some("broken"), None).unwrap_err().kind(),
        ErrorKind::Template
    );
    let error = render(Some("other"), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("broken, rag, tool_use"), "{error}");
    let source = |name: Option<&str>| {
        template.source(&SourceOptions {
            template_name: name.map(str::to_owned),
        })
    };
    assert_eq!(source(Some("rag")).unwrap(), "documents");
    assert_eq!(source(None).unwrap(), "default {{ enable_thinking }}");
    assert!(source(Some("other")).is_err());
    let twice = RenderOptions {
        enable_thinking: Some(true),
        variables: Some(json!({"enable_thinking": false})),
        ..RenderOptions::default()
    };
    let error = template.render(&hello(), &twice).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);

    // In a configuration, where the last of a name counts.
    fs::remove_dir_all(folder.join("additional_chat_templates")).unwrap();
    fs::remove_file(folder.join("chat_template.jinja")).unwrap();
    let entry = |name: &str, source: &str| json!({"name": name, "template": source});
    let list = [
        entry("default", "a"),
        entry("tool_use", "b"),
        entry("default", "c"),
    ];
    write(
        "tokenizer_config.json",
        &json!({"chat_template": list}).to_string(),
    );
    let template = ChatTemplate::open(&folder).unwrap();
    assert_eq!(template.info().names, ["default", "tool_use"]);
    assert_eq!(
        template
            .render(&hello(), &RenderOptions::default())
            .unwrap(),
        "c"
    );
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_last_message_can_be_continued() {
    let source =
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>\n{% endfor %}";
    let continued = |source: &str, content: Json, add_generation_prompt| {
        let options = RenderOptions {
            continue_final_message: true,
            add_generation_prompt,
            ..RenderOptions::default()
        };
        let messages = json!([
            {"role": "user", "content": "Count"},
            {"role": "assistant", "content": content},
        ]);
        compile(source).unwrap().render(&messages, &options)
    };
    assert_eq!(
        continued(source, json!("One, two, "), false).unwrap(),
        "<user>Count</user>\n<assistant>One, two, "
    );
    // A template that strips its messages strips the end of the prompt too.
    let strips = source.replace("m.content", "m.content | trim");
    assert_eq!(
        continued(&strips, json!("One, two, "), false).unwrap(),
        "<user>Count</user>\n<assistant>One, two,"
    );
    let parts = source.replace("m.content", "m.content[-1].text or m.content");
    let content = json!([{"type": "text", "text": "One"}]);
    assert!(
        continued(&parts, content, false)
            .unwrap()
            .ends_with("<assistant>One")
    );
    for (source, content, add_generation_prompt, says) in [
        (source, json!("x"), true, "add_generation_prompt"),
        (source, Json::Null, false, "no content"),
        (source, json!([]), false, "no text"),
        ("{{ messages[0].role }}", json!("x"), false, "does not use"),
        (
            "{{ messages[0].content }}",
            json!("x"),
            false,
            "not in the prompt",
        ),
    ] {
        let error = continued(source, content, add_generation_prompt).unwrap_err();
        assert!(error.message().contains(says), "{says}: {error}");
    }
}

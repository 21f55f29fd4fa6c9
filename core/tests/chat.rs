//! Conversations over the scripted runtime: what is remembered, what is sent, and what does not fit.

mod common;

use common::{Folder, LONG, at_most, begun, byte_tokenizer, options};
use rkchat::{
    Chat, ChatOptions, Completion, ErrorKind, FinishReason, GenerateOptions, Generation, InputKind,
    Json, Model, ModelOptions, Overflow, WarningKind,
};
use serde_json::json;

/// Turns in angle brackets; reasoning stays in the last turn only.
const TEMPLATE: &str = r#"
{%- if tools %}[{{ tools | tojson }}]{% endif %}
{%- for m in messages %}<{{ m.role }}>
{%- if m.reasoning_content and loop.last %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}
{%- for call in m.tool_calls %}<tool_call>
{{ call.function | tojson }}
</tool_call>{% endfor %}{% endfor %}
{%- if add_generation_prompt %}<assistant>{% endif %}"#;

const GROUPS: [&str; 3] = ["1.1.0", "1.2.1", "1.3.0"];

/// A model that says `text` byte by byte; `more` goes into its script.
fn saying(group: &str, text: &str, more: Json, window: u32) -> (Folder, Model) {
    let folder = Folder::new();
    folder.file("tokenizer.json", &byte_tokenizer());
    let model = opened(&folder, group, text, more, window);
    assert_eq!(model.info().input, InputKind::Tokens);
    (folder, model)
}

fn opened(folder: &Folder, group: &str, text: &str, more: Json, window: u32) -> Model {
    let pieces: Vec<Json> = text.bytes().map(|byte| json!(["", byte])).collect();
    let mut script = json!({"pieces": pieces, "record": "record.jsonl"});
    let further = more.as_object().unwrap().clone();
    script.as_object_mut().unwrap().extend(further);
    let path = folder.file("s.rkllm", &script.to_string());
    let options = ModelOptions {
        chat_template: Some(TEMPLATE.into()),
        max_context_len: Some(window),
        ..options(group)
    };
    Model::open(&path, &options).unwrap()
}

fn chat(model: &Model) -> Chat {
    Chat::open(model, &ChatOptions::default()).unwrap()
}

fn send(chat: &Chat, text: &str) -> Generation {
    chat.send(text, &GenerateOptions::default()).unwrap()
}

fn answer(chat: &Chat, text: &str) -> Completion {
    send(chat, text).completion().unwrap()
}

fn message(role: &str, content: &str) -> Json {
    json!({"role": role, "content": content})
}

/// The prompts that the runtime got, as text.
fn prompts(folder: &Folder) -> Vec<String> {
    let text = |run: &Json| {
        let ids = run["input"].as_array().unwrap().iter();
        let bytes = ids.map(|id| u8::try_from(id.as_u64().unwrap()).unwrap());
        String::from_utf8(bytes.collect()).unwrap()
    };
    folder.record("run").iter().map(text).collect()
}

fn left_out(completion: &Completion) -> Option<String> {
    let warnings = completion.warnings.iter();
    let mut told = warnings.filter(|one| one.kind == WarningKind::LeftOut);
    told.next().map(|one| one.message.clone())
}

#[test]
fn each_request_has_all_that_was_said() {
    for group in GROUPS {
        let (folder, model) = saying(group, "yes", json!({}), 4096);
        let options = ChatOptions {
            system: Some("be".into()),
            ..ChatOptions::default()
        };
        let chat = Chat::open(&model, &options).unwrap();
        assert_eq!(chat.messages().unwrap(), json!([message("system", "be")]));
        assert_eq!(answer(&chat, "a?").text, "yes");
        assert_eq!(answer(&chat, "b?").text, "yes");
        let said = [
            message("system", "be"),
            message("user", "a?"),
            message("assistant", "yes"),
            message("user", "b?"),
            message("assistant", "yes"),
        ];
        assert_eq!(chat.messages().unwrap(), json!(said), "{group}");
        let expected = [
            "<system>be<user>a?<assistant>",
            "<system>be<user>a?<assistant>yes<user>b?<assistant>",
        ];
        assert_eq!(prompts(&folder), expected, "{group}");
        assert!(
            folder
                .record("run")
                .iter()
                .all(|run| run["keep_history"] == false)
        );
        let whole = "<system>be<user>a?<assistant>yes<user>b?<assistant>yes<assistant>";
        assert_eq!(chat.token_count().unwrap() as usize, whole.len());
        chat.reset().unwrap();
        assert_eq!(chat.messages().unwrap(), json!([message("system", "be")]));
    }
}

#[test]
fn a_request_that_fails_is_taken_back() {
    for run in ["fail", "error", "fail_after", "error_after"] {
        let (_folder, model) = saying("1.3.0", "yes", json!({"run": run}), 4096);
        let chat = chat(&model);
        for _ in 0..2 {
            let generation = send(&chat, "a?");
            let error = generation.completion().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RuntimeFailed, "{run}");
            assert_eq!(chat.messages().unwrap(), json!([]));
        }
    }
    // What cannot even begin changes nothing.
    let (_folder, model) = saying("1.3.0", "yes", json!({}), 4096);
    let chat = chat(&model);
    answer(&chat, "a?");
    let options = GenerateOptions {
        top_p: Some(2.0),
        ..GenerateOptions::default()
    };
    let before = chat.messages().unwrap();
    let error = chat.send("b?", &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let error = chat.send_message(&json!("b?"), &GenerateOptions::default());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(chat.messages().unwrap(), before);
    model.close().unwrap();
    let error = chat.send("b?", &GenerateOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(chat.messages().unwrap(), before);
}

#[test]
fn a_cancelled_answer_stays_as_far_as_it_came() {
    let endless = json!({"repeat": 0, "delay_ms": 20});
    let (_folder, model) = saying("1.3.0", "abc", endless, 4096);
    let chat = chat(&model);
    let generation = send(&chat, "a?");
    begun(&generation);
    generation.cancel();
    let text = generation.completion().unwrap().text;
    assert!(text.starts_with('a'), "{text}");
    let said = json!([message("user", "a?"), message("assistant", &text)]);
    assert_eq!(chat.messages().unwrap(), said);
    // Dropped.
    begun(&send(&chat, "b?"));
    assert_eq!(chat.messages().unwrap().as_array().unwrap().len(), 4);
    // Nobody knows the answer when the chat is gone.
    let last = send(&chat, "c?");
    drop(chat);
    begun(&last);
}

#[test]
fn a_question_that_is_cancelled_before_its_answer_is_taken_back() {
    let (_folder, model) = saying("1.3.0", "abc", json!({"prefill_ms": 60000}), 4096);
    let chat = chat(&model);
    let generation = send(&chat, "a?");
    generation.cancel();
    assert_eq!(chat.messages().unwrap(), json!([]));
    let options = GenerateOptions {
        timeout: Some(std::time::Duration::from_millis(20)),
        ..GenerateOptions::default()
    };
    let error = chat.send("a?", &options).unwrap().completion().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(chat.messages().unwrap(), json!([]));
}

#[test]
fn one_answer_at_a_time() {
    let endless = json!({"repeat": 0, "delay_ms": 20});
    let (_folder, model) = saying("1.3.0", "abc", endless, 4096);
    let chat = chat(&model);
    let generation = send(&chat, "a?");
    assert_eq!(chat.messages().unwrap(), json!([message("user", "a?")]));
    let message = message("user", "b?");
    let refused = [
        chat.send("b?", &GenerateOptions::default()).err(),
        chat.send_message(&message, &GenerateOptions::default())
            .err(),
        chat.regenerate(&GenerateOptions::default()).err(),
        chat.edit(0, &message).err(),
        chat.branch().err(),
        chat.to_json().err(),
        chat.reset().err(),
    ];
    for error in refused {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.message().contains("still coming"), "{error}");
    }
    drop(generation);
    let other = chat.clone();
    begun(&send(&other, "b?"));
    assert!(chat.branch().is_ok());
}

/// Ten turns of `<user>0?<assistant>yes`, 22 tokens each, and a prompt that ends with 19.
fn long_chat(options: &ChatOptions) -> (Folder, Chat) {
    let (folder, model) = saying("1.3.0", "yes", json!({}), 200);
    let history: Vec<Json> = (0..10)
        .flat_map(|turn| {
            let question = message("user", &format!("{turn}?"));
            [question, message("assistant", "yes")]
        })
        .collect();
    let state = json!({"version": 1, "messages": history});
    let chat = Chat::from_json(&model, &state, options).unwrap();
    (folder, chat)
}

#[test]
fn the_oldest_turns_are_left_out() {
    let options = ChatOptions {
        system: Some("be".into()),
        ..ChatOptions::default()
    };
    let (folder, chat) = long_chat(&options);
    // 200 less 50 for the answer less 25 to spare: 10 of the system prompt, 19 of the question, and 4
    // turns.
    let completion = answer(&chat, "z?");
    let told = left_out(&completion).unwrap();
    assert!(
        told.contains("the oldest 12 of the chat's 22 messages"),
        "{told}"
    );
    let sent = prompts(&folder).remove(0);
    let turns: String = (6..10)
        .map(|turn| format!("<user>{turn}?<assistant>yes"))
        .collect();
    assert_eq!(sent, format!("<system>be{turns}<user>z?<assistant>"));
    assert_eq!(completion.usage.retokenized_tokens, None);
    assert_eq!(chat.messages().unwrap().as_array().unwrap().len(), 23);
    // The same are left out while that is enough, so that the next prompt goes on from this one.
    let completion = answer(&chat, "y?");
    assert!(left_out(&completion).unwrap().contains("oldest 12"));
    assert_eq!(completion.usage.rewritten_tokens, Some(0));
    assert!(prompts(&folder)[1].starts_with(&sent));
    let completion = answer(&chat, "x?");
    assert!(left_out(&completion).unwrap().contains("oldest 16"));
    assert_eq!(completion.usage.rewritten_tokens, None);
    // Only all of it would be more: the beginning stays as it is.
    let completion = chat.send("w?", &at_most(1)).unwrap();
    let completion = completion.completion().unwrap();
    assert!(left_out(&completion).unwrap().contains("oldest 16"));
}

#[test]
fn a_chat_that_does_not_fit_can_be_an_error() {
    let options = ChatOptions {
        overflow: Some(Overflow::Error),
        reserve: Some(10),
        ..ChatOptions::default()
    };
    let (folder, chat) = long_chat(&options);
    let error = chat.send("z?", &GenerateOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContextOverflow);
    assert_eq!(error.details()["prompt_tokens"], 239);
    assert_eq!(error.details()["max_context_len"], 200);
    assert_eq!(chat.messages().unwrap().as_array().unwrap().len(), 20);
    assert!(prompts(&folder).is_empty());
    chat.edit(14, &message("user", "e?")).unwrap();
    // 7 turns and the question: 173 of 190.
    let completion = chat.regenerate(&GenerateOptions::default()).unwrap();
    assert_eq!(left_out(&completion.completion().unwrap()), None);
    // The last turn alone does not fit any window.
    let (_folder, chat) = long_chat(&ChatOptions::default());
    let error = chat.send(&"z".repeat(300), &GenerateOptions::default());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::ContextOverflow);
}

#[test]
fn turns_can_be_answered_again_changed_and_branched() {
    let (folder, model) = saying("1.3.0", "yes", json!({}), 4096);
    let chat = chat(&model);
    let error = chat.regenerate(&GenerateOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    answer(&chat, "a?");
    answer(&chat, "b?");
    let whole = chat.messages().unwrap();
    let again = chat.regenerate(&GenerateOptions::default()).unwrap();
    again.completion().unwrap();
    assert_eq!(chat.messages().unwrap(), whole);
    let sent = prompts(&folder);
    assert_eq!(sent[1], sent[2]);

    let branch = chat.branch().unwrap();
    answer(&branch, "c?");
    assert_eq!(chat.messages().unwrap(), whole);
    assert_eq!(branch.messages().unwrap().as_array().unwrap().len(), 6);

    branch.edit(2, &message("user", "other?")).unwrap();
    let edited = json!([whole[0], whole[1], message("user", "other?")]);
    assert_eq!(branch.messages().unwrap(), edited);
    let last = branch.regenerate(&GenerateOptions::default()).unwrap();
    last.completion().unwrap();
    assert_eq!(
        prompts(&folder).pop().unwrap(),
        "<user>a?<assistant>yes<user>other?<assistant>"
    );
    for (index, message) in [(4, message("user", "?")), (0, json!([])), (0, json!({}))] {
        let error = branch.edit(index, &message).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn an_answer_that_fails_again_does_not_take_the_old_one_away() {
    let (_folder, model) = saying("1.3.0", "yes", json!({"run": "error_after"}), 4096);
    let history = json!([message("user", "a?"), message("assistant", "old")]);
    let state = json!({"version": 1, "messages": history});
    let chat = Chat::from_json(&model, &state, &ChatOptions::default()).unwrap();
    let again = chat.regenerate(&GenerateOptions::default()).unwrap();
    again.completion().unwrap_err();
    assert_eq!(chat.messages().unwrap(), history);
}

#[test]
fn a_conversation_goes_on_from_its_json() {
    let (folder, model) = saying("1.3.0", "yes", json!({}), 4096);
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let options = ChatOptions {
        system: Some("be".into()),
        tools: Some(tools),
        ..ChatOptions::default()
    };
    let chat = Chat::open(&model, &options).unwrap();
    answer(&chat, "a?");
    let text = chat.to_json().unwrap().to_string();
    let state: Json = text.parse().unwrap();
    let back = Chat::from_json(&model, &state, &ChatOptions::default()).unwrap();
    assert_eq!(back.messages().unwrap(), chat.messages().unwrap());
    answer(&chat, "b?");
    answer(&back, "b?");
    let sent = prompts(&folder);
    assert_eq!(sent[1], sent[2]);
    assert!(sent[0].contains("\"name\": \"f\""), "{}", sent[0]);
    // The options of the call win.
    let options = ChatOptions {
        system: Some("do".into()),
        tools: Some(json!([])),
        ..ChatOptions::default()
    };
    let other = Chat::from_json(&model, &state, &options).unwrap();
    answer(&other, "b?");
    let last = prompts(&folder).pop().unwrap();
    assert!(last.starts_with("<system>do<user>a?"), "{last}");
    let error = Chat::from_json(&model, &json!({}), &ChatOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn tools_are_called_and_their_results_sent() {
    let call = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"n\": 1}}\n</tool_call>";
    let (folder, model) = saying("1.3.0", call, json!({}), 4096);
    let tools =
        json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    let options = ChatOptions {
        tools: Some(tools),
        ..ChatOptions::default()
    };
    let chat = Chat::open(&model, &options).unwrap();
    let completion = answer(&chat, "a?");
    assert_eq!(completion.finish_reason, FinishReason::ToolCalls);
    let id = &completion.tool_calls[0].id;
    let result = json!({"role": "tool", "tool_call_id": id, "content": "42"});
    let next = chat.send_message(&json!([result]), &GenerateOptions::default());
    next.unwrap().completion().unwrap();
    let messages = chat.messages().unwrap();
    assert_eq!(messages[1], completion.message);
    assert_eq!(messages[2], result);
    let last = prompts(&folder).pop().unwrap();
    assert!(
        last.ends_with(&format!("<assistant>{call}<tool>42<assistant>")),
        "{last}"
    );
    // For this request only.
    let without = GenerateOptions {
        tools: Some(json!([])),
        ..GenerateOptions::default()
    };
    chat.send("b?", &without).unwrap().completion().unwrap();
    assert!(prompts(&folder).pop().unwrap().starts_with("<user>"));
}

#[test]
fn an_answer_can_be_begun() {
    let (folder, model) = saying("1.3.0", "yes", json!({}), 4096);
    let chat = chat(&model);
    let options = GenerateOptions {
        continue_final_message: true,
        ..GenerateOptions::default()
    };
    let error = chat.send("a?", &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let begun = json!([message("user", "a?"), message("assistant", "Oh ")]);
    let generation = chat.send_message(&begun, &options).unwrap();
    assert_eq!(generation.completion().unwrap().text, "yes");
    assert_eq!(prompts(&folder), ["<user>a?<assistant>Oh "]);
    let said = json!([message("user", "a?"), message("assistant", "Oh yes")]);
    assert_eq!(chat.messages().unwrap(), said);
}

#[test]
fn what_cannot_be_reused_is_counted_by_its_cause() {
    // Reasoning that the template drops once the turn is over.
    let thought = "<think>hm</think>yes";
    for (group, rewritten) in [("1.1.0", None), ("1.3.0", Some(thought.len() as u32))] {
        let (_folder, model) = saying(group, thought, json!({}), 4096);
        let chat = chat(&model);
        let first = answer(&chat, "a?");
        assert_eq!(first.reasoning.as_deref(), Some("hm"));
        assert_eq!(first.usage.rewritten_tokens, None);
        let usage = answer(&chat, "b?").usage;
        assert_eq!(usage.rewritten_tokens, rewritten);
        assert_eq!(usage.retokenized_tokens, rewritten.map(|_| 0));
        // Not the request before it any more.
        let again = chat.regenerate(&GenerateOptions::default()).unwrap();
        assert_eq!(again.completion().unwrap().usage.rewritten_tokens, None);
    }
    // An answer in single bytes where the tokenizer joins two of them.
    let folder = Folder::new();
    let mut tokenizer: Json = byte_tokenizer().parse().unwrap();
    tokenizer["model"]["vocab"]["ye"] = 300.into();
    tokenizer["model"]["merges"] = json!(["y e"]);
    folder.file("tokenizer.json", &tokenizer.to_string());
    let chat = chat(&opened(&folder, "1.3.0", "oh yes", json!({}), 4096));
    answer(&chat, "a?");
    let usage = answer(&chat, "b?").usage;
    assert_eq!(
        (usage.retokenized_tokens, usage.rewritten_tokens),
        (Some(3), Some(0))
    );
}

/// A model without a tokenizer, whose runtime has the template.
fn untokenized(group: &str, more: Json) -> (Folder, Model) {
    let folder = Folder::new();
    let mut script =
        json!({"pieces": ["y", "es"], "record": "record.jsonl", "template": {"prefix": "<"}});
    let further = more.as_object().unwrap().clone();
    script.as_object_mut().unwrap().extend(further);
    let path = folder.file("s.rkllm", &script.to_string());
    let model = Model::open(&path, &options(group)).unwrap();
    assert_eq!(model.info().input, InputKind::RuntimeTemplate);
    (folder, model)
}

#[test]
fn the_runtime_keeps_the_conversation_where_only_it_has_the_template() {
    for group in ["1.2.0", "1.2.1", "1.3.0"] {
        let (folder, model) = untokenized(group, json!({}));
        let chat = chat(&model);
        answer(&chat, "a?");
        answer(&chat, "b?");
        let runs = folder.record("run");
        let inputs: Vec<_> = runs.iter().map(|run| &run["input"]).collect();
        assert_eq!(inputs, ["a?", "b?"], "{group}");
        assert!(runs.iter().all(|run| run["keep_history"] == true));
        assert_eq!(folder.record("clear_cache").len(), 1, "{group}");
        assert_eq!(chat.messages().unwrap().as_array().unwrap().len(), 4);

        let lost = |chat: &Chat| {
            let generation = chat.send("c?", &GenerateOptions::default());
            let error = generation.and_then(|one| one.completion()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(
                error.message().contains("does not have this conversation"),
                "{error}"
            );
        };
        lost(&chat.branch().unwrap());
        let other = model.generate(&json!([message("user", "x?")]), &GenerateOptions::default());
        other.unwrap().completion().unwrap();
        lost(&chat);
        lost(&chat);
        assert_eq!(chat.messages().unwrap().as_array().unwrap().len(), 4);
        chat.reset().unwrap();
        answer(&chat, "d?");
        answer(&chat, "e?");
        assert_eq!(folder.record("clear_cache").len(), 2, "{group}");
        assert_eq!(folder.record("run").len(), 5);
    }
}

#[test]
fn the_runtimes_own_template_takes_users_texts_only() {
    let (_folder, model) = untokenized("1.2.1", json!({}));
    let with = |options: ChatOptions| Chat::open(&model, &options).map(drop);
    let system = with(ChatOptions {
        system: Some("be".into()),
        ..ChatOptions::default()
    });
    let tools = with(ChatOptions {
        tools: Some(json!([])),
        ..ChatOptions::default()
    });
    let state = json!({"version": 1, "messages": [message("user", "a?")]});
    let earlier = Chat::from_json(&model, &state, &ChatOptions::default()).map(drop);
    let result = chat(&model).send_message(&message("tool", "1"), &GenerateOptions::default());
    for refused in [system, tools, earlier, result.map(drop)] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("tokenizer.json"), "{error}");
    }
}

#[test]
fn a_kept_conversation_ends_with_a_failure() {
    let (_folder, model) = untokenized("1.2.1", json!({"repeat": 0, "delay_ms": 20}));
    let chat = chat(&model);
    let generation = send(&chat, "a?");
    begun(&generation);
    generation.cancel();
    assert!(generation.wait(Some(LONG)).unwrap());
    // Its beginning is in both.
    let generation = send(&chat, "b?");
    begun(&generation);
    let options = GenerateOptions {
        timeout: Some(std::time::Duration::from_millis(40)),
        ..GenerateOptions::default()
    };
    drop(generation);
    let late = chat.send("c?", &options).unwrap();
    assert_eq!(late.completion().unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(chat.messages().unwrap().as_array().unwrap().len(), 4);
}

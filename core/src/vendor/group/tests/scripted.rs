//! What the scripted runtime was given is what was asked for, in every group that has a place for it.

use serde_json::json;

use super::*;
use crate::vendor::capabilities::*;
use crate::vendor::{Images, Markers, Mode, Multimodal, Rows, Sampling};

/// Two tokens, written down what is asked.
const SCRIPT: &str = r#"{"pieces": [["one ", 1], ["two", 2]], "record": "record.jsonl", "hidden_size": 3,
                         "vocab_size": 5, "thinks": true, "template": {"prefix": "<u>", "postfix": "</u>"}}"#;

fn scripted(group: Group, folder: &Folder, params: InitParams) -> Box<dyn Session> {
    let params = InitParams {
        model_path: folder.file("script.rkllm", SCRIPT),
        max_context_len: 64,
        ..params
    };
    open(group, &format!("scripted/{}", group.name()), &params)
}

fn plain(group: Group, folder: &Folder) -> Box<dyn Session> {
    scripted(group, folder, InitParams::default())
}

/// Tokens where the group takes them.
fn prompt(group: Group) -> Input {
    match can(group, TOKEN_INPUT) {
        true => Input::Tokens(vec![5, 6, 7]),
        false => Input::Text("a b c".into()),
    }
}

const MIROSTAT_2: Sampling = Sampling {
    mirostat: Some(2),
    mirostat_tau: Some(3.5),
    mirostat_eta: Some(0.25),
    top_k: None,
    top_p: None,
    temperature: None,
    repeat_penalty: None,
    frequency_penalty: None,
    presence_penalty: None,
};

#[test]
fn a_model_is_opened_with_what_the_group_has() {
    for group in Group::ALL {
        let folder = Folder::new();
        let asked = InitParams {
            sampling: MIROSTAT_2,
            n_keep: Some(17),
            ignore_eos: true,
            embed_flash: Some(false),
            enabled_cpus_num: Some(2),
            enabled_cpus_mask: Some(0b11_0000),
            base_domain_id: Some(1),
            image_markers: Some(Markers {
                start: "<s>".into(),
                end: "<e>".into(),
                content: "<c>".into(),
            }),
            top_logprobs: Some(3),
            ..InitParams::default()
        };
        drop(scripted(group, &folder, asked));
        let init = &folder.record("init")[0];
        let name = group.name();
        for (setting, value) in [
            ("mirostat", 2.0),
            ("mirostat_tau", 3.5),
            ("mirostat_eta", 0.25),
        ] {
            assert_eq!(init["sampling"][setting].as_f64(), Some(value), "{name}");
        }
        for (field, capability, asked) in [
            ("n_keep", KEPT_BEGINNING, json!(17)),
            ("ignore_eos_token", IGNORE_EOS, json!(true)),
            ("enabled_cpus_num", CPU_CHOICE, json!(2)),
            ("enabled_cpus_mask", CPU_CHOICE, json!(0b11_0000)),
            ("base_domain_id", MEMORY_DOMAIN, json!(1)),
            ("top_logprobs", LOG_PROBABILITIES, json!(3)),
        ] {
            let given = can(group, capability);
            assert_eq!(init[field] == asked, given, "{name}: {field} in {init}");
        }
        assert_eq!(init["embed_flash"], 0, "{name}");
        let at_init = can(group, IMAGE_INPUT) && !can(group, VIDEO_INPUT);
        let markers = if at_init {
            ["<s>", "<e>", "<c>"]
        } else {
            [""; 3]
        };
        assert_eq!(init["image_markers"], json!(markers), "{name}");
        assert_eq!(folder.record("destroy").len(), 1, "{name}");
    }
}

#[test]
fn nothing_set_is_what_it_was() {
    for group in Group::ALL {
        let folder = Folder::new();
        drop(plain(group, &folder));
        let init = &folder.record("init")[0];
        let flash = i32::from(can(group, EMBED_FLASH));
        assert_eq!(init["embed_flash"], flash, "{init}");
        assert_eq!(
            (&init["n_batch"], &init["use_cross_attn"]),
            (&json!(1), &json!(0))
        );
        assert_eq!(init["ignore_eos_token"], false);
        assert_eq!(init["image_markers"], json!(["", "", ""]));
        assert_eq!(init["sampling"]["mirostat"], 0);
    }
}

#[test]
fn a_run_is_given_what_the_group_has() {
    for group in Group::ALL {
        let folder = Folder::new();
        let session = plain(group, &folder);
        let asked = RunRequest {
            inputs: vec![Input::Text("a b c".into())],
            max_new_tokens: 9,
            sampling: MIROSTAT_2,
            mode: Mode::Generate,
            last_row: false,
            keep_history: true,
            role: Some("user".into()),
            enable_thinking: true,
            adapter: None,
            save_cache: None,
        };
        run(&*session, &asked);
        run(&*session, &request(Input::Text("a b c".into())));
        let runs = folder.record("run");
        let name = group.name();
        let has = |capability| can(group, capability);
        assert_eq!(runs[0]["keep_history"], has(KEEP_HISTORY), "{name}");
        assert_eq!(runs[1]["keep_history"], false, "{name}");
        // Groups without the switch leave it to the model, which thinks.
        assert_eq!(runs[0]["enable_thinking"], true, "{name}");
        assert_eq!(runs[1]["enable_thinking"], !has(THINKING_SWITCH), "{name}");
        let mirostat = if has(RUN_SAMPLING) { 2 } else { 0 };
        assert_eq!(runs[0]["sampling"]["mirostat"], mirostat, "{name}");
        assert_eq!(
            runs[0]["max_new_tokens"],
            if has(RUN_TOKEN_LIMIT) { 9 } else { 64 }
        );
        assert_eq!(runs[0]["role"], "user", "{name}");
    }
}

#[test]
fn numbers_come_out_as_the_script_has_them() {
    for group in groups_with(HIDDEN_STATES) {
        let folder = Folder::new();
        let session = plain(group, &folder);
        let mode = |mode| RunRequest {
            mode,
            ..request(prompt(group))
        };
        let events = run(&*session, &mode(Mode::HiddenStates));
        let states = Rows {
            values: vec![0.0, 0.1, 0.2, 1.0, 1.1, 1.2, 2.0, 2.1, 2.2],
            tokens: 3,
            width: 3,
        };
        assert_eq!(
            events[0],
            RunEvent::Hidden { batch: 0, states },
            "{}",
            group.name()
        );
        assert!(
            matches!(events[1..], [RunEvent::Finish { .. }]),
            "{events:?}"
        );
        assert_eq!(folder.record("run")[0]["mode"], "hidden_states");
        if !can(group, LOGITS) {
            continue;
        }
        let events = run(&*session, &mode(Mode::Logits));
        let logits = events.iter().filter_map(|event| match event {
            RunEvent::Logits { batch: 0, logits } => Some((logits.tokens, logits.width)),
            _ => None,
        });
        assert_eq!(
            logits.collect::<Vec<_>>(),
            [(3, 5), (1, 5)],
            "{}",
            group.name()
        );
        assert_eq!(ids(&events), [1, 2]);
        // The next run has none of it.
        assert!(run(&*session, &request(prompt(group))).len() == 3);
    }
}

#[test]
fn measurements_come_with_the_end() {
    for group in groups_with(MEASUREMENTS) {
        let folder = Folder::new();
        let events = run(&*plain(group, &folder), &request(prompt(group)));
        let Some(RunEvent::Finish { perf: Some(perf) }) = events.last() else {
            panic!("{events:?}");
        };
        assert_eq!((perf.prefill_tokens, perf.decode_tokens), (3, 2));
        assert!(perf.peak_memory_mb > 1.0, "{perf:?}");
    }
}

#[test]
fn log_probabilities_come_with_the_tokens() {
    let folder = Folder::new();
    let asked = InitParams {
        top_logprobs: Some(2),
        ..InitParams::default()
    };
    let session = scripted(Group::V1_0_1, &folder, asked);
    let events = run(&*session, &request(Input::Text("a".into())));
    assert_eq!(
        tokens(&events)[0].logprobs,
        [(1, -0.5), (1, -1.0), (2, -2.0)]
    );
    let session = plain(Group::V1_0_1, &folder);
    let events = run(&*session, &request(Input::Text("a".into())));
    assert!(tokens(&events)[0].logprobs.is_empty());
}

#[test]
fn embeddings_and_images_go_in() {
    for group in groups_with(EMBEDDING_INPUT) {
        let folder = Folder::new();
        let session = plain(group, &folder);
        let embeddings = Input::Embeddings {
            values: vec![7.0; 6],
            tokens: 2,
        };
        run(&*session, &request(embeddings));
        let images = Images {
            values: vec![1.0; 12],
            tokens: 2,
            count: if can(group, SEVERAL_IMAGES) { 2 } else { 1 },
            ..Images::default()
        };
        let marks = "<image>".repeat(images.count);
        let multimodal = Multimodal {
            prompt: format!("see {marks} now"),
            images: Some(images),
            videos: None,
        };
        // 1.2.0 is driven in the layout that has several.
        if group != Group::V1_2_0 || can(group, SEVERAL_IMAGES) {
            run(&*session, &request(Input::Multimodal(Box::new(multimodal))));
        }
        let runs = folder.record("run");
        let name = group.name();
        assert_eq!(runs[0]["input_type"], "embeddings", "{name}");
        assert_eq!(runs[0]["input"], 2, "{name}");
        if let Some(images) = runs.get(1) {
            assert_eq!(images["input"], json!(format!("see {marks} now")), "{name}");
        }
    }
}

#[test]
fn adapters_and_prompt_caches_go_by_their_files() {
    for group in groups_with(LORA) {
        let folder = Folder::new();
        let session = plain(group, &folder);
        let adapter = folder.file("poet.rkllm", "");
        assert_eq!(session.load_adapter("poet", &adapter, 0.5), 0);
        let missing = folder.path("nobody.rkllm");
        assert_ne!(session.load_adapter("nobody", &missing, 1.0), 0);
        let cache = folder.path("cache.bin");
        let asked = RunRequest {
            adapter: Some("poet".into()),
            save_cache: Some(cache.clone()),
            ..request(prompt(group))
        };
        run(&*session, &asked);
        run(&*session, &request(prompt(group)));
        assert_eq!(session.load_prompt_cache(&cache), 0);
        assert_eq!(session.release_prompt_cache(), 0);
        assert_ne!(session.load_prompt_cache(&folder.path("nothing.bin")), 0);

        let loaded = &folder.record("load_lora")[0];
        let expected =
            json!({"call": "load_lora", "name": "poet", "path": text(&adapter), "scale": 0.5});
        assert_eq!(*loaded, expected);
        let runs = folder.record("run");
        assert_eq!(
            (&runs[0]["lora"], &runs[1]["lora"]),
            (&json!("poet"), &json!(null))
        );
        for call in ["save_prompt_cache", "load_prompt_cache"] {
            assert_eq!(folder.record(call)[0]["path"], text(&cache), "{call}");
        }
        assert_eq!(folder.record("save_prompt_cache").len(), 1);
        assert_eq!(folder.record("release_prompt_cache").len(), 1);
    }
}

#[test]
fn templates_and_tools_reach_the_prompt() {
    for group in groups_with(CHAT_TEMPLATE) {
        let folder = Folder::new();
        let session = plain(group, &folder);
        let hi = || {
            run(&*session, &request(Input::Text("hi".into())));
            folder.record("run").pop().unwrap()["prompt"].clone()
        };
        assert_eq!(session.set_chat_template("SYSTEM ", "[", "]"), 0);
        assert_eq!(hi(), "SYSTEM [hi]", "{}", group.name());
        let set = session.set_function_tools("Be brief.", r#"[{"name":"now"}]"#, "result");
        assert_eq!(set == 0, can(group, FUNCTION_TOOLS), "{}", group.name());
        if set != 0 {
            continue;
        }
        let said = hi();
        let said = said.as_str().unwrap();
        assert!(
            said.starts_with("Be brief.") && said.contains("now"),
            "{said}"
        );
        let asked = RunRequest {
            role: Some("tool".into()),
            ..request(Input::Text(r#"[{"hour":7}]"#.into()))
        };
        run(&*session, &asked);
        let said = &folder.record("run").pop().unwrap()["prompt"];
        assert!(said.as_str().unwrap().contains("<result>"), "{said}");
    }
}

#[test]
fn a_run_pauses_where_it_stands_alone() {
    for group in Group::ALL {
        let folder = Folder::new();
        let session = plain(group, &folder);
        for keep_history in [false, true] {
            let asked = RunRequest {
                keep_history,
                ..request(prompt(group))
            };
            // Without token ids there is nothing to pause on, and nothing that pauses.
            let (status, events) = run_until(&*session, &asked, Some(1));
            let pauses = can(group, PAUSE) && !keep_history;
            let finished = matches!(events.last(), Some(RunEvent::Finish { .. }));
            assert_eq!(
                (status, finished),
                (0, !pauses),
                "{}: {events:?}",
                group.name()
            );
            assert_eq!(tokens(&events).len(), if pauses { 1 } else { 2 });
            if pauses {
                assert_eq!(session.clear_cache(false, &[(0, 2)]), 0);
                assert_eq!(session.clear_cache(false, &[(0, 1), (0, 1)]), -1);
            }
            let cleared = session.clear_cache(false, &[]);
            assert_eq!(cleared == 0, can(group, CLEAR_CACHE), "{}", group.name());
        }
        if can(group, CLEAR_CACHE_RANGE) {
            let cut = &folder.record("cut_cache")[0];
            assert_eq!((&cut["start"], &cut["end"]), (&json!(0), &json!(2)));
        }
    }
}

#[test]
fn whether_a_run_is_in_progress_is_told() {
    for group in Group::ALL {
        let folder = Folder::new();
        let session = plain(group, &folder);
        let state = |running| can(group, RUN_STATE).then_some(running);
        assert_eq!(session.is_running(), state(false));
        let mut seen = Vec::new();
        session.run(&request(prompt(group)), &mut |event| {
            if matches!(event, RunEvent::Token(_)) {
                seen.push(session.is_running());
            }
            Flow::Go
        });
        assert_eq!(seen, [state(true); 2], "{}", group.name());
        assert_eq!(session.is_running(), state(false));
    }
}

#[test]
fn what_a_group_lacks_is_a_status() {
    let folder = Folder::new();
    let oldest = plain(Group::V1_0_0, &folder);
    let nowhere = folder.path("nowhere");
    assert_eq!(oldest.load_adapter("a", &nowhere, 1.0), -1);
    assert_eq!(oldest.load_prompt_cache(&nowhere), -1);
    assert_eq!(oldest.release_prompt_cache(), -1);
    assert_eq!(oldest.set_chat_template("", "", ""), -1);
    assert_eq!(oldest.set_function_tools("", "[]", ""), -1);
    assert_eq!(oldest.clear_cache(true, &[]), -1);
    assert_eq!((oldest.cache_size(), oldest.is_running()), (None, None));
    let newest = plain(Group::V1_3_0, &folder);
    assert_eq!(newest.set_chat_template("a\0b", "", ""), -1);
    assert!(folder.record("clear_cache").is_empty());
    let (status, events) = run_until(&*newest, &request(Input::Text("a\0b".into())), None);
    assert_eq!(status, -1);
    assert!(matches!(&events[..], [RunEvent::Error { message: Some(why) }] if why.contains("NUL")));
}

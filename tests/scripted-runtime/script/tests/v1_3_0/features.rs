//! Function tools, thinking, adapters, prompt caches and numbers over a script.

use crate::harness::library::*;
use crate::harness::*;
use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0::*;
use serde_json::{Value, json};
use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::null_mut;

/// A text run with a role; the prompt that came of it.
fn prompt(model: &Model, role: &CStr, text: &str, keep_history: c_int) -> Value {
    let text = CString::new(text).unwrap();
    let mut input = RKLLMInput::zeroed();
    input.role = role.as_ptr();
    input.input.prompt_input = text.as_ptr();
    let keep = RKLLMInferParam {
        keep_history,
        ..infer()
    };
    assert_eq!(model.input(input, keep), 0);
    model.file.recorded("run").pop().unwrap()["prompt"].clone()
}

fn set_tools(model: &Model) {
    let (system, tools) = (c"Be brief.", c"[{\"name\":\"now\"}]");
    // SAFETY: the handle is open, the strings are NUL-terminated.
    let set = unsafe {
        let tag = c"result".as_ptr();
        rkllm_set_function_tools(model.handle, system.as_ptr(), tools.as_ptr(), tag)
    };
    assert_eq!(set, 0);
}

#[test]
fn tools_stand_in_the_system_part_and_results_in_their_tag() {
    let template = json!({"prefix": "<u>", "postfix": "</u>"});
    let model = Model::open(json!({"pieces": ["x"], "template": template}));
    assert_eq!(prompt(&model, c"user", "hi", 0), "<u>hi</u>");
    set_tools(&model);
    let first = prompt(&model, c"user", "hi", 0);
    let text = first.as_str().unwrap();
    assert!(text.starts_with("Be brief.\n\n# Tools"), "{text}");
    assert!(
        text.contains("<tools>\n{\"name\": \"now\"}\n</tools>"),
        "{text}"
    );
    assert!(text.ends_with("</tool_call>\n<u>hi</u>"), "{text}");
    // In a conversation only once.
    let later = prompt(&model, c"tool", "[{\"hour\":7}]", 1);
    assert_eq!(later, "<u><result>\n{\"hour\": 7}\n</result></u>");
    let mut input = RKLLMInput::zeroed();
    input.role = c"tool".as_ptr();
    input.input.prompt_input = c"no list".as_ptr();
    assert_eq!(model.input(input, infer()), -1);
}

#[test]
fn tools_replace_the_system_prompt_of_a_set_template() {
    let model = Model::open(json!({"pieces": ["x"]}));
    // SAFETY: the handle is open, the strings are NUL-terminated.
    let set = unsafe {
        let (prefix, postfix) = (c"[".as_ptr(), c"]".as_ptr());
        rkllm_set_chat_template(model.handle, c"SYSTEM ".as_ptr(), prefix, postfix)
    };
    assert_eq!(set, 0);
    assert_eq!(prompt(&model, c"user", "hi", 0), "SYSTEM [hi]");
    set_tools(&model);
    let text = prompt(&model, c"user", "hi", 0);
    let text = text.as_str().unwrap();
    assert!(text.starts_with("Be brief.\n\n# Tools"), "{text}");
    assert!(text.ends_with("</tool_call>[hi]"), "{text}");
}

#[test]
fn a_system_prompt_with_tools_survives_clearing() {
    let model = Model::open(json!({"pieces": ["x"]}));
    set_tools(&model);
    let text = prompt(&model, c"user", "hi", 0);
    let words = text.as_str().unwrap().split_whitespace().count();
    assert_eq!(model.cached() as usize, words + 1);
    // SAFETY: the handle is open.
    let cleared = unsafe { rkllm_clear_kv_cache(model.handle, 1, null_mut(), null_mut()) };
    assert_eq!((cleared, model.cached() as usize), (0, words - 1));
}

#[test]
fn thinking_is_closed_where_the_template_knows_it() {
    let ask = |thinks: bool, enable: bool| {
        let model = Model::open(json!({"pieces": ["x"], "thinks": thinks}));
        let mut input = RKLLMInput::zeroed();
        input.enable_thinking = enable.into();
        input.input.prompt_input = c"hi".as_ptr();
        assert_eq!(model.input(input, infer()), 0);
        model.file.recorded("run")[0]["prompt"].clone()
    };
    assert_eq!(ask(true, false), "hi<think>\n\n</think>\n\n");
    assert_eq!(ask(true, true), "hi");
    assert_eq!(ask(false, false), "hi");
}

#[test]
fn adapters_are_loaded_and_picked_by_name() {
    let model = Model::open(json!({"pieces": ["x"]}));
    let path = model.file.path();
    let mut adapter = RKLLMLoraAdapter::zeroed();
    adapter.lora_adapter_path = path.as_ptr();
    adapter.lora_adapter_name = c"poet".as_ptr();
    adapter.scale = 0.5;
    // SAFETY: the handle is open, the adapter's strings are NUL-terminated.
    assert_eq!(unsafe { rkllm_load_lora(model.handle, &mut adapter) }, 0);
    let mut lora = RKLLMLoraParam {
        lora_adapter_name: c"poet".as_ptr(),
    };
    let with = RKLLMInferParam {
        lora_params: &mut lora,
        ..infer()
    };
    assert_eq!((model.text("a", with), model.text("a", infer())), (0, 0));
    let loaded = &model.file.recorded("load_lora")[0];
    assert_eq!(
        (&loaded["name"], &loaded["scale"]),
        (&json!("poet"), &json!(0.5))
    );
    let names: Vec<_> = model
        .file
        .recorded("run")
        .iter()
        .map(|run| run["lora"].clone())
        .collect();
    assert_eq!(names, [json!("poet"), json!(null)]);
}

#[test]
fn prompt_caches_are_saved_loaded_and_released() {
    let model = Model::open(json!({"pieces": ["x"]}));
    let folder = tempfile::tempdir().unwrap();
    let path = CString::new(folder.path().join("cache").to_str().unwrap()).unwrap();
    for save_prompt_cache in [1, 0] {
        let mut cache = RKLLMPromptCacheParam {
            save_prompt_cache,
            prompt_cache_path: path.as_ptr(),
        };
        let infer = RKLLMInferParam {
            prompt_cache_params: &mut cache,
            ..infer()
        };
        assert_eq!(model.text("a b c", infer), 0);
    }
    // SAFETY: the handle is open, the string is NUL-terminated.
    unsafe {
        assert_eq!(rkllm_load_prompt_cache(model.handle, path.as_ptr()), 0);
        assert_eq!(rkllm_release_prompt_cache(model.handle), 0);
    }
    for call in [
        "save_prompt_cache",
        "load_prompt_cache",
        "release_prompt_cache",
    ] {
        assert_eq!(model.file.recorded(call).len(), 1, "{call}");
    }
}

/// What a run brought: rows and columns of each call's hidden states and logits.
#[derive(Default, PartialEq, Debug)]
struct Shapes {
    hidden: Vec<(c_int, c_int)>,
    logits: Vec<(c_int, c_int)>,
}

unsafe extern "C" fn on_shapes(result: *mut RKLLMResult, data: *mut c_void, state: u32) -> c_int {
    // SAFETY: the runtime passes a valid result, the test its `Shapes`.
    let (result, shapes) = unsafe { (&*result, &mut *data.cast::<Shapes>()) };
    let (hidden, logits) = (&result.last_hidden_layer, &result.logits);
    if !hidden.hidden_states.is_null() {
        assert_eq!(state, RKLLM_RUN_NORMAL);
        shapes.hidden.push((hidden.num_tokens, hidden.embd_size));
    }
    if !logits.logits.is_null() {
        shapes.logits.push((logits.num_tokens, logits.vocab_size));
    }
    0
}

#[test]
fn numbers_come_in_the_groups_structs() {
    let script = json!({"pieces": ["x", "y"], "hidden_size": 3, "vocab_size": 5});
    let file = ScriptFile::new(script);
    let path = file.path();
    let mut handle = null_mut();
    let mut shapes = Shapes::default();
    // SAFETY: valid pointers for the duration of the calls.
    unsafe {
        let mut param = rkllm_createDefaultParam();
        param.model_path = path.as_ptr();
        let mut callback = RKLLMCallback::zeroed();
        callback.result_callback = Some(on_shapes);
        callback.result_userdata = (&raw mut shapes).cast();
        assert_eq!(rkllm_init(&mut handle, &mut param, &mut callback), 0);
        let mut input = RKLLMInput::zeroed();
        input.input.prompt_input = c"one two three".as_ptr();
        for mode in [
            RKLLM_INFER_GENERATE,
            RKLLM_INFER_GET_LAST_HIDDEN_LAYER,
            RKLLM_INFER_GET_LOGITS,
        ] {
            let mut infer = RKLLMInferParam { mode, ..infer() };
            assert_eq!(rkllm_run(handle, &mut input, &mut infer, null_mut()), 0);
        }
        let mut rows = [7.0f32; 6];
        input.input_type = RKLLM_INPUT_EMBED;
        input.input.embed_input = RKLLMEmbedInput {
            embed: rows.as_mut_ptr(),
            n_tokens: 2,
        };
        assert_eq!(rkllm_run(handle, &mut input, null_mut(), null_mut()), 0);
        assert_eq!(rkllm_destroy(handle), 0);
    }
    let expected = Shapes {
        hidden: vec![(3, 3)],
        logits: vec![(3, 5), (1, 5)],
    };
    assert_eq!(shapes, expected);
    let runs = file.recorded("run");
    let modes: Vec<_> = runs.iter().map(|run| &run["mode"]).collect();
    assert_eq!(modes, ["generate", "hidden_states", "logits", "generate"]);
    assert_eq!(
        (&runs[3]["input_type"], &runs[3]["input"]),
        (&json!("embeddings"), &json!(2))
    );
}

//! What is refused, and what a script can break on purpose.

use crate::harness::library::*;
use crate::harness::*;
use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0::*;
use serde_json::json;
use std::os::unix::process::ExitStatusExt;
use std::ptr::{null, null_mut};

#[test]
fn limits_are_kept() {
    let limit = json!({"max_context_limit": 8, "pieces": ["x"], "repeat": 0});
    let small = |param: &mut RKLLMParam| param.max_context_len = 8;
    assert!(Model::open_with(limit.clone(), |param| param.max_context_len = 9).is_err());
    let model = Model::open_with(limit, small).unwrap();
    assert_eq!(model.text("1 2 3 4 5", infer()), 0);
    assert_eq!((model.heard.take().len(), model.cached()), (3 + 1, 8));
    assert_eq!(model.text("1 2 3 4 5 6 7 8", infer()), -1);
    assert_eq!(model.heard.take(), [Call::Error]);
    assert_eq!(
        model.text(
            "1",
            RKLLMInferParam {
                max_new_tokens: 2,
                ..infer()
            }
        ),
        0
    );
    assert_eq!(model.heard.take().len(), 2 + 1);
}

#[test]
fn refuses_bad_parameters() {
    type Change = fn(&mut RKLLMParam);
    let changes: [Change; 7] = [
        |param| param.extend_param.n_batch = 0,
        |param| param.extend_param.n_batch = 101,
        |param| param.max_context_len = 0,
        |param| param.repeat_penalty = 0.0,
        |param| param.top_p = f32::NAN,
        |param| param.mirostat = 3,
        |param| param.model_path = null(),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        assert_eq!(
            Model::open_with(json!({}), change).err(),
            Some(-1),
            "change {i}"
        );
    }
    let model = Model::open(json!({"pieces": ["x"]}));
    let wrong_mode = RKLLMInferParam { mode: 7, ..infer() };
    assert_eq!(model.text("x", wrong_mode), -1);
    let mut lora = RKLLMLoraParam {
        lora_adapter_name: c"nobody".as_ptr(),
    };
    let wrong_adapter = RKLLMInferParam {
        lora_params: &mut lora,
        ..infer()
    };
    assert_eq!(model.text("x", wrong_adapter), -1);
    assert_eq!(model.heard.take(), [Call::Error]);
    for input_type in [RKLLM_INPUT_MULTIMODAL, 99] {
        let input = RKLLMInput {
            input_type,
            ..RKLLMInput::zeroed()
        };
        assert_eq!(model.input(input, infer()), -1);
    }
    assert_eq!(
        model.input(RKLLMInput::zeroed(), infer()),
        -1,
        "prompt_input is NULL"
    );
    assert_eq!(model.heard.take(), []);
    assert_eq!(model.tokens(&mut [], infer()), -1, "no token");
    assert_eq!(model.heard.take(), [Call::Error]);
}

#[test]
fn refuses_bad_handles() {
    let model = Model::open(json!({"pieces": ["x"]}));
    let destroyed = model.handle;
    drop(model);
    // SAFETY: any value may be passed as a handle, and NULL as any pointer.
    unsafe {
        for handle in [null_mut(), destroyed, 7 as LLMHandle] {
            let mut input = RKLLMInput::zeroed();
            assert_eq!(rkllm_run(handle, &mut input, null_mut(), null_mut()), -1);
            assert_eq!(
                rkllm_run_async(handle, &mut input, null_mut(), null_mut()),
                -1
            );
            assert_eq!(rkllm_abort(handle), -1);
            assert_eq!(rkllm_is_running(handle), 0);
            assert_eq!(rkllm_destroy(handle), -1);
            assert_eq!(rkllm_clear_kv_cache(handle, 0, null_mut(), null_mut()), -1);
            assert_eq!(rkllm_get_kv_cache_size(handle, null_mut()), -1);
            assert_eq!(rkllm_set_chat_template(handle, null(), null(), null()), -1);
        }
        let mut handle = 5 as LLMHandle;
        assert_eq!(rkllm_init(&mut handle, null_mut(), null_mut()), -1);
        assert!(handle.is_null());
        assert_eq!(rkllm_init(null_mut(), null_mut(), null_mut()), -1);
    }
}

#[test]
fn a_strict_library_crashes_on_n_batch_0() {
    let folder = tempfile::tempdir().unwrap();
    let name = "refusals::a_strict_library_crashes_on_n_batch_0";
    let child = in_child(name, folder.path(), || {
        let no_batch = |param: &mut RKLLMParam| param.extend_param.n_batch = 0;
        assert!(Model::open_with(json!({}), no_batch).is_err());
        _ = Model::open_with(json!({"strict": true}), no_batch);
    });
    if let Some(output) = child {
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{output:?}");
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(log.matches("n_batch must be between").count(), 1, "{log}");
    }
}

#[test]
fn what_cannot_be_loaded_is_refused() {
    let model = Model::open(json!({}));
    let mut adapter = RKLLMLoraAdapter::zeroed();
    // SAFETY: the handle is open; NULL is allowed for the rest.
    unsafe {
        assert_eq!(rkllm_load_lora(model.handle, null_mut()), -1);
        assert_eq!(rkllm_load_lora(model.handle, &mut adapter), -1);
        adapter.lora_adapter_name = c"a".as_ptr();
        adapter.lora_adapter_path = c"/nowhere".as_ptr();
        assert_eq!(rkllm_load_lora(model.handle, &mut adapter), -1);
        assert_eq!(rkllm_load_prompt_cache(model.handle, null()), -1);
        let path = c"/nowhere".as_ptr();
        assert_eq!(rkllm_load_prompt_cache(model.handle, path), -1);
        for tools in [null(), c"{}".as_ptr(), c"[]".as_ptr()] {
            let set = rkllm_set_function_tools(model.handle, null(), tools, null());
            assert_eq!(set, -1);
        }
        // It was not opened for it.
        assert_eq!(rkllm_set_cross_attn_params(model.handle, null_mut()), -1);
    }
}

//! What runs bring and what they were given.

use crate::harness::library::*;
use crate::harness::*;
use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0::*;
use serde_json::json;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::Mutex;

/// What the callback returns; tests that change it hold the lock of [`ANSWER`].
static ANSWER: Mutex<c_int> = Mutex::new(0);

#[test]
fn records_what_was_received() {
    let model = Model::open_with(json!({"pieces": ["x"]}), |param| {
        param.top_k = 17;
        param.max_new_tokens = 5;
        param.is_async = 0;
        param.ignore_eos_token = 1;
        param.extend_param.base_domain_id = 1;
    })
    .unwrap();
    let mut sampling = RKLLMSamplingParam {
        top_k: 3,
        repeat_penalty: 1.5,
        ..RKLLMSamplingParam::zeroed()
    };
    let parameters = RKLLMInferParam {
        sampling_params: &mut sampling,
        keep_history: 1,
        max_new_tokens: 2,
        ..infer()
    };
    assert_eq!(model.tokens(&mut [5, 6, 7], parameters), 0);
    assert_eq!(model.text("a b", infer()), 0);
    let init = &model.file.recorded("init")[0];
    assert_eq!(init["sampling"]["top_k"], 17);
    assert_eq!(init["max_new_tokens"], 5);
    assert_eq!(init["ignore_eos_token"], true);
    assert_eq!(
        (&init["n_batch"], &init["base_domain_id"]),
        (&json!(1), &json!(1))
    );
    let runs = model.file.recorded("run");
    assert_eq!(
        (&runs[0]["input_type"], &runs[0]["input"]),
        (&json!("tokens"), &json!([5, 6, 7]))
    );
    assert_eq!(
        (&runs[0]["sampling"]["top_k"], &runs[0]["max_new_tokens"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(runs[0]["keep_history"], true);
    assert_eq!(
        (&runs[1]["sampling"]["top_k"], &runs[1]["max_new_tokens"]),
        (&json!(17), &json!(5))
    );
    assert_eq!(
        (&runs[1]["role"], &runs[1]["input"]),
        (&json!("user"), &json!("a b"))
    );
}

#[test]
fn templates_text_and_never_tokens() {
    let template = json!({"prefix": "<u>", "postfix": "</u>"});
    let model = Model::open(json!({"pieces": ["x"], "template": template}));
    assert_eq!(model.text("hi", infer()), 0);
    assert_eq!(model.tokens(&mut [1], infer()), 0);
    // SAFETY: the handle is open, the strings are NUL-terminated.
    let set = unsafe {
        rkllm_set_chat_template(model.handle, c"S ".as_ptr(), c"[".as_ptr(), c"]".as_ptr())
    };
    assert_eq!((set, model.cached()), (0, 0));
    let keep = RKLLMInferParam {
        keep_history: 1,
        ..infer()
    };
    assert_eq!((model.text("one", keep), model.text("two", keep)), (0, 0));
    let prompts: Vec<_> = model
        .file
        .recorded("run")
        .into_iter()
        .map(|run| run["prompt"].clone())
        .collect();
    assert_eq!(
        prompts,
        [
            json!("<u>hi</u>"),
            json!(null),
            json!("S [one]"),
            json!("[two]")
        ]
    );
}

#[test]
fn the_cache_is_reused_kept_and_cleared() {
    let model = Model::open(json!({"pieces": ["x", "y"]}));
    assert_eq!(model.text("a b c", infer()), 0);
    assert_eq!(model.cached(), 5);
    assert_eq!(model.text("a b c d", infer()), 0);
    assert_eq!(model.cached(), 6);
    let keep = RKLLMInferParam {
        keep_history: 1,
        ..infer()
    };
    assert_eq!(model.text("e", keep), 0);
    assert_eq!(model.cached(), 9);
    // SAFETY: the handle is open.
    unsafe {
        let mut position = 0;
        assert_eq!(
            rkllm_clear_kv_cache(model.handle, 0, &mut position, &mut position),
            -1
        );
        assert_eq!(
            rkllm_clear_kv_cache(model.handle, 0, null_mut(), null_mut()),
            0
        );
    }
    assert_eq!(model.cached(), 0);
}

#[test]
fn a_run_without_userdata_gets_that_of_init() {
    let file = ScriptFile::new(json!({"pieces": ["x"]}));
    let (path, heard) = (file.path(), Heard::default());
    let mut handle = null_mut();
    // SAFETY: valid pointers for the duration of the calls.
    unsafe {
        let mut param = rkllm_createDefaultParam();
        param.model_path = path.as_ptr();
        let mut callback = RKLLMCallback::zeroed();
        callback.result_callback = Some(on_result);
        callback.result_userdata = heard.userdata();
        assert_eq!(rkllm_init(&mut handle, &mut param, &mut callback), 0);
        let mut input = RKLLMInput::zeroed();
        input.input.prompt_input = c"hello".as_ptr();
        assert_eq!(rkllm_run(handle, &mut input, null_mut(), null_mut()), 0);
        assert_eq!(rkllm_destroy(handle), 0);
    }
    assert_eq!(heard.take(), [Call::normal("x", 1000), Call::FINISH]);
    assert_eq!(file.recorded("destroy").len(), 1);
}

unsafe extern "C" fn on_result_answer(
    result: *mut RKLLMResult,
    data: *mut c_void,
    state: u32,
) -> c_int {
    // SAFETY: as for `on_result`.
    unsafe { on_result(result, data, state) };
    *ANSWER.lock().unwrap()
}

#[test]
fn a_callback_that_returns_1_pauses() {
    let file = ScriptFile::new(json!({"pieces": ["x", "y", "z"]}));
    let (path, heard) = (file.path(), Heard::default());
    let mut handle = null_mut();
    // SAFETY: valid pointers for the duration of the calls.
    unsafe {
        let mut param = rkllm_createDefaultParam();
        param.model_path = path.as_ptr();
        let mut callback = RKLLMCallback::zeroed();
        callback.result_callback = Some(on_result_answer);
        callback.result_userdata = heard.userdata();
        assert_eq!(rkllm_init(&mut handle, &mut param, &mut callback), 0);
        let mut input = RKLLMInput::zeroed();
        input.input.prompt_input = c"hello".as_ptr();
        *ANSWER.lock().unwrap() = 1;
        assert_eq!(rkllm_run(handle, &mut input, null_mut(), null_mut()), 0);
        assert_eq!(heard.take(), [Call::normal("x", 1000)]);
        *ANSWER.lock().unwrap() = 2;
        assert_eq!(rkllm_run(handle, &mut input, null_mut(), null_mut()), 0);
        assert_eq!(heard.take().last(), Some(&Call::FINISH));
        assert_eq!(rkllm_destroy(handle), 0);
    }
}

#[test]
fn is_async_makes_run_return_at_once() {
    let script = json!({"pieces": ["x"], "prefill_ms": 100});
    let model = Model::open_with(script, |param| param.is_async = 1).unwrap();
    assert_eq!(model.run(), 0);
    assert_eq!(model.heard.take(), []);
    model.heard.wait_for(|call| *call == Call::FINISH);
    // SAFETY: the handle is open.
    assert_eq!(unsafe { rkllm_destroy(model.handle) }, 0);
    assert_eq!(
        model.file.recorded("destroy").len(),
        1,
        "freed when rkllm_destroy returns"
    );
}

//! The functions of group 1.3.0 over scripts: what the front promises, and what a script can break.

mod support;

use rkchat_runtime_front::abi::v1_3_0::*;
use serde_json::json;
use std::ffi::{CString, c_int, c_void};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::{Call, Heard, ScriptFile};

mod library {
    rkchat_runtime_front::export_v1_3_0!(rkchat_scripted::Scripted);
}

use library::*;

/// What the callback returns; tests that change it hold the lock of [`ANSWER`].
static ANSWER: Mutex<c_int> = Mutex::new(0);

unsafe extern "C" fn on_result(result: *mut RKLLMResult, data: *mut c_void, state: u32) -> c_int {
    // SAFETY: the runtime passes a valid result, and every run of these tests a `Heard`.
    unsafe {
        let result = &*result;
        (*data.cast::<Heard>()).add(state, result.text, result.token_id);
    }
    0
}

struct Model {
    handle: LLMHandle,
    file: ScriptFile,
    heard: Heard,
}

// SAFETY: the library's functions may be called from any thread.
unsafe impl Sync for Model {}

impl Model {
    fn open(script: serde_json::Value) -> Model {
        Model::open_with(script, |_| {}).unwrap()
    }

    fn open_with(
        script: serde_json::Value,
        change: impl Fn(&mut RKLLMParam),
    ) -> Result<Model, c_int> {
        let file = ScriptFile::new(script);
        let path = file.path();
        let mut handle = null_mut();
        // SAFETY: valid pointers for the duration of the calls.
        let status = unsafe {
            let mut param = rkllm_createDefaultParam();
            param.model_path = path.as_ptr();
            change(&mut param);
            let mut callback = RKLLMCallback::zeroed();
            callback.result_callback = Some(on_result);
            rkllm_init(&mut handle, &mut param, &mut callback)
        };
        match status {
            0 => Ok(Model {
                handle,
                file,
                heard: Heard::default(),
            }),
            status => Err(status),
        }
    }

    fn userdata(&self) -> *mut c_void {
        (&raw const self.heard).cast_mut().cast()
    }

    fn text(&self, text: &str, infer: RKLLMInferParam) -> c_int {
        let text = CString::new(text).unwrap();
        let mut input = RKLLMInput::zeroed();
        input.role = c"user".as_ptr();
        input.input.prompt_input = text.as_ptr();
        self.input(input, infer)
    }

    fn tokens(&self, ids: &mut [i32], infer: RKLLMInferParam) -> c_int {
        let mut input = RKLLMInput::zeroed();
        input.input_type = RKLLM_INPUT_TOKEN;
        input.input.token_input = RKLLMTokenInput {
            input_ids: ids.as_mut_ptr(),
            n_tokens: ids.len(),
        };
        self.input(input, infer)
    }

    fn input(&self, mut input: RKLLMInput, mut infer: RKLLMInferParam) -> c_int {
        // SAFETY: valid pointers for the duration of the call; the userdata outlives the run.
        unsafe { rkllm_run(self.handle, &mut input, &mut infer, self.userdata()) }
    }

    fn run(&self) -> c_int {
        self.text("hello there", infer())
    }

    fn cached(&self) -> c_int {
        let mut size = -1;
        // SAFETY: the handle is open and one number is writable.
        let status = unsafe { rkllm_get_kv_cache_size(self.handle, &mut size) };
        assert_eq!(status, 0);
        size
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: any value may be passed as a handle.
        unsafe { rkllm_destroy(self.handle) };
    }
}

fn infer() -> RKLLMInferParam {
    RKLLMInferParam::zeroed()
}

fn normal(text: &str, id: i32) -> Call {
    Call::Normal(Some(text.into()), id)
}

#[test]
fn plays_pieces_and_finishes() {
    let model = Model::open(json!({"pieces": ["Hel", ["lo", 6]]}));
    assert_eq!(model.run(), 0);
    assert_eq!(
        model.heard.take(),
        [normal("Hel", 1000), normal("lo", 6), Call::Finish]
    );
    // SAFETY: the handle is open.
    assert_eq!(unsafe { rkllm_is_running(model.handle) }, 0);
}

#[test]
fn joins_partial_characters() {
    let pieces = json!([{"hex": "61f09f"}, {"hex": "9880"}, {"hex": "ff"}]);
    let model = Model::open(json!({"pieces": pieces}));
    assert_eq!(model.run(), 0);
    let expected = [
        Call::Waiting,
        normal("a\u{1F600}", 1001),
        normal("\u{fffd}", 1002),
        Call::Finish,
    ];
    assert_eq!(model.heard.take(), expected);
}

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
    let changes: [Change; 9] = [
        |param| param.extend_param.n_batch = 0,
        |param| param.extend_param.n_batch = 101,
        |param| param.extend_param.n_batch = 2,
        |param| param.extend_param.use_cross_attn = 1,
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
    for infer in [
        RKLLMInferParam {
            mode: RKLLM_INFER_GET_LOGITS,
            ..infer()
        },
        RKLLMInferParam {
            lora_params: &mut RKLLMLoraParam {
                lora_adapter_name: c"a".as_ptr(),
            },
            ..infer()
        },
        RKLLMInferParam {
            prompt_cache_params: &mut RKLLMPromptCacheParam {
                save_prompt_cache: 1,
                prompt_cache_path: null(),
            },
            ..infer()
        },
    ] {
        assert_eq!(model.text("x", infer), -1);
    }
    for input_type in [RKLLM_INPUT_EMBED, RKLLM_INPUT_MULTIMODAL, 99] {
        assert_eq!(
            model.input(
                RKLLMInput {
                    input_type,
                    ..RKLLMInput::zeroed()
                },
                infer()
            ),
            -1
        );
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
fn abort_ends_a_run_that_has_no_end() {
    let model = Model::open(json!({"pieces": ["x"], "repeat": 0, "delay_ms": 1, "abort_ms": 30}));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| model.run());
        model
            .heard
            .wait_for(|call| matches!(call, Call::Normal(..)));
        // SAFETY: the handle is open.
        unsafe {
            assert_eq!(rkllm_is_running(model.handle), 1);
            assert_eq!(model.run(), -1, "one run at a time");
            let start = Instant::now();
            assert_eq!(rkllm_abort(model.handle), 0);
            assert_eq!(run.join().unwrap(), 0);
            assert!(
                start.elapsed() >= Duration::from_millis(30),
                "the abort was to be slow"
            );
            assert_eq!(rkllm_abort(model.handle), -1, "nothing to abort");
        }
    });
    assert_eq!(model.heard.take().last(), Some(&Call::Finish));
    assert_eq!(
        model.text(
            "again",
            RKLLMInferParam {
                max_new_tokens: 1,
                ..infer()
            }
        ),
        0
    );
    assert_eq!(model.heard.take(), [normal("x", 1000), Call::Finish]);
}

#[test]
fn destroy_ends_a_run_and_waits() {
    let model = Model::open(json!({"pieces": ["x"], "repeat": 0, "delay_ms": 1}));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| model.run());
        model
            .heard
            .wait_for(|call| matches!(call, Call::Normal(..)));
        // SAFETY: the handle is open.
        assert_eq!(unsafe { rkllm_destroy(model.handle) }, 0);
        assert_eq!(model.heard.take().last(), Some(&Call::Finish));
        assert_eq!(run.join().unwrap(), 0);
    });
}

#[test]
fn runs_in_the_background() {
    let model = Model::open(json!({"pieces": ["x", "y"], "prefill_ms": 50}));
    for detached in 0..3 {
        let text = CString::new("hello").unwrap();
        let mut input = RKLLMInput::zeroed();
        input.input.prompt_input = text.as_ptr();
        // SAFETY: the input is copied before the call returns; the userdata outlives the run.
        unsafe {
            assert_eq!(
                rkllm_run_async(model.handle, &mut input, null_mut(), model.userdata()),
                0,
                "round {detached}"
            );
            assert_eq!(rkllm_is_running(model.handle), 1);
        }
        drop(text);
        model.heard.wait_for(|call| *call == Call::Finish);
        assert_eq!(model.heard.text(), "xy");
        model.heard.take();
    }
}

#[test]
fn is_async_makes_run_return_at_once() {
    let script = json!({"pieces": ["x"], "prefill_ms": 100});
    let model = Model::open_with(script, |param| param.is_async = 1).unwrap();
    assert_eq!(model.run(), 0);
    assert_eq!(model.heard.take(), []);
    model.heard.wait_for(|call| *call == Call::Finish);
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
        callback.result_userdata = (&raw const heard).cast_mut().cast();
        assert_eq!(rkllm_init(&mut handle, &mut param, &mut callback), 0);
        let mut input = RKLLMInput::zeroed();
        input.input.prompt_input = c"hello".as_ptr();
        assert_eq!(rkllm_run(handle, &mut input, null_mut(), null_mut()), 0);
        assert_eq!(rkllm_destroy(handle), 0);
    }
    assert_eq!(heard.take(), [normal("x", 1000), Call::Finish]);
    assert_eq!(file.recorded("destroy").len(), 1);
}

#[test]
fn scripts_break_the_rules() {
    let finish = |calls: &[Call]| calls.iter().filter(|call| **call == Call::Finish).count();
    for (run, status, finishes, calls) in [
        ("fail", -1, 0, 0),
        ("fail_after", -1, 0, 1),
        ("error", -1, 0, 1),
        ("error_after", -1, 0, 2),
        ("no_finish", 0, 0, 1),
        ("finish_twice", 0, 2, 3),
        ("finish_and_fail", -1, 1, 2),
    ] {
        let model = Model::open(json!({"pieces": ["x"], "run": run}));
        assert_eq!(model.run(), status, "{run}");
        let heard = model.heard.take();
        assert_eq!((heard.len(), finish(&heard)), (calls, finishes), "{run}");
    }
    let model = Model::open(json!({
        "pieces": [{"null": true}, {"hex": "ff", "raw": true}], "callback_thread": true
    }));
    assert_eq!(model.run(), 0);
    assert_eq!(
        model.heard.take(),
        [
            Call::Normal(None, 1000),
            normal("\u{fffd}", 1001),
            Call::Finish
        ]
    );
    assert_eq!(
        Model::open_with(json!({"init": "fail"}), |_| {}).err(),
        Some(-1)
    );
    assert!(Model::open(json!({"init": "null_handle"})).handle.is_null());
    assert_eq!(
        Model::open(json!({"init": "lie", "pieces": ["x"]})).run(),
        -1
    );
    let deaf = json!({"pieces": ["x"], "repeat": 0, "unlimited": true});
    let model = Model::open_with(deaf, |param| param.max_context_len = 4).unwrap();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| model.text("one two three four five", infer()));
        model
            .heard
            .wait_for(|call| matches!(call, Call::Normal(..)));
        // SAFETY: the handle is open.
        assert_eq!(unsafe { rkllm_abort(model.handle) }, 0);
        assert_eq!(run.join().unwrap(), 0);
    });
}

#[test]
fn what_is_not_there_says_so() {
    let model = Model::open(json!({}));
    // SAFETY: the handle is open; NULL is allowed for the rest.
    unsafe {
        assert_eq!(rkllm_load_lora(model.handle, null_mut()), -1);
        assert_eq!(rkllm_load_prompt_cache(model.handle, null()), -1);
        assert_eq!(rkllm_release_prompt_cache(model.handle), -1);
        assert_eq!(
            rkllm_set_function_tools(model.handle, null(), null(), null()),
            -1
        );
        assert_eq!(rkllm_set_cross_attn_params(model.handle, null_mut()), -1);
    }
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
        callback.result_userdata = (&raw const heard).cast_mut().cast();
        assert_eq!(rkllm_init(&mut handle, &mut param, &mut callback), 0);
        let mut input = RKLLMInput::zeroed();
        input.input.prompt_input = c"hello".as_ptr();
        *ANSWER.lock().unwrap() = 1;
        assert_eq!(rkllm_run(handle, &mut input, null_mut(), null_mut()), 0);
        assert_eq!(heard.take(), [normal("x", 1000)]);
        *ANSWER.lock().unwrap() = 2;
        assert_eq!(rkllm_run(handle, &mut input, null_mut(), null_mut()), 0);
        assert_eq!(heard.take().last(), Some(&Call::Finish));
        assert_eq!(rkllm_destroy(handle), 0);
    }
}

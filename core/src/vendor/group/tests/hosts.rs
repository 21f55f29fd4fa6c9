//! The callbacks of release 1.3.0, called as it would: results, the caller's tokenizer and embedding layer.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;

use super::fakes::driver;
use super::*;
use crate::vendor::abi::layout::Address;
use crate::vendor::abi::v1_3_0::{
    LLMGetEmbedCallback, LLMTokenizerCallback, RKLLM_RUN_NORMAL, RKLLMCallback, RKLLMInferParam,
    RKLLMInput, RKLLMParam, RKLLMResult,
};
use crate::vendor::{HostEmbedding, HostTokenizer, Mode};

thread_local! {
    static CALLBACKS: Cell<Option<RKLLMCallback>> = const { Cell::new(None) };
}

unsafe extern "C" fn init(
    handle: *mut *mut c_void,
    _: *mut RKLLMParam,
    callbacks: *mut RKLLMCallback,
) -> c_int {
    // SAFETY: as the driver gave them.
    unsafe {
        handle.write(handle.cast());
        CALLBACKS.set(Some(callbacks.read()));
    }
    0
}

/// Gives back what the result callback returned for a token with hidden states and logits.
unsafe extern "C" fn run(
    _: *mut c_void,
    _: *mut RKLLMInput,
    _: *mut RKLLMInferParam,
    userdata: *mut c_void,
) -> c_int {
    let numbers = [1.0, 2.0];
    let mut result = RKLLMResult::zeroed();
    result.last_hidden_layer.hidden_states = numbers.as_ptr();
    (
        result.last_hidden_layer.num_tokens,
        result.last_hidden_layer.embd_size,
    ) = (1, 2);
    result.logits.logits = numbers.as_ptr();
    (result.logits.num_tokens, result.logits.vocab_size) = (1, 2);
    let callback = CALLBACKS
        .get()
        .and_then(|callbacks| callbacks.result_callback);
    // SAFETY: the result and its numbers live, and there is one for the run's one input.
    unsafe { callback.unwrap()(&mut result, userdata, RKLLM_RUN_NORMAL) }
}

unsafe extern "C" fn destroy(_: *mut c_void) -> c_int {
    0
}

/// Opens a model; what the library was given.
fn open_with(params: &InitParams) -> (Box<dyn Session>, RKLLMCallback) {
    let functions: [(&CStr, Address); 3] = [
        (c"rkllm_init", init as *const () as Address),
        (c"rkllm_run", run as *const () as Address),
        (c"rkllm_destroy", destroy as *const () as Address),
    ];
    let opened = driver(Group::V1_3_0, &functions)
        .init(params)
        .expect("opens");
    (opened.session, CALLBACKS.get().expect("init was called"))
}

/// A token for each letter; fails and panics when told to.
#[derive(Debug)]
struct Letters;

impl HostTokenizer for Letters {
    fn tokenize(&self, text: &str) -> Result<Vec<i32>, String> {
        match text {
            "fail" => Err("it was told to".into()),
            "panic" => panic!("in the tokenizer"),
            _ => Ok(text.chars().map(|letter| letter as i32).collect()),
        }
    }
}

/// Each number of a row is the token, but for those asked for one number.
#[derive(Debug)]
struct Same;

impl HostEmbedding for Same {
    fn embed(&self, tokens: &[i32], width: usize) -> Result<Vec<f32>, String> {
        let width = if width == 1 { 2 } else { width };
        let rows = tokens.iter().flat_map(|token| vec![*token as f32; width]);
        Ok(rows.collect())
    }
}

fn both() -> InitParams {
    InitParams {
        tokenizer: Some(Arc::new(Letters)),
        embedding: Some(Arc::new(Same)),
        ..InitParams::default()
    }
}

fn tokenize(
    callback: LLMTokenizerCallback,
    userdata: *mut c_void,
    text: &[u8],
    room: i32,
) -> (c_int, Vec<i32>) {
    let mut ids = vec![-9; 8];
    let len = text.len() as i32;
    // SAFETY: the text is as long as said, and there is more room than said.
    let count = unsafe {
        let text = text.as_ptr().cast::<c_char>();
        callback.unwrap()(userdata, text, len, ids.as_mut_ptr(), room)
    };
    (count, ids)
}

#[test]
fn a_tokenizer_answers_within_its_room() {
    let (session, given) = open_with(&both());
    let (callback, userdata) = (given.tokenizer_callback, given.tokenizer_userdata);
    assert_eq!(
        tokenize(callback, userdata, b"ab", 8),
        (2, vec![97, 98, -9, -9, -9, -9, -9, -9])
    );
    assert_eq!(tokenize(callback, userdata, b"", 8).0, 0);
    assert!(session.last_error().is_none());
    for (text, room, why) in [
        (&b"abc"[..], 2, "3 ids, with room for 2"),
        (b"fail", 8, "it was told to"),
        (b"panic", 8, "panicked"),
        (b"\xff", 8, "the text"),
        (b"a", -1, "room for -1"),
    ] {
        let (count, ids) = tokenize(callback, userdata, text, room);
        assert!(count < 0 && ids == [-9; 8], "{count}");
        let error = session.last_error().unwrap();
        assert!(error.contains(why), "{error}");
    }
    // SAFETY: NULL is allowed.
    unsafe {
        let (null, ids) = (std::ptr::null(), std::ptr::null_mut());
        assert!(callback.unwrap()(userdata, null, 3, ids, 0) < 0);
        assert!(callback.unwrap()(userdata, null, -3, ids, 0) < 0);
        assert!(callback.unwrap()(userdata, c"a".as_ptr(), 1, ids, 8) < 0);
    }
    // When the model is gone there is no one to answer.
    drop(session);
    assert!(tokenize(callback, userdata, b"ab", 8).0 < 0);
}

fn embed(
    callback: LLMGetEmbedCallback,
    userdata: *mut c_void,
    tokens: u64,
    len: u64,
) -> (c_int, [f32; 6]) {
    let (mut ids, mut rows) = ([4, 5], [-1.0f32; 6]);
    // SAFETY: where sizes are right there are so many ids and numbers; others are not to be read.
    let status = unsafe {
        let rows = rows.as_mut_ptr().cast();
        callback.unwrap()(userdata, ids.as_mut_ptr(), tokens, rows, len)
    };
    (status, rows)
}

#[test]
fn embeddings_fill_the_buffer_or_leave_it() {
    let (session, given) = open_with(&both());
    let (callback, userdata) = (given.embed_callback, given.embed_userdata);
    assert_eq!(
        embed(callback, userdata, 2, 24),
        (0, [4.0, 4.0, 4.0, 5.0, 5.0, 5.0])
    );
    assert_eq!(embed(callback, userdata, 0, 0).0, 0);
    for (tokens, len) in [
        (2, 23),
        (2, 4),
        // The layer gives other numbers than these.
        (2, 8),
        (0, 8),
        (2, 0),
        (u64::MAX, 24),
        (2, u64::MAX),
        (u64::MAX / 4 + 1, u64::MAX),
    ] {
        let (status, rows) = embed(callback, userdata, tokens, len);
        assert!(status != 0 && rows == [-1.0; 6], "{tokens} {len}");
        assert!(session.last_error().is_some());
    }
    // SAFETY: NULL is allowed.
    unsafe {
        let (mut id, null) = (1, std::ptr::null_mut());
        assert!(callback.unwrap()(userdata, std::ptr::null_mut(), 1, null, 4) != 0);
        assert!(callback.unwrap()(userdata, &mut id, 1, null, 8) != 0);
    }
}

#[test]
fn a_model_without_them_has_no_callbacks() {
    let (_session, given) = open_with(&InitParams::default());
    assert!(given.result_callback.is_some());
    assert!(given.tokenizer_callback.is_none() && given.embed_callback.is_none());
    assert!(given.tokenizer_userdata.is_null() && given.embed_userdata.is_null());
    let only = InitParams {
        embedding: None,
        ..both()
    };
    let (_session, given) = open_with(&only);
    assert!(given.tokenizer_callback.is_some() && given.embed_callback.is_none());
}

#[test]
fn a_callback_says_whether_the_run_goes_on_and_frees_what_was_copied() {
    let (session, _) = open_with(&InitParams {
        max_context_len: 8,
        ..InitParams::default()
    });
    let (go_on, pause, release) = (0, 1, 2);
    for (mode, keep_history, flow, expected) in [
        (Mode::Generate, false, Flow::Go, go_on),
        (Mode::Generate, false, Flow::Pause, pause),
        (Mode::Generate, true, Flow::Pause, go_on),
        (Mode::Logits, false, Flow::Go, release),
        (Mode::Logits, false, Flow::Pause, pause),
        (Mode::HiddenStates, false, Flow::Go, release),
        (Mode::HiddenStates, true, Flow::Pause, release),
    ] {
        let asked = RunRequest {
            mode,
            keep_history,
            ..request(Input::Tokens(vec![1]))
        };
        let returned = session.run(&asked, &mut |_| flow);
        assert_eq!(returned, expected, "{mode:?} {keep_history} {flow:?}");
    }
}

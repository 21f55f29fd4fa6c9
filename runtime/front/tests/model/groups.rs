//! All groups: one model, one prompt, one text.

use crate::client::{Call, Client, Heard, Settings};
use crate::support::*;
use rkchat_runtime_front::abi::*;
use std::ffi::{CStr, CString};
use std::path::Path;

/// In the model's own template, so that groups that add one are told not to.
const STORY: &CStr =
    c"<|im_start|>user\nTell me a story about a fox.<|im_end|>\n<|im_start|>assistant\n";

/// A greedy answer to a finished prompt.
pub fn answer<C: Client>(client: &C, model: &Path, prompt: &CStr, max_new_tokens: i32) -> String {
    let model = CString::new(model.to_str().unwrap()).unwrap();
    let (status, handle) = client.open(Settings {
        max_context_len: 1024,
        max_new_tokens,
        ..Settings::new(&model)
    });
    assert_eq!(status, 0);
    let group = C::GROUP.name;
    let told = client.no_template(handle);
    assert_eq!(told, C::TEMPLATED.then_some(0), "{group}");
    let heard = Heard::default();
    assert_eq!(client.run(handle, prompt, &heard), 0);
    let text = heard.text();
    assert_eq!(heard.take().last(), Some(&Call::FINISH), "{group}");
    assert_eq!(client.destroy(handle), 0);
    text
}

/// The functions of an installed library.
macro_rules! functions {
    ($runtime:expr, $group:ident) => {{
        let library = library(&$runtime.join($group::GROUP.name).join("librkllmrt.so"));
        // SAFETY: the library belongs to the group and is never unloaded.
        unsafe { $group::Functions::load(|symbol| find(library, symbol)) }.unwrap()
    }};
}
pub(crate) use functions;

#[test]
fn a_finished_prompt_has_one_answer_in_every_group() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let answers = [
        answer(&functions!(runtime, v1_0_0), &path, STORY, 24),
        answer(&functions!(runtime, v1_0_1), &path, STORY, 24),
        answer(&functions!(runtime, v1_1_0), &path, STORY, 24),
        answer(&functions!(runtime, v1_2_0), &path, STORY, 24),
        answer(&functions!(runtime, v1_2_1b1), &path, STORY, 24),
        answer(&functions!(runtime, v1_2_1), &path, STORY, 24),
        answer(&functions!(runtime, v1_3_0), &path, STORY, 24),
    ];
    let words = answers[0].split_whitespace().count();
    assert!(words > 10, "{:?}", answers[0]);
    for (text, group) in answers.iter().zip(GROUPS) {
        assert_eq!(text, &answers[0], "group {}", group.name);
    }
}

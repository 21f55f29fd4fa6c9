//! What reaches a library where neither the scripted nor the CPU runtime looks: some of the scripted
//! library's functions are replaced by ones that read what they are given in the group's layout.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_void};

use serde_json::json;

use super::*;
use crate::vendor::abi::layout::Address;
use crate::vendor::abi::{v1_0_0, v1_0_1, v1_1_0, v1_2_1, v1_2_1b1, v1_3_0};
use crate::vendor::{CrossAttention, Driver, Images, Markers, Multimodal, Videos};

thread_local! {
    /// What the functions were given, in order; each test has its thread.
    static SEEN: RefCell<Vec<Json>> = const { RefCell::new(Vec::new()) };
    /// What a library may go on looking at.
    static CROSS: Cell<*const v1_2_1::RKLLMCrossAttnParam> = const { Cell::new(std::ptr::null()) };
}

fn see(call: Json) {
    SEEN.with_borrow_mut(|seen| seen.push(call));
}

fn seen() -> Vec<Json> {
    SEEN.take()
}

/// The driver of a group over its scripted library, but for the functions that are replaced.
pub(super) fn driver(group: Group, replaced: &[(&CStr, Address)]) -> Box<dyn Driver> {
    let path = runtime(&format!("scripted/{}", group.name()));
    // SAFETY: the scripted library's initialisers depend on nothing.
    let library = unsafe { libloading::Library::new(path) }.unwrap();
    // Its threads outlive what could unload it.
    let library = Box::leak(Box::new(library));
    let mut find = |symbol: &'static CStr| {
        if let Some((_, address)) = replaced.iter().find(|(name, _)| *name == symbol) {
            return Ok(*address);
        }
        // SAFETY: only the address is taken.
        let found = unsafe { library.get::<Address>(symbol.to_bytes()) };
        found
            .map(|address| *address)
            .map_err(|error| error.to_string())
    };
    // SAFETY: the library stays loaded and is of the group, and so are the replaced functions.
    unsafe { group.driver(&mut find, None) }.unwrap()
}

fn session(group: Group, replaced: &[(&CStr, Address)], params: &InitParams) -> Box<dyn Session> {
    driver(group, replaced).init(params).expect("opens").session
}

/// # Safety
/// `values` has `n` numbers.
unsafe fn floats(values: *const f32, n: usize) -> Json {
    // SAFETY: handed on from the caller.
    unsafe { std::slice::from_raw_parts(values, n) }.into()
}

/// # Safety
/// `text` is NUL-terminated.
unsafe fn string(text: *const c_char) -> Json {
    // SAFETY: handed on from the caller.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap().into()
}

/// What takes the place of the handle.
const HANDLE: *mut c_void = std::ptr::dangling_mut::<u64>().cast();

unsafe extern "C" fn destroy(_: *mut c_void) -> c_int {
    0
}

/// # Safety
/// There is what the driver gave, with four keys and values for each token.
unsafe fn encoder(params: *const v1_2_1::RKLLMCrossAttnParam) -> Json {
    // SAFETY: handed on from the caller.
    unsafe {
        let params = &*params;
        let n = usize::try_from(params.num_tokens).unwrap();
        json!({
            "keys": floats(params.encoder_k_cache, 4 * n),
            "values": floats(params.encoder_v_cache, 4 * n),
            "mask": floats(params.encoder_mask, n),
            "positions": std::slice::from_raw_parts(params.encoder_pos, n),
        })
    }
}

/// Takes what has no negative position, and looks at it ever after.
unsafe extern "C" fn cross(_: *mut c_void, params: *mut v1_2_1::RKLLMCrossAttnParam) -> c_int {
    // SAFETY: as the driver gave it.
    let (seen, first) = unsafe { (encoder(params), (*params).encoder_pos.read()) };
    see(seen);
    if first < 0 {
        return 1;
    }
    CROSS.set(params);
    0
}

/// `rkllm_init` and `rkllm_run` of a group; `pictures` reads its multimodal input.
macro_rules! fake {
    ($name:ident, $group:ident, $pictures:expr, $init:expr) => {
        mod $name {
            use super::*;

            pub unsafe extern "C" fn init(
                handle: *mut *mut c_void,
                param: *mut $group::RKLLMParam,
                _: *mut c_void,
            ) -> c_int {
                let describe: fn(&$group::RKLLMParam) -> Json = $init;
                // SAFETY: as the driver gave them.
                let param = unsafe {
                    handle.write(HANDLE);
                    &*param
                };
                see(describe(param));
                0
            }

            pub unsafe extern "C" fn run(
                _: *mut c_void,
                inputs: *mut $group::RKLLMInput,
                _: *mut $group::RKLLMInferParam,
                _: *mut c_void,
            ) -> c_int {
                let describe: fn(&$group::RKLLMInput) -> Json = $pictures;
                // SAFETY: the driver gives at least one input.
                let input = unsafe { &*inputs };
                assert_eq!(input.input_type, $group::RKLLM_INPUT_MULTIMODAL);
                see(describe(input));
                0
            }

            pub fn functions() -> [(&'static CStr, Address); 4] {
                [
                    (c"rkllm_init", init as *const () as Address),
                    (c"rkllm_run", run as *const () as Address),
                    (c"rkllm_destroy", destroy as *const () as Address),
                    (
                        c"rkllm_set_cross_attn_params",
                        cross as *const () as Address,
                    ),
                ]
            }
        }
    };
}

/// Describes images in the layout that has their sizes.
macro_rules! sized {
    ($group:ident) => {
        |input| {
            // SAFETY: the kind was checked; the tests give as many numbers as images and tokens, twice.
            unsafe {
                let images = input.input.multimodal_input;
                let n = images.n_image * images.n_image_tokens;
                json!({
                    "prompt": string(images.prompt),
                    "images": floats(images.image_embed, 2 * n),
                    "sizes": [images.n_image, images.n_image_tokens, images.image_width, images.image_height],
                })
            }
        }
    };
}

/// Describes what the groups since 1.2.1 have besides.
macro_rules! extended {
    () => {
        |param| {
            let extend = &param.extend_param;
            json!({"n_batch": extend.n_batch, "use_cross_attn": extend.use_cross_attn})
        }
    };
}

fake!(
    fake_v1_1_0,
    v1_1_0,
    |input| {
        // SAFETY: as above.
        unsafe {
            let image = input.input.multimodal_input;
            json!({
                "prompt": string(image.prompt),
                "images": floats(image.image_embed, 2 * image.n_image_tokens),
                "sizes": [image.n_image_tokens],
            })
        }
    },
    |_| json!(null)
);
fake!(fake_v1_2_1b1, v1_2_1b1, sized!(v1_2_1b1), |_| json!(null));
fake!(fake_v1_2_1, v1_2_1, sized!(v1_2_1), extended!());
fake!(
    fake_v1_3_0,
    v1_3_0,
    |input| {
        // SAFETY: as above.
        unsafe {
            let both = &input.input.multimodal_input;
            let (image, video) = (&both.image, &both.video);
            let n = video.n_video * video.n_frame_per_video * video.n_frame_tokens;
            let marks = [
                image.image_start,
                image.image_end,
                image.image_content,
                video.video_start,
                video.video_end,
                video.video_content,
            ];
            json!({
                "prompt": string(both.prompt),
                "images": floats(image.image_embed, 2 * image.n_image * image.n_image_tokens),
                "sizes": [image.n_image, image.n_image_tokens, image.image_width, image.image_height],
                "videos": if n == 0 { json!(null) } else { floats(video.video_embed, 2 * n) },
                "frames": [video.n_video, video.n_frame_per_video, video.n_frame_tokens, video.frame_width,
                           video.frame_height],
                "marks": marks.map(|mark| string(mark)),
            })
        }
    },
    extended!()
);

fn multimodal() -> Multimodal {
    let images = Images {
        values: (0..8).map(|value| value as f32).collect(),
        tokens: 2,
        count: 2,
        width: 28,
        height: 56,
        markers: Markers {
            start: "<i>".into(),
            end: "</i>".into(),
            content: "i".into(),
        },
    };
    Multimodal {
        prompt: "<image><image>?".into(),
        images: Some(images),
        videos: None,
    }
}

#[test]
fn images_are_in_each_layout() {
    let images = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    for (group, functions) in [
        (Group::V1_2_0, fake_v1_2_1b1::functions()),
        (Group::V1_2_1b1, fake_v1_2_1b1::functions()),
        (Group::V1_2_1, fake_v1_2_1::functions()),
        (Group::V1_3_0, fake_v1_3_0::functions()),
    ] {
        let model = session(group, &functions, &InitParams::default());
        let asked = request(Input::Multimodal(Box::new(multimodal())));
        assert_eq!(run_until(&*model, &asked, None).0, 0);
        let seen = &seen()[1];
        assert_eq!(seen["prompt"], "<image><image>?");
        assert_eq!(seen["images"], json!(images));
        assert_eq!(seen["sizes"], json!([2, 2, 28, 56]));
    }
    let model = session(
        Group::V1_1_0,
        &fake_v1_1_0::functions(),
        &InitParams::default(),
    );
    let one = Images {
        values: vec![1.0; 4],
        tokens: 2,
        count: 1,
        ..Images::default()
    };
    let asked = Multimodal {
        images: Some(one),
        ..multimodal()
    };
    run_until(&*model, &request(Input::Multimodal(Box::new(asked))), None);
    let seen = &seen()[1];
    assert_eq!(
        (&seen["images"], &seen["sizes"]),
        (&json!([1.0, 1.0, 1.0, 1.0]), &json!([2]))
    );
}

#[test]
fn videos_go_beside_images() {
    let model = session(
        Group::V1_3_0,
        &fake_v1_3_0::functions(),
        &InitParams::default(),
    );
    let videos = Videos {
        values: vec![0.5; 12],
        tokens: 1,
        frames: 3,
        count: 2,
        width: 14,
        height: 7,
        markers: Markers {
            start: "<v>".into(),
            end: "</v>".into(),
            content: "v".into(),
        },
    };
    let both = Multimodal {
        videos: Some(videos.clone()),
        ..multimodal()
    };
    let alone = Multimodal {
        images: None,
        ..both.clone()
    };
    for asked in [multimodal(), both, alone] {
        run_until(&*model, &request(Input::Multimodal(Box::new(asked))), None);
    }
    let seen = seen();
    let (images, both, alone) = (&seen[1], &seen[2], &seen[3]);
    assert_eq!(images["marks"], json!(["<i>", "</i>", "i", "", "", ""]));
    assert_eq!(images["videos"], json!(null));
    assert_eq!(
        both["marks"],
        json!(["<i>", "</i>", "i", "<v>", "</v>", "v"])
    );
    assert_eq!(both["videos"], json!(vec![0.5; 12]));
    assert_eq!(both["frames"], json!([2, 3, 1, 14, 7]));
    assert_eq!(both["sizes"], json!([2, 2, 28, 56]));
    assert_eq!(
        (&alone["sizes"], &alone["frames"]),
        (&json!([0, 0, 0, 0]), &both["frames"])
    );
}

#[test]
fn cross_attention_goes_in_and_stays() {
    let asked = InitParams {
        use_cross_attn: true,
        n_batch: Some(3),
        ..InitParams::default()
    };
    let output = |first: i32| CrossAttention {
        keys: (0..8).map(|value| value as f32).collect(),
        values: vec![2.5; 8],
        mask: vec![0.0, 1.0],
        positions: vec![first, 1],
    };
    for (group, functions) in [
        (Group::V1_2_1, fake_v1_2_1::functions()),
        (Group::V1_3_0, fake_v1_3_0::functions()),
    ] {
        let model = session(group, &functions, &asked);
        assert_eq!(model.set_cross_attention(output(0)), 0);
        // What the library refuses is refused, and what it has stays.
        assert_eq!(model.set_cross_attention(output(-1)), 1);
        let shorter = CrossAttention {
            mask: vec![1.0],
            ..output(0)
        };
        for wrong in [CrossAttention::default(), shorter] {
            assert_eq!(model.set_cross_attention(wrong), -1);
        }
        let seen = seen();
        assert_eq!(seen.len(), 3);
        assert_eq!(seen[0], json!({"n_batch": 3, "use_cross_attn": 1}));
        let (keys, values) = ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [2.5; 8]);
        let given =
            json!({"keys": keys, "values": values, "mask": [0.0, 1.0], "positions": [0, 1]});
        assert_eq!(seen[1], given);
        // SAFETY: the model is open, so what it was given last with success is there.
        assert_eq!(unsafe { encoder(CROSS.get()) }, given);
    }
}

unsafe extern "C" fn init_v1_0_0(
    handle: *mut *mut c_void,
    param: v1_0_0::RKLLMParam,
    _: v1_0_0::LLMResultCallback,
) -> c_int {
    see(json!({"cores": param.num_npu_core}));
    // SAFETY: as the driver gave it.
    unsafe { handle.write(HANDLE) };
    0
}

unsafe extern "C" fn init_v1_0_1(
    handle: *mut *mut c_void,
    param: v1_0_1::RKLLMParam,
    _: v1_0_1::LLMResultCallback,
) -> c_int {
    see(json!({"cores": param.num_npu_core, "gpu": param.use_gpu, "logprobs": param.logprobs}));
    // SAFETY: as the driver gave it.
    unsafe { handle.write(HANDLE) };
    0
}

#[test]
fn the_oldest_groups_are_told_the_processors() {
    let asked = InitParams {
        num_npu_core: Some(2),
        use_gpu: true,
        top_logprobs: Some(0),
        ..InitParams::default()
    };
    for (group, init, expected) in [
        (
            Group::V1_0_0,
            init_v1_0_0 as *const () as Address,
            json!({"cores": 2}),
        ),
        (
            Group::V1_0_1,
            init_v1_0_1 as *const () as Address,
            json!({"cores": 2, "gpu": 1, "logprobs": 1}),
        ),
    ] {
        let functions = [
            (c"rkllm_init", init),
            (c"rkllm_destroy", destroy as *const () as Address),
        ];
        drop(session(group, &functions, &asked));
        assert_eq!(seen(), [expected]);
    }
}

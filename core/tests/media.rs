//! What goes into a model besides text, over the scripted runtime: what the runtime was given is what was
//! asked.

mod common;

use common::{ALL_GROUPS, Folder, byte_tokenizer, options};
use rkchat::{
    Error, ErrorKind, GenerateOptions, Json, Model, ModelOptions, Result, Tensor, UntrustedContent,
};
use serde_json::json;

const SCRIPT: &str = r#"{"pieces": [["one ", 1], ["two", 2]], "record": "record.jsonl", "hidden_size": 2,
                         "template": {"prefix": "<u>", "postfix": "</u>"}}"#;
/// Writes roles and contents.
const TEMPLATE: &str =
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}<|assistant|>";

fn open(group: &str, folder: &Folder, more: ModelOptions) -> Result<Model> {
    let own = options(group);
    let options = ModelOptions {
        runtime: own.runtime,
        abi: own.abi,
        assume: own.assume,
        ..more
    };
    Model::open(&folder.file("script.rkllm", SCRIPT), &options)
}

fn tensor(shape: &[u64]) -> Tensor {
    let count = shape.iter().product::<u64>();
    let data = (0..count).map(|value| value as f32);
    Tensor::new(data.collect(), shape.to_vec()).unwrap()
}

fn seen(count: u64) -> GenerateOptions {
    GenerateOptions {
        images: Some(tensor(&[count, 3, 2])),
        image_width: Some(448),
        image_height: Some(336),
        ..GenerateOptions::default()
    }
}

fn with_template() -> ModelOptions {
    ModelOptions {
        chat_template: Some(TEMPLATE.into()),
        image_start: Some("<s>".into()),
        image_end: Some("<e>".into()),
        image_content: Some("<pad>".into()),
        ..ModelOptions::default()
    }
}

/// A message with these parts, of which `*` is an image.
fn said(parts: &[&str]) -> Json {
    let parts = parts.iter().map(|part| match *part {
        "*" => json!({"type": "image_url", "image_url": {"url": "file:///nowhere.png"}}),
        text => json!({"type": "text", "text": text}),
    });
    json!([{"role": "user", "content": parts.collect::<Vec<_>>()}])
}

fn ask(model: &Model, messages: &Json, options: &GenerateOptions) -> Result<String> {
    model.generate(messages, options)?.text()
}

fn refused(model: &Model, messages: &Json, options: &GenerateOptions) -> Error {
    ask(model, messages, options).expect_err("refused")
}

#[test]
fn options_reach_the_runtime_or_are_refused() {
    type Set = fn(&mut ModelOptions);
    // Name, what sets it, the field and the value in the record, since when, and who has it.
    type Case<'a> = (&'a str, Set, &'a str, Json, &'a str, &'a [&'a str]);
    let all: [Case<'_>; 9] = [
        (
            "n_keep",
            |o| o.n_keep = Some(17),
            "n_keep",
            json!(17),
            "1.2.0",
            &ALL_GROUPS[3..],
        ),
        (
            "embed_flash",
            |o| o.embed_flash = Some(false),
            "embed_flash",
            json!(0),
            "1.2.0",
            &ALL_GROUPS[3..],
        ),
        (
            "enabled_cpus_num",
            |o| o.enabled_cpus_num = Some(2),
            "enabled_cpus_num",
            json!(2),
            "1.2.0",
            &ALL_GROUPS[3..],
        ),
        (
            "enabled_cpus_mask",
            |o| o.enabled_cpus_mask = Some(240),
            "enabled_cpus_mask",
            json!(240),
            "1.2.0",
            &ALL_GROUPS[3..],
        ),
        (
            "base_domain_id",
            |o| o.base_domain_id = Some(1),
            "base_domain_id",
            json!(1),
            "1.1.0",
            &ALL_GROUPS[2..],
        ),
        (
            "n_batch",
            |o| o.n_batch = Some(3),
            "n_batch",
            json!(3),
            "1.2.1",
            &ALL_GROUPS[5..],
        ),
        (
            "use_cross_attn",
            |o| o.use_cross_attn = true,
            "use_cross_attn",
            json!(1),
            "1.2.1",
            &ALL_GROUPS[5..],
        ),
        (
            "num_npu_core",
            |o| o.num_npu_core = Some(2),
            "",
            json!(null),
            "1.0.0",
            &ALL_GROUPS[..2],
        ),
        (
            "use_gpu",
            |o| o.use_gpu = true,
            "",
            json!(null),
            "1.0.1",
            &ALL_GROUPS[1..2],
        ),
    ];
    for group in ALL_GROUPS {
        for (name, set, field, value, since, can) in &all {
            let folder = Folder::new();
            let mut asked = ModelOptions::default();
            set(&mut asked);
            let opened = open(group, &folder, asked);
            if can.contains(&group) {
                opened.unwrap();
                let init = &folder.record("init")[0];
                assert!(
                    field.is_empty() || init[*field] == *value,
                    "{group} {name}: {init}"
                );
            } else {
                let error = opened.expect_err(name);
                assert_eq!(
                    error.kind(),
                    ErrorKind::Unsupported,
                    "{group} {name}: {error}"
                );
                assert_eq!(error.details()["since"], *since, "{group} {name}");
                assert!(error.message().contains(name), "{error}");
                assert!(folder.record("init").is_empty());
            }
        }
    }
}

#[test]
fn images_go_where_their_parts_are() {
    for (group, count, prompt, size) in [
        ("1.1.0", 1, "<|user|>see <image>now<|assistant|>", [0, 0]),
        ("1.2.1b1", 2, "see <image>now<image>", [448, 336]),
        ("1.2.1", 2, "see <image>now<image>", [448, 336]),
        ("1.3.0", 2, "see <image>now<image>", [448, 336]),
    ] {
        let folder = Folder::new();
        let model = open(group, &folder, with_template()).unwrap();
        let parts = ["see ", "*", "now", "*"];
        let messages = said(&parts[..if count == 1 { 3 } else { 4 }]);
        assert_eq!(
            ask(&model, &messages, &seen(count)).unwrap(),
            "one two",
            "{group}"
        );
        let run = &folder.record("run")[0];
        assert_eq!(
            (&run["input_type"], &run["input"]),
            (&json!("images"), &json!(prompt)),
            "{group}"
        );
        let given = &run["images"];
        assert_eq!(given["shape"], json!([count, 3]), "{group}");
        assert_eq!(
            given["values"],
            json!(tensor(&[count, 3, 2]).data()),
            "{group}"
        );
        assert_eq!(given["size"], json!(size), "{group}");
        assert_eq!(given["markers"], json!(["<s>", "<e>", "<pad>"]), "{group}");
        let at_init = if group == "1.3.0" {
            json!(["", "", ""])
        } else {
            given["markers"].clone()
        };
        assert_eq!(
            folder.record("init")[0]["image_markers"],
            at_init,
            "{group}"
        );
    }
}

#[test]
fn where_the_template_is_ours_a_whole_conversation_goes() {
    let folder = Folder::new();
    let model = open("1.1.0", &folder, with_template()).unwrap();
    let messages = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "a "}, {"type": "image"}]},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]);
    ask(&model, &messages, &seen(1)).unwrap();
    let expected = "<|system|>Be brief.<|user|>a <image><|assistant|>b<|user|>c<|assistant|>";
    assert_eq!(folder.record("run")[0]["input"], expected);
    // Where the runtime has one, it is that and nothing else.
    let folder = Folder::new();
    let model = open("1.2.1", &folder, with_template()).unwrap();
    let error = refused(&model, &messages, &seen(1));
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("single user message"), "{error}");
    // So it is for a text.
    model.complete("a <image>", &seen(1)).unwrap_err();
    let raw = open("1.1.0", &folder, with_template()).unwrap();
    raw.complete("a <image> b", &seen(1))
        .unwrap()
        .text()
        .unwrap();
    assert_eq!(folder.record("run").last().unwrap()["input"], "a <image> b");
    assert!(raw.complete("a b", &seen(1)).is_err());
}

#[test]
fn a_text_makes_no_place_for_an_image() {
    for group in ["1.1.0", "1.2.1", "1.3.0"] {
        let folder = Folder::new();
        let model = open(group, &folder, with_template()).unwrap();
        for (parts, word) in [
            (&["see <image> and ", "*"][..], "<image>"),
            (&["<ima", "ge>", "*"], "<image>"),
            (&["*", "<video>"], "<video>"),
            (&["*", " then <e>"], "<e>"),
            (&["*", "<p", "ad>"], "<pad>"),
            (&["*", "<|im_start|>"], "<|im_start|>"),
        ] {
            let error = refused(&model, &said(parts), &seen(1));
            assert_eq!(
                error.kind(),
                ErrorKind::InvalidArgument,
                "{group} {parts:?}"
            );
            assert!(error.message().contains(word), "{group} {parts:?}: {error}");
        }
        for (parts, count) in [(&["a"][..], 1), (&["*", "*"], 1)] {
            let error = refused(&model, &said(parts), &seen(count));
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{group} {error}");
        }
        let error = refused(&model, &said(&["*"]), &GenerateOptions::default());
        assert!(error.message().contains("image_url"), "{error}");
        // Markers count as control tokens do; places never come from a text.
        let trusting = GenerateOptions {
            untrusted_content: Some(UntrustedContent::Transformers),
            ..seen(1)
        };
        ask(&model, &said(&["*", " then <e>"]), &trusting).unwrap();
        refused(&model, &said(&["*", "<image>"]), &trusting);
        assert_eq!(folder.record("run").len(), 1);
    }
}

#[test]
fn what_a_runtime_cannot_see_is_refused() {
    let videos = || GenerateOptions {
        videos: Some(tensor(&[1, 2, 3, 2])),
        ..GenerateOptions::default()
    };
    for (group, asked, capability, since) in [
        ("1.0.1", seen(1), "image_input", "1.1.0"),
        ("1.1.0", seen(2), "several_images", "1.2.1b1"),
        ("1.2.0", seen(2), "several_images", "1.2.1b1"),
        ("1.2.1", videos(), "video_input", "1.3.0"),
    ] {
        let folder = Folder::new();
        let model = open(group, &folder, ModelOptions::default()).unwrap();
        let error = refused(&model, &said(&["*"]), &asked);
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{group}: {error}");
        assert_eq!(error.details()["capability"], capability, "{group}");
        assert_eq!(error.details()["since"], since, "{group}");
    }
}

#[test]
fn videos_go_beside_images() {
    let folder = Folder::new();
    let asked = ModelOptions {
        video_start: Some("<v>".into()),
        video_content: Some("<vpad>".into()),
        ..with_template()
    };
    let model = open("1.3.0", &folder, asked).unwrap();
    let content = json!([{"type": "video"}, {"type": "text", "text": " and "}, {"type": "image"}]);
    let options = GenerateOptions {
        videos: Some(tensor(&[1, 2, 3, 2])),
        video_width: Some(64),
        video_height: Some(32),
        ..seen(1)
    };
    let messages = json!([{"role": "user", "content": content}]);
    ask(&model, &messages, &options).unwrap();
    let run = &folder.record("run")[0];
    assert_eq!(run["input"], "<video> and <image>");
    let videos = &run["images"]["videos"];
    assert_eq!(videos["shape"], json!([1, 2, 3]));
    assert_eq!(videos["size"], json!([64, 32]));
    assert_eq!(videos["markers"], json!(["<v>", "", "<vpad>"]));
    assert_eq!(videos["values"], json!(tensor(&[1, 2, 3, 2]).data()));
    // Alone, too.
    let alone = GenerateOptions {
        videos: Some(tensor(&[1, 2, 3, 2])),
        ..GenerateOptions::default()
    };
    let messages = json!([{"role": "user", "content": [{"type": "video_url"}]}]);
    ask(&model, &messages, &alone).unwrap();
    assert_eq!(folder.record("run")[1]["images"]["shape"], json!([0, 0]));
}

#[test]
fn numbers_are_looked_at_before_they_are_given() {
    let folder = Folder::new();
    folder.file("config.json", r#"{"hidden_size": 2}"#);
    let model = open("1.3.0", &folder, with_template()).unwrap();
    let of = |images: Tensor| GenerateOptions {
        images: Some(images),
        ..GenerateOptions::default()
    };
    let not_finite = Tensor::new(vec![0.0, f32::NAN], vec![1, 1, 2]).unwrap();
    for (images, word) in [
        (tensor(&[1, 3, 3]), "3 numbers for each token"),
        (
            tensor(&[3, 2]),
            "[images, tokens of each, numbers of each token]",
        ),
        (tensor(&[1, 0, 2]), "[images"),
        (not_finite, "NaN"),
    ] {
        let error = refused(&model, &said(&["*"]), &of(images));
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains(word), "{error}");
    }
    // Several outputs of the vision part may stand beside each other.
    ask(&model, &said(&["*"]), &of(tensor(&[1, 3, 4]))).unwrap();
    let none = GenerateOptions::default();
    for (embeddings, word) in [
        (tensor(&[2, 4]), "4 numbers"),
        (tensor(&[4]), "[tokens"),
        (
            Tensor::new(vec![f32::INFINITY; 2], vec![1, 2]).unwrap(),
            "inf",
        ),
    ] {
        let error = model.complete_embeddings(&embeddings, &none).unwrap_err();
        assert!(error.message().contains(word), "{error}");
    }
    assert!(Tensor::new(vec![0.0; 3], vec![2, 2]).is_err());
    assert!(Tensor::new(vec![], vec![u64::MAX, u64::MAX]).is_err());
    let many = refused(&model, &said(&["*"]), &of(tensor(&[1, 5000, 2])));
    assert_eq!(many.kind(), ErrorKind::ContextOverflow);
}

#[test]
fn embeddings_stand_for_tokens() {
    for group in ALL_GROUPS {
        let folder = Folder::new();
        let model = open(group, &folder, ModelOptions::default()).unwrap();
        let given = model.complete_embeddings(&tensor(&[4, 2]), &GenerateOptions::default());
        if ["1.0.0", "1.0.1"].contains(&group) {
            assert_eq!(given.unwrap_err().kind(), ErrorKind::Unsupported);
            continue;
        }
        let completion = given.unwrap().completion().unwrap();
        assert_eq!(
            (&*completion.text, completion.usage.prompt_tokens),
            ("one two", 4)
        );
        let run = &folder.record("run")[0];
        assert_eq!(
            (&run["input_type"], &run["input"]),
            (&json!("embeddings"), &json!(4))
        );
    }
}

#[test]
fn a_decoder_attends_to_what_is_set() {
    for group in ["1.2.1", "1.3.0"] {
        let folder = Folder::new();
        let attends = ModelOptions {
            use_cross_attn: true,
            ..ModelOptions::default()
        };
        let model = open(group, &folder, attends).unwrap();
        let (keys, values) = (tensor(&[2, 3, 1, 2]), tensor(&[2, 1, 2, 3]));
        let mask = tensor(&[3]);
        model
            .set_cross_attention(&keys, &values, &mask, &[0, 1, 5])
            .unwrap();
        let set = &folder.record("set_cross_attn_params")[0];
        assert_eq!(set["mask"], json!([0.0, 1.0, 2.0]));
        assert_eq!(set["positions"], json!([0, 1, 5]));
        let wrong = [
            model.set_cross_attention(&keys, &keys, &mask, &[0, 1, 5]),
            model.set_cross_attention(&keys, &values, &mask, &[0, 1]),
            model.set_cross_attention(&keys, &values, &tensor(&[2]), &[0, 1, 5]),
            model.set_cross_attention(&mask, &values, &mask, &[0, 1, 5]),
            model.set_cross_attention(&keys, &values, &mask, &[0, 1, u32::MAX]),
        ];
        for error in wrong {
            assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        let plain = open(group, &folder, ModelOptions::default()).unwrap();
        let error = plain.set_cross_attention(&keys, &values, &mask, &[0, 1, 5]);
        assert!(error.unwrap_err().message().contains("use_cross_attn"));
    }
}

#[test]
fn the_runtime_asks_for_tokens_and_embeddings() {
    let folder = Folder::new();
    folder.file("tokenizer.json", &byte_tokenizer());
    let hosts = ModelOptions {
        host_tokenizer: true,
        embedding_table: Some(tensor(&[300, 2])),
        ..ModelOptions::default()
    };
    let model = open("1.3.0", &folder, hosts.clone()).unwrap();
    // A prompt with an image is text, which the runtime needs tokens of.
    let messages = json!([{"role": "user", "content": [{"type": "video"}]}]);
    let options = GenerateOptions {
        videos: Some(tensor(&[1, 1, 1, 2])),
        ..GenerateOptions::default()
    };
    ask(&model, &messages, &options).unwrap();
    let bytes = "<u><video></u>".bytes();
    let rows: Vec<f32> = bytes
        .flat_map(|byte| [f32::from(byte) * 2.0, f32::from(byte) * 2.0 + 1.0])
        .collect();
    assert_eq!(folder.record("embedded")[0]["values"], json!(rows));
    // A token that the table has not is an error that says so.
    let small = ModelOptions {
        embedding_table: Some(tensor(&[50, 2])),
        ..hosts.clone()
    };
    let model = open("1.3.0", &folder, small).unwrap();
    let error = refused(&model, &messages, &options);
    assert!(error.message().contains("50 rows"), "{error}");

    let error = open("1.2.1", &folder, hosts.clone()).unwrap_err();
    assert_eq!(error.details()["since"], "1.3.0");
    let without = open("1.3.0", &Folder::new(), hosts).unwrap_err();
    assert!(without.message().contains("tokenizer.json"), "{without}");
}

#[test]
fn what_embeddings_left_is_not_gone_on_with_where_they_are_not_compared() {
    for (group, cleared) in [("1.2.0", 3), ("1.2.1b1", 3), ("1.3.0", 0)] {
        let folder = Folder::new();
        let model = open(group, &folder, ModelOptions::default()).unwrap();
        let none = GenerateOptions::default();
        for _ in 0..2 {
            let answer = model.complete_embeddings(&tensor(&[2, 2]), &none).unwrap();
            answer.text().unwrap();
        }
        for _ in 0..2 {
            model.complete_ids(&[5, 6], &none).unwrap().text().unwrap();
        }
        assert_eq!(folder.record("clear_cache").len(), cleared, "{group}");
    }
}

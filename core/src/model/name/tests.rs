//! Names in the manner of those that people give converted models.

use super::{Name, read};

/// What is read from a name, on one line: base, then what else is told.
fn line(name: &Name) -> String {
    let mut parts = vec![name.base.clone()];
    parts.extend(name.platforms.iter().map(|one| (*one).to_owned()));
    parts.extend(name.quantisations.iter().cloned());
    parts.extend(name.versions.iter().map(|one| format!("v{one}")));
    parts.extend(name.hybrid_ratio.map(|one| format!("hybrid {one}")));
    parts.extend(name.optimisation.map(|one| format!("opt {one}")));
    parts.extend(name.context.map(|one| format!("ctx {one}")));
    parts.extend(name.parameters.map(|one| format!("{}M", one / 1e6)));
    parts.join(" | ")
}

const NAMES: &[(&str, &str)] = &[
    // {base}-{platform}-{qtype}-opt-{0|1}-hybrid-ratio-{x}
    (
        "gemma-2-9b-it-RK3588-w8a8-opt-0-hybrid-ratio-0.0",
        "gemma-2-9b-it | RK3588 | w8a8 | hybrid 0 | opt 0 | 9000M",
    ),
    (
        "gemma-2-9b-it-rk3588-w8a8-opt-1-hybrid-ratio-0.5",
        "gemma-2-9b-it | RK3588 | w8a8 | hybrid 0.5 | opt 1 | 9000M",
    ),
    (
        "Qwen2.5-3B-Instruct-rk3588-w8a8_g128-opt-1-hybrid-ratio-1.0",
        "Qwen2.5-3B-Instruct | RK3588 | w8a8_g128 | hybrid 1 | opt 1 | 3000M",
    ),
    (
        "Llama-3.2-1B-Instruct-rk3576-w4a16_g32-opt-0-hybrid-ratio-0.25",
        "Llama-3.2-1B-Instruct | RK3576 | w4a16_g32 | hybrid 0.25 | opt 0 | 1000M",
    ),
    (
        "gemma-2-9b-it-RK3588-1.1.2",
        "gemma-2-9b-it | RK3588 | v1.1.2 | 9000M",
    ),
    (
        "gemma-3-1b-it-rk3588-1.2.1",
        "gemma-3-1b-it | RK3588 | v1.2.1 | 1000M",
    ),
    (
        "Qwen2.5-7B-Instruct-RK3588-1.1.4",
        "Qwen2.5-7B-Instruct | RK3588 | v1.1.4 | 7000M",
    ),
    (
        "Qwen3-0.6B-rk3588-v1.2.0-w8a8",
        "Qwen3-0.6B | RK3588 | w8a8 | v1.2.0 | 600M",
    ),
    (
        "Qwen3-4B-v1.2.0-rk3588-w8a8",
        "Qwen3-4B | RK3588 | w8a8 | v1.2.0 | 4000M",
    ),
    (
        "DeepSeek-R1-Distill-Qwen-1.5B-v1.1.4-",
        "DeepSeek-R1-Distill-Qwen-1.5B | v1.1.4 | 1500M",
    ),
    (
        "Qwen3-1.7B_w8a8_g128_rk3588",
        "Qwen3-1.7B | RK3588 | w8a8_g128 | 1700M",
    ),
    (
        "Qwen3-1.7B_W8A8_RK3588",
        "Qwen3-1.7B | RK3588 | w8a8 | 1700M",
    ),
    (
        "qwen3-1.7b-w8a8-g256-rk3588",
        "qwen3-1.7b | RK3588 | w8a8_g256 | 1700M",
    ),
    (
        "Qwen3_4B_w8a8g512_rk3588",
        "Qwen3_4B | RK3588 | w8a8_g512 | 4000M",
    ),
    (
        "Qwen3-VL-2B-Instruct-rk3588-ctx4096",
        "Qwen3-VL-2B-Instruct | RK3588 | ctx 4096 | 2000M",
    ),
    (
        "qwen2.5-vl-3b-w8a8_level1_rk3588",
        "qwen2.5-vl-3b | RK3588 | w8a8 | 3000M",
    ),
    (
        "Qwen3-4B-Instruct-2507-RK3588-ctx16k",
        "Qwen3-4B-Instruct-2507 | RK3588 | ctx 16384 | 4000M",
    ),
    (
        "model_w8a8_rk3588_ctx8192",
        "model | RK3588 | w8a8 | ctx 8192",
    ),
    (
        "phi-3-mini-4k-instruct_w8a8_rk3588",
        "phi-3-mini-4k-instruct | RK3588 | w8a8",
    ),
    (
        "Phi-3.5-mini-instruct_rk3588_w8a8_opt1",
        "Phi-3.5-mini-instruct | RK3588 | w8a8 | opt 1",
    ),
    (
        "internlm2-chat-1_8b-rk3588-w8a8",
        "internlm2-chat-1_8b | RK3588 | w8a8 | 1800M",
    ),
    (
        "internlm2_5-1_8b-chat-rk3588-1.1.1",
        "internlm2_5-1_8b-chat | RK3588 | v1.1.1 | 1800M",
    ),
    (
        "Qwen2-1_5B-Instruct_rk3576_w4a16",
        "Qwen2-1_5B-Instruct | RK3576 | w4a16 | 1500M",
    ),
    (
        "chatglm3-6b-rk3588-w8a8-opt-1",
        "chatglm3-6b | RK3588 | w8a8 | opt 1 | 6000M",
    ),
    (
        "MiniCPM4-0.5B-rk3562-w4a16_g64",
        "MiniCPM4-0.5B | RK3562 | w4a16_g64 | 500M",
    ),
    (
        "MiniCPM4-0.5B_RK3562_w4a8_g32",
        "MiniCPM4-0.5B | RK3562 | w4a8_g32 | 500M",
    ),
    (
        "SmolLM2-135M-Instruct-rv1126b-w4a16",
        "SmolLM2-135M-Instruct | RV1126B | w4a16 | 135M",
    ),
    (
        "SmolLM3-3B-rk3588-1.2.2",
        "SmolLM3-3B | RK3588 | v1.2.2 | 3000M",
    ),
    (
        "TinyLlama-1.1B-Chat-v1.0-rk3588",
        "TinyLlama-1.1B-Chat-v1.0 | RK3588 | 1100M",
    ),
    (
        "TinyLlama-1.1B-Chat-v1.0-RK3588-1.1.4",
        "TinyLlama-1.1B-Chat-v1.0 | RK3588 | v1.1.4 | 1100M",
    ),
    (
        "TeleChat2-3B_w8a8_rk3588",
        "TeleChat2-3B | RK3588 | w8a8 | 3000M",
    ),
    (
        "rwkv7-g1-1.5b-rk3588-w8a8",
        "rwkv7-g1-1.5b | RK3588 | w8a8 | 1500M",
    ),
    (
        "Llama-2-7b-chat-hf-RK3588-1.0.1",
        "Llama-2-7b-chat-hf | RK3588 | v1.0.1 | 7000M",
    ),
    (
        "Meta-Llama-3-8B-Instruct_RK3588_w8a8",
        "Meta-Llama-3-8B-Instruct | RK3588 | w8a8 | 8000M",
    ),
    (
        "rk3588-qwen2.5-3b-w8a8",
        "qwen2.5-3b | RK3588 | w8a8 | 3000M",
    ),
    (
        "RK3588_w8a8_qwen2.5_3b",
        "qwen2.5_3b | RK3588 | w8a8 | 3000M",
    ),
    ("qwen2.5-3b-rk3588s", "qwen2.5-3b | RK3588 | 3000M"),
    (
        "qwen2.5-3b-rk3588-rk3576",
        "qwen2.5-3b | RK3588 | RK3576 | 3000M",
    ),
    (
        "gemma-2-2b-it-rkllm-1.1.0",
        "gemma-2-2b-it | v1.1.0 | 2000M",
    ),
    (
        "gemma-2-2b-it-rkllm-toolkit-1.1.4",
        "gemma-2-2b-it | v1.1.4 | 2000M",
    ),
    (
        "gemma-2-2b-it-toolkit1.2.0",
        "gemma-2-2b-it | v1.2.0 | 2000M",
    ),
    (
        "gemma-2-2b-it-runtime-v1.2.1b1",
        "gemma-2-2b-it | v1.2.1b1 | 2000M",
    ),
    (
        "gemma-2-2b-it-RK3588-1.0.2-beta",
        "gemma-2-2b-it | RK3588 | v1.0.2 | 2000M",
    ),
    ("gemma-2-2b-it_v1.3.0", "gemma-2-2b-it | v1.3.0 | 2000M"),
    (
        "gemma-2-2b-it-rk3588-2.0.0",
        "gemma-2-2b-it | RK3588 | v2.0.0 | 2000M",
    ),
    (
        "qwen2.5-0.5b-fp16-rk3588",
        "qwen2.5-0.5b | RK3588 | fp16 | 500M",
    ),
    (
        "SmolLM2-135M-Instruct.Q4_1",
        "SmolLM2-135M-Instruct | q4_1 | 135M",
    ),
    ("gemma-3-270m-it-Q4_K_M", "gemma-3-270m-it | q4_k_m | 270M"),
    ("Qwen3-0.6B-UD-IQ2_XXS", "Qwen3-0.6B-UD | iq2_xxs | 600M"),
    ("Qwen3-0.6B-BF16", "Qwen3-0.6B | bf16 | 600M"),
    // What looks like something and is not.
    (
        "dolphin-2.9.1-llama-3-8b",
        "dolphin-2.9.1-llama-3-8b | 8000M",
    ),
    ("opt-125m-rk3588", "opt-125m | RK3588 | 125M"),
    ("opt-1.3b-rk3588-opt-1", "opt-1.3b | RK3588 | opt 1 | 1300M"),
    (
        "Mistral-7B-Instruct-v0.3",
        "Mistral-7B-Instruct-v0.3 | 7000M",
    ),
    ("Mixtral-8x7B", "Mixtral-8x7B"),
    ("gemma-3n-E2B-it", "gemma-3n-E2B-it"),
    ("hybrid-model-7b", "hybrid-model-7b | 7000M"),
    ("model-hybrid-ratio-7", "model-hybrid-ratio-7"),
    ("w8a8g100_model", "w8a8g100_model"),
    ("w8a8_g100_model", "g100_model | w8a8"),
    ("rk3568-model", "rk3568-model"),
    (
        "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
        "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
    ),
    ("192.168.1.10", "192.168.1.10"),
    ("model", "model"),
    ("模型-7B-rk3588", "模型-7B | RK3588 | 7000M"),
    ("", ""),
    ("---", ""),
    ("rk3588", " | RK3588"),
];

#[test]
fn names_tell_what_was_done_to_a_model() {
    assert!(NAMES.len() >= 60);
    let wrong: Vec<String> = NAMES
        .iter()
        .map(|(name, expected)| (name, expected, line(&read(name))))
        .filter(|(_, expected, found)| found != *expected)
        .map(|(name, expected, found)| format!("{name}: {found}, expected {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn case_and_separators_do_not_matter() {
    for (name, expected) in NAMES {
        let expected = expected.to_lowercase();
        for name in [name.to_lowercase(), name.to_uppercase()] {
            let found = line(&read(&name)).to_lowercase();
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn any_text_is_a_name() {
    let parts = [
        "rk3588", "w8a8", "g128", "1.2.1", "opt", "1", "hybrid", "-", "_", ".", "é", "ctx", "9b",
        "q4", "k",
    ];
    // All sequences of four.
    for number in 0..parts.len().pow(4) {
        let mut rest = number;
        let mut name = String::new();
        for _ in 0..4 {
            name.push_str(parts[rest % parts.len()]);
            rest /= parts.len();
        }
        read(&name);
    }
    read(&"w8a8_g128-".repeat(10_000));
    read(&"1.".repeat(10_000));
}

//! The list of families.

use super::Family;
use super::control::*;

macro_rules! families {
    ($($id:literal $name:literal $template:literal $house:literal, bos $bos:expr, eos $eos:literal $ends:expr,
        types $types:expr, marks $marks:expr, control $control:expr,
        verified $verified:literal;)*) => {
        /// The list.
        pub const FAMILIES: &[Family] = &[$(Family {
            id: $id,
            name: $name,
            template: include_str!($template),
            bos: $bos,
            eos: $eos,
            ends: &$ends,
            verified: $verified,
            types: &$types,
            marks: &$marks,
            control: $control,
            house: $house,
        }),*];
    };
}

families! {
    "llama2" "Llama 2" "llama2.jinja" "llama2", bos Some("<s>"), eos "</s>" [],
        types ["llama"], marks ["<s>", "</s>"],
        control LLAMA2, verified true;
    "llama3" "Llama 3" "llama3.jinja" "llama3", bos Some("<|begin_of_text|>"), eos "<|eot_id|>" ["<|end_of_text|>"],
        types ["llama"], marks ["<|begin_of_text|>", "<|start_header_id|>", "<|eot_id|>"],
        control LLAMA3, verified true;
    "llama3.1" "Llama 3.1" "llama3_1.jinja" "llama3", bos Some("<|begin_of_text|>"),
        eos "<|eot_id|>" ["<|end_of_text|>", "<|eom_id|>"],
        types ["llama"], marks ["<|begin_of_text|>", "<|start_header_id|>", "<|eot_id|>"],
        control LLAMA3, verified true;
    "llama3.2" "Llama 3.2" "llama3_2.jinja" "llama3", bos Some("<|begin_of_text|>"),
        eos "<|eot_id|>" ["<|end_of_text|>", "<|eom_id|>"],
        types ["llama", "mllama"], marks ["<|begin_of_text|>", "<|start_header_id|>", "<|eot_id|>"],
        control LLAMA3, verified true;
    "tinyllama" "TinyLlama" "tinyllama.jinja" "llama2", bos Some("<s>"), eos "</s>" [],
        types ["llama"], marks ["<s>", "</s>"],
        control TINYLLAMA, verified true;
    "qwen2" "Qwen 1.5 and 2" "qwen2.jinja" "qwen", bos None, eos "<|im_end|>" ["<|endoftext|>"],
        types ["qwen2", "qwen2_moe", "qwen2_vl", "qwen2_5_vl"], marks ["<|im_start|>", "<|im_end|>", "<|endoftext|>"],
        control QWEN, verified true;
    "qwen2.5" "Qwen 2.5" "qwen2_5.jinja" "qwen", bos None, eos "<|im_end|>" ["<|endoftext|>"],
        types ["qwen2"], marks ["<|im_start|>", "<|im_end|>", "<|endoftext|>"],
        control QWEN, verified true;
    "qwen3" "Qwen 3" "qwen3.jinja" "qwen", bos None, eos "<|im_end|>" ["<|endoftext|>"],
        types ["qwen3", "qwen3_moe"], marks ["<|im_start|>", "<|im_end|>", "<|endoftext|>"],
        control QWEN, verified true;
    "qwen3-instruct" "Qwen 3 Instruct" "qwen3_instruct.jinja" "qwen", bos None, eos "<|im_end|>" ["<|endoftext|>"],
        types ["qwen3", "qwen3_moe"], marks ["<|im_start|>", "<|im_end|>", "<|endoftext|>"],
        control QWEN, verified true;
    "qwen3-vl" "Qwen3-VL" "qwen3_vl.jinja" "qwen", bos None, eos "<|im_end|>" ["<|endoftext|>"],
        types ["qwen3_vl", "qwen3_vl_moe"], marks ["<|im_start|>", "<|im_end|>", "<|endoftext|>"],
        control QWEN, verified true;
    "qwen3-thinking" "Qwen 3 Thinking" "qwen3_thinking.jinja" "qwen", bos None, eos "<|im_end|>" ["<|endoftext|>"],
        types ["qwen3", "qwen3_moe"], marks ["<|im_start|>", "<|im_end|>", "<|endoftext|>"],
        control QWEN, verified true;
    "phi2" "Phi-2" "phi2.jinja" "phi2", bos None, eos "<|endoftext|>" ["\nInstruct:"],
        types ["phi", "phi-msft"], marks ["<|endoftext|>"],
        control PHI2, verified false;
    "phi3" "Phi-3" "phi3.jinja" "phi3", bos Some("<s>"), eos "<|endoftext|>" ["<|end|>"],
        types ["phi3", "phi3_v"], marks ["<|end|>", "<|user|>", "<|assistant|>", "<s>"],
        control PHI3, verified true;
    "chatglm3" "ChatGLM3" "chatglm3.jinja" "glm", bos None, eos "</s>" ["<|user|>", "<|observation|>"],
        types ["chatglm"], marks [],
        control CHATGLM3, verified true;
    "gemma2" "Gemma 1 and 2" "gemma2.jinja" "gemma", bos Some("<bos>"), eos "<eos>" ["<end_of_turn>"],
        types ["gemma", "gemma2"], marks ["<bos>", "<start_of_turn>", "<end_of_turn>"],
        control GEMMA, verified true;
    "gemma3" "Gemma 3" "gemma3.jinja" "gemma", bos Some("<bos>"), eos "<eos>" ["<end_of_turn>"],
        types ["gemma3", "gemma3_text"], marks ["<bos>", "<start_of_turn>", "<end_of_turn>"],
        control GEMMA, verified true;
    "internlm2" "InternLM2" "internlm2.jinja" "internlm", bos Some("<s>"), eos "</s>" ["<|im_end|>"],
        types ["internlm2"], marks ["<|im_start|>", "<|im_end|>", "<|action_start|>"],
        control INTERNLM2, verified true;
    "minicpm3" "MiniCPM 3" "minicpm3.jinja" "minicpm", bos Some("<s>"), eos "<|im_end|>" ["</s>"],
        types ["minicpm3"], marks ["<|im_start|>", "<|im_end|>"],
        control MINICPM, verified true;
    "minicpm4" "MiniCPM 4" "chatml.jinja" "minicpm", bos Some("<s>"), eos "<|im_end|>" ["</s>"],
        types ["minicpm"], marks ["<|im_start|>", "<|im_end|>"],
        control MINICPM, verified true;
    "telechat2" "TeleChat2" "telechat2.jinja" "telechat", bos None, eos "<_end>" ["<_user>"],
        types ["telechat", "telechat2"], marks ["<_user>", "<_bot>", "<_end>"],
        control TELECHAT, verified false;
    "deepseek-r1-distill" "DeepSeek-R1-Distill" "deepseek_r1_distill.jinja" "deepseek",
        bos Some("<｜begin▁of▁sentence｜>"), eos "<｜end▁of▁sentence｜>" ["<｜User｜>"],
        types ["qwen2", "llama"], marks ["<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>"],
        control DEEPSEEK, verified true;
    "smollm2" "SmolLM2" "smollm2.jinja" "smollm", bos Some("<|im_start|>"), eos "<|im_end|>" ["<|endoftext|>"],
        types ["llama"], marks ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<repo_name>"],
        control SMOLLM2, verified true;
    "smollm3" "SmolLM3" "smollm3.jinja" "smollm3", bos None, eos "<|im_end|>" ["<|end_of_text|>"],
        types ["smollm3"], marks ["<|im_start|>", "<|im_end|>", "<|end_of_text|>"],
        control SMOLLM3, verified true;
    "rwkv7" "RWKV-7" "rwkv7.jinja" "rwkv", bos None, eos "<|endoftext|>" ["\n\nUser:"],
        types ["rwkv7", "rwkv", "rwkv_v7"], marks [],
        control RWKV, verified false;
}

//! What each family's tokenizer or format reads as structure, by its documented format; `#` stands for a
//! number.

pub(super) const LLAMA2: &[&str] = &[
    "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>",
];

pub(super) const TINYLLAMA: &[&str] = &[
    "<unk>",
    "<s>",
    "</s>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
];

pub(super) const LLAMA3: &[&str] = &[
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|step_id|>",
    "<|python_tag|>",
    "<|finetune_right_pad_id|>",
    "<|image|>",
    "<|reserved_special_token_#|>",
];

pub(super) const SMOLLM3: &[&str] = &[
    "<|im_start|>",
    "<|im_end|>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|python_tag|>",
    "<|finetune_right_pad_id|>",
    "<|reserved_special_token_#|>",
    "<think>",
    "</think>",
];

pub(super) const QWEN: &[&str] = &[
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
];

pub(super) const PHI2: &[&str] = &["<|endoftext|>", "\nInstruct:", "\nOutput:"];

pub(super) const PHI3: &[&str] = &[
    "<unk>",
    "<s>",
    "</s>",
    "<|endoftext|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
    "<|placeholder#|>",
];

pub(super) const CHATGLM3: &[&str] = &[
    "</s>",
    "[MASK]",
    "[gMASK]",
    "[sMASK]",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|observation|>",
];

pub(super) const GEMMA: &[&str] = &[
    "<pad>",
    "<eos>",
    "<bos>",
    "<unk>",
    "<mask>",
    "<2mass>",
    "[@BOS@]",
    "<unused#>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<start_of_image>",
    "<end_of_image>",
    "<image_soft_token>",
];

pub(super) const INTERNLM2: &[&str] = &[
    "<unk>",
    "<s>",
    "</s>",
    "<|im_start|>",
    "<|im_end|>",
    "<|action_start|>",
    "<|action_end|>",
    "<|interpreter|>",
    "<|plugin|>",
    "[UNUSED_TOKEN_#]",
];

pub(super) const MINICPM: &[&str] = &[
    "<unk>",
    "<s>",
    "</s>",
    "<|im_start|>",
    "<|im_end|>",
    "<|tool_call|>",
    "<|execute_start|>",
    "<|execute_end|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
];

pub(super) const TELECHAT: &[&str] = &[
    "<_start>",
    "<_end>",
    "<_pad>",
    "<_user>",
    "<_bot>",
    "<_system>",
];

pub(super) const DEEPSEEK: &[&str] = &[
    "<｜begin▁of▁sentence｜>",
    "<｜end▁of▁sentence｜>",
    "<｜▁pad▁｜>",
    "<｜User｜>",
    "<｜Assistant｜>",
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁calls▁end｜>",
    "<｜tool▁call▁begin｜>",
    "<｜tool▁call▁end｜>",
    "<｜tool▁outputs▁begin｜>",
    "<｜tool▁outputs▁end｜>",
    "<｜tool▁output▁begin｜>",
    "<｜tool▁output▁end｜>",
    "<｜tool▁sep｜>",
    "<|EOT|>",
    "<think>",
    "</think>",
];

pub(super) const SMOLLM2: &[&str] = &[
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<repo_name>",
    "<reponame>",
    "<file_sep>",
    "<filename>",
    "<gh_stars>",
    "<issue_start>",
    "<issue_comment>",
    "<issue_closed>",
    "<jupyter_start>",
    "<jupyter_text>",
    "<jupyter_code>",
    "<jupyter_output>",
    "<jupyter_script>",
    "<empty_output>",
];

pub(super) const RWKV: &[&str] = &[
    "<|endoftext|>",
    "<|rwkv_tokenizer_end_of_text|>",
    "\n\nSystem:",
    "\n\nUser:",
    "\n\nAssistant:",
];

/// Of formats that are nobody's in the list: MiniCPM 1 and 2, Mistral, and the names under which llama.cpp
/// makes a control token of any token.
pub(super) const OTHERS: &[&str] = &[
    "<用户>",
    "<AI>",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_CALLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[EOS]",
    "[EOT]",
    "[EOM]",
    "<EOT>",
    "_<EOT>",
    "<EOM>",
    "<|eot|>",
    "<|eom|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_utterance>",
    "<|tool_response>",
    "<turn|>",
    "[PAD]",
    "[e~[",
    "<|start|>",
    "<|message|>",
    "<|channel|>",
    "<|constrain|>",
    "<fim-prefix>",
    "<fim-suffix>",
    "<fim-middle>",
    "<fim-pad>",
    "<fim_prefix>",
    "<fim_suffix>",
    "<fim_middle>",
    "<fim_pad>",
    "<PRE>",
    "<SUF>",
    "<MID>",
    "<PAD>",
    "▁<PRE>",
    "▁<SUF>",
    "▁<MID>",
    "<｜fim▁begin｜>",
    "<｜fim▁hole｜>",
    "<｜fim▁end｜>",
    "<|prefix|>",
    "<|suffix|>",
    "<|middle|>",
    "<|code_prefix|>",
    "<|code_suffix|>",
    "<|code_middle|>",
    "<|fim_repo|>",
    "<fim-repo>",
    "<reponame>",
    "<REPO>",
    "<think>",
    "</think>",
];

//! How the formats' calls are laid out.

use super::grammar::Grammar;
use super::{gemma, json, named, python, tagged};

const fn closed(close: &'static [&'static str]) -> json::Shape {
    json::Shape {
        close,
        open_ended: false,
        keyed: false,
    }
}

const fn unclosed(close: &'static [&'static str]) -> json::Shape {
    json::Shape {
        open_ended: true,
        ..closed(close)
    }
}

pub(super) const TOOL_CALL: json::Shape = closed(&["</tool_call>"]);

pub(super) const TOOL_CALLS: json::Shape = closed(&["</tool_calls>"]);

pub(super) const JSON: json::Shape = unclosed(&[]);

/// `<function=f><parameter=p>`
pub(super) const FUNCTION: tagged::Shape = tagged::Shape {
    call: "<function=",
    name_end: ">",
    call_close: "</function>",
    parameter: "<parameter=",
    key_end: ">",
    tag_end: ">",
    value: "",
    value_close: "</parameter>",
    close: &["</tool_call>"],
    lines: true,
    cdata: false,
};

/// The same on one line, in tags of its own.
pub(super) const SEED: tagged::Shape = tagged::Shape {
    close: &["</seed:tool_call>"],
    ..FUNCTION
};

/// `<invoke name="f"><parameter name="p">`
pub(super) const INVOKE: tagged::Shape = tagged::Shape {
    call: "<invoke name=\"",
    name_end: "\"",
    call_close: "</invoke>",
    parameter: "<parameter name=\"",
    key_end: "\"",
    value_close: "</parameter>",
    close: &["</minimax:tool_call>"],
    lines: false,
    ..FUNCTION
};

pub(super) const ATEM: tagged::Shape = tagged::Shape {
    call: "<atem:invoke name=\"",
    call_close: "</atem:invoke>",
    parameter: "<atem:parameter name=\"",
    value_close: "</atem:parameter>",
    close: &["</atem:function_calls>"],
    ..INVOKE
};

pub(super) const DSML: tagged::Shape = tagged::Shape {
    call: "<｜DSML｜invoke name=\"",
    call_close: "</｜DSML｜invoke>",
    parameter: "<｜DSML｜parameter name=\"",
    value_close: "</｜DSML｜parameter>",
    close: &["</｜DSML｜function_calls>", "</｜DSML｜tool_calls>"],
    ..INVOKE
};

pub(super) const MINICPM5: tagged::Shape = tagged::Shape {
    call: "<function name=\"",
    call_close: "</function>",
    parameter: "<param name=\"",
    value_close: "</param>",
    close: &[],
    cdata: true,
    ..INVOKE
};

pub(super) const KIMI_K3: tagged::Shape = tagged::Shape {
    call: "<|open|>call tool=\"",
    call_close: "<|close|>call<|sep|>",
    parameter: "<|open|>argument key=\"",
    tag_end: "<|sep|>",
    value_close: "<|close|>argument<|sep|>",
    close: &["<|close|>tools<|sep|>"],
    ..INVOKE
};

/// `f<arg_key>p</arg_key><arg_value>`
pub(super) const GLM: tagged::Shape = tagged::Shape {
    call: "",
    name_end: "",
    call_close: "</tool_call>",
    parameter: "<arg_key>",
    key_end: "</arg_key>",
    tag_end: "",
    value: "<arg_value>",
    value_close: "</arg_value>",
    close: &[],
    lines: false,
    cdata: false,
};

pub(super) const DEEPSEEK: Grammar = Grammar::Named(&named::Shape {
    head: named::deepseek,
    inside: &["<｜tool▁sep｜>"],
    next: &["<｜tool▁call▁begin｜>"],
    tail: &["```", "<｜tool▁call▁end｜>"],
    close: &["<｜tool▁calls▁end｜>"],
});

pub(super) const KIMI: Grammar = Grammar::Named(&named::Shape {
    head: named::kimi,
    inside: &["<|tool_call_argument_begin|>"],
    next: &["<|tool_call_begin|>"],
    tail: &["<|tool_call_end|>"],
    close: &["<|tool_calls_section_end|>"],
});

pub(super) const FUNCTIONARY: Grammar = Grammar::Named(&named::Shape {
    head: named::tag,
    inside: &[],
    next: &["<function="],
    tail: &[],
    close: &["</function>"],
});

pub(super) const HARMONY: Grammar = Grammar::Named(&named::Shape {
    head: named::harmony,
    inside: &["<|channel|>", "<|constrain|>", "<|message|>"],
    next: &[],
    tail: &[],
    close: &["<|call|>", "<|end|>"],
});

pub(super) const LINE: Grammar = Grammar::Named(&named::Shape {
    head: named::line,
    inside: &[],
    next: &[],
    tail: &[],
    close: &[],
});

const fn pythonic(close: &'static [&'static str]) -> python::Shape {
    python::Shape {
        close,
        fences: &[],
        method: "",
    }
}

pub(super) const FENCE: json::Shape = closed(&["```"]);

pub(super) const CODE: python::Shape = pythonic(&["</code>"]);

pub(super) const LFM: python::Shape = pythonic(&["<|tool_call_end|>"]);

pub(super) const BARE_PYTHON: python::Shape = pythonic(&[]);

pub(super) const TOOL_CALL_TOKEN: json::Shape = unclosed(&["<|/tool_call|>"]);

pub(super) const ACTION: json::Shape = closed(&["<|END_ACTION|>"]);

pub(super) const PLUGIN: json::Shape = closed(&["<|action_end|>"]);

pub(super) const FUNCTION_CALL: json::Shape = unclosed(&["</function_call>"]);

pub(super) const FUNCTIONCALL: json::Shape = unclosed(&["</functioncall>"]);

pub(super) const APERTUS: json::Shape = json::Shape {
    keyed: true,
    ..closed(&["<|tools_suffix|>"])
};

pub(super) const GEMMA: gemma::Shape = gemma::Shape {
    quote: "<|\"|>",
    close: "<tool_call|>",
};

pub(super) const FUNCTION_GEMMA: gemma::Shape = gemma::Shape {
    quote: "<escape>",
    close: "<end_function_call>",
};

pub(super) const MINICPM: python::Shape = python::Shape {
    close: &["<|tool_call_end|>"],
    fences: &["```python\n", "```\n"],
    method: "",
};

pub(super) const LLAMA: python::Shape = python::Shape {
    close: &[],
    fences: &[],
    method: ".call",
};

pub(super) const MISTRAL_NAMED: named::Shape = named::Shape {
    head: named::mistral,
    inside: &["[ARGS]", "[CALL_ID]"],
    next: &[],
    tail: &[],
    close: &[],
};

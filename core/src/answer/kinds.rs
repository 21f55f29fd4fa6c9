//! The formats of tool calls.

use super::gemma;
use super::grammar::Grammar;
use super::json;
use super::named;
use super::python;
use super::tagged;

/// A format of tool calls.
#[derive(Debug)]
pub(super) struct Kind {
    /// As llama.cpp or vLLM's `--tool-call-parser` call it, where they agree.
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// A template whose source has all texts of one of these uses the format.
    pub signs: &'static [&'static [&'static str]],
    pub sections: &'static [Section],
    /// Calls that are the beginning of the answer, without a delimiter.
    pub bare: Option<Bare>,
    /// Stands before the answer already: generation begins inside a delimiter.
    pub before: &'static str,
    /// Text that makes the model call a function: before and after its name.
    pub forced: Option<(&'static str, &'static str)>,
}

/// Calls between delimiters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    pub open: &'static str,
    pub grammar: Grammar,
    /// Whether the delimiter is part of the first call.
    pub part: bool,
    /// Whether the delimiter is as likely in ordinary text: then only the tools' names make a call.
    pub soft: bool,
}

/// Calls without delimiters. Only the tools' names make them.
#[derive(Debug)]
pub(super) struct Bare {
    /// What may come first; empty for any letter.
    pub first: &'static [char],
    pub grammar: Grammar,
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const fn section(open: &'static str, grammar: Grammar) -> Section {
    Section {
        open,
        grammar,
        part: false,
        soft: false,
    }
}

const fn part(open: &'static str, grammar: Grammar) -> Section {
    Section {
        part: true,
        ..section(open, grammar)
    }
}

const fn soft(open: &'static str, grammar: Grammar) -> Section {
    Section {
        soft: true,
        ..section(open, grammar)
    }
}

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

const TOOL_CALL: json::Shape = closed(&["</tool_call>"]);
const TOOL_CALLS: json::Shape = closed(&["</tool_calls>"]);
const JSON: json::Shape = unclosed(&[]);
const BARE_JSON: Option<Bare> = Some(Bare {
    first: &['{', '['],
    grammar: Grammar::Json(&JSON),
});

/// `<function=f><parameter=p>`
const FUNCTION: tagged::Shape = tagged::Shape {
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
const SEED: tagged::Shape = tagged::Shape {
    close: &["</seed:tool_call>"],
    ..FUNCTION
};
/// `<invoke name="f"><parameter name="p">`
const INVOKE: tagged::Shape = tagged::Shape {
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
const ATEM: tagged::Shape = tagged::Shape {
    call: "<atem:invoke name=\"",
    call_close: "</atem:invoke>",
    parameter: "<atem:parameter name=\"",
    value_close: "</atem:parameter>",
    close: &["</atem:function_calls>"],
    ..INVOKE
};
const DSML: tagged::Shape = tagged::Shape {
    call: "<｜DSML｜invoke name=\"",
    call_close: "</｜DSML｜invoke>",
    parameter: "<｜DSML｜parameter name=\"",
    value_close: "</｜DSML｜parameter>",
    close: &["</｜DSML｜function_calls>", "</｜DSML｜tool_calls>"],
    ..INVOKE
};
const MINICPM5: tagged::Shape = tagged::Shape {
    call: "<function name=\"",
    call_close: "</function>",
    parameter: "<param name=\"",
    value_close: "</param>",
    close: &[],
    cdata: true,
    ..INVOKE
};
const KIMI_K3: tagged::Shape = tagged::Shape {
    call: "<|open|>call tool=\"",
    call_close: "<|close|>call<|sep|>",
    parameter: "<|open|>argument key=\"",
    tag_end: "<|sep|>",
    value_close: "<|close|>argument<|sep|>",
    close: &["<|close|>tools<|sep|>"],
    ..INVOKE
};
/// `f<arg_key>p</arg_key><arg_value>`
const GLM: tagged::Shape = tagged::Shape {
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

const DEEPSEEK: Grammar = Grammar::Named(&named::Shape {
    head: named::deepseek,
    inside: &["<｜tool▁sep｜>"],
    next: &["<｜tool▁call▁begin｜>"],
    tail: &["```", "<｜tool▁call▁end｜>"],
    close: &["<｜tool▁calls▁end｜>"],
});
const DEEPSEEK_SECTIONS: &[Section] = &[
    section("<｜tool▁calls▁begin｜>", DEEPSEEK),
    section("<｜tool▁call▁begin｜>", DEEPSEEK),
];
const KIMI: Grammar = Grammar::Named(&named::Shape {
    head: named::kimi,
    inside: &["<|tool_call_argument_begin|>"],
    next: &["<|tool_call_begin|>"],
    tail: &["<|tool_call_end|>"],
    close: &["<|tool_calls_section_end|>"],
});
const FUNCTIONARY: Grammar = Grammar::Named(&named::Shape {
    head: named::tag,
    inside: &[],
    next: &["<function="],
    tail: &[],
    close: &["</function>"],
});
const HARMONY: Grammar = Grammar::Named(&named::Shape {
    head: named::harmony,
    inside: &["<|channel|>", "<|constrain|>", "<|message|>"],
    next: &[],
    tail: &[],
    close: &["<|call|>", "<|end|>"],
});
const MISTRAL: &[Section] = &[section(
    "[TOOL_CALLS]",
    Grammar::JsonOr(
        &JSON,
        &Grammar::Named(&named::Shape {
            head: named::mistral,
            inside: &["[ARGS]", "[CALL_ID]"],
            next: &[],
            tail: &[],
            close: &[],
        }),
    ),
)];
const LINE: Grammar = Grammar::Named(&named::Shape {
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

const FENCE: json::Shape = closed(&["```"]);
const CODE: python::Shape = pythonic(&["</code>"]);
const LFM: python::Shape = pythonic(&["<|tool_call_end|>"]);
const PYTHON_TAGS: python::Shape = pythonic(&["<|python_end|>"]);
const BARE_PYTHON: python::Shape = pythonic(&[]);
const TOOL_CALL_TOKEN: json::Shape = unclosed(&["<|/tool_call|>"]);
const ACTION: json::Shape = closed(&["<|END_ACTION|>"]);
const PLUGIN: json::Shape = closed(&["<|action_end|>"]);
const FUNCTION_CALL: json::Shape = unclosed(&["</function_call>"]);
const FUNCTIONCALL: json::Shape = unclosed(&["</functioncall>"]);
const APERTUS: json::Shape = json::Shape {
    keyed: true,
    ..closed(&["<|tools_suffix|>"])
};
const GEMMA: gemma::Shape = gemma::Shape {
    quote: "<|\"|>",
    close: "<tool_call|>",
};
const FUNCTION_GEMMA: gemma::Shape = gemma::Shape {
    quote: "<escape>",
    close: "<end_function_call>",
};
const MINICPM: python::Shape = python::Shape {
    close: &["<|tool_call_end|>"],
    fences: &["```python\n", "```\n"],
    method: "",
};
const LLAMA: python::Shape = python::Shape {
    close: &[],
    fences: &[],
    method: ".call",
};

const XML_TOOL_CALL: Section = section(
    "<tool_call>",
    Grammar::JsonOr(&TOOL_CALL, &Grammar::Tagged(&FUNCTION)),
);
const FENCED: Section = soft("```json", Grammar::Json(&FENCE));

/// A format without signs, calls or beginning.
const NONE: Kind = Kind {
    name: "none",
    aliases: &[],
    signs: &[],
    sections: &[],
    bare: None,
    before: "",
    forced: None,
};

/// All formats. The first whose signs a template has is its format.
static KINDS: &[Kind] = &[
    Kind {
        name: "openai",
        aliases: &["harmony", "gpt_oss"],
        signs: &[&["<|channel|>", "<|message|>"]],
        sections: &[
            section("<|start|>assistant to=functions.", HARMONY),
            section("<|channel|>commentary to=functions.", HARMONY),
            section("<|channel|>analysis to=functions.", HARMONY),
        ],
        before: "<|start|>assistant",
        forced: Some((
            "<|channel|>commentary to=functions.",
            " <|constrain|>json<|message|>",
        )),
        ..NONE
    },
    Kind {
        name: "gemma4",
        aliases: &["gemma"],
        signs: &[&["<|tool_call>"]],
        sections: &[section("<|tool_call>", Grammar::Gemma(&GEMMA))],
        forced: Some(("<|tool_call>call:", "{")),
        ..NONE
    },
    Kind {
        name: "functiongemma",
        signs: &[&["<start_function_call>"]],
        sections: &[section(
            "<start_function_call>",
            Grammar::Gemma(&FUNCTION_GEMMA),
        )],
        forced: Some(("<start_function_call>call:", "{")),
        ..NONE
    },
    Kind {
        name: "deepseek_v32",
        aliases: &["deepseek_v4"],
        signs: &[&["｜DSML｜"]],
        sections: &[
            section("<｜DSML｜function_calls>", Grammar::Tagged(&DSML)),
            section("<｜DSML｜tool_calls>", Grammar::Tagged(&DSML)),
        ],
        forced: Some(("<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"", "\">\n")),
        ..NONE
    },
    Kind {
        name: "deepseek_v3",
        aliases: &["deepseek", "deepseek_r1"],
        signs: &[&["<｜tool▁calls▁begin｜>", "```"]],
        sections: DEEPSEEK_SECTIONS,
        forced: Some((
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>",
            "\n```json\n",
        )),
        ..NONE
    },
    Kind {
        name: "deepseek_v31",
        signs: &[&["<｜tool▁calls▁begin｜>"]],
        sections: DEEPSEEK_SECTIONS,
        forced: Some((
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>",
            "<｜tool▁sep｜>",
        )),
        ..NONE
    },
    Kind {
        name: "kimi_k2",
        aliases: &["kimi"],
        signs: &[&["<|tool_calls_section_begin|>"]],
        sections: &[
            section("<|tool_calls_section_begin|>", KIMI),
            section("<|tool_call_begin|>", KIMI),
        ],
        forced: Some((
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.",
            ":0<|tool_call_argument_begin|>",
        )),
        ..NONE
    },
    Kind {
        name: "kimi_k3",
        signs: &[&["<|open|>", "<|sep|>", "<|close|>"]],
        sections: &[section("<|open|>tools<|sep|>", Grammar::Tagged(&KIMI_K3))],
        forced: Some((
            "<|open|>tools<|sep|><|open|>call tool=\"",
            "\" index=\"1\"<|sep|>",
        )),
        ..NONE
    },
    Kind {
        name: "minimax_m2",
        signs: &[&["<minimax:tool_call>"]],
        sections: &[section("<minimax:tool_call>", Grammar::Tagged(&INVOKE))],
        forced: Some(("<minimax:tool_call>\n<invoke name=\"", "\">\n")),
        ..NONE
    },
    Kind {
        name: "atem",
        signs: &[&["<atem:function_calls>"], &["<atem:invoke"]],
        sections: &[section("<atem:function_calls>", Grammar::Tagged(&ATEM))],
        forced: Some(("<atem:function_calls>\n<atem:invoke name=\"", "\">\n")),
        ..NONE
    },
    Kind {
        name: "seed_oss",
        signs: &[&["<seed:tool_call>"]],
        sections: &[section("<seed:tool_call>", Grammar::Tagged(&SEED))],
        forced: Some(("<seed:tool_call>\n<function=", ">\n")),
        ..NONE
    },
    Kind {
        name: "glm45",
        aliases: &["glm47"],
        signs: &[&["<arg_key>"]],
        sections: &[section(
            "<tool_call>",
            Grammar::JsonOr(&TOOL_CALL, &Grammar::Tagged(&GLM)),
        )],
        forced: Some(("<tool_call>", "\n")),
        ..NONE
    },
    Kind {
        name: "qwen3_coder",
        aliases: &["qwen3_xml"],
        signs: &[&["<function=", "<parameter="]],
        sections: &[
            XML_TOOL_CALL,
            part("<function=", Grammar::Tagged(&FUNCTION)),
        ],
        forced: Some(("<tool_call>\n<function=", ">\n")),
        ..NONE
    },
    Kind {
        name: "minicpm5",
        signs: &[&["<function name=", "<param name="]],
        sections: &[part("<function name=\"", Grammar::Tagged(&MINICPM5))],
        forced: Some(("<function name=\"", "\">")),
        ..NONE
    },
    Kind {
        name: "functionary_v3_1",
        signs: &[&["<{start_tag}={function_name}>"], &["<function="]],
        sections: &[section("<function=", FUNCTIONARY)],
        forced: Some(("<function=", ">")),
        ..NONE
    },
    Kind {
        name: "smollm3",
        signs: &[&["<tool_call>", "<code>"]],
        sections: &[XML_TOOL_CALL, soft("<code>", Grammar::Python(&CODE))],
        forced: Some(("<tool_call>\n{\"name\": \"", "\", \"arguments\": ")),
        ..NONE
    },
    Kind {
        name: "hermes",
        aliases: &["qwen", "hermes_2_pro"],
        signs: &[&["<tool_call>"]],
        sections: &[XML_TOOL_CALL],
        forced: Some(("<tool_call>\n{\"name\": \"", "\", \"arguments\": ")),
        ..NONE
    },
    Kind {
        name: "mistral_args",
        signs: &[&["[TOOL_CALLS]", "[ARGS]"]],
        sections: MISTRAL,
        forced: Some(("[TOOL_CALLS]", "[ARGS]")),
        ..NONE
    },
    Kind {
        name: "mistral",
        signs: &[&["[TOOL_CALLS]"]],
        sections: MISTRAL,
        forced: Some(("[TOOL_CALLS] [{\"name\": \"", "\", \"arguments\": ")),
        ..NONE
    },
    Kind {
        name: "minicpm",
        aliases: &["minicpm3"],
        signs: &[&["<|tool_call_start|>", "```python"]],
        sections: &[section("<|tool_call_start|>", Grammar::Python(&MINICPM))],
        forced: Some(("<|tool_call_start|>\n```python\n", "(")),
        ..NONE
    },
    Kind {
        name: "lfm2",
        signs: &[&["<|tool_call_start|>"]],
        sections: &[section("<|tool_call_start|>", Grammar::Python(&LFM))],
        forced: Some(("<|tool_call_start|>[", "(")),
        ..NONE
    },
    Kind {
        name: "phi4_mini_json",
        aliases: &["phi4"],
        signs: &[&["<|/tool_call|>"], &["functools["], &["functools marker"]],
        sections: &[
            section("<|tool_call|>", Grammar::Json(&TOOL_CALL_TOKEN)),
            section("functools", Grammar::Json(&JSON)),
        ],
        bare: BARE_JSON,
        forced: Some(("<|tool_call|>[{\"name\": \"", "\", \"arguments\": ")),
        ..NONE
    },
    Kind {
        name: "granite",
        signs: &[&["<|tool_call|>"]],
        sections: &[section("<|tool_call|>", Grammar::Json(&TOOL_CALL_TOKEN))],
        forced: Some(("<|tool_call|>[{\"name\": \"", "\", \"arguments\": ")),
        ..NONE
    },
    Kind {
        name: "cohere_command3",
        aliases: &["command_r7b"],
        signs: &[&["<|START_ACTION|>"]],
        sections: &[section("<|START_ACTION|>", Grammar::Json(&ACTION))],
        forced: Some((
            "<|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \"",
            "\", \"parameters\": ",
        )),
        ..NONE
    },
    Kind {
        name: "jamba",
        aliases: &["minimax", "hunyuan_a13b"],
        signs: &[&["<tool_calls>"]],
        sections: &[section("<tool_calls>", Grammar::Json(&TOOL_CALLS))],
        forced: Some(("<tool_calls>[{\"name\": \"", "\", \"arguments\": ")),
        ..NONE
    },
    Kind {
        name: "apertus",
        signs: &[&["<|tools_prefix|>"]],
        sections: &[section("<|tools_prefix|>", Grammar::Json(&APERTUS))],
        forced: Some(("<|tools_prefix|>[{\"", "\": ")),
        ..NONE
    },
    Kind {
        name: "internlm",
        signs: &[&["<|action_start|>"]],
        sections: &[section(
            "<|action_start|><|plugin|>",
            Grammar::Json(&PLUGIN),
        )],
        forced: Some((
            "<|action_start|><|plugin|>\n{\"name\": \"",
            "\", \"parameters\": ",
        )),
        ..NONE
    },
    Kind {
        name: "gigachat3",
        signs: &[
            &["<|function_call|>"],
            &["<|message_sep|>", "function call"],
        ],
        sections: &[
            section("<|function_call|>", Grammar::Json(&JSON)),
            section(
                "<|message_sep|>\n\nfunction call<|role_sep|>\n",
                Grammar::Json(&JSON),
            ),
        ],
        forced: Some(("<|function_call|>{\"name\": \"", "\", \"arguments\": ")),
        ..NONE
    },
    Kind {
        name: "function_call",
        signs: &[&["<function_call>"], &["<functioncall>"]],
        sections: &[
            section("<function_call>", Grammar::Json(&FUNCTION_CALL)),
            section("<functioncall>", Grammar::Json(&FUNCTIONCALL)),
        ],
        forced: Some(("<function_call>{\"name\": \"", "\", \"arguments\": ")),
        ..NONE
    },
    Kind {
        name: "pythonic",
        aliases: &["llama4_pythonic"],
        signs: &[&["func_name1("]],
        sections: &[soft("<|python_start|>", Grammar::Python(&PYTHON_TAGS))],
        bare: Some(Bare {
            first: &['['],
            grammar: Grammar::Python(&BARE_PYTHON),
        }),
        forced: Some(("[", "(")),
        ..NONE
    },
    Kind {
        name: "llama3_json",
        aliases: &["llama4_json", "llama3"],
        signs: &[
            &["<|python_tag|>"],
            &["\"parameters\": dictionary"],
            &["\"parameters\": '"],
            &["\"parameters\": \""],
            &["\\\"parameters\\\": "],
        ],
        sections: &[section(
            "<|python_tag|>",
            Grammar::JsonOr(&JSON, &Grammar::Python(&LLAMA)),
        )],
        bare: BARE_JSON,
        forced: Some(("{\"name\": \"", "\", \"parameters\": ")),
        ..NONE
    },
    Kind {
        name: "glm4",
        signs: &[&["<|observation|>"]],
        bare: Some(Bare {
            first: &[],
            grammar: LINE,
        }),
        forced: Some(("", "\n")),
        ..NONE
    },
    Kind {
        name: "json",
        aliases: &["generic"],
        sections: &[FENCED],
        bare: BARE_JSON,
        forced: Some(("{\"name\": \"", "\", \"arguments\": ")),
        ..NONE
    },
    NONE,
];

/// What is taken where no format's signs are found: a call must then name a tool.
const FALLBACK: &str = "json";

pub(super) fn of_template(source: &str) -> &'static Kind {
    let has = |signs: &&[&str]| signs.iter().all(|sign| source.contains(sign));
    let found = KINDS
        .iter()
        .find(|kind| kind.signs.iter().any(|signs| has(signs)));
    found
        .or_else(|| named(FALLBACK))
        .unwrap_or(&KINDS[KINDS.len() - 1])
}

/// The format of that name; `-` counts as `_`.
pub(super) fn named(name: &str) -> Option<&'static Kind> {
    let name = name.to_lowercase().replace('-', "_");
    KINDS
        .iter()
        .find(|kind| kind.name == name || kind.aliases.contains(&name.as_str()))
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

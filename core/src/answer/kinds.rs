//! The formats of tool calls.

use super::grammar::Grammar;
use super::shapes::*;

/// A format of tool calls.
#[derive(Debug)]
pub(super) struct Kind {
    /// As llama.cpp or vLLM's `--tool-call-parser` call it, where they agree.
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// A template whose source has all texts of one of these uses the format.
    pub signs: &'static [&'static [&'static str]],
    pub sections: &'static [Section],
    /// Delimiters that are no part of any text.
    pub silent: &'static [&'static str],
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

const BARE_JSON: Option<Bare> = Some(Bare {
    first: &['{', '['],
    grammar: Grammar::Json(&JSON),
});

const DEEPSEEK_SECTIONS: &[Section] = &[
    section("<｜tool▁calls▁begin｜>", DEEPSEEK),
    section("<｜tool▁call▁begin｜>", DEEPSEEK),
];

const MISTRAL: &[Section] = &[section(
    "[TOOL_CALLS]",
    Grammar::JsonOr(&JSON, &Grammar::Named(&MISTRAL_NAMED)),
)];

/// Llama 4 puts them around calls, or around what is none.
const PYTHON_TAGS: &[&str] = &["<|python_start|>", "<|python_end|>"];

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
    silent: &[],
    bare: None,
    before: "",
    forced: None,
};

/// A format of JSON calls: where its delimiters got lost, as special tokens do in some runtimes, a call
/// is known by the name of a tool at the beginning of the answer.
const WITH_BARE: Kind = Kind {
    bare: BARE_JSON,
    ..NONE
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
        ..WITH_BARE
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
        ..WITH_BARE
    },
    Kind {
        name: "hermes",
        aliases: &["qwen", "hermes_2_pro"],
        signs: &[&["<tool_call>"]],
        sections: &[XML_TOOL_CALL],
        forced: Some(("<tool_call>\n{\"name\": \"", "\", \"arguments\": ")),
        ..WITH_BARE
    },
    Kind {
        name: "mistral_args",
        signs: &[&["[TOOL_CALLS]", "[ARGS]"]],
        sections: MISTRAL,
        forced: Some(("[TOOL_CALLS]", "[ARGS]")),
        ..WITH_BARE
    },
    Kind {
        name: "mistral",
        signs: &[&["[TOOL_CALLS]"]],
        sections: MISTRAL,
        forced: Some(("[TOOL_CALLS] [{\"name\": \"", "\", \"arguments\": ")),
        ..WITH_BARE
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
            soft("functools", Grammar::Json(&JSON)),
        ],
        forced: Some(("<|tool_call|>[{\"name\": \"", "\", \"arguments\": ")),
        ..WITH_BARE
    },
    Kind {
        name: "granite",
        signs: &[&["<|tool_call|>"]],
        sections: &[section("<|tool_call|>", Grammar::Json(&TOOL_CALL_TOKEN))],
        forced: Some(("<|tool_call|>[{\"name\": \"", "\", \"arguments\": ")),
        ..WITH_BARE
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
        ..WITH_BARE
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
        ..WITH_BARE
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
        ..WITH_BARE
    },
    Kind {
        name: "function_call",
        signs: &[&["<function_call>"], &["<functioncall>"]],
        sections: &[
            section("<function_call>", Grammar::Json(&FUNCTION_CALL)),
            section("<functioncall>", Grammar::Json(&FUNCTIONCALL)),
        ],
        forced: Some(("<function_call>{\"name\": \"", "\", \"arguments\": ")),
        ..WITH_BARE
    },
    Kind {
        name: "pythonic",
        aliases: &["llama4_pythonic"],
        signs: &[&["func_name1("]],
        silent: PYTHON_TAGS,
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
        silent: PYTHON_TAGS,
        forced: Some(("{\"name\": \"", "\", \"parameters\": ")),
        ..WITH_BARE
    },
    Kind {
        name: "functionary_v3_2",
        signs: &[&["'>>>all\\n'"]],
        sections: &[soft(">>>", LINE)],
        silent: &[">>>all\n"],
        before: ">>>",
        forced: Some(("", "\n")),
        ..NONE
    },
    Kind {
        name: "functionary_v2",
        signs: &[&["<|reserved_special_token_249|>"]],
        sections: &[soft("<|reserved_special_token_249|>", LINE)],
        forced: Some(("<|reserved_special_token_249|>", "\n")),
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
        forced: Some(("{\"name\": \"", "\", \"arguments\": ")),
        ..WITH_BARE
    },
    NONE,
];

/// What is taken where no format's signs are found: a call must then name a tool.
const FALLBACK: &str = "json";

pub(super) fn of_template(source: &str) -> &'static Kind {
    let has = |signs: &&[&str]| signs.iter().all(|sign| source.contains(sign));
    let found = KINDS.iter().find(|kind| kind.signs.iter().any(has));
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

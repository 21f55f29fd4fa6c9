//! How models mark their reasoning.

/// What stands around reasoning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delimiters {
    pub open: String,
    pub close: String,
}

/// One way of marking it.
#[derive(Debug)]
pub(super) struct Thinking {
    pub open: &'static str,
    pub close: &'static str,
    /// What the source of a template has that uses it; empty where either delimiter will do.
    pub signs: &'static [&'static str],
    /// Stand around the answer itself, and are no part of it.
    pub silent: &'static [&'static str],
}

const fn plain(open: &'static str, close: &'static str) -> Thinking {
    Thinking {
        open,
        close,
        signs: &[],
        silent: &[],
    }
}

/// All that are known.
pub(super) const KNOWN: &[Thinking] = &[
    plain("<think>", "</think>"),
    plain("<thinking>", "</thinking>"),
    plain("<thought>", "</thought>"),
    plain("<reasoning>", "</reasoning>"),
    plain("<seed:think>", "</seed:think>"),
    plain("[THINK]", "[/THINK]"),
    plain("◁think▷", "◁/think▷"),
    plain("<|thought_start|>", "<|thought_end|>"),
    plain("<|inner_prefix|>", "<|inner_suffix|>"),
    plain("<|channel>thought", "<channel|>"),
    plain("<unused94>thought", "<unused95>"),
    plain("Here is my thought process:", "Here is my response:"),
    Thinking {
        open: "Here are my reasoning steps:",
        close: "[BEGIN FINAL RESPONSE]",
        signs: &[],
        silent: &["[END FINAL RESPONSE]"],
    },
    Thinking {
        open: "<|begin_of_thought|>",
        close: "<|end_of_thought|>",
        signs: &[],
        silent: &["<|begin_of_solution|>", "<|end_of_solution|>"],
    },
    Thinking {
        open: "<|START_THINKING|>",
        close: "<|END_THINKING|>",
        signs: &[],
        silent: &[
            "<|START_RESPONSE|>",
            "<|END_RESPONSE|>",
            "<|START_TEXT|>",
            "<|END_TEXT|>",
        ],
    },
    Thinking {
        open: "<|open|>think<|sep|>",
        close: "<|close|>think<|sep|>",
        // Its template puts the delimiters together.
        signs: &["<|open|>", "<|close|>", "<|sep|>", "think"],
        silent: &[
            "<|open|>response<|sep|>",
            "<|close|>response<|sep|>",
            "<|close|>message<|sep|>",
        ],
    },
    Thinking {
        open: "<|channel|>analysis<|message|>",
        close: "<|end|>",
        // What closes it ends turns of other models.
        signs: &["<|channel|>analysis<|message|>"],
        silent: &[
            "<|start|>assistant",
            "<|channel|>final<|message|>",
            "<|channel|>commentary<|message|>",
            "<|return|>",
            "<|call|>",
        ],
    },
];

impl Thinking {
    /// Whether a template with this source uses it.
    pub fn is_in(&self, source: &str) -> bool {
        if self.signs.is_empty() {
            return source.contains(self.open) || source.contains(self.close);
        }
        self.signs.iter().all(|sign| source.contains(sign))
    }

    pub fn delimiters(&self) -> Delimiters {
        Delimiters {
            open: self.open.to_owned(),
            close: self.close.to_owned(),
        }
    }
}

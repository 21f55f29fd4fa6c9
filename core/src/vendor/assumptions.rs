//! What rkchat assumes about the real library and no public document says. Nobody has tried these on
//! a board for rkchat.

/// One assumption.
#[derive(Debug, Clone, Copy)]
pub struct Assumption {
    /// Its short name.
    pub id: &'static str,
    /// What is taken to be so.
    pub claim: &'static str,
    /// What happens if it is not.
    pub if_wrong: &'static str,
    /// What speaks for it.
    pub source: &'static str,
}

/// The list.
pub const ASSUMPTIONS: &[Assumption] = &[
    Assumption {
        id: "default-param",
        claim: "rkllm_createDefaultParam fills the whole struct, the reserved bytes with zero",
        if_wrong: "the library reads settings that nobody made",
        source: "the vendor's demos start from it and set single fields",
    },
    Assumption {
        id: "default-param-probe",
        claim: "rkllm_createDefaultParam can be called before anything else, needs no NPU, and sets the documented \
                defaults itself, n_batch = 1 since 1.2.1",
        if_wrong: "a library that is none of the official files is refused until abi says its release",
        source: "header and manuals for the defaults; nothing for the rest",
    },
    Assumption {
        id: "token-input-verbatim",
        claim: "token input reaches the model as it is: no template, no further BOS",
        if_wrong: "answers get worse in a way that nothing reports",
        source: "maintainer in airockchip/rknn-llm issue 293 for the template; nothing for the BOS",
    },
    Assumption {
        id: "blocking-run",
        claim: "rkllm_run returns when the run is over, also after an abort, and no callback of it comes later",
        if_wrong: "late callbacks are ignored; a run that never returns blocks the model",
        source: "header and demos; late callbacks are what QUIRKS.md warns of",
    },
    Assumption {
        id: "abort-other-thread",
        claim: "rkllm_abort may be called from another thread than rkllm_run, and more than once",
        if_wrong: "an answer that was cut short keeps the NPU busy until it ends by itself",
        source: "the vendor's demos call it from a signal handler or a server thread",
    },
    Assumption {
        id: "abort-when-idle",
        claim: "rkllm_abort just before a run begins changes nothing, neither then nor in a later run",
        if_wrong: "an answer ends at once, as if the model had stopped",
        source: "rkchat aborts again every 100 ms until the run is over; never after it has returned",
    },
    Assumption {
        id: "callback-any-thread",
        claim: "result callbacks of one run come one after the other, on whichever thread",
        if_wrong: "text of one answer could come in the wrong order",
        source: "reported to be the thread that called rkllm_run; rkchat does not rely on which",
    },
    Assumption {
        id: "token-id-per-callback",
        claim: "from 1.1.0 on each callback brings one token with its id, the end-of-sequence token perhaps not",
        if_wrong: "text would be incomplete; the TokenizerMismatch warning would show it",
        source: "manuals since 1.0.1, header since 1.1.0",
    },
    Assumption {
        id: "max-new-tokens-context",
        claim: "max_new_tokens equal to max_context_len is accepted by rkllm_init",
        if_wrong: "rkllm_init fails",
        source: "demos pass 4096 for both",
    },
];

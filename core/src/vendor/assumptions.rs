//! What rkchat assumes about the real library and no public document says. Nobody has tried these on
//! a board for rkchat; `examples/rust/src/bin/board.rs` checks them on one.

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
    /// The code that depends on it.
    pub code: &'static str,
    /// The name in `ModelOptions.assume` that changes it; none where nothing can be done about it.
    pub switch: Option<&'static str>,
}

/// The list.
pub const ASSUMPTIONS: &[Assumption] = &[
    Assumption {
        id: "default-param",
        claim: "rkllm_createDefaultParam can be called before anything else, needs no NPU, and fills the struct: the \
                documented defaults at their places (n_batch 1 since 1.2.1), and no setting in the reserved bytes",
        if_wrong: "a library that is none of the official files is refused until abi says its release, and a library \
                   reads settings that nobody made",
        source: "the vendor's demos start from it and set single fields",
        code: "core/src/vendor/recognise, core/src/vendor/group",
        switch: None,
    },
    Assumption {
        id: "token-input-bos",
        claim: "token input reaches the model as it is, without a further BOS",
        if_wrong: "answers get worse in a way that nothing reports",
        source: "nothing: a converter log has add_bos_token True (airockchip/rknn-llm issue 220)",
        code: "core/src/engine/prompt.rs",
        switch: Some("bos"),
    },
    Assumption {
        id: "token-input-template",
        claim: "token input gets no template from the runtime",
        if_wrong: "the prompt is templated twice",
        source: "maintainer in airockchip/rknn-llm issue 293",
        code: "core/src/engine/prompt.rs",
        switch: Some("input"),
    },
    Assumption {
        id: "text-special-tokens",
        claim: "markers of special tokens in text input are read as those tokens",
        if_wrong: "before 1.1.0, where there is no token input, prompts are wrong",
        source: "the vendor's 1.0.x and 1.1.x demos write markers into the prompt; others report the opposite",
        code: "core/src/engine/prompt.rs",
        switch: None,
    },
    Assumption {
        id: "special-tokens-shown",
        claim: "with skip_special_token off, a callback's text spells special tokens, so that the one that ends a turn \
                is seen where no tokenizer tells its id",
        if_wrong: "where no tokenizer is known, an answer ends only when the runtime takes its end for one",
        source: "the setting's name; the demos of 1.1.0 and later turn it on",
        code: "core/src/engine/stop_text.rs",
        switch: None,
    },
    Assumption {
        id: "token-id-per-callback",
        claim: "from 1.1.0 on each callback brings one token with its id, in the state WAITING too; the end-of-sequence \
                token perhaps not",
        if_wrong: "text would be incomplete; the TokenizerMismatch warning would show it",
        source: "manuals since 1.0.1, header since 1.1.0",
        code: "core/src/engine/text.rs, core/src/engine/run.rs",
        switch: Some("text_source"),
    },
    Assumption {
        id: "prefix-reuse",
        claim: "from 1.2.0 on a run gives the same answer whether or not its prompt's beginning was in the cache",
        if_wrong: "answers of a conversation differ from those of a fresh model",
        source: "changelog of 1.2.0; embedding input went wrong before 1.2.3 (issue 446)",
        code: "core/src/engine/owner.rs",
        switch: Some("prefix_reuse"),
    },
    Assumption {
        id: "max-new-tokens-window",
        claim: "max_new_tokens equal to max_context_len is accepted by rkllm_init",
        if_wrong: "rkllm_init fails, or answers are cut",
        source: "demos pass 4096 for both",
        code: "core/src/vendor/group/fill.rs",
        switch: Some("token_limit"),
    },
    Assumption {
        id: "one-model-before-1.2.2",
        claim: "releases before 1.2.2 hold one model in a process, and another process with a model meets the same",
        if_wrong: "a second model is refused although it would work",
        source: "changelog of 1.2.2; reports of hangs and crashes before",
        code: "core/src/vendor/instances.rs, core/src/vendor/npu_lock.rs",
        switch: Some("instances"),
    },
    Assumption {
        id: "blocking-run",
        claim: "rkllm_run returns when the run is over, also after an abort, and no callback of it comes later",
        if_wrong: "late callbacks are ignored; a run that never returns blocks the model",
        source: "header and demos; late callbacks are what QUIRKS.md warns of",
        code: "core/src/vendor/callback.rs, core/src/engine/owner.rs",
        switch: None,
    },
    Assumption {
        id: "abort-other-thread",
        claim: "rkllm_abort may be called from another thread than rkllm_run, and more than once",
        if_wrong: "an answer that was cut short keeps the NPU busy until it ends by itself",
        source: "the vendor's demos call it from a signal handler or a server thread",
        code: "core/src/engine/control.rs",
        switch: None,
    },
    Assumption {
        id: "abort-when-idle",
        claim: "rkllm_abort just before a run begins changes nothing, neither then nor in a later run",
        if_wrong: "an answer ends at once, as if the model had stopped",
        source: "rkchat aborts again every 100 ms until the run is over; never after it has returned",
        code: "core/src/engine/control.rs",
        switch: None,
    },
    Assumption {
        id: "run-after-abort",
        claim: "after an aborted run the next one works",
        if_wrong: "the next request opens the model again, which a warning tells (reported of 1.2.3)",
        source: "nothing against it in any manual",
        code: "core/src/engine/run.rs, core/src/engine/owner.rs",
        switch: None,
    },
    Assumption {
        id: "npu-memory-words",
        claim: "a model for which the NPU has no memory is refused with a log line that says so (malloc, alloc or \
                memory, with fail, cannot, unable or out of memory), or with success and no model",
        if_wrong: "the error of a model that was not opened lacks the list of causes, or has it where another is the \
                   cause",
        source: "reports of malloc failures, and of success without a handle (QUIRKS.md); no manual has the words",
        code: "core/src/vendor/npu_memory.rs",
        switch: None,
    },
    Assumption {
        id: "callback-order",
        claim: "result callbacks of one run come one after the other, on whichever thread",
        if_wrong: "text of one answer could come in the wrong order",
        source: "reported to be the thread that called rkllm_run; rkchat does not rely on which",
        code: "core/src/vendor/callback.rs",
        switch: None,
    },
    Assumption {
        id: "numbers-in-callback",
        claim: "hidden states and logits can be read inside the callback that brings them, as many as it says, and only \
                in the mode that asked for them; in 1.1.x hidden states in state 4, later in NORMAL",
        if_wrong: "none come, or what comes is refused because it cannot be true, or the process reads what is not there",
        source: "headers; comments in the demos of hidden states; for logits a user's report (airockchip/rknn-llm issue \
                 245)",
        code: "core/src/vendor/group/results.rs",
        switch: None,
    },
    Assumption {
        id: "numbers-of-each-token",
        claim: "hidden states and logits come for each token of a prompt, in its order",
        if_wrong: "embeddings and scores, and logits of chosen positions, are refused because rows are missing",
        source: "headers give a number of tokens; the demos of hidden states read that many rows",
        code: "core/src/engine/numbers.rs",
        switch: None,
    },
    Assumption {
        id: "cache-after-abort",
        claim: "a run that was ended early still writes the prompt cache that it was asked for",
        if_wrong: "the prompt runs once more, to the end of its answer",
        source: "manuals: the file is written after the inference; nothing says what an abort does",
        code: "core/src/engine/prompt_cache.rs",
        switch: None,
    },
    Assumption {
        id: "release-buffer",
        claim: "a callback of 1.3.0 that returns 2 after hidden states or logits frees the runtime's copy, and the run \
                goes on",
        if_wrong: "the run ends or fails after the first of them",
        source: "header of 1.3.0; the manual does not have it",
        code: "core/src/vendor/group/v1_3_0.rs",
        switch: None,
    },
    Assumption {
        id: "kept-after-abort",
        claim: "with keep_history, a run that was ended early leaves its prompt and what it produced in the cache",
        if_wrong: "where no tokenizer is known, a chat goes on with another conversation than its messages say once an \
                   answer was cancelled or ended by a stop string",
        source: "nothing: the header says that an abort ends the run, and not what becomes of the cache",
        code: "core/src/engine/chat/state.rs",
        switch: None,
    },
    Assumption {
        id: "resume-input",
        claim: "the input of a run that follows a paused one takes the place of the token that the callback paused on",
        if_wrong: "a token is doubled or missing after a pause",
        source: "header and manual say to change the input and run again; a user steps so (airockchip/rknn-llm issue 446)",
        code: "core/src/vendor/mod.rs",
        switch: None,
    },
    Assumption {
        id: "batch-results",
        claim: "each callback of a run with several inputs has a result for each, in their order, but in the states \
                FINISH and ERROR, where no more than the first is read",
        if_wrong: "answers are mixed up, or the process reads what is not there",
        source: "manuals since 1.2.1",
        code: "core/src/vendor/group/results.rs",
        switch: None,
    },
    Assumption {
        id: "kept-memory",
        claim: "the runtime reads what a run was given until the run returns, and what other calls were given until a \
                later call of the same function succeeds, or not at all where the call itself failed",
        if_wrong: "the runtime reads memory that is gone",
        source: "the vendor's demos free inputs after rkllm_run; for the other calls nothing",
        code: "core/src/vendor/group/held.rs, core/src/vendor/group/buffers.rs",
        switch: None,
    },
    Assumption {
        id: "sizes-unasked",
        claim: "embeddings and an encoder's output that are as wide as the model's are all that is read",
        if_wrong: "the process reads what is not there, or the model gets something else",
        source: "headers; no call tells a model's width",
        code: "core/src/vendor/group/buffers.rs, core/src/vendor/request.rs",
        switch: None,
    },
    Assumption {
        id: "images-in-text",
        claim: "a prompt with images or videos is text: since 1.2.0 the runtime puts its own template around it, and \
                each image has a mark of its own",
        if_wrong: "the prompt has no template, or in releases from 1.2.1b1 to 1.2.3, whose manuals speak of the frames of \
                   one scene, several images are refused or all stand at the first mark",
        source: "the vendor's multimodal demos of 1.2.0 and 1.2.1 give a bare question; manual of 1.3.0 for the marks",
        code: "core/src/engine/multimodal.rs, core/src/engine/media.rs",
        switch: None,
    },
    Assumption {
        id: "host-callbacks",
        claim: "a tokenizer or embedding layer of the caller may be given to any model of 1.3.0 and is only asked by \
                those converted without; a negative count is a failure, also where the ids did not fit; and no special \
                tokens are to be put around the text",
        if_wrong: "a model with a tokenizer of its own uses ours, or a long prompt fails, or its BOS is missing",
        source: "header and manual of 1.3.0; that more room would be made for the ids is not said",
        code: "core/src/vendor/group/host.rs, core/src/engine/hosts.rs",
        switch: None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::assume;

    #[test]
    fn what_the_list_names_is_there() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        for one in ASSUMPTIONS {
            for file in one.code.split(", ") {
                let path = std::path::Path::new(root).join(file);
                assert!(path.exists(), "{}: {file}", one.id);
            }
            assert!(one.switch.is_none_or(assume::is_switch), "{}", one.id);
        }
    }
}

//! What each release can, as data.
//!
//! A part of the vendor's API that not every release has is one line here: the first release that has
//! it, the last one where it went again, and where that is written. The support table of the README
//! is made from this list.

use super::group::Group;
use super::version::Version;
use crate::surface::{Error, ErrorKind, Result, RuntimeInfo};

/// Something that not every release can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// Its name in `RuntimeInfo.capabilities`.
    pub id: &'static str,
    /// What a runtime with it can, as in "the runtime cannot ...".
    pub can: &'static str,
    /// The first release; none where no release can.
    pub since: Option<Version>,
    /// The last release, where it went again.
    pub until: Option<Version>,
    /// Where that is written: H the vendor's header, M its manual, C its changelog, by `BEHAVIOUR.md`.
    pub source: &'static str,
}

macro_rules! capabilities {
    ($($name:ident: $id:literal $since:literal $(to $until:literal)?, $can:literal, $source:literal;)*) => {
        $(
            #[doc = concat!("The runtime can ", $can, ".")]
            pub const $name: Capability = Capability {
                id: $id,
                can: $can,
                since: Some(Version::known($since)),
                until: capabilities!(@ $($until)?),
                source: $source,
            };
        )*

        /// The whole list.
        pub const CAPABILITIES: &[Capability] = &[$($name),*];
    };
    (@) => { None };
    (@ $until:literal) => { Some(Version::known($until)) };
}

capabilities! {
    MIROSTAT: "mirostat" "1.0.0", "sample with mirostat", "H, M";
    NPU_CORES: "npu_cores" "1.0.0" to "1.0.2", "be told how many NPU cores to use", "H, M";
    ABORT: "abort" "1.0.1", "end a run early", "H";
    LOG_PROBABILITIES: "log_probabilities" "1.0.1" to "1.0.2", "give log probabilities of tokens", "H";
    GPU: "gpu" "1.0.1" to "1.0.2", "use the GPU", "H, M";
    TOKEN_INPUT: "token_input" "1.1.0", "take token ids", "H, M";
    TOKEN_IDS: "token_ids" "1.1.0", "tell the ids of the tokens it produces", "H";
    EMBEDDING_INPUT: "embedding_input" "1.1.0", "take embeddings", "H, M";
    IMAGE_INPUT: "image_input" "1.1.0", "take an image's embeddings", "H, M";
    HIDDEN_STATES: "hidden_states" "1.1.0", "give the hidden states of the last layer", "H";
    RUN_STATE: "run_state" "1.1.0", "tell whether a run is in progress", "H";
    MEMORY_DOMAIN: "memory_domain" "1.1.0", "start in another NPU memory domain", "H, M";
    LORA: "lora" "1.1.0", "load LoRA adapters", "H, M";
    PROMPT_CACHE: "prompt_cache" "1.1.0", "save and load the cache of a prompt", "H, M";
    CHAT_TEMPLATE: "chat_template" "1.2.0", "apply a chat template to text", "H, M";
    LOGITS: "logits" "1.2.0", "give logits", "H, M";
    KEEP_HISTORY: "keep_history" "1.2.0", "keep a conversation in its cache", "H, M";
    PREFIX_REUSE: "prefix_reuse" "1.2.0", "reuse what a prompt has in common with the one before", "C";
    KEPT_BEGINNING: "kept_beginning" "1.2.0", "keep the beginning when its window is shifted", "H, M";
    EMBED_FLASH: "embed_flash" "1.2.0", "leave word embeddings in storage or hold them in memory", "H, M";
    CPU_CHOICE: "cpu_choice" "1.2.0", "be told which CPUs to use", "H, M";
    CLEAR_CACHE: "clear_cache" "1.2.0", "empty its cache", "H";
    SEVERAL_IMAGES: "several_images" "1.2.1b1", "take several images", "H";
    CLEAR_CACHE_RANGE: "clear_cache_range" "1.2.1", "take positions out of its cache", "H, M";
    CACHE_SIZE: "cache_size" "1.2.1", "tell how much is in its cache", "H";
    PAUSE: "pause" "1.2.1", "pause and resume a run", "H, M";
    FUNCTION_TOOLS: "function_tools" "1.2.1", "put function tools into the prompt", "H, M";
    THINKING_SWITCH: "thinking_switch" "1.2.1", "switch a model's thinking on and off", "H, M";
    BATCH: "batch" "1.2.1", "run several prompts at once", "H, M";
    CROSS_ATTENTION: "cross_attention" "1.2.1", "take an encoder's output for cross attention", "H, M";
    MEASUREMENTS: "measurements" "1.2.1", "measure its runs", "H, M";
    SEVERAL_MODELS: "several_models" "1.2.2", "hold several models in one process", "C";
    ASYNC_RUN: "async_run" "1.2.2", "run asynchronously without hanging", "C";
    EMBEDDING_REUSE: "embedding_reuse" "1.2.3", "reuse what embeddings have in common with those before", "C";
    RUN_SAMPLING: "run_sampling" "1.3.0", "change sampling for each request", "H, M";
    RUN_TOKEN_LIMIT: "run_token_limit" "1.3.0", "limit the tokens of one run", "H, M";
    IGNORE_EOS: "ignore_eos" "1.3.0", "go on after the end-of-sequence token", "C, H";
    RELEASE_OUTPUT: "release_output" "1.3.0", "free what it gave when it was read", "H";
    VIDEO_INPUT: "video_input" "1.3.0", "take a video's embeddings", "H";
    OWN_TOKENIZER: "own_tokenizer" "1.3.0", "ask the caller for tokens and embeddings", "H, M";
}

/// What users ask for and no release has.
const fn nowhere(id: &'static str, can: &'static str) -> Capability {
    Capability {
        id,
        can,
        since: None,
        until: None,
        source: "no header has it",
    }
}

/// No runtime can cut off tokens by `min_p`.
pub const MIN_P: Capability = nowhere("min_p", "cut off unlikely tokens by min_p");
/// No runtime can be told a seed.
pub const SEED: Capability = nowhere("seed", "be told the seed of its sampling");

/// What rkchat's own runtime leaves out of its ABI group. What it takes and has no use for, such as a
/// choice of processors, is not here: a program for a board runs on it all the same.
const NOT_OWN: [Capability; 3] = [CROSS_ATTENTION, VIDEO_INPUT, OWN_TOKENIZER];

/// What one runtime can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Its release; where that is not known, the newest that its ABI group has.
    newest: Version,
    /// It is rkchat's runtime: it tokenizes, it holds several models, and it loads GGUF and nothing else.
    pub own: bool,
}

impl Capabilities {
    pub(super) fn of(group: Group, release: Option<Version>, own: bool) -> Self {
        let newest = release.unwrap_or_else(|| group.newest());
        Self { newest, own }
    }

    pub fn has(self, capability: Capability) -> bool {
        if self.own && capability == SEVERAL_MODELS {
            return true;
        }
        if self.own && NOT_OWN.contains(&capability) {
            return false;
        }
        let there = capability.since.is_some_and(|since| self.newest >= since);
        let gone = capability.until.is_some_and(|until| self.newest > until);
        there && !gone
    }

    /// The names of what it can.
    pub fn ids(self) -> Vec<String> {
        let has = CAPABILITIES
            .iter()
            .filter(|capability| self.has(**capability));
        has.map(|capability| capability.id.to_owned()).collect()
    }
}

/// Refuses what a runtime cannot, and names the releases that can. `instead` says what to do meanwhile.
pub(crate) fn require(
    runtime: &RuntimeInfo,
    capabilities: Capabilities,
    wanted: Capability,
    instead: &str,
) -> Result<()> {
    match capabilities.has(wanted) {
        true => Ok(()),
        false => Err(refusal(runtime, capabilities, wanted, instead)),
    }
}

/// The error for what a runtime cannot.
pub(crate) fn refusal(
    runtime: &RuntimeInfo,
    capabilities: Capabilities,
    wanted: Capability,
    instead: &str,
) -> Error {
    let what = match &runtime.release {
        Some(release) if !capabilities.own => format!("release {release}"),
        _ => format!("ABI group {}", runtime.abi_group),
    };
    let whose = match capabilities.own && NOT_OWN.contains(&wanted) {
        true => "rkchat's own never does, of Rockchip's ",
        false => "",
    };
    let which = match (wanted.since, wanted.until) {
        (None, _) => "no release can".to_owned(),
        (Some(since), None) => format!("{whose}the first release that can is {since}"),
        (Some(since), Some(until)) => format!("{whose}only the releases {since} to {until} can"),
    };
    let error = Error::new(
        ErrorKind::Unsupported,
        format!(
            "the runtime {} ({what}) cannot {}; {which}. {instead}",
            runtime.path.display(),
            wanted.can
        ),
    )
    .with("capability", wanted.id);
    match wanted.since {
        Some(since) => error.with("since", since.to_string()),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(group: Group, release: &str) -> Capabilities {
        Capabilities::of(group, release.parse().ok(), false)
    }

    #[test]
    fn a_release_can_what_came_before_it() {
        assert!(!of(Group::V1_0_0, "1.0.0").has(ABORT));
        assert!(of(Group::V1_0_1, "1.0.2").has(LOG_PROBABILITIES));
        assert!(!of(Group::V1_1_0, "1.1.0").has(LOG_PROBABILITIES));
        assert!(!of(Group::V1_2_1, "1.2.1").has(SEVERAL_MODELS));
        assert!(of(Group::V1_2_1, "1.2.3").has(SEVERAL_MODELS));
        assert!(!of(Group::V1_2_1b1, "1.2.1b1").has(FUNCTION_TOOLS));
        assert!(of(Group::V1_3_0, "1.4.0").has(RUN_SAMPLING));
    }

    #[test]
    fn without_a_release_the_group_is_taken_at_its_best() {
        let newest = |group| Capabilities::of(group, None, false);
        assert!(newest(Group::V1_2_1).has(SEVERAL_MODELS));
        assert!(!newest(Group::V1_2_1).has(RUN_SAMPLING));
        assert!(!newest(Group::V1_1_0).has(SEVERAL_MODELS));
        assert!(Capabilities::of(Group::V1_1_0, None, true).has(SEVERAL_MODELS));
    }

    #[test]
    fn what_no_runtime_or_not_ours_can_is_refused() {
        let own = Capabilities::of(Group::V1_3_0, None, true);
        let theirs = Capabilities::of(Group::V1_3_0, None, false);
        assert!(theirs.has(CROSS_ATTENTION) && !own.has(CROSS_ATTENTION));
        assert!(theirs.has(VIDEO_INPUT) && !own.has(VIDEO_INPUT));
        assert!(own.has(MIROSTAT) && own.has(PAUSE) && own.has(BATCH));
        assert!(!theirs.has(MIN_P) && !own.has(SEED));
        let runtime = RuntimeInfo {
            path: "librkllmrt.so".into(),
            name: "rkllm".into(),
            release: None,
            abi_group: "1.3.0".into(),
            platform: None,
            evidence: Vec::new(),
            capabilities: Vec::new(),
            warnings: Vec::new(),
        };
        let error = refusal(&runtime, own, CROSS_ATTENTION, "");
        assert!(error.message().contains("of Rockchip's"), "{error}");
        assert_eq!(error.details()["since"], "1.2.1");
        let error = refusal(&runtime, theirs, MIN_P, "");
        assert!(error.message().contains("no release can"), "{error}");
    }

    #[test]
    fn names_are_unique_and_come_in_the_order_of_releases() {
        for pair in CAPABILITIES.windows(2) {
            assert!(pair[0].since <= pair[1].since, "{}", pair[1].id);
        }
        let mut ids: Vec<_> = CAPABILITIES.iter().map(|one| one.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CAPABILITIES.len());
    }
}

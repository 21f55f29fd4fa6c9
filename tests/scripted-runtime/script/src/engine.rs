//! Plays a script behind the front's trait.

use crate::open::Open;
use crate::piece::Piece;
use crate::script::{Init, Limit, LogTo, Script};
use crate::{numbers, record};
use rkchat_runtime_front::engine::{
    Cache, CrossAttention, EMPTY_PROMPT, Ending, Engine, Hosts, InitParams, Message, ModelInfo,
    Prepared, Request, Sink,
};
use rkchat_runtime_front::session::ContextLimit;
use rkchat_runtime_front::{guard, log};
use serde_json::Value;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// The engine of the scripted runtime.
pub struct Scripted {
    pub(crate) script: Script,
    pub(crate) prepared: Prepared,
    hosts: Hosts,
    pub(crate) cache: Mutex<Vec<i32>>,
    pub(crate) cached: AtomicUsize,
    /// How many runs have begun.
    pub(crate) runs: AtomicUsize,
    /// What `rkllm_load_prompt_cache` read.
    pub(crate) loaded: Mutex<Vec<i32>>,
    /// What an aborted run has left for the next, with places in the script's list.
    pub(crate) stale: Mutex<Vec<(usize, Piece)>>,
    /// No run succeeds any more.
    pub(crate) broken: AtomicBool,
    /// Names of the adapters.
    adapters: Mutex<Vec<String>>,
    _open: Option<Open>,
}

impl Engine for Scripted {
    const NAME: &'static str = "the scripted runtime";
    const SUFFIX: &'static str = "";
    const DRIVER: &'static str = "0.9.8";
    const PLATFORM: &'static str = "RK3588";
    const CROSS_ATTENTION: bool = true;
    const VIDEO: bool = true;

    fn opening(params: &InitParams) {
        // What is wrong with the script is said when it is loaded.
        let Ok(script) = Script::read(&params.model_path) else {
            return;
        };
        log::set_stdout(script.log_to == LogTo::Stdout);
        let missing = params.n_batch == 0 || params.image_markers.contains(&None);
        if script.strict && missing {
            std::process::abort();
        }
    }

    fn load(params: &InitParams) -> Result<Option<Self>, String> {
        let script = Script::read(&params.model_path)?;
        if let Some(path) = &script.record {
            record::append(path, &record::init(params))?;
        }
        sleep(script.init_ms);
        match script.init {
            Init::Ok => {}
            Init::Fail => return Err(script.init_error),
            Init::NullHandle => return Ok(None),
            Init::Lie => log::error(&script.init_error),
            Init::Crash => std::process::abort(),
        }
        let open = Open::new(script.second)?;
        Ok(Some(Scripted {
            script,
            prepared: Prepared::default(),
            hosts: params.hosts.clone(),
            cache: Mutex::default(),
            cached: AtomicUsize::new(0),
            runs: AtomicUsize::new(0),
            loaded: Mutex::default(),
            stale: Mutex::default(),
            broken: AtomicBool::new(false),
            adapters: Mutex::default(),
            _open: open,
        }))
    }

    fn model(&self) -> ModelInfo {
        ModelInfo {
            n_ctx_train: self.script.max_context_limit,
            n_embd: u32::try_from(self.script.hidden_size).unwrap_or(u32::MAX),
            thinks: self.script.thinks,
            toolkit: "script".into(),
            npu_cores: 3,
            platform: "RK3588".into(),
            dtype: "W8A8".into(),
        }
    }

    fn context_limit(&self, of_group: ContextLimit) -> ContextLimit {
        match self.script.context_limit {
            None => of_group,
            Some(Limit::Strict) => ContextLimit::Strict,
            Some(Limit::Clamp) => ContextLimit::Clamped,
        }
    }

    fn prepare(&mut self, n_ctx: u32, _: u32) -> Result<Prepared, String> {
        self.prepared = Prepared {
            n_ctx,
            n_threads: 1,
            n_batch: 1,
        };
        Ok(self.prepared)
    }

    /// One token per word, and equal words are equal tokens, unless the caller has a tokenizer.
    fn tokenize(&self, text: &str, _: bool, _: bool) -> Result<Vec<i32>, String> {
        if let Some(tokenize) = &self.hosts.tokenizer {
            return tokenize(text);
        }
        let id = |word: &str| {
            word.bytes()
                .fold(7i32, |id, byte| id.wrapping_mul(31) ^ i32::from(byte))
                & i32::MAX
        };
        Ok(text.split_whitespace().map(id).collect())
    }

    fn detokenize(&self, _: &[i32], _: bool) -> Result<Vec<u8>, String> {
        Err(no_vocabulary())
    }

    fn is_stop(&self, _: i32) -> Result<bool, String> {
        Err(no_vocabulary())
    }

    fn is_special(&self, _: i32) -> Result<bool, String> {
        Err(no_vocabulary())
    }

    fn bos(&self) -> Option<i32> {
        None
    }

    /// A line for each message but the last, which gets the script's template.
    fn chat_template(&self, messages: &[Message<'_>], _: bool) -> Result<String, String> {
        let template = &self.script.template;
        let Some((last, before)) = messages.split_last() else {
            return Ok(String::new());
        };
        let mut text: String = before
            .iter()
            .map(|message| format!("{}\n", message.text))
            .collect();
        text.extend([&template.prefix, last.text, &template.postfix]);
        Ok(text)
    }

    fn cached(&self, _: usize) -> usize {
        self.cached.load(Ordering::Relaxed)
    }

    fn truncate_cache(&self, keep: usize) -> Result<(), String> {
        self.record(&record::clear_cache(keep))?;
        let mut cache = guard::lock(&self.cache);
        cache.truncate(keep);
        self.cached.store(cache.len(), Ordering::Relaxed);
        Ok(())
    }

    fn cut_cache(&self, _: usize, start: usize, end: usize) -> Result<(), String> {
        self.record(&record::cut_cache(start, end))?;
        let mut cache = guard::lock(&self.cache);
        cache.drain(start..end);
        self.cached.store(cache.len(), Ordering::Relaxed);
        Ok(())
    }

    fn load_lora(&self, name: &str, path: &Path, scale: f32) -> Result<(), String> {
        self.record(&record::load_lora(name, path, scale))?;
        std::fs::metadata(path)
            .map_err(|error| format!("cannot open the adapter {}: {error}", path.display()))?;
        guard::lock(&self.adapters).push(name.to_owned());
        Ok(())
    }

    fn save_prompt_cache(&self, path: &Path) -> Result<(), String> {
        self.record(&record::prompt_cache("save_prompt_cache", Some(path)))?;
        let tokens = Value::from(guard::lock(&self.cache).clone());
        std::fs::write(path, tokens.to_string())
            .map_err(|error| format!("cannot write the prompt cache {}: {error}", path.display()))
    }

    fn load_prompt_cache(&self, path: &Path) -> Result<(), String> {
        self.record(&record::prompt_cache("load_prompt_cache", Some(path)))?;
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
        let tokens = text.and_then(|text| {
            serde_json::from_str::<Vec<i32>>(&text).map_err(|error| error.to_string())
        });
        let tokens = tokens
            .map_err(|error| format!("cannot read the prompt cache {}: {error}", path.display()))?;
        *guard::lock(&self.loaded) = tokens;
        Ok(())
    }

    fn release_prompt_cache(&self) -> Result<(), String> {
        self.record(&record::prompt_cache("release_prompt_cache", None))?;
        guard::lock(&self.loaded).clear();
        Ok(())
    }

    fn set_cross_attn(&self, encoder: &CrossAttention) -> Result<(), String> {
        self.record(&record::cross_attention(encoder))
    }

    fn aborting(&self) {
        sleep(self.script.abort_call_ms);
    }

    fn run(&self, request: &Request, sink: &mut dyn Sink) -> Result<Ending, String> {
        if request.prompts.len() > 1 {
            self.record(&record::run(request, 0))?;
            return Ok(self.play_batch(request, sink));
        }
        let prompt = &request.prompts[0];
        let tokens = numbers::tokens(prompt, self.script.hidden_size);
        if tokens.is_empty() && request.cache != Cache::Resume {
            return Err(EMPTY_PROMPT.into());
        }
        self.record(&record::run(request, tokens.len()))?;
        if let Some(embed) = &self.hosts.embedding {
            let rows = embed(&tokens, self.script.hidden_size)?;
            self.record(&record::embedded(&rows))?;
        }
        if let Some(name) = &request.lora {
            if !guard::lock(&self.adapters).contains(name) {
                return Err(format!("no adapter named {name:?} is loaded"));
            }
        }
        if self.script.strict && prompt.role.is_none() {
            std::process::abort();
        }
        if self.script.init == Init::Lie || self.broken.load(Ordering::Relaxed) {
            return Ok(Ending::Silent(-1));
        }
        self.runs.fetch_add(1, Ordering::Relaxed);
        let ending = match self.script.callback_thread {
            false => self.play(request, &tokens, sink),
            true => {
                std::thread::scope(|scope| scope.spawn(|| self.play(request, &tokens, sink)).join())
                    .unwrap_or_else(|_| Err("the script's thread panicked".into()))
            }
        };
        self.play_late(sink)?;
        ending
    }
}

impl Scripted {
    fn record(&self, line: &Value) -> Result<(), String> {
        match &self.script.record {
            Some(path) => record::append(path, line),
            None => Ok(()),
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Err(message) = self.record(&record::destroy()) {
            log::error(&message);
        }
    }
}

fn no_vocabulary() -> String {
    "a script has no vocabulary".into()
}

fn sleep(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

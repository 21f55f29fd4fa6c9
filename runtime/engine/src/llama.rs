//! The engine: one GGUF model and its context.

use crate::cell;
use crate::context::{Context, raw_model};
use crate::generate::Run;
use crate::lora::Adapter;
use crate::state::State;
use crate::{hash, logs, threads};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::model::{LlamaChatMessage, LlamaModel, VocabType};
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::vocab::LlamaVocab;
use llama_cpp_sys_2 as sys;
use rkchat_runtime_front::engine::{
    Ending, Engine, InitParams, Message, ModelInfo, Part, Prepared, Request, Sink,
};
use rkchat_runtime_front::guard::lock;
use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Prompt tokens that are processed at once.
const N_BATCH: u32 = 512;

/// Architectures that llama.cpp loads and that generate no text: asking them for the next token
/// would end the process.
const NOT_GENERATIVE: [&str; 4] = ["bert", "t5", "embedding", "wavtokenizer"];

/// Architectures for which llama.cpp ends the process when it gets embeddings instead of tokens.
const NO_EMBEDDINGS: [&str; 3] = ["glm4", "granite-switch", "clef"];

/// A loaded model.
pub struct Llama {
    /// Set once the model is prepared.
    state: Option<Mutex<State>>,
    model: Arc<LlamaModel>,
    path: PathBuf,
    /// Tells prompt caches of this model from others'; made when it is needed.
    fingerprint: OnceLock<u64>,
    /// One for each lane.
    cached: Vec<AtomicUsize>,
}

impl Engine for Llama {
    const NAME: &'static str = "rkchat's CPU runtime";
    const SUFFIX: &'static str = "";
    const DRIVER: &'static str = "";
    const PLATFORM: &'static str = "CPU";

    fn load(params: &InitParams) -> Result<Option<Self>, String> {
        let backend = backend()?;
        let path = &params.model_path;
        logs::clear();
        let model = LlamaModel::load_from_file(backend, path, &LlamaModelParams::default());
        let Ok(model) = model else {
            return Err(format!(
                "cannot load {}: {}; the file is damaged, or not a GGUF model that this version \
                 of llama.cpp knows",
                path.display(),
                logs::reason()
            ));
        };
        let architecture = model
            .meta_val_str("general.architecture")
            .unwrap_or_default();
        if NOT_GENERATIVE
            .iter()
            .any(|name| architecture.contains(name))
            || model.vocab().vocab_type() == VocabType::NONE
        {
            return Err(format!(
                "{} is a model of type {architecture:?}, which does not generate text",
                path.display()
            ));
        }
        let model = Arc::new(model);
        Ok(Some(Llama {
            state: None,
            model,
            // The process may change its folder before the file is needed again.
            path: std::path::absolute(path).unwrap_or_else(|_| path.clone()),
            fingerprint: OnceLock::new(),
            cached: Vec::new(),
        }))
    }

    fn model(&self) -> ModelInfo {
        ModelInfo {
            n_ctx_train: self.model.n_ctx_train(),
            n_embd: self.n_embd(),
            thinks: self.thinks(),
            toolkit: "gguf".into(),
            npu_cores: 0,
            platform: Self::PLATFORM.into(),
            dtype: self.dtype().unwrap_or_else(|| "unknown".into()),
        }
    }

    fn prepare(&mut self, n_ctx: u32, lanes: u32) -> Result<Prepared, String> {
        let n_threads = i32::try_from(threads::count()).unwrap_or(i32::MAX);
        logs::clear();
        let context = Context::new(self.model.clone(), n_ctx, lanes, N_BATCH, n_threads);
        let context = context.ok_or_else(|| {
            format!(
                "cannot make a context of {n_ctx} tokens for {lanes} prompts at once: {}; \
                 a smaller max_context_len or n_batch needs less memory",
                logs::reason()
            )
        })?;
        self.state = Some(Mutex::new(State::new(context, n_ctx, lanes)));
        self.cached = (0..lanes).map(|_| AtomicUsize::new(0)).collect();
        Ok(Prepared {
            n_ctx,
            n_threads: n_threads.unsigned_abs(),
            n_batch: N_BATCH,
        })
    }

    fn tokenize(
        &self,
        text: &str,
        add_special: bool,
        parse_special: bool,
    ) -> Result<Vec<i32>, String> {
        // llama.cpp counts text in 32 bits.
        if text.len() > i32::MAX as usize / 2 {
            return Err(format!(
                "the text has {} bytes, more than any context holds",
                text.len()
            ));
        }
        let tokens = self
            .vocab()
            .tokenize(text.as_bytes(), add_special, parse_special);
        Ok(tokens.into_iter().map(|token| token.0).collect())
    }

    fn detokenize(&self, ids: &[i32], skip_special: bool) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        for id in ids {
            text.extend(
                self.vocab()
                    .token_to_piece(self.token(*id)?, !skip_special, None),
            );
        }
        Ok(text)
    }

    fn is_stop(&self, id: i32) -> Result<bool, String> {
        Ok(self.vocab().is_eog(self.token(id)?))
    }

    fn is_special(&self, id: i32) -> Result<bool, String> {
        Ok(self.vocab().is_control(self.token(id)?))
    }

    fn bos(&self) -> Option<i32> {
        let vocab = self.vocab();
        (vocab.should_add_bos() && vocab.bos().0 >= 0).then(|| vocab.bos().0)
    }

    fn chat_template(&self, messages: &[Message<'_>], answer: bool) -> Result<String, String> {
        let hint = "call rkllm_set_chat_template, or pass token ids";
        let template = self
            .model
            .chat_template(None)
            .map_err(|_| format!("the model file holds no chat template; {hint}"))?;
        let messages: Vec<_> = messages
            .iter()
            .map(|message| LlamaChatMessage::new(message.role.into(), message.text.into()))
            .collect::<Result<_, _>>()
            .map_err(|error| format!("the chat message cannot be used: {error}"))?;
        self.model
            .apply_chat_template(&template, &messages, answer)
            .map_err(|_| {
                format!("llama.cpp does not know the chat template in the model file; {hint}")
            })
    }

    fn cached(&self, lane: usize) -> usize {
        let cached = self.cached.get(lane);
        cached.map_or(0, |cached| cached.load(Ordering::Relaxed))
    }

    fn truncate_cache(&self, keep: usize) -> Result<(), String> {
        self.change(|state| {
            state.truncate(keep);
            Ok(())
        })
    }

    fn cut_cache(&self, lane: usize, start: usize, end: usize) -> Result<(), String> {
        self.change(|state| state.cut(lane, start, end))
    }

    fn load_lora(&self, name: &str, path: &Path, scale: f32) -> Result<(), String> {
        self.change(|state| {
            let model = self.model.clone();
            state.add_adapter(Adapter::load(model, &self.path, name, path, scale)?);
            Ok(())
        })
    }

    fn save_prompt_cache(&self, path: &Path) -> Result<(), String> {
        let fingerprint = self.fingerprint()?;
        self.change(|state| state.save(path, fingerprint))
    }

    fn load_prompt_cache(&self, path: &Path) -> Result<(), String> {
        let fingerprint = self.fingerprint()?;
        self.change(|state| state.load(path, fingerprint))
    }

    fn release_prompt_cache(&self) -> Result<(), String> {
        self.change(|state| {
            state.release();
            Ok(())
        })
    }

    fn run(&self, request: &Request, sink: &mut dyn Sink) -> Result<Ending, String> {
        let width = self.n_embd() as usize;
        for part in request.prompts.iter().flat_map(|prompt| &prompt.parts) {
            self.check(part, width)?;
        }
        let prompts: Vec<_> = request
            .prompts
            .iter()
            .map(|prompt| cell::entries(prompt, width))
            .collect();
        logs::clear();
        let mut run = Run {
            state: &mut lock(self.state()?),
            vocab: self.vocab(),
            request,
            sink,
            cached: &self.cached,
        };
        run.run(&prompts).map(Ending::Finish)
    }
}

impl Llama {
    fn vocab(&self) -> LlamaVocab<'_> {
        self.model.vocab()
    }

    fn state(&self) -> Result<&Mutex<State>, String> {
        self.state
            .as_ref()
            .ok_or_else(|| "the model has no context".into())
    }

    /// Changes the state and follows what that does to the cache.
    fn change(&self, action: impl FnOnce(&mut State) -> Result<(), String>) -> Result<(), String> {
        logs::clear();
        let mut state = lock(self.state()?);
        let result = action(&mut state);
        for (cached, tokens) in self.cached.iter().zip(state.cached()) {
            cached.store(tokens, Ordering::Relaxed);
        }
        result
    }

    fn architecture(&self) -> String {
        self.model
            .meta_val_str("general.architecture")
            .unwrap_or_default()
    }

    /// Numbers in an embedding as input; 0 for models that need more than a row for each token.
    fn n_embd(&self) -> u32 {
        let architecture = self.architecture();
        let model = raw_model(&self.model);
        // SAFETY: the model is loaded.
        let (rope, width) = unsafe {
            (
                sys::llama_model_rope_type(model),
                sys::llama_model_n_embd_inp(model),
            )
        };
        // These count an image's positions in two dimensions.
        let grid = [
            sys::LLAMA_ROPE_TYPE_MROPE,
            sys::LLAMA_ROPE_TYPE_IMROPE,
            sys::LLAMA_ROPE_TYPE_VISION,
        ];
        match grid.contains(&rope) || NO_EMBEDDINGS.iter().any(|name| architecture.contains(name)) {
            true => 0,
            false => u32::try_from(width).unwrap_or(0),
        }
    }

    fn thinks(&self) -> bool {
        let template = self.model.chat_template(None);
        let template = template.as_ref().map(|template| template.as_c_str());
        template.is_ok_and(|text| text.to_string_lossy().contains("enable_thinking"))
    }

    /// Tells this model's file from others.
    fn fingerprint(&self) -> Result<u64, String> {
        if let Some(fingerprint) = self.fingerprint.get() {
            return Ok(*fingerprint);
        }
        let made = hash::of_file(&self.path)
            .map_err(|error| format!("cannot read the model {}: {error}", self.path.display()))?;
        Ok(*self.fingerprint.get_or_init(|| made))
    }

    fn check(&self, part: &Part, width: usize) -> Result<(), String> {
        match part {
            Part::Tokens(ids) => ids.iter().try_for_each(|id| self.token(*id).map(drop)),
            Part::Embeddings(values) if width > 0 && values.len() % width == 0 => Ok(()),
            Part::Embeddings(values) => Err(format!(
                "{} numbers of embeddings, but this model takes {width} for each token",
                values.len()
            )),
        }
    }

    /// llama.cpp does not check ids.
    fn token(&self, id: i32) -> Result<LlamaToken, String> {
        let n_vocab = self.vocab().n_tokens();
        match (0..n_vocab).contains(&id) {
            true => Ok(LlamaToken::new(id)),
            false => Err(format!(
                "token id {id} is not in the model's vocabulary, which has 0 to {}",
                n_vocab - 1
            )),
        }
    }

    fn dtype(&self) -> Option<String> {
        let number: u32 = self
            .model
            .meta_val_str("general.file_type")
            .ok()?
            .parse()
            .ok()?;
        // SAFETY: the function takes any number and returns a static string or NULL.
        let name = unsafe { llama_cpp_sys_2::llama_ftype_name(number) };
        if name.is_null() {
            return None;
        }
        // SAFETY: not NULL, so NUL-terminated and static.
        let name = unsafe { CStr::from_ptr(name) };
        Some(name.to_string_lossy().into_owned())
    }
}

/// llama.cpp's process-wide state, made once and never freed.
fn backend() -> Result<&'static LlamaBackend, String> {
    static BACKEND: Mutex<Option<&LlamaBackend>> = Mutex::new(None);
    let mut backend = lock(&BACKEND);
    if backend.is_none() {
        logs::take_over();
        let made = LlamaBackend::init().map_err(|error| error.to_string())?;
        *backend = Some(Box::leak(Box::new(made)));
    }
    backend.ok_or_else(|| "llama.cpp did not start".into())
}

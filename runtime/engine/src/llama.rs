//! The engine: one GGUF model and its context.

use crate::context::Context;
use crate::generate::State;
use crate::{logs, threads};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::model::{LlamaChatMessage, LlamaModel, VocabType};
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::vocab::LlamaVocab;
use rkchat_runtime_front::engine::{
    Cache, EMPTY_PROMPT, Ending, Engine, InitParams, Message, Mode, ModelInfo, Part, Prepared,
    Request, Sink, unsupported,
};
use rkchat_runtime_front::guard::lock;
use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Prompt tokens that are processed at once.
const N_BATCH: u32 = 512;

/// Architectures that llama.cpp loads and that generate no text: asking them for the next token
/// would end the process.
const NOT_GENERATIVE: [&str; 4] = ["bert", "t5", "embedding", "wavtokenizer"];

/// A loaded model.
pub struct Llama {
    /// Set once the model is prepared.
    state: Option<Mutex<State>>,
    model: Arc<LlamaModel>,
    cached: AtomicUsize,
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
            cached: AtomicUsize::new(0),
        }))
    }

    fn model(&self) -> ModelInfo {
        ModelInfo {
            n_ctx_train: self.model.n_ctx_train(),
            n_embd: 0,
            thinks: false,
            toolkit: "gguf".into(),
            npu_cores: 0,
            platform: Self::PLATFORM.into(),
            dtype: self.dtype().unwrap_or_else(|| "unknown".into()),
        }
    }

    fn prepare(&mut self, n_ctx: u32, lanes: u32) -> Result<Prepared, String> {
        if lanes != 1 {
            return Err(unsupported::<Self>(
                "batches of several inputs (n_batch above 1)",
            ));
        }
        let n_threads = i32::try_from(threads::count()).unwrap_or(i32::MAX);
        logs::clear();
        let context = Context::new(self.model.clone(), n_ctx, N_BATCH, n_threads);
        let context = context.ok_or_else(|| {
            format!(
                "cannot make a context of {n_ctx} tokens: {}; \
                 a smaller max_context_len needs less memory",
                logs::reason()
            )
        })?;
        self.state = Some(Mutex::new(State::new(context, n_ctx, N_BATCH)));
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

    fn cached(&self, _: usize) -> usize {
        self.cached.load(Ordering::Relaxed)
    }

    fn truncate_cache(&self, keep: usize) -> Result<(), String> {
        let mut state = lock(self.state()?);
        state.truncate(keep);
        self.cached.store(state.cached(), Ordering::Relaxed);
        Ok(())
    }

    fn run(&self, request: &Request, sink: &mut dyn Sink) -> Result<Ending, String> {
        if request.mode != Mode::Generate {
            return Err(unsupported::<Self>("hidden states and logits"));
        }
        for id in tokens_of(request)? {
            self.token(id)?;
        }
        logs::clear();
        let counts = lock(self.state()?).run(&self.vocab(), request, sink, &self.cached)?;
        Ok(Ending::Finish(counts))
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

/// The prompt's tokens.
pub fn tokens_of(request: &Request) -> Result<Vec<i32>, String> {
    let parts = request.prompts.iter().flat_map(|prompt| &prompt.parts);
    let mut tokens = Vec::new();
    for part in parts {
        match part {
            Part::Tokens(ids) => tokens.extend(ids),
            Part::Embeddings(_) => return Err(unsupported::<Llama>("embedding input")),
        }
    }
    if tokens.is_empty() && request.cache != Cache::Resume {
        return Err(EMPTY_PROMPT.into());
    }
    Ok(tokens)
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

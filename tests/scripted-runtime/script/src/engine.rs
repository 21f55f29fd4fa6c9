//! Plays a script behind the front's trait.

use crate::script::{Init, Piece, Run, Script};
use crate::{numbers, record};
use rkchat_runtime_front::engine::{
    Cache, Counts, Drawn, EMPTY_PROMPT, Ending, Engine, Event, Flow, InitParams, Matrix, Message,
    Mode, ModelInfo, Prepared, Request, Sink, State, prompt_too_long, unsupported,
};
use rkchat_runtime_front::{guard, log};
use serde_json::Value;
use std::ffi::CString;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The engine of the scripted runtime.
pub struct Scripted {
    script: Script,
    prepared: Prepared,
    cache: Mutex<Vec<i32>>,
    cached: AtomicUsize,
    /// What `rkllm_load_prompt_cache` read.
    loaded: Mutex<Vec<i32>>,
    /// Names of the adapters.
    adapters: Mutex<Vec<String>>,
}

impl Engine for Scripted {
    const NAME: &'static str = "the scripted runtime";
    const SUFFIX: &'static str = "";
    const DRIVER: &'static str = "0.9.8";
    const PLATFORM: &'static str = "RK3588";

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
        Ok(Some(Scripted {
            script,
            prepared: Prepared::default(),
            cache: Mutex::default(),
            cached: AtomicUsize::new(0),
            loaded: Mutex::default(),
            adapters: Mutex::default(),
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

    fn prepare(&mut self, n_ctx: u32, lanes: u32) -> Result<Prepared, String> {
        if lanes != 1 {
            return Err(unsupported::<Self>(
                "batches of several inputs (n_batch above 1)",
            ));
        }
        self.prepared = Prepared {
            n_ctx,
            n_threads: 1,
            n_batch: 1,
        };
        Ok(self.prepared)
    }

    /// One token per word; equal words are equal tokens.
    fn tokenize(&self, text: &str, _: bool, _: bool) -> Result<Vec<i32>, String> {
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
        let mut cache = guard::lock(&self.cache);
        cache.truncate(keep);
        self.cached.store(cache.len(), Ordering::Relaxed);
        Ok(())
    }

    fn cut_cache(&self, _: usize, start: usize, end: usize) -> Result<(), String> {
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

    fn run(&self, request: &Request, sink: &mut dyn Sink) -> Result<Ending, String> {
        let prompt = &request.prompts[0];
        let tokens = numbers::tokens(prompt, self.script.hidden_size);
        if tokens.is_empty() && request.cache != Cache::Resume {
            return Err(EMPTY_PROMPT.into());
        }
        self.record(&record::run(request, tokens.len()))?;
        if let Some(name) = &request.lora {
            if !guard::lock(&self.adapters).contains(name) {
                return Err(format!("no adapter named {name:?} is loaded"));
            }
        }
        if self.script.init == Init::Lie {
            return Ok(Ending::Silent(-1));
        }
        if self.script.callback_thread {
            return std::thread::scope(|scope| {
                scope.spawn(|| self.play(request, &tokens, sink)).join()
            })
            .unwrap_or_else(|_| Err("the script's thread panicked".into()));
        }
        self.play(request, &tokens, sink)
    }
}

impl Scripted {
    fn record(&self, line: &Value) -> Result<(), String> {
        match &self.script.record {
            Some(path) => record::append(path, line),
            None => Ok(()),
        }
    }

    fn play(
        &self,
        request: &Request,
        tokens: &[i32],
        sink: &mut dyn Sink,
    ) -> Result<Ending, String> {
        match self.script.run {
            Run::Fail => return Ok(Ending::Silent(-1)),
            Run::Error => return Ok(raw_end(sink, State::Error, -1)),
            _ => {}
        }
        let counts = self.generate(request, tokens, sink)?;
        Ok(match self.script.run {
            Run::Fail | Run::Error => unreachable!("handled above"),
            Run::Ok => Ending::Finish(counts),
            Run::FailAfter => Ending::Silent(-1),
            Run::ErrorAfter => raw_end(sink, State::Error, -1),
            Run::NoFinish => Ending::Silent(0),
            Run::FinishTwice => {
                raw_end(sink, State::Finish, 0);
                Ending::Finish(counts)
            }
            Run::FinishAndFail => raw_end(sink, State::Finish, -1),
            Run::Crash => std::process::abort(),
        })
    }

    fn generate(
        &self,
        request: &Request,
        tokens: &[i32],
        sink: &mut dyn Sink,
    ) -> Result<Counts, String> {
        let script = &self.script;
        let mut cache = guard::lock(&self.cache);
        let common = |held: &[i32]| {
            let pairs = tokens.iter().zip(held);
            pairs.take_while(|(new, old)| new == old).count()
        };
        let from = match request.cache {
            Cache::Append | Cache::Resume => 0,
            Cache::Fresh | Cache::Prefix => {
                let own = match request.cache {
                    Cache::Prefix => common(&cache),
                    _ => 0,
                };
                // Kept is the prompt's beginning, wherever it was found.
                let kept = own.max(common(&guard::lock(&self.loaded)));
                *cache = tokens[..kept].to_vec();
                kept
            }
        };
        cache.extend(&tokens[from..]);
        let n_ctx = self.prepared.n_ctx;
        if cache.len() >= n_ctx as usize && !script.unlimited {
            let prompt = cache.len();
            cache.clear();
            return Err(prompt_too_long(prompt, n_ctx));
        }
        self.cached.store(cache.len(), Ordering::Relaxed);

        let mut counts = Counts {
            prompt_tokens: tokens.len() as u64,
            reused_tokens: from as u64,
            ..Counts::default()
        };
        let start = Instant::now();
        let mut stop = Stop {
            script,
            sink,
            deadline: None,
        };
        let mut over = stop.wait(script.prefill_ms);
        counts.prefill_us = micros(start.elapsed());
        if request.mode == Mode::HiddenStates {
            if !over {
                stop.sink.event(Event::HiddenStates(Matrix {
                    values: &numbers::hidden_states(tokens.len(), script.hidden_size),
                    columns: script.hidden_size,
                }));
            }
            return Ok(counts);
        }
        let start = Instant::now();
        let rounds = if script.repeat == 0 {
            u64::MAX
        } else {
            script.repeat
        };
        'rounds: for _ in 0..rounds {
            // Without pieces, endless output is an endless wait.
            if script.pieces.is_empty() && script.repeat == 0 {
                over |= stop.wait(10);
            }
            for (place, piece) in script.pieces.iter().enumerate() {
                let enough = request.max_new_tokens > 0
                    && counts.new_tokens >= request.max_new_tokens as u64
                    || cache.len() >= n_ctx as usize;
                if over || enough && !script.unlimited {
                    break 'rounds;
                }
                if counts.new_tokens > 0 || piece.delay_ms.is_some() {
                    over = stop.wait(piece.delay_ms.unwrap_or(script.delay_ms));
                }
                if over {
                    break 'rounds;
                }
                let id = piece.id.unwrap_or(1000 + place as i32);
                // The prompt has a row for each of its tokens, later steps have one.
                let rows = if counts.new_tokens == 0 {
                    tokens.len()
                } else {
                    1
                };
                let told = self.play_piece(request, piece, id, rows, stop.sink);
                over = told == Flow::Stop && stop.reached();
                counts.new_tokens += 1;
                cache.push(id);
                self.cached.store(cache.len(), Ordering::Relaxed);
            }
            if over {
                break;
            }
        }
        counts.decode_us = micros(start.elapsed());
        Ok(counts)
    }

    fn play_piece(
        &self,
        request: &Request,
        piece: &Piece,
        id: i32,
        rows: usize,
        sink: &mut dyn Sink,
    ) -> Flow {
        let raw = |text| Event::Raw {
            state: State::Normal,
            id,
            text,
        };
        let Some(bytes) = &piece.bytes else {
            return sink.event(raw(None));
        };
        if piece.raw {
            let text = CString::new(bytes.clone()).unwrap_or_default();
            return sink.event(raw(Some(&text)));
        }
        let columns = self.script.vocab_size;
        let logits = match request.mode {
            Mode::Logits => numbers::logits(rows, columns, id),
            _ => Vec::new(),
        };
        let logprobs = request.top_logprobs.map(|top| numbers::logprobs(id, top));
        sink.event(Event::Tokens(&[Drawn {
            id,
            bytes,
            logits: (request.mode == Mode::Logits).then_some(Matrix {
                values: &logits,
                columns,
            }),
            logprobs: logprobs.as_deref().unwrap_or_default(),
        }]))
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Err(message) = self.record(&record::destroy()) {
            log::error(&message);
        }
    }
}

/// Decides when an aborted run really ends.
struct Stop<'a> {
    script: &'a Script,
    sink: &'a mut dyn Sink,
    deadline: Option<Instant>,
}

impl Stop<'_> {
    /// Whether a run that was told to stop stops now.
    fn reached(&mut self) -> bool {
        let abort = Duration::from_millis(self.script.abort_ms);
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + abort);
        !self.script.deaf && Instant::now() >= deadline
    }

    /// Sleeps; `true` if the run ends meanwhile.
    fn wait(&mut self, ms: u64) -> bool {
        let end = Instant::now() + Duration::from_millis(ms);
        loop {
            if self.sink.aborted() && self.reached() {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(Duration::from_millis(5)));
        }
    }
}

fn raw_end(sink: &mut dyn Sink, state: State, status: i32) -> Ending {
    sink.event(Event::Raw {
        state,
        id: -1,
        text: None,
    });
    Ending::Silent(status)
}

fn no_vocabulary() -> String {
    "a script has no vocabulary".into()
}

fn sleep(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

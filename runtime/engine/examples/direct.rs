//! Greedy generation with `llama-cpp-2` called directly: what every way through rkchat is compared
//! with. Prints the text and nothing else; control tokens have no text.
//!
//! Usage: direct [--add-special] [--batch N] MODEL N_CTX N_THREADS N_PREDICT PROMPT
//!
//! Batches are those of the CPU runtime (512) unless `--batch` says otherwise. Markers in the
//! prompt are read as tokens; `--add-special` adds what the vocabulary puts around a text.

use lexopt::prelude::*;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::sampling::LlamaSampler;
use std::error::Error;
use std::io::Write;
use std::num::NonZeroU32;

struct Args {
    add_special: bool,
    batch: u32,
    model: String,
    n_ctx: u32,
    n_threads: i32,
    n_predict: usize,
    prompt: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = parse()?;
    let mut backend = LlamaBackend::init()?;
    backend.void_logs();
    let model = LlamaModel::load_from_file(&backend, &args.model, &LlamaModelParams::default())?;
    let params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(args.n_ctx))
        .with_n_batch(args.batch)
        .with_n_ubatch(args.batch)
        .with_n_threads(args.n_threads)
        .with_n_threads_batch(args.n_threads);
    let mut context = model.new_context(&backend, params)?;
    let vocab = model.vocab();
    let prompt = vocab.tokenize(args.prompt.as_bytes(), args.add_special, true);

    let mut batch = LlamaBatch::new(args.batch as usize, 1);
    let mut position = 0;
    for piece in prompt.chunks(args.batch as usize) {
        batch.clear();
        for token in piece {
            position += 1;
            batch.add(
                *token,
                position - 1,
                &[0],
                position as usize == prompt.len(),
            )?;
        }
        context.decode(&mut batch)?;
    }
    let mut sampler = LlamaSampler::greedy();
    let mut out = std::io::stdout().lock();
    for _ in 0..args.n_predict {
        let token = sampler.sample(&context, -1);
        if vocab.is_eog(token) {
            break;
        }
        out.write_all(&vocab.token_to_piece(token, false, None))?;
        if position as u32 >= args.n_ctx {
            break;
        }
        batch.clear();
        batch.add(token, position, &[0], true)?;
        position += 1;
        context.decode(&mut batch)?;
    }
    out.flush()?;
    Ok(())
}

fn parse() -> Result<Args, Box<dyn Error>> {
    let mut parser = lexopt::Parser::from_env();
    let (mut add_special, mut batch, mut values) = (false, 512, Vec::new());
    while let Some(arg) = parser.next()? {
        match arg {
            Long("add-special") => add_special = true,
            Long("batch") => batch = parser.value()?.parse()?,
            Value(value) => values.push(value.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let [model, n_ctx, n_threads, n_predict, prompt] = values
        .try_into()
        .map_err(|_| "five arguments: MODEL N_CTX N_THREADS N_PREDICT PROMPT")?;
    Ok(Args {
        add_special,
        batch,
        model,
        n_ctx: n_ctx.parse()?,
        n_threads: n_threads.parse()?,
        n_predict: n_predict.parse()?,
        prompt,
    })
}

//! From a path to an opened model.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, OnceLock};

use super::course::Course;
use super::guard::Guard;
use super::memory::{self, Need};
use crate::engine::control::Control;
use crate::engine::exit;
use crate::engine::fork::Home;
use crate::engine::life::{Life, Stage};
use crate::engine::loaded::Loaded;
use crate::engine::media::MediaWay;
use crate::engine::model::{Model, with_session};
use crate::engine::owner::{Owner, SessionCell};
use crate::engine::prompt_file::Identity;
use crate::engine::runtime;
use crate::engine::sampling::ModelSampling;
use crate::engine::settings;
use crate::engine::tokens::{Tokens, Way};
use crate::model;
use crate::surface::*;
use crate::vendor::InitParams;
use crate::vendor::assume::Assume;
use crate::vendor::capabilities;
use crate::vendor::instances::Place;

/// The window where nobody says otherwise: what the vendor's demos use and every runtime since 1.1
/// takes.
const DEFAULT_CONTEXT: u32 = 4096;

const DEFAULT_QUEUE: u32 = 16;

/// Opens a model; `course` is told how far it is.
pub(super) fn open(path: &Path, options: &ModelOptions, course: &Course) -> Result<Arc<Model>> {
    let home = Home::here();
    let mut found = model::find(path, options)?;
    let library = runtime::for_model(&found, options)?;
    let capabilities = library.capabilities();
    let assume = Assume::of(options.assume.as_ref(), library.measured().as_ref())?;
    let control = Control::new(options.max_queue.unwrap_or(DEFAULT_QUEUE) as usize);
    let asked = options.max_context_len.or(found.max_context_len());
    let sampling = ModelSampling::new(options, &found.sampling, capabilities);
    let params = InitParams {
        model_path: found.weights.clone(),
        max_context_len: asked.unwrap_or(DEFAULT_CONTEXT),
        sampling: sampling.init(),
        unlimited: assume.unlimited(),
        capture_logs: options.capture_logs,
        ..InitParams::default()
    };
    let params = settings::add(params, options, &library, &mut found)?;
    let batches = params.batches();
    let media = MediaWay::of(
        options,
        found.embedding_width()?,
        capabilities.has(capabilities::CHAT_TEMPLATE),
        capabilities.own,
    );
    let need = Need::of(&found, params.max_context_len);
    let wanted = options.memory_check.unwrap_or(MemoryCheck::Warn);
    let scarce = need.check(&found.weights, memory::available(), wanted)?;
    let place = Place::take(library.info(), capabilities, assume.many_instances())?;
    let shared = place.shared();
    let session: Arc<SessionCell> = Arc::default();
    let tokens: Arc<OnceLock<Tokens>> = Arc::default();
    let loaded: Arc<Loaded> = Arc::default();
    let life: Arc<Life> = Arc::default();
    let (opened, outcome) = sync_channel(1);
    let owner = Owner {
        library: library.clone(),
        place: Mutex::new(Some(place)),
        many_instances: assume.many_instances(),
        keep_alive: options.keep_alive,
        life: life.clone(),
        control: control.clone(),
        session: session.clone(),
        tokens: tokens.clone(),
        loaded: loaded.clone(),
    };
    course.loads(&found.weights);
    course.reach(OpeningStage::Tokenizer)?;
    exit::watch(&control, home);
    let thread = owner.spawn(params, asked.is_none(), opened)?;
    let guard = Guard::new(control.clone(), thread);
    // While the runtime loads.
    let files = found.read(options)?;
    course.reach(OpeningStage::Loading)?;
    let max_context_len = match outcome.recv() {
        Ok(Ok(max_context_len)) => max_context_len,
        Ok(Err(error)) => return Err(with_doubts(error, &files.warnings)),
        Err(_) => return Err(Error::panic(&"the model's thread ended")),
    };
    course.reach(OpeningStage::Loading)?;
    let template_source = files.template.as_ref().map(|(_, source)| source.clone());
    let template = files.template.map(|(template, _)| template);
    let tokenizer_source = files.tokenizer.as_ref().map(|(_, source)| source.clone());
    let tokenizer = files.tokenizer.map(|(tokenizer, _)| tokenizer);
    let stop_ids: Vec<u32> = files.stop_ids.iter().copied().collect();
    let assumed = assume.lines();
    let way = Way {
        tokenizer,
        template,
        control: files.control,
        stop_ids: files.stop_ids,
        stop_texts: files.stop_texts,
        without_template: files.without_template,
        capabilities,
        assume,
        media,
    };
    let chosen = with_session(&session, |session| Ok(Tokens::new(way, session)))?;
    let mut warnings = warnings(files.warnings, chosen.input);
    warnings.extend(scarce.into_iter().chain(shared));
    let info = ModelInfo {
        path: files.weights,
        runtime: library.info().clone(),
        max_context_len,
        input: chosen.input,
        template_source,
        tokenizer_source: tokenizer_source
            .or_else(|| chosen.is_runtimes().then(|| "runtime".to_owned())),
        stop_ids,
        sampling: sampling.defaults(),
        assumed,
        facts: files.facts,
        warnings,
    };
    let identity = Identity::of(&info);
    // The owner only looks when a request comes.
    let _ = tokens.set(chosen);
    life.reach(Stage::Loaded);
    control.ready();
    exit::after_loading(&library.info().path);
    let model = Arc::new(Model {
        info,
        capabilities,
        loaded,
        identity,
        sampling,
        ignores_eos: options.ignore_eos,
        batches,
        attends: options.use_cross_attn,
        need,
        home,
        control,
        life,
        session,
        tokens,
        owner: Mutex::new(guard.done()),
    });
    if options.warmup {
        course.reach(OpeningStage::WarmUp)?;
        model.warm_up()?;
    }
    Ok(model)
}

/// What was doubtful about a model may be why the runtime refuses it.
fn with_doubts(error: Error, doubts: &[Warning]) -> Error {
    let doubts = doubts
        .iter()
        .filter(|doubt| doubt.kind != WarningKind::BuiltInTemplate);
    let doubts: Vec<&str> = doubts.map(|doubt| doubt.message.as_str()).collect();
    if error.kind() != ErrorKind::RuntimeFailed || doubts.is_empty() {
        return error;
    }
    let message = format!(
        "{}. What may be why: {}",
        error.message(),
        doubts.join("; ")
    );
    error.reworded(message)
}

/// The warnings that hold for the way that prompts take.
fn warnings(mut warnings: Vec<Warning>, input: InputKind) -> Vec<Warning> {
    if input == InputKind::RuntimeTemplate {
        warnings.retain(|warning| warning.kind != WarningKind::BuiltInTemplate);
        warnings.push(Warning {
            kind: WarningKind::RuntimeTemplate,
            message: "prompts go as text, through the template that was built into the model file, and that takes a \
                      single user message. Put the model's tokenizer.json and tokenizer_config.json into its folder \
                      to send whole conversations"
                .to_owned(),
        });
    }
    warnings
}

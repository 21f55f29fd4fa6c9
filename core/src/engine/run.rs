//! One run: what the runtime reports becomes the stream's answer and its one end.

use std::sync::Arc;

use super::control::{Ask, Control};
use super::reading::{self, Reading};
use super::stop_text::{StopTexts, Stops};
use super::stream::Stream;
use super::text::Decoder;
use super::tokens::Tokens;
use crate::surface::{Chunk, Error, ErrorKind, FinishReason, Result};
use crate::vendor::{Flow, Perf, RunCounts, RunEvent, Session};

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// The stream has its end; `cut_short`: rkchat ended the run, perhaps by an abort.
    Done { cut_short: bool },
    /// The runtime refuses runs since the last one was cut short. The stream has no end yet, and the
    /// job still counts as running.
    Broken,
}

/// Runs a job to its end on the calling thread. `after_cut`: the run before was cut short.
pub(super) fn run(
    stream: &Arc<Stream>,
    ask: &Ask,
    session: &dyn Session,
    tokens: &Tokens,
    control: &Control,
    after_cut: bool,
) -> Ran {
    if stream.is_over() {
        control.run_over();
        return Ran::Done { cut_short: false };
    }
    stream.begin();
    let limit = Limit {
        tokens: ask.request.max_new_tokens,
        reason: ask.limit_reason,
    };
    let mut answer = Answer::new(
        stream,
        control,
        (tokens, session),
        &ask.reading,
        &ask.stops,
        limit,
    );
    let status = session.run(&ask.request, &mut |event| {
        answer.take(event);
        Flow::Go
    });
    // Release 1.2.3 was seen to do that until it is opened again (`QUIRKS.md`, "Abort / lifetime").
    let failed = status != 0 || answer.failed;
    if after_cut && failed && answer.produced == 0 && !stream.is_over() {
        return Ran::Broken;
    }
    // From here on there is nothing to abort.
    control.run_over();
    let cut_short = answer.concluded.is_some() || stream.is_over();
    answer.close(status, session, session.counts());
    Ran::Done { cut_short }
}

/// How long an answer may become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub tokens: u32,
    /// Why it ends then.
    pub reason: FinishReason,
}

/// The answer as it grows.
pub(super) struct Answer<'a> {
    stream: &'a Arc<Stream>,
    control: &'a Control,
    decoder: Decoder<'a>,
    reading: reading::Answer,
    /// What it begins with by the request's wish; given out once the runtime takes the request.
    forced: Vec<Chunk>,
    tokens: &'a Tokens,
    stops: &'a Stops,
    stop_texts: StopTexts<'a>,
    limit: Limit,
    produced: u32,
    /// It is complete for us, whatever else the runtime says.
    concluded: Option<Result<FinishReason>>,
    perf: Option<Perf>,
    failed: bool,
    /// What rkchat found out about the failure.
    told: Option<String>,
    finished: bool,
}

impl<'a> Answer<'a> {
    pub fn new(
        stream: &'a Arc<Stream>,
        control: &'a Control,
        (tokens, session): (&'a Tokens, &'a dyn Session),
        reading: &'a Reading,
        stops: &'a Stops,
        limit: Limit,
    ) -> Self {
        let ends = match stops.ignore_model {
            true => &[][..],
            false => tokens.stop_texts(),
        };
        let decoder = tokens.decoder(session, &reading.markers);
        let (reading, forced) = reading.begin();
        Self {
            stream,
            control,
            decoder,
            reading,
            forced,
            tokens,
            stops,
            stop_texts: StopTexts::new(ends, &stops.texts),
            limit,
            produced: 0,
            concluded: None,
            perf: None,
            failed: false,
            told: None,
            finished: false,
        }
    }

    fn begin(&mut self) {
        let forced = std::mem::take(&mut self.forced);
        if !forced.is_empty() {
            self.stream.rest(forced);
        }
    }

    /// Whether it is complete.
    pub fn is_concluded(&self) -> bool {
        self.concluded.is_some()
    }

    /// Whether the runtime has said something.
    pub fn has_begun(&self) -> bool {
        self.produced > 0
    }

    /// The runtime has ended it, while it goes on with others.
    pub fn over(&mut self) {
        self.begin();
        if self.concluded.is_none() {
            let end = self.rest();
            self.conclude(end);
        }
    }

    pub fn take(&mut self, event: RunEvent) {
        match event {
            RunEvent::Token(_) if self.concluded.is_some() => {
                // It went on although it should not: the reader need not wait for it.
                self.stream.end_concluded();
            }
            RunEvent::Token(token) => {
                self.begin();
                if let Err(error) = self.token(token.id, &token.text, token.waiting) {
                    self.stream.end(Err(error.clone()));
                    self.conclude(Err(error));
                }
            }
            RunEvent::Finish { perf } => {
                self.finished = true;
                self.perf = perf;
            }
            RunEvent::Error { message } => {
                self.failed = true;
                self.told = self.told.take().or(message);
            }
            RunEvent::Hidden { .. } | RunEvent::Logits { .. } => {}
        }
    }

    fn token(&mut self, id: Option<u32>, said: &[u8], waiting: bool) -> Result<()> {
        // Some releases report the end of a run as one more token without id and text.
        if id.is_none() && said.is_empty() {
            return Ok(());
        }
        let by_id = id.and_then(|id| self.ends(id));
        let last = self.produced + 1 >= self.limit.tokens;
        let mut text = match by_id {
            Some(_) => String::new(),
            None => self.decoder.push(id, said, waiting)?,
        };
        if by_id.is_some() || last {
            text.push_str(&self.decoder.finish()?);
        }
        let (mut text, by_text) = self.stop_texts.push(&text);
        let stops = by_text.or(by_id);
        if by_text.is_none() && (by_id.is_some() || last) {
            text.push_str(&self.stop_texts.finish());
        }
        self.produced += 1;
        let pieces = self.reading.push(&text);
        self.stream.token(id, pieces, stops.is_none());
        if let Some(reason) = stops.or(last.then_some(self.limit.reason)) {
            let reason = self.finish_reading(reason);
            self.conclude(Ok(reason));
        } else if self.stream.is_over() {
            self.conclude(Ok(FinishReason::Cancelled));
        }
        Ok(())
    }

    /// Gives out what the reading held back; says why the answer ends.
    fn finish_reading(&mut self, reason: FinishReason) -> FinishReason {
        let end = self.reading.finish();
        let calls = !end.calls.is_empty();
        self.stream.rest(end.pieces);
        self.stream.calls(end.calls);
        for warning in end.warnings {
            self.stream.warn(warning);
        }
        match reason {
            FinishReason::Stop if calls => FinishReason::ToolCalls,
            reason => reason,
        }
    }

    /// Why an answer ends with this token, if it does.
    fn ends(&self, id: u32) -> Option<FinishReason> {
        if self.stops.ids.contains(&id) {
            return Some(FinishReason::StopString);
        }
        let ends = !self.stops.ignore_model && self.tokens.stop_ids().contains(&id);
        ends.then_some(FinishReason::Stop)
    }

    fn conclude(&mut self, end: Result<FinishReason>) {
        if let Ok(reason) = end {
            self.stream.conclude(reason);
        }
        self.concluded = Some(end);
        self.control.nudge();
    }

    /// The runtime has returned.
    pub fn close(mut self, status: i32, session: &dyn Session, counts: Option<RunCounts>) {
        self.begin();
        self.stream.measured(self.perf, counts);
        if let Decoder::Tokenizer {
            comparison: Some(comparison),
            ..
        } = &self.decoder
        {
            if let Some(warning) = comparison.verdict() {
                self.stream.warn(warning);
            }
        }
        let end = match self.concluded.take() {
            Some(end) => end,
            // Cancelled before it said anything.
            None if self.stream.is_over() => Ok(FinishReason::Cancelled),
            None if self.failed || (status != 0 && !self.finished) => Err(failure(
                status,
                self.told.take().or_else(|| session.last_error()),
            )),
            None => self.rest(),
        };
        self.stream.end(end);
    }

    /// The runtime ended the answer by itself.
    fn rest(&mut self) -> Result<FinishReason> {
        let (mut text, by_text) = self.stop_texts.push(&self.decoder.finish()?);
        if by_text.is_none() {
            text.push_str(&self.stop_texts.finish());
        }
        let pieces = self.reading.push(&text);
        self.stream.rest(pieces);
        Ok(self.finish_reading(by_text.unwrap_or(FinishReason::Stop)))
    }
}

pub(super) fn failure(status: i32, said: Option<String>) -> Error {
    let reason = said
        .as_deref()
        .unwrap_or("it gave no reason; its log on stderr may have one");
    let error = Error::new(
        ErrorKind::RuntimeFailed,
        format!("the runtime failed during the run (rkllm_run returned {status}): {reason}"),
    );
    let error = error.with("vendor_status", status);
    match said {
        Some(line) => error.with("log", vec![line]),
        None => error,
    }
}

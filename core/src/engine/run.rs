//! One run: what the runtime reports becomes the stream's answer and its one end.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::control::{Control, Job};
use super::prompt::Tokens;
use super::stop_text::StopTexts;
use super::stream::Stream;
use super::text::Decoder;
use crate::surface::{Error, ErrorKind, FinishReason, Result};
use crate::vendor::{Flow, Perf, RunEvent, Session};

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
    job: &Job,
    session: &dyn Session,
    tokens: &Tokens,
    control: &Control,
    after_cut: bool,
) -> Ran {
    if job.stream.is_over() {
        control.run_over();
        return Ran::Done { cut_short: false };
    }
    job.stream.begin();
    let mut answer = Answer {
        stream: &job.stream,
        control,
        decoder: tokens.decoder(session),
        stop_ids: tokens.stop_ids(),
        stop_texts: StopTexts::new(tokens.stop_texts()),
        limit: job.request.max_new_tokens,
        limit_reason: job.limit_reason,
        produced: 0,
        concluded: None,
        perf: None,
        failed: false,
        finished: false,
    };
    let status = session.run(&job.request, &mut |event| {
        answer.take(event);
        Flow::Go
    });
    // Release 1.2.3 was seen to do that until it is opened again (`QUIRKS.md`, "Abort / lifetime").
    if after_cut && status != 0 && answer.produced == 0 && !job.stream.is_over() {
        return Ran::Broken;
    }
    // From here on there is nothing to abort.
    control.run_over();
    let cut_short = answer.concluded.is_some() || job.stream.is_over();
    answer.close(status, session);
    Ran::Done { cut_short }
}

/// The answer as it grows.
struct Answer<'a> {
    stream: &'a Arc<Stream>,
    control: &'a Control,
    decoder: Decoder<'a>,
    stop_ids: &'a BTreeSet<u32>,
    stop_texts: StopTexts<'a>,
    limit: u32,
    limit_reason: FinishReason,
    produced: u32,
    /// It is complete for us, whatever else the runtime says.
    concluded: Option<Result<FinishReason>>,
    perf: Option<Perf>,
    failed: bool,
    finished: bool,
}

impl Answer<'_> {
    fn take(&mut self, event: RunEvent) {
        match event {
            RunEvent::Token(_) if self.concluded.is_some() => {
                // It went on although it should not: the reader need not wait for it.
                self.stream.end_concluded();
            }
            RunEvent::Token(token) => {
                if let Err(error) = self.token(token.id, &token.text, token.waiting) {
                    self.stream.end(Err(error.clone()));
                    self.conclude(Err(error));
                }
            }
            RunEvent::Finish { perf } => {
                self.finished = true;
                self.perf = perf;
            }
            RunEvent::Error { .. } => self.failed = true,
            RunEvent::Hidden { .. } | RunEvent::Logits { .. } => {}
        }
    }

    fn token(&mut self, id: Option<u32>, said: &[u8], waiting: bool) -> Result<()> {
        // Some releases report the end of a run as one more token without id and text.
        if id.is_none() && said.is_empty() {
            return Ok(());
        }
        let mut stops = id.is_some_and(|id| self.stop_ids.contains(&id));
        let last = self.produced + 1 >= self.limit;
        let mut text = if stops {
            String::new()
        } else {
            self.decoder.push(id, said, waiting)?
        };
        if stops || last {
            text.push_str(&self.decoder.finish()?);
        }
        let (mut text, ended) = self.stop_texts.push(&text);
        stops |= ended;
        if stops || last {
            text.push_str(&self.stop_texts.finish());
        }
        self.produced += 1;
        self.stream.token(id, &text, !stops);
        if stops {
            self.conclude(Ok(FinishReason::Stop));
        } else if last {
            self.conclude(Ok(self.limit_reason));
        } else if self.stream.is_over() {
            self.conclude(Ok(FinishReason::Cancelled));
        }
        Ok(())
    }

    fn conclude(&mut self, end: Result<FinishReason>) {
        if let Ok(reason) = end {
            self.stream.conclude(reason);
        }
        self.concluded = Some(end);
        self.control.nudge();
    }

    /// The runtime has returned.
    fn close(mut self, status: i32, session: &dyn Session) {
        let counts = session.counts();
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
            None if self.failed || (status != 0 && !self.finished) => Err(failure(status, session)),
            None => self.rest(),
        };
        self.stream.end(end);
    }

    /// The runtime ended the answer by itself.
    fn rest(&mut self) -> Result<FinishReason> {
        let (mut text, _) = self.stop_texts.push(&self.decoder.finish()?);
        text.push_str(&self.stop_texts.finish());
        self.stream.rest(&text);
        Ok(FinishReason::Stop)
    }
}

fn failure(status: i32, session: &dyn Session) -> Error {
    let said = session.last_error();
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

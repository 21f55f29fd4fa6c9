//! Plays a run with several inputs.

use crate::engine::Scripted;
use crate::piece::Piece;
use crate::stop::Stop;
use rkchat_runtime_front::engine::{Counts, Drawn, Ending, Event, Request, Sink};

impl Scripted {
    /// A piece for each input in every step, until all of them are at their end.
    pub fn play_batch(&self, request: &Request, sink: &mut dyn Sink) -> Ending {
        let script = &self.script;
        let lanes: Vec<&[Piece]> = (0..request.prompts.len())
            .map(|lane| script.batch.get(lane).unwrap_or(&script.pieces).as_slice())
            .collect();
        let longest = lanes.iter().map(|pieces| pieces.len()).max().unwrap_or(0);
        let limit = usize::try_from(request.max_new_tokens)
            .ok()
            .filter(|limit| *limit > 0);
        let mut stop = Stop {
            script,
            sink,
            deadline: None,
        };
        let mut counts = Counts::default();
        for place in 0..longest.min(limit.unwrap_or(longest)) {
            if stop.wait(script.delay_ms) {
                break;
            }
            let drawn: Vec<Drawn<'_>> = lanes
                .iter()
                .map(|pieces| match pieces.get(place) {
                    Some(piece) => Drawn {
                        id: piece.id(place),
                        bytes: piece.bytes.as_deref().unwrap_or_default(),
                        ..Drawn::default()
                    },
                    None => Drawn {
                        id: -1,
                        ..Drawn::default()
                    },
                })
                .collect();
            stop.sink.event(Event::Tokens(&drawn));
            counts.new_tokens += 1;
        }
        Ending::Finish(counts)
    }
}

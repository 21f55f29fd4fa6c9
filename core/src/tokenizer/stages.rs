//! A tokenizer's decoder taken apart, so that tokens can pass through it one by one.
//!
//! The decoders of `tokenizers` take all tokens of a text at once. Each is here a stage that gives the
//! same pieces of text and holds back only what a later token may still change.

use tokenizers::decoders::DecoderWrapper;
use tokenizers::decoders::strip::Strip;
use tokenizers::{Decoder, Result};

use super::bytes::{self, LossyUtf8};

#[derive(Debug)]
pub(super) enum Stage {
    /// Tokens that stand for themselves, with spaces between: a tokenizer without a decoder.
    Spaced { first: bool },
    /// Each token alone.
    Each(DecoderWrapper),
    /// Each token alone, but the first one is special.
    First {
        decoder: DecoderWrapper,
        first: bool,
    },
    /// Each token alone, but the last one is special.
    Last {
        decoder: DecoderWrapper,
        held: Option<String>,
    },
    /// Tokens of the byte-level alphabet.
    ByteLevel(LossyUtf8),
    /// Runs of byte tokens. One wrong byte makes the whole run unreadable, so a run is held back
    /// until it ends.
    ByteFallback(Vec<u8>),
    /// Leading characters of the whole text: how many may still be left out.
    StripStart { content: char, left: usize },
}

/// The stages of a decoder; `None` where it cannot be taken apart.
pub(super) fn of(decoder: Option<&DecoderWrapper>) -> Option<Vec<Stage>> {
    let mut stages = Vec::new();
    match decoder {
        Some(decoder) => add(decoder, &mut stages, &mut false)?,
        None => stages.push(Stage::Spaced { first: true }),
    }
    Some(stages)
}

/// `fused` is whether the stages so far make one piece of all tokens.
fn add(decoder: &DecoderWrapper, stages: &mut Vec<Stage>, fused: &mut bool) -> Option<()> {
    let decoder = match decoder {
        DecoderWrapper::Sequence(sequence) => {
            for decoder in sequence.get_decoders() {
                add(decoder, stages, fused)?;
            }
            return Some(());
        }
        DecoderWrapper::Fuse(_) => {
            *fused = true;
            return Some(());
        }
        DecoderWrapper::Strip(Strip {
            content,
            start,
            stop: 0,
            ..
        }) if *fused => {
            stages.push(Stage::StripStart {
                content: *content,
                left: *start,
            });
            return Some(());
        }
        _ if *fused => return None,
        other => other.clone(),
    };
    stages.push(match decoder {
        DecoderWrapper::ByteLevel(_) => {
            *fused = true;
            Stage::ByteLevel(LossyUtf8::default())
        }
        DecoderWrapper::ByteFallback(_) => Stage::ByteFallback(Vec::new()),
        DecoderWrapper::Replace(_) | DecoderWrapper::Strip(_) => Stage::Each(decoder),
        DecoderWrapper::Metaspace(_) | DecoderWrapper::WordPiece(_) => Stage::First {
            decoder,
            first: true,
        },
        DecoderWrapper::BPE(_) => Stage::Last {
            decoder,
            held: None,
        },
        // CTC drops repetitions, and is for speech.
        _ => return None,
    });
    Some(())
}

/// Passes pieces through all stages.
pub(super) fn push(stages: &mut [Stage], mut pieces: Vec<String>) -> Result<Vec<String>> {
    for stage in stages {
        let mut out = Vec::new();
        for piece in pieces {
            stage.push(piece, &mut out)?;
        }
        pieces = out;
    }
    Ok(pieces)
}

/// Gives what the stages hold.
pub(super) fn finish(stages: &mut [Stage]) -> Result<Vec<String>> {
    let mut pieces = Vec::new();
    for stage in stages {
        let mut out = Vec::new();
        for piece in pieces {
            stage.push(piece, &mut out)?;
        }
        stage.finish(&mut out)?;
        pieces = out;
    }
    Ok(pieces)
}

impl Stage {
    fn push(&mut self, piece: String, out: &mut Vec<String>) -> Result<()> {
        match self {
            Self::Spaced { first } => {
                if !std::mem::take(first) {
                    out.push(" ".to_owned());
                }
                out.push(piece);
            }
            Self::Each(decoder) => out.extend(decoder.decode_chain(vec![piece])?),
            Self::First { decoder, first } => {
                if std::mem::take(first) {
                    out.extend(decoder.decode_chain(vec![piece])?);
                } else {
                    out.extend(decoder.decode_chain(vec![String::new(), piece])?.pop());
                }
            }
            Self::Last { decoder, held } => {
                if let Some(before) = held.replace(piece) {
                    let mut pieces = decoder.decode_chain(vec![before, String::new()])?;
                    pieces.truncate(1);
                    out.append(&mut pieces);
                }
            }
            Self::ByteLevel(joiner) => out.push(joiner.push(&bytes::of_byte_level(&piece))),
            Self::ByteFallback(run) => match bytes::of_fallback(&piece) {
                Some(byte) => run.push(byte),
                None => {
                    // No run is no piece: the next stage may count them.
                    if !run.is_empty() {
                        out.push(end_of_run(run));
                    }
                    out.push(piece);
                }
            },
            Self::StripStart { content, left } => {
                let mut rest = piece.as_str();
                while *left > 0 && !rest.is_empty() {
                    match rest.strip_prefix(*content) {
                        Some(stripped) => {
                            rest = stripped;
                            *left -= 1;
                        }
                        None => *left = 0,
                    }
                }
                out.push(rest.to_owned());
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<String>) -> Result<()> {
        match self {
            Self::Last { decoder, held } => {
                if let Some(last) = held.take() {
                    out.extend(decoder.decode_chain(vec![last])?);
                }
            }
            Self::ByteLevel(joiner) => out.push(joiner.finish()),
            Self::ByteFallback(run) if !run.is_empty() => out.push(end_of_run(run)),
            _ => {}
        }
        Ok(())
    }
}

/// The text of a run of bytes, or one replacement character for each byte.
fn end_of_run(run: &mut Vec<u8>) -> String {
    String::from_utf8(std::mem::take(run)).unwrap_or_else(|error| {
        char::REPLACEMENT_CHARACTER
            .to_string()
            .repeat(error.as_bytes().len())
    })
}

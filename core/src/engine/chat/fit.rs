//! Which messages go into a prompt, so that it leaves room for the answer.

use crate::surface::{Json, Result};

/// What of the window an answer gets at the least.
pub(super) fn reserve(window: u32, max_new_tokens: Option<u32>, reserve: Option<u32>) -> u32 {
    let asked = max_new_tokens.filter(|asked| *asked < window);
    let reserve = asked.or(reserve);
    reserve.unwrap_or((window / 4).min(512)).min(window)
}

/// How many tokens a prompt may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub prompt: u32,
    /// How much of that stays free where turns have to go. The next requests then go on from the
    /// same beginning, and the runtime need not compute all of it for each again.
    pub spare: u32,
}

impl Room {
    pub fn new(window: u32, reserve: u32) -> Self {
        Self {
            prompt: window.saturating_sub(reserve),
            spare: window / 8,
        }
    }
}

/// A prompt, and how many messages were left out for it.
#[derive(Debug, PartialEq)]
pub(super) struct Fitted<T> {
    pub prompt: T,
    pub left_out: usize,
}

/// Messages at the beginning that always stay: the system prompt.
pub(super) fn head(messages: &[Json]) -> usize {
    let system = |message: &&Json| message["role"] == "system" || message["role"] == "developer";
    messages.iter().take_while(system).count()
}

/// Leaves out whole turns, the oldest first, until the prompt fits. `before` is how many messages the
/// last prompt had left out: where that is still enough, so it stays. Where even the last turn does not
/// fit, it is given all the same. `prepare` makes a prompt of messages and counts it.
pub(super) fn fit<T>(
    messages: &[Json],
    before: usize,
    room: Room,
    mut prepare: impl FnMut(Vec<Json>) -> Result<(T, u32)>,
) -> Result<Fitted<T>> {
    let head = head(messages);
    let mut without = |left_out: usize| {
        let kept = messages[..head].iter().chain(&messages[head + left_out..]);
        let (prompt, tokens) = prepare(kept.cloned().collect())?;
        Ok((Fitted { prompt, left_out }, tokens))
    };
    let (whole, tokens) = without(0)?;
    let starts = (1..messages.len() - head).filter(|at| messages[head + at]["role"] == "user");
    let starts: Vec<usize> = starts.collect();
    if tokens <= room.prompt || starts.is_empty() {
        return Ok(whole);
    }
    if starts.contains(&before) {
        let (same, tokens) = without(before)?;
        if tokens <= room.prompt {
            return Ok(same);
        }
    }
    // The first of them that fits, or else the last.
    let (mut low, mut high) = (0, starts.len() - 1);
    let mut found = None;
    while low < high {
        let middle = (low + high) / 2;
        let (fitted, tokens) = without(starts[middle])?;
        if tokens <= room.prompt.saturating_sub(room.spare) {
            found = Some(fitted);
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    match found.filter(|found| found.left_out == starts[low]) {
        Some(found) => Ok(found),
        None => Ok(without(starts[low])?.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(role: &str, size: u32) -> Json {
        json!({"role": role, "content": size})
    }

    /// A system prompt and turns of a question and its answer, each message of 10 tokens.
    fn talk(turns: usize) -> Vec<Json> {
        let turn = || [message("user", 10), message("assistant", 10)];
        let mut messages = vec![message("system", 10)];
        messages.extend((0..turns).flat_map(|_| turn()));
        messages.push(message("user", 10));
        messages
    }

    fn fitted(messages: &[Json], before: usize, room: Room) -> (Vec<Json>, usize, usize) {
        let mut renders = 0;
        let fitted = fit(messages, before, room, |messages| {
            renders += 1;
            let tokens = messages.iter().map(|one| one["content"].as_u64().unwrap());
            let tokens = u32::try_from(tokens.sum::<u64>()).unwrap();
            Ok((messages, tokens))
        });
        let fitted = fitted.unwrap();
        (fitted.prompt, fitted.left_out, renders)
    }

    fn room(prompt: u32) -> Room {
        Room { prompt, spare: 0 }
    }

    #[test]
    fn turns_go_whole_from_the_oldest() {
        let messages = talk(10);
        assert_eq!(fitted(&messages, 0, room(220)), (messages.clone(), 0, 1));
        for most in 20..220 {
            let (sent, left_out, renders) = fitted(&messages, 0, room(most));
            let expected = (220 - most as usize).div_ceil(20) * 2;
            assert_eq!(left_out, expected, "{most}");
            assert_eq!(sent[0], messages[0]);
            assert_eq!(sent[1..], messages[1 + left_out..]);
            assert!(renders <= 6, "{renders}");
        }
        // What cannot fit is still the last turn.
        assert_eq!(fitted(&messages, 0, room(5)).1, 20);
    }

    #[test]
    fn calls_keep_their_results() {
        let turn = ["user", "assistant", "tool", "tool", "assistant"];
        let roles = turn.iter().chain(&turn).chain(&turn[..3]);
        let messages: Vec<Json> = roles.map(|role| message(role, 10)).collect();
        assert_eq!(fitted(&messages, 0, room(129)).1, 5);
        assert_eq!(fitted(&messages, 0, room(79)).1, 10);
        assert_eq!(fitted(&messages, 0, room(1)).1, 10);
    }

    #[test]
    fn what_was_left_out_stays_so_while_it_is_enough() {
        let messages = talk(10);
        assert_eq!(fitted(&messages, 8, room(150)).1, 8);
        assert_eq!(fitted(&messages, 8, room(139)).1, 10);
        // Not a place where a turn begins any more, or not needed.
        assert_eq!(fitted(&messages, 7, room(200)).1, 2);
        assert_eq!(fitted(&messages, 8, room(220)).1, 0);
    }

    #[test]
    fn some_room_is_left_for_the_next_turns() {
        let spare = Room {
            prompt: 200,
            spare: 50,
        };
        assert_eq!(fitted(&talk(10), 0, spare).1, 8);
        assert_eq!(fitted(&talk(11), 8, spare).1, 8);
        assert_eq!(Room::new(4096, 512).spare, 512);
    }

    #[test]
    fn there_may_be_nothing_to_leave_out() {
        let only = [message("system", 10), message("user", 100)];
        assert_eq!(fitted(&only, 0, room(50)), (only.to_vec(), 0, 1));
        let first = [message("assistant", 10), message("user", 10)];
        assert_eq!(fitted(&first, 0, room(10)).1, 1);
    }

    #[test]
    fn an_answer_gets_what_it_may_have_or_a_share() {
        assert_eq!(reserve(4096, Some(100), Some(900)), 100);
        assert_eq!(reserve(4096, Some(4096), Some(900)), 900);
        assert_eq!(reserve(4096, None, None), 512);
        assert_eq!(reserve(1000, None, None), 250);
        assert_eq!(reserve(1000, None, Some(5000)), 1000);
    }
}

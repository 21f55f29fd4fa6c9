//! 10,000 requests from several callers at once, ended in every way there is, over the scripted runtime:
//! each ends exactly once, they run in the order in which they were asked, and nothing is left behind.
//!
//! A test program of its own, because it counts the threads, descriptors and memory of the process.

mod common;

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use common::{Folder, GROUPS, LONG, options};
use rkchat::{ErrorKind, FinishReason, GenerateOptions, Generation, Model, ModelOptions};

const REQUESTS: u32 = 10_000;
const CALLERS: u32 = 4;
/// More than the callers can have waiting at a time: all but one of each have ended.
const QUEUE: u32 = 64;
/// Between pieces comes what the deadlines of some milliseconds cut.
const SCRIPT: &str = r#"{"pieces": ["a ", "b ", "c ", {"text": "d ", "delay_ms": 1}], "repeat": 0,
    "record": "record.jsonl"}"#;

/// Numbers that look random and are the same every time (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(sides)).expect("below a u32")
    }
}

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Length,
    StopString,
    Timeout,
    QueueTimeout,
    Cancelled,
    CancelledElsewhere,
    Dropped,
}

const WAYS: [Way; 7] = [
    Way::Length,
    Way::StopString,
    Way::Timeout,
    Way::QueueTimeout,
    Way::Cancelled,
    Way::CancelledElsewhere,
    Way::Dropped,
];

impl Way {
    /// A bound of its own for what would end by a bound, and none for what is ended from outside.
    fn options(self, dice: &mut Dice) -> GenerateOptions {
        let mut options = GenerateOptions::default();
        match self {
            Self::Length => options.max_new_tokens = Some(1 + dice.below(9)),
            Self::StopString => options.stop_strings = Some(vec!["c d".into()]),
            Self::Timeout => options.timeout = Some(milliseconds(dice.below(5))),
            Self::QueueTimeout => {
                options.queue_timeout = Some(milliseconds(dice.below(3)));
                options.max_new_tokens = Some(1);
            }
            Self::Cancelled | Self::CancelledElsewhere | Self::Dropped => {}
        }
        options
    }

    fn ends_as(self, generation: &Generation, options: &GenerateOptions) {
        let completion = generation.completion();
        let reason = generation.finish_reason().expect("it has ended");
        match (self, completion) {
            (Self::Length, Ok(completion)) => {
                assert_eq!(reason, FinishReason::Length);
                assert_eq!(Some(completion.usage.new_tokens), options.max_new_tokens);
            }
            (Self::StopString, Ok(completion)) => {
                assert_eq!(reason, FinishReason::StopString);
                assert_eq!(completion.text, "a b ");
            }
            (Self::QueueTimeout, Ok(_)) => assert_eq!(reason, FinishReason::Length),
            (Self::Timeout | Self::QueueTimeout, Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::Timeout);
                assert_eq!(reason, FinishReason::Error);
            }
            (Self::Cancelled | Self::CancelledElsewhere, Ok(completion)) => {
                assert_eq!(reason, FinishReason::Cancelled);
                assert!("a b c d ".repeat(1000).starts_with(&completion.text));
            }
            (way, got) => panic!("{way:?} ended with {got:?}"),
        }
    }
}

fn milliseconds(number: u32) -> Duration {
    Duration::from_millis(number.into())
}

/// Reads on until the answer ends, and sees that it stays ended.
fn read_to_the_end(generation: &Generation) {
    let failed = loop {
        match generation.next(Some(LONG)) {
            Ok(Some(_)) => {}
            Ok(None) => break false,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Timeout);
                break true;
            }
        }
    };
    for _ in 0..2 {
        let again = generation.next(Some(Duration::ZERO));
        assert_eq!(again.is_err(), failed, "a second end: {again:?}");
        assert!(!matches!(again, Ok(Some(_))), "text after the end");
    }
}

/// What a caller does with a request.
fn live(way: Way, generation: Generation, options: &GenerateOptions, dice: &mut Dice) {
    for _ in 0..dice.below(4) {
        // The end, or a deadline that passed, is met again below.
        let _ = generation.next(Some(LONG));
    }
    match way {
        Way::Dropped => return drop(generation),
        Way::Cancelled => generation.cancel(),
        Way::CancelledElsewhere => {
            let woken = Arc::new(AtomicU32::new(0));
            let count = woken.clone();
            let pending = generation
                .poll(move || {
                    count.fetch_add(1, Ordering::Relaxed);
                })
                .is_pending();
            let canceller = &generation;
            thread::scope(|scope| {
                scope.spawn(|| canceller.cancel());
                read_to_the_end(canceller);
            });
            generation.wait(Some(LONG)).expect("no failure");
            let times = woken.load(Ordering::Relaxed);
            assert!(times <= u32::from(pending), "woken {times} times");
        }
        _ => {}
    }
    read_to_the_end(&generation);
    way.ends_as(&generation, options);
    assert!(!matches!(generation.poll(|| ()), Poll::Pending));
    let (first, second) = (generation.completion(), generation.completion());
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
}

/// Asks as one of several callers, whose requests are noted in the order in which they are taken.
fn call(caller: u32, requests: u32, model: &Model, asked: &Mutex<Vec<[u32; 2]>>) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 + u64::from(caller));
    for number in 0..requests {
        let way = WAYS[dice.below(7) as usize];
        let options = way.options(&mut dice);
        let ids = [caller, number];
        let generation = {
            let mut asked = asked.lock().unwrap();
            asked.push(ids);
            model
                .complete_ids(&ids, &options)
                .expect("room in the queue")
        };
        live(way, generation, &options, &mut dice);
    }
}

/// Whether `part` is `whole` with some left out.
fn keeps_the_order(part: &[[u32; 2]], whole: &[[u32; 2]]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|one| rest.any(|other| other == one))
}

fn soak(group: &str, requests: u32) {
    let folder = Folder::new();
    let script = folder.file("script.rkllm", SCRIPT);
    let given = ModelOptions {
        max_queue: Some(QUEUE),
        ..options(group)
    };
    let model = Model::open(&script, &given).expect("the script opens");
    let asked = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (model, asked) = (&model, &asked);
            scope.spawn(move || call(caller, requests / CALLERS, model, asked));
        }
    });
    model.close().expect("it closes");
    let ran: Vec<[u32; 2]> = folder
        .record("run")
        .iter()
        .map(|run| serde_json::from_value(run["input"].clone()).expect("two ids"))
        .collect();
    let asked = asked.into_inner().unwrap();
    assert!(!ran.is_empty());
    assert!(
        keeps_the_order(&ran, &asked),
        "{group}: the order of requests"
    );
    eprintln!(
        "{group}: {} requests, {} of them ran",
        asked.len(),
        ran.len()
    );
}

/// Threads, descriptors, and bytes on the heap, the library's included.
fn left() -> (usize, usize, usize) {
    // SAFETY: it takes nothing and gives numbers.
    let heap = unsafe { libc::mallinfo2() };
    let count = |folder| fs::read_dir(folder).expect("procfs").count();
    (
        count("/proc/self/task"),
        count("/proc/self/fd"),
        heap.uordblks + heap.hblkhd,
    )
}

#[test]
fn ten_thousand_requests_end_once_each_and_leave_nothing() {
    // What is loaded once stays: libraries, their thread-local state, the tables of the regular
    // expressions.
    for group in GROUPS {
        soak(group, 200);
    }
    let before = left();
    let began = Instant::now();
    for group in GROUPS {
        soak(group, REQUESTS / 5);
    }
    // The last threads end by themselves.
    let waited = Instant::now();
    while left().0 > before.0 && waited.elapsed() < LONG {
        thread::sleep(milliseconds(10));
    }
    let after = left();
    eprintln!(
        "{REQUESTS} requests in {:.1} s; threads, descriptors, bytes: {before:?}, then {after:?}",
        began.elapsed().as_secs_f32()
    );
    assert_eq!((after.0, after.1), (before.0, before.1));
    // What allocators keep for threads differs by some thousands. The smallest piece of memory takes 24
    // bytes, so one lost by every third request is seen.
    assert!(
        after.2 < before.2 + 8 * REQUESTS as usize,
        "{before:?} {after:?}"
    );
}

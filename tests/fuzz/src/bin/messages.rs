//! Fuzzes the target `messages`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rkchat_fuzz::run("messages", bytes));

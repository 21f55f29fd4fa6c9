//! Fuzzes the target `model_card`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rkchat_fuzz::run("model_card", bytes));

//! Fuzzes the target `tokenizer_config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rkchat_fuzz::run("tokenizer_config", bytes));

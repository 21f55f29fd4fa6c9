//! Fuzzes the target `template`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rkchat_fuzz::run("template", bytes));

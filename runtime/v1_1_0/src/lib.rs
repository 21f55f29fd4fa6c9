//! The CPU runtime as librkllmrt.so of ABI group 1.1.0.

rkchat_runtime_front::export_v1_1_0!(rkchat_runtime_front::cpu::Cpu);
rkchat_runtime_front::export_extension!(c"rkchat-cpu", env!("CARGO_PKG_VERSION"));

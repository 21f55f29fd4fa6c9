//! The CPU runtime as librkllmrt.so of ABI group 1.3.0.

rkchat_runtime_front::export_v1_3_0!(rkchat_runtime_front::cpu::Cpu);
rkchat_runtime_front::export_extension!(c"rkchat-cpu", env!("CARGO_PKG_VERSION"));

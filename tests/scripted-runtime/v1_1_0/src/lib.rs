//! The scripted runtime as librkllmrt.so of ABI group 1.1.0.

rkchat_runtime_front::export_v1_1_0!(rkchat_scripted::Scripted);

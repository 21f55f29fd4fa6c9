//! The scripted runtime as librkllmrt.so of ABI group 1.0.0.

rkchat_runtime_front::export_v1_0_0!(rkchat_scripted::Scripted);

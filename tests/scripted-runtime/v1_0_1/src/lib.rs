//! The scripted runtime as librkllmrt.so of ABI group 1.0.1.

rkchat_runtime_front::export_v1_0_1!(rkchat_scripted::Scripted);

//! The scripted runtime as librkllmrt.so of ABI group 1.3.0.

rkchat_runtime_front::export_v1_3_0!(rkchat_scripted::Scripted);

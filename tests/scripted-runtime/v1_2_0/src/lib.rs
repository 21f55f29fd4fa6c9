//! The scripted runtime as librkllmrt.so of ABI group 1.2.0.

rkchat_runtime_front::export_v1_2_0!(rkchat_scripted::Scripted);

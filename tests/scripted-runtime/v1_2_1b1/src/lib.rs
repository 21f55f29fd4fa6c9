//! The scripted runtime as librkllmrt.so of ABI group 1.2.1b1.

rkchat_runtime_front::export_v1_2_1b1!(rkchat_scripted::Scripted);

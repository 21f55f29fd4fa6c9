//! The functions of group 1.0.0 over scripts.

mod groups;
mod support;

mod library {
    rkchat_runtime_front::export_v1_0_0!(rkchat_scripted::Scripted);
}

groups::group_tests!(crate::library::FUNCTIONS);

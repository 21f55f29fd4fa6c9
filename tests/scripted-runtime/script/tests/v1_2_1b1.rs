//! The functions of group 1.2.1b1 over scripts.

mod groups;
mod support;

mod library {
    rkchat_runtime_front::export_v1_2_1b1!(rkchat_scripted::Scripted);
}

groups::group_tests!(crate::library::FUNCTIONS);

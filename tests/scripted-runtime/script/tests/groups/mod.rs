//! Tests that every group has to pass.

mod faults;
mod process;
mod runs;

use crate::support::client::{Client, Settings};
use crate::support::{Heard, ScriptFile};
pub use faults::*;
pub use process::*;
pub use runs::*;
use serde_json::Value;
use std::ffi::{CStr, c_int, c_void};

/// The tests over a group's functions.
macro_rules! group_tests {
    ($functions:expr) => {
        /// What every group has to do.
        mod every_group {
            crate::groups::group_tests! {
                @ $functions,
                pieces_are_played_and_text_goes_in_as_it_is
                parameters_arrive
                the_first_runs_may_have_pieces_of_their_own
                characters_may_come_in_parts
                runs_end_when_aborted_or_destroyed
                runs_in_the_background
                limits_are_kept_or_clamped
                an_unlimited_script_ignores_the_window
                bad_handles_are_refused
                opening_fails_in_many_ways
                runs_break_the_rules
                states_and_texts_can_be_anything
                calls_come_late
                an_aborted_run_leaves_tokens_behind
                an_aborted_run_breaks_the_model
                an_abort_takes_its_time
                caches_are_cleared
                a_second_model_is_refused_or_waits
                strict_libraries_crash_on_null
                logs_go_where_they_are_told
                prompt_caches_go_to_the_working_directory
            }
        }
    };
    (@ $functions:expr, $($test:ident)*) => {
        $(#[test]
        fn $test() {
            crate::groups::$test(&$functions);
        })*
    };
}
pub(crate) use group_tests;

/// An open model.
pub struct Model<'a, C: Client> {
    pub client: &'a C,
    pub handle: *mut c_void,
    pub file: ScriptFile,
    pub heard: Heard,
}

// SAFETY: the library's functions may be called from any thread.
unsafe impl<C: Client> Sync for Model<'_, C> {}

impl<'a, C: Client> Model<'a, C> {
    pub fn open(client: &'a C, script: Value) -> Self {
        let (status, model) = Model::open_with(client, script, |settings| settings);
        assert_eq!(status, 0);
        model
    }

    pub fn open_with(
        client: &'a C,
        script: Value,
        change: impl FnOnce(Settings<'_>) -> Settings<'_>,
    ) -> (c_int, Self) {
        let file = ScriptFile::new(script);
        let path = file.path();
        let (status, handle) = client.open(change(Settings::new(&path)));
        let model = Model {
            client,
            handle,
            file,
            heard: Heard::default(),
        };
        (status, model)
    }

    pub fn run(&self) -> c_int {
        self.text(c"hello there")
    }

    pub fn text(&self, text: &CStr) -> c_int {
        self.client.run(self.handle, text, &self.heard)
    }
}

impl<C: Client> Drop for Model<'_, C> {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            self.client.destroy(self.handle);
        }
    }
}

/// The id as the group's callback gets it.
pub fn id<C: Client>(id: i32) -> i32 {
    if C::IDS { id } else { -1 }
}

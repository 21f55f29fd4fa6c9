//! What concerns the whole process, in one of its own.

use super::Model;
use crate::support::client::{Client, Settings};
use crate::support::in_child;
use serde_json::json;
use std::os::unix::process::ExitStatusExt;

pub fn strict_libraries_crash_on_null<C: Client>(client: &C) {
    let folder = tempfile::tempdir().unwrap();
    let name = "every_group::strict_libraries_crash_on_null";
    let child = in_child(name, folder.path(), || {
        let strict = json!({"strict": true, "pieces": ["x"]});
        let (_, model) = Model::open_with(client, strict, |settings| Settings {
            no_markers: true,
            ..settings
        });
        // Groups without markers get here; those that have roles were given none.
        model.run();
    });
    if let Some(output) = child {
        // The groups since 1.1.0 have at least one of both.
        let signal = C::IDS.then_some(libc::SIGABRT);
        assert_eq!(output.status.signal(), signal, "{output:?}");
    }
}

pub fn logs_go_where_they_are_told<C: Client>(client: &C) {
    let folder = tempfile::tempdir().unwrap();
    let name = "every_group::logs_go_where_they_are_told";
    let child = in_child(name, folder.path(), || {
        let init_error = "to the one";
        Model::open_with(
            client,
            json!({"init": "fail", "init_error": init_error, "log_to": "stdout"}),
            |s| s,
        );
        let init_error = "to the other";
        Model::open_with(
            client,
            json!({"init": "fail", "init_error": init_error}),
            |s| s,
        );
    });
    if let Some(output) = child {
        let (stdout, stderr) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert!(stdout.contains("E rkllm: to the one\n"), "{stdout}");
        assert!(!stdout.contains("to the other") && !stderr.contains("to the one"));
        assert!(stderr.contains("E rkllm: to the other\n"), "{stderr}");
        // Information in 1.0.x has no prefix.
        assert_eq!(stderr.contains("I rkllm: rkllm-runtime version: "), C::IDS);
        assert!(stderr.contains("rkllm-runtime version: "));
    }
}

pub fn prompt_caches_go_to_the_working_directory<C: Client>(client: &C) {
    let folder = tempfile::tempdir().unwrap();
    let name = "every_group::prompt_caches_go_to_the_working_directory";
    let child = in_child(name, folder.path(), || {
        let model = Model::open(client, json!({"pieces": ["x"]}));
        let saved = client.run_saving(model.handle, c"a b", &model.heard);
        assert_eq!(saved, C::IDS.then_some(0));
    });
    if let Some(output) = child {
        assert!(output.status.success(), "{output:?}");
        assert_eq!(folder.path().join("prompt_cache.bin").exists(), C::IDS);
    }
}

//! Who has the NPU, seen from other processes: this program starts itself as them.

mod common;

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use common::{Folder, open_with, scripted_runtime};
use rkchat::{Json, ModelOptions};
use serde_json::json;

const CHILD: &str = "RKCHAT_TEST_CHILD";

/// A process that opens a model and does what it is told by lines.
struct Process {
    child: Child,
    tell: Option<ChildStdin>,
    hear: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts it; gives what it says of its opening.
    fn start(folder: &Folder, group: &str) -> (Self, Json) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .env("RKCHAT_LOCK_DIR", folder.path().join("locks"))
            .env(CHILD, group)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let tell = child.stdin.take();
        let hear = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Self { child, tell, hear };
        let said = process.hear();
        (process, said)
    }

    fn hear(&mut self) -> Json {
        let lines = self.hear.by_ref().map(|line| line.unwrap());
        let json = |line: String| serde_json::from_str(line.strip_prefix("said ")?).ok();
        lines.filter_map(json).next().expect("it says something")
    }

    fn tell(&mut self, line: &str) -> Json {
        let tell = self.tell.as_mut().unwrap();
        writeln!(tell, "{line}").unwrap();
        self.hear()
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "the other tests start it"]
fn child() {
    let Ok(group) = std::env::var(CHILD) else {
        return;
    };
    let say = |what: Json| println!("\nsaid {what}");
    let options = ModelOptions {
        runtime: Some(scripted_runtime(&group)),
        abi: Some(group),
        ..ModelOptions::default()
    };
    let model = match open_with(r#"{"pieces": ["a"]}"#, &options) {
        Ok(model) => model,
        Err(error) => {
            return say(json!({"error": error.message(), "details": error.details()}));
        }
    };
    let told = |model: &rkchat::Model| {
        let warnings = model.info().warnings.into_iter();
        let warnings: Vec<_> = warnings.map(|warning| warning.message).collect();
        let holders = model.npu_holders().into_iter();
        let pids: Vec<_> = holders.map(|holder| holder.pid).collect();
        json!({"warnings": warnings, "holders": pids})
    };
    say(told(&model));
    for line in std::io::stdin().lines() {
        match &*line.unwrap() {
            "unload" => model.unload().unwrap(),
            "close" => model.close().unwrap(),
            "fork" => {
                // SAFETY: the child only sleeps and leaves by _exit.
                let pid = unsafe { libc::fork() };
                if pid == 0 {
                    // SAFETY: as above.
                    unsafe {
                        libc::sleep(30);
                        libc::_exit(0);
                    }
                }
                say(json!(pid));
                continue;
            }
            _ => {}
        }
        say(told(&model));
    }
}

fn warns(said: &Json) -> bool {
    let warnings = said["warnings"].as_array().unwrap();
    warnings
        .iter()
        .any(|warning| warning.as_str().unwrap().contains("other processes use"))
}

#[test]
fn a_release_that_lets_no_other_in_is_respected_across_processes() {
    let folder = Folder::new();
    let (mut first, said) = Process::start(&folder, "1.1.0");
    assert_eq!(said["holders"], json!([first.pid()]));
    for group in ["1.1.0", "1.3.0"] {
        let (_second, said) = Process::start(&folder, group);
        let error = said["error"].as_str().unwrap_or_default();
        assert!(
            error.contains(&format!("process {}", first.pid())),
            "{said}"
        );
        assert_eq!(said["details"]["capability"], "several_models");
        assert_eq!(said["details"]["pid"], first.pid());
    }
    // Unloaded, it is nobody's.
    first.tell("unload");
    let (mut second, said) = Process::start(&folder, "1.1.0");
    assert_eq!(said["holders"], json!([second.pid()]), "{said}");
    let said = second.tell("close");
    assert_eq!(said["holders"], json!([]));
    // Nor does it come in beside another.
    let (third, _) = Process::start(&folder, "1.3.0");
    let (_fourth, said) = Process::start(&folder, "1.1.0");
    assert_eq!(said["details"]["pid"], third.pid(), "{said}");
}

#[test]
fn what_a_process_that_was_killed_left_is_cleared_away() {
    let folder = Folder::new();
    drop(Process::start(&folder, "1.3.0"));
    let files = || {
        std::fs::read_dir(folder.path().join("locks"))
            .unwrap()
            .count()
    };
    assert_eq!(files(), 1);
    let (second, said) = Process::start(&folder, "1.3.0");
    assert_eq!(said["holders"], json!([second.pid()]));
    assert_eq!(files(), 1);
}

#[test]
fn others_share_it_and_are_told() {
    let folder = Folder::new();
    let (mut first, said) = Process::start(&folder, "1.3.0");
    assert!(!warns(&said), "{said}");
    let (second, said) = Process::start(&folder, "1.3.0");
    assert!(warns(&said), "{said}");
    let warning = said["warnings"].to_string();
    assert!(warning.contains(&format!("(process {})", first.pid())));
    let mut both = [first.pid(), second.pid()];
    both.sort_unstable();
    let mut seen: Vec<u32> = serde_json::from_value(said["holders"].clone()).unwrap();
    seen.sort_unstable();
    assert_eq!(seen, both);
    drop(second);
    assert_eq!(first.tell("look")["holders"], json!([first.pid()]));
}

#[test]
fn it_ends_with_the_process_and_not_with_its_children() {
    let folder = Folder::new();
    let (mut first, _) = Process::start(&folder, "1.1.0");
    let forked = first.tell("fork").as_i64().unwrap();
    let first_pid = first.pid();
    drop(first);
    let (second, said) = Process::start(&folder, "1.1.0");
    assert_eq!(
        said["holders"],
        json!([second.pid()]),
        "{first_pid}: {said}"
    );
    let forked = i32::try_from(forked).unwrap();
    // SAFETY: a signal to the process that this test's own child has forked, which still sleeps.
    assert_eq!(unsafe { libc::kill(forked, libc::SIGKILL) }, 0);
}

#[test]
fn a_folder_that_others_may_write_to_is_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let locks = folder.path().join("locks");
    std::fs::create_dir(&locks).unwrap();
    std::fs::set_permissions(&locks, std::fs::Permissions::from_mode(0o777)).unwrap();
    let (_first, said) = Process::start(&folder, "1.1.0");
    assert!(said["error"].is_null(), "{said}");
    assert_eq!(std::fs::read_dir(&locks).unwrap().count(), 0);
}

//! Libraries for tests, written in C from the vendor's declarations: they export a group's functions,
//! and only `rkllm_createDefaultParam` does anything.

// Each test program uses a part of it.
#![allow(dead_code)]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// The worker that is probed with: the one just built, or the one that the environment names, as where
/// programs are emulated and the built one cannot be started directly.
pub fn worker() -> PathBuf {
    std::env::var_os("RKCHAT_WORKER").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_rkchat-worker")),
        PathBuf::from,
    )
}

/// How a library writes its defaults.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    /// One field after the other, leaving the gaps alone.
    Fields,
    /// Zero, then one field after the other.
    Zeroed,
    /// A copy of a constant.
    Copy,
}

/// The defaults: those that are documented, and plausible ones for the rest.
const DEFAULTS: &[(&str, &str)] = &[
    ("max_context_len", "512"),
    ("max_new_tokens", "-1"),
    ("top_k", "40"),
    ("n_keep", "-1"),
    ("top_p", "0.9f"),
    ("temperature", "0.8f"),
    ("repeat_penalty", "1.1f"),
    ("frequency_penalty", "0"),
    ("presence_penalty", "0"),
    ("mirostat", "0"),
    ("mirostat_tau", "5.0f"),
    ("mirostat_eta", "0.1f"),
    ("logprobs", "false"),
    ("use_gpu", "false"),
    ("skip_special_token", "true"),
    ("ignore_eos_token", "false"),
    ("is_async", "false"),
];

const EXTENDED_DEFAULTS: &[(&str, &str)] = &[
    ("base_domain_id", "0"),
    ("embed_flash", "1"),
    ("enabled_cpus_num", "4"),
    ("enabled_cpus_mask", "0xf0"),
    ("n_batch", "1"),
    ("use_cross_attn", "0"),
];

/// A folder for libraries, removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    /// None, with a word about it, where there is no C compiler.
    pub fn new() -> Option<Self> {
        if let Err(error) = Command::new("cc").arg("--version").output() {
            eprintln!("SKIPPED: there is no C compiler: {error}");
            return None;
        }
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rkchat-mocks-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a writable temporary folder");
        Some(Self(path))
    }

    /// Compiles a library and gives its path.
    pub fn library(&self, name: &str, source: &str, options: &[&str]) -> PathBuf {
        let c = self.0.join(format!("{name}.c"));
        std::fs::write(&c, source).expect("a writable temporary folder");
        let library = c.with_extension("so");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-w"]).args(options);
        let status = cc.arg("-o").arg(&library).arg(&c).status();
        assert!(status.unwrap().success(), "{source}");
        library
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The facts of a group, or None with a word about it.
pub fn facts(group: &str) -> Option<Value> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../shared/vendor/v{group}.json"));
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            let path = path.display();
            eprintln!("SKIPPED: the facts of group {group} are not here: {path}: {error}");
            None
        }
    }
}

/// A library of a group in C, but for `rkllm_createDefaultParam`.
pub fn functions(facts: &Value) -> String {
    let mut c = "#include <stdbool.h>\n#include <stdint.h>\n#include <string.h>\n".to_owned();
    for name in facts["functions"].as_object().unwrap().keys() {
        if name != "rkllm_createDefaultParam" {
            writeln!(c, "int {name}(void) {{ return 0; }}").unwrap();
        }
    }
    c
}

/// A whole library of a group in C; `img` is what pointers to texts for images are set to.
pub fn source(facts: &Value, style: Style, img: &str) -> String {
    let mut c = functions(facts);
    let mut settings = Vec::new();
    for name in ["RKLLMExtendParam", "RKLLMParam"] {
        let Some(fields) = facts["structs"][name]["fields"].as_array() else {
            continue;
        };
        c.push_str("typedef struct {\n");
        for field in fields {
            let (ty, field_name) = (
                field["type"].as_str().unwrap(),
                field["name"].as_str().unwrap(),
            );
            match field["array_len"].as_u64() {
                Some(length) => writeln!(c, "    {ty} {field_name}[{length}];").unwrap(),
                None => writeln!(c, "    {ty} {field_name};").unwrap(),
            }
            let (defaults, prefix) = match name {
                "RKLLMParam" => (DEFAULTS, ""),
                _ => (EXTENDED_DEFAULTS, "extend_param."),
            };
            let default = defaults.iter().find(|(name, _)| *name == field_name);
            let default = default.map(|(_, value)| *value);
            let default = default.or_else(|| field_name.starts_with("img_").then_some(img));
            settings.extend(default.map(|value| format!("{prefix}{field_name} = {value}")));
        }
        writeln!(c, "}} {name};").unwrap();
    }
    c.push_str("RKLLMParam rkllm_createDefaultParam(void) {\n");
    if let Style::Copy = style {
        let settings = settings.join(", .");
        writeln!(
            c,
            "    static const RKLLMParam defaults = {{ .{settings} }};"
        )
        .unwrap();
        c.push_str("    return defaults;\n}\n");
        return c;
    }
    c.push_str("    RKLLMParam p;\n");
    if let Style::Zeroed = style {
        c.push_str("    memset(&p, 0, sizeof p);\n");
    }
    for setting in settings {
        writeln!(c, "    p.{setting};").unwrap();
    }
    c.push_str("    return p;\n}\n");
    c
}

//! What the libraries export, and the defaults they give out.

use crate::support::*;
use object::{Object, ObjectSymbol};
use rkchat_runtime_front::abi::{self, GROUPS, extension};
use std::path::Path;

#[test]
fn exports_the_group_and_nothing_else() {
    let Some((runtime, _)) = installed() else {
        return;
    };
    for group in GROUPS {
        let functions = group.functions.iter();
        let mut ours: Vec<_> = functions
            .map(|function| function.name.to_string())
            .collect();
        ours.sort();
        if let Some(mut facts) = facts(group.name) {
            facts.sort();
            assert_eq!(facts, ours, "group {}", group.name);
        }
        let scripted = runtime.join("scripted").join(group.name);
        assert_eq!(exported(&scripted.join("librkllmrt.so")), ours);
        ours.insert(0, extension::SYMBOL.to_str().unwrap().into());
        let cpu = runtime.join(group.name).join("librkllmrt.so");
        assert_eq!(exported(&cpu), ours);
    }
    assert_eq!(
        exported(&runtime.join("librkchat_runtime_engine.so")),
        ["rkchat_runtime_engine"]
    );
}

fn exported(path: &Path) -> Vec<String> {
    let data = std::fs::read(path).unwrap();
    let file = object::File::parse(&*data).unwrap();
    let symbols = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition());
    let mut names: Vec<_> = symbols
        .map(|symbol| symbol.name().unwrap().to_string())
        .collect();
    names.sort();
    names
}

/// The functions that the vendor's header of a group declares.
fn facts(group: &str) -> Option<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join(format!("../shared/vendor/v{group}.json"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is not here", path.display());
        return None;
    };
    let facts: serde_json::Value = serde_json::from_str(&text).unwrap();
    let functions = facts["functions"].as_object().unwrap();
    Some(functions.keys().cloned().collect())
}

/// Checks the defaults that all groups have, then those named.
macro_rules! defaults {
    ($runtime:expr, $group:ident, $($field:ident).+ = $value:expr $(, $($more:tt)*)?) => {{
        let param = defaults!(@param $runtime, $group);
        assert_eq!((param.top_k, param.top_p, param.temperature), (40, 0.9, 0.8));
        assert_eq!((param.repeat_penalty, param.frequency_penalty), (1.1, 0.0));
        assert_eq!(param.presence_penalty, 0.0);
        assert_eq!((param.mirostat, param.mirostat_tau, param.mirostat_eta), (0, 5.0, 0.1));
        defaults!(@fields param, $($field).+ = $value $(, $($more)*)?);
        param
    }};
    (@param $runtime:expr, $group:ident) => {{
        let name = abi::$group::GROUP.name;
        let library = library(&$runtime.join(name).join("librkllmrt.so"));
        // SAFETY: the library belongs to the group and is never unloaded; the function takes
        // nothing.
        unsafe {
            let functions = abi::$group::Functions::load(|symbol| find(library, symbol)).unwrap();
            (functions.rkllm_createDefaultParam)()
        }
    }};
    (@fields $param:ident, $($($field:ident).+ = $value:expr),+) => {
        $(assert_eq!($param.$($field).+, $value, stringify!($($field).+));)+
    };
}

#[test]
fn defaults_are_those_of_the_manual() {
    let Some((runtime, _)) = installed() else {
        return;
    };
    defaults!(runtime, v1_0_0, num_npu_core = 1);
    defaults!(runtime, v1_0_1, num_npu_core = 1, use_gpu = 0, logprobs = 0);
    let param = defaults!(
        runtime,
        v1_1_0,
        extend_param.base_domain_id = 0,
        is_async = 0
    );
    assert_eq!(param.extend_param.reserved, [0; 112]);
    for marker in [param.img_start, param.img_end, param.img_content] {
        assert!(!marker.is_null(), "callers may read it");
    }
    macro_rules! since_1_2_0 {
        ($group:ident, $reserved:literal) => {{
            let param = defaults!(
                runtime,
                $group,
                n_keep = -1,
                is_async = 0,
                extend_param.base_domain_id = 0,
                extend_param.enabled_cpus_num = 4,
                extend_param.embed_flash = 1,
                extend_param.reserved = [0; $reserved]
            );
            param
        }};
    }
    since_1_2_0!(v1_2_0, 106);
    since_1_2_0!(v1_2_1b1, 106);
    assert_eq!(since_1_2_0!(v1_2_1, 104).extend_param.n_batch, 1);
    let param = since_1_2_0!(v1_3_0, 104);
    assert_eq!((param.extend_param.n_batch, param.ignore_eos_token), (1, 0));
}

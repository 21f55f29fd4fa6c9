//! What the libraries export, and the defaults they give out.

use crate::support::*;
use object::{Object, ObjectSymbol};
use rkchat_runtime_front::abi::v1_3_0::RKLLMParam;
use rkchat_runtime_front::abi::{extension, v1_1_0, v1_3_0};
use std::path::Path;

#[test]
fn exports_the_group_and_nothing_else() {
    let Some((runtime, _)) = installed() else {
        return;
    };
    for (group, functions) in [
        ("1.1.0", v1_1_0::Functions::TABLE),
        ("1.3.0", v1_3_0::Functions::TABLE),
    ] {
        let mut ours: Vec<_> = functions
            .iter()
            .map(|function| function.name.to_string())
            .collect();
        ours.sort();
        let scripted = exported(&runtime.join("scripted").join(group).join("librkllmrt.so"));
        assert_eq!(scripted, ours);
        ours.insert(0, extension::SYMBOL.to_str().unwrap().into());
        let cpu = exported(&runtime.join(group).join("librkllmrt.so"));
        assert_eq!(cpu, ours);
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

#[test]
fn defaults_of_1_3_0() {
    let Some((runtime, _)) = installed() else {
        return;
    };
    let functions = functions(library(&runtime.join("1.3.0/librkllmrt.so")));
    // SAFETY: the function takes nothing.
    let param: RKLLMParam = unsafe { (functions.rkllm_createDefaultParam)() };
    assert_eq!(
        (param.top_k, param.top_p, param.temperature),
        (40, 0.9, 0.8)
    );
    assert_eq!((param.repeat_penalty, param.presence_penalty), (1.1, 0.0));
    assert_eq!(
        (
            param.extend_param.n_batch,
            param.extend_param.enabled_cpus_num
        ),
        (1, 4)
    );
}

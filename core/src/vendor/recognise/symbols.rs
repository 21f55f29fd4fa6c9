//! What the exported functions tell.

use super::unfit::Unfit;
use crate::vendor::abi::GROUPS;
use crate::vendor::abi::layout::GroupLayout;

/// The function that only rkchat's own runtimes export.
pub const EXTENSION: &str = "rkchat_rt_extension";

/// What every RKLLM runtime exports.
const CORE: [&str; 4] = [
    "rkllm_createDefaultParam",
    "rkllm_init",
    "rkllm_run",
    "rkllm_destroy",
];

/// The names worth keeping of all that a library exports.
pub fn matters(name: &str) -> bool {
    name.starts_with("rkllm_") || name == EXTENSION
}

/// The groups that a library with these exports can be of: the newest that brought a function it has,
/// and those after it that brought none.
pub fn groups(exports: impl Fn(&str) -> bool) -> Result<&'static [&'static GroupLayout], Unfit> {
    let missing: Vec<_> = CORE.into_iter().filter(|name| !exports(name)).collect();
    if !missing.is_empty() {
        return Err(Unfit::NotRuntime(missing));
    }
    static ALL: [&GroupLayout; 7] = GROUPS;
    let brought = |at: usize| {
        let before: &[_] = if at == 0 { &[] } else { ALL[at - 1].functions };
        let new = |name: &str| before.iter().all(|function| function.name != name);
        ALL[at]
            .functions
            .iter()
            .map(|function| function.name)
            .filter(move |name| new(name))
    };
    let newest = (0..ALL.len())
        .rev()
        .find(|at| brought(*at).any(&exports))
        .unwrap_or(0);
    let after = (newest + 1..ALL.len()).take_while(|at| brought(*at).next().is_none());
    Ok(&ALL[newest..=newest + after.count()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &[&GroupLayout]) -> Vec<&'static str> {
        found.iter().map(|group| group.name).collect()
    }

    #[test]
    fn each_groups_functions_leave_that_group_and_its_like() {
        let expected: [&[&str]; 7] = [
            &["1.0.0"],
            &["1.0.1"],
            &["1.1.0"],
            &["1.2.0", "1.2.1b1"],
            &["1.2.0", "1.2.1b1"],
            &["1.2.1", "1.3.0"],
            &["1.2.1", "1.3.0"],
        ];
        for (group, expected) in GROUPS.iter().zip(expected) {
            let has = |name: &str| group.functions.iter().any(|function| function.name == name);
            assert_eq!(names(groups(has).unwrap()), expected, "{}", group.name);
            let undeclared = |name: &str| has(name) || name == "rkllm_print_memorys";
            assert_eq!(names(groups(undeclared).unwrap()), expected);
        }
    }

    #[test]
    fn a_library_without_the_core_is_no_runtime() {
        let error = groups(|name| name != "rkllm_run" && name != "rkllm_init")
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "it is not an RKLLM runtime: it does not export rkllm_init, rkllm_run"
        );
    }
}

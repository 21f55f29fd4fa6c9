//! Which ABI group a library belongs to.
//!
//! The evidence: rkchat's own runtime says it; the exported symbols narrow it down (`ABI.md` section 3
//! of the vendor facts); the user's word settles the rest and is checked against the symbols. It is
//! never found out by trying: 1.3.0 driven with the layout of 1.2.1 opens a model and crashes in the
//! run.

use super::group::Group;
use crate::surface::{Error, ErrorKind, Result};

/// All groups, the symbol that came with each, and their releases.
const GROUPS: [(&str, &[&str]); 7] = [
    ("1.0.0", &["1.0.0"]),
    ("1.0.1", &["1.0.1", "1.0.2"]),
    ("1.1.0", &["1.1.0", "1.1.1", "1.1.2", "1.1.3", "1.1.4"]),
    ("1.2.0", &["1.2.0"]),
    ("1.2.1b1", &["1.2.1b1"]),
    ("1.2.1", &["1.2.1", "1.2.2", "1.2.3"]),
    ("1.3.0", &["1.3.0"]),
];

/// What speaks for the group that was chosen.
#[derive(Debug)]
pub(super) struct Verdict {
    pub group: Group,
    /// The release, where the user named one.
    pub release: Option<String>,
    pub evidence: Vec<String>,
}

/// The groups whose declared functions the library has, judged by the functions that came new.
fn by_symbols(
    exports: impl Fn(&str) -> bool,
) -> &'static [(&'static str, &'static [&'static str])] {
    if !exports("rkllm_abort") {
        &GROUPS[0..1]
    } else if !exports("rkllm_is_running") {
        &GROUPS[1..2]
    } else if !exports("rkllm_set_chat_template") {
        &GROUPS[2..3]
    } else if !exports("rkllm_get_kv_cache_size") {
        &GROUPS[3..5]
    } else {
        &GROUPS[5..7]
    }
}

/// Settles the group of the library at `path` from what it exports, from what rkchat's own runtime says
/// of itself (`own`), and from the user's word (`abi`).
pub(super) fn settle(
    path: &str,
    exports: impl Fn(&str) -> bool,
    own: Option<&str>,
    abi: Option<&str>,
) -> Result<Verdict> {
    let word = abi.map(|word| release_group(word.trim()).map(|group| (word.trim(), group)));
    let word = word.transpose()?;
    if let Some(own) = own {
        if let Some((word, _)) = word.filter(|(_, group)| *group != own) {
            return Err(contradiction(
                path,
                word,
                &format!("it says of itself that it is of group {own}"),
            ));
        }
        let evidence = vec![format!(
            "rkchat's own runtime says that it is of group {own}"
        )];
        return drivable(path, own, None, evidence);
    }
    let candidates = by_symbols(exports);
    let names = candidates
        .iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(" or ");
    let symbols = format!("its exported functions are those of group {names}");
    match (word, candidates) {
        (Some((word, group)), _) => {
            if candidates.iter().all(|(name, _)| *name != group) {
                return Err(contradiction(path, word, &symbols));
            }
            let evidence = vec![symbols, format!("the option abi says {word}")];
            drivable(path, group, Some(word), evidence)
        }
        (None, [(name, _)]) => drivable(path, name, None, vec![symbols]),
        (None, _) => Err(Error::new(
            ErrorKind::RuntimeAmbiguous,
            format!(
                "{path}: {symbols}, which have different memory layouts. Say which release it is with the option \
                 abi or the environment variable RKCHAT_ABI, for example abi = \"{}\". The runtime prints its \
                 version when a program opens a model with it.",
                candidates[candidates.len() - 1].0
            ),
        )),
    }
}

/// The group of a release.
fn release_group(word: &str) -> Result<&'static str> {
    let found = GROUPS.iter().find(|(_, releases)| releases.contains(&word));
    found.map(|(group, _)| *group).ok_or_else(|| {
        let known: Vec<_> = GROUPS
            .iter()
            .flat_map(|(_, releases)| *releases)
            .copied()
            .collect();
        Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "abi: {word:?} is not a release of the RKLLM runtime; known are {}",
                known.join(", ")
            ),
        )
    })
}

fn contradiction(path: &str, word: &str, evidence: &str) -> Error {
    Error::new(
        ErrorKind::RuntimeAmbiguous,
        format!(
            "{path}: abi says {word}, but {evidence}. Leave abi out, or name the release that this file is."
        ),
    )
}

fn drivable(
    path: &str,
    name: &str,
    release: Option<&str>,
    evidence: Vec<String>,
) -> Result<Verdict> {
    let group = Group::ALL.into_iter().find(|group| group.name() == name);
    let group = group.ok_or_else(|| {
        let known: Vec<_> = Group::ALL.map(Group::name).into();
        Error::new(
            ErrorKind::Unsupported,
            format!(
                "{path}: it is of ABI group {name}; this release of rkchat drives the groups {} (releases 1.1.0 to \
                 1.1.4, and 1.3.0)",
                known.join(" and ")
            ),
        )
    })?;
    Ok(Verdict {
        group,
        release: release.map(str::to_owned),
        evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::abi;

    fn exports_of(group: &abi::layout::GroupLayout) -> impl Fn(&str) -> bool {
        let names: Vec<_> = group
            .functions
            .iter()
            .map(|function| function.name)
            .collect();
        move |symbol| names.contains(&symbol)
    }

    #[test]
    fn symbols_settle_the_older_group() {
        let verdict = settle("x.so", exports_of(&abi::v1_1_0::GROUP), None, None).unwrap();
        assert_eq!(verdict.group, Group::V1_1_0);
        assert_eq!(verdict.release, None);
    }

    #[test]
    fn symbols_leave_the_newest_group_open_and_the_users_word_settles_it() {
        let exports = exports_of(&abi::v1_3_0::GROUP);
        let error = settle("x.so", &exports, None, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeAmbiguous);
        assert!(error.message().contains("RKCHAT_ABI"), "{error}");
        assert_eq!(
            settle("x.so", &exports, None, Some("1.3.0")).unwrap().group,
            Group::V1_3_0
        );
        let older = settle("x.so", &exports, None, Some("1.2.2")).unwrap_err();
        assert_eq!(older.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn the_users_word_is_checked() {
        let exports = exports_of(&abi::v1_1_0::GROUP);
        let error = settle("x.so", &exports, None, Some("1.3.0")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeAmbiguous);
        let error = settle("x.so", &exports, None, Some("1.4.0")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let error = settle("x.so", &exports, Some("1.1.0"), Some("1.3.0")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeAmbiguous);
    }
}

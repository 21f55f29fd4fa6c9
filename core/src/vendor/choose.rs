//! Which of several runtimes to take for a model, and what to get where none fits.

use super::get::platform_here;
use super::known::{FILES, Official};
use super::pairs::Fits;
use super::rank::{Ranked, a_model, a_runtime, rank};
use super::version::Version;
use crate::surface::{Error, ErrorKind, Result};

/// The runtime to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its place among the candidates.
    pub index: usize,
    /// Why it was taken: a sentence.
    pub reason: String,
    /// What to tell whoever uses it, where it may not work: a sentence.
    pub warning: Option<String>,
}

/// Takes the best candidate; one that fails only if `force` is set. `published` and `platform` say what
/// can be got where none fits.
pub fn choose(
    model: Option<Version>,
    candidates: &[Option<Version>],
    force: bool,
    published: &[Official],
    platform: &str,
) -> Result<Choice> {
    let ranked = rank(model, candidates);
    let Some(best) = ranked.first() else {
        let advice = what_to_get(model, published, platform);
        let message = format!("no runtime was found. {advice}");
        return Err(Error::new(ErrorKind::RuntimeNotFound, message));
    };
    if best.verdict.fits == Fits::Fails && !force {
        return Err(none_fits(&ranked, &what_to_get(model, published, platform)));
    }
    let verdict = &best.verdict;
    let taken = match verdict.fits {
        Fits::Fails => "was forced",
        _ => "was taken",
    };
    let reason = format!(
        "{} {taken} for {}: {}",
        a_runtime(best.runtime),
        a_model(model),
        verdict.why
    );
    let warning = verdict
        .warn
        .then(|| format!("{best} (source: {})", verdict.source));
    Ok(Choice {
        index: best.index,
        reason,
        warning,
    })
}

fn none_fits(ranked: &[Ranked], advice: &str) -> Error {
    let mut tried: Vec<String> = Vec::new();
    for ranked in ranked {
        let line = format!("{ranked} ({})", ranked.verdict.source);
        if !tried.contains(&line) {
            tried.push(line);
        }
    }
    let message = format!(
        "none of the runtimes that were found runs this model; {}. {advice}",
        tried.join("; ")
    );
    Error::new(ErrorKind::RuntimeMismatch, message)
}

/// The published runtime that suits a model best on a platform, unless all fail.
pub fn best_published<'a>(
    model: Option<Version>,
    published: &'a [Official],
    platform: &str,
) -> Option<(&'a Official, Ranked)> {
    let files: Vec<&Official> = published
        .iter()
        .filter(|file| file.platform == platform)
        .collect();
    let versions: Vec<_> = files.iter().map(|file| file.release.parse().ok()).collect();
    let best = rank(model, &versions).into_iter().next()?;
    (best.verdict.fits != Fits::Fails).then(|| (files[best.index], best))
}

/// [`choose`] among what is on this machine.
pub(super) fn choose_here(
    model: Option<Version>,
    candidates: &[Option<Version>],
    force: bool,
) -> Result<Choice> {
    choose(model, candidates, force, FILES, platform_here())
}

/// [`what_to_get`] on this machine.
pub(super) fn what_to_get_here(model: Option<Version>) -> String {
    what_to_get(model, FILES, platform_here())
}

/// What to do where no runtime suits a model: a sentence with the command.
pub fn what_to_get(model: Option<Version>, published: &[Official], platform: &str) -> String {
    match best_published(model, published, platform) {
        Some((file, best)) => format!(
            "Get runtime {} ({}): rkchat runtime get {}, or in a program Runtime.get with this release",
            file.release, best.verdict.why, file.release
        ),
        None => format!(
            "No runtime that was published for {platform} runs {}; convert the model again, for a newer version",
            a_model(model)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: &str = "Linux/aarch64";

    fn versions(texts: &[&str]) -> Vec<Option<Version>> {
        texts.iter().map(|text| text.parse().ok()).collect()
    }

    fn choice(model: &str, candidates: &[&str], force: bool) -> Result<Choice> {
        choose(
            model.parse().ok(),
            &versions(candidates),
            force,
            FILES,
            BOARD,
        )
    }

    #[test]
    fn the_choice_is_explained() {
        let taken = choice("1.1.2", &["1.3.0", "1.1.4", "1.1.1"], false).unwrap();
        assert_eq!(taken.index, 1);
        assert_eq!(
            taken.reason,
            "runtime 1.1.4 was taken for a model of version 1.1.2: the same minor version and not older"
        );
        assert_eq!(taken.warning, None);

        let doubtful = choice("1.1.4", &["1.2.3"], false).unwrap();
        let warning = doubtful.warning.unwrap();
        assert!(
            warning.contains("[PAD151935]") && warning.contains("#424"),
            "{warning}"
        );

        let unknown = choice("unknown", &["1.1.4", "1.3.0"], false).unwrap();
        assert_eq!(unknown.index, 1);
        assert!(unknown.reason.contains("newest"), "{}", unknown.reason);
    }

    #[test]
    fn what_fails_is_taken_only_by_force() {
        let error = choice("1.2.0", &["1.1.4", "1.1.2"], false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeMismatch);
        for part in [
            "runtime 1.1.4 for a model of version 1.2.0",
            "#235",
            "rkchat runtime get 1.2.0",
        ] {
            assert!(error.message().contains(part), "{part}: {error}");
        }
        let forced = choice("1.2.0", &["1.1.2", "1.1.4"], true).unwrap();
        assert_eq!(forced.index, 1);
        assert!(forced.reason.starts_with("runtime 1.1.4 was forced for"));
        assert!(forced.warning.unwrap().contains("invalid magic characters"));
    }

    #[test]
    fn without_candidates_the_command_is_named() {
        let error = choice("1.1.4", &[], true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeNotFound);
        assert!(
            error.message().contains("rkchat runtime get 1.1.4"),
            "{error}"
        );
        let error = choice("unknown", &[], false).unwrap_err();
        assert!(
            error.message().contains("rkchat runtime get 1.3.0"),
            "{error}"
        );
    }

    #[test]
    fn the_advice_is_for_the_platform() {
        let model = "1.1.2".parse().ok();
        let advice = what_to_get(model, FILES, "Linux/armhf");
        assert!(advice.contains("rkchat runtime get 1.2.1"), "{advice}");
        let advice = what_to_get("1.0.1".parse().ok(), FILES, "Linux/armhf");
        assert!(
            advice.contains("Linux/armhf") && advice.contains("convert"),
            "{advice}"
        );
    }
}

//! Which of several runtimes to take for a model, and what to get where none fits.

use std::fmt;

use super::known::Official;
use super::pairs::{Fits, Verdict, judge};
use super::version::Version;
use crate::surface::{Error, ErrorKind, Result};

/// A candidate, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// The candidate's place in what was given.
    pub index: usize,
    /// Its version, where that is known.
    pub runtime: Option<Version>,
    /// The model's version, where that is known.
    pub model: Option<Version>,
    /// How they fit.
    pub verdict: Verdict,
}

impl fmt::Display for Ranked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.runtime {
            Some(runtime) => write!(f, "runtime {runtime}")?,
            None => f.write_str("a runtime of unknown version")?,
        }
        match self.model {
            Some(model) => write!(f, " for a model of version {model}")?,
            None => f.write_str(" for a model of unknown version")?,
        }
        write!(f, ": {}", self.verdict.why)
    }
}

impl Ranked {
    fn new(model: Option<Version>, index: usize, runtime: Option<Version>) -> Self {
        let unknown = |why: &str| Verdict {
            fits: Fits::Untried,
            why: why.to_owned(),
            source: "no version",
            warn: true,
        };
        let verdict = match (model, runtime) {
            (Some(model), Some(runtime)) => judge(model, runtime),
            (None, Some(_)) => {
                unknown("the newest runtime is taken, as it supports the most models")
            }
            (_, None) => unknown("whether they fit cannot be told"),
        };
        Self {
            index,
            runtime,
            model,
            verdict,
        }
    }

    /// The place in the order. Exact first; then the same minor version and not older; then an older one of
    /// the same minor version that was reported to work; then newer minor versions; then other older ones
    /// of the same minor version; then the rest, and last what fails. Within each the better report, then
    /// the nearer version counts.
    fn place(&self) -> (u8, Fits, u64) {
        let fits = self.verdict.fits;
        let (Some(model), Some(runtime)) = (self.model, self.runtime) else {
            // Without a model's version the newest is first, and what has no version itself is last.
            let place = self.runtime.map_or(7, |_| 5);
            let newest_first = self.runtime.map_or(0, |runtime| {
                u64::MAX - Version::new(0, 0, 0).distance(runtime)
            });
            return (place, fits, newest_first);
        };
        let same_minor = model.series() == runtime.series();
        let place = match fits {
            Fits::Fails => 8,
            _ if runtime == model => 0,
            Fits::Works | Fits::Likely if same_minor && runtime > model => 1,
            Fits::Works if same_minor => 2,
            Fits::Works | Fits::Likely => 3,
            Fits::Untried if same_minor => 4,
            Fits::Untried => 5,
        };
        (place, fits, model.distance(runtime))
    }
}

/// The candidates, best first; those that fail come last. A candidate without a version is one whose
/// version is not known.
pub fn rank(model: Option<Version>, candidates: &[Option<Version>]) -> Vec<Ranked> {
    let candidates = candidates.iter().enumerate();
    let mut ranked: Vec<Ranked> = candidates
        .map(|(index, runtime)| Ranked::new(model, index, *runtime))
        .collect();
    ranked.sort_by_key(Ranked::place);
    ranked
}

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
    let version = best.runtime.map(|version| format!(" {version}"));
    let model = best.model.map_or("unknown version".to_owned(), |version| {
        format!("version {version}")
    });
    let verdict = &best.verdict;
    let reason = format!(
        "runtime{} was taken for a model of {model}: {}",
        version.unwrap_or_else(|| " of unknown version".to_owned()),
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

/// What to do where no runtime suits a model: a sentence with the command.
pub fn what_to_get(model: Option<Version>, published: &[Official], platform: &str) -> String {
    match best_published(model, published, platform) {
        Some((file, best)) => format!(
            "Get {best}, with the command: rkchat runtime get {}",
            file.release
        ),
        None => {
            let model = model.map_or("unknown version".to_owned(), |model| {
                format!("version {model}")
            });
            format!(
                "No runtime that was published for {platform} runs a model of {model}; convert the model again, \
                 for a newer version."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::known::FILES;

    const BOARD: &str = "Linux/aarch64";

    fn versions(texts: &[&str]) -> Vec<Option<Version>> {
        texts.iter().map(|text| text.parse().ok()).collect()
    }

    fn order(model: &str, candidates: &[&str]) -> Vec<String> {
        let candidates: Vec<_> = candidates.iter().rev().copied().collect();
        rank(model.parse().ok(), &versions(&candidates))
            .iter()
            .map(|ranked| candidates[ranked.index].to_owned())
            .collect()
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
    fn the_order_is_by_reports_and_nearness() {
        for expected in [
            (
                "1.1.2",
                vec![
                    "1.1.2", "1.1.3", "1.1.4", "1.2.1", "1.2.2", "1.1.1", "1.1.0", "1.2.3", "1.3.0",
                ],
            ),
            (
                "1.1.3",
                vec![
                    "1.1.3", "1.1.4", "1.1.2", "1.2.0", "1.1.1", "1.2.3", "1.0.2",
                ],
            ),
            (
                "1.2.0",
                vec![
                    "1.2.0", "1.2.1", "1.2.1b1", "1.2.2", "1.3.0", "1.4.0", "2.0.0", "1.1.4",
                ],
            ),
            (
                "1.2.3",
                vec![
                    "1.2.3", "1.2.4", "1.3.0", "1.4.0", "1.2.2", "1.2.0", "1.1.4", "1.1.0",
                ],
            ),
            ("1.0.1", vec!["1.0.1", "1.0.2", "1.1.0", "1.3.0"]),
            (
                "unknown",
                vec!["1.4.0", "1.3.0", "1.2.1", "1.2.1b1", "1.0.0", "not known"],
            ),
            ("1.1.2", vec!["1.1.4", "1.3.0", "not known"]),
            ("1.2.0", vec!["not known", "1.1.4"]),
        ] {
            assert_eq!(order(expected.0, &expected.1), expected.1, "{}", expected.0);
        }
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
        assert!(forced.warning.unwrap().contains("invalid magic characters"));
    }

    #[test]
    fn without_candidates_the_command_is_named() {
        let error = choice("1.1.4", &[], true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeNotFound);
        assert!(
            error.message().ends_with("rkchat runtime get 1.1.4"),
            "{error}"
        );
        let error = choice("unknown", &[], false).unwrap_err();
        assert!(
            error.message().ends_with("rkchat runtime get 1.3.0"),
            "{error}"
        );
    }

    #[test]
    fn the_advice_is_for_the_platform() {
        let model = "1.1.2".parse().ok();
        let advice = what_to_get(model, FILES, "Linux/armhf");
        assert!(advice.ends_with("rkchat runtime get 1.2.1"), "{advice}");
        let advice = what_to_get("1.0.1".parse().ok(), FILES, "Linux/armhf");
        assert!(
            advice.contains("Linux/armhf") && advice.contains("convert"),
            "{advice}"
        );
    }
}

//! The order in which runtimes suit a model.

use std::fmt;

use super::pairs::{Fits, Verdict, judge};
use super::version::Version;

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
        let (runtime, model) = (a_runtime(self.runtime), a_model(self.model));
        write!(f, "{runtime} for {model}: {}", self.verdict.why)
    }
}

/// A runtime in words.
pub(crate) fn a_runtime(version: Option<Version>) -> String {
    version.map_or("a runtime of unknown version".to_owned(), |version| {
        format!("runtime {version}")
    })
}

/// A model in words.
pub(crate) fn a_model(version: Option<Version>) -> String {
    version.map_or("a model of unknown version".to_owned(), |version| {
        format!("a model of version {version}")
    })
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
                unknown("where that is not known, the newest runtime is the first choice")
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

#[cfg(test)]
mod tests {
    use super::*;

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
}

//! Which runtime runs which model, by their versions.
//!
//! Only what was reported to fail is refused. Everything else is tried, with a warning where nothing
//! good is known of it.

use std::ops::RangeInclusive;

use super::version::Version;

/// How well a runtime fits a model, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fits {
    /// The same release, or a pair that was reported to work.
    Works,
    /// The rule of thumb says so.
    Likely,
    /// Nothing is known, or reports disagree.
    Untried,
    /// Reported to fail.
    Fails,
}

/// What is known of a model and a runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How well they fit.
    pub fits: Fits,
    /// The reason: what follows a colon in a sentence.
    pub why: String,
    /// Whose word that is: a thread, a document, or the rule of thumb.
    pub source: &'static str,
    /// Whether whoever uses the pair should be told.
    pub warn: bool,
}

/// A statement about some models on some runtimes.
struct Rule {
    model: RangeInclusive<Version>,
    runtime: RangeInclusive<Version>,
    fits: Fits,
    warn: bool,
    why: &'static str,
    source: &'static str,
}

const LAST: u16 = u16::MAX;
const OLDEST: Version = Version::new(0, 0, 0);
const NEWEST: Version = Version::new(LAST, LAST, LAST);
const V1_2_1B1: Version = Version::known("1.2.1b1");

/// All releases of a minor version.
const fn series(major: u16, minor: u16) -> RangeInclusive<Version> {
    Version::new(major, minor, 0)..=Version::new(major, minor, LAST)
}

const fn only(version: Version) -> RangeInclusive<Version> {
    version..=version
}

/// What was reported; the first rule that speaks of a pair counts. The rows are those of the table
/// "Version rules" in the vendor facts (`QUIRKS.md`) and of section 19 of `BEHAVIOUR.md`.
const RULES: [Rule; 10] = [
    // Stated for every 1.0 model and every runtime from 1.1 on, by the vendor's manual too.
    Rule {
        model: series(1, 0),
        runtime: Version::new(1, 1, 0)..=NEWEST,
        fits: Fits::Fails,
        warn: true,
        why: "runtimes from 1.1 on refuse models of 1.0 as too old; convert the model again (for one of \
              1.0.2, the toolkit's update_rkllm() does it)",
        source: "av1d#2, ezrknn-llm#5, SDK manual 1.1 section 3.1.7",
    },
    // The table has 1.0.1 in that row as well, but another report has it the other way round: 1.0.1
    // refusing newer models. A contradiction is no ground to refuse.
    Rule {
        model: series(1, 0),
        runtime: series(1, 0),
        fits: Fits::Untried,
        warn: true,
        why: "runtime 1.0.1 was reported to refuse models of other versions as too old, and nothing is \
              known of the other 1.0 releases",
        source: "av1d#2",
    },
    // Stated for 1.2.0 on 1.1.4, where the file's magic is not recognised. 1.1.4 is the last runtime before
    // 1.2, and none before it can know a newer format; later models are not written in an older one.
    // Nothing of the kind is stated between 1.2 and 1.3, so that is not refused.
    Rule {
        model: Version::new(1, 2, 0)..=NEWEST,
        runtime: OLDEST..=Version::new(1, 1, LAST),
        fits: Fits::Fails,
        warn: true,
        why: "runtimes before 1.2 do not recognise the file format of models from 1.2 on (\"invalid magic \
              characters\")",
        source: "airockchip/rknn-llm#235",
    },
    Rule {
        model: only(Version::new(1, 1, 1)),
        runtime: only(Version::new(1, 1, 0)),
        fits: Fits::Works,
        warn: false,
        why: "it was reported to work, though the runtime is older",
        source: "ez-er README",
    },
    Rule {
        model: Version::new(1, 1, 2)..=Version::new(1, 1, 3),
        runtime: Version::new(1, 1, 2)..=Version::new(1, 1, 3),
        fits: Fits::Works,
        warn: false,
        why: "1.1.2 and 1.1.3 were reported to be compatible both ways",
        source: "ez-er#3",
    },
    Rule {
        model: only(Version::new(1, 1, 4)),
        runtime: only(Version::new(1, 2, 1)),
        fits: Fits::Works,
        warn: false,
        why: "the vendor says that it works",
        source: "airockchip/rknn-llm#337",
    },
    Rule {
        model: only(Version::new(1, 2, 0)),
        runtime: only(Version::new(1, 2, 1)),
        fits: Fits::Works,
        warn: false,
        why: "the vendor says that it works",
        source: "airockchip/rknn-llm#337",
    },
    Rule {
        model: only(V1_2_1B1),
        runtime: Version::new(1, 2, 1)..=Version::new(1, 2, 3),
        fits: Fits::Works,
        warn: false,
        why: "such models were seen to load on 1.2.1 and 1.2.3",
        source: "BEHAVIOUR.md section 19",
    },
    // One model gave garbage on 1.2.3 (a DeepSeek of 1.1.4), another loaded (1.1.1, also on 1.3.0): no ground
    // to refuse. Nothing says that a runtime after 1.2.3 is better, so it counts for those too.
    Rule {
        model: Version::new(1, 1, 1)..=Version::new(1, 1, LAST),
        runtime: Version::new(1, 2, 3)..=NEWEST,
        fits: Fits::Untried,
        warn: true,
        why: "models of 1.1 were seen to load on 1.2.3 and later, but one answered with garbage such as \
              [PAD151935]; if this one does, take a runtime of 1.1",
        source: "taOS#1738, airockchip/rknn-llm#424, airockchip/rknn-llm#467",
    },
    // The runtime takes a wrong token for the end of text. rkchat stops at the model's own stop tokens, so
    // only an answer that ends too early would be left of it.
    Rule {
        model: only(Version::new(1, 2, 2)),
        runtime: only(Version::new(1, 3, 0)),
        fits: Fits::Likely,
        warn: true,
        why: "runtime 1.3.0 reads a wrong end-of-text token from models of 1.2.2; rkchat stops at the model's \
              own stop tokens, but if answers end too early, take runtime 1.2.3",
        source: "airockchip/rknn-llm#534",
    },
];

/// What is known of a model of one version on a runtime of another.
pub fn judge(model: Version, runtime: Version) -> Verdict {
    let verdict = |fits, warn, why: &str, source| Verdict {
        fits,
        why: why.to_owned(),
        source,
        warn,
    };
    if model == runtime {
        return verdict(Fits::Works, false, "the same version", "the same release");
    }
    let rule = RULES
        .iter()
        .find(|rule| rule.model.contains(&model) && rule.runtime.contains(&runtime));
    if let Some(rule) = rule {
        return verdict(rule.fits, rule.warn, rule.why, rule.source);
    }
    let (fits, warn, why) = if runtime < model {
        let why = "the runtime is older than the model, and nothing is known of the two";
        (Fits::Untried, true, why)
    } else if model.series() == runtime.series() {
        let why = "the same minor version and not older";
        (Fits::Likely, false, why)
    } else if model.major == runtime.major && model > Version::new(1, 1, 0) {
        let why = "a newer minor version, which usually loads models from 1.1.1 on";
        (Fits::Likely, true, why)
    } else {
        let why = "the runtime is newer, and nothing is known of the two";
        (Fits::Untried, true, why)
    };
    verdict(fits, warn, why, "the rule of thumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn fits(model: &str, runtime: &str) -> Fits {
        judge(version(model), version(runtime)).fits
    }

    #[test]
    fn every_row_of_the_table_is_there() {
        for (model, runtime, expected, source) in [
            ("1.0.0", "1.1.0", Fits::Fails, "ezrknn-llm#5"),
            ("1.0.1", "1.1.2", Fits::Fails, "ezrknn-llm#5"),
            ("1.0.2-beta", "1.3.0", Fits::Fails, "ezrknn-llm#5"),
            ("1.1.1", "1.1.0", Fits::Works, "ez-er README"),
            ("1.1.2", "1.1.3", Fits::Works, "ez-er#3"),
            ("1.1.3", "1.1.2", Fits::Works, "ez-er#3"),
            ("1.2.0", "1.1.4", Fits::Fails, "#235"),
            ("1.1.4", "1.2.1", Fits::Works, "#337"),
            ("1.2.0", "1.2.1", Fits::Works, "#337"),
            ("1.2.1", "1.2.1", Fits::Works, "same release"),
            ("1.1.1", "1.2.3", Fits::Untried, "taOS#1738"),
            ("1.1.4", "1.2.3", Fits::Untried, "#424"),
            ("1.2.2", "1.3.0", Fits::Likely, "#534"),
            ("1.2.2", "1.2.3", Fits::Likely, "rule of thumb"),
        ] {
            let verdict = judge(version(model), version(runtime));
            assert_eq!(verdict.fits, expected, "{model} on {runtime}");
            assert!(
                verdict.source.contains(source),
                "{model} on {runtime}: {verdict:?}"
            );
        }
    }

    #[test]
    fn only_what_was_reported_to_fail_fails() {
        let releases = [
            "1.0.0", "1.0.1", "1.0.2", "1.1.0", "1.1.4", "1.2.0", "1.2.1b1", "1.2.3", "1.3.0",
            "1.3.1", "1.4.0", "2.0.0",
        ];
        for model in releases {
            for runtime in releases {
                let old_model = model.starts_with("1.0") && !runtime.starts_with("1.0");
                let old_runtime =
                    version(model) >= version("1.2.0") && version(runtime) < version("1.2.0");
                let fails = fits(model, runtime) == Fits::Fails;
                assert_eq!(fails, old_model || old_runtime, "{model} on {runtime}");
            }
        }
    }

    #[test]
    fn the_rule_of_thumb_covers_versions_to_come() {
        assert_eq!(fits("1.3.0", "1.3.1"), Fits::Likely);
        assert!(!judge(version("1.3.0"), version("1.3.1")).warn);
        assert_eq!(fits("1.2.3", "1.4.0"), Fits::Likely);
        assert!(judge(version("1.2.3"), version("1.4.0")).warn);
        assert_eq!(fits("1.3.1", "1.3.0"), Fits::Untried);
        assert_eq!(fits("1.4.0", "1.3.0"), Fits::Untried);
        assert_eq!(fits("1.1.0", "1.2.0"), Fits::Untried);
        assert_eq!(fits("1.3.0", "2.0.0"), Fits::Untried);
        assert_eq!(fits("1.4.0", "1.4.0"), Fits::Works);
    }

    #[test]
    fn what_is_doubtful_warns() {
        for (model, runtime) in [("1.1.4", "1.2.3"), ("1.2.2", "1.3.0"), ("1.0.0", "1.0.1")] {
            assert!(
                judge(version(model), version(runtime)).warn,
                "{model} on {runtime}"
            );
        }
        assert!(!judge(version("1.1.2"), version("1.1.4")).warn);
    }
}

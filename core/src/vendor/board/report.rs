//! What a check found, and how it is told.

use std::fmt;
use std::path::PathBuf;

use crate::surface::{Json, RuntimeInfo};
use crate::vendor::assumptions::ASSUMPTIONS;

/// Whether an assumption holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was seen to hold.
    Holds,
    /// It was seen not to hold.
    Broken,
    /// This runtime or model does not show it.
    Unknown,
}

/// One assumption, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The assumption's name in [`ASSUMPTIONS`].
    pub id: &'static str,
    /// Whether it holds.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// The switch of `ModelOptions.assume` that answers it, and the value that was measured.
    pub measured: Option<(&'static str, &'static str)>,
}

impl Finding {
    pub(super) fn new(id: &'static str, verdict: Verdict, seen: impl Into<String>) -> Self {
        Self {
            id,
            verdict,
            seen: seen.into(),
            measured: None,
        }
    }

    /// With the value that a switch gets by what was seen.
    pub(super) fn measures(mut self, switch: &'static str, value: &'static str) -> Self {
        self.measured = Some((switch, value));
        self
    }
}

/// All that was found; its text is meant to be posted.
#[derive(Debug, Clone)]
pub struct Report {
    /// The runtime.
    pub runtime: RuntimeInfo,
    /// The git blob SHA-1 of its file.
    pub sha1: String,
    /// The model.
    pub model: PathBuf,
    /// What the runtime printed while the model was opened.
    pub log: Vec<String>,
    /// One finding for each assumption that was checked.
    pub findings: Vec<Finding>,
}

impl Report {
    /// What `ModelOptions.assume` should be on this board, as far as it was measured.
    pub fn assume(&self) -> Json {
        let measured = self.findings.iter().filter_map(|finding| finding.measured);
        let settings = measured.map(|(switch, value)| (switch.to_owned(), Json::from(value)));
        Json::Object(settings.collect())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runtime = &self.runtime;
        let release = runtime.release.as_deref().unwrap_or("not known");
        writeln!(f, "rkchat {}, board report", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "runtime: {} ({})", runtime.path.display(), runtime.name)?;
        writeln!(f, "release: {release}, ABI group {}", runtime.abi_group)?;
        writeln!(f, "SHA-1:   {}", self.sha1)?;
        for evidence in &runtime.evidence {
            writeln!(f, "         {evidence}")?;
        }
        writeln!(f, "model:   {}", self.model.display())?;
        for line in self.log.iter().filter(|line| line.contains("rkllm")) {
            writeln!(f, "log:     {}", line.trim())?;
        }
        for finding in &self.findings {
            let verdict = match finding.verdict {
                Verdict::Holds => "holds  ",
                Verdict::Broken => "BROKEN ",
                Verdict::Unknown => "unknown",
            };
            writeln!(f, "\n{verdict}  {}: {}", finding.id, finding.seen)?;
            let Some(one) = ASSUMPTIONS.iter().find(|one| one.id == finding.id) else {
                continue;
            };
            writeln!(f, "         assumed: {}", one.claim)?;
            if finding.verdict == Verdict::Broken {
                writeln!(f, "         so:      {}", one.if_wrong)?;
            }
            if let Some((switch, value)) = finding.measured {
                writeln!(f, "         assume:  {switch}={value}")?;
            }
        }
        Ok(())
    }
}

//! What speaks for a group, as plain data and in words.

use crate::vendor::known::Official;

/// All that is known of a file.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// What rkchat's own runtime says of itself: its group.
    pub own: Option<String>,
    /// The official file that it is.
    pub official: Option<&'static Official>,
    /// The groups that its exported functions allow, oldest first; never empty.
    pub symbols: Vec<&'static str>,
    /// What its default parameters tell.
    pub defaults: Defaults,
    /// Releases whose numbers are in the file as texts.
    pub texts: Vec<String>,
}

/// What a call of `rkllm_createDefaultParam` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defaults {
    /// It was not called, because the rest is enough.
    NotAsked,
    /// Those of the groups that the exported functions allow that write what it wrote.
    Fit(Vec<&'static str>),
    /// It could not be called; why.
    Unknown(String),
}

impl Evidence {
    /// The groups that remain.
    pub(super) fn candidates(&self) -> Vec<&'static str> {
        let fits = |group: &&str| match &self.defaults {
            Defaults::Fit(fitting) => fitting.contains(group),
            Defaults::NotAsked | Defaults::Unknown(_) => true,
        };
        self.symbols.iter().copied().filter(fits).collect()
    }

    /// The release that the file names, if it names one only.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.texts[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    /// What speaks for the verdict, in one sentence each.
    pub(super) fn sentences(&self) -> Vec<String> {
        let own = self.own.as_ref();
        let own = own.map(|group| format!("rkchat's own runtime says that it is of group {group}"));
        let official = self.official.map(|official| {
            format!(
                "its git blob SHA-1 {} is that of the official release {} for {}",
                super::blob::hex(&official.sha1),
                official.release,
                official.platform
            )
        });
        let symbols = format!(
            "its exported functions are those of group {}",
            either(&self.symbols)
        );
        let defaults = match &self.defaults {
            Defaults::NotAsked => None,
            Defaults::Fit(none) if none.is_empty() => {
                Some("but rkllm_createDefaultParam fills its result differently".to_owned())
            }
            Defaults::Fit(groups) => Some(format!(
                "rkllm_createDefaultParam fills its result as group {} does",
                either(groups)
            )),
            Defaults::Unknown(why) => Some(why.clone()),
        };
        let texts = match &self.texts[..] {
            [] => None,
            [one] => Some(format!("the text {one} is in the file")),
            several => Some(format!("the texts {} are in the file", several.join(", "))),
        };
        let all = [own, official, Some(symbols), defaults, texts];
        all.into_iter().flatten().collect()
    }
}

/// `1.2.1 or 1.3.0`.
pub(super) fn either(groups: &[&str]) -> String {
    groups.join(" or ")
}

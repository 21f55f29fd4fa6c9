//! The switches for what no public document says about a runtime.
//!
//! A wrong guess of rkchat's costs its user a flag and not a release. What each switch is about stands
//! in [`super::assumptions`].

use crate::surface::{Error, ErrorKind, Json, Result};

/// A switch: its name, and its values, the default first.
struct Switch(&'static str, &'static [&'static str]);

const SWITCHES: [Switch; 6] = [
    Switch("bos", &["keep", "strip"]),
    Switch("input", &["tokens", "text"]),
    Switch("text_source", &["auto", "tokens", "runtime"]),
    Switch("prefix_reuse", &["on", "off"]),
    Switch("token_limit", &["window", "none"]),
    Switch("instances", &["auto", "many"]),
];

/// Who set a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Default,
    Measured,
    Option,
}

/// The position of every switch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assume([(&'static str, Origin); SWITCHES.len()]);

impl Assume {
    /// What the option says, over what was measured on this board.
    pub fn of(option: Option<&Json>, measured: Option<&Json>) -> Result<Self> {
        let mut all = Self(SWITCHES.map(|Switch(_, values)| (values[0], Origin::Default)));
        if let Some(measured) = measured {
            all.set(
                measured,
                Origin::Measured,
                "what was measured on this board",
            )?;
        }
        if let Some(option) = option {
            all.set(option, Origin::Option, "assume")?;
        }
        Ok(all)
    }

    fn set(&mut self, from: &Json, origin: Origin, whose: &str) -> Result<()> {
        let wrong = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        let Some(settings) = from.as_object() else {
            return wrong(format!("{whose}: a JSON object is needed, but got {from}"));
        };
        for (name, value) in settings {
            let Some(place) = SWITCHES.iter().position(|switch| switch.0 == name) else {
                let known = SWITCHES.map(|switch| switch.0).join(", ");
                return wrong(format!("{whose}: there is no {name:?}; known are {known}"));
            };
            let values = SWITCHES[place].1;
            let Some(value) = values.iter().find(|known| value == **known) else {
                let known = values.join(" or ");
                return wrong(format!("{whose}: {name} is {known}, but got {value}"));
            };
            self.0[place] = (value, origin);
        }
        Ok(())
    }

    fn get(&self, name: &str) -> &'static str {
        let places = SWITCHES.iter().zip(&self.0);
        let mut found = places.filter(|(switch, _)| switch.0 == name);
        found.next().map_or("", |(_, (value, _))| value)
    }

    /// The runtime puts a BOS before token input by itself, so ours has to go.
    pub fn strip_bos(&self) -> bool {
        self.get("bos") == "strip"
    }

    /// Text goes in also where tokens could.
    pub fn text_input(&self) -> bool {
        self.get("input") == "text"
    }

    /// The text of an answer is the runtime's, also where its tokens could be decoded.
    pub fn runtime_text(&self) -> bool {
        self.get("text_source") == "runtime"
    }

    /// The tokens are decoded, and the runtime's text is not even compared.
    pub fn tokens_only(&self) -> bool {
        self.get("text_source") == "tokens"
    }

    /// The cache is emptied before every run.
    pub fn fresh_runs(&self) -> bool {
        self.get("prefix_reuse") == "off"
    }

    /// `rkllm_init` is told no token limit instead of the window's size.
    pub fn unlimited(&self) -> bool {
        self.get("token_limit") == "none"
    }

    /// Several models are opened at once also in releases that are not said to allow it.
    pub fn many_instances(&self) -> bool {
        self.get("instances") == "many"
    }

    /// One line for each switch, for `ModelInfo`.
    pub fn lines(&self) -> Vec<String> {
        let lines = SWITCHES
            .iter()
            .zip(&self.0)
            .map(|(switch, (value, origin))| {
                let origin = match origin {
                    Origin::Default => "default",
                    Origin::Measured => "measured on this board",
                    Origin::Option => "option",
                };
                format!("{}={value} ({origin})", switch.0)
            });
        lines.collect()
    }
}

/// Whether there is a switch of that name.
#[cfg(test)]
pub(super) fn is_switch(name: &str) -> bool {
    SWITCHES.iter().any(|switch| switch.0 == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_option_wins_over_what_was_measured() {
        let measured = json!({"bos": "strip", "input": "text"});
        let option = json!({"bos": "keep"});
        let assume = Assume::of(Some(&option), Some(&measured)).unwrap();
        assert!(!assume.strip_bos());
        assert!(assume.text_input());
        let lines = assume.lines();
        assert!(lines.contains(&"bos=keep (option)".to_owned()), "{lines:?}");
        assert!(lines.contains(&"input=text (measured on this board)".to_owned()));
        assert!(lines.contains(&"prefix_reuse=on (default)".to_owned()));
    }

    #[test]
    fn unknown_names_and_values_are_refused() {
        for (wrong, says) in [
            (json!([]), "object"),
            (json!({"bo": "keep"}), "known are bos"),
            (json!({"bos": "maybe"}), "keep or strip"),
            (json!({"bos": true}), "keep or strip"),
        ] {
            let error = Assume::of(Some(&wrong), None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.message().contains(says), "{error}");
        }
    }
}

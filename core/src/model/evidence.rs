//! What several sources say of one thing.

/// What one source says: a value, or several of which any may be meant.
#[derive(Debug, Clone, PartialEq)]
struct Claim {
    values: Vec<String>,
    source: String,
}

/// What all sources say of one thing, the most telling first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Evidence(Vec<Claim>);

/// What it comes to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Nobody says anything.
    Unknown,
    /// All agree, and at least one says exactly this.
    Settled { value: String, source: String },
    /// All agree on several values, of which any may be meant.
    Open { values: Vec<String>, source: String },
    /// They do not agree: who says what, in a sentence.
    Contradiction(String),
}

impl Evidence {
    pub fn add<T: ToString>(&mut self, values: &[T], source: &str) {
        if !values.is_empty() {
            self.0.push(Claim {
                values: values.iter().map(T::to_string).collect(),
                source: source.to_owned(),
            });
        }
    }

    pub fn verdict(&self) -> Verdict {
        let Some(first) = self.0.first() else {
            return Verdict::Unknown;
        };
        let mut common = first.values.clone();
        for claim in &self.0 {
            common.retain(|value| claim.values.contains(value));
        }
        match common.as_slice() {
            [] => Verdict::Contradiction(self.who_says_what()),
            [value] => {
                // The first that says it alone, else the first that narrows it down.
                let alone = self.0.iter().find(|claim| claim.values.len() == 1);
                Verdict::Settled {
                    value: value.clone(),
                    source: alone.unwrap_or(first).source.clone(),
                }
            }
            _ => Verdict::Open {
                values: common,
                source: first.source.clone(),
            },
        }
    }

    fn who_says_what(&self) -> String {
        let say = |claim: &Claim| format!("{} says {}", claim.source, claim.values.join(" or "));
        self.0.iter().map(say).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(claims: &[(&[&str], &str)]) -> Verdict {
        let mut evidence = Evidence::default();
        for (values, source) in claims {
            evidence.add(values, source);
        }
        evidence.verdict()
    }

    #[test]
    fn a_list_agrees_with_each_of_its_values() {
        let settled = |value: &str, source: &str| Verdict::Settled {
            value: value.to_owned(),
            source: source.to_owned(),
        };
        assert_eq!(verdict(&[]), Verdict::Unknown);
        assert_eq!(verdict(&[(&[], "name")]), Verdict::Unknown);
        assert_eq!(
            verdict(&[(&["a"], "name"), (&["a"], "card")]),
            settled("a", "name")
        );
        assert_eq!(
            verdict(&[(&["a", "b"], "card"), (&["b"], "name")]),
            settled("b", "name")
        );
        let open = Verdict::Open {
            values: vec!["a".to_owned(), "b".to_owned()],
            source: "card".to_owned(),
        };
        assert_eq!(verdict(&[(&["a", "b"], "card")]), open);
        let Verdict::Contradiction(why) = verdict(&[(&["a"], "name"), (&["b", "c"], "card")])
        else {
            panic!("they contradict each other");
        };
        assert_eq!(why, "name says a, card says b or c");
    }
}

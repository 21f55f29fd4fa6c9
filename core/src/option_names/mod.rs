//! What an unknown option was probably meant to be. For the bindings whose options have names at run
//! time; the names are a table that is generated from the surface.

mod table;

pub use table::*;

/// The name of an option, in each language that has it at run time.
#[derive(Debug)]
pub struct OptionName {
    /// In Python, and in this crate.
    pub snake: &'static str,
    /// In Node.
    pub camel: &'static str,
    /// What other libraries call it.
    pub aliases: &'static [&'static str],
}

/// An option, and why it is the one that was meant.
#[derive(Debug)]
pub enum Meant {
    /// Another library calls it so.
    Elsewhere(&'static OptionName),
    /// It is written much the same.
    Near(&'static OptionName),
}

/// How alike two names have to be, from 0 to 1, for one to be the other with a slip.
const LIKENESS: f64 = 0.7;

/// Which of the options an unknown name stands for, if any.
pub fn meant(name: &str, options: &'static [OptionName]) -> Option<Meant> {
    let name = folded(name);
    let elsewhere = options.iter().find(|option| {
        let mut aliases = option.aliases.iter();
        aliases.any(|alias| folded(alias) == name)
    });
    if let Some(option) = elsewhere {
        return Some(Meant::Elsewhere(option));
    }
    let nearest = options
        .iter()
        .map(|option| {
            let likeness = strsim::normalized_damerau_levenshtein(&name, &folded(option.snake));
            (likeness, option)
        })
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let (likeness, option) = nearest?;
    (likeness >= LIKENESS).then_some(Meant::Near(option))
}

/// The name in Node of what a message calls by its name here; none for other words.
pub fn camel(snake: &str) -> Option<&'static str> {
    let mut options = ALL.iter().copied().flatten();
    let option = options.find(|option| option.snake == snake)?;
    Some(option.camel)
}

/// `max_new_tokens` and `maxNewTokens` are the same words.
fn folded(name: &str) -> String {
    name.replace(['_', '-'], "").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> String {
        match meant(name, GENERATE_OPTIONS) {
            Some(Meant::Elsewhere(option)) => format!("elsewhere {}", option.snake),
            Some(Meant::Near(option)) => format!("near {}", option.snake),
            None => "unknown".to_owned(),
        }
    }

    #[test]
    fn names_of_other_libraries() {
        for name in [
            "max_tokens",
            "maxTokens",
            "max_completion_tokens",
            "num_predict",
        ] {
            assert_eq!(told(name), "elsewhere max_new_tokens");
        }
        assert_eq!(told("repetition_penalty"), "elsewhere repeat_penalty");
        assert_eq!(told("stop"), "elsewhere stop_strings");
        let of_models = meant("n_ctx", MODEL_OPTIONS);
        assert!(
            matches!(of_models, Some(Meant::Elsewhere(option)) if option.snake == "max_context_len")
        );
    }

    #[test]
    fn slips() {
        assert_eq!(told("maxNewTokens"), "near max_new_tokens");
        assert_eq!(told("max_new_token"), "near max_new_tokens");
        assert_eq!(told("tempreature"), "near temperature");
        assert_eq!(told("topk"), "near top_k");
    }

    #[test]
    fn no_guess_is_better_than_a_bad_one() {
        for name in [
            "",
            "response_format",
            "logit_bias",
            "n",
            "zzz",
            "device_map",
        ] {
            assert_eq!(told(name), "unknown", "{name}");
        }
    }

    #[test]
    fn camel_case() {
        assert_eq!(camel("top_p"), Some("topP"));
        assert_eq!(camel("no_option"), None);
    }
}

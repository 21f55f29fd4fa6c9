//! The sampling settings that a model's authors recommend, in `generation_config.json`.

use super::configs::{Config, Configs};
use crate::surface::{ErrorKind, Json, ModelOptions, Result};
use crate::vendor::Sampling;

/// The settings of `generation_config.json` that no option sets.
pub(super) fn recommended(configs: &Configs, options: &ModelOptions) -> Result<Sampling> {
    let mut sampling = read(configs.get(Config::Generation, ErrorKind::InvalidModel)?);
    // A model that is meant to be greedy is not where an option wants it to sample.
    if sampling.top_k == Some(1) && (options.temperature.is_some() || options.top_p.is_some()) {
        sampling.top_k = None;
    }
    sampling.top_k = sampling.top_k.filter(|_| options.top_k.is_none());
    sampling.top_p = sampling.top_p.filter(|_| options.top_p.is_none());
    sampling.temperature = sampling
        .temperature
        .filter(|_| options.temperature.is_none());
    sampling.repeat_penalty = sampling
        .repeat_penalty
        .filter(|_| options.repeat_penalty.is_none());
    Ok(sampling)
}

/// Reads them. Values that no runtime takes are left out; `do_sample: false` is greedy.
pub(super) fn read(config: &Json) -> Sampling {
    if config["do_sample"] == false {
        return Sampling {
            top_k: Some(1),
            ..Sampling::default()
        };
    }
    let number = |name: &str, most: f64| {
        let number = config[name].as_f64()?;
        (0.0..=most).contains(&number).then_some(number as f32)
    };
    let top_k = config["top_k"].as_i64();
    Sampling {
        top_k: top_k
            .filter(|k| (1..=1_000_000).contains(k))
            .and_then(|k| i32::try_from(k).ok()),
        top_p: number("top_p", 1.0),
        temperature: number("temperature", 100.0),
        repeat_penalty: number("repetition_penalty", 100.0).filter(|penalty| *penalty > 0.0),
        ..Sampling::default()
    }
}

/// Each setting that is set, by the name of its option.
pub(super) fn named(sampling: &Sampling) -> Vec<(&'static str, String)> {
    let settings = [
        ("top_k", sampling.top_k.map(|k| k.to_string())),
        ("top_p", sampling.top_p.map(|p| p.to_string())),
        ("temperature", sampling.temperature.map(|t| t.to_string())),
        (
            "repeat_penalty",
            sampling.repeat_penalty.map(|p| p.to_string()),
        ),
    ];
    let set = settings.into_iter();
    set.filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_fits_is_taken() {
        let all = json!({"do_sample": true, "temperature": 0.7, "top_k": 20, "top_p": 0.8,
                         "repetition_penalty": 1.05, "max_length": 20});
        let sampling = read(&all);
        assert_eq!((sampling.top_k, sampling.top_p), (Some(20), Some(0.8)));
        assert_eq!(
            (sampling.temperature, sampling.repeat_penalty),
            (Some(0.7), Some(1.05))
        );
        let greedy = read(&json!({"do_sample": false, "temperature": 0.7, "top_p": 0.8}));
        assert_eq!(named(&greedy), [("top_k", "1".to_owned())]);
        for nothing in [
            json!({}),
            json!([]),
            json!(null),
            json!({"temperature": null, "top_k": 0, "top_p": 1.5, "repetition_penalty": 0}),
            json!({"temperature": "hot", "top_k": 1e30, "top_p": -0.1, "repetition_penalty": []}),
            json!({"temperature": 1e300, "top_k": -5}),
        ] {
            assert_eq!(read(&nothing), Sampling::default(), "{nothing}");
        }
    }
}

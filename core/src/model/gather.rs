//! What names, card and configuration tell of a model, put together: facts with their sources, and what
//! does not agree.

use std::fs;

use super::card::Card;
use super::evidence::{Evidence, Verdict};
use super::families::{self, Family};
use super::find::Found;
use super::sources::{CARD, Names, read_card};
use super::{health, hub, platform};
use crate::surface::{Fact, Json, ModelOptions, Result, Warning, WarningKind};

/// The version of the toolkit that converted a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ModelVersion {
    /// Nothing tells it.
    #[default]
    Unknown,
    /// It is known, and from where.
    Known { version: String, source: String },
    /// What tells it does not agree; a sentence.
    Contradiction(String),
}

/// The family, and what tells it.
#[derive(Debug, Clone)]
pub(super) struct ToldFamily {
    pub family: &'static Family,
    pub source: String,
    /// A name of the model tells it, and no other file.
    pub by_name: bool,
}

/// What is told of a model.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub version: ModelVersion,
    pub max_context_len: Option<u32>,
    pub family: Option<ToldFamily>,
    /// Why there is none, where names tell several.
    pub families: Option<String>,
    /// Repositories of the models that it was made from.
    pub base_models: Vec<String>,
    pub facts: Vec<Fact>,
    pub warnings: Vec<Warning>,
}

/// Puts together what is told of the model that was found.
pub(super) fn gather(found: &Found, config: &Json, options: &ModelOptions) -> Result<Told> {
    let names = Names::of(found);
    let card = found.folder.as_deref().map(read_card).unwrap_or_default();
    let mut told = Told {
        base_models: card.base_models.clone(),
        ..Told::default()
    };
    told.repository(found);
    told.family(&names, &card, config);
    let platform = told.settle(
        "platform",
        names.with(&card, |name| &name.platforms, &card.platforms),
    );
    let quantisations = names.with(&card, |name| &name.quantisations, &card.quantisations);
    let quantisation = told.settle("quantisation", quantisations);
    told.version(&names, &card, options);
    told.context(&names, &card, options);
    for (source, name) in &names.0 {
        if let Some(ratio) = name.hybrid_ratio {
            told.fact("hybrid_ratio", &ratio.to_string(), source);
        }
        if let Some(level) = name.optimisation {
            told.fact("optimisation", &level.to_string(), source);
        }
    }
    told.list("lora", &card.loras, CARD);
    told.list("base_model", &card.base_models, CARD);
    let runtimes: Vec<String> = card.runtimes.iter().map(ToString::to_string).collect();
    told.list("runtime_version", &runtimes, CARD);
    told.check_platform(
        platform.as_deref(),
        quantisation.as_deref(),
        platform::here(),
    );
    told.check_size(found, &names, quantisation.as_deref());
    Ok(told)
}

impl Told {
    pub fn fact(&mut self, name: &str, value: &str, source: &str) {
        if !self.facts.iter().any(|fact| fact.name == name) {
            self.facts.push(Fact {
                name: name.to_owned(),
                value: value.to_owned(),
                source: source.to_owned(),
            });
        }
    }

    pub fn warn(&mut self, kind: WarningKind, message: String) {
        self.warnings.push(Warning { kind, message });
    }

    fn list(&mut self, name: &str, values: &[String], source: &str) {
        if !values.is_empty() {
            self.fact(name, &values.join(", "), source);
        }
    }

    fn repository(&mut self, found: &Found) {
        if let Some(id) = hub::repository(&found.weights) {
            self.fact("repository", &id, "the cache or clone that it lies in");
        }
    }

    /// Takes what evidence comes to as a fact; what does not agree is a warning.
    fn settle(&mut self, name: &str, evidence: Evidence) -> Option<String> {
        match evidence.verdict() {
            Verdict::Unknown => None,
            Verdict::Settled { value, source } => {
                self.fact(name, &value, &source);
                Some(value)
            }
            Verdict::Open { values, source } => {
                self.fact(name, &values.join(" or "), &source);
                None
            }
            Verdict::Contradiction(why) => {
                self.warn(WarningKind::Contradiction, format!("{name}: {why}"));
                None
            }
        }
    }

    /// The version of the toolkit; what the card says of the runtime counts where nothing says more.
    fn version(&mut self, names: &Names, card: &Card, options: &ModelOptions) {
        if let Some(version) = &options.model_version {
            self.fact("model_version", version, "the option model_version");
            return;
        }
        let mut evidence = names.with(card, |name| &name.versions, &card.versions);
        if evidence.verdict() == Verdict::Unknown {
            evidence.add(&card.runtimes, CARD);
        }
        let unsettled = |why: String| {
            format!("model_version: {why}; say which is right with the option model_version")
        };
        self.version = match evidence.verdict() {
            Verdict::Unknown => ModelVersion::Unknown,
            Verdict::Settled { value, source } => {
                self.fact("model_version", &value, &source);
                ModelVersion::Known {
                    version: value,
                    source,
                }
            }
            Verdict::Open { values, source } => ModelVersion::Contradiction(unsettled(format!(
                "{source} says {}",
                values.join(" and ")
            ))),
            Verdict::Contradiction(why) => ModelVersion::Contradiction(unsettled(why)),
        };
        if let ModelVersion::Contradiction(why) = &self.version {
            let why = why.clone();
            self.warn(WarningKind::Contradiction, why);
        }
    }

    fn context(&mut self, names: &Names, card: &Card, options: &ModelOptions) {
        if let Some(asked) = options.max_context_len {
            self.fact(
                "max_context_len",
                &asked.to_string(),
                "the option max_context_len",
            );
            return;
        }
        let mut evidence = Evidence::default();
        for (source, name) in &names.0 {
            evidence.add(name.context.as_slice(), source);
        }
        evidence.add(card.context.as_slice(), CARD);
        let told = self.settle("max_context_len", evidence);
        self.max_context_len = told.and_then(|told| told.parse().ok());
    }

    /// The family by the names; by `model_type` and then by what the card says it was made from where they
    /// tell none.
    fn family(&mut self, names: &Names, card: &Card, config: &Json) {
        let model_type = config["model_type"].as_str().unwrap_or_default();
        let mut told: Vec<(&'static Family, String)> = Vec::new();
        for (source, name) in &names.0 {
            told.extend(families::by_name(&name.base).map(|family| (family, source.clone())));
        }
        let title = families::by_name(&card.title.base);
        told.extend(title.map(|family| (family, format!("{CARD}'s title"))));
        if let Some((first, source)) = told.first().cloned() {
            // One that only some of the names tell more of is no other family.
            let others: Vec<String> = told
                .iter()
                .filter(|(family, _)| family.house != first.house)
                .map(|(family, source)| format!("{source} says {}", family.name))
                .collect();
            if !others.is_empty() {
                let message = format!(
                    "family: {source} says {}, {}",
                    first.name,
                    others.join(", ")
                );
                self.families = Some(message.clone());
                return self.warn(WarningKind::Contradiction, message);
            }
            if !model_type.is_empty() && !first.types.contains(&model_type) {
                let message = format!(
                    "family: {source} says {}, config.json says model_type {model_type}: they may come from \
                     different models",
                    first.name
                );
                self.warn(WarningKind::Contradiction, message);
            }
        }
        let by_name = !told.is_empty();
        told.extend(families::by_type(model_type).map(|family| (family, "config.json".to_owned())));
        for base in &card.base_models {
            let family = families::by_name(base.rsplit('/').next().unwrap_or(base));
            told.extend(family.map(|family| (family, format!("base_model of {CARD}"))));
        }
        if let Some((family, source)) = told.into_iter().next() {
            self.fact("family", family.name, &source);
            self.family = Some(ToldFamily {
                family,
                source,
                by_name,
            });
        }
    }

    fn check_platform(
        &mut self,
        platform: Option<&str>,
        quantisation: Option<&str>,
        here: Option<&str>,
    ) {
        let Some(platform) = platform else {
            return;
        };
        if let Some(here) = here.filter(|here| *here != platform) {
            let message = format!(
                "the model was converted for {platform}, and this board is {here}: the runtime will refuse it. Get \
                 the model for {here}"
            );
            self.warn(WarningKind::PlatformMismatch, message);
        }
        let known = quantisation.and_then(|one| Some((one, platform::lacks(platform, one)?)));
        if let Some((quantisation, known)) = known {
            let message = format!(
                "quantisation: {platform} has no {quantisation}, only {}; one of the two is not right",
                known.join(", ")
            );
            self.warn(WarningKind::Contradiction, message);
        }
    }

    fn check_size(&mut self, found: &Found, names: &Names, quantisation: Option<&str>) {
        let parameters = names.0.iter().find_map(|(_, name)| name.parameters);
        let (Some(parameters), Some(quantisation)) = (parameters, quantisation) else {
            return;
        };
        let size = fs::metadata(&found.weights).map_or(u64::MAX, |metadata| metadata.len());
        if let Some(least) = health::too_small(size, parameters, quantisation) {
            let message = format!(
                "{} has {}, and a model of its name has at least {}: the download was probably cut. Compare with \
                 the size that the repository shows",
                found.weights.display(),
                health::in_words(size),
                health::in_words(least)
            );
            self.warn(WarningKind::IncompleteModel, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_chip_and_a_quantisation_that_it_has_not_are_told() {
        let mut told = Told::default();
        told.check_platform(Some("RK3588"), Some("w8a8"), Some("RK3588"));
        told.check_platform(Some("RK3588"), None, None);
        told.check_platform(None, Some("w4a16"), Some("RK3588"));
        assert!(told.warnings.is_empty());
        told.check_platform(Some("RK3576"), Some("w4a16"), Some("RK3588"));
        assert_eq!(told.warnings[0].kind, WarningKind::PlatformMismatch);
        told.check_platform(Some("RK3588"), Some("w4a16"), Some("RK3588"));
        assert_eq!(told.warnings[1].kind, WarningKind::Contradiction);
        assert_eq!(told.warnings.len(), 2);
    }
}

//! How a request is sampled, and what happens where the runtime cannot do it.

use crate::surface::*;
use crate::vendor::Sampling;
use crate::vendor::capabilities::{self, Capabilities};

/// What counts where neither options nor the model's files say anything: the defaults that Rockchip
/// documents, on every runtime (`BEHAVIOUR.md`, section 1).
const DOCUMENTED: SamplingDefaults = SamplingDefaults {
    top_k: 40,
    top_p: 0.9,
    temperature: 0.8,
    repeat_penalty: 1.1,
    frequency_penalty: 0.0,
    presence_penalty: 0.0,
    mirostat: 0,
    mirostat_tau: 5.0,
    mirostat_eta: 0.1,
};

/// The code that names every setting.
macro_rules! settings {
    ($($name:ident)*) => {
        fn of_model(options: &ModelOptions) -> Sampling {
            Sampling { $($name: options.$name),* }
        }

        fn of_request(options: &GenerateOptions) -> Sampling {
            Sampling { $($name: options.$name),* }
        }

        fn set(all: SamplingDefaults) -> Sampling {
            Sampling { $($name: Some(all.$name)),* }
        }

        fn over(asked: Sampling, all: SamplingDefaults) -> SamplingDefaults {
            SamplingDefaults { $($name: asked.$name.unwrap_or(all.$name)),* }
        }

        /// The settings that were asked for and are not those that are used, in words.
        fn differences(asked: Sampling, used: SamplingDefaults) -> Vec<String> {
            let different = [$((
                asked.$name.is_some_and(|asked| asked != used.$name),
                concat!("`", stringify!($name), "` is "),
                used.$name.to_string(),
                asked.$name.map_or_else(String::new, |asked| asked.to_string()),
            )),*];
            let different = different.into_iter().filter(|(differs, ..)| *differs);
            different.map(|(_, name, used, asked)| format!("{name}{used} and not {asked}")).collect()
        }
    };
}

settings! {
    top_k top_p temperature repeat_penalty frequency_penalty presence_penalty
    mirostat mirostat_tau mirostat_eta
}

/// How a model samples, and what requests can change.
pub(super) struct ModelSampling {
    defaults: SamplingDefaults,
    /// That it is greedy is what its authors recommend, not what its user asked for.
    advised_greedy: bool,
    fixed: Option<FixedSampling>,
}

/// How one request is sampled.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// For the run.
    pub run: Sampling,
    /// What the model has to be opened with.
    pub init: Option<Sampling>,
    pub warnings: Vec<Warning>,
}

impl ModelSampling {
    pub fn new(options: &ModelOptions, recommended: &Sampling, can: Capabilities) -> Self {
        let asked = of_model(options);
        let defaults = over(asked, over(*recommended, DOCUMENTED));
        let per_run = can.has(capabilities::RUN_SAMPLING);
        Self {
            defaults,
            advised_greedy: recommended.top_k == Some(1),
            fixed: (!per_run).then(|| options.fixed_sampling.unwrap_or(FixedSampling::Warn)),
        }
    }

    pub fn defaults(&self) -> SamplingDefaults {
        self.defaults
    }

    /// What the model is opened with.
    pub fn init(&self) -> Sampling {
        set(self.defaults)
    }

    /// What a request asks for.
    pub fn request(&self, options: &GenerateOptions, runtime: &RuntimeInfo) -> Result<Asked> {
        let asked = of_request(options);
        let mut defaults = self.defaults;
        // Who asks for a temperature wants no model that is greedy because its authors advise it.
        let samples = asked.temperature.is_some() || asked.top_p.is_some();
        if self.advised_greedy && samples {
            defaults.top_k = DOCUMENTED.top_k;
        }
        let wanted = over(asked, defaults);
        let warnings = self.ignored(options, runtime)?;
        let mut result = Asked {
            warnings,
            ..Asked::default()
        };
        match self.fixed {
            None => result.run = set(wanted),
            Some(FixedSampling::Reload) => result.init = Some(set(wanted)),
            Some(fixed) => {
                let different = differences(asked, self.defaults);
                if !different.is_empty() {
                    let told = format!(
                        "the runtime {} fixes sampling when a model is opened: {}. Give the settings in the options of \
                         Model.open, or set its fixed_sampling to reload",
                        runtime.path.display(),
                        different.join(", ")
                    );
                    if fixed == FixedSampling::Error {
                        return Err(unsupported(told));
                    }
                    result.warnings.push(Warning {
                        kind: WarningKind::FixedSampling,
                        message: told,
                    });
                }
            }
        }
        Ok(result)
    }

    /// Warnings for what no runtime can; errors where the user wants them.
    fn ignored(&self, options: &GenerateOptions, runtime: &RuntimeInfo) -> Result<Vec<Warning>> {
        let asked = [
            ("seed", options.seed.is_some()),
            ("min_p", options.min_p.is_some_and(|min_p| min_p > 0.0)),
        ];
        let asked = asked.into_iter().filter(|(_, asked)| *asked);
        let warnings = asked.map(|(name, _)| {
            let message = format!(
                "`{name}` has no effect: the runtime {} has no such setting",
                runtime.path.display()
            );
            match self.fixed {
                Some(FixedSampling::Error) => Err(unsupported(message)),
                _ => Ok(Warning {
                    kind: WarningKind::IgnoredOption,
                    message,
                }),
            }
        });
        warnings.collect()
    }
}

fn unsupported(message: String) -> Error {
    let wanted = capabilities::RUN_SAMPLING;
    let since = wanted.since.map(|since| since.to_string());
    Error::new(ErrorKind::Unsupported, message)
        .with("capability", wanted.id)
        .with("since", since)
}

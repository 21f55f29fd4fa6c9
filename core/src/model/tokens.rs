//! Whether a tokenizer can be the model's.

use super::families;
use super::gather::Told;
use crate::surface::{Error, ErrorKind, Json, ModelOptions, Result, WarningKind};
use crate::tokenizer::Tokenizer;

/// Warns where the tokenizer has not the tokens of the model's family. Where the names and `config.json`
/// agree on the family and the tokenizer is another's, every answer would be gibberish: that is an error,
/// unless the option names the tokenizer.
pub(super) fn check(
    tokenizer: Option<&Tokenizer>,
    config: &Json,
    told: &mut Told,
    options: &ModelOptions,
) -> Result<()> {
    let (Some(tokenizer), Some(known)) = (tokenizer, told.family.clone()) else {
        return Ok(());
    };
    let family = known.family;
    let has = |text: &str| tokenizer.token_to_id(text).is_some();
    let missing: Vec<&str> = family
        .marks
        .iter()
        .copied()
        .filter(|mark| !has(mark))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let other = families::by_tokens(has).filter(|house| *house != family.house);
    let looks = other.map_or(String::new(), |house| {
        format!(" It looks like one of the family {house}.")
    });
    let message = format!(
        "the tokenizer is not one of {}, which {} tells: it has no {}.{looks} With a wrong tokenizer answers are \
         gibberish. Name the right tokenizer.json with the option tokenizer",
        family.name,
        known.source,
        missing.join(", ")
    );
    let model_type = config["model_type"].as_str().unwrap_or_default();
    let agreed = known.by_name && family.types.contains(&model_type);
    if agreed && other.is_some() && options.tokenizer.is_none() {
        return Err(Error::new(ErrorKind::ModelAmbiguous, message).with("option", "tokenizer"));
    }
    told.warn(WarningKind::Contradiction, message);
    Ok(())
}

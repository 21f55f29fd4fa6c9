//! What to do about a chat template that is not there.

use super::WeightsFormat;
use super::find::Found;
use super::gather::Told;

/// Says which files are missing, and from where they can be had.
pub(super) fn template(found: &Found, told: &Told) -> String {
    let weights = found.weights.display();
    if found.format == WeightsFormat::Gguf {
        return format!(
            "{weights} has no chat template inside, and none beside it; give its source with the option \
             chat_template, or continue plain text with complete"
        );
    }
    let wanted = "tokenizer.json tokenizer_config.json generation_config.json";
    let folder = found.weights.parent().unwrap_or(&found.weights).display();
    let from = match told.base_models.first() {
        Some(id) => format!(" (hf download {id} {wanted} --local-dir {folder})"),
        None => String::new(),
    };
    let why = match &told.families {
        Some(why) => why,
        None => "no name tells a family that rkchat knows",
    };
    format!(
        "no chat template is known for {weights}: nothing beside it has one, and {why}. Put the files {} of the model \
         that it was made from beside it{from}; or give the option chat_template; or continue plain text with complete",
        wanted.replace(' ', ", ")
    )
}

//! What a model is opened with, besides how it samples: each option goes to the runtime as it is, or is
//! refused where the runtime has no place for it.

use std::sync::Arc;

use super::hosts::{OurTokenizer, Table};
use crate::model::Located;
use crate::surface::*;
use crate::vendor::capabilities::{self, Capability};
use crate::vendor::{InitParams, Library, Markers};

/// Adds what the options ask for.
pub(super) fn add(
    params: InitParams,
    options: &ModelOptions,
    library: &Library,
    found: &mut Located,
) -> Result<InitParams> {
    let image_markers = image_markers(options);
    let video_markers = video_markers(options);
    for (set, name, capability) in asked(options) {
        if set {
            let instead = format!("Leave {name} out.");
            let can = library.capabilities();
            capabilities::require(library.info(), can, capability, &instead)?;
        }
    }
    for marker in [&image_markers, &video_markers] {
        check_marker(marker)?;
    }
    let tokenizer = match options.host_tokenizer {
        true => Some(OurTokenizer::of(found.tokenizer(options)?)?),
        false => None,
    };
    let embedding = match &options.embedding_table {
        Some(table) => Some(Table::of(table, found.embedding_width()?)?),
        None => None,
    };
    Ok(InitParams {
        n_keep: options.n_keep,
        ignore_eos: options.ignore_eos,
        embed_flash: options.embed_flash,
        enabled_cpus_num: small(options.enabled_cpus_num),
        enabled_cpus_mask: options.enabled_cpus_mask,
        base_domain_id: options.base_domain_id,
        n_batch: small(options.n_batch),
        use_cross_attn: options.use_cross_attn,
        image_markers: Some(image_markers),
        num_npu_core: options.num_npu_core,
        use_gpu: options.use_gpu,
        tokenizer: tokenizer.map(|tokenizer| Arc::new(tokenizer) as _),
        embedding: embedding.map(|table| Arc::new(table) as _),
        ..params
    })
}

/// Whether each option is set, its name, and what it takes.
fn asked(options: &ModelOptions) -> [(bool, &'static str, Capability); 14] {
    use capabilities::*;
    [
        (options.ignore_eos, "ignore_eos", IGNORE_EOS),
        (options.n_keep.is_some(), "n_keep", KEPT_BEGINNING),
        (options.embed_flash.is_some(), "embed_flash", EMBED_FLASH),
        (
            options.enabled_cpus_num.is_some(),
            "enabled_cpus_num",
            CPU_CHOICE,
        ),
        (
            options.enabled_cpus_mask.is_some(),
            "enabled_cpus_mask",
            CPU_CHOICE,
        ),
        (
            options.base_domain_id.is_some(),
            "base_domain_id",
            MEMORY_DOMAIN,
        ),
        (options.n_batch.is_some_and(|n| n > 1), "n_batch", BATCH),
        (options.use_cross_attn, "use_cross_attn", CROSS_ATTENTION),
        (options.num_npu_core.is_some(), "num_npu_core", NPU_CORES),
        (options.use_gpu, "use_gpu", GPU),
        (
            is_set(&image_markers(options)),
            "image_start, image_end and image_content",
            IMAGE_INPUT,
        ),
        (
            is_set(&video_markers(options)),
            "video_start, video_end and video_content",
            VIDEO_INPUT,
        ),
        (options.host_tokenizer, "host_tokenizer", OWN_TOKENIZER),
        (
            options.embedding_table.is_some(),
            "embedding_table",
            OWN_TOKENIZER,
        ),
    ]
}

pub(super) fn image_markers(options: &ModelOptions) -> Markers {
    let text = |marker: &Option<String>| marker.clone().unwrap_or_default();
    Markers {
        start: text(&options.image_start),
        end: text(&options.image_end),
        content: text(&options.image_content),
    }
}

pub(super) fn video_markers(options: &ModelOptions) -> Markers {
    let text = |marker: &Option<String>| marker.clone().unwrap_or_default();
    Markers {
        start: text(&options.video_start),
        end: text(&options.video_end),
        content: text(&options.video_content),
    }
}

fn is_set(markers: &Markers) -> bool {
    markers.all().iter().any(|marker| !marker.is_empty())
}

fn check_marker(markers: &Markers) -> Result<()> {
    match markers.all().iter().find(|marker| marker.contains('\0')) {
        None => Ok(()),
        Some(marker) => Err(Error::invalid_argument(format!(
            "the marker {marker:?} has a NUL character, which cannot be handed over"
        ))),
    }
}

/// The option's range is smaller than any of these types.
fn small<T: TryFrom<u32>>(number: Option<u32>) -> Option<T> {
    number.and_then(|number| T::try_from(number).ok())
}

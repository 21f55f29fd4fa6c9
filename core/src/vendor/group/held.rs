//! What the library was given after the model was opened, kept because how long it looks at it is not
//! documented.

use std::ffi::CString;
use std::path::Path;

use super::buffers;
use crate::vendor::CrossAttention;
use crate::vendor::abi::v1_1_0::RKLLMLoraAdapter;
use crate::vendor::abi::v1_2_1::RKLLMCrossAttnParam;

/// Kept as long as the model, or until a later call of the same kind succeeded. Each is in a box of its own:
/// its address stays the same.
#[derive(Default)]
pub(super) struct Held {
    /// All of them stay loaded.
    #[allow(clippy::vec_box, reason = "the list moves what it holds when it grows")]
    adapters: Vec<Box<Adapter>>,
    prompt_cache: Option<Box<CString>>,
    template: Option<Box<Template>>,
    tools: Option<Box<Tools>>,
    cross: Option<Box<Cross>>,
}

/// Has a place among what is held.
pub(super) trait Place: Sized {
    fn hold(held: &mut Held, new: Box<Self>);
}

/// System prompt, prefix, postfix.
pub(super) struct Template(pub [CString; 3]);

/// System prompt, tools, mark of their results.
pub(super) struct Tools(pub [CString; 3]);

/// A LoRA adapter.
pub(super) struct Adapter {
    _texts: [CString; 2],
    raw: RKLLMLoraAdapter,
}

// SAFETY: the pointers are to the strings beside them, and nothing but the library looks behind them.
unsafe impl Send for Adapter {}

impl Adapter {
    pub fn new(name: &str, path: &Path, scale: f32) -> Result<Self, String> {
        let name = buffers::text("the adapter's name", name)?;
        let path = buffers::path("the adapter", path)?;
        let raw = RKLLMLoraAdapter {
            lora_adapter_path: path.as_ptr(),
            lora_adapter_name: name.as_ptr(),
            scale,
        };
        Ok(Self {
            _texts: [name, path],
            raw,
        })
    }

    pub fn raw(&mut self) -> *mut RKLLMLoraAdapter {
        &mut self.raw
    }
}

/// An encoder's output.
pub(super) struct Cross {
    _encoder: CrossAttention,
    raw: RKLLMCrossAttnParam,
}

// SAFETY: the pointers are to the numbers beside them, and nothing but the library looks behind them.
unsafe impl Send for Cross {}

impl Cross {
    pub fn new(mut encoder: CrossAttention) -> Result<Self, String> {
        if !encoder.fits() {
            return Err("the sizes of the encoder's output do not fit each other".into());
        }
        let raw = RKLLMCrossAttnParam {
            encoder_k_cache: encoder.keys.as_mut_ptr(),
            encoder_v_cache: encoder.values.as_mut_ptr(),
            encoder_mask: encoder.mask.as_mut_ptr(),
            encoder_pos: encoder.positions.as_mut_ptr(),
            num_tokens: i32::try_from(encoder.positions.len())
                .map_err(|error| error.to_string())?,
        };
        Ok(Self {
            _encoder: encoder,
            raw,
        })
    }

    pub fn raw(&mut self) -> *mut RKLLMCrossAttnParam {
        &mut self.raw
    }
}

impl Place for Adapter {
    fn hold(held: &mut Held, new: Box<Self>) {
        held.adapters.push(new);
    }
}

/// What replaces its predecessor.
macro_rules! places {
    ($($kind:ty: $field:ident;)*) => {
        $(impl Place for $kind {
            fn hold(held: &mut Held, new: Box<Self>) {
                held.$field = Some(new);
            }
        })*
    };
}

places! {
    CString: prompt_cache;
    Template: template;
    Tools: tools;
    Cross: cross;
}

//! What a decoder with cross attention attends to.

use std::sync::Arc;

use super::control::Deadlines;
use super::media::check_numbers;
use super::model::Model;
use crate::surface::*;
use crate::vendor::{CrossAttention, Session, capabilities};

impl Model {
    pub fn set_cross_attention(
        &self,
        keys: &Tensor,
        values: &Tensor,
        mask: &Tensor,
        positions: &[u32],
    ) -> Result<()> {
        let instead = "Use a runtime that can.";
        self.require(capabilities::CROSS_ATTENTION, instead)?;
        if !self.attends {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the model was not opened for cross attention; open it with use_cross_attn",
            ));
        }
        let encoder = Arc::new(encoder(keys, values, mask, positions)?);
        let loaded = self.loaded.clone();
        self.errand(Deadlines::default(), move |desk| {
            desk.with(|session| set(session, &encoder))?;
            loaded.set_cross_attention(encoder);
            Ok(())
        })
    }
}

/// Hands it to the runtime.
pub(super) fn set(session: &dyn Session, encoder: &CrossAttention) -> Result<()> {
    let status = session.set_cross_attention(encoder.clone());
    if status == 0 {
        return Ok(());
    }
    let said = session.last_error();
    let reason = said.as_deref().unwrap_or("it gave no reason");
    let message = format!(
        "the runtime did not take the encoder's output (rkllm_set_cross_attn_params returned {status}): {reason}"
    );
    Err(Error::new(ErrorKind::RuntimeFailed, message).with("vendor_status", status))
}

fn encoder(
    keys: &Tensor,
    values: &Tensor,
    mask: &Tensor,
    positions: &[u32],
) -> Result<CrossAttention> {
    let [layers, tokens, heads, width] = check_numbers(
        "keys",
        keys,
        ["layers", "tokens", "heads", "numbers of a head"],
    )?;
    let of_values = check_numbers(
        "values",
        values,
        ["layers", "heads", "numbers of a head", "tokens"],
    )?;
    let [of_mask] = check_numbers("mask", mask, ["tokens"])?;
    if of_values != [layers, heads, width, tokens] || of_mask != tokens || positions.len() != tokens
    {
        return Err(Error::invalid_argument(format!(
            "`keys` has the shape {:?}, `values` {:?}, `mask` {:?}, and there are {} `positions`: they are not of the \
             same layers, tokens and heads",
            keys.shape(),
            values.shape(),
            mask.shape(),
            positions.len()
        )));
    }
    let position = |position: &u32| {
        i32::try_from(*position).map_err(|_| {
            Error::invalid_argument(format!(
                "`positions` has {position}; the largest is {}",
                i32::MAX
            ))
        })
    };
    Ok(CrossAttention {
        keys: keys.data().to_vec(),
        values: values.data().to_vec(),
        mask: mask.data().to_vec(),
        positions: positions.iter().map(position).collect::<Result<_>>()?,
    })
}

//! x
use anyhow::Result;

use crate::model::Surface;
use crate::output::Output;

pub fn render(_surface: &Surface) -> Result<Vec<Output>> {
    Ok(Vec::new())
}

pub fn header(_tree: &crate::output::Tree) -> Result<Output> {
    Ok(Output::new("include/rkchat.h", ""))
}

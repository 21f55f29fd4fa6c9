//! What a board report measured, kept for `Model.open`: one file for each runtime file, named after its
//! SHA-1, in `rkchat/measured` in the user's data folder.

use std::fs;
use std::path::PathBuf;

use super::board::Report;
use super::store;
use super::unfinished::Unfinished;
use crate::surface::{Json, Result};

/// Keeps what a report measured, and gives the file.
pub fn save(report: &Report) -> Result<PathBuf> {
    let text = serde_json::json!({
        "runtime": report.runtime.path,
        "abi_group": report.runtime.abi_group,
        "rkchat": env!("CARGO_PKG_VERSION"),
        "assume": report.assume(),
    });
    let folder = store::data_folder()?.join("measured");
    Unfinished::begin(&folder)?.finish(&name(&report.sha1), format!("{text:#}\n").as_bytes())
}

/// What is kept about the runtime file with this SHA-1.
pub(super) fn load(sha1: &str) -> Option<Json> {
    let path = store::data_folder().ok()?.join("measured").join(name(sha1));
    let text = fs::read_to_string(path).ok()?;
    let mut kept: Json = serde_json::from_str(&text).ok()?;
    Some(kept["assume"].take())
}

fn name(sha1: &str) -> String {
    format!("{sha1}.json")
}

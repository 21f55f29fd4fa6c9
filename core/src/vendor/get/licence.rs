//! The licence, which has to be with a copy of the library.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::Setting;
use super::place::{Failure, Place, Places, licence_of};
use crate::surface::Result;
use crate::vendor::known::Official;
use crate::vendor::unfinished::Unfinished;

const TEXT: &str = "LICENSE";
const ADDRESS: &str = "LICENSE.url";

/// Stores the licence, or its address where it cannot be had: that alone is no reason to fail.
pub(super) fn store(
    places: &Places,
    file: &Official,
    folder: &Path,
    setting: &Setting<'_>,
) -> Result<()> {
    match places
        .licence
        .as_ref()
        .and_then(|place| text(place, setting.stall))
    {
        Some(text) => {
            Unfinished::begin(folder)?.finish(TEXT, &text)?;
            // Only there if the licence could not be had before.
            let _ = fs::remove_file(folder.join(ADDRESS));
        }
        None if folder.join(TEXT).is_file() => {}
        None => {
            let address = format!("{}\n", licence_of(setting.repository, file));
            Unfinished::begin(folder)?.finish(ADDRESS, address.as_bytes())?;
        }
    }
    Ok(())
}

/// The text, unless it is a page that a server or a hotspot gives instead.
fn text(place: &Place, stall: Duration) -> Option<Vec<u8>> {
    let bytes: Result<_, Failure> = place.read(stall, &mut |_, _| Ok(()));
    let bytes = bytes.ok()?;
    let text = std::str::from_utf8(&bytes).ok()?.trim_start();
    (!text.is_empty() && !text.starts_with('<')).then_some(bytes)
}

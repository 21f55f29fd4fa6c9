//! What can be said about a model's or an adapter's file before llama.cpp sees it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Refuses what is certainly no GGUF file, and says what it is.
pub fn check(what: &str, path: &Path) -> Result<(), String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path)
        .map_err(|error| format!("cannot open the {what} {shown}: {error}"))?;
    if metadata.is_dir() {
        return Err(format!(
            "{shown} is a folder; the path has to name the {what}'s GGUF file in it"
        ));
    }
    let mut magic = [0; 4];
    let read = File::open(path)
        .and_then(|mut file| file.read_exact(&mut magic))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => format!("{shown} is empty or cut off"),
            _ => format!("cannot read the {what} {shown}: {error}"),
        });
    read?;
    if &magic == b"GGUF" {
        return Ok(());
    }
    if path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("rkllm"))
    {
        return Err(format!(
            "{shown} is a .rkllm file: that needs Rockchip's librkllmrt.so and its NPU; \
             rkchat's CPU runtime loads GGUF files"
        ));
    }
    Err(format!(
        "{shown} is not a GGUF file: it begins with {magic:02x?} instead of \"GGUF\""
    ))
}

//! The fuzz targets, for the programs in `bin`.

mod targets;

/// Runs a target.
pub fn run(name: &str, bytes: &[u8]) {
    let found = targets::TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = found.expect("a known target");
    target(bytes);
}

//! Hands the hash of `src/surface/` to the crate, so that stale generated code does not compile.

use std::{env, path::Path};

#[path = "src/surface_hash.rs"]
mod surface_hash;

fn main() {
    let folder =
        Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("src/surface");
    println!("cargo:rerun-if-changed={}", folder.display());
    println!("cargo:rerun-if-changed=src/surface_hash.rs");
    println!(
        "cargo:rustc-env=RKCHAT_SURFACE_HASH={}",
        surface_hash::of(&folder).expect("src/surface is part of the crate, and can be read")
    );
}

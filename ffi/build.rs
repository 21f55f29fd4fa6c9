//! Names the shared library after the generation of its ABI.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,librkchat.so.0");
    println!("cargo:rerun-if-changed=build.rs");
}

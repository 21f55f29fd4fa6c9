//! Names the shared library after the generation of its ABI, and keeps it loaded: its threads and exit
//! handlers would outlive it.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,librkchat.so.0");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}

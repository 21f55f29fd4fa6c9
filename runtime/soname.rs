//! Build script of the libraries that stand for the vendor's. Cargo needs different file names, but
//! programs that link to one look for the vendor's.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,librkllmrt.so");
}

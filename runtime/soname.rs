//! Build script of the libraries that stand for the vendor's.

fn main() {
    // Cargo needs different file names, but programs that link to one look for the vendor's.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,librkllmrt.so");
    // `dlclose` must not unmap what a thread that made a call still runs when it ends: Rust's own
    // clean-up of the thread.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}

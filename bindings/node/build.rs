//! Link settings of a Node addon.

fn main() {
    napi_build::setup();
    // Node unloads an addon when the last worker that used it ends; the threads of an opened model
    // would then run code that is gone.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}

//! The program `rkchat-worker`: what rkchat does with a library that it does not let into its own
//! process.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use super::recognise::call;

/// The whole program; a parent reads its standard output.
pub fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    match &arguments[..] {
        [command, library] if command == "probe" => call::report(Path::new(library)),
        _ => {
            eprintln!("rkchat starts this program by itself, as: rkchat-worker probe LIBRARY");
            ExitCode::from(2)
        }
    }
}

//! Loads a runtime library in place of rkchat, which starts this program by itself.

fn main() -> std::process::ExitCode {
    rkchat::vendor::worker::main()
}
